package check

import (
	"fmt"
	"go/ast"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Rule is one thing that holds for the whole repository.
type Rule struct {
	Name string // a sentence
	// Check gives one sentence for each place that breaks the rule.
	Check func(*Tree) []string
}

// Rules lists every rule.
func Rules() []Rule {
	return []Rule{
		{"a package imports only what its place allows", imports},
		{"no Go file lies directly in sync", noFileInSync},
		{"no package takes the name of a top-level standard package", standardNames},
		{"every package has a doc comment", packageDocs},
		{"nothing waits by sleeping", noSleep},
		{"nothing is left open in comments", nothingLeftOpen},
		{"no test skips itself", noSkip},
		{"logic does not ask which system it runs on", noGOOS},
		{"the root main.go only starts things", shortMain},
		{"go.mod ignores what npm installs", ignoresNodeModules},
		{"every condition has a text in each language", codesHaveTexts},
		{"the engine raises only conditions of its table", conditionsAreKnown},
		{"a test raises every condition of the engine", conditionsAreRaised},
		{"the project speaks of itself alone", speaksOfItself},
	}
}

func noFileInSync(t *Tree) []string {
	var found []string
	for _, f := range t.Files {
		if f.Dir() == "sync" {
			found = append(found, f.Path+": a package named sync would shadow the standard one")
		}
	}
	return found
}

// standard lists the top-level packages of the standard library. A package of
// ours with such a name would need an alias wherever both are used. Nested ones
// (os/exec) do not count, and neither do archive and index, which are only
// directories there.
var standard = strings.Fields(`bufio bytes cmp context crypto embed encoding errors expvar
	flag fmt hash html image io iter log maps math mime net os path plugin reflect regexp runtime
	slices sort strconv strings structs sync syscall testing time unicode unique unsafe weak`)

func standardNames(t *Tree) []string {
	var found []string
	for dir, files := range t.Packages() {
		name := strings.TrimSuffix(files[0].Syntax.Name.Name, "_test")
		if slices.Contains(standard, name) {
			found = append(found, fmt.Sprintf("%s is package %s, like one of the standard library", dir, name))
		}
	}
	return slices.Sorted(slices.Values(found))
}

func packageDocs(t *Tree) []string {
	var found []string
	packages := t.Packages()
	for _, dir := range slices.Sorted(maps.Keys(packages)) {
		documented := slices.ContainsFunc(packages[dir], func(f *File) bool { return f.Syntax.Doc != nil })
		if !documented {
			found = append(found, dir+" has no package comment")
		}
	}
	return found
}

// noSleep leaves build/bench alone: a benchmark may wait for real time.
func noSleep(t *Tree) []string {
	return eachSelector(t, "time", "Sleep", func(f *File) bool { return within(f.Dir(), "build/bench") })
}

// noGOOS leaves tests alone: they may say which result a system should give.
func noGOOS(t *Tree) []string {
	return eachSelector(t, "runtime", "GOOS", (*File).IsTest)
}

// eachSelector reports each use of x.name outside the files left out.
func eachSelector(t *Tree, x, name string, leftOut func(*File) bool) []string {
	var found []string
	for _, f := range t.Files {
		if leftOut(f) {
			continue
		}
		ast.Inspect(f.Syntax, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok || sel.Sel.Name != name {
				return true
			}
			if id, ok := sel.X.(*ast.Ident); ok && id.Name == x {
				found = append(found, fmt.Sprintf("%s:%d uses %s.%s", f.Path, f.Line(sel.Pos()), x, name))
			}
			return true
		})
	}
	return found
}

// open matches the words with which people leave work for later.
var open = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b`)

func nothingLeftOpen(t *Tree) []string {
	var found []string
	for _, f := range t.Files {
		for i, line := range strings.Split(f.Text, "\n") {
			if word := open.FindString(line); word != "" {
				found = append(found, fmt.Sprintf("%s:%d says %s", f.Path, i+1, word))
			}
		}
	}
	return found
}

// mainLines bounds the desktop entry: what is longer belongs to app.
const mainLines = 60

func shortMain(t *Tree) []string {
	for _, f := range t.Files {
		if n := strings.Count(f.Text, "\n"); f.Path == "main.go" && n >= mainLines {
			return []string{fmt.Sprintf("main.go has %d lines, want fewer than %d", n, mainLines)}
		}
	}
	return nil
}

func ignoresNodeModules(t *Tree) []string {
	text, err := fs.ReadFile(t.Root, "go.mod")
	if err != nil {
		return []string{err.Error()}
	}
	if !strings.Contains(string(text), "\nignore ./frontend/node_modules\n") {
		return []string{"go.mod lacks: ignore ./frontend/node_modules (npm packages contain Go files)"}
	}
	return nil
}

// elsewhere matches absolute paths of a developer's own machine.
var elsewhere = regexp.MustCompile(`(^|[^A-Za-z0-9_.])/(work|farm)/`)

// speaksOfItself reads documents, scripts and code alike.
func speaksOfItself(t *Tree) []string {
	var found []string
	err := fs.WalkDir(t.Root, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && leftOut(name):
			return fs.SkipDir
		case d.IsDir() || !slices.Contains([]string{".go", ".md", ".sh", ".py", ".ts", ".svelte", ""}, path.Ext(name)):
			return nil
		}
		text, err := fs.ReadFile(t.Root, name)
		if err == nil && elsewhere.Match(text) {
			found = append(found, name+" names a path of one developer's machine")
		}
		return err
	})
	if err != nil {
		found = append(found, err.Error())
	}
	return found
}

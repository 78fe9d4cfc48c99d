package check

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

func TestTheRepositoryKeepsItsRules(t *testing.T) {
	tree, err := Load(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range Rules() {
		t.Run(rule.Name, func(t *testing.T) {
			for _, found := range rule.Check(tree) {
				t.Error(found)
			}
		})
	}
}

// good is a tree without fault; each case below puts one file into it.
func good() fstest.MapFS {
	return fstest.MapFS{
		"go.mod":                {Data: []byte("module lanyard\n\nignore ./frontend/node_modules\n")},
		"sync/fault/fault.go":   {Data: []byte("// Package fault is.\npackage fault\n")},
		"sync/pull/pull.go":     {Data: []byte("// Package pull is.\npackage pull\nimport _ \"lanyard/sync/fault\"\n")},
		"sync/pull/x_test.go":   {Data: []byte("package pull\nimport _ \"lanyard/sync/sim\"\n")},
		"sync/sim/sim.go":       {Data: []byte("// Package sim is.\npackage sim\nimport _ \"lanyard/sync/pull\"\n")},
		"app/text/en.json":      {Data: []byte(`{"problems":{"disk-full":{"title":"Full"}}}`)},
		"app/text/de.json":      {Data: []byte(`{"problems":{"disk-full":{"title":"Voll"}}}`)},
		"sync/pull/full.go":     {Data: []byte("package pull\nvar _ = fault.New(fault.Folder, \"disk-full\", \"x\")\n")},
		"sync/pull/testdata/x/": {Mode: 0o755 | os.ModeDir},
	}
}

func TestRulesFindWhatBreaksThem(t *testing.T) {
	tests := []struct {
		name, file, text string
		want             string // part of the only finding; "" for none
	}{
		{"a lower level is fine", "sync/plan/a.go", "// Package plan is.\npackage plan\nimport _ \"lanyard/sync/bep\"", ""},
		{"a higher level is not", "sync/bep/a.go", "// Package bep is.\npackage bep\nimport _ \"lanyard/sync/pull\"", "level 1 may not import level 3"},
		{"the same level is not", "sync/scan/a.go", "// Package scan is.\npackage scan\nimport _ \"lanyard/sync/pull\"", "level 3 may not import level 3"},
		{"a noted sideways import is fine", "sync/index/a.go", "// Package index is.\npackage index\nimport _ \"lanyard/sync/plan\"", ""},
		{"a package without a level is not", "sync/new/a.go", "// Package new is.\npackage new\nimport _ \"lanyard/sync/fault\"", "sync/new has no level"},
		{"sync does not know app", "sync/pull/a.go", "package pull\nimport _ \"lanyard/app/config\"", "sync stands below"},
		{"code does not import the simulation", "sync/folder/a.go", "// Package folder is.\npackage folder\nimport _ \"lanyard/sync/sim\"", "only tests may import it"},
		{"code does not import a conformance suite", "sync/folder/a.go", "// Package folder is.\npackage folder\nimport _ \"lanyard/sync/fsys/fsystest\"", "only tests may import it"},
		{"a conformance suite imports its seam", "sync/fsys/fsystest/a.go", "// Package fsystest is.\npackage fsystest\nimport _ \"lanyard/sync/fsys\"", ""},
		{"discovery knows devices", "discovery/book/a.go", "// Package book is.\npackage book\nimport _ \"lanyard/sync/device\"", ""},
		{"discovery does not know the engine", "discovery/book/a.go", "// Package book is.\npackage book\nimport _ \"lanyard/sync/engine\"", "allowed are"},
		{"the command line does not reach the engine", "app/cli/a.go", "// Package cli is.\npackage cli\nimport _ \"lanyard/sync/engine\"", "allowed are"},
		{"the command line may use values", "app/cli/a.go", "// Package cli is.\npackage cli\nimport _ \"lanyard/sync/status\"", ""},
		{"only the window knows Wails", "app/cli/a.go", "// Package cli is.\npackage cli\nimport _ \"github.com/wailsapp/wails/v2\"", "only app/desktop"},
		{"sync holds no Go file", "sync/a.go", "// Package synchro is.\npackage synchro", "shadow"},
		{"a standard name is taken", "sync/bep/path/a.go", "// Package path is.\npackage path", "standard library"},
		{"a package comment is missing", "sync/bep/a.go", "package bep", "no package comment"},
		{"sleeping is found", "sync/pull/b_test.go", "package pull\nfunc f() { time.Sleep(1) }", "uses time.Sleep"},
		{"a benchmark may sleep", "build/bench/b.go", "// Package bench is.\npackage bench\nfunc f() { time.Sleep(1) }", ""},
		{"work for later is found", "sync/pull/b.go", "package pull // TO" + "DO: all of it", "says TO" + "DO"},
		{"a skipped test is found", "sync/pull/b_test.go", "package pull\nfunc f(t *testing.T) { t.Skip() }", "skips a test"},
		{"a property may give an input back", "sync/pull/b_test.go", "package pull\nfunc f(t *testing.T) { _ = func(t *rapid.T) { t.Skip() } }", ""},
		{"a fuzz target may give an input back", "sync/pull/b_test.go", "package pull\nfunc f(t *testing.T, b []byte) { t.Skip() }", ""},
		{"asking for the system is found", "sync/pull/b.go", "package pull\nvar _ = runtime.GOOS", "uses runtime.GOOS"},
		{"a long main.go is found", "main.go", "// Command x is.\npackage main" + strings.Repeat("\n", 60), "want fewer than 60"},
		{"a path of one machine is found", "docs/a.md", "see /wo" + "rk/main", "one developer's machine"},
		{"a code without text is found", "sync/pull/b.go", "package pull\nvar _ = fault.Code(\"disk-odd\")", "\"disk-odd\", which has no text"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			root := good()
			root[test.file] = &fstest.MapFile{Data: []byte(test.text + "\n")}
			found := findings(t, root)
			if test.want == "" && found != "" || !strings.Contains(found, test.want) {
				t.Errorf("findings:\n%s\nwant %q", found, test.want)
			}
		})
	}
}

func TestANodeModulesDirectoryMustBeIgnored(t *testing.T) {
	root := good()
	root["go.mod"] = &fstest.MapFile{Data: []byte("module lanyard\n")}
	if found := findings(t, root); !strings.Contains(found, "go.mod lacks") {
		t.Errorf("findings: %q", found)
	}
}

// findings gives what all rules find in root, a line each.
func findings(t *testing.T, root fstest.MapFS) string {
	t.Helper()
	tree, err := Load(root)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, rule := range Rules() {
		all = append(all, rule.Check(tree)...)
	}
	return strings.Join(all, "\n")
}

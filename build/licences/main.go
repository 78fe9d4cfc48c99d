// Command licences writes app/service/licences.txt: the licences of the Go modules
// that are compiled into the programs, for all systems together, and that of Go
// itself. It reads them where Go keeps the modules' sources. It is run where a
// module is added or another version of it is taken:
//
//	go run ./build/licences
//
// The pages collect those of what is in them when they are built
// (frontend/vite.config.ts).
package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// file is where the licences stand, from the root of the repository.
const file = "app/service/licences.txt"

func main() {
	text, err := collect(".")
	if err == nil {
		err = os.WriteFile(file, text, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "licences:", err)
		os.Exit(1)
	}
}

// tags are all with which a program is built, so that each part is in.
const tags = "tray,desktop,production,webkit2_41,wv2runtime.embed"

// systems are those that the programs are built for.
var systems = []string{"linux", "windows", "darwin"}

// legal finds the files that tell the terms of a module.
var legal = regexp.MustCompile(`(?i)^(un)?(licen[cs]es?|copying|copyright|notice|patents)([-._].*)?$`)

// collect gives the text of all licences, for the repository in a directory.
// Modules with the same terms stand over them together.
func collect(root string) ([]byte, error) {
	under := map[string][]string{} // modules, by their terms
	found, err := modules(root)
	if err != nil {
		return nil, err
	}
	for name, dirs := range found {
		terms, err := read(dirs)
		if err != nil {
			return nil, err
		}
		if terms == "" {
			return nil, fmt.Errorf("%s has no licence", name)
		}
		under[terms] = append(under[terms], name)
	}
	var all []string
	for terms, names := range under {
		slices.Sort(names)
		all = append(all, "== "+strings.Join(names, "\n== ")+"\n\n"+terms)
	}
	slices.Sort(all)
	return []byte(strings.Join(all, "\n")), nil
}

// modules gives the directories of each module that holds a package of the
// programs: those of such packages, and above, in order.
func modules(root string) (map[string][]string, error) {
	found := map[string]map[string]bool{}
	for _, system := range systems {
		// Nothing is compiled: what needs cgo is listed as well.
		cmd := exec.Command("go", "list", "-deps", "-tags", tags, "-f",
			"{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}\t{{.Dir}}\t{{$.Dir}}{{end}}{{end}}{{if .Standard}}Go, its runtime and standard library\t{{.Root}}\t{{.Root}}{{end}}", ".", "./cmd/lanyard")
		cmd.Dir = root
		cmd.Env = append(os.Environ(), "GOOS="+system, "GOARCH=amd64", "CGO_ENABLED=1")
		out, err := cmd.Output()
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, exit.Stderr)
		}
		if err != nil {
			return nil, fmt.Errorf("list the packages for %s: %w", system, err)
		}
		for line := range strings.Lines(string(out)) {
			parts := strings.Split(strings.TrimSpace(line), "\t")
			if len(parts) != 3 {
				continue // a package of ours
			}
			name, top, dir := parts[0], parts[1], parts[2]
			if found[name] == nil {
				found[name] = map[string]bool{}
			}
			for ; len(dir) >= len(top); dir = filepath.Dir(dir) {
				found[name][dir] = true
			}
		}
	}
	sorted := map[string][]string{}
	for name, dirs := range found {
		sorted[name] = slices.Sorted(maps.Keys(dirs))
	}
	return sorted, nil
}

// read gives the terms that stand in directories, each text once.
func read(dirs []string) (string, error) {
	var terms []string
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return "", err
		}
		for _, e := range entries {
			if !e.Type().IsRegular() || !legal.MatchString(e.Name()) || strings.HasSuffix(e.Name(), ".go") {
				continue
			}
			data, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				return "", err
			}
			text := strings.TrimSpace(string(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")))) + "\n"
			if !slices.Contains(terms, text) {
				terms = append(terms, text)
			}
		}
	}
	return strings.Join(terms, "\n"), nil
}

package check

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// level orders the packages of sync: each imports only what stands on a lower
// level, so that a reader goes from the bottom to the top once.
var level = map[string]int{
	"fault": 0, "relpath": 0, "vector": 0, "device": 0, "exec": 0,
	"block": 1, "bep": 1, "ignore": 1, "conflict": 1, "status": 1,
	"plan": 2, "fsys": 2, "index": 2, "watch": 2, "transport": 2,
	"scan": 3, "pull": 3, "archive": 3, "serve": 3, "peer": 3,
	"folder": 4,
	"engine": 5,
}

// values is the highest level whose packages are plain values and pure
// functions: what the rest of the program may use of sync without the engine.
const values = 1

// sideways lists the imports within one level, each with its reason.
var sideways = map[[2]string]string{
	{"bep", "block"}:  "a FileInfo carries its block list",
	{"index", "plan"}: "plan.Newer alone chooses the global version",
	{"index", "fsys"}: "a record holds the stamp of a look at the disk",
}

// imports is the rule of who may import whom.
func imports(t *Tree) []string {
	var found []string
	for _, f := range t.Files {
		for _, to := range f.OwnImports() {
			if why := refuse(f, to); why != "" {
				found = append(found, fmt.Sprintf("%s imports %s: %s", f.Path, to, why))
			}
		}
		found = append(found, foreignImports(f)...)
	}
	return found
}

// refuse says why f may not import the package in directory to; "" if it may.
func refuse(f *File, to string) string {
	from := f.Dir()
	if testOnly(to) && !f.IsTest() && !testOnly(from) {
		return "only tests may import it"
	}
	top, rest, _ := strings.Cut(from, "/")
	switch top {
	case "sync":
		return refuseSync(f, rest, to)
	case "discovery":
		return allow(to, "sync/device", "sync/fault", "discovery/...")
	case "app":
		return refuseApp(f, rest, to)
	case "cmd", ".":
		return allow(to, "app/...", "frontend")
	case "frontend":
		return "the frontend imports nothing of ours"
	}
	return "" // build: tools and tests of the whole
}

// testOnly reports whether the package is for tests: the simulation, and the
// conformance suites, which lie beside their seam as fsys/fsystest.
func testOnly(dir string) bool {
	base := path.Base(dir)
	parent := path.Base(path.Dir(dir))
	return within(dir, "sync/sim") || base == parent+"test"
}

// refuseSync is refuse for the packages of sync. Their tests may use any other
// package of sync, but nothing above it.
func refuseSync(f *File, from, to string) string {
	name, ok := strings.CutPrefix(to, "sync/")
	if !ok {
		return "sync stands below the rest of the program"
	}
	here, there := family(from), family(name)
	if f.IsTest() || testOnly(f.Dir()) || here == there {
		return ""
	}
	low, known := level[there]
	high, placed := level[here]
	switch {
	case !known:
		return fmt.Sprintf("sync/%s has no level in build/check", there)
	case !placed:
		return fmt.Sprintf("sync/%s has no level in build/check", here)
	case low < high, sideways[[2]string{here, there}] != "":
		return ""
	}
	return fmt.Sprintf("level %d may not import level %d", high, low)
}

// refuseApp is refuse for the packages of app.
func refuseApp(f *File, from, to string) string {
	if f.IsTest() && !within(to, "app/desktop") {
		return ""
	}
	here := family(from)
	if to == "app/text" || within(to, "app/"+here) || isValue(to) {
		return ""
	}
	switch here {
	case "activity":
		return "it knows plain values alone"
	case "config", "pairing":
		return allow(to, "app/config")
	case "node":
		return allow(to, "sync/...", "discovery/...", "app/config", "app/pairing/...", "app/activity")
	case "service":
		return allow(to, "app/node", "app/activity", "app/config", "app/pairing/...", "app/login")
	case "web":
		return allow(to, "app/service", "app/config")
	case "cli":
		return allow(to, "app/web", "app/service", "app/node", "app/config", "app/pairing/...", "app/tray")
	case "login":
		return allow(to, "app/launch")
	case "notify":
		return allow(to, "app/service", "app/config")
	case "tray":
		return allow(to, "app/service", "app/config", "app/launch", "app/notify", "app/web", "build/icons")
	case "desktop":
		return allow(to, "app/web", "app/service", "app/config", "app/cli", "app/launch", "frontend")
	}
	return fmt.Sprintf("app/%s has no rule in build/check", here)
}

// isValue reports whether dir is a package of plain values in sync.
func isValue(dir string) bool {
	name, ok := strings.CutPrefix(dir, "sync/")
	if !ok {
		return false
	}
	n, known := level[family(name)]
	return known && n <= values
}

// foreignImports keeps Wails, and with it the web view, in one place.
func foreignImports(f *File) []string {
	var found []string
	for _, p := range f.Imports() {
		wails := strings.HasPrefix(p, "github.com/wailsapp/")
		if wails && !within(f.Dir(), "app/desktop") {
			found = append(found, fmt.Sprintf("%s imports %s: only app/desktop may", f.Path, p))
		}
	}
	return found
}

// allow gives "" where to matches one of the patterns; "x/..." is x and all
// below it.
func allow(to string, patterns ...string) string {
	ok := slices.ContainsFunc(patterns, func(p string) bool {
		dir, deep := strings.CutSuffix(p, "/...")
		return to == p || deep && within(to, dir)
	})
	if ok {
		return ""
	}
	return "allowed are " + strings.Join(patterns, ", ")
}

// within reports whether dir is parent or lies below it.
func within(dir, parent string) bool {
	return dir == parent || strings.HasPrefix(dir, parent+"/")
}

// family is the first component of a name: sync/fsys/memfs belongs to fsys.
func family(name string) string {
	first, _, _ := strings.Cut(name, "/")
	return first
}

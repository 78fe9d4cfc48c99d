package check

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"

	"lanyard/sync/fault"
	"lanyard/sync/status"
)

// conditionsAreKnown demands that whatever package of sync raises a condition
// takes it from the engine's table, which says when and what it tells.
func conditionsAreKnown(t *Tree) []string {
	var found []string
	for code, where := range raisedCodes(t) {
		if _, known := status.Find(fault.Code(code)); !known && strings.HasPrefix(where, "sync/") {
			found = append(found, fmt.Sprintf("%s raises %q, which sync/status does not list", where, code))
		}
	}
	return found
}

// conditionsAreRaised demands a test for each condition of the engine: a file
// of tests that uses statustest and names the code.
func conditionsAreRaised(t *Tree) []string {
	if len(t.Packages()["sync/status"]) == 0 {
		return nil
	}
	named := map[string]bool{}
	for _, f := range t.Files {
		if !f.IsTest() || !slices.Contains(f.OwnImports(), "sync/status/statustest") {
			continue
		}
		ast.Inspect(f.Syntax, func(n ast.Node) bool {
			if e, ok := n.(ast.Expr); ok {
				if s, ok := stringValue(e); ok {
					named[s] = true
				}
			}
			return true
		})
	}
	var found []string
	for _, c := range status.Conditions() {
		code := string(c.Code)
		if !named[code] {
			found = append(found, fmt.Sprintf("no test raises %q", code))
		}
	}
	return found
}

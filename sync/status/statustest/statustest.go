// Package statustest has what tests say about conditions. A file of tests that
// imports it counts as raising the codes that stand in it: build/check wants
// each code of the engine in one.
package statustest

import (
	"slices"
	"testing"

	"lanyard/sync/fault"
	"lanyard/sync/status"
)

// Raised wants err to be of the code, which the engine has to know, and to tell
// all that the code's sentences name.
func Raised(t testing.TB, err error, code fault.Code) {
	t.Helper()
	if got := fault.CodeOf(err); got != code {
		t.Fatalf("error %v has the code %q, want %q", err, got, code)
	}
	told(t, code, fault.DataOf(err))
}

// Shown wants exactly one problem of the code, and gives it.
func Shown(t testing.TB, problems []status.Problem, code fault.Code) status.Problem {
	t.Helper()
	of := slices.DeleteFunc(slices.Clone(problems), func(p status.Problem) bool { return p.Code != code })
	if len(of) != 1 {
		t.Fatalf("%d problems are called %s, want 1, among %+v", len(of), code, problems)
	}
	told(t, code, of[0].Param)
	return of[0]
}

// told wants the engine to know the code and its sentences' values to be there.
func told(t testing.TB, code fault.Code, data map[string]string) {
	t.Helper()
	c, ok := status.Find(code)
	if !ok {
		t.Fatalf("the engine does not know the condition %s", code)
	}
	for _, name := range c.Data {
		if data[name] == "" {
			t.Errorf("%s tells nothing for {%s}: %v", code, name, data)
		}
	}
}

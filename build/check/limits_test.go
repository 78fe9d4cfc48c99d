package check

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

// The table of limits names the tests that break them: a test that is renamed
// or removed takes its limit's proof with it.
func TestEveryTestThatTheTableOfLimitsNamesIsThere(t *testing.T) {
	tree, err := Load(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	text, err := fs.ReadFile(tree.Root, "docs/limits.md")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, f := range tree.Files {
		if f.IsTest() {
			all.WriteString(f.Text)
		}
	}
	named := regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9]+)(…?)`").FindAllStringSubmatch(string(text), -1)
	if len(named) < 40 {
		t.Errorf("the table names %d tests", len(named))
	}
	for _, m := range named {
		end := "("
		if m[2] != "" {
			end = ""
		}
		if !strings.Contains(all.String(), "\nfunc "+m[1]+end) {
			t.Errorf("docs/limits.md names %s, which is not there", m[1])
		}
	}
}

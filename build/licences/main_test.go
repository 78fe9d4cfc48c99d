package main

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// A module that is added, or taken in another version, comes with its licence.
func TestEveryModuleHasItsLicence(t *testing.T) {
	data, err := os.ReadFile("../../" + file)
	if err != nil {
		t.Fatal(err)
	}
	found, err := modules("../..")
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	terms := ""
	for line := range strings.Lines(string(data)) {
		if name, ok := strings.CutPrefix(line, "== "); ok {
			if len(terms) > 0 && len(strings.TrimSpace(terms)) < 100 {
				t.Errorf("above %s there are no terms", name)
			}
			named, terms = append(named, strings.TrimSpace(name)), ""
			continue
		}
		terms += line
	}
	slices.Sort(named)
	if want := slices.Sorted(maps.Keys(found)); !slices.Equal(named, want) {
		t.Errorf("%s names\n%s\nand what is compiled in is\n%s\nrun: go run ./build/licences", file, strings.Join(named, "\n"), strings.Join(want, "\n"))
	}
}

package fsys

import (
	"slices"
	"strings"
)

// sortEntries puts a listing in byte order of names.
func sortEntries(entries []Entry) {
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
}

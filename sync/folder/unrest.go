package folder

import (
	"maps"
	"slices"
	"time"

	"lanyard/sync/relpath"
)

// A name that moves under this many scans for this long is told of.
const (
	unrestScans = 5
	unrestAfter = 5 * time.Minute
)

// unrest is how often in a row, and since when, a name moved under a scan.
type unrest struct {
	since time.Time
	scans int
}

// unrest counts the scans in a row under which names moved.
func (m *Machine) unrest(now time.Time, again []relpath.Path, full bool) {
	moved := make(map[relpath.Path]bool, len(again))
	for _, p := range again {
		moved[p] = true
		u := m.restless[p]
		if u.scans == 0 {
			u.since = now
		}
		u.scans++
		m.restless[p] = u
	}
	maps.DeleteFunc(m.restless, func(p relpath.Path, _ unrest) bool {
		return !moved[p] && (full || slices.Contains(m.scanPaths, p))
	})
}

// Restless lists the names that have moved under every scan for a while, in
// order.
func (m *Machine) Restless(now time.Time) []relpath.Path {
	var names []relpath.Path
	for p, u := range m.restless {
		if u.scans >= unrestScans && now.Sub(u.since) >= unrestAfter {
			names = append(names, p)
		}
	}
	slices.SortFunc(names, relpath.Path.Compare)
	return names
}

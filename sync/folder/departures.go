package folder

import (
	"maps"
	"slices"
	"sync"

	"lanyard/sync/relpath"
	"lanyard/sync/watch"
)

// departures knows which names the watcher saw go since a scan last looked at
// them. What a person deletes is seen; a disk that is taken away, a listing that
// comes back short, and what happened while nobody watched is not. Methods may
// be called from any goroutine.
type departures struct {
	mu    sync.Mutex
	turn  uint64
	names map[relpath.Path]uint64 // when it was noted
	dirs  map[relpath.Path]uint64 // of names in it that were too many to tell
}

func newDepartures() *departures {
	return &departures{names: map[relpath.Path]uint64{}, dirs: map[relpath.Path]uint64{}}
}

// note takes what the watcher tells.
func (d *departures) note(c watch.Change) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, ev := range c.Events {
		if ev.Removed {
			d.turn++
			d.names[ev.Path] = d.turn
		}
	}
	for _, dir := range c.Gone {
		d.turn++
		d.dirs[dir] = d.turn
	}
}

// mark gives the turn up to which a scan that begins now will have looked.
func (d *departures) mark() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.turn
}

// seen reports whether a name was seen to go, alone or with a directory above
// it.
func (d *departures) seen(p relpath.Path) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.names)+len(d.dirs) == 0 {
		return false
	}
	for ; !p.IsRoot(); p = p.Dir() {
		if d.names[p] != 0 || d.dirs[p.Dir()] != 0 {
			return true
		}
	}
	return false
}

// scanned forgets what was noted up to a mark in what was scanned, everything
// where there are no paths; names that are to be scanned again stay.
func (d *departures) scanned(mark uint64, paths, again []relpath.Path) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.names)+len(d.dirs) == 0 {
		return
	}
	looked := map[relpath.Path]bool{}
	for _, p := range paths {
		looked[p] = true
	}
	keep := map[relpath.Path]bool{}
	for _, p := range again {
		for ; !p.IsRoot() && !keep[p]; p = p.Dir() {
			keep[p] = true
		}
	}
	done := func(p relpath.Path, turn uint64) bool {
		return turn <= mark && !keep[p] && (len(paths) == 0 || under(p, looked))
	}
	maps.DeleteFunc(d.names, done)
	maps.DeleteFunc(d.dirs, func(dir relpath.Path, turn uint64) bool {
		return done(dir, turn) && !slices.ContainsFunc(again, func(p relpath.Path) bool { return p.Under(dir) })
	})
}

// under reports whether a name or a directory above it is in the set.
func under(p relpath.Path, set map[relpath.Path]bool) bool {
	for ; ; p = p.Dir() {
		if set[p] {
			return true
		}
		if p.IsRoot() {
			return false
		}
	}
}

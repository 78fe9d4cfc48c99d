package watch

import (
	"slices"
	"sync"
	"time"

	"lanyard/sync/relpath"
)

// Bounds of a batch. Beyond them it says less precisely where to look, and
// never nothing.
const (
	maxNames    = 10_000
	maxSubtrees = 1_000
)

// action is what happened to a name.
type action uint8

const (
	created action = iota // it appeared
	placed                // it appeared by a rename
	written               // its content changed
	touched               // something else about it changed
	removed               // it went
)

// batch collects changes until somebody takes them. It is safe for concurrent
// use, bounded, and never waits for whoever takes.
type batch struct {
	// wake holds one token while there is something to take. It is never
	// closed.
	wake chan struct{}

	mu       sync.Mutex
	names    map[relpath.Path]Event
	subtrees map[relpath.Path]bool
	gone     map[relpath.Path]bool // directories with removed names that are not in names any more
	all      bool
}

func newBatch() *batch {
	b := &batch{wake: make(chan struct{}, 1)}
	b.clear()
	b.gone = map[relpath.Path]bool{}
	return b
}

func (b *batch) clear() {
	b.names, b.subtrees, b.all = map[relpath.Path]Event{}, map[relpath.Path]bool{}, false
}

// add notes that something happened to a name.
func (b *batch) add(p relpath.Path, what action, at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all || b.subtrees[p.Dir()] {
		if what == removed {
			b.wentIn(p.Dir())
		}
		return // said already: the token is there
	}
	e := b.names[p]
	e.Path, e.Time = p, at
	switch what {
	case created, written:
		e.Settled, e.Removed = false, false
	case placed:
		e.Settled, e.Removed = true, false
	case removed:
		e.Settled, e.Removed = false, true
	case touched: // says nothing about content or presence
	}
	b.names[p] = e
	if len(b.names) > maxNames {
		b.collapse()
	}
	b.signal()
}

// addSubtree notes that anything below dir may have changed.
func (b *batch) addSubtree(dir relpath.Path) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.subtree(dir)
	b.signal()
}

// addAll notes that anything may have changed.
func (b *batch) addAll() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clear()
	b.all = true
	b.signal()
}

// collapse replaces the names by their directories.
func (b *batch) collapse() {
	for p, e := range b.names {
		if e.Removed {
			b.wentIn(p.Dir())
		}
		b.subtree(p.Dir())
	}
	clear(b.names)
}

// wentIn notes that names went in a directory, in at most maxSubtrees of them.
func (b *batch) wentIn(dir relpath.Path) {
	if len(b.gone) < maxSubtrees {
		b.gone[dir] = true
	}
}

func (b *batch) subtree(dir relpath.Path) {
	if b.all {
		return
	}
	b.subtrees[dir] = true
	if dir.IsRoot() || len(b.subtrees) > maxSubtrees {
		b.clear()
		b.all = true
	}
}

func (b *batch) signal() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// take gives what was collected, without what skips reports, and starts anew.
// ok is false where nothing is left to say.
func (b *batch) take(skips func(relpath.Path) bool) (c Change, ok bool) {
	b.mu.Lock()
	names, subtrees, gone, all := b.names, b.subtrees, b.gone, b.all
	b.clear()
	b.gone = map[relpath.Path]bool{}
	b.mu.Unlock()
	for dir := range gone {
		c.Gone = append(c.Gone, dir)
	}
	slices.SortFunc(c.Gone, relpath.Path.Compare)
	if all {
		c.All = true
		return c, true
	}
	for p, e := range names {
		if !skips(p) {
			c.Events = append(c.Events, e)
		}
	}
	for dir := range subtrees {
		if !skips(dir) {
			c.Subtrees = append(c.Subtrees, dir)
		}
	}
	slices.SortFunc(c.Events, func(a, b Event) int { return a.Path.Compare(b.Path) })
	slices.SortFunc(c.Subtrees, relpath.Path.Compare)
	return c, len(c.Events)+len(c.Subtrees) > 0
}

// pause is how long changes are collected after a batch was given away. The
// first change after rest never waits.
const pause = 5 * time.Millisecond

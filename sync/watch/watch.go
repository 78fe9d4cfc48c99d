// Package watch tells which names of a folder may have changed. It is a hint
// for when to scan; the scan is the truth.
package watch

import (
	"context"
	"time"

	"lanyard/sync/relpath"
)

// Change is a set of names that may have changed since the last Change.
type Change struct {
	// Events holds what happened to single names.
	Events []Event
	// Subtrees are directories below which anything may have changed.
	Subtrees []relpath.Path
	// Gone are directories in which names were seen to go that are too many to
	// be told one by one.
	Gone []relpath.Path
	// All means that anything in the folder may have changed (an overflow).
	All bool
}

// Event is one name that may have changed.
type Event struct {
	Path relpath.Path
	// Settled means that the file was renamed into place, so that nobody is
	// writing to it any more.
	Settled bool
	// Removed means that the name was seen to go.
	Removed bool
	Time    time.Time
}

// Watcher watches one folder. Constructors start nothing.
type Watcher interface {
	// Ready is closed when every directory that can be watched is: only then
	// may the initial scan start.
	Ready() <-chan struct{}
	// Run watches until ctx ends and gives each batch of changes to sink, which
	// must not block. It returns the cause of its end. A return before ctx ended
	// means that watching failed; the folder is then polled.
	Run(ctx context.Context, sink func(Change)) error
	// Unwatched lists subtrees that could not be watched (the limit was
	// reached) and must be polled.
	Unwatched() []relpath.Path
}

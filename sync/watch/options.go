package watch

import (
	"errors"
	"time"

	"lanyard/sync/relpath"
)

// Options of a Watcher. The zero value watches everything but the engine's own
// names.
type Options struct {
	// Skip reports whether a name is left alone together with everything below
	// it. It must be safe for concurrent use and keep its opinion: when the
	// rules change, make a new Watcher. The engine's own names (marker, version
	// store, temporary files) are always skipped, but for the ignore file, whose
	// changes are reported.
	Skip func(relpath.Path) bool
	// Poll is the pause between two reports of a back-end that polls; 30 s
	// where it is zero.
	Poll time.Duration
}

// defaultPoll is the pause of a back-end that polls.
const defaultPoll = 30 * time.Second

func (o Options) withDefaults() Options {
	if o.Skip == nil {
		o.Skip = func(relpath.Path) bool { return false }
	}
	if o.Poll <= 0 {
		o.Poll = defaultPoll
	}
	return o
}

// skips reports whether p is neither watched nor reported.
func (o Options) skips(p relpath.Path) bool {
	return own(p) || o.Skip(p)
}

// own reports whether p is one of the engine's names that say nothing about
// the folder's content or rules.
func own(p relpath.Path) bool {
	return p.Internal() && p.String() != relpath.IgnoreName
}

// Reasons why Run ends before its context does.
var (
	// ErrRootGone: the folder's root was removed, moved away, unmounted or
	// replaced. What was below it is not deleted.
	ErrRootGone = errors.New("the folder's root is not where it was")
	// ErrLimit: the system lets this user watch no more folders at all.
	ErrLimit = errors.New("the system's limit of watched folders is reached, raise fs.inotify.max_user_instances")
)

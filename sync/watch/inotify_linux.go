package watch

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"

	"lanyard/sync/relpath"
)

// New returns a Watcher of the directory root. It starts nothing.
//
// It is built on inotify, with one watch for each directory. Directories of
// other file systems mounted below root are not watched. Where the system
// grants no more watches, Unwatched names the subtrees without.
func New(root string, o Options) Watcher {
	return &inotify{
		root:    filepath.Clean(root),
		opts:    o.withDefaults(),
		ready:   make(chan struct{}),
		pending: newBatch(),
		add:     (*fsnotify.Watcher).Add,
	}
}

// inotify is the Watcher of Linux. Each session has three goroutines: one
// reads events and does nothing but fold them into pending (else the kernel's
// queue overflows), one keeps the watches, and Run's own gives batches away. Run is not called
// twice at once.
type inotify struct {
	root    string
	opts    Options
	ready   chan struct{} // closed when the first session watches everything
	pending *batch
	add     func(*fsnotify.Watcher, string) error // a test may grant fewer watches

	mu        sync.Mutex
	unwatched map[relpath.Path]bool
}

var errOverflow = errors.New("the queue of events overflowed")

func (w *inotify) Ready() <-chan struct{} { return w.ready }

// Run watches until ctx ends, or the root is gone (ErrRootGone), or no watch
// can be had at all (ErrLimit). After an overflow it starts over, because any
// directory may have come, gone or moved meanwhile.
func (w *inotify) Run(ctx context.Context, sink func(Change)) error {
	for {
		err := w.session(ctx, sink)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !errors.Is(err, errOverflow) {
			return fmt.Errorf("watch %s: %w", w.root, err)
		}
		w.pending.addAll()
	}
}

func (w *inotify) Unwatched() []relpath.Path {
	w.mu.Lock()
	defer w.mu.Unlock()
	var dirs []relpath.Path
	for dir := range w.unwatched {
		dirs = append(dirs, dir)
	}
	slices.SortFunc(dirs, relpath.Path.Compare)
	return dirs
}

// session watches with one inotify instance until something ends it.
func (w *inotify) session(parent context.Context, sink func(Change)) error {
	notify, err := fsnotify.NewWatcher()
	if errors.Is(err, syscall.EMFILE) {
		err = fmt.Errorf("%w: %w", ErrLimit, err)
	}
	if err != nil {
		return err
	}
	ctx, end := context.WithCancelCause(parent)
	k := newKeeper(w, notify)
	var tasks sync.WaitGroup
	tasks.Go(func() { end(k.read()) })
	tasks.Go(func() { end(k.run(ctx)) })
	w.deliver(ctx, sink)
	_ = notify.Close() // ends read; what it says about the descriptor helps nobody
	tasks.Wait()
	return context.Cause(ctx)
}

// deliver gives batches to sink until ctx ends.
func (w *inotify) deliver(ctx context.Context, sink func(Change)) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.pending.wake:
		}
		if c, ok := w.pending.take(w.opts.skips); ok {
			sink(c)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// setUnwatched notes whether the subtree at dir cannot be watched.
func (w *inotify) setUnwatched(dir relpath.Path, yes bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !yes {
		delete(w.unwatched, dir)
		return
	}
	if w.unwatched == nil {
		w.unwatched = map[relpath.Path]bool{}
	}
	w.unwatched[dir] = true
}

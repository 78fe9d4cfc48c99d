package watch

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"

	"lanyard/sync/relpath"
)

const (
	// settledAge: a name that appears with content older than this was written
	// elsewhere and renamed into place.
	settledAge = 50 * time.Millisecond
	// rootCheck is how often the root itself is looked at: inotify is silent
	// when it is unmounted, or removed while somebody holds it open.
	rootCheck = 10 * time.Second
	// listChunk bounds the entries of a directory in memory at once.
	listChunk = 4096
)

// keeper keeps a watch on every directory of one session.
type keeper struct {
	*inotify
	notify *fsnotify.Watcher
	tasks  *tasks
	rootID identity
	tree   dirTree // touched by run only
}

func newKeeper(w *inotify, notify *fsnotify.Watcher) *keeper {
	return &keeper{inotify: w, notify: notify, tasks: newTasks()}
}

// identity tells one directory from another at the same name.
type identity struct{ dev, inode uint64 }

func identify(info fs.FileInfo) identity {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return identity{st.Dev, st.Ino}
	}
	return identity{}
}

// read folds events until the watcher closes or something makes the session
// worthless.
func (k *keeper) read() error {
	wasRename := false
	row := row{}
	for {
		e, there := k.next()
		if !there && row.long() {
			<-time.After(rowPause) // the kernel keeps what comes meanwhile
		}
		if !there {
			var err error
			if e, err = k.await(); err != nil {
				return err
			}
		}
		if err := k.fold(e, wasRename); err != nil {
			return err
		}
		wasRename = e.Has(fsnotify.Rename)
		row.add(time.Now())
	}
}

// next gives the next event if it is there.
func (k *keeper) next() (e fsnotify.Event, there bool) {
	for range 4 {
		select {
		case e, there = <-k.notify.Events:
			return e, there
		default:
			runtime.Gosched() // for whoever reads events from the kernel
		}
	}
	return e, false
}

// await waits for the next event.
func (k *keeper) await() (fsnotify.Event, error) {
	select {
	case e, ok := <-k.notify.Events:
		if !ok {
			return e, fsnotify.ErrClosed
		}
		return e, nil
	case err, ok := <-k.notify.Errors:
		switch {
		case !ok:
			return fsnotify.Event{}, fsnotify.ErrClosed
		case errors.Is(err, fsnotify.ErrEventOverflow):
			return fsnotify.Event{}, errOverflow
		default:
			return fsnotify.Event{}, err
		}
	}
}

// row tells when events come one after the other, as when a tree is removed.
// To be woken for each of them costs more than to remove a file, and slows
// down whoever does; a single save is told at once.
type row struct {
	since time.Time
	count int
}

// A row is this many events within the pause that is then made between
// looking for them.
const (
	rowCount = 12
	rowPause = 5 * time.Millisecond
)

// add notes an event.
func (r *row) add(now time.Time) {
	if now.Sub(r.since) > 2*rowPause {
		r.since, r.count = now, 0
	}
	r.count++
}

// long reports whether the last events were a row.
func (r *row) long() bool { return r.count >= rowCount }

// fold notes one event. afterRename says that the event before it was the old
// half of a rename.
func (k *keeper) fold(e fsnotify.Event, afterRename bool) error {
	if e.Name == k.root {
		if e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename) {
			return ErrRootGone
		}
		return nil
	}
	p, ok := k.path(e.Name)
	if !ok || own(p) {
		return nil
	}
	now := time.Now()
	k.pending.add(p, what(e, afterRename), now)
	vanished := e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename)
	if (vanished || e.Has(fsnotify.Create)) && !k.tasks.put(task{p, vanished, now}) {
		return errOverflow
	}
	return nil
}

func what(e fsnotify.Event, afterRename bool) action {
	switch {
	case e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename):
		return removed
	case e.Has(fsnotify.Create) && afterRename:
		return placed
	case e.Has(fsnotify.Create):
		return created
	case e.Has(fsnotify.Write):
		return written
	}
	return touched
}

// path gives the name of an event. For one that is no relpath.Path it notes
// the nearest directory that is, and ok is false.
func (k *keeper) path(name string) (p relpath.Path, ok bool) {
	rel, ok := strings.CutPrefix(strings.TrimPrefix(name, k.root), "/")
	if !ok && k.root != "/" {
		return relpath.Path{}, false
	}
	p, err := relpath.Parse(rel)
	if err == nil {
		return p, true
	}
	for err != nil {
		i := strings.LastIndexByte(rel, '/')
		if i < 0 {
			k.pending.addSubtree(relpath.Root)
			return relpath.Path{}, false
		}
		rel = rel[:i]
		p, err = relpath.Parse(rel)
	}
	k.pending.addSubtree(p)
	return relpath.Path{}, false
}

func (k *keeper) abs(p relpath.Path) string { return filepath.Join(k.root, p.String()) }

// run watches everything, then keeps up with what comes, goes and moves.
func (k *keeper) run(ctx context.Context) error {
	info, err := os.Stat(k.root)
	if err != nil || !info.IsDir() {
		return errors.Join(ErrRootGone, err)
	}
	k.rootID = identify(info)
	k.forget(relpath.Root)
	k.watchTree(ctx, relpath.Root, false)
	k.complete()
	tick := time.NewTicker(rootCheck)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
			if info, err := os.Stat(k.root); err != nil || identify(info) != k.rootID {
				return errors.Join(ErrRootGone, err)
			}
		case <-k.tasks.wake:
			for _, t := range k.tasks.take() {
				k.do(ctx, t)
			}
		}
	}
}

// complete says that everything is watched. What changed while it was not is
// for the initial scan to find, or for another scan of everything.
func (k *keeper) complete() {
	select {
	case <-k.ready:
		k.pending.addAll()
	default:
		close(k.ready)
	}
}

func (k *keeper) do(ctx context.Context, t task) {
	if t.gone {
		k.drop(ctx, t.path)
		return
	}
	info, err := os.Lstat(k.abs(t.path))
	switch {
	case err != nil: // gone again: there is, or will be, an event for that
	case info.IsDir():
		k.watchTree(ctx, t.path, true)
	case info.Mode().IsRegular() && t.at.Sub(info.ModTime()) > settledAge:
		k.pending.add(t.path, placed, t.at)
	}
}

// drop ends the watches of a directory that went and of all below it: when it
// was renamed, they live on under their old names. The watches that are free
// then go to directories that had none.
func (k *keeper) drop(ctx context.Context, dir relpath.Path) {
	dropped := k.tree.cut(dir)
	for _, d := range dropped {
		_ = k.notify.Remove(k.abs(d)) // gone already where the kernel was first
	}
	k.forget(dir)
	if len(dropped) == 0 {
		return
	}
	for _, d := range k.Unwatched() {
		k.setUnwatched(d, false)
		k.watchTree(ctx, d, true)
	}
}

// forget takes what is under dir off the list of unwatched subtrees.
func (k *keeper) forget(dir relpath.Path) {
	for _, d := range k.Unwatched() {
		if d.Under(dir) {
			k.setUnwatched(d, false)
		}
	}
}

// watchTree watches a directory and all below it, and notes every name in it
// if report is set: whatever was made before the watch is in the listing, and
// whatever comes after is an event.
func (k *keeper) watchTree(ctx context.Context, top relpath.Path, report bool) {
	for stack := []relpath.Path{top}; len(stack) > 0 && ctx.Err() == nil; {
		dir := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if k.watchOne(dir) {
			stack = k.list(dir, stack, report)
		}
	}
}

// watchOne watches one directory, and reports whether it is to be listed.
func (k *keeper) watchOne(dir relpath.Path) bool {
	if !dir.IsRoot() {
		info, err := os.Lstat(k.abs(dir))
		if err != nil || !info.IsDir() || identify(info).dev != k.rootID.dev || k.opts.skips(dir) {
			return false
		}
	}
	err := k.add(k.notify, k.abs(dir))
	switch {
	case err == nil:
		k.tree.insert(dir)
		return true
	case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fsnotify.ErrClosed):
		k.setUnwatched(dir, true) // no more watches (ENOSPC), or no permission
	}
	return false
}

// list notes the names in a directory and appends its directories to stack.
func (k *keeper) list(dir relpath.Path, stack []relpath.Path, report bool) []relpath.Path {
	noFollow := syscall.O_NOFOLLOW
	if dir.IsRoot() {
		noFollow = 0 // a person may give a link as the folder
	}
	f, err := os.OpenFile(k.abs(dir), os.O_RDONLY|syscall.O_DIRECTORY|noFollow, 0)
	if err != nil {
		_ = k.notify.Remove(k.abs(dir)) // gone, or a link took its place
		k.tree.cut(dir)
		return stack
	}
	defer func() { _ = f.Close() }()
	for {
		entries, err := f.ReadDir(listChunk)
		for _, e := range entries {
			stack = k.entry(dir, e, stack, report)
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				k.pending.addSubtree(dir)
			}
			return stack
		}
	}
}

func (k *keeper) entry(dir relpath.Path, e os.DirEntry, stack []relpath.Path, report bool) []relpath.Path {
	p, err := dir.Join(e.Name())
	if err != nil {
		if report {
			k.pending.addSubtree(dir)
		}
		return stack
	}
	if own(p) {
		return stack
	}
	if report {
		k.pending.add(p, created, time.Now())
	}
	if e.IsDir() {
		stack = append(stack, p)
	}
	return stack
}

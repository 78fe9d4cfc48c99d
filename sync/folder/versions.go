package folder

import (
	"fmt"
	"io/fs"
	"time"

	"lanyard/sync/archive"
	"lanyard/sync/fault"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
)

// store gives the version store.
func (r *Runner) versions() (*archive.Store, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.fs == nil:
		return nil, fault.New(fault.Folder, "folder-missing", "the folder is not open")
	case r.archive == nil:
		return nil, fault.New(fault.Item, "", "this folder keeps no old versions")
	}
	return r.archive, nil
}

const codeArchiveFull fault.Code = "archive-full"

// pruned tells that versions went early, nil where none did.
func pruned(done archive.Pruned) error {
	if !done.Early {
		return nil
	}
	err := fault.New(fault.Folder, codeArchiveFull, "old versions went early for lack of space")
	return fault.With(err, "date", done.Since.UTC().Format(time.RFC3339))
}

// trustClock is how long the clock must have been steady before a version is
// over age by it. A clock that was set wrong, or that a computer without a
// battery starts with, is years ahead at times, and is mostly put right soon.
const trustClock = 30 * time.Minute

// prune removes versions that are too old or take too much space. It runs on
// the Disk turn, so that no pull relies on what it removes.
func (r *Runner) prune() {
	store, err := r.versions()
	if err != nil {
		return
	}
	r.lookAtClock()
	now := r.exec.Wall()
	if wait := trustClock - r.steady.steadyFor(r.exec.Now()); wait > 0 {
		now = time.Time{}
		r.pruneAfter(wait)
	}
	done, err := store.Prune(now)
	if err != nil {
		r.o.Log.Warn("prune versions", "error", err)
	}
	r.note(codeArchiveFull, pruned(done))
	if done.Early {
		r.o.Log.Info("versions went early for lack of space", "files", done.Files, "oldest_left", done.Since)
	}
}

// pruneAfter has prune run again, once.
func (r *Runner) pruneAfter(wait time.Duration) {
	if r.pruning {
		return
	}
	r.pruning = true
	r.exec.After(wait, func() {
		r.disk.Post(func() {
			r.pruning = false
			r.prune()
		})
	})
}

// Versions gives a part of the stored versions of a name, newest first.
func (r *Runner) Versions(p relpath.Path, w status.Window) (status.StoredVersions, error) {
	out := status.StoredVersions{Versions: []status.StoredVersion{}}
	store, err := r.versions()
	if err != nil {
		return out, err
	}
	found, total, err := store.Part(p, w.From, w.Most)
	if err != nil {
		return out, err
	}
	out.Total = total
	for _, v := range found {
		out.Versions = append(out.Versions, status.StoredVersion{
			Path: p.String(), Time: v.Time.UTC(), Modified: time.Unix(0, v.Info.Mtime).UTC(),
			Bytes: v.Info.Size, Store: v.Store.String(),
		})
	}
	return out, nil
}

// Restore copies a stored version, the newest where at is zero, to a name, its
// own where to is the root, and gives that name. What stands there becomes a
// version itself. It waits for its turn on the disk.
func (r *Runner) Restore(p relpath.Path, at time.Time, to relpath.Path) (relpath.Path, error) {
	store, err := r.versions()
	if err != nil {
		return relpath.Root, err
	}
	if to.IsRoot() {
		to = p
	}
	done := make(chan error, 1)
	ok := r.disk.Post(func() { done <- r.restore(store, p, at, to) })
	if !ok {
		return relpath.Root, errStopped
	}
	select {
	case err := <-done:
		return to, err
	case <-r.ctx.Done():
		return relpath.Root, errStopped
	}
}

func (r *Runner) restore(store *archive.Store, p relpath.Path, at time.Time, to relpath.Path) error {
	if err := r.prove(); err != nil {
		return err
	}
	if at.IsZero() {
		found, err := store.List(p)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return fmt.Errorf("restore %s: no old version is stored: %w", p, fs.ErrNotExist)
		}
		at = found[0].Time
	}
	return store.Restore(p, at, to, r.exec.Wall())
}

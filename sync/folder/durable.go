package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"time"

	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
)

// Whoever saves a file rarely makes it durable. If it were announced like
// that, a power cut could leave an empty file here, which the next scan would
// take for a newer version and give to everyone. So a file is made durable
// before it is recorded, unless it is so old that the system has written it.
const writtenBack = 2 * time.Minute

// flushAllFrom is how many files make it worth asking for everything at once.
const flushAllFrom = 16

// flusher is a file system that can make all that was written to it durable at
// once; done is false where it cannot.
type flusher interface {
	SyncAll() (done bool, err error)
}

// harden makes what records describe durable: the bytes of files, that names
// are there, and that names are gone. It runs on the Disk turn.
func (r *Runner) harden(f fsys.FS, recs []index.Record) error {
	now := r.exec.Now()
	fresh := func(times ...int64) bool {
		t := slices.Max(times)
		return t > r.durable.UnixNano() && now.Sub(time.Unix(0, t)) < writtenBack
	}
	var files, dirs []relpath.Path
	looked := map[relpath.Path]bool{}
	for i := range recs {
		rec := &recs[i]
		if rec.IsFile() && fresh(rec.Stamp.Ctime, rec.Stamp.Mtime) {
			files = append(files, rec.Name)
		}
		for dir := rec.Name; !dir.IsRoot(); {
			if dir = dir.Dir(); looked[dir] {
				break
			}
			looked[dir] = true
			info, err := f.Lstat(dir)
			if err == nil && info.Kind == fsys.Directory && fresh(info.Ctime, info.Mtime) {
				dirs = append(dirs, dir)
			}
		}
	}
	if len(files)+len(dirs) >= flushAllFrom {
		if all, ok := f.(flusher); ok {
			if done, err := all.SyncAll(); done || err != nil {
				r.durable = now.Add(-time.Second) // the disk's clock may lag
				return err
			}
		}
	}
	if err := syncEach(f, files); err != nil {
		return fmt.Errorf("make saved files durable: %w", err)
	}
	if len(dirs) == 0 {
		return nil
	}
	return f.SyncDirs(dirs)
}

// syncEach makes some files durable. One that is gone meanwhile is left to the
// next scan.
func syncEach(f fsys.FS, names []relpath.Path) error {
	files := make([]fsys.File, 0, len(names))
	defer func() {
		for _, file := range files {
			file.Close()
		}
	}()
	for _, p := range names {
		file, err := f.Open(p)
		switch {
		case err == nil:
			files = append(files, file)
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, fsys.ErrNotRegular), errors.Is(err, fsys.ErrNotDirectory):
		default:
			return err
		}
	}
	if len(files) == 0 {
		return nil
	}
	return f.SyncFiles(files)
}

// Keys of what the index remembers of the last run: whether it ended in good
// order, and when it was last known to be alive (unix seconds).
const (
	metaRunning = "running"
	metaAlive   = "alive"
)

// doubtful is how long before its last sign of life a run that did not end in
// good order may have lost what programs wrote. A file that was overwritten in
// place may then hold other bytes under the times that the index knows.
const doubtful = 10 * time.Minute

// beginRun finds out how the last run ended, and notes that one is on its way.
func (r *Runner) beginRun() error {
	if r.begun.Load() {
		return nil
	}
	running, err := r.o.Index.Meta(metaRunning)
	if err != nil {
		return err
	}
	if running == "" || running == "no" {
		r.trusted.Store(true)
	} else {
		alive, err := r.o.Index.Meta(metaAlive)
		if err != nil {
			return err
		}
		if s, err := strconv.ParseInt(alive, 10, 64); err == nil {
			r.doubtFrom = time.Unix(s, 0).Add(-doubtful).UnixNano()
		}
	}
	if err := r.o.Index.SetMeta(metaRunning, "yes"); err != nil {
		return err
	}
	r.begun.Store(true)
	r.stillAlive()
	return nil
}

// endRun notes that the run ended in good order, unless what the last one left
// in doubt was not looked through.
func (r *Runner) endRun() {
	if !r.begun.Load() || !r.trusted.Load() {
		return
	}
	if err := r.o.Index.SetMeta(metaRunning, "no"); err != nil {
		r.o.Log.Warn("note the end of the run", "error", err)
	}
}

// doubt gives from when on stamps prove nothing: in the first full scan after
// a run that did not end in good order.
func (r *Runner) doubt() int64 {
	if r.trusted.Load() {
		return 0
	}
	return r.doubtFrom
}

// stillAlive notes the time, at most once a minute, but not while the end of
// the last run is in doubt.
func (r *Runner) stillAlive() {
	now := r.exec.Now()
	if !r.trusted.Load() || now.Sub(r.alive) < time.Minute {
		return
	}
	r.alive = now
	if err := r.o.Index.SetMeta(metaAlive, strconv.FormatInt(now.Unix(), 10)); err != nil {
		r.o.Log.Warn("note the time", "error", err)
	}
}

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

// steadyClock tells whether the computer's clock went on evenly of late. Once
// it was set, a file that was saved a moment before looks as if it were old, or
// one saved since as if it were older than that. The zero value has not looked
// yet and takes the clock for steady. It belongs to one goroutine at a time.
type steadyClock struct {
	now, wall time.Time // at the last look
	jump      time.Time // even time of the look that found a jump, zero for none
}

// clockSlack is by how much a clock may be adjusted between two looks and
// still count as steady.
const clockSlack = time.Second

// look takes the even time and the clock's. It tells whether the clock jumped
// since the last look, and whether it was steady for as long as it takes until
// what was saved is on the disk.
func (c *steadyClock) look(now, wall time.Time) (jumped, steady bool) {
	if !c.now.IsZero() && (wall.Sub(c.wall)-now.Sub(c.now)).Abs() > clockSlack {
		c.jump, jumped = now, true
	}
	c.now, c.wall = now, wall
	return jumped, c.jump.IsZero() || now.Sub(c.jump) >= writtenBack
}

// lookAtClock tells whether the computer's clock was steady of late. It runs on
// the Disk turn.
func (r *Runner) lookAtClock() bool {
	jumped, steady := r.steady.look(r.exec.Now(), r.exec.Wall())
	if jumped {
		r.durable = time.Time{}
	}
	return steady
}

// flusher is a file system that can make all that was written to it durable at
// once; done is false where it cannot.
type flusher interface {
	SyncAll() (done bool, err error)
}

// harden makes what records describe durable: the bytes of files, that names
// are there, and that names are gone. It runs on the Disk turn.
func (r *Runner) harden(f fsys.FS, recs []index.Record) error {
	now := r.exec.Wall()
	steady := r.lookAtClock()
	r.stillAlive(steady)
	fresh := func(times ...int64) bool {
		t := slices.Max(times)
		return (r.durable.IsZero() || t > r.durable.UnixNano()) && (!steady || now.Sub(time.Unix(0, t)) < writtenBack)
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
	r.stillAlive(true)
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
// the last run is in doubt, nor a later time while the clock is not steady:
// what was saved before it was set must stay in doubt if the power goes.
func (r *Runner) stillAlive(steady bool) {
	now := r.exec.Wall()
	if !r.trusted.Load() || now.Sub(r.alive).Abs() < time.Minute || !steady && now.After(r.alive) {
		return
	}
	r.alive = now
	if err := r.o.Index.SetMeta(metaAlive, strconv.FormatInt(now.Unix(), 10)); err != nil {
		r.o.Log.Warn("note the time", "error", err)
	}
}

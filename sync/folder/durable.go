package folder

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"time"

	"lanyard/sync/fault"
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
// one saved since as if it were older than that. What was done to the clock
// before the first look is not known, so it is not steady at first. It belongs
// to one goroutine at a time.
type steadyClock struct {
	first     time.Time // even time of the first look
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
	if c.first.IsZero() {
		c.first = now
	}
	c.now, c.wall = now, wall
	return jumped, c.steadyFor(now) >= writtenBack
}

// steadyFor tells for how long, by the even time, the clock is known to have
// been steady.
func (c *steadyClock) steadyFor(now time.Time) time.Duration {
	if c.first.IsZero() {
		return 0
	}
	if c.jump.After(c.first) {
		return now.Sub(c.jump)
	}
	return now.Sub(c.first)
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

// unwritten is what the disk failed to write of a file: as long as the file
// looks like that, nothing can make it durable. The system takes the bytes for
// written and would report the next attempt as a success, so there is none;
// only saving the file anew brings it to the disk.
type unwritten struct {
	stamp   index.Stamp
	content []byte // hash of the block list
}

// harden makes what records describe durable: the bytes of files, that names
// are there, and that names are gone. It gives the records that may be stored
// and announced, and the names to be scanned again; what the disk failed to
// write is in neither. It runs on the Disk turn.
func (r *Runner) harden(f fsys.FS, recs []index.Record) (good []index.Record, again []relpath.Path, err error) {
	files, dirs, unsure := r.fresh(f, recs, r.lookAtClock())
	if len(files)+len(dirs) >= flushAllFrom && !r.careful {
		if all, ok := f.(flusher); ok {
			now := r.exec.Wall()
			done, err := all.SyncAll()
			if done && err == nil {
				r.durable = now.Add(-time.Second) // the disk's clock may lag
				return r.withoutUnwritten(recs), nil, nil
			}
			// Where it failed, each file is asked itself: it may be another one's
			// bytes that were lost.
			r.careful = err != nil
		}
	}
	again, err = r.syncEach(f, files)
	if err != nil {
		return nil, nil, fmt.Errorf("make saved files durable: %w", err)
	}
	for i := range recs {
		if len(unsure) > 0 && under(recs[i].Name.Dir(), unsure) {
			again = append(again, recs[i].Name)
		}
	}
	if len(dirs) > 0 {
		if err := f.SyncDirs(dirs); err != nil {
			return nil, nil, err
		}
	}
	good = slices.DeleteFunc(r.withoutUnwritten(recs), func(rec index.Record) bool { return slices.Contains(again, rec.Name) })
	return good, again, nil
}

// fresh lists what may not be durable by itself: files, and the directories
// above whose names changed. Of those that are unsure nobody can say now. steady
// tells that the computer's clock was.
func (r *Runner) fresh(f fsys.FS, recs []index.Record, steady bool) (files []*index.Record, dirs []relpath.Path, unsure map[relpath.Path]bool) {
	now := r.exec.Wall()
	fresh := func(times ...int64) bool {
		t := slices.Max(times)
		return (r.durable.IsZero() || t > r.durable.UnixNano()) && (!steady || now.Sub(time.Unix(0, t)) < writtenBack)
	}
	looked := map[relpath.Path]bool{}
	for i := range recs {
		rec := &recs[i]
		if rec.IsFile() && fresh(rec.Stamp.Ctime, rec.Stamp.Mtime) {
			files = append(files, rec)
		}
		for dir := rec.Name; !dir.IsRoot(); {
			if dir = dir.Dir(); looked[dir] {
				break
			}
			looked[dir] = true
			info, err := f.Lstat(dir)
			switch {
			case errors.Is(err, fs.ErrNotExist), errors.Is(err, fsys.ErrNotDirectory):
				// It is gone, which is a change of the one above it.
			case err != nil:
				if unsure == nil {
					unsure = map[relpath.Path]bool{}
				}
				unsure[dir] = true
			case info.Kind == fsys.Directory && fresh(info.Ctime, info.Mtime):
				dirs = append(dirs, dir)
			}
		}
	}
	return files, dirs, unsure
}

// syncEach makes some files durable: together, or each by itself once the disk
// has failed, so that it is known which bytes were lost. again lists those that
// cannot be opened now.
func (r *Runner) syncEach(f fsys.FS, recs []*index.Record) (again []relpath.Path, err error) {
	group := len(recs)
	if r.careful {
		group = 1
	}
	for part := range slices.Chunk(recs, max(group, 1)) {
		names, err := r.syncTogether(f, part)
		if err != nil {
			return nil, err
		}
		again = append(again, names...)
	}
	return again, nil
}

func (r *Runner) syncTogether(f fsys.FS, recs []*index.Record) (again []relpath.Path, err error) {
	files := make([]fsys.File, 0, len(recs))
	defer func() {
		for _, file := range files {
			file.Close()
		}
	}()
	for _, rec := range recs {
		file, err := f.Open(rec.Name)
		switch {
		case err == nil:
			files = append(files, file)
		case fault.KindOf(err) == fault.Folder:
			return nil, err
		default:
			again = append(again, rec.Name)
		}
	}
	if len(files) == 0 {
		return again, nil
	}
	err = f.SyncFiles(files)
	switch {
	case err == nil:
	case !errors.Is(err, fsys.ErrIO) && !errors.Is(err, fsys.ErrNoSpace):
		return nil, err // nothing was tried
	default:
		r.careful = true
		r.o.Log.Warn("the disk failed to write what was saved; it waits until it is saved again", "files", len(files), "error", err)
		for _, rec := range recs {
			r.unwritten[rec.Name] = unwritten{rec.Stamp, rec.BlocksHash}
		}
	}
	return again, nil
}

// withoutUnwritten leaves out what the disk failed to write, and the deletion
// of files with the same content: that may be the other half of a rename.
func (r *Runner) withoutUnwritten(recs []index.Record) []index.Record {
	if len(r.unwritten) == 0 {
		return recs
	}
	good := make([]index.Record, 0, len(recs))
	for _, rec := range recs {
		u, held := r.unwritten[rec.Name]
		switch {
		case held && u.stamp == rec.Stamp:
			r.held = append(r.held, rec.Name)
			continue
		case held:
			delete(r.unwritten, rec.Name)
		case rec.Deleted && r.movedAway(rec.Name):
			continue
		}
		good = append(good, rec)
	}
	return good
}

// movedAway reports whether what our record says of a name is what the disk
// failed to write under another one.
func (r *Runner) movedAway(p relpath.Path) bool {
	old, ok, err := r.o.Index.Local(p)
	if err != nil || !ok || len(old.BlocksHash) == 0 {
		return false
	}
	for _, u := range r.unwritten {
		if bytes.Equal(u.content, old.BlocksHash) {
			return true
		}
	}
	return false
}

// errUnwritten is why a saved file stays here.
var errUnwritten = fault.New(fault.Item, codeDiskFailing, "the disk failed to store it; save it again")

// noteUnwritten shows what a scan left out because the disk failed to write it.
// It runs on the Disk turn, after all of the scan was stored.
func (r *Runner) noteUnwritten() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.held {
		r.fail(p, scanError{errUnwritten})
	}
	r.held = nil
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
		if err := r.doubtAll(); err != nil {
			return err
		}
		alive, err := r.o.Index.Meta(metaAlive)
		if err != nil {
			return err
		}
		if s, err := strconv.ParseInt(alive, 10, 64); err == nil {
			r.alive = time.Unix(s, 0)
			r.doubtFrom = r.alive.Add(-doubtful).UnixNano()
		}
	}
	if err := r.noteRun(running); err != nil {
		return err
	}
	r.begun.Store(true)
	r.stillAlive(true)
	return nil
}

// noteRun notes that a run is on its way, and in which boot of the computer,
// durably: nothing that a person saves from here on may be taken for what a run
// that ended in good order left. running is what was noted before.
func (r *Runner) noteRun(running string) error {
	boot, err := r.o.Index.Meta(metaBoot)
	if err != nil || running == "yes" && boot == r.o.Boot {
		return err
	}
	if boot != r.o.Boot {
		if err := r.o.Index.SetMeta(metaBoot, r.o.Boot); err != nil {
			return err
		}
	}
	if err := r.o.Index.SetMeta(metaRunning, "yes"); err != nil {
		return err
	}
	return r.o.Index.Barrier()
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

// keepDoubt marks the records of what the first full scan could not look at,
// where their stamps prove nothing: whenever it can be read, it is hashed. It
// runs on the Disk turn, before all else is trusted again.
func (r *Runner) keepDoubt(unseen []relpath.Path) error {
	from := r.doubt()
	if from == 0 {
		return nil
	}
	for _, p := range unseen {
		rec, ok, err := r.o.Index.Local(p)
		if err != nil {
			return err
		}
		if ok {
			if err := r.mark([]index.Record{rec}, from); err != nil {
				return err
			}
		}
		for after := p; ; {
			recs, err := r.o.Index.LocalRange(p, after, r.o.Index.Batch())
			if err != nil || len(recs) == 0 {
				if err != nil {
					return err
				}
				break
			}
			after = recs[len(recs)-1].Name
			if err := r.mark(recs, from); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Runner) mark(recs []index.Record, from int64) error {
	doubted := slices.DeleteFunc(recs, func(rec index.Record) bool { return !rec.Doubted(from) })
	for i := range doubted {
		doubted[i].Flags |= index.MustRescan
	}
	if len(doubted) == 0 {
		return nil
	}
	return r.o.Index.Restamp(doubted)
}

// signOfLife is due on the Disk turn before anything is recorded: the stamps of
// what is recorded must not be from before what is taken for doubtful, however
// the clock was set.
func (r *Runner) signOfLife() {
	r.lookAtClock()
	r.stillAlive(r.steady.steadyFor(r.exec.Now()) >= doubtful)
}

// proveAlive is prove for who is about to change the disk on the Disk turn. A round
// that was on its way when a device showed that something was lost ends here: what
// it would replace was not compared with what that device has.
func (r *Runner) proveAlive() error {
	r.signOfLife()
	if r.incomplete() {
		return errIncomplete
	}
	return r.prove()
}

// errIncomplete is why nothing is pulled now.
var errIncomplete = fault.New(fault.Retry, "", "the index lost something and is not whole yet")

// stillAlive notes the time, at most once a minute, but not a later one while
// the end of the last run is in doubt, nor until the clock has been steady for as
// long as what was saved is doubtful: what was saved before it was set must stay
// in doubt if the power goes.
func (r *Runner) stillAlive(steady bool) {
	now := r.exec.Wall()
	if now.Sub(r.alive).Abs() < time.Minute || now.After(r.alive) && !(steady && r.trusted.Load()) {
		return
	}
	r.alive = now
	if err := r.o.Index.SetMeta(metaAlive, strconv.FormatInt(now.Unix(), 10)); err != nil {
		r.o.Log.Warn("note the time", "error", err)
	}
}

package folder

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"math"
	"strconv"
	"time"

	"lanyard/sync/block"
	"lanyard/sync/fault"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/watch"
)

// A file that was overwritten in place just before the power went may hold other
// bytes under the times that it had before, however old those are: no stamp tells
// of it. So after a run that the computer itself ended, every file is read again,
// beside everything else and at a small part of the disk's time, and what does
// not hold what is recorded is marked to be scanned whatever its times say. How
// far that is stands in the index, and goes on after a restart
// (docs/decisions/0024-read-again-after-a-power-cut.md).

// codeReadAgain tells that files are read again.
const codeReadAgain fault.Code = "read-again"

// Keys of what the index remembers: the boot of the computer in which the last
// run began, and how far files are read again, empty where none are to be.
const (
	metaBoot   = "boot"
	metaReread = "reread"
)

// How politely files are read again. A step ends after so many bytes or files,
// and is followed by a rest of at least rereadPause and rereadRest times as long
// as it took: at most a fifth of the disk's time goes there.
const (
	rereadAfter = 30 * time.Second // after the first full scan
	rereadBytes = 8 << 20
	rereadFiles = 1000
	rereadPause = 100 * time.Millisecond
	rereadRest  = 4
	rereadSave  = 10 * time.Second // how often is noted how far it is
	rereadAgain = time.Minute      // until something that failed is tried again
	rereadPage  = 100
)

// rereadPlace is how far files were read again, as it stands in the index. The
// round goes by name, from the one after From to the end, and from the start
// through From: where the power goes again on its way, another whole round begins
// where this one was, so that no name is always left for the next time.
type rereadPlace struct {
	From    string `json:"from,omitempty"`
	At      string `json:"at,omitempty"` // the last that was read
	Wrapped bool   `json:"wrapped,omitempty"`
	Bytes   int64  `json:"bytes,omitempty"` // read so far
}

// doubtAll notes that every file is to be read again, unless the computer is the
// one, since its start, in which the last run was: then only the program ended, and
// what it and others wrote is there.
func (r *Runner) doubtAll() error {
	boot, err := r.o.Index.Meta(metaBoot)
	if err != nil || boot == r.o.Boot && boot != "" {
		return err
	}
	old, _, err := r.rereadPlace()
	if err != nil {
		return err
	}
	return r.saveReread(rereadPlace{From: old.At, At: old.At})
}

// rereadPlace reads how far files were read again; ok is false where none are
// to be.
func (r *Runner) rereadPlace() (p rereadPlace, ok bool, err error) {
	text, err := r.o.Index.Meta(metaReread)
	if err != nil || text == "" {
		return p, false, err
	}
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return rereadPlace{}, true, nil //nolint:nilerr // from the start, then
	}
	return p, true, nil
}

func (r *Runner) saveReread(p rereadPlace) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return r.o.Index.SetMeta(metaReread, string(text))
}

// reread goes on reading files again, once in the life of a Runner, where that is
// to be done. It runs after the first full scan.
func (r *Runner) reread() {
	place, ok, err := r.rereadPlace()
	if err != nil {
		r.o.Log.Warn("read how far files were read again", "error", err)
		return // the next full scan tries again
	}
	if !ok || r.rereads.Swap(true) {
		return
	}
	g := &reread{r: r, place: place, buf: make([]byte, 128<<10), saved: r.exec.Now()}
	g.tell()
	g.later(rereadAfter)
}

// reread reads files again, one step after the other.
type reread struct {
	r     *Runner
	place rereadPlace
	page  []index.Record
	block int // of page[0], that is read next
	buf   []byte
	saved time.Time // when the place was
}

func (g *reread) later(d time.Duration) { g.r.exec.After(d, g.step) }

// step reads some files.
func (g *reread) step() {
	if g.r.ctx.Err() != nil {
		return
	}
	began := g.r.exec.Now()
	done, suspect, err := g.some()
	rest := max(rereadPause, rereadRest*g.r.exec.Now().Sub(began))
	switch {
	case g.r.ctx.Err() != nil:
	case err != nil:
		g.r.o.Log.Debug("read files again", "error", err)
		g.later(rereadAgain)
	case suspect != nil:
		g.r.disk.Post(func() { g.mark(suspect, rest) })
	case done:
		g.end()
	default:
		g.save()
		g.tell()
		g.later(rest)
	}
}

// some reads as much as a step may. It ends at a file that does not hold what is
// recorded of it.
func (g *reread) some() (done bool, suspect *index.Record, err error) {
	f := g.r.root()
	if f == nil {
		return false, nil, errStopped
	}
	room := int64(rereadBytes)
	for files := 0; files < rereadFiles && room > 0 && g.r.ctx.Err() == nil; files++ {
		rec, err := g.next()
		if err != nil || rec == nil {
			return err == nil, nil, err
		}
		before := room
		whole, same, err := g.compare(f, rec, &room)
		g.place.Bytes += before - room
		switch {
		case err != nil:
			return false, nil, err
		case !same:
			return false, rec, nil
		case whole:
			g.passed()
		}
	}
	return false, nil, nil
}

// next gives the record whose file is to be read, nil at the end of the round.
func (g *reread) next() (*index.Record, error) {
	for len(g.page) == 0 {
		at, err := g.at()
		if err != nil {
			return nil, err
		}
		if g.page, err = g.r.o.Index.LocalRange(relpath.Root, at, rereadPage); err != nil {
			return nil, err
		}
		if len(g.page) > 0 {
			break
		}
		if g.place.Wrapped || g.place.From == "" {
			return nil, nil
		}
		g.place.Wrapped, g.place.At = true, ""
	}
	if rec := &g.page[0]; !g.place.Wrapped || rec.Name.String() <= g.place.From {
		return rec, nil
	}
	return nil, nil
}

// at gives the name after which the round goes on.
func (g *reread) at() (relpath.Path, error) {
	if g.place.At == "" {
		return relpath.Root, nil
	}
	return relpath.Parse(g.place.At)
}

// passed moves on to the next name.
func (g *reread) passed() {
	g.place.At = g.page[0].Name.String()
	g.page, g.block = g.page[1:], 0
}

// compare reads a file from where it was left, as far as room goes, and compares
// it with its record. What a scan finds by itself counts as the same; what cannot
// be read does not.
func (g *reread) compare(f fsys.FS, rec *index.Record, room *int64) (whole, same bool, err error) {
	if !rec.IsFile() || rec.Size == 0 || rec.Flags&(index.Ignored|index.Unsupported|index.MustRescan) != 0 {
		return true, true, nil
	}
	file, err := f.Open(rec.Name)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fsys.ErrNotRegular), errors.Is(err, fsys.ErrNotDirectory):
		return true, true, nil
	case errors.Is(err, fs.ErrClosed), fault.KindOf(err) == fault.Folder:
		return false, true, err
	case err != nil:
		return true, false, nil
	}
	defer file.Close() // only read from: nothing is lost with the error
	file.Uncached()
	look, err := file.Stat()
	if err != nil || index.StampOf(look) != rec.Stamp {
		return true, err == nil, nil //nolint:nilerr // the scan tells the error
	}
	for ; g.block < len(rec.Blocks); g.block++ {
		if *room <= 0 || g.r.ctx.Err() != nil {
			return false, true, nil
		}
		b := rec.Blocks[g.block]
		*room -= int64(b.Size)
		if sum, err := g.sum(file, b); err != nil || sum != b.Hash {
			return true, false, nil //nolint:nilerr // the scan tells the error
		}
	}
	return true, true, nil
}

func (g *reread) sum(file fsys.File, b block.Info) (sum block.Hash, err error) {
	h := sha256.New()
	n, err := io.CopyBuffer(struct{ io.Writer }{h}, io.NewSectionReader(file, b.Offset, int64(b.Size)), g.buf)
	if err == nil && n < int64(b.Size) {
		err = io.ErrUnexpectedEOF
	}
	h.Sum(sum[:0])
	return sum, err
}

// mark has a scan look at a file whatever its times say, if it is still the one
// that was read. It runs on the Disk turn.
func (g *reread) mark(rec *index.Record, rest time.Duration) {
	now, ok, err := g.r.o.Index.Local(rec.Name)
	if err == nil && ok && now.Sequence == rec.Sequence && now.Stamp == rec.Stamp {
		now.Flags |= index.MustRescan
		err = g.r.o.Index.Restamp([]index.Record{now})
		g.r.o.Log.Info("a file does not hold what was recorded, though its times say so", "name", rec.Name.String())
		g.r.Notice(watch.Change{Events: []watch.Event{{Path: rec.Name}}})
	}
	if err != nil {
		g.r.o.Log.Warn("mark a file to be read again", "error", err)
		g.later(rereadAgain)
		return
	}
	g.passed()
	g.later(rest)
}

// save notes how far it is, now and then.
func (g *reread) save() {
	if g.r.exec.Now().Sub(g.saved) < rereadSave {
		return
	}
	g.saved = g.r.exec.Now()
	if err := g.r.saveReread(g.place); err != nil {
		g.r.o.Log.Warn("note how far files were read again", "error", err)
	}
}

// end notes that the round is over.
func (g *reread) end() {
	if err := g.r.o.Index.SetMeta(metaReread, ""); err != nil {
		g.r.o.Log.Warn("note that files were read again", "error", err)
		g.later(rereadAgain)
		return
	}
	g.r.o.Log.Info("all files were read again after the computer stopped", "bytes", g.place.Bytes)
	g.r.note(codeReadAgain, nil)
}

// tell tells how far it is.
func (g *reread) tell() {
	percent := 0.0
	if c, err := g.r.o.Index.Counts(); err == nil && c.Local.Bytes > 0 {
		percent = math.Min(99, 100*float64(g.place.Bytes)/float64(c.Local.Bytes))
	}
	err := fault.New(fault.Retry, codeReadAgain, "the computer stopped without warning, files are read again, %d %% are done", int(percent))
	g.r.note(codeReadAgain, fault.With(err, "percent", strconv.Itoa(int(percent))))
}

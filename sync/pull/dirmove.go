package pull

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
)

// A directory that was renamed elsewhere arrives as new names and deletions,
// in this order and not all at once. Where everything that stands in a
// directory here is to be deleted, and is wanted just as it is under a new
// one, the directory is renamed, in one step.
//
// To notice that, a new directory whose first files stand here, under the same
// names in another directory, waits until that one's deletion has come, which
// is the last of them; and so do the deletions, for the content goes with them.
const (
	// The wait ends when there were no news for moveQuiet, or after moveLongest
	// in any case: then it was a copy.
	moveQuiet   = time.Second
	moveLongest = 30 * time.Second
	// maxMoves bounds how many directories wait or are renamed at a time. Beyond
	// that, names are dealt with one by one.
	maxMoves = 64
	// probes is how many files of a new directory are looked for here.
	probes = 4
)

// dirMove is a directory that may be renamed.
type dirMove struct {
	from, to relpath.Path
	ready    bool // its deletion is known
	running  bool // it is on the Disk turn
	over     bool // since this pass began, which knows its names as they were
}

// moves are the renames of directories of a round. They belong to the turn.
type moves struct {
	list []*dirMove
	// tried are the new names that are not looked at again; true stands for what
	// is below as well.
	tried   map[relpath.Path]bool
	running int
	page    []index.Needed // that is taken when none runs any more
	since   time.Time      // when the first of those that wait began to
	wake    func()         // cancels the timer
}

// find gives the rename that a wanted name is part of, nil where there is none.
func (m *moves) find(p relpath.Path) *dirMove {
	for _, d := range m.list {
		if p == d.to || p.Under(d.to) {
			return d
		}
	}
	return nil
}

// holdsOld reports whether a deletion waits for a rename: of what may be
// renamed, and of the directories around it.
func (m *moves) holdsOld(p relpath.Path) bool {
	return slices.ContainsFunc(m.list, func(d *dirMove) bool {
		return p == d.from || p.Under(d.from) || d.from.Under(p)
	})
}

// wasTried reports whether a new name is dealt with alone.
func (m *moves) wasTried(p relpath.Path) bool {
	_, tried := m.tried[p]
	for ; len(m.tried) > 0 && !tried && !p.IsRoot(); p = p.Dir() {
		tried = m.tried[p]
	}
	return tried
}

// waiting counts those that may still come.
func (m *moves) waiting() (n int) {
	for _, d := range m.list {
		if !d.over {
			n++
		}
	}
	return n
}

// end ends the wait for a rename, or the rename. From the next pass on, what
// is left to do under either name is done one name at a time.
func (m *moves) end(d *dirMove, below bool) {
	d.running, d.over = false, true
	if m.tried == nil {
		m.tried = map[relpath.Path]bool{}
	}
	m.tried[d.to] = below
}

// again begins another pass.
func (m *moves) again() {
	m.list = slices.DeleteFunc(m.list, func(d *dirMove) bool { return d.over })
}

// lookForMoves finds out which new directories of a page are renamed ones, and
// goes on with the page then.
func (r *round) lookForMoves(page []index.Needed) {
	var dirs []dirMove
	for i := range page {
		n := &page[i]
		if !n.Global.IsDirectory() || n.Global.Invalid || n.Local != nil && !n.Local.Deleted || r.moves.wasTried(n.Global.Name) {
			continue
		}
		d := r.moves.find(n.Global.Name)
		if d == nil {
			d = &dirMove{to: n.Global.Name}
		}
		if d.to == n.Global.Name && !d.running && !d.over {
			dirs = append(dirs, *d)
		}
	}
	if len(dirs) == 0 || r.o.Role == bep.SendOnly {
		r.takePage(page)
		return
	}
	r.reading = true
	r.w.prep.Go(func() {
		found, err := r.o.probe(page, dirs)
		r.w.turn.Post(func() {
			r.reading = false
			if err != nil {
				r.stop(err)
				return
			}
			for i := range found {
				r.noteMove(&found[i])
			}
			r.takePage(page)
		})
	})
}

// probe gives those of the directories that may be renamed ones. It runs on
// the prep pool. One below another goes along and is left out.
func (o *Options) probe(page []index.Needed, dirs []dirMove) (found []dirMove, err error) {
	for _, d := range dirs {
		if slices.ContainsFunc(found, func(above dirMove) bool { return d.to.Under(above.to) }) {
			continue
		}
		if d.from.IsRoot() {
			if d.from, err = o.oldName(page, d.to); err != nil {
				return nil, err
			}
		}
		if d.from.IsRoot() {
			continue
		}
		n, ok, err := o.Index.NeededOne(d.from)
		if err != nil {
			return nil, err
		}
		d.ready = ok && n.Global.Deleted
		found = append(found, d)
	}
	return found, nil
}

// oldName gives the directory in which the first files of a new one stand
// here, the root where there is none.
func (o *Options) oldName(page []index.Needed, to relpath.Path) (relpath.Path, error) {
	if _, err := o.FS.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		return relpath.Root, nil //nolint:nilerr // something is there: nothing can be renamed to it
	}
	first, _ := slices.BinarySearchFunc(page, to, func(n index.Needed, p relpath.Path) int { return n.Global.Name.Compare(p) })
	if last := &page[len(page)-1].Global; last.Name.Under(to) || last.Name == to {
		more, err := o.Index.Needed(last.Name, 4*probes) // the page ends amid it
		if err != nil {
			return relpath.Root, err
		}
		page = append(slices.Clone(page[first:]), more...)
		first = 0
	}
	tried := 0
	for i := first; i < len(page) && tried < probes && page[i].Global.Name.String() <= to.String()+"0"; i++ { // 0 follows the slash
		g := &page[i].Global
		if !g.Name.Under(to) || !g.IsFile() || g.Size == 0 {
			continue
		}
		tried++
		same, err := o.contentHere(g)
		if err != nil {
			return relpath.Root, err
		}
		for k := range same {
			dir, found := strings.CutSuffix(same[k].Name.String(), g.Name.String()[len(to.String()):])
			from, err := relpath.Parse(dir)
			if found && err == nil && from != to && !from.Under(to) && !to.Under(from) && !from.Internal() {
				return from, nil
			}
		}
	}
	return relpath.Root, nil
}

// noteMove begins a rename, or lets it wait.
func (r *round) noteMove(found *dirMove) {
	d := r.moves.find(found.to)
	switch {
	case r.stopped:
		return
	case d == nil:
		if r.moves.holdsOld(found.from) || r.moves.waiting() >= maxMoves {
			return
		}
		d = found
		if r.moves.waiting() == 0 {
			r.moves.since = r.o.Exec.Now()
		}
		r.moves.list = append(r.moves.list, d)
	case d.to != found.to || d.running || d.over: // things moved on meanwhile
		return
	}
	if found.ready {
		d.running = true
		r.moves.running++
		r.o.Disk.Post(func() {
			m, err := moveDirectory(r, d.from, d.to)
			r.w.turn.Post(func() { r.moved(d, m, err) })
		})
		return
	}
	r.awaitMoves()
}

// awaitMoves waits for more news.
func (r *round) awaitMoves() {
	if r.moves.wake != nil {
		r.moves.wake()
	}
	wait := min(moveQuiet, r.moves.since.Add(moveLongest).Sub(r.o.Exec.Now()))
	r.moves.wake = r.o.Exec.After(max(wait, 0), func() {
		r.w.turn.Post(func() {
			if r.w.round != r {
				return
			}
			for _, d := range r.moves.list {
				if !d.running && !d.over {
					r.moves.end(d, true)
					r.refresh = !r.stopped
				}
			}
			r.fill()
		})
	})
}

// moved takes the outcome of a rename. Whatever is left to do under either
// name is done by another pass.
func (r *round) moved(d *dirMove, m *movedTree, err error) {
	r.moves.running--
	r.result.Rescan = append(r.result.Rescan, m.rescans...)
	r.result.Changed += m.stored
	if err != nil {
		r.moves.end(d, true)
		r.stop(err)
		return
	}
	if m.early && !r.stopped {
		d.running = false
		r.awaitMoves()
	} else {
		r.moves.end(d, false)
		r.refresh = !r.stopped
	}
	if m.stored == 0 {
		r.o.Log.Debug("directory not renamed", "from", d.from.String(), "to", d.to.String(), "early", m.early, "reason", m.reason)
	}
	if r.moves.running > 0 || r.stopped {
		r.fill()
		return
	}
	page := r.moves.page
	r.moves.page = nil
	r.takePage(page)
}

package engine

import (
	"context"
	"fmt"
	"strings"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/folder"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
)

// A list has as many rows as a directory has names, and is asked for a few at a
// time, by their places. Where a place is in the index, no index tells: names
// stand in it by their bytes, and those below a name between its neighbours. So
// the names of a list are walked once, every so many of them marked, and a part
// is read from the mark before it. The marks hold until something changed, and
// a little longer: a part may then be off by what came and went.

const (
	// markEvery is how many rows lie between two marks.
	markEvery = 256
	// keptMarks is how many lists have their marks kept, those asked for last.
	keptMarks = 8
	// marksLast is the least time that marks are used for though something changed,
	// and marksShare how often that of making them.
	marksLast  = 2 * time.Second
	marksShare = 20
	// readLeast and readMost are how many names are read at once. What is below a
	// name that was passed was read in vain.
	readLeast = 64
	readMost  = 4096
)

// listKey tells one list from another.
type listKey struct {
	folder bep.FolderID
	needed bool // what is needed of all the folder
	held   bool // the deletions of others that wait for a person
	dir    relpath.Path
	find   string // as folded gives it
}

// marks are those of one list. They are not changed.
type marks struct {
	key   listKey
	at    []relpath.Path // where the rows 0, markEvery, 2*markEvery … are read from
	total int
	stamp string // of what they were made from
	made  time.Time
	took  time.Duration
}

// spot is a row: its name, and the place before it, with no row in between.
type spot struct {
	before, path relpath.Path
	name         string // in its list
}

// walk calls f with the rows of a list that come after a place, in order, until
// f returns false.
type walk func(after relpath.Path, f func(spot) bool) error

// spots gives a part of a list, and how many rows there are in all.
func (e *Engine) spots(key listKey, w status.Window, stamp string, rows walk) ([]spot, int, error) {
	m, err := e.marks(key, stamp, rows)
	if err != nil || w.From >= m.total {
		return nil, m.total, err
	}
	var out []spot
	skip := w.From % markEvery
	most := min(w.Most, m.total-w.From)
	err = rows(m.at[w.From/markEvery], func(s spot) bool {
		if skip > 0 {
			skip--
			return true
		}
		out = append(out, s)
		return len(out) < most
	})
	return out, m.total, err
}

// marks gives those of a list, made anew where they are too old.
func (e *Engine) marks(key listKey, stamp string, rows walk) (*marks, error) {
	now := e.now()
	e.mu.Lock()
	for i, m := range e.marked {
		if m.key == key && (m.stamp == stamp || now.Sub(m.made) < max(marksLast, marksShare*m.took)) {
			copy(e.marked[1:i+1], e.marked[:i]) // the one asked for last comes first
			e.marked[0] = m
			e.mu.Unlock()
			return m, nil
		}
	}
	e.mu.Unlock()
	m := &marks{key: key, stamp: stamp, made: now}
	err := rows(key.dir, func(s spot) bool {
		if m.total%markEvery == 0 {
			m.at = append(m.at, s.before)
		}
		m.total++
		return true
	})
	m.took = e.now().Sub(now)
	if err != nil {
		return m, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	kept := []*marks{m}
	for _, other := range e.marked {
		if other.key != key && len(kept) < keptMarks {
			kept = append(kept, other)
		}
	}
	e.marked = kept
	return m, nil
}

// stampOf tells one state of an index from another.
func stampOf(ix index.Folder) (string, error) {
	devices, err := ix.Remotes()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d %d", ix.IndexID(), ix.Sequence())
	for _, dev := range devices {
		state, err := ix.Remote(dev)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, " %s %d %d", dev.Short(), state.IndexID, state.MaxSequence)
	}
	return b.String(), nil
}

// stampWithHeld is another one as well once other deletions are held.
func stampWithHeld(ix index.Folder, r *folder.Runner) (string, error) {
	stamp, err := stampOf(ix)
	for _, h := range r.Held() {
		stamp += " " + h.Token
	}
	return stamp, err
}

// folded gives a text as it is compared where case does not matter.
func folded(s string) string { return strings.ToLower(relpath.Normal(strings.TrimSpace(s))) }

// namesIn walks the names that stand in a directory, or are to come to it, with
// find in them.
func namesIn(ctx context.Context, ix index.Folder, dir relpath.Path, find string) walk {
	return func(after relpath.Path, f func(spot) bool) error {
		limit := readLeast
		for {
			page, err := ix.Names(dir, after, limit)
			if err != nil || len(page) == 0 {
				return err
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			direct := false
			for _, p := range page {
				if p.Compare(after) <= 0 {
					direct = false
					continue // below a name that was passed
				}
				var name string
				if name, direct = childOf(dir, p); !direct {
					if after, err = beyond(dir, name); err != nil {
						return err
					}
					continue
				}
				before := after
				if after = p; strings.Contains(folded(name), find) && !f(spot{before, p, name}) {
					return nil
				}
			}
			if limit = readLeast; direct {
				limit = min(2*len(page), readMost)
			}
		}
	}
}

// neededIn walks what a folder needs, but for what is held.
func neededIn(ctx context.Context, ix index.Folder, r *folder.Runner) walk {
	holds := len(r.Held()) > 0
	return func(after relpath.Path, f func(spot) bool) error {
		for {
			page, err := ix.NeededNames(after, readMost)
			if err != nil || len(page) == 0 {
				return err
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			for _, p := range page {
				before := after
				if after = p; holds {
					if n, ok, err := ix.NeededOne(p); err != nil {
						return err
					} else if ok && r.Holds(&n) {
						continue
					}
				}
				if !f(spot{before, p, p.String()}) {
					return nil
				}
			}
		}
	}
}

// heldNames walks the files whose deletion by others waits for a person, with find
// in their paths.
func heldNames(ctx context.Context, ix index.Folder, r *folder.Runner, find string) walk {
	return func(after relpath.Path, f func(spot) bool) error {
		for {
			page, err := ix.Needed(after, markEvery)
			if err != nil || len(page) == 0 {
				return err
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			for i := range page {
				before, p := after, page[i].Global.Name
				after = p
				if heldFile(r, &page[i]) && strings.Contains(folded(p.String()), find) && !f(spot{before, p, p.String()}) {
					return nil
				}
			}
		}
	}
}

// heldFile reports whether a needed name is a file that another device deleted,
// which waits for a person.
func heldFile(r *folder.Runner, n *index.Needed) bool {
	return n.Local != nil && n.Local.IsFile() && r.Undecided(n)
}

// childOf gives the name in a directory that p is, or is below of; direct is
// whether it is that one itself.
func childOf(dir, p relpath.Path) (name string, direct bool) {
	rest := p.String()
	if !dir.IsRoot() {
		rest = strings.TrimPrefix(rest, dir.String()+"/")
	}
	name, _, below := strings.Cut(rest, "/")
	return name, !below
}

// past is a name after all that may stand in a directory, but for those that no
// file has.
const past = "/\U0010ffff"

// beyond gives the name after all that is below a name of a directory.
func beyond(dir relpath.Path, name string) (relpath.Path, error) {
	p, err := dir.Join(name)
	if err != nil {
		return p, err
	}
	return relpath.Parse(p.String() + past)
}

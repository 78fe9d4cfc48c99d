package engine

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/folder"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
)

// List gives a part of what a directory of a folder holds: what is here, and what
// is to come.
func (e *Engine) List(ctx context.Context, id bep.FolderID, dir relpath.Path, w status.Window) (status.Listing, error) {
	out := status.Listing{Files: []status.Listed{}}
	r, err := e.running(id)
	if err != nil {
		return out, err
	}
	f := e.folder(id)
	stamp, err := stampOf(f.index)
	if err != nil {
		return out, err
	}
	find := folded(w.Find)
	spots, total, err := e.spots(listKey{folder: id, dir: dir, find: find}, w, stamp, namesIn(ctx, f.index, dir, find))
	if out.Total = total; err != nil || len(spots) == 0 {
		return out, err
	}
	b := browsing{ctx: ctx, dir: dir, index: f.index, rows: map[string]*status.Listed{}}
	if err := b.here(spots); err != nil {
		return out, err
	}
	if err := b.coming(r); err != nil {
		return out, err
	}
	if err := b.going(spots, f.spec.Shared); err != nil {
		return out, err
	}
	b.failed(r.View())
	for _, s := range spots {
		row := b.rows[s.name]
		if row == nil {
			continue // gone meanwhile
		}
		if row.State == status.FileInSync && len(f.spec.Shared) == 0 {
			row.State = status.FileAlone
		}
		out.Files = append(out.Files, *row)
	}
	return out, nil
}

// browsing is one part of one listing.
type browsing struct {
	ctx   context.Context
	dir   relpath.Path
	index index.Folder
	rows  map[string]*status.Listed
	spans []span // in order
	below []span // of those, what directories hold
}

// span is a name, or all that is below one: what is there tells of its row.
type span struct {
	before    relpath.Path // where it is read from
	low, high string       // both belong to it
	row       *status.Listed
}

// here makes the rows, as they are here or are to come.
func (b *browsing) here(spots []spot) error {
	names := make([]relpath.Path, 0, len(spots))
	for _, s := range spots {
		names = append(names, s.path)
	}
	recs, err := b.index.Locals(names)
	if err != nil {
		return err
	}
	for i, s := range spots {
		var f *bep.FileInfo
		if recs[i] != nil && !recs[i].Deleted {
			f = &recs[i].FileInfo
		} else if g, _, ok, err := b.index.Global(s.path); err != nil {
			return err
		} else if !ok || g.Deleted {
			continue
		} else {
			f = &g
		}
		row := &status.Listed{Name: s.name, Kind: kindOf(f), Modified: time.Unix(0, f.ModUnixNano()).UTC(), State: status.FileInSync}
		if f.Type == bep.TypeFile {
			row.Bytes = f.Size
		}
		b.rows[s.name] = row
		name := s.path.String()
		b.spans = append(b.spans, span{s.before, name, name, row})
		if f.Type == bep.TypeDirectory {
			below := span{s.path, name + "/", name + past, row}
			if first, err := relpath.Parse(name + "/\x01"); err == nil {
				below.before = first // its neighbours stand between it and what it holds
			}
			b.spans, b.below = append(b.spans, below), append(b.below, below)
		}
	}
	for _, spans := range [][]span{b.spans, b.below} {
		slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.low, b.low) })
	}
	return nil
}

// markAtOnce is how many records are read at a time to mark rows.
const markAtOnce = 64

// found is a name with something to tell of it.
type found struct {
	path  relpath.Path
	state status.FileState
}

// mark goes through what read finds after a name, in order, and marks the rows of
// spans.
func (b *browsing) mark(spans []span, read func(after relpath.Path) ([]found, error)) error {
	after := relpath.Root
	for i := 0; i < len(spans); {
		if s := spans[i]; after.Compare(s.before) < 0 {
			after = s.before
		}
		page, err := read(after)
		if err != nil || len(page) == 0 {
			return err
		}
		if b.ctx.Err() != nil {
			return context.Cause(b.ctx)
		}
		for _, n := range page {
			after = n.path
			for i < len(spans) && spans[i].high < n.path.String() {
				i++
			}
			if i == len(spans) {
				return nil
			}
			s := spans[i]
			if n.path.String() < s.low {
				if n.path.Compare(s.before) < 0 {
					break // there is much between two of them
				}
				continue
			}
			s.row.State = worse(s.row.State, n.state)
			if i++; s.low != s.high {
				break // the first of what is below tells of it
			}
		}
	}
	return nil
}

// coming marks what others have newer.
func (b *browsing) coming(r *folder.Runner) error {
	return b.mark(b.spans, func(after relpath.Path) (out []found, err error) {
		page, err := b.index.Needed(after, markAtOnce)
		for i := range page {
			n := found{page[i].Global.Name, status.FileComing}
			if r.Holds(&page[i]) {
				n.state = status.FileHeld
			}
			out = append(out, n)
		}
		return out, err
	})
}

// going marks what devices lack.
func (b *browsing) going(spots []spot, shared []device.ID) error {
	var lacking []device.ID
	for _, dev := range shared {
		need, err := b.index.RemoteNeed(dev)
		if err != nil {
			return err
		}
		if need.Items > 0 {
			lacking = append(lacking, dev)
		}
	}
	if len(lacking) == 0 {
		return nil
	}
	for _, s := range spots {
		g, _, ok, err := b.index.Global(s.path)
		if err != nil {
			return err
		}
		row := b.rows[s.name]
		if row == nil || !ok || g.Deleted || g.Invalid {
			continue
		}
		have, err := b.index.Availability(s.path)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(lacking, func(dev device.ID) bool { return !slices.Contains(have, dev) }) {
			row.State = worse(row.State, status.FileGoing)
		}
	}
	for _, dev := range lacking {
		// One at a time: what comes after it is looked for in all there is.
		err := b.mark(b.below, func(after relpath.Path) (out []found, err error) {
			page, err := b.index.RemoteNeeded(dev, after, 1)
			for i := range page {
				out = append(out, found{page[i].Name, status.FileGoing})
			}
			return out, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *browsing) failed(v folder.View) {
	for p := range v.Failed {
		if p.Under(b.dir) && p != b.dir {
			name, _ := childOf(b.dir, p)
			if row := b.rows[name]; row != nil {
				row.State = worse(row.State, status.FileFailed)
			}
		}
	}
}

// weight orders states: what matters most is told of a directory.
var weight = map[status.FileState]int{status.FileFailed: 0, status.FileHeld: 1, status.FileComing: 2, status.FileGoing: 3, status.FileInSync: 4}

func worse(a, b status.FileState) status.FileState {
	if weight[b] < weight[a] {
		return b
	}
	return a
}

// Needed gives a part of what is still to come to a folder here, with whole paths
// for names, in their order. What is held is left out: it waits for a person.
func (e *Engine) Needed(ctx context.Context, id bep.FolderID, w status.Window) (status.Listing, error) {
	out := status.Listing{Files: []status.Listed{}}
	r, err := e.running(id)
	if err != nil {
		return out, err
	}
	failed := r.View().Failed
	ix := e.folder(id).index
	stamp, err := stampWithHeld(ix, r)
	if err != nil {
		return out, err
	}
	spots, total, err := e.spots(listKey{folder: id, needed: true}, w, stamp, neededIn(ctx, ix, r))
	if out.Total = total; err != nil {
		return out, err
	}
	for _, s := range spots {
		n, ok, err := ix.NeededOne(s.path)
		if err != nil {
			return out, err
		}
		if !ok {
			continue // it came meanwhile
		}
		g := &n.Global
		stood := bep.FileInfo{Type: g.Type}
		row := status.Listed{
			Name: s.name, Kind: kindOf(&stood), Modified: time.Unix(0, g.ModUnixNano()).UTC(), State: status.FileComing, Deleted: g.Deleted,
		}
		if g.Type == bep.TypeFile && !g.Deleted {
			row.Bytes = g.Size
		}
		if failed[s.path] != nil {
			row.State = status.FileFailed
		}
		out.Files = append(out.Files, row)
	}
	return out, nil
}

// part gives a window of a list.
func part[T any](list []T, w status.Window) []T {
	from := min(w.From, len(list))
	return list[from:min(from+w.Most, len(list))]
}

// holding gives those of names that have a text in their last part.
func holding(names []relpath.Path, find string) []relpath.Path {
	if find = folded(find); find == "" {
		return names
	}
	return slices.DeleteFunc(slices.Clone(names), func(p relpath.Path) bool { return !strings.Contains(folded(p.String()), find) })
}

package engine

import (
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

const (
	// listedAtOnce is how many names a part of a listing has.
	listedAtOnce = 2000
	// readAtOnce is how many records are read at a time.
	readAtOnce = 500
)

// past is a name after all that may stand in a directory, but for those that no
// file has.
const past = "/\U0010ffff"

// List gives a part of what a directory of a folder holds: what is here, and what
// is to come. after is where it begins, as the part before says.
func (e *Engine) List(ctx context.Context, id bep.FolderID, dir relpath.Path, after string) (status.Listing, error) {
	return e.list(ctx, id, dir, after, listedAtOnce)
}

func (e *Engine) list(ctx context.Context, id bep.FolderID, dir relpath.Path, after string, most int) (status.Listing, error) {
	out := status.Listing{Files: []status.Listed{}}
	r, err := e.running(id)
	if err != nil {
		return out, err
	}
	from := dir
	if after != "" {
		if from, err = relpath.Parse(after); err != nil {
			return out, err
		}
	}
	f := e.folder(id)
	b := browsing{ctx: ctx, dir: dir, from: from, most: most, index: f.index, rows: map[string]*status.Listed{}}
	if err := b.here(); err != nil {
		return out, err
	}
	if err := b.coming(r); err != nil {
		return out, err
	}
	for _, dev := range f.spec.Shared {
		if err := b.going(dev); err != nil {
			return out, err
		}
	}
	b.failed(r.View())
	for _, row := range b.rows {
		if row.State == status.FileInSync && len(f.spec.Shared) == 0 {
			row.State = status.FileAlone
		}
		out.Files = append(out.Files, *row)
	}
	slices.SortFunc(out.Files, func(a, b status.Listed) int { return strings.Compare(a.Name, b.Name) })
	out.Next = b.to
	return out, nil
}

// browsing is one part of one listing: the names between from and to, which is
// empty where there is no end.
type browsing struct {
	ctx   context.Context
	dir   relpath.Path
	from  relpath.Path
	to    string
	most  int // names in a part
	index index.Folder
	rows  map[string]*status.Listed
}

// child gives the name in the directory that p is, or is below of; direct is
// whether it is that one itself.
func (b *browsing) child(p relpath.Path) (name string, direct, ok bool) {
	rest := p.String()
	if !b.dir.IsRoot() {
		if rest, ok = strings.CutPrefix(rest, b.dir.String()+"/"); !ok {
			return "", false, false
		}
	}
	name, _, below := strings.Cut(rest, "/")
	return name, !below, name != ""
}

// beyond gives the name after all that is below a name of the directory.
func (b *browsing) beyond(name string) (relpath.Path, error) {
	p, err := b.dir.Join(name)
	if err != nil {
		return p, err
	}
	return relpath.Parse(p.String() + past)
}

// walk calls f with each name of the pages that read gives, up to the end of the
// part. What is below a name of the directory is given once, and then passed over.
func (b *browsing) walk(read func(after relpath.Path) ([]relpath.Path, error), f func(i int, name string, direct bool)) error {
	after := b.from
	for {
		page, err := read(after)
		if err != nil || len(page) == 0 {
			return err
		}
		if b.ctx.Err() != nil {
			return context.Cause(b.ctx)
		}
		for i, p := range page {
			name, direct, ok := b.child(p)
			if !ok {
				return nil
			}
			// What is below a name belongs to the part that the name is in.
			if at := strings.TrimPrefix(b.dir.String()+"/"+name, "/"); b.to != "" && at > b.to {
				return nil
			}
			f(i, name, direct)
			after = p
			if !direct {
				if after, err = b.beyond(name); err != nil {
					return err
				}
				break
			}
			if b.to == "" && len(b.rows) >= b.most {
				b.to = p.String()
				return nil
			}
		}
	}
}

// here lists what is on this device.
func (b *browsing) here() error {
	var page []index.Record
	return b.walk(func(after relpath.Path) (names []relpath.Path, err error) {
		page, err = b.index.LocalRange(b.dir, after, readAtOnce)
		for i := range page {
			names = append(names, page[i].Name)
		}
		return names, err
	}, func(i int, name string, direct bool) {
		if rec := &page[i]; direct && !rec.Deleted {
			b.row(name, &rec.FileInfo)
		}
	})
}

func (b *browsing) row(name string, f *bep.FileInfo) *status.Listed {
	row := b.rows[name]
	if row == nil {
		row = &status.Listed{Name: name, Kind: kindOf(f), Modified: time.Unix(0, f.ModUnixNano()).UTC(), State: status.FileInSync}
		if f.Type == bep.TypeFile {
			row.Bytes = f.Size
		}
		b.rows[name] = row
	}
	return row
}

// coming marks what others have newer, and lists what is not here yet.
func (b *browsing) coming(r *folder.Runner) error {
	var page []index.Needed
	return b.walk(func(after relpath.Path) (names []relpath.Path, err error) {
		page, err = b.index.Needed(b.start(after), readAtOnce)
		for i := range page {
			names = append(names, page[i].Global.Name)
		}
		return names, err
	}, func(i int, name string, direct bool) {
		n := &page[i]
		state := status.FileComing
		if r.Holds(n) {
			state = status.FileHeld
		}
		if direct && !n.Global.Deleted {
			b.row(name, &n.Global)
		}
		b.mark(name, state)
	})
}

// going marks what a device lacks.
func (b *browsing) going(dev device.ID) error {
	var page []bep.FileInfo
	return b.walk(func(after relpath.Path) (names []relpath.Path, err error) {
		page, err = b.index.RemoteNeeded(dev, b.start(after), readAtOnce)
		for i := range page {
			names = append(names, page[i].Name)
		}
		return names, err
	}, func(_ int, name string, _ bool) { b.mark(name, status.FileGoing) })
}

// start is where lists begin that are of the whole folder: a directory is not in
// itself.
func (b *browsing) start(after relpath.Path) relpath.Path {
	if after != b.dir || after.IsRoot() {
		return after
	}
	p, err := relpath.Parse(b.dir.String() + "/\x01")
	if err != nil {
		return after
	}
	return p
}

func (b *browsing) failed(v folder.View) {
	for p := range v.Failed {
		if name, _, ok := b.child(p); ok {
			b.mark(name, status.FileFailed)
		}
	}
}

// weight orders states: what matters most is told of a directory.
var weight = map[status.FileState]int{status.FileFailed: 0, status.FileHeld: 1, status.FileComing: 2, status.FileGoing: 3, status.FileInSync: 4}

func (b *browsing) mark(name string, state status.FileState) {
	if row := b.rows[name]; row != nil && weight[state] < weight[row.State] {
		row.State = state
	}
}

package pull

import (
	"errors"
	"fmt"
	"slices"

	"lanyard/sync/bep"
	"lanyard/sync/fault"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/plan"
	"lanyard/sync/relpath"
)

// maxMovedBlocks bounds what is remembered of the files of one directory,
// besides Options.MaxMoved.
const maxMovedBlocks = 200_000

// movedTree is a directory that is renamed, with all in it, and what came of
// it.
type movedTree struct {
	o       *Options
	entries []*movedEntry          // in name order
	at      map[string]*movedEntry // by the name below the directory
	blocks  int

	early   bool  // more has to be known first
	reason  error // why it was not renamed
	stored  int   // names that were recorded
	rescans []relpath.Path
}

// movedEntry is one name that goes along.
type movedEntry struct {
	rec  index.Record // what stands under the old name
	gone bep.FileInfo // what the old name is to be
	want bep.FileInfo // what the new name is to be
	look fsys.Info
}

// moveDirectory renames a directory if everything in it goes along rightly,
// makes that durable and records it. It runs on the folder's Disk turn. The
// error is one of the whole folder.
//
// The disk is listed immediately before: whatever stands in the directory must
// be an entry that was planned with, unchanged. What is ignored, new or
// otherwise unknown would be moved to a place that nobody chose for it, so it
// keeps the directory where it is. The disk is listed once more immediately
// after: if a person did something in between, the directory goes back.
//
// A crash between the rename and the record leaves the new names on the disk.
// The next scan finds them to be what is wanted, and the old ones gone.
func moveDirectory(r *round, from, to relpath.Path) (*movedTree, error) {
	o := r.o
	m := &movedTree{o: o, at: map[string]*movedEntry{}}
	if err := o.Prove(); err != nil {
		return m, err
	}
	if ok, err := m.plan(from, to); err != nil || !ok {
		return m, err
	}
	if m.reason = m.unlike(from, m.asRecorded); m.reason != nil {
		return m, nil // whoever deals with it alone has it scanned
	}
	it := &item{r: r, want: &m.entries[0].want}
	m.reason = it.ensureParent()
	m.rescans = append(m.rescans, it.rescans...)
	if m.reason == nil {
		m.reason = o.FS.RenameNoReplace(from, to)
	}
	if m.reason != nil {
		return m, nil // parents that were made are needed by those who come one by one
	}
	if m.reason = m.unlike(to, asBefore); m.reason != nil {
		m.reason = errors.Join(m.reason, o.FS.RenameNoReplace(to, from))
		m.rescans = append(m.rescans, from, to)
		return m, nil
	}
	it.changed = append(it.changed, from.Dir(), to.Dir())
	if err := syncNames(o, []*item{it}, true); err != nil {
		m.reason = err
		m.rescans = append(m.rescans, from, to) // it is there and not recorded
		if fault.KindOf(localFault(err)) != fault.Folder {
			return m, nil
		}
		return m, err
	}
	records := o.told(m.records())
	if _, err := o.Index.Update(records); err != nil {
		m.rescans = append(m.rescans, from, to)
		return m, fmt.Errorf("record a renamed directory: %w", err)
	}
	m.stored = len(records)
	o.Did(m.deed(from.String(), to.String()))
	o.Stored()
	return m, nil
}

// plan finds out what a rename would do, and whether it is one by what is
// known: every entry of ours under from is to be deleted, and wanted under to
// as it is.
func (m *movedTree) plan(from, to relpath.Path) (bool, error) {
	top, ok, err := m.o.Index.Local(from)
	if err != nil || !ok || !top.IsDirectory() || top.Deleted {
		m.reason = errors.New("it is gone")
		return false, err
	}
	if ok, err := m.add(&top, from, to); err != nil || !ok {
		return false, err
	}
	for after := from; ; {
		page, err := m.o.Index.LocalRange(from, after, pageSize)
		if err != nil || len(page) == 0 {
			return !m.early, err
		}
		for i := range page {
			after = page[i].Name
			if page[i].Deleted || page[i].Flags&index.Ignored != 0 {
				continue // it says nothing of the disk, which is looked at later
			}
			if ok, err := m.add(&page[i], from, to); err != nil || !ok {
				return false, err
			}
		}
	}
}

// add takes an entry along, if it may be.
func (m *movedTree) add(rec *index.Record, from, to relpath.Path) (bool, error) {
	rest := rec.Name.String()[len(from.String()):]
	name, err := relpath.Parse(to.String() + rest)
	if err != nil {
		m.reason = err
		return false, nil
	}
	gone, goes, err := m.o.Index.NeededOne(rec.Name)
	if err != nil {
		return false, err
	}
	want, comes, err := m.o.Index.NeededOne(name)
	if err != nil {
		return false, err
	}
	m.blocks += len(rec.Blocks)
	switch {
	case rec.Flags&^index.Returned != 0 || goes && !m.o.mayGo(&gone.Global, rec) || comes && !m.o.fits(&want, rec):
		m.reason = fmt.Errorf("%s is no part of it", rec.Name)
	case len(m.entries) >= m.o.MaxMoved || m.blocks > maxMovedBlocks:
		m.reason = errors.New("it holds too much")
	case !goes || !comes:
		m.early = true
		return true, nil
	default:
		e := &movedEntry{rec: *rec, gone: gone.Global, want: want.Global}
		e.rec.Blocks, e.rec.Sums = nil, nil
		m.entries = append(m.entries, e)
		m.at[rest] = e
		return true, nil
	}
	m.early = false
	return false, nil
}

// mayGo reports whether what a record describes is to be deleted, and nobody
// would miss it.
func (o *Options) mayGo(global *bep.FileInfo, rec *index.Record) bool {
	d := plan.Decide(plan.Input{
		Want: global, Have: &rec.FileInfo, Disk: plan.AsRecorded, Role: o.Role, Ignored: o.Ignored(rec.Name),
	})
	return d.Do == plan.Delete && d.Keep != plan.KeepBoth
}

// fits reports whether a name that is free is to hold what a record describes,
// as it is.
func (o *Options) fits(n *index.Needed, rec *index.Record) bool {
	g := &n.Global
	free := n.Local == nil || n.Local.Deleted || n.Local.Flags&index.Ignored != 0
	d := plan.Decide(plan.Input{
		Want: g, Have: &rec.FileInfo, Disk: plan.AsRecorded, Role: o.Role, Ignored: o.Ignored(g.Name),
	})
	return free && d.Do == plan.Adopt && !g.Deleted && !g.Name.Internal()
}

// asRecorded looks at an entry before the rename.
func (m *movedTree) asRecorded(e *movedEntry, look fsys.Info) (bool, error) {
	e.look = look
	return matches(m.o.FS, &e.rec, look)
}

// asBefore compares an entry with the look before the rename.
func asBefore(e *movedEntry, look fsys.Info) (bool, error) { return sameLook(look, e.look), nil }

// unlike tells why what stands in a directory is not just what was planned
// with; nil where it is.
func (m *movedTree) unlike(dir relpath.Path, same func(*movedEntry, fsys.Info) (bool, error)) error {
	seen := 0
	look := func(p relpath.Path, info fsys.Info) error {
		e := m.at[p.String()[len(dir.String()):]]
		if e == nil {
			return fmt.Errorf("%s is not known", p)
		}
		seen++
		ok, err := same(e, info)
		if err == nil && !ok {
			err = fmt.Errorf("%s has changed", p)
		}
		return err
	}
	top, err := m.o.FS.Lstat(dir)
	if err == nil {
		err = look(dir, top)
	}
	if err == nil {
		err = m.walk(dir, look)
	}
	if err == nil && seen < len(m.entries) {
		err = errors.New("something is missing")
	}
	return err
}

// walk shows every entry below a directory, the directory before what is in
// it, until one is an error.
func (m *movedTree) walk(dir relpath.Path, visit func(relpath.Path, fsys.Info) error) error {
	entries, err := m.o.FS.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		p, err := dir.Join(e.Name)
		if err == nil {
			err = visit(p, e.Info)
		}
		if err == nil && e.Info.Kind == fsys.Directory {
			err = m.walk(p, visit)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// records gives what is true after the rename, the new names before the old
// ones, whose deletions go from the bottom up.
func (m *movedTree) records() []index.Record {
	recs := make([]index.Record, 0, 2*len(m.entries))
	for _, e := range m.entries {
		recs = append(recs, index.Record{FileInfo: e.want, Stamp: index.StampOf(e.look)})
	}
	for _, e := range slices.Backward(m.entries) {
		recs = append(recs, index.Record{FileInfo: e.gone})
	}
	return recs
}

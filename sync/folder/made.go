package folder

import (
	"bytes"
	"slices"

	"lanyard/sync/bep"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/scan"
	"lanyard/sync/vector"
)

// made is what this run of the program did to a name: which counters of ours
// were behind what it made, the first of them from before the run, and which it
// gave. A device that shows another one, above the first, knows of a change that
// was lost here, however late the counter is that was given since: who edits a
// file of yesterday after a restore does not replace that of today.
type made struct {
	known []uint64
	given []uint64
	// from is what there was before the run, or came from another device, without
	// its blocks; nil where that was nothing.
	from *bep.FileInfo
}

// maxMade bounds the names of which that is kept. Of others it is known by their
// content alone what they were made from.
const maxMade = 10_000

// oldOf gives what a batch was compared with, where there was anything.
func oldOf(batch []scan.Candidate) map[relpath.Path]*index.Record {
	old := make(map[relpath.Path]*index.Record, len(batch))
	for i := range batch {
		if batch[i].Old != nil {
			old[batch[i].Record.Name] = batch[i].Old
		}
	}
	return old
}

// noteMade keeps what new records were made from. It runs on the Disk turn.
func (r *Runner) noteMade(old map[relpath.Path]*index.Record, recs []index.Record) {
	self, run := uint64(r.o.Self.Short()), lastOf(r.o.Index.Runs())
	for i := range recs {
		before := old[recs[i].Name]
		if before == nil {
			continue // it was made from nothing that anybody could know of
		}
		m := r.made[recs[i].Name]
		if m == nil {
			if len(r.made) == maxMade {
				continue
			}
			m = &made{}
			if before.Sequence > run.After && before.ModifiedBy == r.o.Self.Short() && before.Flags&index.Returned == 0 {
				m.known, m.given = []uint64{0}, []uint64{before.Version.Get(self)} // it was new in this run
			} else {
				from := before.FileInfo
				from.Blocks, from.Sums, from.Platform = nil, nil, nil
				m.from = &from
			}
			r.made[recs[i].Name] = m
		}
		m.knows(before.Version.Get(self))
		m.given = append(m.given, recs[i].Version.Get(self))
	}
}

// noteMet keeps that what was made of names is from here on made in knowledge of
// versions. It runs on the Disk turn.
func (r *Runner) noteMet(met map[relpath.Path][]bep.FileInfo) {
	self := uint64(r.o.Self.Short())
	for name, versions := range met {
		m := r.made[name]
		for i := range versions {
			if m != nil {
				m.knows(versions[i].Version.Get(self))
			}
		}
	}
}

func (m *made) knows(counter uint64) {
	if !slices.Contains(m.known, counter) && !slices.Contains(m.given, counter) {
		m.known = append(m.known, counter)
	}
}

// beside gives a record of ours that was made without knowing versions of which
// it says otherwise one that stands beside them: versions that others hold, and
// lost ones that we had and that may stand nowhere any more. ok is false where it
// may stay as it is. met are the versions that the record stands beside: whatever is
// made of it once it is stored is made in knowledge of them. It runs on the Disk
// turn.
func (r *Runner) beside(rec index.Record, held, lost []bep.FileInfo) (out index.Record, ok bool, met []bep.FileInfo) {
	self := uint64(r.o.Self.Short())
	if rec.ModifiedBy != r.o.Self.Short() || rec.Invalid || rec.Flags&index.Returned != 0 {
		return rec, false, nil
	}
	versions := slices.Concat(held, lost)
	if rec.Deleted {
		if slices.ContainsFunc(versions, func(v bep.FileInfo) bool { return r.unseen(&rec, &v) }) {
			return scan.Yield(rec, r.o.Self.Short()), true, nil
		}
		return rec, false, nil
	}
	var least *bep.FileInfo // of those that hold something
	var gone *bep.FileInfo
	for i := range versions {
		v := &versions[i]
		switch {
		case !r.ignorant(&rec, v):
		case v.Deleted:
			gone = v
		case least == nil || v.Version.Get(self) < least.Version.Get(self):
			least = v
		}
	}
	if least == nil {
		least = gone
	}
	if least == nil {
		return rec, false, nil
	}
	m := r.made[rec.Name]
	if m != nil && m.touched(&rec) && slices.ContainsFunc(held, m.later) {
		rec = m.untouched(rec)
		r.resetMode(&rec)
		return rec, true, nil
	}
	return r.apart(rec, least), true, versions
}

// touched reports whether nothing of a file was changed but what a backup that
// is put back changes: its times and permissions.
func (m *made) touched(rec *index.Record) bool {
	return m.from != nil && m.from.IsFile() && rec.IsFile() && m.from.Size == rec.Size && len(rec.BlocksHash) > 0 &&
		bytes.Equal(m.from.BlocksHash, rec.BlocksHash)
}

// later reports whether a version replaces what there was before the run, and so
// what was only touched since.
func (m *made) later(v bep.FileInfo) bool {
	return !v.Invalid && vector.Compare(v.Version, m.from.Version) == vector.Greater
}

// untouched gives a record of a file that was only touched the version and the
// metadata that it had, so that it yields to a version that is later and that
// somebody holds. Without one the disk would go on showing something else than
// the devices that have that version.
func (m *made) untouched(rec index.Record) index.Record {
	f := m.from
	rec.Version, rec.ModifiedBy = f.Version, f.ModifiedBy
	rec.ModifiedS, rec.ModifiedNs = f.ModifiedS, f.ModifiedNs
	rec.Permissions, rec.NoPermissions = f.Permissions, f.NoPermissions
	return rec
}

// resetMode gives a file the permissions that its record says. Else the stamp would
// stand for them on a disk that shows others, as on one that cannot hold them, and
// whoever saves the file before it yields would announce them with it. What moved
// since it was recorded is left to the scan.
func (r *Runner) resetMode(rec *index.Record) {
	f, mode := r.root(), rec.Permissions&0o777
	if f == nil || rec.NoPermissions || rec.Stamp.Mode == mode {
		return
	}
	look, err := f.Lstat(rec.Name)
	if err != nil || index.StampOf(look) != rec.Stamp {
		return
	}
	if err = f.Chmod(rec.Name, mode); err == nil {
		look, err = f.Lstat(rec.Name)
	}
	if err != nil {
		r.o.Log.Warn("set permissions", "name", rec.Name.String(), "error", err)
		return
	}
	want := rec.Stamp
	want.Mode, want.Ctime = look.Mode, look.Ctime
	if index.StampOf(look) == want {
		rec.Stamp = want
	}
}

// unseen reports whether a version is one that nobody saw here who may have
// deleted the name: an index that went back takes for deleted what its disk does
// not have.
func (r *Runner) unseen(rec *index.Record, v *bep.FileInfo) bool {
	if v.Deleted || v.Invalid || len(v.Version) == 0 {
		return false
	}
	m := r.made[rec.Name]
	own := v.Version.Get(uint64(r.o.Self.Short()))
	switch {
	case m == nil:
		return true
	case m.from != nil && m.from.Version.Covers(v.Version):
		return false
	}
	return !rec.Version.Covers(v.Version) || !slices.Contains(m.given, own)
}

// ignorant reports whether a record claims to be after or before a version, or
// to be it, and was made without knowing it.
func (r *Runner) ignorant(rec *index.Record, v *bep.FileInfo) bool {
	self := uint64(r.o.Self.Short())
	own, other := rec.Version.Get(self), v.Version.Get(self)
	order := vector.Compare(rec.Version, v.Version)
	if other == 0 || v.Invalid || rec.SameContent(v) || order.Concurrent() ||
		!rec.Deleted && !v.Deleted && len(rec.BlocksHash) > 0 && bytes.Equal(rec.BlocksHash, v.BlocksHash) {
		return false
	}
	m := r.made[rec.Name]
	switch {
	case m != nil && !slices.Contains(m.given, own):
		return false // it came from another device since
	case order == vector.Equal:
		return true // one counter was given twice
	case other == own:
		return false // one of the two was made from the other
	case m == nil:
		return len(v.BlocksHash) == 0 || !bytes.Equal(v.BlocksHash, rec.PreviousBlocksHash)
	}
	return other > m.known[0] && !slices.Contains(m.known, other) && !slices.Contains(m.given, other)
}

package scan

import (
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/device"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/vector"
)

// A second write within one tick of a file system's clock may leave the times
// of a file as they are. Ticks are 10 ms at most where a disk keeps fractions
// of a second; where a time is a whole second, it may be a rounded one, by up
// to two (FAT).
const (
	fineTick   = 25 * time.Millisecond
	coarseTick = 2 * time.Second
)

// tickOf gives the tick that a time on disk may be subject to.
func tickOf(t int64) time.Duration {
	if t%int64(time.Second) == 0 {
		return coarseTick
	}
	return fineTick
}

// uninformed are the flags of a record that did not follow from what others
// had announced (BEP section 4.7).
const uninformed = index.Ignored | index.ReceiveOnly | index.Unsupported

// uninformed reports whether rec's version says nothing about what rec was
// made from, now that it is about to count again. A receive-only change in a
// folder that still only receives goes on being one.
func (o *Options) uninformed(rec *index.Record) bool {
	flags := rec.Flags & uninformed
	if o.receives() {
		flags &^= index.ReceiveOnly
	}
	return flags != 0
}

// unchanged reports whether the disk shows no difference to the record. It
// believes the stamp, which is what the disk itself gave back when the record
// was made: some disks round times and drop permission bits.
func (o *Options) unchanged(rec *index.Record, look fsys.Info) bool {
	switch {
	case rec.Deleted, o.uninformed(rec), rec.Type != typeOf(look.Kind):
		return false
	case rec.Type == bep.TypeDirectory:
		return o.sameMode(rec, look)
	case rec.Flags&index.MustRescan != 0:
		return false
	case rec.Doubted(o.Doubt):
		return false
	}
	return rec.Stamp != index.Stamp{} && rec.Stamp == index.StampOf(look)
}

// sameMode reports whether nobody changed the permission bits.
func (o *Options) sameMode(rec *index.Record, look fsys.Info) bool {
	return o.NoPermissions || rec.NoPermissions ||
		rec.Stamp != index.Stamp{} && rec.Stamp.Mode == look.Mode ||
		equalModes(rec.Permissions, look.Mode)
}

// sameTime reports whether nobody changed the modification time.
func sameTime(rec *index.Record, look fsys.Info) bool {
	return rec.Stamp != index.Stamp{} && rec.Stamp.Mtime == look.Mtime || rec.ModUnixNano() == look.Mtime
}

func typeOf(k fsys.Kind) bep.FileType {
	switch k {
	case fsys.Directory:
		return bep.TypeDirectory
	case fsys.Symlink:
		return bep.TypeSymlink
	}
	return bep.TypeFile
}

// finding is what an entry turned out to be: its content, and how it looked
// before and after it was read.
type finding struct {
	job
	bep.FileInfo // Name, Type and content only
	racy         bool
}

// candidate makes the record for a finding. global is the version of other
// devices that may be adopted, nil where there is none to consider; now is unix
// seconds. It gives nil where there is nothing to store.
//
//   - The content and metadata of our record: only the stamp is new.
//   - No record of ours that counts, and the content of the global version:
//     that version is ours too. It is adopted as it stands if permissions and
//     time agree as well; otherwise ours is the next version after it, with the
//     disk's permissions and time.
//   - Else: a new version after our own, and after a deletion by another device
//     that we know of: whoever makes a name anew means it to be there.
func (o *Options) candidate(f *finding, global *bep.FileInfo, now int64) *Candidate {
	old := f.old
	if old != nil && !old.Deleted && !o.uninformed(old) && old.SameContent(&f.FileInfo) && o.sameMeta(old, f.look) {
		return restamped(f)
	}
	if global != nil && global.SameContent(&f.FileInfo) && !global.Invalid && o.adoptable(old, global) {
		return o.adopted(f, global, now)
	}
	c := &Candidate{Old: old, Look: f.look, Record: o.described(f)}
	if old != nil && old.Deleted && len(old.Version) == 0 {
		now = max(now, old.ModifiedS+1) // see lose
	}
	var base vector.Vector
	if old != nil {
		base = old.Version
		if o.uninformed(old) {
			base = base.Only(uint64(o.Short))
		}
	}
	if global != nil && global.Deleted && (old == nil || old.Deleted) {
		base = vector.Merge(base, global.Version)
	}
	if global != nil {
		// What others have may be ours, from before we lost it.
		now = max(now, int64(global.Version.Get(uint64(o.Short)))+1)
	}
	o.setVersion(&c.Record, base, now)
	return c
}

// adoptable reports whether a version with the disk's content may be taken for
// ours: where our record says nothing of what the content was made from, or
// where the version knew of our record (it was pulled, and a crash came before
// it was recorded).
func (o *Options) adoptable(old *index.Record, global *bep.FileInfo) bool {
	return old == nil || old.Deleted || o.uninformed(old) || o.receives() || global.Version.Covers(old.Version)
}

func (o *Options) sameMeta(rec *index.Record, look fsys.Info) bool {
	switch rec.Type {
	case bep.TypeSymlink:
		return true
	case bep.TypeDirectory:
		return o.sameMode(rec, look)
	}
	return sameTime(rec, look) && o.sameMode(rec, look)
}

// restamped is the old record with a new stamp.
func restamped(f *finding) *Candidate {
	rec := *f.old
	rec.Stamp = index.StampOf(f.look)
	rec.Flags &^= index.MustRescan
	if f.racy {
		rec.Flags |= index.MustRescan
	}
	if rec.Stamp == f.old.Stamp && rec.Flags == f.old.Flags {
		return nil
	}
	rec.Sequence = 0
	return &Candidate{Record: rec, Old: f.old, Look: f.look, StampOnly: true}
}

// Verdict is what Adopt found out about a record.
type Verdict int

// The verdicts.
const (
	// Known: another device has just this version.
	Known Verdict = iota
	// Adopted: the record takes the place of the one that was given.
	Adopted
	// Unlike: no version of another device can be taken for the record's.
	Unlike
)

// Adopt looks at a record that was made without knowing what others have,
// global being the version of all devices and versions those of the others. A
// version with the content of it takes its place, unless that knows less
// than what the record was made from: what is equal was not changed here,
// whatever our own version says. A name that is deleted elsewhere stays ours.
func Adopt(o Options, rec index.Record, global *bep.FileInfo, versions []bep.FileInfo) (index.Record, Verdict) {
	o = o.withDefaults()
	known := slices.DeleteFunc(slices.Clone(rec.Version), func(c vector.Counter) bool { return c.ID == uint64(o.Short) })
	takes := !rec.Deleted && rec.Flags&(index.Ignored|index.Unsupported) == 0 && rec.Stamp != index.Stamp{} &&
		(global == nil || !global.Deleted)
	for i := range versions {
		v := &versions[i]
		same := v.SameContent(&rec.FileInfo)
		switch equal := vector.Compare(v.Version, rec.Version) == vector.Equal; {
		case equal && same:
			return rec, Known
		case !equal && same && takes && !v.Invalid && (o.receives() || v.Version.Covers(known)):
			return o.adoptFor(rec, v)
		}
	}
	return rec, Unlike
}

// Raise makes a record later than what others have of ours, where they hold
// versions with a later counter of this device than the record's, which it lost,
// or the same one, which it gave twice. ok is false where the record may stay.
func Raise(self device.ShortID, rec index.Record, versions []bep.FileInfo) (raised index.Record, ok bool) {
	var given uint64
	for i := range versions {
		given = max(given, versions[i].Version.Get(uint64(self)))
	}
	if own := rec.Version.Get(uint64(self)); own == 0 || own > given {
		return rec, false
	}
	rec.Version = rec.Version.Bump(uint64(self), int64(given)+1)
	rec.Flags &^= index.Returned
	return rec, true
}

// adoptFor gives the version of another device for the content of rec: as it
// stands if the disk shows its permissions and time, else the next one after it
// with those of rec.
func (o *Options) adoptFor(rec index.Record, v *bep.FileInfo) (index.Record, Verdict) {
	look := fsys.Info{Mtime: rec.Stamp.Mtime, Mode: rec.Stamp.Mode}
	if o.sameMeta(&index.Record{FileInfo: *v}, look) {
		return index.Record{FileInfo: *v, Flags: rec.Flags&index.MustRescan | o.returned(v), Stamp: rec.Stamp}, Adopted
	}
	if o.receives() {
		return rec, Unlike
	}
	rec.Platform, rec.BlocksHash, rec.PreviousBlocksHash = v.Platform, v.BlocksHash, v.PreviousBlocksHash
	o.setVersion(&rec, v.Version, o.Now().Unix())
	return rec, Adopted
}

// returned marks a version that another device gave back to who made it.
func (o *Options) returned(v *bep.FileInfo) index.Flags {
	if v.ModifiedBy == o.Short {
		return index.Returned
	}
	return 0
}

// adopted takes over a version of another device that has the same content.
func (o *Options) adopted(f *finding, global *bep.FileInfo, now int64) *Candidate {
	c := &Candidate{Old: f.old, Look: f.look}
	c.Record = index.Record{FileInfo: *global, Flags: o.returned(global), Stamp: index.StampOf(f.look)}
	c.Record.Sequence = 0
	asGlobal := c.Record
	asGlobal.Stamp = index.Stamp{} // the disk must show the global's own metadata
	if !o.sameMeta(&asGlobal, f.look) {
		platform, hash, previous, sums := global.Platform, global.BlocksHash, global.PreviousBlocksHash, global.Sums
		c.Record = o.described(f)
		c.Record.Platform, c.Record.BlocksHash, c.Record.PreviousBlocksHash, c.Record.Sums = platform, hash, previous, sums
		o.setVersion(&c.Record, global.Version, now)
	}
	if f.racy {
		c.Record.Flags |= index.MustRescan
	}
	return c
}

// described is the record of a finding without its version.
func (o *Options) described(f *finding) index.Record {
	r := index.Record{FileInfo: f.FileInfo, Stamp: index.StampOf(f.look)}
	r.ModifiedBy = o.Short
	if f.racy {
		r.Flags |= index.MustRescan
	}
	old := f.old
	alike := old != nil && !old.Deleted && old.Type == r.Type
	if alike {
		r.Platform = old.Platform
	}
	if r.Type == bep.TypeSymlink { // has neither time nor permissions
		r.NoPermissions = true
		return r
	}
	r.NoPermissions = o.NoPermissions
	r.SetModUnixNano(f.look.Mtime)
	var before uint32
	if alike {
		before = old.Permissions
		if sameTime(old, f.look) { // keeps digits that the disk cannot
			r.ModifiedS, r.ModifiedNs = old.ModifiedS, old.ModifiedNs
		}
	}
	r.Permissions = announcedMode(f.look.Mode, before)
	if alike && o.sameMode(old, f.look) && !old.NoPermissions {
		r.Permissions = before
	}
	if alike && r.Type == bep.TypeFile && !o.uninformed(old) {
		inherit(&r, old)
	}
	return r
}

// inherit notes what a file's content was made from.
func inherit(r, old *index.Record) {
	if old.SameContent(&r.FileInfo) {
		r.BlocksHash, r.PreviousBlocksHash, r.Sums = old.BlocksHash, old.PreviousBlocksHash, old.Sums
		return
	}
	r.PreviousBlocksHash = old.BlocksHash
}

// setVersion gives a changed record its version: the next after base, or in a
// folder that only receives none at all.
func (o *Options) setVersion(r *index.Record, base vector.Vector, now int64) {
	if o.receives() {
		r.Version = nil
		r.Flags |= index.ReceiveOnly
		return
	}
	next := max(now, int64(base.Get(uint64(o.Short)))+1)
	r.Version = base.Bump(uint64(o.Short), next+o.spread(r.Name))
}

// spread gives the seconds by which a name's counter is raised: see Run.
func (o *Options) spread(p relpath.Path) int64 {
	if o.Run == 0 {
		return 0
	}
	h := fnv.New64a()
	_, _ = fmt.Fprint(h, o.Run, p.String()) // never fails
	return int64(h.Sum64() >> 48)
}

// deleted makes the record of a name that is gone.
//
// A record that was ignored, or a receive-only change in a folder that now
// sends, is no proof that anybody wanted the name gone: its version is empty,
// so that the next pull brings what the others have.
func (o *Options) deleted(old *index.Record, now int64) *Candidate {
	r := index.Record{FileInfo: bep.FileInfo{
		Name: old.Name, Type: old.Type, Permissions: old.Permissions, NoPermissions: old.NoPermissions,
		Platform: old.Platform, Deleted: true, ModifiedS: now, ModifiedBy: o.Short,
	}}
	if o.uninformed(old) {
		o.lose(&r, old)
	} else {
		o.setVersion(&r, old.Version, now)
	}
	return &Candidate{Record: r, Old: old, Absent: true}
}

// lose makes a deletion one that every version of another device exceeds.
func (o *Options) lose(r, old *index.Record) {
	*r = Yield(*r, o.Short)
	r.Flags = 0
	r.ModifiedS = max(r.ModifiedS, int64(old.Version.Get(uint64(o.Short))))
}

// Yield gives a record that every version of another device exceeds. The time of
// a deletion is no less than the counter of self in its version, so that no other
// content of the name ever gets the number of one that others may have.
func Yield(r index.Record, self device.ShortID) index.Record {
	if r.Deleted {
		r.ModifiedS = max(r.ModifiedS, int64(r.Version.Get(uint64(self))))
	}
	r.Version, r.Sequence = nil, 0
	return r
}

// ignoredCandidate takes a record out of the sync without deleting anything:
// version kept, content cleared.
func ignoredCandidate(old *index.Record) *Candidate {
	r := *old
	r.Flags = index.Ignored
	r.Size, r.BlockSize, r.Blocks, r.BlocksHash, r.PreviousBlocksHash, r.Sums = 0, 0, nil, nil, nil, nil
	r.SymlinkTarget, r.Stamp, r.Sequence = "", index.Stamp{}, 0
	return &Candidate{Record: r, Old: old, Unseen: true}
}

// setBlocks gives a file finding its content.
func (f *finding) setBlocks(blocks []block.Info, blockSize int32) {
	f.Size, f.BlockSize, f.Blocks = f.look.Size, blockSize, blocks
	hash := block.ListHash(blocks)
	f.BlocksHash = hash[:]
}

package index

import (
	"math/bits"

	"lanyard/sync/bep"
	"lanyard/sync/vector"
)

// countKind is what a cell of a tally counts.
type countKind int

const (
	countFiles countKind = iota
	countDirs
	countLinks
	countDeleted
	countNeed       // slot 0: what we need, deletes included
	countNeedDelete // slot 0: deletes among it
	// countHave: valid global versions, not deleted, of which this remote
	// device announces exactly that version.
	countHave
	// countMustDelete: valid global deletes of which this remote device holds
	// a valid entry that is not deleted.
	countMustDelete
	countKinds
)

const (
	localSlot  = 0
	globalSlot = 63
	slotCount  = 64
)

// cell is a number of entries and the bytes of the files among them.
type cell struct{ n, bytes int64 }

// tally holds a folder's sums by slot and kind. It is a value: a transaction
// works on a copy.
type tally [slotCount][countKinds]cell

func (t *tally) add(slot int, kind countKind, sign int64, f *bep.FileInfo) {
	c := &t[slot][kind]
	c.n += sign
	c.bytes += sign * fileBytes(f)
}

func kindOf(f *bep.FileInfo) countKind {
	switch {
	case f.Deleted:
		return countDeleted
	case f.Type == bep.TypeDirectory:
		return countDirs
	case f.Type == bep.TypeSymlink:
		return countLinks
	}
	return countFiles
}

// addName adds, or with sign -1 takes away, what the rows of one name count
// for. The global one among them is marked.
func (t *tally) addName(rows []row, sign int64) {
	var global *row
	for i := range rows {
		r := &rows[i]
		if r.local() && !r.info.Invalid {
			t.add(localSlot, kindOf(&r.info), sign, &r.info)
		}
		if r.flags&rowGlobal != 0 {
			global = r
		}
	}
	if global == nil {
		return
	}
	g := &global.info
	if global.flags&rowNeed != 0 {
		t.add(localSlot, countNeed, sign, g)
		if g.Deleted {
			t.add(localSlot, countNeedDelete, sign, g)
		}
	}
	if g.Invalid {
		return
	}
	t.add(globalSlot, kindOf(g), sign, g)
	kind, mask := countHave, haveMask(rows, g)
	if g.Deleted {
		kind, mask = countMustDelete, liveMask(rows)
	}
	for mask &^= 1; mask != 0; mask &= mask - 1 {
		t.add(bits.TrailingZeros64(mask), kind, sign, g)
	}
}

// haveMask gives the devices that announce exactly g's version, valid or not.
func haveMask(rows []row, g *bep.FileInfo) uint64 {
	var mask uint64
	for i := range rows {
		if vector.Compare(rows[i].info.Version, g.Version) == vector.Equal {
			mask |= rows[i].devs
		}
	}
	return mask
}

// liveMask gives the devices with a valid entry that is not deleted.
func liveMask(rows []row) uint64 {
	var mask uint64
	for i := range rows {
		if !rows[i].info.Invalid && !rows[i].info.Deleted {
			mask |= rows[i].devs
		}
	}
	return mask
}

func (t *tally) counts() Counts {
	own := &t[localSlot]
	return Counts{
		Local:  t.count(localSlot),
		Global: t.count(globalSlot),
		Need:   NeedCount{Items: own[countNeed].n, Deletes: own[countNeedDelete].n, Bytes: own[countNeed].bytes},
	}
}

func (t *tally) count(slot int) Count {
	c := &t[slot]
	return Count{
		Files: c[countFiles].n, Dirs: c[countDirs].n, Links: c[countLinks].n, Deleted: c[countDeleted].n,
		Bytes: c[countFiles].bytes,
	}
}

// remoteNeed gives what the device in a slot lacks; slot -1 is a device of
// which nothing is known.
func (t *tally) remoteNeed(slot int) NeedCount {
	g := t.count(globalSlot)
	need := NeedCount{Items: g.Files + g.Dirs + g.Links, Bytes: g.Bytes}
	if slot < 0 {
		return need
	}
	have, del := t[slot][countHave], t[slot][countMustDelete]
	need.Items += del.n - have.n
	need.Bytes -= have.bytes
	need.Deletes = del.n
	return need
}

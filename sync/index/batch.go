package index

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"slices"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/plan"
	"lanyard/sync/vector"
)

// row is one row of rec while its name is being changed.
type row struct {
	id    int64 // 0: not stored yet
	vh    int64
	devs  uint64
	flags int64
	lseq  int64 // 0: none
	lists int64 // lh
	info  bep.FileInfo
	ident []byte
	rest  restFlags

	stored  storedRow // as in the database
	sum     uint32    // checksum of the body in the database
	newBody []byte    // nil: the body stays
}

// check gives the row's checksum as it is to be stored.
func (r *row) check() int64 {
	sum := r.sum
	if r.newBody != nil {
		sum = bodySum(r.newBody)
	}
	return rowCheck(r.vh, r.devs, r.flags, r.lseq, r.lists, sum)
}

type storedRow struct {
	devs  uint64
	flags int64
	lseq  int64
}

func (r *row) local() bool { return r.devs&1 != 0 }

// batch applies entries within one transaction. Everything that is derived
// (the global version, need, sums) is derived here and nowhere else. Its
// buffers are reused from name to name.
type batch struct {
	c     *conn
	tally tally
	seq   int64
	self  device.ShortID
	base  int64           // what is given stands after it
	place int64           // the sequence that the record being stored gets
	ranks *[slotCount]int // order of the slots' device IDs

	disputed map[string]bool // names whose rows contradict each other
	copied   map[string]bool // names that are conflict copies, or are not any more
	rows     []row
	bodies   []byte
	counters vector.Vector
	order    []int
	versions []plan.Version
	ident    []byte
	body     []byte
}

func newBatch(c *conn, x *facts, self device.ShortID) *batch {
	return &batch{c: c, self: self, tally: x.tally, seq: x.seq, base: x.runs.base(), ranks: x.devices.ranks()}
}

// applyLocal stores our record and gives it the next sequence.
func (b *batch) applyLocal(r *Record) error {
	f := r.FileInfo
	f.Invalid = r.Flags&hiding != 0
	e := makeEntry(b.ident[:0], &f, r)
	b.ident = e.ident
	b.noteCopy(r)
	b.seq = max(b.seq, b.base) + 1
	b.place = b.seq
	return b.apply(f.Name.String(), localSlot, &e)
}

// restamp stores what only we know of a record, in its place.
func (b *batch) restamp(r *Record) error {
	f := r.FileInfo
	f.Invalid = r.Flags&hiding != 0
	e := makeEntry(b.ident[:0], &f, r)
	b.ident = e.ident
	name := f.Name.String()
	b.noteCopy(r)
	if err := b.load(name); err != nil {
		return err
	}
	i := slices.IndexFunc(b.rows, func(r row) bool { return r.local() && string(r.ident) == string(e.ident) })
	if i < 0 {
		return errNotRestamped(name)
	}
	b.place = b.rows[i].lseq
	return b.apply(name, localSlot, &e)
}

// applyRemote stores an entry of the device in a slot.
func (b *batch) applyRemote(slot int, f *bep.FileInfo) error {
	e := makeEntry(b.ident[:0], f, nil)
	b.ident = e.ident
	name := f.Name.String()
	if err := b.apply(name, slot, &e); err != nil {
		return err
	}
	if i := slices.IndexFunc(b.rows, func(r row) bool { return r.local() }); i >= 0 && Overtaken(&b.rows[i].info, f, b.self) {
		note(&b.disputed, name)
	}
	return nil
}

// forget removes what the device in a slot says about a name.
func (b *batch) forget(slot int, name string) error {
	return b.apply(name, slot, nil)
}

// apply replaces what the device in a slot says about a name by e, or by
// nothing.
func (b *batch) apply(name string, slot int, e *entry) error {
	if err := b.load(name); err != nil {
		return err
	}
	b.tally.addName(b.rows, -1)
	b.leave(slot)
	if e != nil {
		if err := b.enter(name, slot, e); err != nil {
			return err
		}
	}
	b.choose()
	if len(b.rows) > 1 {
		b.noteDisputed(name)
	}
	b.tally.addName(b.rows, 1)
	for i := range b.rows {
		if err := b.store(&b.rows[i], name, e); err != nil {
			return err
		}
	}
	return nil
}

// load reads the rows of a name.
func (b *batch) load(name string) error {
	b.rows, b.bodies, b.counters = b.rows[:0], b.bodies[:0], b.counters[:0]
	return b.c.query(stByName, func(s *stmt) { s.bindText(1, name) }, func(s *stmt) error {
		at := len(b.bodies)
		b.bodies = s.appendBlob(b.bodies, 7)
		r, counters, err := scanRow(s, name, b.bodies[at:len(b.bodies):len(b.bodies)], b.counters)
		if err != nil {
			return err
		}
		b.counters = counters
		b.rows = append(b.rows, r)
		return nil
	})
}

// scanRow reads a row of rowColumns, whose body was read before, without the
// parts that only a reader wants.
func scanRow(s *stmt, name string, body []byte, space vector.Vector) (row, vector.Vector, error) {
	ident, rest, err := splitBody(name, body)
	if err == nil {
		err = checkRow(s, body)
	}
	if err != nil {
		return row{}, space, err
	}
	h, space, err := parseHead(ident, space)
	if err != nil {
		return row{}, space, damaged("the entry for %q is malformed", name)
	}
	if err := checkColumns(s, &h.info); err != nil {
		return row{}, space, err
	}
	r := row{id: s.int(0), vh: s.int(2), lists: s.int(6), info: h.info, ident: ident, rest: restFlags(firstByte(rest))}
	r.stored = storedRow{devs: uint64(s.int(3)), flags: s.int(4), lseq: s.int(5)}
	r.devs, r.flags, r.lseq = r.stored.devs, r.stored.flags, r.stored.lseq
	r.sum = bodySum(body)
	return r, space, nil
}

// leave takes a device's bit from every row.
func (b *batch) leave(slot int) {
	for i := range b.rows {
		r := &b.rows[i]
		r.devs &^= 1 << slot
		if slot == localSlot {
			r.flags &^= rowLocal
			r.lseq = 0
		}
	}
}

// enter sets a device's bit on the row of e's version, made if there is none.
// A row with our bit keeps our body; another one the richest it has seen.
func (b *batch) enter(name string, slot int, e *entry) error {
	i := slices.IndexFunc(b.rows, func(r row) bool { return string(r.ident) == string(e.ident) })
	if i < 0 {
		return b.insert(name, slot, e)
	}
	r := &b.rows[i]
	ours := r.local()
	r.devs |= 1 << slot
	if slot == localSlot {
		r.lseq = b.place
		r.flags |= e.flags & rowLocal
	}
	if slot == localSlot || !ours && e.restOf().richness() > r.rest.richness() {
		b.body = e.appendBody(b.body[:0], r.rest&restList != 0)
		r.newBody = b.body
	}
	return nil
}

// insert adds a row that store will write.
func (b *batch) insert(name string, slot int, e *entry) error {
	r := row{devs: 1 << slot, flags: e.flags, info: *e.info, ident: e.ident, vh: b.freeHash(e.ident)}
	if slot == localSlot {
		r.lseq = b.place
	}
	inline, err := b.keepList(&r, e)
	if err != nil {
		return err
	}
	b.body = e.appendBody(b.body[:0], inline)
	r.newBody = b.body
	b.rows = append(b.rows, r)
	return nil
}

// freeHash gives the lookup hash of an identity, moved on from those that
// other versions of the name have.
func (b *batch) freeHash(ident []byte) int64 {
	sum := sha256.Sum256(ident)
	vh := short63(sum)
	for slices.ContainsFunc(b.rows, func(r row) bool { return r.vh == vh }) {
		vh = (vh + 1) & (1<<63 - 1)
	}
	return vh
}

// short63 is the first 63 bits of a hash.
func short63(h [32]byte) int64 { return int64(binary.BigEndian.Uint64(h[:8]) >> 1) }

// keepList stores a long block list in blist, once for all rows with the same
// one. It reports true where the list must stand in the body: for a short
// list, appendBody ignores that.
func (b *batch) keepList(r *row, e *entry) (inline bool, err error) {
	if len(e.info.Blocks) <= inlineBlocks {
		return false, nil
	}
	id := max(short63(e.list), 1)
	head, err := b.c.listHashAt(id, len(e.info.Blocks))
	switch {
	case err != nil:
		return false, err
	case head != nil && string(head) != string(e.list[:]):
		return true, nil // two lists with one 63-bit hash: the first has the place
	}
	r.lists = id
	if head != nil {
		return false, nil
	}
	return false, b.c.putList(id, e.list, e.info.Blocks)
}

// choose marks the global version among the rows that are left, and whether
// we need it.
func (b *batch) choose() {
	b.order, b.versions = b.order[:0], b.versions[:0]
	var local *bep.FileInfo
	live := false
	for i := range b.rows {
		r := &b.rows[i]
		r.flags &^= rowGlobal | rowNeed
		if r.local() {
			local = &r.info
		}
		if r.devs != 0 {
			live = live || !r.info.Deleted && !r.info.Invalid
			b.order = append(b.order, i)
		}
	}
	if len(b.order) > 1 {
		slices.SortFunc(b.order, func(i, j int) int { return b.rank(&b.rows[i]) - b.rank(&b.rows[j]) })
	}
	for _, i := range b.order {
		b.versions = append(b.versions, plan.VersionOf(&b.rows[i].info, b.rows[i].local()))
	}
	winner := plan.Winner(b.versions)
	if winner < 0 {
		return
	}
	global := &b.rows[b.order[winner]]
	global.flags |= rowGlobal
	if plan.Needs(&global.info, local, live) {
		global.flags |= rowNeed
	}
}

// rank orders rows as every implementation does: ours first, then by the
// smallest device ID.
func (b *batch) rank(r *row) int {
	least := slotCount
	for mask := r.devs; mask != 0; mask &= mask - 1 {
		least = min(least, b.ranks[bits.TrailingZeros64(mask)])
	}
	return least
}

// store writes what changed about a row, in the cheapest way: a change of
// devs alone touches no index.
func (b *batch) store(r *row, name string, e *entry) error {
	was := r.stored
	switch {
	case r.id == 0:
		return b.storeNew(r, name, e)
	case r.devs == 0:
		return b.c.run(stDelete, func(s *stmt) { s.bindInt(1, r.id) })
	case r.newBody != nil && r.lseq != was.lseq:
		return b.set(stSetRow, r, true, true)
	case r.newBody != nil:
		return b.set(stSetBody, r, false, true)
	case r.lseq != was.lseq:
		return b.set(stSetSeq, r, true, false)
	case r.flags != was.flags:
		return b.set(stSetFlags, r, false, false)
	case r.devs != was.devs:
		return b.c.run(stSetDevs, func(s *stmt) {
			s.bindInt(1, int64(r.devs))
			s.bindInt(2, r.check())
			s.bindInt(3, r.id)
		})
	}
	return nil
}

func (b *batch) set(id stmtID, r *row, lseq, body bool) error {
	return b.c.run(id, func(s *stmt) {
		s.bindInt(1, int64(r.devs))
		s.bindInt(2, r.flags)
		i := 3
		if lseq {
			s.bindIntOrNull(i, r.lseq)
			i++
		}
		if body {
			s.bindBlob(i, r.newBody)
			i++
		}
		s.bindInt(i, r.check())
		s.bindInt(i+1, r.id)
	})
}

func (b *batch) storeNew(r *row, name string, e *entry) error {
	return b.c.run(stInsert, func(s *stmt) {
		s.bindText(1, name)
		s.bindInt(2, r.vh)
		s.bindInt(3, int64(r.devs))
		s.bindInt(4, r.flags)
		s.bindInt(5, r.info.Size)
		s.bindInt(6, r.info.ModUnixNano())
		s.bindIntOrNull(7, r.lseq)
		if v, ok := contentColumn(e.info, e.list); ok {
			s.bindInt(8, v)
		} else {
			s.bindNull(8)
		}
		if r.lists != 0 {
			s.bindInt(9, r.lists)
		} else {
			s.bindNull(9)
		}
		s.bindBlob(10, r.newBody)
		s.bindInt(11, r.check())
	})
}

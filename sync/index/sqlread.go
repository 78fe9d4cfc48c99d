package index

import (
	"cmp"
	"errors"
	"slices"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/device"
	"lanyard/sync/relpath"
	"lanyard/sync/vector"
)

// fullRow is a row of rec, read for good.
type fullRow struct {
	id    int64
	devs  uint64
	flags int64
	info  bep.FileInfo // Sequence is ours, on rows with our bit
	stamp Stamp
}

func (r *fullRow) record() Record {
	return Record{FileInfo: r.info, Flags: Flags(r.flags & rowLocal >> rowLocalShift), Stamp: r.stamp}
}

// remote gives the row as an entry of another device.
func (r *fullRow) remote() bep.FileInfo {
	f := r.info
	f.Sequence = 0
	return f
}

// top is the upper bound of all names: no UTF-8 has this byte.
const top = "\xff"

// nameIn parses a name as it stands in a row, where none but those that were
// parsed before were stored: any other is damage.
func nameIn(text string) (relpath.Path, error) {
	p, err := relpath.Parse(text)
	if err != nil {
		return p, damaged("it holds the name %q: %v", text, err)
	}
	return p, nil
}

// scanFull reads a row of rowColumns with everything.
func (c *conn) scanFull(s *stmt) (fullRow, error) {
	path, err := nameIn(s.text(1))
	if err != nil {
		return fullRow{}, err
	}
	r := fullRow{id: s.int(0), devs: uint64(s.int(3)), flags: s.int(4)}
	list, body := s.int(6), s.blob(7)
	if err := checkRow(s, body); err != nil {
		return fullRow{}, err
	}
	r.info, r.stamp, err = decodeBody(path, body, func(blocks []block.Info) error { return c.fillList(list, blocks) })
	if err == nil {
		err = checkColumns(s, &r.info)
	}
	if r.devs&1 != 0 {
		r.info.Sequence = s.int(5)
	} else {
		r.stamp = Stamp{}
	}
	return r, err
}

// errPageFull ends a query whose page holds enough.
var errPageFull = errors.New("the page is full")

// fill bounds what a page holds besides the number of entries.
type fill struct{ blocks int }

// room reports whether there is room for more entries, and counts the blocks
// of one that is on the page.
func (p *fill) room() bool { return p.blocks < pageBlocks }

func (p *fill) add(info *bep.FileInfo) { p.blocks += len(info.Blocks) }

// rowsOf runs a statement over rowColumns and gives its rows.
func (c *conn) rowsOf(id stmtID, bind func(*stmt)) (out []fullRow, err error) {
	err = c.query(id, bind, func(s *stmt) error {
		r, err := c.scanFull(s)
		out = append(out, r)
		return err
	})
	return out, err
}

func (c *conn) named(p relpath.Path) ([]fullRow, error) {
	return c.rowsOf(stByName, func(s *stmt) { s.bindText(1, p.String()) })
}

// rowWith gives the row that the device in a slot announces, or nil.
func rowWith(rows []fullRow, slot int) *fullRow {
	for i := range rows {
		if slot >= 0 && rows[i].devs>>slot&1 != 0 {
			return &rows[i]
		}
	}
	return nil
}

func globalRow(rows []fullRow) *fullRow {
	for i := range rows {
		if rows[i].flags&rowGlobal != 0 {
			return &rows[i]
		}
	}
	return nil
}

// from lists the devices that announce exactly the global version, valid.
func (t *deviceTable) from(rows []fullRow, global *fullRow) []device.ID {
	var mask uint64
	for i := range rows {
		f := &rows[i].info
		if !f.Invalid && vector.Compare(f.Version, global.info.Version) == vector.Equal {
			mask |= rows[i].devs
		}
	}
	return t.ids(mask)
}

// need gives what we need of a name from all of its rows.
func (t *deviceTable) need(rows []fullRow) (Needed, bool) {
	g := globalRow(rows)
	if g == nil || g.flags&rowNeed == 0 {
		return Needed{}, false
	}
	n := Needed{Global: g.info, From: t.from(rows, g)}
	if l := rowWith(rows, localSlot); l != nil {
		r := l.record()
		n.Local = &r
	}
	return n, true
}

// Remote gives what is known of a device's index.
func (f *sqliteFolder) Remote(dev device.ID) (PeerState, error) {
	t := f.now().devices
	if slot := t.find(dev); slot > 0 {
		return t.at(slot).PeerState, f.alive("remote index")
	}
	return PeerState{}, f.alive("remote index")
}

// Announced counts a device's entries. No row has an ID above that of the last
// one, which costs nothing to look up.
func (f *sqliteFolder) Announced(dev device.ID, enough int64) (n, of int64, err error) {
	err = f.readingWithDevices(func(c *conn, t *deviceTable) error {
		n, of = 0, 0 // a second try starts anew
		err := c.query(stLastRow, nil, func(s *stmt) error { of = s.int(0); return nil })
		if err != nil || of <= enough {
			of = 0
			return err
		}
		slot := t.find(dev)
		if slot <= 0 {
			return nil
		}
		return c.query(stAnnounced, func(s *stmt) { s.bindInt(1, 1<<slot) }, func(s *stmt) error { n = s.int(0); return nil })
	})
	return n, of, err
}

// Remotes lists the devices with an index ID, in ID order.
func (f *sqliteFolder) Remotes() ([]device.ID, error) {
	t := f.now().devices
	var mask uint64
	for slot := range t.slots {
		if t.slots[slot].IndexID != 0 {
			mask |= 1 << slot
		}
	}
	return t.ids(mask), f.alive("remote indexes")
}

// alive gives an error after Close.
func (f *sqliteFolder) alive(op string) error {
	f.gate.RLock()
	defer f.gate.RUnlock()
	return f.usable(op)
}

// Local gives our record of a name.
func (f *sqliteFolder) Local(p relpath.Path) (r Record, ok bool, err error) {
	err = f.reading("read index", func(c *conn) error {
		rows, err := c.named(p)
		if l := rowWith(rows, localSlot); l != nil && err == nil {
			r, ok = l.record(), true
		}
		return err
	})
	return r, ok, err
}

// Locals gives our records of names. The transaction costs as much as a few
// names, so it pays to ask for many at once.
func (f *sqliteFolder) Locals(names []relpath.Path) (out []*Record, err error) {
	err = f.reading("read index", func(c *conn) error {
		out = make([]*Record, len(names))
		for i, p := range names {
			rows, err := c.named(p)
			if err != nil {
				return err
			}
			if l := rowWith(rows, localSlot); l != nil {
				r := l.record()
				out[i] = &r
			}
		}
		return nil
	})
	return out, err
}

// Global gives the global version of a name.
func (f *sqliteFolder) Global(p relpath.Path) (g bep.FileInfo, needed, ok bool, err error) {
	err = f.reading("read index", func(c *conn) error {
		rows, err := c.named(p)
		if r := globalRow(rows); r != nil && err == nil {
			g, needed, ok = r.info, r.flags&rowNeed != 0, true
		}
		return err
	})
	return g, needed, ok, err
}

// RemoteEntry gives what a device announced for a name.
func (f *sqliteFolder) RemoteEntry(dev device.ID, p relpath.Path) (e bep.FileInfo, ok bool, err error) {
	err = f.readingWithDevices(func(c *conn, t *deviceTable) error {
		rows, err := c.named(p)
		if r := rowWith(rows, t.find(dev)); r != nil && err == nil {
			e, ok = r.remote(), true
		}
		return err
	})
	return e, ok, err
}

// readingWithDevices is reading with the devices as of the same transaction.
func (f *sqliteFolder) readingWithDevices(do func(*conn, *deviceTable) error) error {
	return f.reading("read index", func(c *conn) error {
		t, err := c.loadDevices()
		if err != nil {
			return err
		}
		return do(c, &t)
	})
}

// Needed pages through what we need, by name.
func (f *sqliteFolder) Needed(after relpath.Path, limit int) (out []Needed, err error) {
	err = f.readingWithDevices(func(c *conn, t *deviceTable) error {
		rows, err := c.neededRows(after, limit)
		if err != nil {
			return err
		}
		out = nil // a second try starts anew
		for len(rows) > 0 {
			n := 1
			for n < len(rows) && rows[n].info.Name == rows[0].info.Name {
				n++
			}
			if need, ok := t.need(rows[:n]); ok {
				out = append(out, need)
			}
			rows = rows[n:]
		}
		return nil
	})
	return out, err
}

// neededRows gives the rows of a page of needed names, all of each name.
func (c *conn) neededRows(after relpath.Path, limit int) ([]fullRow, error) {
	var out []fullRow
	var page fill
	err := c.query(stNeeded, func(s *stmt) {
		s.bindText(1, after.String())
		s.bindInt(2, int64(limit))
	}, func(s *stmt) error {
		if len(out) > 0 && !page.room() && s.text(1) != out[len(out)-1].info.Name.String() {
			return errPageFull
		}
		r, err := c.scanFull(s)
		out = append(out, r)
		page.add(&r.info)
		return err
	})
	if errors.Is(err, errPageFull) {
		err = nil
	}
	return out, err
}

// NeededOne gives the need for one name.
func (f *sqliteFolder) NeededOne(p relpath.Path) (n Needed, ok bool, err error) {
	err = f.readingWithDevices(func(c *conn, t *deviceTable) error {
		rows, err := c.named(p)
		if err == nil {
			n, ok = t.need(rows)
		}
		return err
	})
	return n, ok, err
}

// Versions gives what other devices have under a name.
func (f *sqliteFolder) Versions(p relpath.Path) (out []bep.FileInfo, err error) {
	err = f.readingWithDevices(func(c *conn, t *deviceTable) error {
		rows, err := c.named(p)
		if err != nil {
			return err
		}
		rows = slices.DeleteFunc(rows, func(r fullRow) bool { return r.devs&^1 == 0 })
		slices.SortFunc(rows, func(a, b fullRow) int {
			return cmp.Or(int(b.flags&rowGlobal-a.flags&rowGlobal), t.ids(a.devs &^ 1)[0].Compare(t.ids(b.devs &^ 1)[0]))
		})
		out = nil // a second try starts anew
		for i := range rows {
			out = append(out, rows[i].remote())
		}
		return nil
	})
	return out, err
}

// Availability gives the devices that announce the global version, valid.
func (f *sqliteFolder) Availability(p relpath.Path) (out []device.ID, err error) {
	err = f.readingWithDevices(func(c *conn, t *deviceTable) error {
		rows, err := c.named(p)
		if g := globalRow(rows); g != nil && err == nil {
			out = t.from(rows, g)
		}
		return err
	})
	return out, err
}

// records runs a statement that gives our own rows.
func (f *sqliteFolder) records(id stmtID, bind func(*stmt)) (out []Record, err error) {
	err = f.reading("read index", func(c *conn) error {
		out = nil
		var page fill
		err := c.query(id, bind, func(s *stmt) error {
			if !page.room() {
				return errPageFull
			}
			r, err := c.scanFull(s)
			out = append(out, r.record())
			page.add(&r.info)
			return err
		})
		if errors.Is(err, errPageFull) {
			return nil
		}
		return err
	})
	return out, err
}

// LocalSince pages through our records by sequence.
func (f *sqliteFolder) LocalSince(seq int64, limit int) ([]Record, error) {
	return f.records(stSince, func(s *stmt) {
		s.bindInt(1, seq)
		s.bindInt(2, int64(limit))
	})
}

// LocalRange pages through our records by name, below a directory.
func (f *sqliteFolder) LocalRange(dir, after relpath.Path, limit int) ([]Record, error) {
	low, high := rangeOf(dir, after)
	return f.records(stRange, func(s *stmt) {
		s.bindText(1, low)
		s.bindText(2, high)
		s.bindInt(3, int64(limit))
	})
}

// rangeOf gives the bounds, neither of which belongs to it, of what is below a
// directory and after a name.
func rangeOf(dir, after relpath.Path) (low, high string) {
	if dir.IsRoot() {
		return after.String(), top
	}
	return max(after.String(), dir.String()+"/"), dir.String() + "0" // '0' follows '/'
}

// Names pages through what stands below a directory, or is to come to it.
func (f *sqliteFolder) Names(dir, after relpath.Path, limit int) ([]relpath.Path, error) {
	return f.names(stNames, func(s *stmt) {
		low, high := rangeOf(dir, after)
		s.bindText(1, low)
		s.bindText(2, high)
		s.bindInt(3, int64(limit))
	})
}

// NeededNames pages through the names of what we need.
func (f *sqliteFolder) NeededNames(after relpath.Path, limit int) ([]relpath.Path, error) {
	return f.names(stNeededNames, func(s *stmt) {
		s.bindText(1, after.String())
		s.bindInt(2, int64(limit))
	})
}

// names gives the names that a statement gives in order, each once.
func (f *sqliteFolder) names(st stmtID, bind func(*stmt)) (out []relpath.Path, err error) {
	err = f.reading("list names", func(c *conn) error {
		out = nil // a second try starts anew
		return c.query(st, bind, func(s *stmt) error {
			name := s.text(0)
			if n := len(out); n > 0 && out[n-1].String() == name {
				return nil
			}
			p, err := nameIn(name)
			out = append(out, p)
			return err
		})
	})
	return out, err
}

// LocalByContent gives our valid files with a block list.
func (f *sqliteFolder) LocalByContent(hash [32]byte, size int64, limit int) (out []Record, err error) {
	if size <= 0 || limit <= 0 {
		return nil, f.alive("find content")
	}
	if err := f.indexContent(); err != nil {
		return nil, err
	}
	if !f.now().byContent {
		return nil, f.alive("find content")
	}
	err = f.reading("find content", func(c *conn) error {
		out, err = c.byContent(hash, size, limit)
		return err
	})
	return out, err
}

// byContent looks up the short hash and keeps those whose whole hash is
// right.
func (c *conn) byContent(hash [32]byte, size int64, limit int) ([]Record, error) {
	var out []Record
	var last int64
	for {
		rows, err := c.rowsOf(stByContent, func(s *stmt) {
			s.bindInt(1, short63(hash))
			s.bindInt(2, last)
			s.bindInt(3, size)
			s.bindInt(4, int64(limit))
		})
		if err != nil {
			return nil, err
		}
		for i := range rows {
			last = rows[i].id
			if len(out) < limit && listHashOf(&rows[i].info) == hash {
				out = append(out, rows[i].record())
			}
		}
		if len(rows) < limit || len(out) == limit {
			return out, nil
		}
	}
}

// LocalBySize gives our valid files of a size.
func (f *sqliteFolder) LocalBySize(size int64, limit int) (out []Record, err error) {
	if size <= 0 || limit <= 0 {
		return nil, f.alive("find size")
	}
	err = f.reading("find size", func(c *conn) error {
		rows, err := c.rowsOf(stBySize, func(s *stmt) {
			s.bindInt(1, size)
			s.bindInt(2, int64(limit))
		})
		for i := range rows {
			out = append(out, rows[i].record())
		}
		return err
	})
	return out, err
}

// Counts gives the folder's sums.
func (f *sqliteFolder) Counts() (Counts, error) {
	x := f.now()
	return x.tally.counts(), f.alive("index counts")
}

// RemoteNeed gives what a device lacks.
func (f *sqliteFolder) RemoteNeed(dev device.ID) (NeedCount, error) {
	x := f.now()
	return x.tally.remoteNeed(x.devices.find(dev)), f.alive("index counts")
}

// RemoteNeeded pages through what a device lacks. It reads every global row
// that the device does not share, so it is for a person who asks.
func (f *sqliteFolder) RemoteNeeded(dev device.ID, after relpath.Path, limit int) (out []bep.FileInfo, err error) {
	err = f.readingWithDevices(func(c *conn, t *deviceTable) error {
		out, err = c.remoteNeeded(t.find(dev), after.String(), limit)
		return err
	})
	return out, err
}

func (c *conn) remoteNeeded(slot int, after string, limit int) ([]bep.FileInfo, error) {
	var out []bep.FileInfo
	for {
		names, err := c.remoteNames(stRemoteNeeded, slot, after, limit)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			rows, err := c.rowsOf(stByName, func(s *stmt) { s.bindText(1, name) })
			if err != nil {
				return nil, err
			}
			if g := globalRow(rows); g != nil && lacks(rows, slot, g) && len(out) < limit {
				out = append(out, g.info)
			}
			after = name
		}
		if len(names) < limit || len(out) == limit {
			return out, nil
		}
	}
}

// RemoteDeleted pages through what a device announces as deleted.
func (f *sqliteFolder) RemoteDeleted(dev device.ID, after relpath.Path, limit int) (out []relpath.Path, err error) {
	err = f.readingWithDevices(func(c *conn, t *deviceTable) error {
		out = nil // a second try starts anew
		names, err := c.remoteNames(stRemoteDeleted, t.find(dev), after.String(), limit)
		for _, name := range names {
			p, err := nameIn(name)
			if err != nil {
				return err
			}
			out = append(out, p)
		}
		return err
	})
	return out, err
}

// remoteNames lists names in question for the device in a slot: with stRemoteNeeded
// those whose global row is not the device's, with stRemoteDeleted those that it
// announces as deleted in a row that is not ours.
func (c *conn) remoteNames(st stmtID, slot int, after string, limit int) (names []string, err error) {
	mask := int64(0)
	if slot > 0 {
		mask = 1 << slot
	}
	err = c.query(st, func(s *stmt) {
		s.bindText(1, after)
		s.bindInt(2, mask)
		s.bindInt(3, int64(limit))
	}, func(s *stmt) error {
		names = append(names, s.text(0))
		return nil
	})
	return names, err
}

// lacks reports whether the device in a slot needs the global version (BEP
// section 5.16).
func lacks(rows []fullRow, slot int, global *fullRow) bool {
	e := rowWith(rows, slot)
	switch {
	case global.info.Invalid:
		return false
	case global.info.Deleted:
		return e != nil && !e.info.Invalid && !e.info.Deleted
	}
	return e == nil || vector.Compare(e.info.Version, global.info.Version) != vector.Equal
}

// Meta gives a fact kept by SetMeta.
func (f *sqliteFolder) Meta(key string) (v string, err error) {
	err = f.reading("read index", func(c *conn) error {
		v, err = c.meta(metaUser + key)
		return err
	})
	return v, err
}

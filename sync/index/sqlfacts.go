package index

import "lanyard/sync/bep"

// facts are the small things that are read often, as of the last commit.
type facts struct {
	indexID   bep.IndexID
	seq       int64
	tally     tally
	devices   deviceTable
	byContent bool // contentIndex exists
}

// start reads the facts, recounts if the last user of the file did not close
// it, and marks the file as in use.
func (f *sqliteFolder) start() error {
	clean, err := f.loadFacts()
	if err != nil {
		return err
	}
	if !clean {
		if err := f.recount(); err != nil {
			return err
		}
	}
	return f.w.setMetaInt(metaClean, 0)
}

func (f *sqliteFolder) loadFacts() (clean bool, err error) {
	var x facts
	id, err := f.w.metaInt(metaIndexID)
	if err != nil {
		return false, err
	}
	x.indexID = bep.IndexID(id)
	if x.seq, err = f.w.metaInt(metaSeq); err != nil {
		return false, err
	}
	flag, err := f.w.metaInt(metaClean)
	if err != nil {
		return false, err
	}
	if x.indexID == 0 {
		return false, damaged("it has no index ID")
	}
	if x.devices, err = f.w.loadDevices(); err != nil {
		return false, err
	}
	if err := f.w.loadTally(&x.tally); err != nil {
		return false, err
	}
	err = f.w.query(stHasIndex, nil, func(*stmt) error {
		x.byContent = true
		return nil
	})
	f.facts = x
	return flag == 1, err
}

func (c *conn) loadTally(t *tally) error {
	return c.query(stCounts, nil, func(s *stmt) error {
		slot, kind := s.int(0), s.int(1)
		if slot < 0 || slot >= slotCount || kind < 0 || kind >= int64(countKinds) {
			return damaged("it counts a kind %d of slot %d", kind, slot)
		}
		t[slot][kind] = cell{n: s.int(2), bytes: s.int(3)}
		return nil
	})
}

// recount compares the sums kept with the sums of all rows, and keeps the
// latter.
func (f *sqliteFolder) recount() error {
	var t tally
	if err := f.w.countAll(&t); err != nil {
		return err
	}
	old := f.facts.tally
	if t == old {
		return nil
	}
	f.opts.Log.Warn("index sums were wrong and are mended", "kept", old.counts(), "counted", t.counts())
	if err := f.w.run(stBegin, nil); err != nil {
		return err
	}
	if err := f.w.end(f.w.saveTally(&old, &t)); err != nil {
		return err
	}
	f.facts.tally = t
	return nil
}

// countAll sums up all rows, name by name, and so reads and checks each.
func (c *conn) countAll(t *tally) error {
	var rows []row
	var name string
	err := c.query(stAll, nil, func(s *stmt) error {
		if n := s.text(1); n != name {
			t.addName(rows, 1)
			rows, name = rows[:0], n
		}
		r, _, err := scanRow(s, name, s.blob(7), nil)
		rows = append(rows, r)
		return err
	})
	t.addName(rows, 1)
	return err
}

// saveTally writes the sums that changed.
func (c *conn) saveTally(old, now *tally) error {
	for slot := range now {
		for kind := range now[slot] {
			n := now[slot][kind]
			if n == old[slot][kind] {
				continue
			}
			err := c.run(stCountSet, func(s *stmt) {
				s.bindInt(1, int64(slot))
				s.bindInt(2, int64(kind))
				s.bindInt(3, n.n)
				s.bindInt(4, n.bytes)
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *conn) metaInt(key string) (v int64, err error) {
	err = c.query(stMetaGet, func(s *stmt) { s.bindText(1, key) }, func(s *stmt) error {
		v = s.int(0)
		return nil
	})
	return v, err
}

func (c *conn) setMetaInt(key string, v int64) error {
	return c.run(stMetaSet, func(s *stmt) {
		s.bindText(1, key)
		s.bindInt(2, v)
	})
}

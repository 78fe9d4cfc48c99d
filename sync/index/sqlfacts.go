package index

import (
	"strconv"

	"lanyard/sync/bep"
)

// facts are the small things that are read often, as of the last commit.
type facts struct {
	indexID   bep.IndexID
	seq       int64
	runs      Runs // as Begin set them: the last one does not grow here
	tally     tally
	devices   deviceTable
	byContent bool // contentIndex exists
	recovery  *Recovery
}

// loadFacts reads the facts, which have to agree with each other.
func (f *sqliteFolder) loadFacts() error {
	var x facts
	folder, err := f.w.meta(metaFolder)
	if err != nil {
		return err
	}
	if folder != string(f.id) {
		return damaged("it is the index of the folder %q", folder)
	}
	id, err := f.w.metaInt(metaIndexID)
	if err != nil {
		return err
	}
	x.indexID = bep.IndexID(id)
	if x.seq, err = f.w.metaInt(metaSeq); err != nil {
		return err
	}
	last, err := f.w.lastSeq()
	if err != nil {
		return err
	}
	switch {
	case x.indexID == 0:
		return damaged("it has no index ID")
	case x.seq != last:
		return damaged("its highest sequence is %d, and it says %d", last, x.seq)
	}
	if x.recovery, err = f.w.loadRecovery(); err != nil {
		return err
	}
	if x.devices, err = f.w.loadDevices(); err != nil {
		return err
	}
	if err := f.w.loadTally(&x.tally); err != nil {
		return err
	}
	err = f.w.query(stHasIndex, nil, func(*stmt) error {
		x.byContent = true
		return nil
	})
	x.runs = f.facts.runs // from before a change of the mode
	f.facts = x
	return err
}

func (c *conn) lastSeq() (seq int64, err error) {
	err = c.query(stLastSeq, nil, func(s *stmt) error {
		seq = s.int(0)
		return nil
	})
	return seq, err
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

// meta gives a fact, "" where there is none.
func (c *conn) meta(key string) (v string, err error) {
	err = c.query(stMetaGet, func(s *stmt) { s.bindText(1, key) }, func(s *stmt) error {
		if v = s.text(0); s.int(1) != metaCheck(key, v) {
			return damaged("the checksum of the fact %q is wrong", key)
		}
		return nil
	})
	return v, err
}

func (c *conn) metaInt(key string) (int64, error) {
	v, err := c.meta(key)
	if err != nil || v == "" {
		return 0, err
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		return 0, damaged("the fact %q is no number", key)
	}
	return n, nil
}

// setMeta keeps a fact; the empty value is the same as none.
func (c *conn) setMeta(key, v string) error {
	if v == "" {
		return c.run(stMetaDelete, func(s *stmt) { s.bindText(1, key) })
	}
	return c.run(stMetaSet, func(s *stmt) {
		s.bindText(1, key)
		s.bindText(2, v)
		s.bindInt(3, metaCheck(key, v))
	})
}

func (c *conn) setMetaInt(key string, v int64) error {
	return c.setMeta(key, strconv.FormatInt(v, 10))
}

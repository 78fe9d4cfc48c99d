package index

import "fmt"

// Idle gives memory back and folds the journal: the index by content is made
// if it was not wanted before, a slice of stale block lists is cleared, the
// journal goes into the file, the page cache shrinks until the next write.
func (f *sqliteFolder) Idle() error {
	const op = "rest index"
	if err := f.indexContent(); err != nil {
		return err
	}
	return f.outcome(op, f.onWriter(op, func() error {
		if err := f.sweepLists(); err != nil {
			return err
		}
		if _, err := f.w.first(`PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
			return err
		}
		f.resting = true
		return f.w.exec(fmt.Sprintf(`PRAGMA cache_size=-%d`, idleCache), `PRAGMA shrink_memory`)
	}))
}

// indexContent makes the index by content if there is none yet and there is
// something to put into it: a few microseconds for each of our files.
func (f *sqliteFolder) indexContent() error {
	if x := f.now(); x.byContent || x.tally.count(localSlot).Files == 0 {
		return nil
	}
	return f.writing("index content", func(ch *change) error {
		ch.facts.byContent = true
		return ch.c.exec(contentIndex)
	})
}

// wake makes the page cache large again. The caller holds w.mu.
func (f *sqliteFolder) wake() error {
	if !f.resting {
		return nil
	}
	f.resting = false
	return f.w.exec(fmt.Sprintf(`PRAGMA cache_size=-%d`, f.opts.CacheKiB))
}

// sweepLists deletes block lists that no row names any more, among the next
// listSlice ones.
func (f *sqliteFolder) sweepLists() error {
	var stale []int64
	last, seen := f.swept, 0
	err := f.w.query(stListStale, func(s *stmt) {
		s.bindInt(1, last)
		s.bindInt(2, listSlice)
	}, func(s *stmt) error {
		last = s.int(0)
		seen++
		if s.int(1) == 0 {
			stale = append(stale, last)
		}
		return nil
	})
	if err != nil {
		return err
	}
	f.swept = last
	if seen < listSlice {
		f.swept = 0
	}
	if len(stale) == 0 {
		return nil
	}
	if err := f.w.run(stBegin, nil); err != nil {
		return err
	}
	return f.w.end(f.deleteLists(stale))
}

func (f *sqliteFolder) deleteLists(ids []int64) error {
	for _, id := range ids {
		if err := f.w.run(stListDelete, func(s *stmt) { s.bindInt(1, id) }); err != nil {
			return err
		}
	}
	return nil
}

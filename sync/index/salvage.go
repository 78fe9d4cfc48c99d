package index

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"

	"lanyard/sync/relpath"
)

// Limits of salvaging.
const (
	salvagePage = 500
	// topRow is above every row that an index can have.
	topRow = 1 << 40
	// maxTries bounds the places in a damaged file where reading is tried again.
	maxTries = 4096
)

// salvage fills a new index with our own records from a damaged file and from
// the snapshot of it, as far as their checksums are right.
func (f *sqliteFolder) salvage(ctx context.Context, path string) error {
	total := int64(0)
	for _, source := range []string{path, path + snapshotSuffix} {
		if _, err := os.Stat(source); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := f.salvageFrom(ctx, source); err != nil {
			return err
		}
		f.opts.Log.Info("records of a damaged index were saved", "folder", string(f.id), "from", source, "records", f.Sequence()-total)
		total = f.Sequence()
	}
	return f.writing("rebuild index", func(ch *change) error {
		ch.facts.recovery = &Recovery{Cause: Damaged, Through: ch.seq}
		return ch.c.setRecovery(*ch.facts.recovery)
	})
}

// openDamaged opens a file of which nothing is expected.
func openDamaged(path string) (*conn, error) {
	c, err := openConn(path)
	if err != nil {
		return nil, err
	}
	if err := c.exec(`PRAGMA locking_mode=EXCLUSIVE`, `PRAGMA mmap_size=0`); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// salvageFrom takes what one file has and the new index has not. That the file
// cannot be read is no error.
func (f *sqliteFolder) salvageFrom(ctx context.Context, path string) error {
	c, err := openDamaged(path)
	if err != nil {
		return nil
	}
	s := &salvager{ctx: ctx, src: c, dst: f}
	if id, err := c.meta(metaFolder); err != nil || id == string(f.id) {
		s.facts()
		s.rows(0, topRow)
		if s.tries > 0 {
			s.byName(stSalvageNames, "")
			s.byName(stSalvageBack, top)
		}
	}
	_ = c.close() // the file is given up in any case
	if s.err == nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return s.err
}

// salvager copies records from a damaged database.
type salvager struct {
	ctx   context.Context
	src   *conn
	dst   *sqliteFolder
	tries int   // reads that failed
	err   error // of the new index: ends everything
}

func (s *salvager) done() bool { return s.err != nil || s.ctx.Err() != nil || s.tries > maxTries }

// facts copies what the folder's owner keeps in the index, if it is not known
// by now.
func (s *salvager) facts() {
	facts := map[string]string{}
	err := s.src.query(stMetaAll, nil, func(st *stmt) error {
		k, v := st.text(0), st.text(1)
		key, ok := strings.CutPrefix(k, metaUser)
		if ok && key != metaRuns && st.int(2) == metaCheck(k, v) { // the runs are those of the old index ID
			facts[key] = v
		}
		return nil
	})
	if err != nil {
		s.tries++
	}
	for key, v := range facts {
		known, err := s.dst.Meta(key)
		if err == nil && known == "" {
			err = s.dst.SetMeta(key, v)
		}
		s.err = errors.Join(s.err, err)
	}
}

// rows copies the rows with IDs in (low, high]. Where the file cannot be read
// any further it goes on behind the middle of what is left, and then looks at
// what it left out.
func (s *salvager) rows(low, high int64) {
	for low < high && !s.done() {
		n, last, err := s.page(low, high)
		if last > low {
			low = last
		}
		switch {
		case err == nil && n < salvagePage:
			return
		case err != nil:
			s.tries++
			middle := low + (high-low)/2
			if middle == low {
				return
			}
			s.rows(middle, high)
			high = middle
		}
	}
}

// page copies a page of rows; last is the ID of the last one that could be
// read.
func (s *salvager) page(low, high int64) (n int, last int64, err error) {
	var recs []Record
	err = s.src.query(stSalvage, func(st *stmt) {
		st.bindInt(1, low)
		st.bindInt(2, high)
		st.bindInt(3, salvagePage)
	}, func(st *stmt) error {
		n++
		last = st.int(0)
		r, err := s.src.scanFull(st)
		if err == nil && r.devs&1 != 0 {
			recs = append(recs, r.record())
		}
		return nil // one bad row says nothing of the next
	})
	s.store(recs)
	return n, last, err
}

// store adds the records whose names the new index does not have.
func (s *salvager) store(recs []Record) {
	if len(recs) == 0 || s.err != nil {
		return
	}
	names := make([]relpath.Path, len(recs))
	for i := range recs {
		names[i] = recs[i].Name
	}
	known, err := s.dst.Locals(names)
	if err != nil {
		s.err = err
		return
	}
	var missing []Record
	for i := range recs {
		if known[i] == nil {
			missing = append(missing, recs[i])
		}
	}
	if len(missing) > 0 {
		_, s.err = s.dst.Update(missing)
	}
}

// byName looks for rows through the index of names, from one end to where it
// cannot be read any further: each is read by itself.
func (s *salvager) byName(id stmtID, from string) {
	for !s.done() {
		var ids []int64
		last := from
		err := s.src.query(id, func(st *stmt) {
			st.bindText(1, from)
			st.bindInt(2, salvagePage)
		}, func(st *stmt) error {
			ids = append(ids, st.int(0))
			last = st.text(1)
			return nil
		})
		for _, row := range ids {
			if s.done() {
				return
			}
			if _, _, err := s.page(row-1, row); err != nil {
				s.tries++
			}
		}
		if err != nil || len(ids) < salvagePage || last == from {
			return
		}
		from = last
	}
}

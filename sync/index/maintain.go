package index

import (
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"lanyard/sync/block"
	"lanyard/sync/fsys"
)

// How often an index is checked in full and saved, and how many times its size
// the disk must have free for that.
const (
	checkEvery    = 7 * 24 * time.Hour
	snapshotEvery = 24 * time.Hour
	snapshotRoom  = 3
)

// Check reads everything.
func (f *sqliteFolder) Check(ctx context.Context) error {
	const op = "check index"
	return f.outcome(op, f.aside(ctx, op, func(c *conn) error { return c.check(true) }))
}

// aside runs do on a connection of its own, or where there can be only one on
// that, until ctx ends.
func (f *sqliteFolder) aside(ctx context.Context, op string, do func(*conn) error) error {
	f.gate.RLock()
	defer f.gate.RUnlock()
	if err := f.usable(op); err != nil {
		return err
	}
	c := f.w
	if f.exclusive {
		c.mu.Lock()
		defer c.mu.Unlock()
	} else {
		own, err := f.connect(readerCache)
		if err != nil {
			return err
		}
		defer own.close() // it was only read from
		c = own
	}
	defer c.until(ctx)()
	err := do(c)
	if interrupted(err) && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// check compares all that can be compared, as of one moment. In full, it also
// looks whether each index of the database has just the rows that it should,
// and reads the block lists.
func (c *conn) check(full bool) error {
	if err := c.run(stBeginRead, nil); err != nil {
		return err
	}
	return c.end(c.compareAll(full))
}

func (c *conn) compareAll(full bool) error {
	pragma := `PRAGMA quick_check(1)`
	if full {
		pragma = `PRAGMA integrity_check(1)`
	}
	verdict, err := c.first(pragma)
	if err != nil {
		return err
	}
	if verdict != "ok" {
		return damaged("%s", strings.TrimSpace(verdict))
	}
	if err := c.compareSums(); err != nil {
		return err
	}
	if _, err := c.loadDevices(); err != nil {
		return err
	}
	err = c.query(stMetaAll, nil, func(s *stmt) error {
		if k := s.text(0); s.int(2) != metaCheck(k, s.text(1)) {
			return damaged("the checksum of the fact %q is wrong", k)
		}
		return nil
	})
	if err != nil || !full {
		return err
	}
	err = c.query(stContents, nil, func(s *stmt) error {
		r, err := c.scanFull(s)
		if err != nil {
			return err
		}
		if v, ok := contentColumn(&r.info, listHashOf(&r.info)); ok == s.null(11) || ok && v != s.int(11) {
			return damaged("%q is not found by its content", r.info.Name)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.query(stLists, nil, func(s *stmt) error {
		data := s.blob(1)
		const head = len(block.Hash{})
		if len(data) < head || block.Hash(data[:head]) != sha256.Sum256(data[head:]) || max(short63(block.Hash(data[:head])), 1) != s.int(0) {
			return damaged("block list %d does not match its hash", s.int(0))
		}
		return nil
	})
}

// compareSums compares the sums that are kept, and the highest sequence, with
// those of all rows.
func (c *conn) compareSums() error {
	var kept, counted tally
	if err := c.loadTally(&kept); err != nil {
		return err
	}
	if err := c.countAll(&counted); err != nil {
		return err
	}
	if kept != counted {
		return damaged("it counts %+v, and there is %+v", kept.counts(), counted.counts())
	}
	seq, err := c.metaInt(metaSeq)
	if err != nil {
		return err
	}
	last, err := c.lastSeq()
	if err == nil && last != seq {
		err = damaged("its highest sequence is %d, and it says %d", last, seq)
	}
	return err
}

// Maintain does what is due.
func (f *sqliteFolder) Maintain(ctx context.Context, now time.Time, idle bool) error {
	f.upkeep.Lock()
	defer f.upkeep.Unlock()
	if err := f.checkIfDue(ctx, now, idle); err != nil {
		return err
	}
	if _, recovering := f.Recovery(); !idle || recovering || f.Sequence() == 0 {
		return nil // a better snapshot may be there
	}
	last, err := f.when(metaSnapshot)
	if err != nil || now.Sub(last).Abs() < snapshotEvery {
		return err
	}
	return f.snapshot(ctx, now)
}

func (f *sqliteFolder) checkIfDue(ctx context.Context, now time.Time, idle bool) error {
	const op = "check index"
	last, err := f.when(metaChecked)
	if err != nil {
		return err
	}
	full := idle && now.Sub(last).Abs() >= checkEvery
	if !full && !f.unclean {
		return nil
	}
	start := time.Now()
	err = f.outcome(op, f.aside(ctx, op, func(c *conn) error { return c.check(full) }))
	if err != nil {
		return err
	}
	f.opts.Log.Info("index checked", "folder", string(f.id), "full", full, "took", time.Since(start))
	f.unclean = false
	if !full {
		return nil
	}
	return f.note(metaChecked, now)
}

// when gives a time that is kept in meta, zero for none.
func (f *sqliteFolder) when(key string) (t time.Time, err error) {
	err = f.reading("read index", func(c *conn) error {
		s, err := c.metaInt(key)
		if s != 0 {
			t = time.Unix(s, 0)
		}
		return err
	})
	return t, err
}

func (f *sqliteFolder) note(key string, t time.Time) error {
	return f.writing("note time in index", func(ch *change) error { return ch.c.setMetaInt(key, t.Unix()) })
}

// snapshot saves the index beside itself, if the disk has room for it. What is
// saved is read back before it takes the place of the last snapshot.
func (f *sqliteFolder) snapshot(ctx context.Context, now time.Time) error {
	info, err := os.Stat(f.path)
	if err != nil {
		return classify("save index", err)
	}
	free, err := fsys.FreeAt(filepath.Dir(f.path))
	if err != nil || free/snapshotRoom < uint64(info.Size()) {
		f.opts.Log.Info("no room to save the index", "folder", string(f.id), "free", free, "size", info.Size(), "error", err)
		return nil
	}
	to := f.path + snapshotSuffix
	tmp := to + ".tmp"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, os.ErrNotExist) {
		return classify("save index", err)
	}
	err = f.copyTo(ctx, "save index", tmp)
	if err == nil {
		if err = verifySnapshot(ctx, tmp); errors.Is(err, errDamaged) {
			err = errors.Join(f.Check(ctx), errors.New("what was saved of the index cannot be read back"))
		}
	}
	if err == nil {
		err = publish(tmp, to)
	}
	if err != nil {
		_ = os.Remove(tmp) // what is left of it is removed before the next one
		return classify("save index", err)
	}
	return f.note(metaSnapshot, now)
}

// copyTo writes all of the index to a new file, as of one moment.
func (f *sqliteFolder) copyTo(ctx context.Context, op, file string) error {
	out, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	quoted := "'" + strings.ReplaceAll(file, "'", "''") + "'"
	err = f.aside(ctx, op, func(c *conn) error { return c.exec(`VACUUM INTO ` + quoted) })
	if err != nil {
		_ = os.Remove(file) // the first error is the cause
	}
	return f.outcome(op, err)
}

// verifySnapshot reads a snapshot in full. Damage in it is likely to be that of
// what it was made from.
func verifySnapshot(ctx context.Context, path string) error {
	c, err := openDamaged(path)
	if err != nil {
		return err
	}
	defer c.close() // it was only read from
	defer c.until(ctx)()
	return c.check(false)
}

// publish makes a file durable under its last name.
func publish(tmp, to string) error {
	file, err := os.OpenFile(tmp, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp, to); err != nil {
		return err
	}
	return fsys.SyncDirAt(filepath.Dir(to))
}

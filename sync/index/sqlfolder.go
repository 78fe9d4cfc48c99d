package index

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/fault"
	"lanyard/sync/fsys"
)

// sqliteFolder is one folder's database: a connection for writing and one for
// reading, which in the exclusive mode are the same.
type sqliteFolder struct {
	store *sqliteStore
	id    bep.FolderID
	path  string
	opts  SQLiteOptions

	// gate is held for reading during each operation, and for writing while
	// the connections are exchanged or closed.
	gate      sync.RWMutex
	closed    bool
	exclusive bool
	w, r      *conn

	upkeep  sync.Mutex // one Maintain at a time; it may take long
	unclean bool       // the last user of the file did not close it; set when it is opened, then Maintain's

	// What follows belongs to whoever holds w.mu.
	undurable bool  // there are commits since the last barrier
	resting   bool  // the page cache is small
	swept     int64 // the block list up to which stale ones were looked for

	mu       sync.Mutex      // guards what follows
	facts    facts           // they change after a commit
	disputed map[string]bool // names for Disputed
	copies   copies          // of what was committed; they change with facts
	damage   error           // why it is not trusted any more, nil while it is
	onDamage func(error)
}

// openFolder opens or creates a folder's database, in the exclusive mode if
// the options or the file system ask for it.
func (s *sqliteStore) openFolder(id bep.FolderID, path string) (*sqliteFolder, error) {
	f := &sqliteFolder{store: s, id: id, path: path, opts: s.opts, exclusive: s.opts.Exclusive}
	err := f.open()
	if err != nil && !f.exclusive && needsFallback(err) {
		f.exclusive = true
		f.opts.Log.Warn("index uses exclusive mode", "error", err)
		err = f.open()
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// open connects and reads the facts. After an error nothing is open.
func (f *sqliteFolder) open() error {
	w, err := f.connect(f.opts.CacheKiB)
	if err != nil {
		return err
	}
	f.w, f.r = w, w
	if err = f.prepareFile(); err == nil {
		err = f.loadFacts()
	}
	if err == nil && !f.exclusive {
		f.r, err = f.connect(readerCache)
	}
	if err != nil {
		if f.r == nil {
			f.r = w
		}
		return errors.Join(err, f.disconnect())
	}
	return nil
}

// connect opens one connection with its settings.
func (f *sqliteFolder) connect(cacheKiB int) (*conn, error) {
	c, err := openConn(f.path)
	if err != nil {
		return nil, err
	}
	settings := []string{`PRAGMA page_size=4096`}
	if f.exclusive {
		settings = []string{`PRAGMA locking_mode=EXCLUSIVE`, `PRAGMA page_size=4096`}
	}
	settings = append(settings, `PRAGMA journal_mode=WAL`, `PRAGMA synchronous=FULL`,
		`PRAGMA fullfsync=1`, `PRAGMA checkpoint_fullfsync=1`, `PRAGMA mmap_size=0`, `PRAGMA temp_store=MEMORY`,
		fmt.Sprintf(`PRAGMA wal_autocheckpoint=%d`, checkpointPage),
		fmt.Sprintf(`PRAGMA journal_size_limit=%d`, journalLimit),
		fmt.Sprintf(`PRAGMA cache_size=-%d`, cacheKiB))
	if err := c.exec(settings...); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

func (f *sqliteFolder) disconnect() error {
	var err error
	if f.r != nil && f.r != f.w {
		err = f.r.close()
	}
	err = errors.Join(err, f.w.close())
	f.w, f.r = nil, nil
	return err
}

// prepareFile makes the tables of a new file, durable with a new index ID.
func (f *sqliteFolder) prepareFile() error {
	err := ensureSchema(f.w, folderSchema, func() error {
		id, err := newIndexID()
		if err != nil {
			return err
		}
		return errors.Join(
			f.w.setMeta(metaFolder, string(f.id)),
			f.w.setMetaInt(metaIndexID, int64(id)),
			f.w.setMetaInt(metaSeq, 0),
			f.w.setMetaInt(metaChecked, time.Now().Unix()),
			second(f.newMark()))
	})
	return errors.Join(err, f.w.exec(`PRAGMA synchronous=NORMAL`))
}

// second gives the error of a call whose result is of no interest.
func second[T any](_ T, err error) error { return err }

// reading runs do on the reader within one transaction.
func (f *sqliteFolder) reading(op string, do func(c *conn) error) error {
	err := f.tryReading(op, do)
	if err != nil && needsFallback(err) && f.fallBack(err) == nil {
		err = f.tryReading(op, do)
	}
	return f.outcome(op, err)
}

func (f *sqliteFolder) tryReading(op string, do func(c *conn) error) error {
	f.gate.RLock()
	defer f.gate.RUnlock()
	if err := f.usable(op); err != nil {
		return err
	}
	f.r.mu.Lock()
	defer f.r.mu.Unlock()
	if err := f.r.run(stBeginRead, nil); err != nil {
		return err
	}
	return f.r.end(do(f.r))
}

// change is a transaction at work: the connection and the facts as they will
// be.
type change struct {
	*batch
	facts facts
}

// writing runs do within one transaction. Its facts are seen after the
// commit.
func (f *sqliteFolder) writing(op string, do func(*change) error) error {
	err := f.tryWriting(op, do)
	if err != nil && needsFallback(err) && f.fallBack(err) == nil {
		err = f.tryWriting(op, do)
	}
	return f.outcome(op, err)
}

func (f *sqliteFolder) tryWriting(op string, do func(*change) error) error {
	f.gate.RLock()
	defer f.gate.RUnlock()
	if err := f.usable(op); err != nil {
		return err
	}
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	if err := f.wake(); err != nil {
		return err
	}
	if err := f.w.run(stBegin, nil); err != nil {
		return err
	}
	old := f.now()
	ch := &change{facts: old, batch: newBatch(f.w, &old, f.opts.Self)}
	err := do(ch)
	if err == nil {
		err = ch.save(&old)
	}
	if err := f.w.end(err); err != nil {
		return err
	}
	f.undurable = true
	f.mu.Lock()
	f.facts = ch.facts
	for name := range ch.disputed {
		note(&f.disputed, name)
	}
	if f.copies.known {
		for name, is := range ch.copied {
			f.copies.set(name, is)
		}
	}
	f.mu.Unlock()
	return nil
}

// save writes the facts that the batch changed.
func (ch *change) save(old *facts) error {
	ch.facts.tally, ch.facts.seq = ch.batch.tally, ch.batch.seq
	if err := ch.c.saveTally(&old.tally, &ch.facts.tally); err != nil {
		return err
	}
	if ch.facts.seq == old.seq {
		return nil
	}
	return ch.c.setMetaInt(metaSeq, ch.facts.seq)
}

// now gives the facts as of the last commit.
func (f *sqliteFolder) now() facts {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.facts
}

// fallBack reopens the folder in the exclusive mode after cause.
func (f *sqliteFolder) fallBack(cause error) error {
	f.gate.Lock()
	defer f.gate.Unlock()
	if f.closed {
		return errClosed("reopen index")
	}
	if f.exclusive {
		return nil // another call did it
	}
	f.opts.Log.Warn("index turns to exclusive mode", "error", cause)
	// What the broken mode says at its end changes nothing.
	_ = f.disconnect()
	f.exclusive = true
	if err := f.open(); err != nil {
		f.closed = true
		return err
	}
	return nil
}

// usable says why there is nothing to be had any more. The caller holds gate.
func (f *sqliteFolder) usable(op string) error {
	if f.closed {
		return errClosed(op)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.damage
}

// outcome classifies the error of an operation. The first one that tells of
// damage ends all use of the index. The caller holds no lock.
func (f *sqliteFolder) outcome(op string, err error) error {
	switch err = classify(op, err); fault.CodeOf(err) {
	case codeFull:
		return withSpace(err, filepath.Dir(f.path))
	case codeDamaged:
	default:
		return err
	}
	f.mu.Lock()
	first, tell := f.damage == nil, f.onDamage
	if first {
		f.damage = err
	}
	f.mu.Unlock()
	if first {
		f.opts.Log.Error("index is damaged", "error", err)
		if tell != nil {
			tell(err)
		}
	}
	return err
}

// withSpace has an error about a full disk tell which one it is, and what is
// left on it.
func withSpace(err error, dir string) error {
	free, freeErr := fsys.FreeAt(dir)
	if freeErr != nil {
		return fault.With(err, "disk", dir)
	}
	return fault.With(err, "disk", dir, "free", strconv.FormatUint(free, 10))
}

// OnDamage has tell called when the index turns out to be damaged, at once if
// it did already.
func (f *sqliteFolder) OnDamage(tell func(error)) {
	f.mu.Lock()
	f.onDamage = tell
	damage := f.damage
	f.mu.Unlock()
	if damage != nil {
		tell(damage)
	}
}

// Batch is smaller where readers wait for the writer.
func (f *sqliteFolder) Batch() int {
	f.gate.RLock()
	defer f.gate.RUnlock()
	if f.exclusive {
		return exclusiveBatch
	}
	return sharedBatch
}

// Barrier makes all commits durable with a small one that is flushed: the
// journal is one file, so everything before it is flushed as well.
func (f *sqliteFolder) Barrier() error {
	const op = "index barrier"
	return f.outcome(op, f.onWriter(op, func() error {
		if !f.undurable {
			return nil
		}
		return f.flush(func() error { return f.w.setMetaInt(metaBarrier, f.now().seq) })
	}))
}

// onWriter runs do while the writer is nobody else's.
func (f *sqliteFolder) onWriter(op string, do func() error) error {
	f.gate.RLock()
	defer f.gate.RUnlock()
	if err := f.usable(op); err != nil {
		return err
	}
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	return do()
}

// flush commits a small change under FULL. The caller holds w.mu.
func (f *sqliteFolder) flush(do func() error) error {
	if err := f.w.exec(`PRAGMA synchronous=FULL`); err != nil {
		return err
	}
	err := f.w.run(stBegin, nil)
	if err == nil {
		err = f.w.end(do())
	}
	if err == nil {
		f.undurable = false
	}
	return errors.Join(err, f.w.exec(`PRAGMA synchronous=NORMAL`))
}

// Close makes everything durable and closes. A second call does nothing.
func (f *sqliteFolder) Close() error {
	f.store.mu.Lock()
	defer f.store.mu.Unlock()
	return f.close()
}

// close is Close for who holds the store's lock.
func (f *sqliteFolder) close() error {
	f.gate.Lock()
	defer f.gate.Unlock()
	if f.closed {
		return nil
	}
	f.closed = true
	f.mu.Lock()
	damage := f.damage
	f.mu.Unlock()
	if damage != nil {
		// Whatever else the broken file says is of no interest.
		_ = f.disconnect()
		return classify("close index", f.store.distrust(f.id))
	}
	var mark string
	err := f.flush(func() (err error) {
		mark, err = f.newMark()
		return err
	})
	if err == nil {
		// Closing folds the journal in as well; this makes it small first even
		// where a backup program holds the file.
		_, err = f.w.first(`PRAGMA wal_checkpoint(TRUNCATE)`)
	}
	err = errors.Join(err, f.disconnect())
	if err == nil {
		err = f.store.setRow(f.id, folderRow{file: filepath.Base(f.path), mark: mark})
	}
	return classify("close index", err)
}

func (f *sqliteFolder) isClosed() bool {
	f.gate.RLock()
	defer f.gate.RUnlock()
	return f.closed
}

// IndexID is the ID of our own index.
func (f *sqliteFolder) IndexID() bep.IndexID {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.facts.indexID
}

// Sequence is our highest sequence.
func (f *sqliteFolder) Sequence() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.facts.seq
}

// RenewIndexID draws a new index ID, durable before it returns.
func (f *sqliteFolder) RenewIndexID() (bep.IndexID, error) {
	const op = "renew index ID"
	id, err := newIndexID()
	if err != nil {
		return 0, classify(op, err)
	}
	err = f.writing(op, func(ch *change) error {
		ch.facts.indexID = id
		return ch.c.setMetaInt(metaIndexID, int64(id))
	})
	if err != nil {
		return 0, err
	}
	return id, f.Barrier()
}

// Update stores local records.
func (f *sqliteFolder) Update(recs []Record) (int64, error) {
	var seq int64
	err := f.writing("update index", func(ch *change) error {
		for i := range recs {
			if err := ch.applyLocal(&recs[i]); err != nil {
				return err
			}
		}
		seq = ch.seq
		return nil
	})
	if err != nil {
		return 0, err
	}
	return seq, nil
}

// Restamp stores what only we know of records.
func (f *sqliteFolder) Restamp(recs []Record) error {
	return f.writing("restamp index", func(ch *change) error {
		for i := range recs {
			if err := ch.restamp(&recs[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// UpdateRemote stores entries of another device.
func (f *sqliteFolder) UpdateRemote(dev device.ID, files []bep.FileInfo) error {
	return f.writing("update remote index", func(ch *change) error {
		slot, err := ch.slot(dev)
		if err != nil {
			return err
		}
		d := ch.facts.devices.at(slot)
		for i := range files {
			d.MaxSequence = max(d.MaxSequence, files[i].Sequence)
			if err := ch.applyRemote(slot, &files[i]); err != nil {
				return err
			}
		}
		return ch.setDevice(slot, d)
	})
}

// ResetRemote forgets all entries of a device and notes its new index ID.
func (f *sqliteFolder) ResetRemote(dev device.ID, id bep.IndexID) error {
	return f.writing("reset remote index", func(ch *change) error {
		slot, err := ch.slot(dev)
		if err != nil {
			return err
		}
		if err := ch.forgetAll(slot); err != nil {
			return err
		}
		d := ch.facts.devices.at(slot)
		d.PeerState = PeerState{IndexID: id}
		return ch.setDevice(slot, d)
	})
}

// DropRemote forgets a device wholly; its slot is free after the commit that
// cleared its bit everywhere.
func (f *sqliteFolder) DropRemote(dev device.ID) error {
	return f.writing("drop remote index", func(ch *change) error {
		slot := ch.facts.devices.find(dev)
		if slot < 0 {
			return nil
		}
		if err := ch.forgetAll(slot); err != nil {
			return err
		}
		ch.facts.devices = ch.facts.devices.without(slot)
		return ch.c.run(stDeviceDelete, func(s *stmt) { s.bindInt(1, int64(slot)) })
	})
}

// SetMeta keeps a small fact; the empty value is the same as none.
func (f *sqliteFolder) SetMeta(key, value string) error {
	return f.writing("set index fact", func(ch *change) error {
		return ch.c.setMeta(metaUser+key, value)
	})
}

package index

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strconv"
	"sync"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/fault"
	"lanyard/sync/fsys"
)

// SQLiteOptions set up OpenSQLite. Zero fields mean the defaults.
type SQLiteOptions struct {
	// Self is this device: it alone gives the counters under this ID. 0 is
	// unknown, and Disputed finds less.
	Self device.ShortID
	// CacheKiB is the page cache of one folder while it is written to: 16 MiB.
	// A folder at rest has half a MiB.
	CacheKiB int
	// Exclusive keeps the journal's index in the process instead of in shared
	// memory, for file systems without it (network drives); reads then wait
	// for writes. A folder turns to it by itself where shared memory fails.
	Exclusive bool
	// Log takes what a person may want to know: a recount after a crash that
	// found other sums, a folder that turned to the exclusive mode. nil is
	// silent.
	Log *slog.Logger
}

func (o SQLiteOptions) withDefaults() SQLiteOptions {
	if o.CacheKiB == 0 {
		o.CacheKiB = 16 << 10
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// sqliteStore is a directory with main.db, which knows the folders, and one
// database for each of them.
type sqliteStore struct {
	dir  string
	opts SQLiteOptions

	mu      sync.Mutex // guards what follows; opening a folder is rare and short
	main    *conn      // nil once closed
	folders map[bep.FolderID]*sqliteFolder
}

// OpenSQLite opens the indexes in a directory, made with mode 0700 where
// there is none. One process at a time can have it open.
func OpenSQLite(dir string, opts SQLiteOptions) (Store, error) {
	const op = "open index"
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fault.Wrap(fault.Node, "", op, "", err)
	}
	opts = opts.withDefaults()
	if !opts.Exclusive && fsys.OnNetwork(dir) {
		opts.Exclusive = true
		opts.Log.Info("the index is on a network file system; it is used without shared memory", "path", dir)
	}
	s := &sqliteStore{dir: dir, opts: opts, folders: map[bep.FolderID]*sqliteFolder{}}
	if err := s.openList(); err != nil {
		return nil, mainFault(op, err)
	}
	return s, nil
}

// openMain opens the list of folders. It is always exclusive: it is small,
// rarely used, and its lock keeps a second process out.
func openMain(path string) (*conn, error) {
	c, err := openConn(path)
	if err != nil {
		return nil, err
	}
	c.db.SetBusyTimeout(0)
	err = c.exec(`PRAGMA locking_mode=EXCLUSIVE`, `PRAGMA journal_mode=WAL`, `PRAGMA synchronous=FULL`,
		`PRAGMA fullfsync=1`, `PRAGMA cache_size=-256`)
	if err == nil {
		err = ensureSchema(c, mainSchema, nil)
	}
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// mainFault is classify for what concerns all folders.
func mainFault(op string, err error) error {
	err = classify(op, err)
	var f *fault.Error
	switch {
	case !errors.As(err, &f):
		return err
	case f.Kind == fault.Retry:
		return fault.Wrap(fault.Node, f.Code, op, "", fmt.Errorf("another process uses this index; end it first: %w", f.Err))
	}
	return fault.Wrap(fault.Node, f.Code, op, "", f.Err)
}

// ensureSchema makes the tables of a new database, or checks that an old one
// is ours and not newer than this program. first runs inside the transaction
// that makes them.
func ensureSchema(c *conn, schema []string, first func() error) error {
	version, err := c.first(`PRAGMA user_version`)
	if err != nil {
		return err
	}
	app, err := c.first(`PRAGMA application_id`)
	if err != nil {
		return err
	}
	switch v, _ := strconv.Atoi(version); {
	case v > schemaVersion:
		return fault.New(fault.Node, codeNewer, "the index is of version %d and this program knows %d; use the newer program", v, schemaVersion)
	case v == schemaVersion && app == strconv.Itoa(applicationID):
		return nil
	case v != 0 || app != "0":
		return damaged("it carries version %s and application %s", version, app)
	}
	if err := c.run(stBegin, nil); err != nil {
		return err
	}
	err = c.exec(schema...)
	if err == nil {
		err = c.exec(fmt.Sprintf(`PRAGMA application_id=%d`, applicationID), fmt.Sprintf(`PRAGMA user_version=%d`, schemaVersion))
	}
	if err == nil && first != nil {
		err = first()
	}
	return c.end(err)
}

// end commits, or rolls back because of err.
func (c *conn) end(err error) error {
	if err == nil {
		err = c.run(stCommit, nil)
	}
	if err != nil && !c.db.AutocommitEnabled() {
		return errors.Join(err, c.run(stRollback, nil))
	}
	return err
}

// Folder opens a folder's index, made empty where there is none.
func (s *sqliteStore) Folder(id bep.FolderID) (Folder, error) {
	const op = "open index"
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.main == nil {
		return nil, errClosed(op)
	}
	if f := s.folders[id]; f != nil && !f.isClosed() {
		return f, nil
	}
	row, err := s.row(id)
	if err == nil && row.file == "" {
		row, err = s.newFile(id)
	}
	if err != nil {
		return nil, mainFault(op, err)
	}
	f, err := s.open(id, row)
	if err != nil {
		return nil, classify(op, err)
	}
	s.folders[id] = f
	return f, nil
}

// folderRow is what main.db knows of a folder's database.
type folderRow struct {
	file string // its name, "" where there is none
	mark string // see marks.go
}

func (s *sqliteStore) row(id bep.FolderID) (row folderRow, err error) {
	err = s.main.query(stFolderGet, func(st *stmt) { st.bindText(1, string(id)) }, func(st *stmt) error {
		row = folderRow{st.text(0), st.text(1)}
		return nil
	})
	return row, err
}

func (s *sqliteStore) setRow(id bep.FolderID, row folderRow) error {
	return s.main.run(stFolderSet, func(st *stmt) {
		st.bindText(1, string(id))
		st.bindText(2, row.file)
		st.bindText(3, row.mark)
	})
}

// drawFile draws the name of a new database.
func drawFile() (string, error) {
	var b [4]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", err
	}
	return "f-" + hex.EncodeToString(b[:]) + ".db", nil
}

func (s *sqliteStore) newFile(id bep.FolderID) (folderRow, error) {
	file, err := drawFile()
	if err != nil {
		return folderRow{}, err
	}
	row := folderRow{file: file}
	return row, s.setRow(id, row)
}

// Drop closes and deletes a folder's index. The files go first, so that none
// is ever left that nothing names.
func (s *sqliteStore) Drop(id bep.FolderID) error {
	const op = "drop index"
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.main == nil {
		return errClosed(op)
	}
	if f := s.folders[id]; f != nil {
		// It is deleted in any case; an error of closing changes nothing.
		_ = f.close()
		delete(s.folders, id)
	}
	row, err := s.row(id)
	if err != nil || row.file == "" {
		return mainFault(op, err)
	}
	if err := s.removeFiles(row.file); err != nil {
		return fault.Wrap(fault.Folder, "", op, "", err)
	}
	err = s.main.run(stFolderDelete, func(st *stmt) { st.bindText(1, string(id)) })
	return mainFault(op, err)
}

// Close closes everything.
func (s *sqliteStore) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.main == nil {
		return nil
	}
	var errs []error
	for _, id := range slices.Sorted(maps.Keys(s.folders)) {
		errs = append(errs, s.folders[id].close())
	}
	errs = append(errs, s.main.close())
	s.main = nil
	return classify("close index", errors.Join(errs...))
}

// newIndexID draws an ID, never 0.
func newIndexID() (bep.IndexID, error) {
	for {
		var b [8]byte
		if _, err := rand.Read(b[:]); err != nil {
			return 0, err
		}
		if id := binary.LittleEndian.Uint64(b[:]); id != 0 {
			return bep.IndexID(id), nil
		}
	}
}

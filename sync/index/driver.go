package index

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"zombiezen.com/go/sqlite"

	"lanyard/sync/fault"
)

// This file, with lists.go, is all that the program knows of SQLite's Go
// interface.

// errDamaged is wrapped by every error about a database that cannot be
// trusted.
var errDamaged = errors.New("the index file is damaged")

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errDamaged, fmt.Sprintf(format, args...))
}

// conn is one connection with its prepared statements. Whoever uses it holds
// mu from the first statement of a transaction to the last; SQLite serialises
// a connection anyway, so the lock costs nothing that was to be had.
type conn struct {
	mu    sync.Mutex
	db    *sqlite.Conn
	stmts [stmtCount]*stmt
	// fail, set by tests, stands in for a statement's result.
	fail func(sql string) error
}

// openConn opens or creates a database file.
func openConn(path string) (*conn, error) {
	db, err := sqlite.OpenConn(path, sqlite.OpenReadWrite|sqlite.OpenCreate)
	if err != nil {
		return nil, err
	}
	db.SetBusyTimeout(busyTimeout)
	return &conn{db: db}, nil
}

// close finalises all statements (a leftover one keeps the file locked) and
// closes.
func (c *conn) close() error {
	for i, s := range c.stmts {
		if s != nil {
			_ = s.st.Finalize() // repeats the statement's last error
			c.stmts[i] = nil
		}
	}
	return c.db.Close()
}

// exec runs statements that return nothing of interest. Pragmas take effect
// while they are compiled, so they are not prepared ahead.
func (c *conn) exec(sqls ...string) error {
	for _, sql := range sqls {
		if _, err := c.first(sql); err != nil {
			return err
		}
	}
	return nil
}

// first runs one statement to its end and gives the first column of its
// first row as text, "" where there is none.
func (c *conn) first(sql string) (string, error) {
	if c.fail != nil {
		if err := c.fail(sql); err != nil {
			return "", err
		}
	}
	st, _, err := c.db.PrepareTransient(sql)
	if err != nil {
		return "", fmt.Errorf("%s: %w", sql, err)
	}
	defer st.Finalize()
	text, first := "", true
	for {
		row, err := st.Step()
		if err != nil {
			return "", fmt.Errorf("%s: %w", sql, err)
		}
		if !row {
			return text, nil
		}
		if first {
			text, first = st.ColumnText(0), false
		}
	}
}

// prepare gives a statement, compiled at its first use.
func (c *conn) prepare(id stmtID) (*stmt, error) {
	if s := c.stmts[id]; s != nil {
		return s, nil
	}
	st, _, err := c.db.PrepareTransient(statements[id])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", statements[id], err)
	}
	s := &stmt{st: st, conn: c, id: id}
	c.stmts[id] = s
	return s, nil
}

// query runs a prepared statement: bind gives it its parameters, each is
// called at every row.
func (c *conn) query(id stmtID, bind func(*stmt), each func(*stmt) error) error {
	s, err := c.prepare(id)
	if err != nil {
		return err
	}
	if bind != nil {
		bind(s)
	}
	for {
		row, err := s.step()
		if err == nil && row {
			err = each(s)
		}
		if err != nil || !row {
			return errors.Join(err, s.reset())
		}
	}
}

// run runs a prepared statement that returns no rows.
func (c *conn) run(id stmtID, bind func(*stmt)) error {
	return c.query(id, bind, func(*stmt) error { return nil })
}

// stmt is a prepared statement. Parameters count from 1, columns from 0.
type stmt struct {
	st   *sqlite.Stmt
	conn *conn
	id   stmtID
}

func (s *stmt) bindInt(i int, v int64)   { s.st.BindInt64(i, v) }
func (s *stmt) bindText(i int, v string) { s.st.BindText(i, v) }
func (s *stmt) bindBlob(i int, v []byte) { s.st.BindBytes(i, v) }
func (s *stmt) bindZeros(i int, n int64) { s.st.BindZeroBlob(i, n) }
func (s *stmt) bindNull(i int)           { s.st.BindNull(i) }

// bindIntOrNull binds NULL for 0.
func (s *stmt) bindIntOrNull(i int, v int64) {
	if v == 0 {
		s.st.BindNull(i)
		return
	}
	s.st.BindInt64(i, v)
}

func (s *stmt) step() (bool, error) {
	if s.conn.fail != nil {
		if err := s.conn.fail(statements[s.id]); err != nil {
			return false, err
		}
	}
	return s.st.Step()
}

func (s *stmt) reset() error        { return s.st.Reset() }
func (s *stmt) int(col int) int64   { return s.st.ColumnInt64(col) }
func (s *stmt) null(col int) bool   { return s.st.ColumnIsNull(col) }
func (s *stmt) text(col int) string { return s.st.ColumnText(col) }
func (s *stmt) blob(col int) []byte { return s.appendBlob(nil, col) }
func (s *stmt) appendBlob(b []byte, col int) []byte {
	n := s.st.ColumnLen(col)
	at := len(b)
	b = append(b, make([]byte, n)...)
	s.st.ColumnBytes(col, b[at:])
	return b
}

// needsFallback reports whether the shared memory of the journal cannot be
// used here, as on network file systems.
func needsFallback(err error) bool {
	switch sqlite.ErrCode(err) {
	case sqlite.ResultIOErrSHMOpen, sqlite.ResultIOErrSHMSize, sqlite.ResultIOErrSHMLock,
		sqlite.ResultIOErrSHMMap, resultIOErrInPage:
		return true
	}
	return false
}

// interrupted reports whether a statement ended because it was told to.
func interrupted(err error) bool { return sqlite.ErrCode(err).ToPrimary() == sqlite.ResultInterrupt }

// until has the connection's statements end when ctx does. The function that it
// gives ends that.
func (c *conn) until(ctx context.Context) func() {
	c.db.SetInterrupt(ctx.Done())
	return func() { c.db.SetInterrupt(nil) }
}

// resultIOErrInPage is SQLITE_IOERR_IN_PAGE: reading a mapped page failed.
const resultIOErrInPage sqlite.ResultCode = 10 | 34<<8

// classify turns an error of this package's work into a fault, with the
// operation.
func classify(op string, err error) error {
	var known *fault.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	if errors.Is(err, errDamaged) {
		return fault.Wrap(fault.Folder, codeDamaged, op, "", err)
	}
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultCorrupt, sqlite.ResultNotADB:
		return fault.Wrap(fault.Folder, codeDamaged, op, "", fmt.Errorf("%w: %w", errDamaged, err))
	case sqlite.ResultFull:
		return fault.Wrap(fault.Folder, codeFull, op, "", err)
	case sqlite.ResultBusy, sqlite.ResultLocked:
		return fault.Wrap(fault.Retry, "", op, "", err)
	}
	return fault.Wrap(fault.Folder, "", op, "", err)
}

// The conditions of an index that people see.
const (
	codeDamaged fault.Code = "index-damaged"
	codeFull    fault.Code = "home-full"
	codeNewer   fault.Code = "home-newer"
)

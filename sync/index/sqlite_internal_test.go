package index

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"zombiezen.com/go/sqlite"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/device"
	"lanyard/sync/fault"
	"lanyard/sync/relpath"
	"lanyard/sync/vector"
)

func openTestStore(t *testing.T, dir string, o SQLiteOptions) *sqliteStore {
	t.Helper()
	s, err := OpenSQLite(dir, o)
	if err != nil {
		t.Fatalf("OpenSQLite: %v", err)
	}
	t.Cleanup(func() { s.Close() })
	return s.(*sqliteStore)
}

func openTestFolder(t *testing.T, s *sqliteStore) *sqliteFolder {
	t.Helper()
	f, err := s.Folder("docs")
	if err != nil {
		t.Fatalf("Folder: %v", err)
	}
	return f.(*sqliteFolder)
}

// testRecord makes a file with n blocks.
func testRecord(name string, n int, value uint64) Record {
	f := bep.FileInfo{Name: relpath.MustParse(name), BlockSize: block.MinSize, Version: vector.Vector{{ID: 1, Value: value}}}
	for i := range n {
		f.Blocks = append(f.Blocks, block.Info{Offset: f.Size, Size: block.MinSize, Hash: block.Hash{byte(value), byte(i)}})
		f.Size += block.MinSize
	}
	return Record{FileInfo: f}
}

func update(t *testing.T, f Folder, recs ...Record) {
	t.Helper()
	if _, err := f.Update(recs); err != nil {
		t.Fatalf("Update: %v", err)
	}
}

// copyDir copies files as they lie on the disk: what a power cut leaves if
// the disk wrote everything that it was given.
func copyDir(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatalf("copy: %v", err)
	}
	return to
}

func databaseOf(t *testing.T, dir string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "f-*.db"))
	if err != nil || len(found) != 1 {
		t.Fatalf("folder databases: %v, %v, want one", found, err)
	}
	return found[0]
}

func TestSQLiteIsNoVersionWithTheJournalResetBug(t *testing.T) {
	f := openTestFolder(t, openTestStore(t, t.TempDir(), SQLiteOptions{}))
	text, err := f.w.first(`SELECT sqlite_version()`)
	if err != nil {
		t.Fatal(err)
	}
	var version int
	for _, part := range strings.SplitN(text, ".", 3) {
		n, err := strconv.Atoi(part)
		if err != nil {
			t.Fatalf("version %q: %v", text, err)
		}
		version = version*1000 + n
	}
	if version < 3_051_003 {
		t.Errorf("SQLite is %s, want at least 3.51.3", text)
	}
}

func TestAfterAPowerCutEverythingBeforeTheBarrierIsThere(t *testing.T) {
	for _, exclusive := range []bool{false, true} {
		dir := t.TempDir()
		f := openTestFolder(t, openTestStore(t, dir, SQLiteOptions{Exclusive: exclusive}))
		update(t, f, testRecord("a", 1, 1), testRecord("b", 9, 1))
		if err := f.UpdateRemote(device.ID{1}, []bep.FileInfo{testRecord("c", 2, 3).FileInfo}); err != nil {
			t.Fatal(err)
		}
		if err := f.Barrier(); err != nil {
			t.Fatalf("Barrier: %v", err)
		}
		want, err := f.Counts()
		if err != nil {
			t.Fatal(err)
		}
		g := openTestFolder(t, openTestStore(t, copyDir(t, dir), SQLiteOptions{}))
		if g.Sequence() != 2 || g.IndexID() != f.IndexID() {
			t.Errorf("sequence %d and index ID %v, want 2 and %v", g.Sequence(), g.IndexID(), f.IndexID())
		}
		got, err := g.Counts()
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Errorf("counts, %v (-want +got):\n%s", err, d)
		}
		if r, ok, err := g.Local(relpath.MustParse("b")); !ok || err != nil || len(r.Blocks) != 9 {
			t.Errorf("record b: %v, %v, %v", r, ok, err)
		}
	}
}

func TestABarrierWithNothingNewDoesNotWrite(t *testing.T) {
	f := openTestFolder(t, openTestStore(t, t.TempDir(), SQLiteOptions{}))
	update(t, f, testRecord("a", 1, 1))
	if err := f.Barrier(); err != nil {
		t.Fatal(err)
	}
	f.w.fail = func(sql string) error { return errors.New("wrote: " + sql) }
	if err := f.Barrier(); err != nil {
		t.Errorf("second barrier: %v", err)
	}
	f.w.fail = nil
}

func TestWrongSumsAreFoundAfterAnUncleanEnd(t *testing.T) {
	dir := t.TempDir()
	f := openTestFolder(t, openTestStore(t, dir, SQLiteOptions{}))
	update(t, f, testRecord("a", 1, 1), testRecord("b", 9, 1))
	if err := f.w.exec(`UPDATE cnt SET n = n + 5`); err != nil {
		t.Fatal(err)
	}
	g := openTestFolder(t, openTestStore(t, copyDir(t, dir), SQLiteOptions{}))
	var told error
	g.OnDamage(func(err error) { told = err })
	err := g.Maintain(t.Context(), time.Now(), false)
	if fault.CodeOf(err) != codeDamaged || told == nil {
		t.Errorf("maintaining gives %v and tells %v, want index-damaged", err, told)
	}
	if _, _, err := g.Local(relpath.MustParse("a")); fault.CodeOf(err) != codeDamaged {
		t.Errorf("a call afterwards gives %v, want index-damaged", err)
	}
}

// spoil changes a database behind the index's back.
func spoil(t *testing.T, dir, sql string) {
	t.Helper()
	c, err := openConn(databaseOf(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	if err := c.exec(sql); err != nil {
		t.Fatal(err)
	}
}

func TestADamagedEntryIsAnErrorAndNeverWrongData(t *testing.T) {
	tests := map[string]string{
		"a changed byte":      `UPDATE rec SET body = x'00' || substr(body, 2) WHERE name = 'b'`,
		"a cut entry":         `UPDATE rec SET body = x'0102' WHERE name = 'b'`,
		"a body moved":        `UPDATE rec SET body = (SELECT body FROM rec WHERE name = 'a') WHERE name = 'b'`,
		"a lost block list":   `DELETE FROM blist`,
		"a changed list":      `UPDATE blist SET data = substr(data, 1, 40) || x'ff' || substr(data, 42)`,
		"an impossible name":  `UPDATE rec SET name = 'b/../b' WHERE name = 'b'`,
		"an entry for a name": `UPDATE rec SET name = 'c' WHERE name = 'b'`,
	}
	for name, sql := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := openTestStore(t, dir, SQLiteOptions{})
			update(t, openTestFolder(t, s), testRecord("a", 1, 1), testRecord("b", 9, 2))
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			spoil(t, dir, sql)
			f := openTestFolder(t, openTestStore(t, dir, SQLiteOptions{}))
			_, err := f.LocalSince(0, 10)
			if fault.KindOf(err) != fault.Folder || fault.CodeOf(err) != codeDamaged {
				t.Errorf("reading gives %v (%v, %q), want index-damaged", err, fault.KindOf(err), fault.CodeOf(err))
			}
		})
	}
}

func TestADamagedFileIsAnErrorOfThatFolder(t *testing.T) {
	for name, content := range map[string]string{
		"no database at all":   strings.Repeat("this is no database. ", 500),
		"a file cut to a page": "",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := openTestStore(t, dir, SQLiteOptions{})
			f := openTestFolder(t, s)
			update(t, f, testRecord("a", 1, 1), testRecord("b", 900, 2))
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			db := databaseOf(t, dir)
			if content == "" {
				if err := os.Truncate(db, 4096); err != nil {
					t.Fatal(err)
				}
			} else if err := os.WriteFile(db, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := openTestStore(t, dir, SQLiteOptions{}).Folder("docs")
			if fault.KindOf(err) != fault.Folder || fault.CodeOf(err) != codeDamaged {
				t.Errorf("opening gives %v (%v, %q), want index-damaged", err, fault.KindOf(err), fault.CodeOf(err))
			}
		})
	}
}

func TestANewerIndexIsNotTouched(t *testing.T) {
	dir := t.TempDir()
	s := openTestStore(t, dir, SQLiteOptions{})
	openTestFolder(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	spoil(t, dir, `PRAGMA user_version=99`)
	_, err := openTestStore(t, dir, SQLiteOptions{}).Folder("docs")
	if fault.KindOf(err) != fault.Node || fault.CodeOf(err) != codeNewer {
		t.Errorf("opening gives %v, want home-newer", err)
	}
}

func TestASecondStoreInOneDirectoryIsRefused(t *testing.T) {
	dir := t.TempDir()
	openTestStore(t, dir, SQLiteOptions{})
	s, err := OpenSQLite(dir, SQLiteOptions{})
	if err == nil {
		s.Close()
	}
	if fault.KindOf(err) != fault.Node {
		t.Errorf("the second store gives %v, want an error that stops the program", err)
	}
}

func TestWithoutSharedMemoryTheFolderTurnsToTheExclusiveMode(t *testing.T) {
	f := openTestFolder(t, openTestStore(t, t.TempDir(), SQLiteOptions{}))
	update(t, f, testRecord("a", 1, 1))
	f.r.fail = func(string) error { return sqlite.ResultIOErrSHMMap.ToError() }
	if _, ok, err := f.Local(relpath.MustParse("a")); !ok || err != nil {
		t.Fatalf("reading gives %v, %v", ok, err)
	}
	if !f.exclusive || f.r != f.w {
		t.Errorf("exclusive is %v, one connection is %v", f.exclusive, f.r == f.w)
	}
	update(t, f, testRecord("b", 1, 1))
	f.w.fail = func(string) error { return resultIOErrInPage.ToError() }
	if _, err := f.Update([]Record{testRecord("c", 1, 1)}); err == nil {
		t.Error("an error that stays in the exclusive mode is not reported")
	}
	f.w.fail = nil
}

func TestAFailedTransactionLeavesNothing(t *testing.T) {
	f := openTestFolder(t, openTestStore(t, t.TempDir(), SQLiteOptions{}))
	update(t, f, testRecord("a", 1, 1))
	want, _ := f.Counts()
	f.w.fail = func(sql string) error {
		if sql == statements[stCountSet] {
			return sqlite.ResultFull.ToError()
		}
		return nil
	}
	_, err := f.Update([]Record{testRecord("b", 9, 1)})
	if fault.CodeOf(err) != codeFull {
		t.Errorf("a full disk gives %v, want home-full", err)
	}
	f.w.fail = nil
	if got, _ := f.Counts(); got != want || f.Sequence() != 1 {
		t.Errorf("counts %+v and sequence %d, want %+v and 1", got, f.Sequence(), want)
	}
	if _, ok, err := f.Local(relpath.MustParse("b")); ok || err != nil {
		t.Errorf("the record is there: %v, %v", ok, err)
	}
	update(t, f, testRecord("c", 1, 1))
}

// Every statement of a change fails once: the change is made whole or not at
// all, what is kept in memory says the same as the file, and it can be repeated.
func TestAChangeThatFailsAnywhereIsMadeWholeOrNotAtAll(t *testing.T) {
	change := func(f *sqliteFolder) error {
		_, err := f.Update([]Record{testRecord("a", 9, 2), testRecord("b", 9, 1)})
		return err
	}
	seen := func(f *sqliteFolder) string {
		c, err := f.Counts()
		recs, err2 := f.LocalRange(relpath.Root, relpath.Root, 10)
		return fmt.Sprint(c, f.Sequence(), recs, err, err2)
	}
	fresh := func(dir string) (*sqliteStore, *sqliteFolder) {
		s := openTestStore(t, dir, SQLiteOptions{})
		return s, openTestFolder(t, s)
	}
	codes := []sqlite.ResultCode{sqlite.ResultFull, sqlite.ResultIOErrWrite, sqlite.ResultIOErrFsync, sqlite.ResultReadOnly}
	for n, done := 1, false; !done; n++ {
		code, dir := codes[n%len(codes)], t.TempDir()
		s, f := fresh(dir)
		update(t, f, testRecord("a", 1, 1))
		before := seen(f)
		calls := 0
		f.w.fail = func(string) error {
			if calls++; calls == n {
				return code.ToError()
			}
			return nil
		}
		err := change(f)
		f.w.fail = nil
		if done = calls < n; done {
			if err != nil {
				t.Errorf("without a failure: %v", err)
			}
			break
		}
		if fault.KindOf(err) != fault.Folder {
			t.Errorf("%v at statement %d gives %v, want a fault of the folder's", code, n, err)
		}
		if after := seen(f); after != before {
			t.Errorf("%v at statement %d left %s, want what was before: %s", code, n, after, before)
		}
		if err := change(f); err != nil {
			t.Errorf("%v at statement %d, repeated: %v", code, n, err)
		}
		repeated := seen(f)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if _, f := fresh(dir); seen(f) != repeated {
			t.Errorf("%v at statement %d: opened again it holds %s, want %s", code, n, seen(f), repeated)
		}
	}
}

func TestTwoListsWithOneShortHashAreBothKept(t *testing.T) {
	f := openTestFolder(t, openTestStore(t, t.TempDir(), SQLiteOptions{}))
	r := testRecord("a", 9, 1)
	other := append(make([]byte, 64), 1) // another list sits where r's belongs
	if err := f.w.run(stListInsert, func(s *stmt) {
		s.bindInt(1, short63(block.ListHash(r.Blocks)))
		s.bindBlob(2, other)
	}); err != nil {
		t.Fatal(err)
	}
	update(t, f, r)
	r.Flags = MustRescan
	update(t, f, r)
	got, _, err := f.Local(r.Name)
	r.Sequence = 2
	if d := cmp.Diff(r, got, cmp.Comparer(func(a, b relpath.Path) bool { return a == b })); err != nil || d != "" {
		t.Errorf("record, %v (-want +got):\n%s", err, d)
	}
}

func TestStaleBlockListsAreCleared(t *testing.T) {
	f := openTestFolder(t, openTestStore(t, t.TempDir(), SQLiteOptions{}))
	update(t, f, testRecord("a", 9, 1), testRecord("b", 9, 2))
	update(t, f, testRecord("a", 9, 3))
	if err := f.Idle(); err != nil {
		t.Fatal(err)
	}
	if n, err := f.w.first(`SELECT count(*) FROM blist`); n != "2" || err != nil {
		t.Errorf("%s block lists are left, %v, want 2", n, err)
	}
}

func TestAVersionThatAllHaveIsOneRow(t *testing.T) {
	f := openTestFolder(t, openTestStore(t, t.TempDir(), SQLiteOptions{}))
	r := testRecord("a", 9, 1)
	for i := range byte(5) {
		if err := f.UpdateRemote(device.ID{i + 1}, []bep.FileInfo{r.FileInfo}); err != nil {
			t.Fatal(err)
		}
	}
	update(t, f, r)
	if n, err := f.w.first(`SELECT count(*) FROM rec`); n != "1" || err != nil {
		t.Errorf("%s rows, %v, want 1", n, err)
	}
}

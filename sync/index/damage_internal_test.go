package index

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/fault"
	"lanyard/sync/relpath"
)

// aHome is the directory of an index as it lies on the disk.
type aHome map[string][]byte

func readHome(t *testing.T, dir string) aHome {
	t.Helper()
	h := aHome{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		h[e.Name()] = b
	}
	return h
}

func (h aHome) write(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, b := range h {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// contents is everything that an index says.
type contents struct {
	Locals  map[string]Record
	Globals map[string]bep.FileInfo
	Remotes map[string]bep.FileInfo
	Counts  Counts
	State   PeerState
	Fact    string
}

var otherDevice = device.ID{9}

// readAll reads everything in every way. The first error ends it.
func readAll(f Folder, names []relpath.Path) (c contents, err error) {
	c = contents{Locals: map[string]Record{}, Globals: map[string]bep.FileInfo{}, Remotes: map[string]bep.FileInfo{}}
	add := func(recs []Record, e error) {
		if err = errors.Join(err, e); e != nil {
			return
		}
		for _, r := range recs {
			c.Locals[r.Name.String()] = r
		}
	}
	add(f.LocalSince(0, 10_000))
	add(f.LocalRange(relpath.Root, relpath.Root, 10_000))
	for _, p := range names {
		g, _, ok, e := f.Global(p)
		if err = errors.Join(err, e); ok {
			c.Globals[p.String()] = g
		}
		r, ok, e := f.RemoteEntry(otherDevice, p)
		if err = errors.Join(err, e); ok {
			c.Remotes[p.String()] = r
		}
	}
	var e error
	c.Counts, e = f.Counts()
	err = errors.Join(err, e)
	c.State, e = f.Remote(otherDevice)
	err = errors.Join(err, e)
	c.Fact, e = f.Meta("fact")
	return c, errors.Join(err, e)
}

func different(a, b any) string {
	return cmp.Diff(a, b, cmp.Comparer(func(a, b relpath.Path) bool { return a == b }))
}

// filled makes an index that has some of everything.
func filled(t *testing.T, dir string) (names []relpath.Path, all contents, close func()) {
	t.Helper()
	s := openTestStore(t, dir, SQLiteOptions{})
	f := openTestFolder(t, s)
	var recs []Record
	var theirs []bep.FileInfo
	for i := range 150 {
		r := testRecord(fmt.Sprintf("dir%02d/file%03d", i/10, i), 1+i%7, uint64(i+1))
		r.Stamp = Stamp{Inode: uint64(i), Size: r.Size, Mtime: int64(i), Ctime: int64(i)}
		if i%11 == 0 {
			r.Flags = MustRescan
		}
		names = append(names, r.Name)
		if i%3 != 0 {
			recs = append(recs, r)
		}
		if i%2 != 0 {
			e := r.FileInfo
			e.Sequence = int64(i)
			theirs = append(theirs, e)
		}
	}
	update(t, f, recs...)
	if err := errors.Join(f.ResetRemote(otherDevice, 77), f.UpdateRemote(otherDevice, theirs), f.SetMeta("fact", "true")); err != nil {
		t.Fatal(err)
	}
	all, err := readAll(f, names)
	if err != nil {
		t.Fatal(err)
	}
	return names, all, func() {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// damage changes bytes at random.
func damage(rng *rand.Rand, b []byte) ([]byte, string) {
	b = bytes.Clone(b)
	at := rng.IntN(len(b))
	switch kind := rng.IntN(10); {
	case kind < 6:
		bit := byte(1) << rng.IntN(8)
		b[at] ^= bit
		return b, fmt.Sprintf("bit %#x of byte %d", bit, at)
	case kind < 7:
		return b[:at], fmt.Sprintf("cut to %d bytes", at)
	case kind < 8:
		at &^= 4095
		clear(b[at:min(at+4096, len(b))])
		return b, fmt.Sprintf("page at %d cleared", at)
	default:
		n := min(rng.IntN(300), len(b)-at)
		for i := range b[at : at+n] {
			b[at+i] = byte(rng.Uint32())
		}
		return b, fmt.Sprintf("%d random bytes at %d", n, at)
	}
}

// TestDamageIsNeverTakenForTruth damages an index in many ways. What is read
// from it then is an error or the truth, except that a record may not be found;
// and that a check finds out. What is made anew from it holds nothing that was
// not in it.
func TestDamageIsNeverTakenForTruth(t *testing.T) {
	dir := t.TempDir()
	names, want, end := filled(t, dir)
	unclean := readHome(t, dir)
	delete(unclean, filepath.Base(databaseOf(t, dir))+"-shm")
	end()
	closed := readHome(t, dir)
	file := filepath.Base(databaseOf(t, dir))
	found, saved := 0, 0
	const rounds = 50
	for seed := range uint64(rounds) {
		rng := rand.New(rand.NewPCG(seed, 1))
		home, victim := closed, file
		if seed%4 == 3 {
			home, victim = unclean, file+"-wal"
		}
		b, what := damage(rng, home[victim])
		what = fmt.Sprintf("seed %d: %s of %s", seed, what, victim)
		spoiled := aHome{}
		for name, content := range home {
			spoiled[name] = content
		}
		spoiled[victim] = b
		dir := spoiled.write(t)
		s := openTestStore(t, dir, SQLiteOptions{})
		if err := believed(t, s, names, want, what, victim == file); err == nil {
			s.Close()
			continue
		}
		found++
		saved += rebuilt(t, s, want, what)
		s.Close()
	}
	t.Logf("%d of %d damages were found; on average %d of %d records were saved", found, rounds, saved/max(found, 1), len(want.Locals))
	if found < rounds/4 || saved/found < len(want.Locals)/2 {
		t.Errorf("%d damages were found and %d records saved", found, saved)
	}
}

// believed compares what an index says with the truth. It gives the error that
// tells of damage, nil where everything is true. exact is false for a journal,
// the end of which may be gone like after a power cut.
func believed(t *testing.T, s *sqliteStore, names []relpath.Path, want contents, what string, exact bool) error {
	t.Helper()
	f, err := s.Folder("docs")
	if err != nil {
		return inKind(t, err, what)
	}
	got, err := readAll(f, names)
	for name, r := range got.Locals {
		if w := want.Locals[name]; !reflect.DeepEqual(w, r) {
			t.Errorf("%s: the record of %s is believed (-want +got):\n%s", what, name, different(w, r))
		}
	}
	if err == nil {
		err = f.Check(t.Context())
	}
	if err != nil {
		return inKind(t, err, what)
	}
	if exact && !reflect.DeepEqual(want, got) {
		t.Errorf("%s: it passes the check (-want +got):\n%s", what, different(want, got))
	}
	return nil
}

func inKind(t *testing.T, err error, what string) error {
	t.Helper()
	if fault.KindOf(err) != fault.Folder && fault.CodeOf(err) != codeNewer {
		t.Errorf("%s gives %v of kind %v, want an error of the folder", what, err, fault.KindOf(err))
	}
	return err
}

// rebuilt makes the index anew and counts what was saved.
func rebuilt(t *testing.T, s *sqliteStore, want contents, what string) int {
	t.Helper()
	if err := s.Rebuild(t.Context(), "docs"); err != nil {
		t.Fatalf("%s: Rebuild: %v", what, err)
	}
	f := openTestFolder(t, s)
	if _, ok := f.Recovery(); !ok && f.Sequence() > 0 {
		t.Errorf("%s: a rebuilt index is not in recovery", what)
	}
	recs, err := f.LocalSince(0, 10_000)
	if err == nil {
		err = f.Check(t.Context())
	}
	if err != nil {
		t.Fatalf("%s: the rebuilt index: %v", what, err)
	}
	for _, r := range recs {
		w := want.Locals[r.Name.String()]
		r.Sequence = w.Sequence
		if !reflect.DeepEqual(w, r) {
			t.Errorf("%s: saved (-want +got):\n%s", what, different(w, r))
		}
	}
	return len(recs)
}

func TestAnOlderCopyOfTheIndexIsKnownForOne(t *testing.T) {
	dir := t.TempDir()
	s := openTestStore(t, dir, SQLiteOptions{})
	f := openTestFolder(t, s)
	update(t, f, testRecord("a", 1, 1))
	id := f.IndexID()
	reopen := func() *sqliteFolder {
		t.Helper()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = openTestStore(t, dir, SQLiteOptions{})
		return openTestFolder(t, s)
	}
	f = reopen()
	if _, ok := f.Recovery(); ok || f.IndexID() != id {
		t.Fatal("an index that was only closed is in recovery")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	old := readHome(t, dir)
	f = openTestFolder(t, func() *sqliteStore { s = openTestStore(t, dir, SQLiteOptions{}); return s }())
	update(t, f, testRecord("b", 1, 1))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	file := databaseOf(t, dir)
	if err := os.WriteFile(file, old[filepath.Base(file)], 0o600); err != nil {
		t.Fatal(err)
	}
	s = openTestStore(t, dir, SQLiteOptions{})
	f = openTestFolder(t, s)
	r, ok := f.Recovery()
	if !ok || r.Cause != RolledBack || r.Through != 1 || f.IndexID() == id {
		t.Errorf("recovery %+v, %v, index ID %v, want one of a rolled back index through 1 and a new ID", r, ok, f.IndexID())
	}
	id = f.IndexID()
	f = reopen()
	if _, ok := f.Recovery(); !ok || f.IndexID() != id {
		t.Error("the recovery did not outlive the program")
	}
	if err := f.Recovered(); err != nil {
		t.Fatal(err)
	}
	f = reopen()
	if _, ok := f.Recovery(); ok || f.IndexID() != id {
		t.Error("the recovery did not end")
	}
}

func TestAnIndexThatIsGoneIsNoNewOne(t *testing.T) {
	for _, lost := range []string{"the database", "the list of folders", "both"} {
		t.Run(lost, func(t *testing.T) {
			dir := t.TempDir()
			s := openTestStore(t, dir, SQLiteOptions{})
			f := openTestFolder(t, s)
			update(t, f, testRecord("a", 1, 1))
			if err := f.Maintain(t.Context(), time.Now(), true); err != nil {
				t.Fatal(err)
			}
			id := f.IndexID()
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if lost != "the list of folders" {
				if err := os.Truncate(databaseOf(t, dir), 0); err != nil {
					t.Fatal(err)
				}
			}
			if lost != "the database" {
				if err := os.WriteFile(filepath.Join(dir, "main.db"), []byte("nonsense nonsense nonsense nonsense nonsense nonsense nonsense nonsense nonsense nonsense nonsense nonsense nonsense"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			s = openTestStore(t, dir, SQLiteOptions{})
			if _, err := s.Folder("docs"); lost != "the list of folders" {
				if fault.CodeOf(err) != codeDamaged {
					t.Fatalf("opening gives %v, want index-damaged", err)
				}
				if err := s.Rebuild(t.Context(), "docs"); err != nil {
					t.Fatal(err)
				}
			}
			f = openTestFolder(t, s)
			if _, ok := f.Recovery(); !ok || f.IndexID() == id {
				t.Errorf("in recovery is %v, the index ID is %v and was %v", ok, f.IndexID(), id)
			}
			if _, ok, err := f.Local(relpath.MustParse("a")); !ok || err != nil {
				t.Errorf("the record was not saved: %v", err)
			}
		})
	}
}

func TestASnapshotIsTakenOnceADay(t *testing.T) {
	for _, exclusive := range []bool{false, true} {
		dir := t.TempDir()
		f := openTestFolder(t, openTestStore(t, dir, SQLiteOptions{Exclusive: exclusive}))
		now := time.Now()
		maintain := func(at time.Time) {
			t.Helper()
			if err := f.Maintain(t.Context(), at, true); err != nil {
				t.Fatal(err)
			}
		}
		size := func() int64 {
			info, err := os.Stat(f.path + snapshotSuffix)
			if err != nil {
				return 0
			}
			return info.Size()
		}
		maintain(now)
		if size() != 0 {
			t.Error("an empty index was saved")
		}
		update(t, f, testRecord("a", 1, 1))
		maintain(now)
		first := size()
		var many []Record
		for i := range 200 {
			many = append(many, testRecord(fmt.Sprint("n", i), 9, uint64(i)))
		}
		update(t, f, many...)
		maintain(now.Add(time.Hour))
		if first == 0 || size() != first {
			t.Errorf("the first snapshot has %d bytes, an hour later it has %d", first, size())
		}
		maintain(now.Add(25 * time.Hour))
		if size() <= first {
			t.Errorf("a day later the snapshot has %d bytes, and had %d", size(), first)
		}
	}
}

func TestARebuildThatIsCutShortLeavesEverything(t *testing.T) {
	dir := t.TempDir()
	_, want, end := filled(t, dir)
	end()
	b, err := os.ReadFile(databaseOf(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	clear(b[8192:12288])
	if err := os.WriteFile(databaseOf(t, dir), b, 0o600); err != nil {
		t.Fatal(err)
	}
	s := openTestStore(t, dir, SQLiteOptions{})
	f, err := s.Folder("docs")
	if err == nil {
		err = f.Check(t.Context())
	}
	if fault.CodeOf(err) != codeDamaged {
		t.Fatalf("the damage gives %v", err)
	}
	file := databaseOf(t, dir)
	ctx, cancel := cancelled(t)
	defer cancel()
	if err := s.Rebuild(ctx, "docs"); err == nil {
		t.Fatal("a rebuild without time succeeded")
	}
	if databaseOf(t, dir) != file {
		t.Error("another file is in its place")
	}
	if n := rebuilt(t, s, want, "afterwards"); n < len(want.Locals)/2 {
		t.Errorf("%d records were saved", n)
	}
	if found, _ := filepath.Glob(filepath.Join(dir, "*"+damagedInfix+"*")); len(found) == 0 {
		t.Error("the damaged file was not set aside")
	}
}

func cancelled(t *testing.T) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx, cancel
}

func TestAnExportIsReadableWithoutThisProgram(t *testing.T) {
	for _, exclusive := range []bool{false, true} {
		dir := t.TempDir()
		f := openTestFolder(t, openTestStore(t, dir, SQLiteOptions{Exclusive: exclusive}))
		r := testRecord("it's", 9, 5)
		r.Flags = MustRescan
		update(t, f, r, testRecord("b", 1, 1))
		if err := f.UpdateRemote(otherDevice, []bep.FileInfo{r.FileInfo}); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, "ex'port.db")
		if err := f.Export(t.Context(), file); err != nil {
			t.Fatal(err)
		}
		c, err := openConn(file)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.first(`SELECT name || '|' || type || '|' || flags || '|' || devices || '|' || size || '|' || version FROM v_rec WHERE name <> 'b'`)
		want := fmt.Sprintf("it's|file|global must-rescan|this %s|%d|%s:5", otherDevice.Short(), r.Size, device.ShortID(1))
		if got != want || err != nil {
			t.Errorf("the export says %q, %v, want %q", got, err, want)
		}
		if err := c.close(); err != nil {
			t.Fatal(err)
		}
		if err := f.Export(t.Context(), file); !errors.Is(err, os.ErrExist) {
			t.Errorf("an export to a file that is there gives %v", err)
		}
		ctx, cancel := cancelled(t)
		if err := f.Export(ctx, file+"2"); err == nil {
			t.Error("an export whose time is over gave no error")
		}
		cancel()
		if _, err := os.Stat(file + "2"); err == nil {
			t.Error("it left a file")
		}
		update(t, f, testRecord("c", 1, 1))
	}
}

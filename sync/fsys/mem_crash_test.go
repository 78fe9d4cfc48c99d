package fsys_test

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lanyard/sync/fsys"
	"lanyard/sync/relpath"
)

const crashes = 400 // crashes drawn from one instant

func path(s string) relpath.Path { return relpath.MustParse(s) }

// must ends the test where a step of its story fails.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// write makes a temporary file with data; sync says whether it is made durable.
func write(t testing.TB, f fsys.FS, name, data string, sync bool) {
	t.Helper()
	h, err := f.Create(path(name))
	must(t, err)
	_, err = h.WriteAt([]byte(data), 0)
	must(t, err)
	if sync {
		must(t, f.SyncFiles([]fsys.File{h}))
	}
	must(t, h.Close())
}

// outcomes gives every content that name has after crashes of m; "-" is
// absent.
func outcomes(m *fsys.Mem, name string) []string {
	var seen []string
	rng := rand.New(rand.NewPCG(1, 2))
	for range crashes {
		got := "-"
		if data, err := m.Crash(rng).User().ReadFile(name); err == nil {
			got = string(data)
		}
		if !slices.Contains(seen, got) {
			seen = append(seen, got)
		}
	}
	slices.Sort(seen)
	return seen
}

func both(t *testing.T, f func(t *testing.T, o fsys.MemOptions)) {
	t.Run("journal", func(t *testing.T) { f(t, fsys.MemOptions{}) })
	t.Run("strict", func(t *testing.T) { f(t, fsys.MemOptions{StrictDirSync: true}) })
}

func TestDataThenRenameThenDirectorySyncSurvivesEveryCrash(t *testing.T) {
	both(t, func(t *testing.T, o fsys.MemOptions) {
		m := fsys.NewMem(o)
		must(t, m.User().WriteFile("a", []byte("old")))
		m.User().Sync()
		write(t, m, "tmp", "new", true)
		must(t, m.Rename(path("tmp"), path("a")))
		must(t, m.SyncDirs([]relpath.Path{relpath.Root}))
		if got := outcomes(m, "a"); !cmp.Equal(got, []string{"new"}) {
			t.Errorf("after crashes: %q, want only the new content", got)
		}
		if got := outcomes(m, "tmp"); !cmp.Equal(got, []string{"-"}) {
			t.Errorf("temporary file after crashes: %q, want it gone", got)
		}
	})
}

func TestRenameWithoutDirectorySyncMayBeLost(t *testing.T) {
	both(t, func(t *testing.T, o fsys.MemOptions) {
		m := fsys.NewMem(o)
		must(t, m.User().WriteFile("a", []byte("old")))
		m.User().Sync()
		write(t, m, "tmp", "new", true)
		must(t, m.Rename(path("tmp"), path("a")))
		if got := outcomes(m, "a"); !cmp.Equal(got, []string{"new", "old"}) {
			t.Errorf("after crashes: %q, want the old or the new content", got)
		}
	})
}

func TestRenameOfUnsyncedDataMayComeBackEmptyOrCut(t *testing.T) {
	m := fsys.NewMem(fsys.MemOptions{})
	data := strings.Repeat("x", 3*4096)
	write(t, m, "tmp", data, false)
	must(t, m.Rename(path("tmp"), path("a")))
	must(t, m.SyncDirs([]relpath.Path{relpath.Root}))
	got := outcomes(m, "a")
	if !slices.Contains(got, "") || !slices.Contains(got, data) {
		t.Error("empty and whole content must both be possible")
	}
	torn := func(s string) bool { return len(s) == len(data) && strings.Contains(s, "\x00") }
	cut := func(s string) bool { return len(s) > 0 && len(s) < len(data) }
	if !slices.ContainsFunc(got, torn) || !slices.ContainsFunc(got, cut) {
		t.Error("a prefix and missing pages must both be possible")
	}
	if slices.Contains(got, "-") {
		t.Error("a durable name must not vanish")
	}
}

func TestStrictSyncOfAnotherDirectoryDoesNotKeepARename(t *testing.T) {
	story := func(strict bool) []string {
		m := fsys.NewMem(fsys.MemOptions{StrictDirSync: strict})
		must(t, m.User().MkdirAll("d"))
		must(t, m.User().MkdirAll("e"))
		m.User().Sync()
		write(t, m, "d/tmp", "new", true)
		must(t, m.Rename(path("d/tmp"), path("d/a")))
		must(t, m.SyncDirs([]relpath.Path{path("e")}))
		return outcomes(m, "d/a")
	}
	if got := story(true); !cmp.Equal(got, []string{"-", "new"}) {
		t.Errorf("strict: %q, want absent or new", got)
	}
	if got := story(false); !cmp.Equal(got, []string{"new"}) {
		t.Errorf("journal: %q, want new", got)
	}
}

func TestSyncOfANewDirectoryAloneDoesNotKeepItsOwnNameWhenStrict(t *testing.T) {
	m := fsys.NewMem(fsys.MemOptions{StrictDirSync: true})
	must(t, m.Mkdir(path("d"), 0o755))
	write(t, m, "d/a", "x", true)
	must(t, m.SyncDirs([]relpath.Path{path("d")}))
	if got := outcomes(m, "d/a"); !cmp.Equal(got, []string{"-", "x"}) {
		t.Errorf("after crashes: %q, want absent or x", got)
	}
	must(t, m.SyncDirs([]relpath.Path{relpath.Root}))
	if got := outcomes(m, "d/a"); !cmp.Equal(got, []string{"x"}) {
		t.Errorf("with the parent synced: %q, want x", got)
	}
}

func TestCrashNeverSplitsAnOperation(t *testing.T) {
	both(t, func(t *testing.T, o fsys.MemOptions) {
		m := fsys.NewMem(o)
		for _, d := range []string{"d", "e"} {
			must(t, m.User().MkdirAll(d))
		}
		must(t, m.User().WriteFile("d/a", []byte("A")))
		must(t, m.User().WriteFile("e/b", []byte("B")))
		must(t, m.User().WriteFile("d/c", []byte("C")))
		m.User().Sync()
		must(t, m.Exchange(path("d/a"), path("e/b")))
		must(t, m.Rename(path("d/c"), path("e/c")))
		rng := rand.New(rand.NewPCG(3, 4))
		for range crashes {
			tree := m.Crash(rng).User().Tree()
			held := ""
			for _, n := range []string{"d/a", "e/b", "d/c", "e/c"} {
				held += string(tree[n].Content)
			}
			if held != "ABC" && held != "BAC" {
				t.Fatalf("a crash left %q in d/a, e/b, d/c, e/c; want each content once", held)
			}
		}
	})
}

func TestAnUndoneRemovalBringsTheContentBack(t *testing.T) {
	m := fsys.NewMem(fsys.MemOptions{})
	must(t, m.User().WriteFile("a", []byte("kept")))
	m.User().Sync()
	must(t, m.Remove(path("a")))
	if got := outcomes(m, "a"); !cmp.Equal(got, []string{"-", "kept"}) {
		t.Errorf("after crashes: %q, want absent or whole", got)
	}
}

func TestCrashRepeatsFromItsSeedAndLeavesTheOriginalAlone(t *testing.T) {
	m := fsys.NewMem(fsys.MemOptions{})
	for _, n := range []string{"a", "b", "c", "d"} {
		write(t, m, n, strings.Repeat(n, 9000), n < "c")
	}
	before := m.User().Tree()
	one := m.Crash(rand.New(rand.NewPCG(5, 6))).User().Tree()
	two := m.Crash(rand.New(rand.NewPCG(5, 6))).User().Tree()
	if diff := cmp.Diff(one, two); diff != "" {
		t.Errorf("two crashes from one seed differ:\n%s", diff)
	}
	if diff := cmp.Diff(before, m.User().Tree()); diff != "" {
		t.Errorf("a crash changed the running file system:\n%s", diff)
	}
}

func TestAHookMayFailACallOrEditBeforeIt(t *testing.T) {
	m := fsys.NewMem(fsys.MemOptions{})
	must(t, m.User().WriteFile("a", []byte("1")))
	m.SetHook(func(op fsys.Op) error {
		if op.Name == fsys.OpRename {
			return m.User().WriteFile("b", []byte("edit"))
		}
		return nil
	})
	must(t, m.Rename(path("a"), path("c")))
	if _, err := m.User().ReadFile("b"); err != nil {
		t.Errorf("the edit before the rename is missing: %v", err)
	}
	m.SetHook(fsys.FailNth(2, fsys.ErrNoSpace))
	must(t, m.Mkdir(path("d"), 0o755))
	if err := m.Mkdir(path("e"), 0o755); !errors.Is(err, fsys.ErrNoSpace) {
		t.Errorf("second call: %v, want ErrNoSpace", err)
	}
	must(t, m.Mkdir(path("e"), 0o755))
}

func TestAnEditAlwaysMovesAStampEvenIfTheClockStands(t *testing.T) {
	m := fsys.NewMem(fsys.MemOptions{})
	must(t, m.User().WriteFile("a", []byte("1")))
	before, err := m.Lstat(path("a"))
	must(t, err)
	must(t, m.User().WriteFile("a", []byte("2")))
	must(t, m.User().Chtimes("a", before.Mtime))
	after, err := m.Lstat(path("a"))
	must(t, err)
	if before.Same(after) {
		t.Errorf("stat did not move: %+v", after)
	}
}

func TestAMissingRootFailsEveryCall(t *testing.T) {
	m := fsys.NewMem(fsys.MemOptions{})
	must(t, m.User().WriteFile("a", nil))
	m.SetRoot(fsys.RootGone)
	if _, err := m.ReadDir(relpath.Root); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("listing a vanished root: %v", err)
	}
	if err := m.Check(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("checking a vanished root: %v", err)
	}
	m.SetRoot(fsys.RootReplaced)
	if err := m.Check(); !errors.Is(err, fsys.ErrRootChanged) {
		t.Errorf("checking a replaced root: %v", err)
	}
}

func TestAFullDiskRefusesDataAndTakesItAgainAfterARemoval(t *testing.T) {
	m := fsys.NewMem(fsys.MemOptions{Capacity: 8192})
	write(t, m, "a", strings.Repeat("x", 5000), true)
	f, err := m.Create(path("b"))
	must(t, err)
	if _, err := f.WriteAt([]byte("y"), 0); !errors.Is(err, fsys.ErrNoSpace) {
		t.Errorf("write on a full disk: %v, want ErrNoSpace", err)
	}
	if err := f.Reserve(1); !errors.Is(err, fsys.ErrNoSpace) {
		t.Errorf("reserve on a full disk: %v, want ErrNoSpace", err)
	}
	must(t, m.Remove(path("a")))
	_, err = f.WriteAt([]byte("y"), 0)
	must(t, err)
	must(t, f.Close())
}

func TestCaseAndNormalFormFoldAsTheOptionsSay(t *testing.T) {
	m := fsys.NewMem(fsys.MemOptions{CaseInsensitive: true, Decompose: true})
	must(t, m.User().WriteFile("\u00c4", []byte("x"))) // composed A with dots
	list, err := m.ReadDir(relpath.Root)
	must(t, err)
	if len(list) != 1 || list[0].Name != "A\u0308" {
		t.Errorf("listing %+v, want the decomposed name", list)
	}
	if _, err := m.Lstat(path("\u00e4")); err != nil {
		t.Errorf("the name in the other case and form: %v", err)
	}
	must(t, m.Rename(path("\u00c4"), path("\u00e4")))
	list, err = m.ReadDir(relpath.Root)
	must(t, err)
	if len(list) != 1 || list[0].Name != "a\u0308" {
		t.Errorf("listing %+v after a change of case, want the new spelling", list)
	}
	if err := m.Mkdir(path("\u00c4"), 0o755); !errors.Is(err, fs.ErrExist) {
		t.Errorf("making the name again: %v, want fs.ErrExist", err)
	}
}

func TestASparseFileOfATebibyteCostsOnlyWhatIsWritten(t *testing.T) {
	m := fsys.NewMem(fsys.MemOptions{Capacity: 1 << 20})
	f, err := m.Create(path("big"))
	must(t, err)
	must(t, f.Truncate(1<<40))
	_, err = f.WriteAt([]byte("end"), 1<<40-3)
	must(t, err)
	got := make([]byte, 4)
	if n, err := f.ReadAt(got, 1<<40-4); n != 4 || err != nil || string(got) != "\x00end" {
		t.Errorf("read %q, %d, %v", got, n, err)
	}
	must(t, f.Close())
}

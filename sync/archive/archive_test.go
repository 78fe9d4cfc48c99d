package archive

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"lanyard/sync/fsys"
	"lanyard/sync/fsys/fsystest"
	"lanyard/sync/relpath"
)

var now = time.Date(2026, 11, 21, 1, 31, 4, 500, time.UTC)

const day = 24 * time.Hour

// fixture is a Store in memory.
type fixture struct {
	*Store
	t    *testing.T
	mem  *fsys.Mem
	user fsys.User
}

func newFixture(t *testing.T, o fsys.MemOptions) *fixture {
	o.Now = func() time.Time { return now }
	mem := fsys.NewMem(o)
	return &fixture{
		Store: New(Options{FS: mem, Location: time.UTC}), t: t, mem: mem, user: mem.User(),
	}
}

func (f *fixture) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) write(name, text string) {
	f.t.Helper()
	f.must(f.user.MkdirAll(relpath.MustParse(name).Dir().String()))
	f.must(f.user.WriteFile(name, []byte(text)))
}

// archive moves a file into the store, as a pull does.
func (f *fixture) archive(name string, at time.Time) relpath.Path {
	f.t.Helper()
	p := relpath.MustParse(name)
	dst, _, err := f.Prepare(p, at)
	f.must(err)
	f.must(f.mem.RenameNoReplace(p, dst))
	return dst
}

// files gives the content of all regular files.
func (f *fixture) files() map[string]string {
	all := map[string]string{}
	for name, node := range f.user.Tree() {
		if node.Kind == fsys.Regular {
			all[name] = string(node.Content)
		}
	}
	return all
}

func (f *fixture) wantFiles(want map[string]string) {
	f.t.Helper()
	if diff := cmp.Diff(want, f.files()); diff != "" {
		f.t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestName(t *testing.T) {
	tests := []struct{ name, of, want string }{
		{"the tag stands before the extension", "sub/big.bin", ".stversions/sub/big~20261121-013104.bin"},
		{"without an extension it ends the name", "Makefile", ".stversions/Makefile~20261121-013104"},
		{"a dotfile is all extension", ".profile", ".stversions/~20261121-013104.profile"},
		{"a long name is cut and marked", strings.Repeat("ä", 125) + ".txt", ".stversions/" + strings.Repeat("ä", 109) + "#3fbf9e10c08a67a3~20261121-013104.txt"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := newFixture(t, fsys.MemOptions{}).Name(relpath.MustParse(tt.of), now)
			if err != nil || got.String() != tt.want {
				t.Errorf("Name(%q) = %q, %v; want %q", tt.of, got, err, tt.want)
			}
		})
	}
}

func TestATakenNameIsTriedASecondLater(t *testing.T) {
	f := newFixture(t, fsys.MemOptions{})
	for i := range 3 {
		f.write("a.txt", fmt.Sprint(i))
		f.archive("a.txt", now)
	}
	f.wantFiles(map[string]string{
		".stversions/a~20261121-013104.txt": "0",
		".stversions/a~20261121-013105.txt": "1",
		".stversions/a~20261121-013106.txt": "2",
	})
}

func TestThePathInTheStoreIsBounded(t *testing.T) {
	deep, err := relpath.Parse(strings.Repeat("d/", 1023) + "f")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := newFixture(t, fsys.MemOptions{}).Name(deep, now); err == nil {
		t.Errorf("Name of a path 1024 deep = %q, want an error", got)
	}
}

func TestPrepareMakesTheMissingDirectories(t *testing.T) {
	f := newFixture(t, fsys.MemOptions{})
	for _, want := range []string{"[.stversions .stversions/a .stversions/a/b]", "[]"} {
		dst, made, err := f.Prepare(relpath.MustParse("a/b/c.txt"), now)
		f.must(err)
		if fmt.Sprint(made) != want || dst.String() != ".stversions/a/b/c~20261121-013104.txt" {
			t.Errorf("Prepare = %s, new directories %v; want %s", dst, made, want)
		}
	}
}

func TestALinkInTheStoreIsNeverFollowed(t *testing.T) {
	f := newFixture(t, fsys.MemOptions{})
	f.write("elsewhere/old~20200101-000000.txt", "keep")
	f.must(f.user.MkdirAll(".stversions"))
	f.must(f.user.Symlink("../elsewhere", ".stversions/sub"))
	if _, _, err := f.Prepare(relpath.MustParse("sub/x"), now); !errors.Is(err, fsys.ErrNotDirectory) {
		t.Errorf("Prepare below a link = %v, want %v", err, fsys.ErrNotDirectory)
	}
	if all, err := f.ListAll(); err != nil || len(all) != 0 {
		t.Errorf("ListAll = %v, %v; want nothing", all, err)
	}
	_, err := f.Prune(now)
	f.must(err)
	f.wantFiles(map[string]string{"elsewhere/old~20200101-000000.txt": "keep"})
}

func TestAStoreThatIsALinkIsRefused(t *testing.T) {
	f := newFixture(t, fsys.MemOptions{})
	f.must(f.user.MkdirAll("elsewhere"))
	f.must(f.user.Symlink("elsewhere", ".stversions"))
	if _, _, err := f.Prepare(relpath.MustParse("x"), now); !errors.Is(err, fsys.ErrNotDirectory) {
		t.Errorf("Prepare = %v, want %v", err, fsys.ErrNotDirectory)
	}
	if _, err := f.Prune(now); err == nil {
		t.Error("Prune of a link succeeded, want an error")
	}
}

func TestListGivesTheVersionsOfOneFileNewestFirst(t *testing.T) {
	f := newFixture(t, fsys.MemOptions{})
	long := strings.Repeat("x", 250)
	for i, name := range []string{"a.txt", "a.txt", "b.txt", "sub/a.txt", long + "1.txt", long + "2.txt"} {
		f.write(name, "x")
		f.archive(name, now.Add(time.Duration(i)*time.Hour))
	}
	f.write(".stversions/a.txt", "no tag: not ours")
	list := func(name string) (got []string) {
		versions, err := f.List(relpath.MustParse(name))
		f.must(err)
		for _, v := range versions {
			if v.Path.String() != name {
				t.Errorf("version %+v is listed for %s", v, name)
			}
			got = append(got, v.Time.Format(time.TimeOnly))
		}
		return got
	}
	for name, want := range map[string][]string{
		"a.txt": {"02:31:04", "01:31:04"}, "b.txt": {"03:31:04"}, "sub/a.txt": {"04:31:04"},
		long + "1.txt": {"05:31:04"}, long + "2.txt": {"06:31:04"}, "none/c.txt": nil,
	} {
		if diff := cmp.Diff(want, list(name)); diff != "" {
			t.Errorf("versions of %s (-want +got):\n%s", name, diff)
		}
	}
	all, err := f.ListAll()
	f.must(err)
	if len(all) != 6 || all[0].Path.String() != "a.txt" || !all[0].Time.After(all[1].Time) {
		t.Errorf("ListAll = %+v; want six, a.txt's newest first", all)
	}
}

func TestPruneRemovesWhatIsOverAge(t *testing.T) {
	f := newFixture(t, fsys.MemOptions{})
	f.write("old/gone.txt", "1")
	f.archive("old/gone.txt", now.Add(-31*day))
	f.write("a.txt", "22")
	f.archive("a.txt", now.Add(-31*day))
	f.write("a.txt", "3")
	kept := f.archive("a.txt", now.Add(-29*day))
	f.write(".stversions/mine.txt", "no tag: not ours")
	done, err := f.Prune(now)
	f.must(err)
	if want := (Pruned{Files: 2, Bytes: 3, Since: now.Add(-29 * day).Truncate(time.Second)}); done != want {
		t.Errorf("Prune = %+v, want %+v", done, want)
	}
	f.wantFiles(map[string]string{kept.String(): "3", ".stversions/mine.txt": "no tag: not ours"})
	if _, there := f.user.Tree()[".stversions/old"]; there {
		t.Error("an empty directory is left in the store")
	}
}

func TestPruneMakesSpaceOldestFirstButKeepsTheLastOfADeletedFile(t *testing.T) {
	f := newFixture(t, fsys.MemOptions{Capacity: 1 << 20})
	big := strings.Repeat("x", 60_000)
	f.write("deleted.bin", big)
	deleted := f.archive("deleted.bin", now.Add(-9*day))
	for i := range 4 {
		f.write("live.bin", big)
		f.archive("live.bin", now.Add(-time.Duration(8-i)*day))
	}
	f.write("live.bin", "now")
	done, err := f.Prune(now)
	f.must(err)
	if !done.Early || done.Files != 4 {
		t.Errorf("Prune = %+v, want the four of the file that exists gone early", done)
	}
	f.wantFiles(map[string]string{deleted.String(): big, "live.bin": "now"})
}

func TestPruneRemovesNothingYoungWhereThereIsSpace(t *testing.T) {
	f := newFixture(t, fsys.MemOptions{Capacity: 1 << 30})
	f.write("a", "x")
	kept := f.archive("a", now.Add(-30*day+time.Second))
	done, err := f.Prune(now)
	f.must(err)
	if done.Files != 0 || done.Early {
		t.Errorf("Prune = %+v, want nothing removed", done)
	}
	f.wantFiles(map[string]string{kept.String(): "x"})
}

func TestPruneGoesOnAfterAVersionThatCannotBeRemoved(t *testing.T) {
	f := newFixture(t, fsys.MemOptions{})
	refused := errors.New("refused")
	for _, name := range []string{"a", "b"} {
		f.write(name, "x")
		f.archive(name, now.Add(-40*day))
	}
	f.mem.SetHook(func(op fsys.Op) error {
		if op.Name == fsys.OpRemove && strings.HasPrefix(op.Paths[0], ".stversions/a~") {
			return refused
		}
		return nil
	})
	done, err := f.Prune(now)
	if !errors.Is(err, refused) || done.Files != 1 {
		t.Errorf("Prune = %+v, %v; want one file removed and %v", done, err, refused)
	}
}

func TestRestore(t *testing.T) {
	for system, o := range systems {
		t.Run(system, func(t *testing.T) {
			f := newFixture(t, o)
			f.write("d/a.txt", "old")
			f.must(f.user.Chmod("d/a.txt", 0o640))
			f.must(f.user.Chtimes("d/a.txt", 12345))
			version := f.archive("d/a.txt", now.Add(-day))
			p, at := relpath.MustParse("d/a.txt"), now.Add(-day)

			f.must(f.Restore(p, at, p, now))
			f.wantFiles(map[string]string{version.String(): "old", "d/a.txt": "old"})
			if n := f.user.Tree()["d/a.txt"]; n.Mode != 0o640 || n.Mtime != 12345 {
				t.Errorf("restored with mode %o and time %d, want those of the version", n.Mode, n.Mtime)
			}

			f.write("d/a.txt", "new")
			f.must(f.Restore(p, at, p, now))
			var kept []string
			for name, text := range f.files() {
				if text == "new" {
					kept = append(kept, name)
				}
			}
			if len(kept) != 1 || !strings.HasPrefix(kept[0], ".stversions/d/a~20261121-0131") || len(f.files()) != 3 {
				t.Errorf("files %v; want the old content restored and the new one in the store", f.files())
			}

			other := relpath.MustParse("new/place/b.txt")
			f.must(f.Restore(p, at, other, now))
			if f.files()[other.String()] != "old" {
				t.Errorf("files %v; want %s restored", f.files(), other)
			}
		})
	}
}

func TestRestoreRefuses(t *testing.T) {
	f := newFixture(t, fsys.MemOptions{})
	f.write("a", "x")
	f.archive("a", now)
	f.must(f.user.MkdirAll("dir"))
	f.must(f.user.Special("fifo"))
	before := f.files()
	tests := []struct {
		name string
		at   time.Time
		to   relpath.Path
		want error
	}{
		{"a time without a version", now.Add(time.Hour), relpath.MustParse("a"), ErrNoVersion},
		{"a directory as target", now, relpath.MustParse("dir"), ErrInTheWay},
		{"a special file as target", now, relpath.MustParse("fifo"), ErrInTheWay},
		{"the store as target", now, relpath.MustParse(".stversions/x"), ErrInTheWay},
		{"the root as target", now, relpath.Root, ErrInTheWay},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := f.Restore(relpath.MustParse("a"), tt.at, tt.to, now); !errors.Is(err, tt.want) {
				t.Errorf("Restore = %v, want %v", err, tt.want)
			}
			f.wantFiles(before)
		})
	}
}

func TestNoFailureOfAnyCallOfARestoreHarms(t *testing.T) {
	p := relpath.MustParse("a")
	for _, o := range systems {
		o.StrictDirSync = true
		fsystest.Sweep(t, func(t *testing.T) fsystest.World {
			f := newFixture(t, o)
			f.write("a", "old")
			version := f.archive("a", now.Add(-day))
			f.write("a", "new")
			f.user.Sync()
			var restored error
			return fsystest.World{
				Disk: f.mem,
				Work: func() { restored = f.Restore(p, now.Add(-day), p, now) },
				Check: func() error {
					files := f.files()
					switch after := f.mem.Crash(rand.New(rand.NewPCG(1, 1))).User(); {
					case files[version.String()] != "old", !holds(files, "", "new"), files["a"] != "old" && files["a"] != "new":
						return fmt.Errorf("the files are %v", files)
					case restored == nil && files["a"] != "old":
						return fmt.Errorf("restored, the files are %v", files)
					case restored == nil && string(after.Tree()["a"].Content) != "old":
						return errors.New("restored, and undone by a power cut")
					}
					return nil
				},
				Again: func() error {
					restored = f.Restore(p, now.Add(-day), p, now.Add(time.Hour))
					return restored
				},
			}
		})
	}
}

func TestARestoreThatEndsInACrashLosesNothing(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		f := newFixture(t, fsys.MemOptions{NoExchange: seed%2 == 1, NoLinks: seed%8 > 4, StrictDirSync: seed%4 < 2})
		f.write("a", "old")
		version := f.archive("a", now.Add(-day))
		f.write("a", "new")
		f.user.Sync()
		var crashed *fsys.Mem
		at, calls := rng.IntN(25), 0
		f.mem.SetHook(func(fsys.Op) error {
			if calls++; calls > at {
				return errors.New("no power")
			}
			return nil
		})
		err := f.Restore(relpath.MustParse("a"), now.Add(-day), relpath.MustParse("a"), now)
		crashed = f.mem.Crash(rng)
		after := &fixture{t: t, mem: crashed, user: crashed.User()}
		files := after.files()
		if files[version.String()] != "old" || !holds(files, "", "new") {
			t.Fatalf("seed %d: after the crash the files are %v", seed, files)
		}
		if err == nil && files["a"] != "old" {
			t.Fatalf("seed %d: Restore returned, and after the crash the files are %v", seed, files)
		}
		if files["a"] != "old" && files["a"] != "new" {
			t.Fatalf("seed %d: torn content: %v", seed, files)
		}
	}
}

// holds reports whether some file whose name begins with prefix, and that is
// not temporary, has the content.
func holds(files map[string]string, prefix, content string) bool {
	for name, text := range files {
		if strings.HasPrefix(name, prefix) && text == content && !strings.Contains(name, relpath.TempPrefix) {
			return true
		}
	}
	return false
}

func TestWhatAnInterruptedRestoreLeftGoesAfterADay(t *testing.T) {
	f := newFixture(t, fsys.MemOptions{NoCtime: true})
	f.write(".stversions/.syncthing.restore.x.tmp", "half")
	f.must(f.user.Chtimes(".stversions/.syncthing.restore.x.tmp", now.UnixNano()))
	_, err := f.Prune(now.Add(23 * time.Hour))
	f.must(err)
	f.wantFiles(map[string]string{".stversions/.syncthing.restore.x.tmp": "half"})
	_, err = f.Prune(now.Add(25 * time.Hour))
	f.must(err)
	f.wantFiles(map[string]string{})
}

func TestEveryNameIsBoundedAndReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := relpath.Normal(rapid.OneOf(rapid.String(), rapid.StringMatching(`(a|ä|\.|~){0,200}`)).Draw(t, "base"))
		p, err := relpath.Parse(base)
		if err != nil || p.Depth() != 1 {
			t.Skip("not a name")
		}
		name := tagged(base, now.Format(tagForm))
		got, at, ok := untag(name, time.UTC)
		if len(name) > relpath.MaxComponent || !ok || !at.Equal(now.Truncate(time.Second)) {
			t.Fatalf("%q became %q, read back as %q, %v, %v", base, name, got, at, ok)
		}
		if len(base)+tagLen <= relpath.MaxComponent && got != base {
			t.Fatalf("%q became %q, read back as %q", base, name, got)
		}
	})
}

func TestAPartOfTheVersionsIsReadWithoutALookAtTheOthers(t *testing.T) {
	f := newFixture(t, fsys.MemOptions{})
	long := strings.Repeat("long", 60) + ".txt"
	for i := range 30 {
		for _, name := range []string{"sub/plan.txt", "sub/plan", "sub/plan~1.txt", "sub/" + long} {
			f.write(name, fmt.Sprint(name, i))
			f.archive(name, now.Add(time.Duration(i)*time.Minute))
		}
	}
	f.write(".stversions/sub/plan~20260230-010101.txt", "no time")
	f.write(".stversions/sub/plan~20260228-0101012.txt", "no time")
	f.write("sub/plan~20260101-000000.txt", "one of another file")
	f.archive("sub/plan~20260101-000000.txt", now)
	looks := 0
	f.mem.SetHook(func(op fsys.Op) error {
		if op.Name == fsys.OpLstat {
			looks++
		}
		return nil
	})
	for _, name := range []string{"sub/plan.txt", "sub/plan", "sub/" + long} {
		p := relpath.MustParse(name)
		all, err := f.List(p)
		f.must(err)
		if len(all) != 30 {
			t.Fatalf("%s: %d versions", name, len(all))
		}
		for _, w := range []struct{ from, most, n int }{{0, 7, 7}, {25, 10, 5}, {30, 5, 0}, {99, 1, 0}, {0, 100, 30}} {
			looks = 0
			got, total, err := f.Part(p, w.from, w.most)
			f.must(err)
			var want []Version
			if w.n > 0 {
				want = all[w.from : w.from+w.n]
			}
			if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b Version) bool { return a == b })); diff != "" || total != 30 || looks != w.n {
				t.Errorf("%s, %d from %d: %d in all, %d looks, want 30 and %d (-want +got):\n%s", name, w.most, w.from, total, looks, w.n, diff)
			}
		}
	}
}

func TestListingWithoutAStoreIsEmpty(t *testing.T) {
	f := newFixture(t, fsys.MemOptions{})
	if all, err := f.ListAll(); err != nil || len(all) != 0 {
		t.Errorf("ListAll = %v, %v; want nothing", all, err)
	}
	if _, err := f.mem.Lstat(relpath.MustParse(".stversions")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("listing made the store: %v", err)
	}
}

// Whoever saves in place the file that a restore replaces keeps what he saved,
// whatever the moment: under its name, or as a version.
func TestARestoreLosesNoSave(t *testing.T) {
	for _, o := range []fsys.MemOptions{{}, {NoExchange: true}} {
		for moment := range 40 {
			f := newFixture(t, o)
			f.write("a", "old")
			version := f.archive("a", now.Add(-day))
			f.write("a", "new")
			calls := 0
			f.mem.SetHook(func(fsys.Op) error {
				if calls++; calls == moment+1 {
					f.must(f.user.WriteFile("a", []byte("saved")))
				}
				return nil
			})
			err := f.Restore(relpath.MustParse("a"), now.Add(-day), relpath.MustParse("a"), now)
			f.mem.SetHook(nil)
			if calls <= moment {
				break
			}
			if files := f.files(); files[version.String()] != "old" || !holds(files, "", "saved") {
				t.Errorf("saved before call %d (%v) the files are %v", moment, err, files)
			}
		}
	}
}

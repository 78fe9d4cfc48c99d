package fsys_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"lanyard/sync/fsys"
	"lanyard/sync/relpath"
)

// some are the names that random operations use.
var some = []string{"a", "b", "c", "d", "d/a", "d/b", "e", "e/a", "e/c"}

// disturb makes one random operation; most of the wrong ones fail, which is
// part of the story.
func disturb(t *rapid.T, m *fsys.Mem) {
	u := m.User()
	x, y := rapid.SampledFrom(some).Draw(t, "x"), rapid.SampledFrom(some).Draw(t, "y")
	switch rapid.IntRange(0, 6).Draw(t, "operation") {
	case 0, 1:
		_ = u.WriteFile(x, []byte(x+rapid.StringMatching("[0-9]{1,6}").Draw(t, "data")))
	case 2:
		_ = m.Mkdir(path(x), 0o755)
	case 3:
		_ = m.Rename(path(x), path(y))
	case 4:
		_ = m.Exchange(path(x), path(y))
	case 5:
		_ = m.Remove(path(x))
	case 6:
		_ = m.Symlink("t", path(x))
	}
}

// shape is a tree's names and kinds in one line.
func shape(m *fsys.Mem) string {
	var b strings.Builder
	tree := m.User().Tree()
	for _, p := range slices.Sorted(maps.Keys(tree)) {
		b.WriteString(p)
		b.WriteByte("?-/@!"[tree[p].Kind])
		b.WriteByte(' ')
	}
	return b.String()
}

func TestACrashLeavesTheNamesOfSomeEarlierInstant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := fsys.NewMem(fsys.MemOptions{})
		var history []string
		for range rapid.IntRange(0, 30).Draw(t, "operations") {
			if rapid.IntRange(0, 9).Draw(t, "sync") == 0 {
				if err := m.SyncDirs([]relpath.Path{relpath.Root}); err != nil {
					t.Fatal(err)
				}
				history = nil
			}
			history = append(history, shape(m))
			disturb(t, m)
		}
		history = append(history, shape(m))
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		for range 10 {
			if got := shape(m.Crash(rng)); !slices.Contains(history, got) {
				t.Fatalf("a crash left %q, which never was since the last sync:\n%s",
					got, strings.Join(history, "\n"))
			}
		}
	})
}

func TestACrashOfAStrictDiskLosesNoDirectoryThatIsNotItsOwn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := fsys.NewMem(fsys.MemOptions{StrictDirSync: true})
		for range rapid.IntRange(0, 30).Draw(t, "operations") {
			disturb(t, m)
		}
		if err := m.SyncDirs([]relpath.Path{relpath.Root}); err != nil {
			t.Fatal(err)
		}
		want, err := m.ReadDir(relpath.Root)
		if err != nil {
			t.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		for range 10 {
			got, err := m.Crash(rng).ReadDir(relpath.Root)
			if err != nil || !slices.EqualFunc(got, want, sameName) {
				t.Fatalf("a crash left %v (%v) in a synced directory, want %v", got, err, want)
			}
		}
	})
}

func sameName(a, b fsys.Entry) bool { return a.Name == b.Name && a.Info.Kind == b.Info.Kind }

func TestWhatIsSyncedSurvivesEveryCrashUnchanged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		strict := rapid.Bool().Draw(t, "strict")
		m := fsys.NewMem(fsys.MemOptions{StrictDirSync: strict, CaseInsensitive: rapid.Bool().Draw(t, "fold")})
		for range rapid.IntRange(0, 30).Draw(t, "operations") {
			disturb(t, m)
		}
		m.User().Sync()
		want := m.User().Tree()
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		got := m.Crash(rng).User().Tree()
		if !maps.EqualFunc(want, got, sameNode) {
			t.Fatalf("a crash after a sync left %v, want %v", got, want)
		}
	})
}

func sameNode(a, b fsys.Node) bool {
	return a.Kind == b.Kind && string(a.Content) == string(b.Content) && a.Target == b.Target &&
		a.Mode == b.Mode && a.Mtime == b.Mtime
}

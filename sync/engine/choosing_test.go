package engine

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lanyard/sync/relpath"
	"lanyard/sync/status"
)

// offered is a folder that a offers b, and a directory of b that holds other
// versions of some of its files: the later ones are now a's, now b's.
func offered(t *testing.T) (a, b *node) {
	t.Helper()
	a, b = newNode(t, "a"), newNode(t, "b")
	a.shares(photos, b)
	a.holds(map[string]string{"same": "same", "theirs": "of a", "old here": "a", "new here": "a"}, 0)
	a.scanned()
	must(t, os.MkdirAll(b.path(""), 0o755))
	b.holds(map[string]string{"same": "same", "ours": "of b", "old here": "b"}, -time.Hour)
	b.holds(map[string]string{"new here": "b"}, time.Hour)
	a.knows(b)
	b.knows(a)
	b.await("an offer", func(s status.Snapshot) bool { return len(s.Offers) == 1 })
	return a, b
}

// holds writes files whose times are so far from now.
func (n *node) holds(files map[string]string, away time.Duration) {
	n.t.Helper()
	at := time.Now().Add(away)
	for name, content := range files {
		n.write(name, content)
		must(n.t, os.Chtimes(n.path(name), at, at))
	}
}

// chooses is a choice for what a device offers, compared with the directory of the
// folder. Dials that cross may end the first connection: then it is tried again.
func (n *node) chooses(of *node, keep status.Keep, token string) (done bool) {
	n.t.Helper()
	n.preview(of, n.path(""))
	n.await("a choice", func(status.Snapshot) bool {
		var err error
		done, err = n.Choose(n.t.Context(), of.id, photos, n.path(""), keep, token)
		return err == nil
	})
	return done
}

// kept gives the content of the only old version of each file.
func (n *node) kept(names ...string) map[string]string {
	n.t.Helper()
	out := map[string]string{}
	for _, name := range names {
		found, err := filepath.Glob(n.path(filepath.Join(".stversions", name+"~*")))
		must(n.t, err)
		for _, file := range found {
			content, err := os.ReadFile(file)
			must(n.t, err)
			out[name] += string(content)
		}
	}
	return out
}

func TestOneSideIsChosenForFilesThatDifferWhenAFolderIsJoined(t *testing.T) {
	for _, keep := range []status.Keep{status.KeepMine, status.KeepTheirs} {
		t.Run(string(keep), func(t *testing.T) {
			a, b := offered(t)
			p := b.preview(a, b.path(""))
			if diff := cmp.Diff([]status.Keep{status.KeepBoth, status.KeepMine, status.KeepTheirs}, p.Choices); diff != "" || p.Differ != 2 {
				t.Errorf("of %d that differ may be chosen (-want +got):\n%s", p.Differ, diff)
			}
			if !b.chooses(a, keep, p.Token) {
				t.Fatal("what differs is said to be something else")
			}
			if got := b.files(); len(got) != 4 || got["old here"] != "b" {
				t.Errorf("before the folder is joined b has %v", got)
			}
			b.shares(photos, a)
			winner, loser := "a", b
			if keep == status.KeepMine {
				winner, loser = "b", a
			}
			want := map[string]string{"same": "same", "theirs": "of a", "ours": "of b", "old here": winner, "new here": winner}
			for _, n := range []*node{a, b} {
				n.awaitFiles(want)
			}
			a.inSync(b)
			b.inSync(a)
			lost := map[string]string{"old here": "a", "new here": "a"}
			if keep == status.KeepTheirs {
				lost = map[string]string{"old here": "b", "new here": "b"}
			}
			if diff := cmp.Diff(lost, loser.kept("old here", "new here")); diff != "" {
				t.Errorf("old versions on %s (-want +got):\n%s", loser.name, diff)
			}
			other := map[*node]*node{a: b, b: a}[loser]
			if got := other.kept("old here", "new here"); len(got) != 0 {
				t.Errorf("old versions on %s: %v", other.name, got)
			}

			// It is not for what comes later: both are kept of that.
			a.apart(b, func() { a.write("new here", "later a"); b.write("new here", "later b") })
			b.await("both versions", func(status.Snapshot) bool { return len(b.files()) == len(want)+1 && len(a.files()) == len(want)+1 })
		})
	}
}

// awaitFiles waits until the folder holds just these files.
func (n *node) awaitFiles(want map[string]string) {
	n.t.Helper()
	n.await("its files", func(status.Snapshot) bool { return cmp.Equal(want, n.files()) })
}

// apart does something to both while they are not connected.
func (n *node) apart(other *node, do func()) {
	n.t.Helper()
	pause := func(yes bool) {
		n.want(func(d *Desired) { d.Devices[0].Paused = yes })
	}
	pause(true)
	n.awaitConnected(other, false)
	other.awaitConnected(n, false)
	do()
	n.scanned()
	other.scanned()
	pause(false)
}

// The engine ends between the choice and the folder's joining.
func TestAChoiceOutlivesTheEngine(t *testing.T) {
	a, b := offered(t)
	b.stop()
	a.awaitConnected(b, false)
	b = b.again(b.openStore())
	b.await("an offer", func(s status.Snapshot) bool { return len(s.Offers) == 1 })
	b.chooses(a, status.KeepTheirs, "")
	b.write("new here", "edited") // after the choice: both versions are kept
	b.stop()
	a.awaitConnected(b, false)
	b = b.again(b.openStore())
	b.shares(photos, a)
	b.await("what it has", func(status.Snapshot) bool {
		got := b.files()
		return len(got) == 6 && got["old here"] == "a" && got["theirs"] == "of a"
	})
	a.inSync(b)
	b.inSync(a)
	held := map[string]bool{}
	for _, content := range a.files() {
		held[content] = true
	}
	if !held["edited"] || !held["a"] || len(a.files()) != 6 {
		t.Errorf("after an edit a has %v", a.files())
	}
	if diff := cmp.Diff(map[string]string{"old here": "b"}, b.kept("old here", "new here")); diff != "" {
		t.Errorf("old versions (-want +got):\n%s", diff)
	}
}

func TestAChoiceIsForWhatWasSeen(t *testing.T) {
	a, b := offered(t)
	seen := b.preview(a, b.path("")).Token
	a.write("old here", "a, edited")
	a.scanned()
	b.await("another preview", func(status.Snapshot) bool { return b.preview(a, b.path("")).Token != seen })
	if b.chooses(a, status.KeepTheirs, seen) {
		t.Error("a choice was noted for something else than what was seen")
	}
	if !b.chooses(a, status.KeepTheirs, "") {
		t.Error("a choice for what is there now was not noted")
	}
	if done, err := b.Choose(t.Context(), a.id, photos, b.path(""), status.KeepBoth, ""); !done || err != nil {
		t.Errorf("a choice was not taken back: %v, %v", done, err)
	}
	b.shares(photos, a)
	b.await("both versions of two files", func(status.Snapshot) bool { return len(b.files()) == 5+2 })
	if _, err := b.Choose(t.Context(), a.id, photos, b.path(""), status.KeepMine, ""); err == nil {
		t.Error("a choice was noted for a folder that is joined")
	}
	f, err := b.store.Folder(photos)
	must(t, err)
	if _, known, err := f.Local(relpath.MustParse("old here")); !known || err != nil {
		t.Errorf("the index of a folder that is joined was dropped: %v", err)
	}
}

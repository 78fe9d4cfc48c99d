package engine

import (
	"fmt"
	"os"
	"testing"

	"lanyard/sync/bep"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
)

// listed gives what a directory holds as "name kind state", over all parts.
func (n *node) listed(dir string) (out []string, parts int) {
	n.t.Helper()
	at := relpath.Root
	if dir != "" {
		at = relpath.MustParse(dir)
	}
	for after := ""; ; parts++ {
		l, err := n.list(n.t.Context(), photos, at, after, 10)
		must(n.t, err)
		for _, f := range l.Files {
			out = append(out, fmt.Sprintf("%s %s %s", f.Name, f.Kind, f.State))
		}
		if after = l.Next; after == "" {
			return out, parts + 1
		}
	}
}

func (n *node) wantListed(dir string, want ...string) {
	n.t.Helper()
	if got, _ := n.listed(dir); fmt.Sprint(got) != fmt.Sprint(want) {
		n.t.Errorf("%s in %q: got %q, want %q", n.name, dir, got, want)
	}
}

func TestADirectoryIsListedWithTheStateOfEachName(t *testing.T) {
	a, b := newNode(t, "a"), newNode(t, "b")
	a.shares(photos, b)
	must(t, os.MkdirAll(a.path("d/deep"), 0o755))
	for _, name := range []string{"d/deep/x", "d/y", "d-e", "d.txt", "z"} {
		a.write(name, "content")
	}
	a.scanned()
	a.wantListed("", "d directory going", "d-e file going", "d.txt file going", "z file going")
	b.shares(photos, a)
	a.knows(b)
	b.knows(a)
	a.inSync(b)
	a.wantListed("", "d directory sync", "d-e file sync", "d.txt file sync", "z file sync")
	a.wantListed("d", "deep directory sync", "y file sync")
	b.wantListed("d/deep", "x file sync")
	b.stop()
	a.awaitConnected(b, false)
	a.write("d/deep/new", "more")
	a.scanned()
	a.wantListed("", "d directory going", "d-e file sync", "d.txt file sync", "z file sync")
	a.wantListed("d", "deep directory going", "y file sync")
	a.wantListed("d/deep", "new file going", "x file sync")
}

func TestALongDirectoryIsListedInParts(t *testing.T) {
	a := newNode(t, "a")
	a.shares(photos)
	must(t, os.MkdirAll(a.path("d/00001-dir"), 0o755))
	want := 25
	for i := range want {
		a.write(fmt.Sprintf("d/%05d", i), "x")
	}
	a.write("d/00001-dir/below", "x")
	a.scanned()
	got, parts := a.listed("d")
	if len(got) != want+1 || parts != 3 || got[0] != "00000 file "+string(status.FileAlone) || got[2] != "00001-dir directory alone" {
		t.Errorf("%d names in %d parts, the first of them %q", len(got), parts, got[:3])
	}
}

func TestWhatIsStillToComeIsListedInParts(t *testing.T) {
	a, b := newNode(t, "a"), newNode(t, "b")
	connect(a, b)
	a.write("gone", "x")
	a.scanned()
	a.inSync(b)
	b.want(func(d *Desired) { d.Folders[0].Type = bep.SendOnly }) // it takes nothing, so that all of it stays needed
	b.await("it only sends", func(s status.Snapshot) bool {
		return b.folderOf(s).Type == "send-only" && b.folderOf(s).State == status.Idle
	})
	want := []string{"d directory 0", "d/é file 4", "gone file 0, deleted"}
	must(t, os.MkdirAll(a.path("d"), 0o755))
	a.write("d/é", "four")
	must(t, os.Remove(a.path("gone")))
	a.scanned()
	b.await("it knows of all", func(s status.Snapshot) bool { return b.folderOf(s).Need.Items == int64(len(want)) })
	var got []string
	parts := 0
	for after := ""; parts == 0 || after != ""; parts++ {
		l, err := b.needed(t.Context(), photos, after, 2)
		must(t, err)
		for _, f := range l.Files {
			line := fmt.Sprintf("%s %s %d", f.Name, f.Kind, f.Bytes)
			if f.Deleted {
				line += ", deleted"
			}
			got = append(got, line)
		}
		after = l.Next
	}
	if fmt.Sprint(got) != fmt.Sprint(want) || parts != 2 {
		t.Errorf("%d parts with %q, want %q", parts, got, want)
	}
}

package engine

import (
	"fmt"
	"os"
	"testing"

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

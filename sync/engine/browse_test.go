package engine

import (
	"fmt"
	"os"
	"testing"

	"lanyard/sync/bep"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
)

// listed gives a part of what a directory holds as "name kind state", and how
// many rows there are in all.
func (n *node) listed(dir string, w status.Window) (out []string, total int) {
	n.t.Helper()
	at := relpath.Root
	if dir != "" {
		at = relpath.MustParse(dir)
	}
	l, err := n.List(n.t.Context(), photos, at, w)
	must(n.t, err)
	for _, f := range l.Files {
		out = append(out, fmt.Sprintf("%s %s %s", f.Name, f.Kind, f.State))
	}
	return out, l.Total
}

func (n *node) wantListed(dir string, want ...string) {
	n.t.Helper()
	n.marked = nil // what they hold for a little longer is not looked at here
	if got, total := n.listed(dir, status.Window{Most: 100}); fmt.Sprint(got) != fmt.Sprint(want) || total != len(want) {
		n.t.Errorf("%s in %q: got %d, %q, want %q", n.name, dir, total, got, want)
	}
	for i, row := range want {
		if got, _ := n.listed(dir, status.Window{From: i, Most: 1}); fmt.Sprint(got) != fmt.Sprint(want[i:i+1]) {
			n.t.Errorf("%s in %q: row %d is %q, want %q", n.name, dir, i, got, row)
		}
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

func TestALongDirectoryIsListedByPlace(t *testing.T) {
	a := newNode(t, "a")
	a.shares(photos)
	must(t, os.MkdirAll(a.path("d/00300-dir"), 0o755))
	rows := 2*markEvery + 100
	var want []string
	for i := range rows {
		a.write(fmt.Sprintf("d/%05d", i), "x")
		if want = append(want, fmt.Sprintf("%05d file alone", i)); i == 300 {
			want = append(want, "00300-dir directory alone")
		}
	}
	for i := range 3 * readLeast { // more than is read at once lies between two rows
		a.write(fmt.Sprintf("d/00300-dir/%d", i), "x")
	}
	a.scanned()
	for _, w := range []status.Window{{From: 0, Most: 50}, {From: 0, Most: 1000}, {From: markEvery - 1, Most: 3}, {From: 290, Most: 40}, {From: 2 * markEvery, Most: 1000}, {From: rows, Most: 5}} {
		got, total := a.listed("d", w)
		if part := part(want, w); fmt.Sprint(got) != fmt.Sprint(part) || total != len(want) {
			t.Errorf("%+v: %d of %d rows, %q, want %q", w, len(got), total, got, part)
		}
	}
	if got, total := a.listed("d", status.Window{From: len(want), Most: 5}); len(got) > 0 || total != len(want) {
		t.Errorf("after the end: %q of %d", got, total)
	}
	if got, total := a.listed("d", status.Window{From: 1, Most: 1, Find: " 300-D"}); fmt.Sprint(got) != "[]" || total != 1 {
		t.Errorf("found %q of %d, want one row, and it at place 0", got, total)
	}
	if got, total := a.listed("d", status.Window{Most: 2, Find: "99"}); fmt.Sprint(got) != "[00099 file alone 00199 file alone]" || total != rows/100 {
		t.Errorf("found %q of %d", got, total)
	}
}

// What changed shows in rows at once, and in their places when the marks are made
// anew, at the latest after a while.
func TestMarksAreMadeAnewWhenSomethingChanged(t *testing.T) {
	a := newNode(t, "a")
	a.shares(photos)
	a.write("b", "x")
	a.scanned()
	if _, total := a.listed("", status.Window{Most: 5}); total != 1 {
		t.Fatalf("%d rows", total)
	}
	kept := a.marked[0]
	a.write("a", "x")
	a.scanned()
	if a.listed("", status.Window{Most: 5}); a.marked[0] != kept {
		t.Error("they are made anew at each question")
	}
	old := *kept
	old.made = old.made.Add(-marksLast - marksShare*old.took)
	a.marked = []*marks{&old}
	if got, total := a.listed("", status.Window{Most: 5}); fmt.Sprint(got) != "[a file alone b file alone]" || total != 2 {
		t.Errorf("%d rows, %q", total, got)
	}
	fresh := *a.marked[0]
	fresh.made = old.made
	a.marked = []*marks{&fresh}
	if a.listed("", status.Window{Most: 5}); a.marked[0] != &fresh {
		t.Error("they are made anew though nothing changed")
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
	for from := range want {
		l, err := b.Needed(t.Context(), photos, status.Window{From: from, Most: 1})
		must(t, err)
		if l.Total != len(want) {
			t.Errorf("%d in all, want %d", l.Total, len(want))
		}
		for _, f := range l.Files {
			line := fmt.Sprintf("%s %s %d", f.Name, f.Kind, f.Bytes)
			if f.Deleted {
				line += ", deleted"
			}
			got = append(got, line)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

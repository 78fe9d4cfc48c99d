package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lanyard/sync/fault"
	"lanyard/sync/plan"
	"lanyard/sync/status"
	"lanyard/sync/status/statustest"
)

// braked is a pair that is in sync over seven files, six of them in a
// directory, and asks about more than a few deletions. Of what a deletes nobody
// sees that it goes.
func braked(t *testing.T) (a, b *node) {
	t.Helper()
	a = describedNode(t, "a")
	a.blind = true
	a, b = startNode(t, a), newNode(t, "b")
	connect(a, b)
	for _, d := range []*node{a, b} {
		d.want(func(want *Desired) { want.Folders[0].Brake = plan.Brake{Files: 2, Percent: 1, Top: 2} })
	}
	must(t, os.Mkdir(a.path("d"), 0o755))
	for i := range 6 {
		a.write(filepath.Join("d", fmt.Sprint(i)), "content "+fmt.Sprint(i))
	}
	a.write("stays", "content")
	a.scanned()
	a.inSync(b)
	return a, b
}

// awaitHeld waits until the problem that is held deletions is there.
func (n *node) awaitHeld(code fault.Code, files int64) status.Folder {
	n.t.Helper()
	p := n.awaitFolder(code)
	f := n.folderOf(n.Snapshot())
	if f.Held != files || len(f.HeldBack) != 1 || f.HeldBack[0].Files != files || p.Param["n"] != fmt.Sprint(files) {
		n.t.Fatalf("held: %d, %+v, told with %v, want %d", f.Held, f.HeldBack, p.Param, files)
	}
	if f.InSync {
		n.t.Error("the folder says that it is in sync")
	}
	return f
}

// wantHeldFiles wants a part of what is held, each as its device and its path.
func (n *node) wantHeldFiles(d status.Direction, w status.Window, total int, want ...string) {
	n.t.Helper()
	got, err := n.HeldFiles(n.t.Context(), photos, d, w)
	var files []string
	for _, f := range got.Files {
		files = append(files, f.Device+" "+f.Path)
		if f.Bytes != int64(len("content 0")) {
			n.t.Errorf("%s has %d bytes", f.Path, f.Bytes)
		}
	}
	if diff := cmp.Diff(want, files); diff != "" || err != nil || got.Total != total {
		n.t.Errorf("%s, %+v: %d in all, want %d, error %v (-want +got):\n%s", d, w, got.Total, total, err, diff)
	}
}

func (n *node) decided(c status.Choice, token string) {
	n.t.Helper()
	held, err := n.Decide(n.t.Context(), photos, c, token)
	if err != nil || len(held) != 1 {
		n.t.Fatalf("decided on %+v: %v", held, err)
	}
	n.awaitFolder("")
}

func (n *node) standing() (files int) {
	for i := range 6 {
		if _, err := os.Lstat(n.path(filepath.Join("d", fmt.Sprint(i)))); err == nil {
			files++
		}
	}
	return files
}

func TestWhatAnotherDeviceDeletedIsHeldUntilAPersonDecides(t *testing.T) {
	for c, left := range map[status.Choice]int{status.ApplyHeld: 0, status.RestoreHeld: 6} {
		t.Run(string(c), func(t *testing.T) {
			a, b := braked(t)
			a.want(func(want *Desired) { want.Folders[0].NoBrake = true })
			must(t, os.RemoveAll(a.path("d")))
			a.scanned()
			f := b.awaitHeld("deletions-held", 6)
			h := f.HeldBack[0]
			if h.Direction != status.Incoming || h.Total != 7 || len(h.Devices) != 1 || h.Devices[0] != "a" || len(h.Names) != 6 {
				t.Errorf("it is shown as %+v", h)
			}
			b.wantHeldFiles(status.Incoming, status.Window{Most: 10}, 6, "a d/0", "a d/1", "a d/2", "a d/3", "a d/4", "a d/5")
			b.wantHeldFiles(status.Incoming, status.Window{From: 4, Most: 1}, 6, "a d/4")
			b.wantHeldFiles(status.Incoming, status.Window{Most: 10, Find: "D/3"}, 1, "a d/3")
			b.wantHeldFiles(status.Outgoing, status.Window{Most: 10}, 0)
			if n := b.standing(); n != 6 {
				t.Errorf("%d files are left, want 6", n)
			}
			if why := b.why("d/0"); why.Code != "deletions-held" || why.InSync {
				t.Errorf("one of them is explained by %+v", why)
			}
			if _, err := b.Decide(t.Context(), photos, c, "other"); err == nil {
				t.Error("what nobody was shown can be decided")
			}
			b.decided(c, h.Token)
			b.inSync(a)
			a.inSync(b)
			for _, n := range []*node{a, b} {
				if got := n.standing(); got != left {
					t.Errorf("%d files are left on %s, want %d", got, n.name, left)
				}
			}
		})
	}
}

func TestWhatIsGoneUnseenIsHeldUntilAPersonDecides(t *testing.T) {
	for c, left := range map[status.Choice]int{status.ApplyHeld: 0, status.RestoreHeld: 6} {
		t.Run(string(c), func(t *testing.T) {
			a, b := braked(t)
			b.want(func(want *Desired) { want.Folders[0].NoBrake = true })
			must(t, os.RemoveAll(a.path("d")))
			a.scanned()
			f := a.awaitHeld("own-deletions-held", 6)
			if f.Problem.Severity != status.Ask || f.State == status.Stopped || f.HeldBack[0].Direction != status.Outgoing {
				t.Errorf("it is shown as %+v", f)
			}
			a.wantHeldFiles(status.Outgoing, status.Window{From: 5, Most: 10}, 6, " d/5")
			a.wantHeldFiles(status.Outgoing, status.Window{Most: 10, Find: "4"}, 1, " d/4")
			a.wantHeldFiles(status.Incoming, status.Window{Most: 10}, 0)
			if why := a.why("d/0"); why.Code != "own-deletions-held" || why.InSync {
				t.Errorf("one of them is explained by %+v", why)
			}
			if why := a.why("stays"); why.Code != "" {
				t.Errorf("what is not held is explained by %+v", why)
			}
			a.write("more", "goes on")
			a.scanned()
			b.awaitFile("more", "goes on")
			if n := b.standing(); n != 6 {
				t.Errorf("%d files are left there, want 6", n)
			}
			a.decided(c, "")
			for _, n := range []*node{a, b} { // it is carried out after it was taken
				n.await(fmt.Sprintf("%d files are left", left), func(status.Snapshot) bool { return n.standing() == left })
			}
			a.inSync(b)
			b.inSync(a)
		})
	}
}

func TestAFolderThatIsEmptySuddenlyStops(t *testing.T) {
	a, b := braked(t)
	must(t, os.RemoveAll(a.path("d")))
	must(t, os.Remove(a.path("stays")))
	if err := a.Scan(t.Context(), photos, nil); fault.CodeOf(err) != "folder-emptied" {
		t.Errorf("the scan ends with %v", err)
	}
	a.awaitHeld("folder-emptied", 7)
	f := a.folderOf(a.Snapshot())
	statustest.Shown(t, f.Problems, "folder-emptied")
	if f.State != status.Stopped || len(f.Problems) != 1 {
		t.Errorf("it is shown as %+v", f)
	}
	if n := b.standing(); n != 6 {
		t.Errorf("%d files are left there, want 6", n)
	}
	a.decided(status.RestoreHeld, "")
	a.inSync(b)
	a.awaitFile("stays", "content")
}

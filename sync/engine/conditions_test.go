package engine

import (
	"os"
	"strings"
	"testing"
	"time"

	"lanyard/sync/conflict"
	"lanyard/sync/folder"
	"lanyard/sync/status"
	"lanyard/sync/status/statustest"
)

// copyOf waits for the conflict copy of a file, and gives its name.
func (n *node) copyOf(name string) string {
	n.t.Helper()
	var found string
	n.await("there is a conflict copy of "+name, func(status.Snapshot) bool {
		for file := range n.files() {
			if original, ok := conflict.Is(path(file)); ok && original.String() == name {
				found = file
			}
		}
		return found != ""
	})
	return found
}

func TestAFileThatWasChangedOnTwoDevicesIsToldUntilOneVersionIsLeft(t *testing.T) {
	a, b := newNode(t, "a"), newNode(t, "b")
	a.shares(photos, b)
	b.shares(photos, a)
	a.write("plan.txt", "of a")
	b.write("plan.txt", "of b")
	a.scanned()
	b.scanned()
	a.knows(b)
	b.knows(a)
	other := a.copyOf("plan.txt")
	p, f := a.awaitProblem("two-versions")
	if p.Param["file"] != "plan.txt" || p.Param["other"] != other || p.Count != 1 || f.Conflicts != 1 || p.Severity != status.Ask {
		t.Errorf("it is told as %+v with %d conflicts, want plan.txt and %s", p, f.Conflicts, other)
	}
	a.await("the folder is in sync with two versions in it", func(s status.Snapshot) bool { return a.folderOf(s).InSync })
	for _, name := range []string{"plan.txt", other} {
		w := a.why(name)
		if w.Code != "two-versions" || w.Param["other"] != other || w.Param["file"] != "plan.txt" {
			t.Errorf("why %s: %+v", name, w)
		}
	}
	must(t, os.Remove(a.path(other)))
	a.scanned()
	a.awaitFolder("")
	if w := a.why("plan.txt"); w.Code != "" {
		t.Errorf("why, with one version left: %+v", w)
	}
}

func TestAnIndexThatIsLongInTheMakingTellsHowFarItIs(t *testing.T) {
	a, b := connectedPair(t)
	b.write("one", "1")
	b.write("two", "2")
	b.scanned()
	b.inSync(a)
	f := *a.folder(photos)
	v := folder.View{Building: a.now().Add(-buildingAfter), Looked: 1}
	p := statustest.Shown(t, a.folderProblems(&f, v), "index-rebuilding")
	if p.Param["done"] != "1" || p.Param["total"] != "2" || p.Param["eta"] != "10" || p.Since.IsZero() {
		t.Errorf("half way it is told as %+v", p)
	}
	v.Looked = 2
	if p := statustest.Shown(t, a.folderProblems(&f, v), "index-rebuilding"); p.Param["total"] != "" {
		t.Errorf("where no more files are known it is told as %+v", p)
	}
	for _, since := range []time.Time{{}, a.now()} {
		v.Building = since
		for _, p := range a.folderProblems(&f, v) {
			if strings.HasPrefix(string(p.Code), "index-") {
				t.Errorf("begun at %v, it is told as %+v", since, p)
			}
		}
	}
}

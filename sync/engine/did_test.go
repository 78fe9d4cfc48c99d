package engine

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"

	"lanyard/sync/bep"
	"lanyard/sync/status"
)

// deeds gathers what is told of files, from several goroutines.
type deeds struct {
	mu  sync.Mutex
	all []string
}

func (d *deeds) did(folder bep.FolderID, label string, deed status.Deed) {
	d.mu.Lock()
	defer d.mu.Unlock()
	from := ""
	if deed.From != "" {
		from = " from " + deed.From
	}
	d.all = append(d.all, fmt.Sprintf("%s %s %s%s", label, deed.What, deed.Path, from))
}

// take gives what was told since, in the order of names.
func (d *deeds) take() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := d.all
	d.all = nil
	slices.Sort(out)
	return out
}

func TestWhatIsDoneToFilesIsToldOnBothDevices(t *testing.T) {
	var onA, onB deeds
	a, b := describedNode(t, "a"), describedNode(t, "b")
	a.did, b.did = onA.did, onB.did
	startNode(t, a)
	startNode(t, b)
	connect(a, b)
	want := func(who string, d *deeds, want ...string) {
		t.Helper()
		if got := d.take(); !slices.Equal(got, want) {
			t.Errorf("%s told %q, want %q", who, got, want)
		}
	}
	both := func(told ...string) {
		t.Helper()
		a.scanned()
		a.inSync(b)
		b.scanned()
		want("a", &onA, told...)
		want("b", &onB, told...)
	}

	must(t, os.MkdirAll(a.path("dir/sub"), 0o755))
	a.write("dir/one", "one")
	a.write("dir/sub/two", "two")
	a.write("three", "three")
	must(t, os.Symlink("three", a.path("link")))
	both("Photos added dir/one", "Photos added dir/sub/two", "Photos added link", "Photos added three")

	a.write("three", "3")
	must(t, os.Chmod(a.path("dir/one"), 0o600)) // is nothing that is told
	both("Photos changed three")

	must(t, os.Remove(a.path("three")))
	both("Photos deleted three")

	// Who finds it on the disk sees two names, of which the log makes one rename.
	renameApart(a, b, "dir/one", "dir/uno")
	b.awaitFile("dir/uno", "one")
	b.scanned()
	want("a", &onA, "Photos added dir/uno", "Photos deleted dir/one")
	want("b", &onB, "Photos renamed dir/uno from dir/one")
}

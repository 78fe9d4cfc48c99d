package engine

import (
	"fmt"
	"testing"

	"lanyard/sync/bep"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
	"lanyard/sync/status/statustest"
)

// entriesOf gives how many entries of another device there are.
func (n *node) entriesOf(other *node) int64 {
	n.t.Helper()
	count, _, err := n.folder(photos).index.Announced(other.id, 0)
	must(n.t, err)
	return count
}

func (n *node) mayAnnounce(entries int64) {
	n.t.Helper()
	n.want(func(d *Desired) { d.Folders[0].MaxEntries = entries })
	n.await("it is allowed", func(status.Snapshot) bool { f := n.folder(photos); return f != nil && f.spec.MaxEntries == entries })
}

// A device announces more than it may: nothing more of it is taken, and another
// device goes on, until more is allowed.
func TestADeviceThatAnnouncesTooMuchIsNotHeardAndOthersAre(t *testing.T) {
	a, b, c := newNode(t, "a"), newNode(t, "b"), newNode(t, "c")
	connect(a, b)
	connect(a, c)
	a.shares(photos, b, c)
	b.shares(photos, a)
	c.shares(photos, a)
	a.mayAnnounce(20)
	a.inSync(b)
	for i := range 25 {
		b.write(fmt.Sprintf("b %d", i), "theirs")
	}
	a.await("too many are there", func(status.Snapshot) bool { return a.entriesOf(b) > 20 })
	b.write("b last", "theirs") // the next that comes is not taken
	p := a.awaitFolder("theirs-too-many")
	many := a.entriesOf(b)
	if p.Param["device"] != "b" || p.Param["n"] != fmt.Sprint(many) || p.Severity != status.Stop {
		t.Errorf("it is told as %+v", p)
	}
	c.write("c", "honest")
	a.await("the other device is heard", func(status.Snapshot) bool {
		_, ok, err := a.folder(photos).index.Local(path("c"))
		return ok && err == nil
	})
	if f := a.folderOf(a.Snapshot()); f.InSync {
		t.Error("the folder is in sync although what a device announces is not taken")
	}
	why, err := a.Why(t.Context(), photos, relpath.Root)
	must(t, err)
	statustest.Shown(t, append(why.More, status.Problem{Code: why.Code, Severity: status.Stop, Text: why.Text, Param: why.Param}), "theirs-too-many")
	b.write("b after that", "theirs")
	c.inSync(a)
	if n := a.entriesOf(b); n != many {
		t.Errorf("%d entries of it are there, want the %d from before", n, many)
	}
	a.mayAnnounce(100)
	a.awaitFolder("")
	for _, name := range []string{"b last", "b after that"} {
		a.awaitFile(name, "theirs")
	}
}

func TestWhatADeviceAnnouncesIsCountedOnlyWhereThereIsMuch(t *testing.T) {
	a, b := strangers(t)
	a.mayAnnounce(10)
	a.announced(b, "theirs")
	f := a.folder(photos)
	key := crowdKey{photos, b.id}
	for _, step := range []struct {
		entries int
		enough  int64 // before the next count, 0 for none yet
		tooMany bool
	}{{8, 0, false}, {11, 0, true}} {
		var files []bep.FileInfo
		for i := range step.entries {
			files = append(files, bep.FileInfo{Name: path(fmt.Sprint(i)), Type: bep.TypeDirectory, Sequence: int64(i + 2)})
		}
		must(t, f.index.UpdateRemote(b.id, files))
		tooMany, err := a.count(f, b.id)
		must(t, err)
		if tooMany != step.tooMany {
			t.Errorf("with %d more entries it is too much: %v", step.entries, tooMany)
		}
		if c := a.crowd[key]; !tooMany && c.enough != step.enough {
			t.Errorf("with %d more entries they are counted again from %d on, want %d", step.entries, c.enough, step.enough)
		}
	}
}

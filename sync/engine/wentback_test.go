package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lanyard/sync/conflict"
	"lanyard/sync/status"
	"lanyard/sync/status/statustest"
)

// backedUp copies a device that was stopped, disk and index, as it is.
func (n *node) backedUp() (copied string) {
	n.t.Helper()
	copied = n.t.TempDir()
	must(n.t, os.CopyFS(copied, os.DirFS(n.dir)))
	n.times = map[string]time.Time{}
	for name := range n.files() {
		info, err := os.Stat(n.path(name))
		must(n.t, err)
		n.times[name] = info.ModTime()
	}
	return copied
}

// restored puts a copy in the place of disk and index, where that is wished with
// the times that files had.
func (n *node) restored(copied string, times bool) {
	n.t.Helper()
	for _, part := range []string{"index", string(photos)} {
		at := filepath.Join(n.dir, part)
		must(n.t, os.RemoveAll(at))
		must(n.t, os.CopyFS(at, os.DirFS(filepath.Join(copied, part))))
	}
	for name, at := range n.times {
		if times {
			must(n.t, os.Chtimes(n.path(name), at, at))
		}
	}
}

// copiesIn gives the contents of the conflict copies among files, by what they
// are copies of.
func copiesIn(files map[string]string) map[string][]string {
	out := map[string][]string{}
	for name, content := range files {
		if original, ok := conflict.Is(path(name)); ok {
			out[original.String()] = append(out[original.String()], content)
		}
	}
	return out
}

// setBack is a pair in which a was restored to the first of two states, and is
// not running; the names tell what happens to them after that.
func setBack(t *testing.T, times bool) (a, b *node) {
	t.Helper()
	a, b, _ = aged(t)
	for _, name := range []string{"untouched", "edited", "edited twice", "deleted", "only here", "made"} {
		a.write(name, "first "+name)
	}
	a.scanned()
	a.inSync(b)
	b.inSync(a)
	a.stop()
	b.awaitConnected(a, false)
	backup := a.backedUp()
	kept := a.times
	a = a.again(a.openStore())
	a.awaitConnected(b, true)
	for _, name := range []string{"untouched", "edited", "edited twice", "deleted", "lost"} {
		a.write(name, "second "+name)
	}
	must(t, os.Remove(a.path("made")))
	a.scanned()
	a.inSync(b)
	b.inSync(a)
	a.stop()
	b.awaitConnected(a, false)
	a.times = kept
	a.restored(backup, times)
	return a, b
}

// TestARestoredBackupRevertsNothing changes files of a device that was restored
// before it meets the other one: what the other one has newer stays, and so does
// what was changed.
func TestARestoredBackupRevertsNothing(t *testing.T) {
	for _, times := range []bool{true, false} {
		t.Run(fmt.Sprintf("times are kept %v", times), func(t *testing.T) { t.Parallel(); revertsNothing(t, times) })
	}
}

func revertsNothing(t *testing.T, times bool) {
	a, b := setBack(t, times)
	others := a.desired.Devices
	a.desired.Devices = nil // nobody is met yet
	a = a.again(a.openStore())
	a.scanned()
	a.write("edited", "third edited")
	a.write("edited twice", "third edited twice")
	a.write("only here", "third only here")
	must(t, os.Remove(a.path("deleted")))
	a.scanned()
	a.write("edited twice", "fourth edited twice")
	a.scanned()
	back := make(chan status.Problem, 1)
	go func() {
		for {
			changed := a.Changed()
			for _, p := range a.Snapshot().Problems {
				if p.Code == "restored-backup" {
					back <- p
					return
				}
			}
			<-changed
		}
	}()
	a.want(func(d *Desired) { d.Devices = others })
	a.awaitConnected(b, true)
	select {
	case p := <-back:
		statustest.Shown(t, []status.Problem{p}, "restored-backup")
	case <-time.After(patience):
		t.Fatal("it is not told that the device went back")
	}
	a.await("nothing of it is left to be said", func(s status.Snapshot) bool {
		return len(s.Problems) == 0 && a.folderOf(s).InSync
	})
	a.scanned()
	b.scanned()
	a.inSync(b)
	b.inSync(a)
	got := a.files()
	b.same("afterwards", got)
	copies := copiesIn(got)
	both := func(name string, contents ...string) {
		t.Helper()
		all := strings.Join(append(copies[name], got[name]), ", ")
		for _, content := range contents {
			if !strings.Contains(all, content) {
				t.Errorf("%s is kept as %s, without %q", name, all, content)
			}
		}
		if len(copies[name]) != len(contents)-1 {
			t.Errorf("%s is kept in %d copies: %s", name, len(copies[name]), all)
		}
	}
	both("untouched", "second untouched")
	both("edited", "third edited", "second edited")
	both("edited twice", "fourth edited twice", "second edited twice")
	both("deleted", "second deleted")
	both("only here", "third only here")
	both("lost", "second lost")
	if content, there := got["made"]; there {
		t.Errorf("a file that had been deleted is back: %q", content)
	}
	if len(copies) != 2 {
		t.Errorf("there are copies of %v, want of what was edited on both alone", copies)
	}
}

// TestARestoredBackupCatchesUp has a device that was restored meet the other one
// at once.
func TestARestoredBackupCatchesUp(t *testing.T) {
	for _, times := range []bool{true, false} {
		t.Run(fmt.Sprintf("times are kept %v", times), func(t *testing.T) { t.Parallel(); catchesUp(t, times) })
	}
}

func catchesUp(t *testing.T, times bool) {
	a, b := setBack(t, times)
	want := b.files()
	a = restarted(t, a, b)
	a.same("afterwards", want)
	b.same("afterwards", want)
	a.write("untouched", "third")
	a.scanned()
	b.awaitFile("untouched", "third")
	b.inSync(a)
	if copies := copiesIn(b.files()); len(copies) > 0 {
		t.Errorf("an edit after that leaves copies of %v", copies)
	}
}

// TestAnIndexThatWasLostRevertsNothing edits a file while the index is gone of
// which the other device has a later version.
func TestAnIndexThatWasLostRevertsNothing(t *testing.T) {
	a, b := setBack(t, true)
	must(t, os.RemoveAll(filepath.Join(a.dir, "index")))
	a.write("edited", "third edited")
	a = a.again(a.openStore())
	a.awaitConnected(b, true)
	a.await("it rests", func(s status.Snapshot) bool { return a.folderOf(s).InSync })
	a.scanned()
	b.scanned()
	a.inSync(b)
	b.inSync(a)
	got := a.files()
	b.same("afterwards", got)
	all := strings.Join(append(copiesIn(got)["edited"], got["edited"]), ", ")
	if !strings.Contains(all, "second edited") || !strings.Contains(all, "third edited") {
		t.Errorf("edited is kept as %s", all)
	}
}

// TestARestoredDeviceThatMeetsOneWhichForgotItLosesNothing has a device go back to
// a content that lost a conflict since, by its time. The other device has removed
// it meanwhile and knows nothing of it: nothing shows that something was lost, and
// the older content may win. The newer one has to stay beside it.
func TestARestoredDeviceThatMeetsOneWhichForgotItLosesNothing(t *testing.T) {
	a, b, _ := aged(t)
	began := time.Now().Add(-time.Hour)
	save := func(n *node, content string, at time.Time) {
		t.Helper()
		n.write("f", content)
		must(t, os.Chtimes(n.path("f"), at, at))
		n.scanned()
	}
	meet := func() {
		t.Helper()
		a.awaitConnected(b, true)
		a.await("it rests", func(s status.Snapshot) bool { return a.folderOf(s).InSync })
		a.scanned()
		b.scanned()
		a.inSync(b)
		b.inSync(a)
	}
	leave := func() {
		t.Helper()
		a.stop()
		b.awaitConnected(a, false)
	}
	others := a.desired.Devices
	leave()
	a.desired.Devices = nil
	a = a.again(a.openStore())
	save(a, "first", began)
	a.stop()
	backup := a.backedUp()
	kept := a.times
	save(b, "second", began.Add(time.Minute))
	a.desired.Devices = others
	a = a.again(a.openStore())
	meet()
	a.awaitFile("f", "second")
	save(b, "third", began.Add(-time.Hour))
	a.awaitFile("f", "third")
	meet()
	leave()
	desired := b.desired
	b.removes(a)
	b.want(func(d *Desired) { *d = desired })
	a.times = kept
	a.restored(backup, true)
	a = a.again(a.openStore())
	meet()
	got := a.files()
	b.same("afterwards", got)
	all := append(copiesIn(got)["f"], got["f"])
	for _, content := range []string{"first", "third"} {
		if !slices.Contains(all, content) {
			t.Errorf("f is kept as %q, without %q", all, content)
		}
	}
}

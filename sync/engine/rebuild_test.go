package engine

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"lanyard/sync/bep"
	"lanyard/sync/conflict"
	"lanyard/sync/device"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
	"lanyard/sync/status/statustest"
)

// files gives the contents of a device's folder, without our own directories
// and temporary files.
func (n *node) files() map[string]string {
	n.t.Helper()
	out := map[string]string{}
	root := filepath.Join(n.dir, string(photos))
	must(n.t, filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, p)
		if err != nil || strings.HasPrefix(name, ".st") || d.IsDir() || relpath.TempBase(d.Name()) {
			return err
		}
		b, err := os.ReadFile(p)
		out[filepath.ToSlash(name)] = string(b)
		return err
	}))
	return out
}

func (n *node) openStore() index.Store {
	n.t.Helper()
	s, err := index.OpenSQLite(filepath.Join(n.dir, "index"), index.SQLiteOptions{})
	must(n.t, err)
	return s
}

// database gives the one database of a stopped device.
func (n *node) database() string {
	n.t.Helper()
	found, err := filepath.Glob(filepath.Join(n.dir, "index", "f-*.db"))
	must(n.t, err)
	if len(found) != 1 {
		n.t.Fatalf("databases %v, want one", found)
	}
	return found[0]
}

func (n *node) change(file string, do func([]byte) []byte) {
	n.t.Helper()
	b, err := os.ReadFile(file)
	must(n.t, err)
	must(n.t, os.WriteFile(file, do(b), 0o600))
}

// content is one file's bytes: enough of them to be seen on the wire.
func content(i int, of string) string { return strings.Repeat(fmt.Sprintf("%s %d\n", of, i), 2000) }

// aged is two devices that were in sync: each changed, made and deleted
// something, and a has its index on disk.
func aged(t *testing.T) (a, b *node, want map[string]string) {
	t.Helper()
	a, b = connectedPair(t)
	a.stop()
	b.awaitConnected(a, false)
	a = a.again(a.openStore())
	a.awaitConnected(b, true)
	for i := range 20 {
		a.write(fmt.Sprint("of-a-", i), content(i, "a"))
		b.write(fmt.Sprint("of-b-", i), content(i, "b"))
	}
	a.scanned()
	b.scanned()
	a.inSync(b)
	b.inSync(a)
	a.write("of-b-1", content(1, "b, then a"))
	b.write("of-a-1", content(1, "a, then b"))
	must(t, os.Remove(a.path("of-b-2")))
	must(t, os.Remove(b.path("of-a-2")))
	a.scanned()
	b.scanned()
	a.inSync(b)
	b.inSync(a)
	return a, b, a.files()
}

// restarted starts a with its index as it is now on disk, and waits until both
// are in sync.
func restarted(t *testing.T, a, b *node) *node {
	t.Helper()
	a = a.again(a.openStore())
	a.rejoins(b)
	return a
}

// rejoins waits until the index of a device that was started with a damaged one is
// whole, and both are in sync.
func (n *node) rejoins(b *node) {
	n.t.Helper()
	n.awaitConnected(b, true)
	n.await("the index is whole and the folder rests", func(s status.Snapshot) bool {
		f := n.folderOf(s)
		whole := f.Problem == nil || f.Problem.Code == "two-versions"
		return f.State == status.Idle && whole && f.Need.Items == 0
	})
	n.scanned()
	b.scanned()
	n.inSync(b)
	b.inSync(n)
}

// versions gives the version of every name that a device has.
func (n *node) versions() map[string]string {
	n.t.Helper()
	recs, err := n.folder(photos).index.LocalSince(0, 1000)
	must(n.t, err)
	out := map[string]string{}
	for _, r := range recs {
		out[r.Name.String()] = fmt.Sprint(r.Version, r.Deleted)
	}
	return out
}

func (n *node) same(what string, want map[string]string) {
	n.t.Helper()
	got := n.files()
	for name, content := range want {
		if got[name] != content {
			n.t.Errorf("%s: on %s %s holds %.20q, want %.20q", what, n.name, name, got[name], content)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			n.t.Errorf("%s: %s has %s", what, n.name, name)
		}
	}
}

// TestADamagedIndexCostsNothing damages the index of a stopped device in many
// ways. Afterwards both have just what they had, nothing was kept twice, and no
// content went over the wire.
func TestADamagedIndexCostsNothing(t *testing.T) {
	a, b, want := aged(t)
	a.stop()
	b.awaitConnected(a, false)
	older, err := os.ReadFile(a.database())
	must(t, err)
	tests := []struct {
		name   string
		damage func(t *testing.T)
	}{
		{"a page is zero", func(t *testing.T) {
			a.change(a.database(), func(b []byte) []byte { clear(b[len(b)/2&^4095:][:4096]); return b })
		}},
		{"the second half is gone", func(t *testing.T) {
			a.change(a.database(), func(b []byte) []byte { return b[:len(b)/2] })
		}},
		{"the first page is zero", func(t *testing.T) {
			a.change(a.database(), func(b []byte) []byte { clear(b[:4096]); return b })
		}},
		{"a bit of a record is another one", func(t *testing.T) {
			a.change(a.database(), func(b []byte) []byte { b[strings.Index(string(b), "of-b-7")+30] ^= 4; return b })
		}},
		{"the file is gone", func(t *testing.T) { must(t, os.Remove(a.database())) }},
		{"the list of folders is gone", func(t *testing.T) { must(t, os.Remove(filepath.Join(a.dir, "index", "main.db"))) }},
		{"an older one is in its place", func(t *testing.T) {
			a.change(a.database(), func([]byte) []byte { return older })
		}},
		{"everything is gone", func(t *testing.T) { must(t, os.RemoveAll(filepath.Join(a.dir, "index"))) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a.t, b.t = t, t
			test.damage(t)
			before := b.deviceOf(b.Snapshot(), a)
			versions := b.versions()
			a = restarted(t, a, b)
			if got := b.versions(); test.name != "everything is gone" && !maps.Equal(got, versions) {
				t.Errorf("versions\n%v\nbecame\n%v", versions, got)
			}
			a.same(test.name, want)
			b.same(test.name, want)
			after := b.deviceOf(b.Snapshot(), a)
			if n := after.InBytes + after.OutBytes - before.InBytes - before.OutBytes; n > 100_000 {
				t.Errorf("%d bytes went over the wire", n)
			}
			a.stop()
			b.awaitConnected(a, false)
		})
	}
}

// watched is a store of which somebody hears when the versions of a name were read.
type watched struct {
	index.Store
	read func()
}

type watchedFolder struct {
	index.Folder
	read func()
}

func (w watched) Folder(id bep.FolderID) (index.Folder, error) {
	f, err := w.Store.Folder(id)
	if err != nil {
		return nil, err
	}
	return &watchedFolder{f, w.read}, nil
}

func (w *watchedFolder) Versions(p relpath.Path) ([]bep.FileInfo, error) {
	out, err := w.Folder.Versions(p)
	w.read()
	return out, err
}

// A device tells its index from the start again while ours is compared with it,
// name by name: what it had is forgotten first, and the names that are left would
// look as if nobody else had them.
func TestAnIndexThatIsToldAgainWhileOursIsMadeAnewCostsNothing(t *testing.T) {
	a, b, want := aged(t)
	a.stop()
	b.awaitConnected(a, false)
	must(t, os.Remove(a.database()))
	told := b.folder(photos).index.IndexID()
	recs, err := b.folder(photos).index.LocalSince(0, 1000)
	must(t, err)
	files := make([]bep.FileInfo, len(recs))
	for i := range recs {
		files[i] = recs[i].Announced()
	}
	var read atomic.Int64
	started := make(chan struct{}) // a is the one that runs
	again := func() {
		n := read.Add(1)
		if n != 3 && n != int64(len(want)) {
			return
		}
		<-started
		var err error
		if n == 3 {
			err = host{a.Engine}.ResetIndex(b.id, photos, told)
		} else {
			err = host{a.Engine}.StoreIndex(b.id, &bep.Index{Folder: photos, Files: files})
		}
		if err != nil {
			t.Error(err)
		}
	}
	versions := b.versions()
	a = a.again(watched{a.openStore(), again})
	close(started)
	a.rejoins(b)
	if got := b.versions(); !maps.Equal(got, versions) {
		t.Errorf("versions\n%v\nbecame\n%v", versions, got)
	}
	if n := read.Load(); n < 2*int64(len(want)) {
		t.Errorf("the versions of %d names were read, want those of %d twice", n, len(want))
	}
}

func TestWhatChangedWhileTheIndexWasLostIsKept(t *testing.T) {
	a, b, want := aged(t)
	a.stop()
	b.awaitConnected(a, false)
	must(t, os.Remove(a.database()))
	a.write("of-a-3", content(3, "a, while the index was lost"))
	a.write("new", content(0, "new"))
	b.write("of-b-3", content(3, "b, while a was away"))
	b.write("both", content(1, "of b"))
	a.write("both", content(2, "of a"))
	must(t, os.Remove(a.path("of-a-4"))) // nobody knows any more that it was there
	b.scanned()
	a = restarted(t, a, b)
	got := a.files()
	b.same("afterwards", got)
	all := map[string]bool{}
	for name, content := range got {
		all[content] = true
		if _, copied := conflict.Is(path(name)); copied && !strings.HasPrefix(name, "both") && !strings.HasPrefix(name, "of-a-3") && !strings.HasPrefix(name, "of-b-3") {
			t.Errorf("%s was kept twice", name)
		}
	}
	for name := range want {
		if name != "of-a-3" && name != "of-b-3" && got[name] != want[name] {
			t.Errorf("%s holds %.20q, want %.20q", name, got[name], want[name])
		}
	}
	for what, content := range map[string]string{
		"an edit": content(3, "a, while the index was lost"), "a new file": content(0, "new"), "their edit": content(3, "b, while a was away"),
		"one of two": content(1, "of b"), "the other": content(2, "of a"),
	} {
		if !all[content] {
			t.Errorf("%s is lost", what)
		}
	}
}

func TestDamageThatIsFoundAtWorkStopsThatFolderUntilItIsRebuilt(t *testing.T) {
	a, b := connectedPair(t)
	for i := range 20 {
		a.write(fmt.Sprint("file-", i), content(i, "a"))
	}
	a.scanned()
	a.inSync(b)
	want := a.files()
	id := a.folder(photos).index.IndexID()
	seen := make(chan struct{})
	go func() {
		defer close(seen)
		for {
			changed := a.Changed()
			if p := a.folderOf(a.Snapshot()).Problem; p != nil && p.Code == codeDamaged {
				return
			}
			<-changed
		}
	}()
	before := b.deviceOf(b.Snapshot(), a)
	a.store.(*index.Memory).Damage(photos, func(r index.Record) bool { return r.Name.String() > "file-15" })
	<-seen
	a.await("another index", func(s status.Snapshot) bool {
		f := a.folder(photos)
		return f.index != nil && f.index.IndexID() != id && a.folderOf(s).State == status.Idle && a.folderOf(s).Problem == nil
	})
	a.scanned()
	a.inSync(b)
	b.inSync(a)
	a.same("afterwards", want)
	b.same("afterwards", want)
	after := b.deviceOf(b.Snapshot(), a)
	if !after.Connected || after.InBytes-before.InBytes > 100_000 {
		t.Errorf("connected is %v, and %d bytes came", after.Connected, after.InBytes-before.InBytes)
	}
	a.write("later", "content")
	a.scanned()
	b.awaitFile("later", "content")
}

func TestNothingIsAnnouncedBeforeTheIndexIsWhole(t *testing.T) {
	a, b, want := aged(t)
	a.stop()
	b.awaitConnected(a, false)
	must(t, os.Remove(a.database()))
	must(t, os.RemoveAll(a.path("of-b-5")))
	stranger := device.ID{7} // shares it, and nobody reaches it
	a.desired.Devices = nil
	a.desired.Folders[0].Shared = []device.ID{stranger}
	a = a.again(a.openStore())
	a.await("scanned and not whole", func(s status.Snapshot) bool {
		f := a.folderOf(s)
		return f.Local.Files == int64(len(want)-1) && f.State == status.Scanning && f.Problem != nil && f.Problem.Code == codeDamaged
	})
	statustest.Shown(t, a.folderOf(a.Snapshot()).Problems, "index-damaged")
	lf, err := a.localFolders(stranger)
	must(t, err)
	if len(lf) != 1 || !lf[0].Hold {
		t.Errorf("a device is told %+v, want a folder on hold", lf)
	}
}

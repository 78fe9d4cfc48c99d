package folder

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lanyard/sync/block"
	"lanyard/sync/exec/exectest"
	"lanyard/sync/fault"
	"lanyard/sync/fsys"
	"lanyard/sync/fsys/fsystest"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/status/statustest"
)

// listed counts the listings of a disk: a scan makes one at least.
type listed struct {
	fsys.FS
	n int
}

func (l *listed) ReadDir(p relpath.Path) ([]fsys.Entry, error) {
	l.n++
	return l.FS.ReadDir(p)
}

// A real disk, full, and the folder's own sense of it; only time is virtual.
func TestAFullDiskIsAPauseThatEndsByItself(t *testing.T) {
	dir := fsystest.Tmpfs(t, "1m")
	s := newStill(t, fsys.MemOptions{})
	s.x = exectest.NewInline(time.Now())
	s.source.x = s.x
	disk := &listed{}
	s.must(os.Mkdir(filepath.Join(dir, relpath.MarkerName), 0o755))
	s.must(os.WriteFile(filepath.Join(dir, Marker(folderID).String()), []byte("marker"), 0o600))
	s.must(os.WriteFile(filepath.Join(dir, "large"), make([]byte, 600<<10), 0o600))
	s.runner = New(Options{
		ID: folderID, Self: ourID, Index: s.index, Exec: s.x, Hash: block.NewPool(1), Source: s.source, VersionsFor: -1,
		RescanEvery: time.Hour,
		Open: func() (fsys.FS, error) {
			f, err := fsys.Open(dir, fsys.Options{})
			disk.FS = f
			return disk, err
		},
	})
	t.Cleanup(s.runner.Stop)
	s.starts()

	big, small := bytesOf(700<<10, 1), bytesOf(2000, 2)
	s.remote(s.file("big", big), s.file("small", small), s.file("empty", ""))
	before := disk.n
	s.runner.RemoteChanged()
	s.x.Advance(2 * time.Minute)
	holds := func(name, want string) {
		t.Helper()
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s holds %d bytes (error %v), want %d", name, len(got), err, len(want))
		}
	}
	holds("small", small)
	holds("empty", "")
	v := s.runner.View()
	if err := v.Noted[codeDiskFull]; v.Err != nil || fault.CodeOf(err) != codeDiskFull || fault.DataOf(err)["need"] == "" {
		t.Errorf("on a full disk the folder says %v and notes %v", v.Err, err)
	}
	if disk.n != before {
		t.Errorf("on a full disk %d directories were listed", disk.n-before)
	}

	s.must(os.Remove(filepath.Join(dir, "large")))
	s.x.Advance(15 * time.Second)
	holds("big", big)
	if v := s.runner.View(); v.Err != nil || len(v.Noted) > 0 || len(v.Failed) > 0 {
		t.Errorf("with room again the folder says %v, notes %v, failed %v", v.Err, v.Noted, v.Failed)
	}
	if disk.n != before {
		t.Errorf("%d directories were listed after there was room", disk.n-before)
	}
}

func TestAFullDiskUnderTheIndexIsAPauseThatEndsByItself(t *testing.T) {
	home := fsystest.Tmpfs(t, "600k")
	store, err := index.OpenSQLite(filepath.Join(home, "index"), index.SQLiteOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	s := newStill(t, fsys.MemOptions{})
	s.must(err)
	s.index, err = store.Folder(folderID)
	s.must(err)
	disk := &listed{FS: s.disk}
	s.runner = New(Options{
		ID: folderID, Self: ourID, Open: func() (fsys.FS, error) { return disk, nil }, Index: s.index, Exec: s.x,
		Hash: block.NewPool(1), Source: s.source, RescanEvery: time.Hour,
	})
	t.Cleanup(s.runner.Stop)
	s.starts()

	const files = 3000
	for i := range files {
		s.must(s.user.WriteFile(fmt.Sprintf("a file with a name that is not short %d", i), []byte{byte(i), byte(i >> 8)}))
	}
	s.user.Sync()
	s.runner.Scan(nil, func(error) {})
	s.x.Advance(5 * time.Second)
	if err := s.runner.View().Err; fault.CodeOf(err) != "home-full" || fault.KindOf(err) != fault.Folder {
		t.Fatalf("with a full disk under the index the folder says %v, want home-full", err)
	}
	statustest.Raised(t, s.runner.View().Err, "home-full")
	before := disk.n
	s.x.Advance(5 * time.Minute)
	if disk.n != before {
		t.Errorf("while the disk is full %d directories were listed", disk.n-before)
	}
	s.must(unix.Mount("lanyard-test", home, "tmpfs", unix.MS_REMOUNT, "size=64m"))
	s.x.Advance(15 * time.Second)
	c, err := s.index.Counts()
	if v := s.runner.View(); v.Err != nil || err != nil || c.Local.Files != files {
		t.Errorf("with room again the folder says %v, and has %d files of %d (error %v)", v.Err, c.Local.Files, files, err)
	}
}

package fsys_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"lanyard/sync/fault"
	"lanyard/sync/fsys"
	"lanyard/sync/relpath"
)

// eachDisk runs f with every implementation on a fresh folder.
func eachDisk(t *testing.T, f func(t *testing.T, dir string, d fsys.FS)) {
	for name, o := range map[string]fsys.Options{
		"best": {}, "walking": {NoOpenat2: true}, "portable": {Portable: true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "folder")
			must(t, os.Mkdir(dir, 0o755))
			d, err := fsys.Open(dir, o)
			must(t, err)
			t.Cleanup(func() { must(t, d.Close()) })
			f(t, dir, d)
		})
	}
}

func wantFault(t *testing.T, what string, err, is error, kind fault.Kind, code fault.Code) {
	t.Helper()
	if !errors.Is(err, is) || fault.KindOf(err) != kind || fault.CodeOf(err) != code {
		t.Errorf("%s: %v (%v, %q), want %v (%v, %q)",
			what, err, fault.KindOf(err), fault.CodeOf(err), is, kind, code)
	}
}

func TestAMovedRootIsNoticedAndAReplacedOneToo(t *testing.T) {
	eachDisk(t, func(t *testing.T, dir string, d fsys.FS) {
		must(t, d.Check())
		must(t, os.Rename(dir, dir+"-moved"))
		wantFault(t, "moved", d.Check(), fs.ErrNotExist, fault.Folder, "folder-missing")
		must(t, os.Mkdir(dir, 0o755))
		wantFault(t, "replaced", d.Check(), fsys.ErrRootChanged, fault.Folder, "folder-swapped")
	})
}

func TestAFolderThatIsNotThereDoesNotOpen(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	for _, o := range []fsys.Options{{}, {Portable: true}} {
		for _, path := range []string{file, file + "/x", file + "-missing"} {
			_, err := fsys.Open(path, o)
			wantFault(t, path, err, fs.ErrNotExist, fault.Folder, "folder-missing")
		}
	}
}

func TestARemovedRootListsNothingAndSaysSo(t *testing.T) {
	eachDisk(t, func(t *testing.T, dir string, d fsys.FS) {
		must(t, os.Remove(dir))
		if list, err := d.ReadDir(relpath.Root); err == nil {
			t.Errorf("a removed root was listed as %v, want an error", list)
		}
	})
}

func TestADirectoryMovedOutOfTheFolderTakesNoWritesWithIt(t *testing.T) {
	eachDisk(t, func(t *testing.T, dir string, d fsys.FS) {
		must(t, d.Mkdir(path("d"), 0o755))
		write(t, d, "d/a", "x", false)
		away := filepath.Join(filepath.Dir(dir), "away")
		must(t, os.Rename(filepath.Join(dir, "d"), away))
		if _, err := d.Create(path("d/b")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("creating in a directory that was moved away: %v, want fs.ErrNotExist", err)
		}
		if err := d.Remove(path("d/a")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("removing from it: %v, want fs.ErrNotExist", err)
		}
	})
}

func TestChmodKeepsTheSpecialBits(t *testing.T) {
	eachDisk(t, func(t *testing.T, dir string, d fsys.FS) {
		must(t, d.Mkdir(path("d"), 0o755))
		must(t, os.Chmod(filepath.Join(dir, "d"), 0o755|fs.ModeSetgid|fs.ModeSticky))
		must(t, d.Chmod(path("d"), 0o700))
		i, err := os.Stat(filepath.Join(dir, "d"))
		must(t, err)
		if want := fs.ModeDir | fs.ModeSetgid | fs.ModeSticky | 0o700; i.Mode() != want {
			t.Errorf("mode %v, want %v", i.Mode(), want)
		}
	})
}

// mount mounts a small file system in memory, where the system lets us.
func mount(t *testing.T, dir, options string) {
	t.Helper()
	must(t, os.MkdirAll(dir, 0o755))
	if err := unix.Mount("fsys-test", dir, "tmpfs", 0, options); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("mounting a file system: %v", err)
		}
		t.Skipf("not run: needs the right to mount (%v)", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
}

func TestAMountPointInsideIsListedAndNeverEntered(t *testing.T) {
	eachDisk(t, func(t *testing.T, dir string, d fsys.FS) {
		mount(t, filepath.Join(dir, "other"), "size=64k")
		must(t, os.WriteFile(filepath.Join(dir, "other/a"), []byte("x"), 0o600))
		list, err := d.ReadDir(relpath.Root)
		must(t, err)
		if len(list) != 1 || list[0].Info.Kind != fsys.Other {
			t.Errorf("listing %+v, want one entry of kind Other", list)
		}
		i, err := d.Lstat(path("other"))
		if err != nil || i != list[0].Info {
			t.Errorf("Lstat gives %+v, %v; the listing %+v", i, err, list[0].Info)
		}
		_, err = d.ReadDir(path("other"))
		wantFault(t, "listing it", err, fsys.ErrNotDirectory, fault.Item, "")
		_, err = d.Open(path("other/a"))
		wantFault(t, "opening below it", err, fsys.ErrNotDirectory, fault.Item, "")
		_, err = d.Create(path("other/b"))
		wantFault(t, "creating below it", err, fsys.ErrNotDirectory, fault.Item, "")
	})
}

func TestAFullDiskSaysSo(t *testing.T) {
	eachDisk(t, func(t *testing.T, dir string, d fsys.FS) {
		small := filepath.Join(filepath.Dir(dir), "small")
		mount(t, small, "size=64k")
		f, err := fsys.Open(small, fsys.Options{})
		must(t, err)
		t.Cleanup(func() { must(t, f.Close()) })
		h, err := f.Create(path("a"))
		must(t, err)
		wantFault(t, "reserving", h.Reserve(1<<20), fsys.ErrNoSpace, fault.Folder, "disk-full")
		_, err = h.WriteAt(make([]byte, 1<<20), 0)
		wantFault(t, "writing", err, fsys.ErrNoSpace, fault.Folder, "disk-full")
		must(t, h.Close())
	})
}

func TestAReadOnlyDiskSaysSo(t *testing.T) {
	eachDisk(t, func(t *testing.T, dir string, d fsys.FS) {
		mount(t, filepath.Join(dir, "m"), "ro")
		f, err := fsys.Open(filepath.Join(dir, "m"), fsys.Options{})
		must(t, err)
		t.Cleanup(func() { must(t, f.Close()) })
		_, err = f.Create(path("a"))
		wantFault(t, "creating", err, fsys.ErrReadOnly, fault.Folder, "folder-read-only")
	})
}

package fsys_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"lanyard/sync/fault"
	"lanyard/sync/fsys"
	"lanyard/sync/relpath"
)

func TestAClosedFolderNeverBecomesAnotherOne(t *testing.T) {
	for name, o := range map[string]fsys.Options{
		"best": {}, "walking": {NoOpenat2: true}, "portable": {Portable: true},
	} {
		t.Run(name, func(t *testing.T) {
			closed, err := fsys.Open(t.TempDir(), o)
			must(t, err)
			must(t, closed.Close())
			dir := t.TempDir() // its root may get the same descriptor
			other, err := fsys.Open(dir, o)
			must(t, err)
			t.Cleanup(func() { must(t, other.Close()) })
			must(t, os.Mkdir(filepath.Join(dir, "d"), 0o755))
			must(t, os.WriteFile(filepath.Join(dir, "d/a"), nil, 0o644))
			for call, f := range map[string]func() error{
				"Lstat":             func() error { _, err := closed.Lstat(path("d/a")); return err },
				"Lstat of the root": func() error { _, err := closed.Lstat(relpath.Root); return err },
				"ReadDir":           func() error { _, err := closed.ReadDir(relpath.Root); return err },
				"Open":              func() error { _, err := closed.Open(path("d/a")); return err },
				"Create":            func() error { _, err := closed.Create(path("b")); return err },
				"Remove":            func() error { return closed.Remove(path("d/a")) },
				"Rename":            func() error { return closed.Rename(path("d/a"), path("c")) },
				"Mkdir":             func() error { return closed.Mkdir(path("e"), 0o755) },
			} {
				if err := f(); !errors.Is(err, fs.ErrClosed) || fault.KindOf(err) != fault.Retry {
					t.Errorf("%s: %v (%v), want %v (%v)", call, err, fault.KindOf(err), fs.ErrClosed, fault.Retry)
				}
			}
		})
	}
}

func TestAFolderMayBeClosedWhileItIsUsed(t *testing.T) {
	for range 50 {
		f, err := fsys.Open(t.TempDir(), fsys.Options{})
		must(t, err)
		var users sync.WaitGroup
		begun := make(chan struct{}, 4)
		for range cap(begun) {
			users.Go(func() {
				begun <- struct{}{}
				for {
					_, err := f.Lstat(path("a"))
					if errors.Is(err, fs.ErrClosed) {
						return
					}
					if !errors.Is(err, fs.ErrNotExist) {
						t.Errorf("looking while it is closed: %v", err)
						return
					}
				}
			})
		}
		for range cap(begun) {
			<-begun
		}
		must(t, f.Close())
		users.Wait()
	}
}

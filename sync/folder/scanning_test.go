package folder_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"lanyard/sync/block"
	"lanyard/sync/device"
	"lanyard/sync/exec"
	"lanyard/sync/folder"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
)

// What the walk finds and what its batches leave for the next scan come
// together while both still run; the race detector watches.
func TestBatchesAreStoredWhileTheWalkGoesOn(t *testing.T) {
	const files = 600 // more than two batches
	root := t.TempDir()
	write := func(name string) {
		t.Helper()
		name = filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(filepath.Base(name)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(folder.Marker("f").String())
	for i := range files {
		write(fmt.Sprintf("file-%d", i))
	}
	ix, err := index.NewMemory(index.MemoryOptions{}).Folder("f")
	if err != nil {
		t.Fatal(err)
	}
	var ex exec.Real
	defer ex.Close()
	changed := make(chan struct{}, 1)
	r := folder.New(folder.Options{
		ID: "f", Self: device.ID{1}, Index: ix, Exec: &ex, Hash: block.NewPool(2), VersionsFor: -1, RescanEvery: -1,
		Open: func() (fsys.FS, error) { return fsys.Open(root, fsys.Options{}) },
		Changed: func() {
			select {
			case changed <- struct{}{}:
			default:
			}
		},
	})
	r.Start()
	defer r.Stop()
	for !r.View().Settled {
		<-changed
	}
	if c, err := r.Counts(); err != nil || c.Local.Files != files {
		t.Errorf("%d files are recorded, error %v; want %d", c.Local.Files, err, files)
	}
}

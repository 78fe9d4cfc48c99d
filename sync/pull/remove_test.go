package pull

import (
	"testing"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/exec"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/vector"
)

// nobody is a Source without devices.
type nobody struct{}

func (nobody) Load(device.ID) (int, bool)                                        { return 0, false }
func (nobody) Request(_ device.ID, _ *bep.Request, f func(*bep.Response, error)) { f(nil, errNoSource) }
func (nobody) Release(*bep.Response)                                             {}

// The directory that changed is itself gone when names are made durable.
func TestDirectoriesInsideEachOtherAreRemovedInOneBatch(t *testing.T) {
	disk, err := fsys.Open(t.TempDir(), fsys.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close()
	ix, err := index.NewMemory(index.MemoryOptions{}).Folder("f")
	if err != nil {
		t.Fatal(err)
	}
	names := []relpath.Path{relpath.MustParse("a"), relpath.MustParse("a/b")}
	haveDirectories(t, disk, ix, names)
	deleteThere(t, ix, device.ID{1}, names)

	var ex exec.Real
	defer ex.Close()
	w := NewWorker(Options{
		Folder: "f", FS: disk, Index: ix, Exec: &ex, Disk: exec.NewSerial(&ex), Source: nobody{},
		Prove: func() error { return nil },
	})
	done := make(chan Result, 1)
	w.Start(func(r Result) { done <- r })
	if r := <-done; r.Err != nil || r.Changed != len(names) || len(r.Failed) > 0 {
		t.Errorf("changed %d, failed %v, error %v; want 2 changed and nothing else", r.Changed, r.Failed, r.Err)
	}
	for _, p := range names {
		if rec, ok, err := ix.Local(p); err != nil || !ok || !rec.Deleted {
			t.Errorf("the record of %s does not say that it is deleted (error %v)", p, err)
		}
	}
}

func haveDirectories(t *testing.T, disk fsys.FS, ix index.Folder, names []relpath.Path) {
	t.Helper()
	recs := make([]index.Record, 0, len(names))
	for _, p := range names {
		if err := disk.Mkdir(p, 0o755); err != nil {
			t.Fatal(err)
		}
		look, err := disk.Lstat(p)
		if err != nil {
			t.Fatal(err)
		}
		recs = append(recs, index.Record{
			FileInfo: bep.FileInfo{
				Name: p, Type: bep.TypeDirectory, Permissions: look.Mode, Version: vector.Vector{{ID: 1, Value: 1}},
			},
			Stamp: index.StampOf(look),
		})
	}
	if _, err := ix.Update(recs); err != nil {
		t.Fatal(err)
	}
}

func deleteThere(t *testing.T, ix index.Folder, dev device.ID, names []relpath.Path) {
	t.Helper()
	files := make([]bep.FileInfo, 0, len(names))
	for i, p := range names {
		files = append(files, bep.FileInfo{
			Name: p, Type: bep.TypeDirectory, Deleted: true, Version: vector.Vector{{ID: 1, Value: 2}}, Sequence: int64(i + 1),
		})
	}
	if err := ix.ResetRemote(dev, 7); err != nil {
		t.Fatal(err)
	}
	if err := ix.UpdateRemote(dev, files); err != nil {
		t.Fatal(err)
	}
}

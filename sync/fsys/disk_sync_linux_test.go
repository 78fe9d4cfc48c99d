package fsys

import (
	"os"
	"testing"
	"time"

	"lanyard/sync/relpath"
)

func TestOneSyncOfTheWholeDiskIsChosenWhereItIsQuicker(t *testing.T) {
	const mib = 1 << 20
	tests := []struct {
		name    string
		files   int
		foreign int64
		fsync   time.Duration
		want    bool
	}{
		{"a quiet machine", 500, 0, startFsync, true},
		{"a little of others", 8, 64 * mib, startFsync, true},
		{"much of others and few files", 100, 200 * mib, startFsync, false},
		{"much of others and very many files", 5000, 200 * mib, startFsync, true},
		{"a disk whose fsync is slow", 500, 200 * mib, 4 * time.Millisecond, true},
	}
	for _, test := range tests {
		s := syncer{allowed: true, fsync: test.fsync, rate: 200 * mib}
		if got := s.quicker(test.files, test.foreign); got != test.want {
			t.Errorf("%s: syncfs %v, want %v", test.name, got, test.want)
		}
	}
}

func TestAFailedSyncOfTheWholeDiskIsNeverTrustedAgain(t *testing.T) {
	d, f := syncable(t)
	gone, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	d.sync.fd = newRootFD(gone)
	if err := d.sync.fd.close(); err != nil { // every syncfs fails
		t.Fatal(err)
	}
	if done, err := d.sync.syncfs(0); !done || err == nil {
		t.Fatalf("syncfs of a bad descriptor: %v, %v", done, err)
	}
	if done, err := d.sync.syncfs(0); done {
		t.Errorf("syncfs was asked again: %v", err)
	}
	if d.sync.quicker(500, 0) {
		t.Error("syncfs is still chosen")
	}
	if err := d.sync.files([]*osFile{f, f, f, f, f, f, f, f}); err != nil {
		t.Errorf("the files themselves: %v", err)
	}
}

func TestTheCostOfASyncIsLearned(t *testing.T) {
	d, f := syncable(t)
	d.sync.fsync = time.Hour
	if err := d.sync.each([]*osFile{f}); err != nil {
		t.Fatal(err)
	}
	if got := d.sync.fsync; got >= time.Hour {
		t.Errorf("a file is still thought to take %v", got)
	}
}

// syncable opens a folder with one written file on a disk that keeps things.
func syncable(t *testing.T) (*disk, *osFile) {
	t.Helper()
	opened, err := Open(t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	d := opened.(*disk)
	t.Cleanup(func() { _ = d.Close() })
	d.sync.memory = false
	f, err := d.Create(relpath.MustParse("a"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	if _, err := f.WriteAt([]byte("x"), 0); err != nil {
		t.Fatal(err)
	}
	return d, f.(*osFile)
}

func TestKernelVersionsAreCompared(t *testing.T) {
	if !kernelAtLeast(2, 6) || kernelAtLeast(1000, 0) {
		t.Error("the running kernel is at least 2.6 and below 1000")
	}
}

package scan_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"lanyard/sync/block"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/scan"
)

// realFolder is a folder on the real disk of dirs directories with 25 files
// each, and an empty index.
func realFolder(t testing.TB, dirs int) (string, scan.Options) {
	t.Helper()
	root := t.TempDir()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for d := range dirs {
		dir := filepath.Join(root, fmt.Sprintf("top%02d", d%10), fmt.Sprintf("dir%04d", d))
		check(os.MkdirAll(dir, 0o755))
		for f := range 25 {
			check(os.WriteFile(filepath.Join(dir, fmt.Sprintf("file%02d.txt", f)), fmt.Append(nil, d, f), 0o644))
		}
	}
	disk, err := fsys.Open(root, fsys.Options{})
	check(err)
	t.Cleanup(func() { check(disk.Close()) })
	folder, err := index.NewMemory(index.MemoryOptions{}).Folder("f")
	check(err)
	now := time.Now().Add(time.Minute) // the files just written have rested
	return root, scan.Options{
		FS: disk, Index: folder, Pool: block.NewPool(0), Short: us, SameRules: true,
		Now: func() time.Time { return now },
	}
}

// scanReal walks, confirms and stores, as a folder does.
func scanReal(t testing.TB, o scan.Options, subtrees ...relpath.Path) scan.Result {
	t.Helper()
	ctx := context.Background()
	res, err := scan.Walk(ctx, o, subtrees, func(batch []scan.Candidate) error {
		recs, recheck, err := scan.Confirm(ctx, o, batch)
		if err != nil {
			return err
		}
		if len(recheck) > 0 {
			return fmt.Errorf("to check again: %v", recheck)
		}
		_, err = o.Index.Update(recs)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func TestARealFolderIsScannedOnceAndThenAtRest(t *testing.T) {
	root, o := realFolder(t, 20)
	if res := scanReal(t, o); res.Candidates != 20*26+10 || res.Seen != res.Candidates {
		t.Errorf("first scan: %+v, want %d", res, 20*26+10)
	}
	if res := scanReal(t, o); res.Candidates != 0 || res.Hashed != 0 || res.Seen != 20*26+10 {
		t.Errorf("second scan: %+v, want nothing new", res)
	}
	if err := os.RemoveAll(filepath.Join(root, "top03", "dir0003")); err != nil {
		t.Fatal(err)
	}
	if res := scanReal(t, o, relpath.MustParse("top03/dir0003")); res.Absent != 26 {
		t.Errorf("%d absent, want the directory and its 25 files", res.Absent)
	}
}

// BenchmarkScan compares scans with the bare walk of the same tree.
func BenchmarkScan(b *testing.B) {
	const dirs, entries = 800, 800*26 + 10
	root, o := realFolder(b, dirs)
	perEntry := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/entries, "ns/entry")
	}
	b.Run("first", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			fresh := o
			folder, err := index.NewMemory(index.MemoryOptions{}).Folder("f")
			if err != nil {
				b.Fatal(err)
			}
			fresh.Index = folder
			scanReal(b, fresh)
		}
		perEntry(b)
	})
	scanReal(b, o)
	b.Run("unchanged", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			scanReal(b, o)
		}
		perEntry(b)
	})
	b.Run("bare walk", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			bareWalk(b, o.FS, relpath.Root)
		}
		perEntry(b)
	})
	b.Run("portable walk", func(b *testing.B) {
		portable, err := fsys.Open(root, fsys.Options{Portable: true})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			bareWalk(b, portable, relpath.Root)
		}
		perEntry(b)
		if err := portable.Close(); err != nil {
			b.Fatal(err)
		}
	})
	b.Run("WalkDir for comparison", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			err := filepath.WalkDir(root, func(_ string, d fs.DirEntry, err error) error {
				if err == nil {
					_, err = d.Info()
				}
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
		perEntry(b)
	})
}

// bareWalk lists and looks, and compares with nothing.
func bareWalk(b *testing.B, f fsys.FS, dir relpath.Path) {
	list, err := f.ReadDir(dir)
	if err != nil {
		b.Fatal(err)
	}
	for _, e := range list {
		if e.Info.Kind != fsys.Directory {
			continue
		}
		sub, err := dir.Join(e.Name)
		if err != nil {
			b.Fatal(err)
		}
		bareWalk(b, f, sub)
	}
}

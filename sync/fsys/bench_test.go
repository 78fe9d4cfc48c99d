package fsys_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"lanyard/sync/fsys"
	"lanyard/sync/relpath"
)

// makeTree makes 50,000 entries, 25 files to a directory, and gives the
// folder and the exact count.
func makeTree(b *testing.B) (dir string, entries int) {
	dir = b.TempDir()
	const perDir = 25
	for i := range 44 {
		for j := range 44 {
			sub := filepath.Join(dir, fmt.Sprintf("d%02d/e%02d", i, j))
			must(b, os.MkdirAll(sub, 0o755))
			entries++
			for k := range perDir {
				f, err := os.Create(filepath.Join(sub, fmt.Sprintf("file%02d.txt", k)))
				must(b, err)
				must(b, f.Close())
				entries++
			}
		}
		entries++
	}
	return dir, entries
}

func walk(b *testing.B, f fsys.FS, dir relpath.Path) int {
	list, err := f.ReadDir(dir)
	must(b, err)
	n := len(list)
	for _, e := range list {
		if e.Info.Kind == fsys.Directory {
			sub, err := dir.Join(e.Name)
			must(b, err)
			n += walk(b, f, sub)
		}
	}
	return n
}

// BenchmarkWalk lists and stats 50,000 entries, in the ways there are.
func BenchmarkWalk(b *testing.B) {
	dir, want := makeTree(b)
	measure := func(name string, count func(b *testing.B) int) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if got := count(b); got != want {
					b.Fatalf("saw %d entries, want %d", got, want)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*want), "ns/entry")
		})
	}
	for name, o := range map[string]fsys.Options{"best": {}, "portable": {Portable: true}} {
		f, err := fsys.Open(dir, o)
		must(b, err)
		measure(name, func(b *testing.B) int { return walk(b, f, relpath.Root) })
		must(b, f.Close())
	}
	root, err := os.OpenRoot(dir)
	must(b, err)
	defer root.Close()
	measure("os.Root, ReadDir and Lstat", func(b *testing.B) int { return walkRoot(b, root, ".") })
	measure("os.Root, WalkDir", func(b *testing.B) int {
		return walkDir(b, func(f fs.WalkDirFunc) error { return fs.WalkDir(root.FS(), ".", f) })
	})
	measure("filepath.WalkDir", func(b *testing.B) int {
		return walkDir(b, func(f fs.WalkDirFunc) error { return filepath.WalkDir(dir, f) })
	})
}

// walkRoot asks for each name by its path.
func walkRoot(b *testing.B, root *os.Root, dir string) int {
	f, err := root.Open(dir)
	must(b, err)
	names, err := f.Readdirnames(-1)
	must(b, err)
	must(b, f.Close())
	n := len(names)
	for _, name := range names {
		p := filepath.Join(dir, name)
		info, err := root.Lstat(p)
		must(b, err)
		if info.IsDir() {
			n += walkRoot(b, root, p)
		}
	}
	return n
}

// walkDir asks for what a walk of the standard library comes to.
func walkDir(b *testing.B, walk func(fs.WalkDirFunc) error) int {
	n := -1 // the root
	must(b, walk(func(_ string, d fs.DirEntry, err error) error {
		if err == nil {
			_, err = d.Info()
		}
		n++
		return err
	}))
	return n
}

const (
	batch    = 500 // files
	batchDir = 100 // of them in one directory
)

// BenchmarkDurableFiles makes small files durable under their names: as one
// batch, which two writers fill as they do when a folder is pulled, and one by
// one.
func BenchmarkDurableFiles(b *testing.B) {
	// All in one directory, which goes at the end: without a journal, ext4 does not
	// use an inode again for minutes, and looks at each of these when it makes a file.
	dir := b.TempDir()
	for _, bench := range []struct {
		name string
		run  func(b *testing.B, f fsys.FS, round int)
	}{
		{"batch of 500", durableBatch},
		{"one by one", func(b *testing.B, f fsys.FS, round int) { durableSingly(b, f, round, 1) }},
		{"500 by four writers", func(b *testing.B, f fsys.FS, round int) { durableSingly(b, f, round, 4) }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			sub, err := os.MkdirTemp(dir, "")
			must(b, err)
			f, err := fsys.Open(sub, fsys.Options{})
			must(b, err)
			round := 0
			for b.Loop() {
				for _, d := range smallDirs(round) {
					must(b, f.Mkdir(d, 0o755))
				}
				bench.run(b, f, round)
				must(b, f.SyncDirs(smallDirs(round)))
				round++
			}
			b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "files/s")
			must(b, f.Close())
		})
	}
}

func durableBatch(b *testing.B, f fsys.FS, round int) {
	files := make([]fsys.File, batch)
	each(2, func(i int) { files[i] = smallFile(b, f, round, i) })
	must(b, f.SyncFiles(files))
	for i, h := range files {
		must(b, h.Close())
		must(b, f.Rename(smallName(round, i, "tmp"), smallName(round, i, "txt")))
	}
}

// durableSingly lets writers sync each file on its own.
func durableSingly(b *testing.B, f fsys.FS, round, writers int) {
	each(writers, func(i int) {
		h := smallFile(b, f, round, i)
		must(b, f.SyncFiles([]fsys.File{h}))
		must(b, h.Close())
		must(b, f.Rename(smallName(round, i, "tmp"), smallName(round, i, "txt")))
	})
}

// each calls f with the number of every file of the batch, from as many
// goroutines as there are writers.
func each(writers int, f func(i int)) {
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := w; i < batch; i += writers {
				f(i)
			}
		})
	}
	wg.Wait()
}

func smallFile(b *testing.B, f fsys.FS, round, i int) fsys.File {
	h, err := f.Create(smallName(round, i, "tmp"))
	must(b, err)
	_, err = h.WriteAt(make([]byte, 4000), 0)
	must(b, err)
	must(b, h.SetMeta(0o644, 1e18))
	return h
}

func smallDirs(round int) (dirs []relpath.Path) {
	for i := 0; i < batch; i += batchDir {
		dirs = append(dirs, smallName(round, i, "").Dir())
	}
	return dirs
}

func smallName(round, i int, ext string) relpath.Path {
	return path(fmt.Sprintf("d%d-%d/f%d.%s", round, i/batchDir, i, ext))
}

// BenchmarkLstat looks at a name six levels deep: what resolving each path
// afresh costs.
func BenchmarkLstat(b *testing.B) {
	dir := b.TempDir()
	const deep = "a/b/c/d/e/f"
	must(b, os.MkdirAll(filepath.Join(dir, deep), 0o755))
	for name, o := range map[string]fsys.Options{
		"best": {}, "walking": {NoOpenat2: true}, "portable": {Portable: true},
	} {
		b.Run(name, func(b *testing.B) {
			f, err := fsys.Open(dir, o)
			must(b, err)
			for b.Loop() {
				_, err := f.Lstat(path(deep))
				must(b, err)
			}
			must(b, f.Close())
		})
	}
}

package fsys

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"lanyard/sync/relpath"
)

// openDirectDisk opens a folder that writes large files past the page cache.
func openDirectDisk(t testing.TB) (*disk, string) {
	dir := t.TempDir()
	f, err := openBest(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	d := f.(*disk)
	if d.sync.direct == nil {
		t.Skip("the file system of the test's directory takes no writes past the page cache")
	}
	return d, dir
}

// inCache counts the pages of a file that the page cache holds.
func inCache(t testing.TB, path string) (pages, of int) {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	m, err := unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Munmap(m) }()
	seen := make([]byte, (len(m)+directAlign-1)/directAlign)
	_, _, no := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(&m[0])), uintptr(len(m)), uintptr(unsafe.Pointer(&seen[0])))
	if no != 0 {
		t.Fatal(no)
	}
	for _, b := range seen {
		pages += int(b & 1)
	}
	return pages, len(seen)
}

func TestALargeFileIsWrittenPastThePageCache(t *testing.T) {
	d, dir := openDirectDisk(t)
	const size = directFrom + 3*directPiece + 12_345
	content := make([]byte, size+1)[1:] // memory that is not aligned
	if _, err := rand.NewChaCha8([32]byte{1}).Read(content); err != nil {
		t.Fatal(err)
	}
	f, err := d.Create(relpath.MustParse("large"))
	if err != nil {
		t.Fatal(err)
	}
	d.sync.direct.available = func() int64 { return keepShare*size - keepShare } // one byte too few
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	// Blocks in any order, from two goroutines, and one that is not aligned.
	var offsets []int
	for off := 0; off < size; off += directPiece + directPiece/2 {
		offsets = append(offsets, off)
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(offsets), func(i, j int) { offsets[i], offsets[j] = offsets[j], offsets[i] })
	work := make(chan int, len(offsets))
	for _, off := range offsets {
		work <- off
	}
	close(work)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for off := range work {
				b := content[off:min(size, off+directPiece+directPiece/2)]
				if n, err := f.WriteAt(b, int64(off)); err != nil || n != len(b) {
					t.Errorf("write of %d bytes at %d gave %d, %v", len(b), off, n, err)
				}
			}
		})
	}
	wg.Wait()
	if _, err := f.WriteAt(content[777:777+directPiece], 777); err != nil {
		t.Error(err)
	}
	if err := d.SyncFiles([]File{f}); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	notInCache(t, filepath.Join(dir, "large"))
	readUncached(t, d, content)
	notInCache(t, filepath.Join(dir, "large"))
	got, err := os.ReadFile(filepath.Join(dir, "large"))
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("the file holds other bytes than were written (%d, error %v)", len(got), err)
	}
	readUncached(t, d, content) // now from memory
}

// notInCache fails where more of a file is in the page cache than its ends and
// what was not aligned.
func notInCache(t *testing.T, path string) {
	t.Helper()
	if pages, of := inCache(t, path); pages > of/4 {
		t.Errorf("%d of %d pages are in the page cache", pages, of)
	}
}

// readUncached reads the file "large" in several ways, all of which must give
// its content.
func readUncached(t *testing.T, d *disk, content []byte) {
	t.Helper()
	f, err := d.Open(relpath.MustParse("large"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.Uncached()
	buf := make([]byte, directPiece)
	for off := 0; off < len(content); off += len(buf) {
		n, err := f.ReadAt(buf, int64(off))
		want := content[off:min(len(content), off+len(buf))]
		if !bytes.Equal(buf[:n], want) || (err == io.EOF) != (n < len(buf)) || err != nil && err != io.EOF {
			t.Errorf("read at %d gave %d of %d bytes, error %v", off, n, len(want), err)
		}
	}
	for _, r := range []struct{ off, n, skip int }{{17, 9000, 0}, {directAlign, 3 * directAlign, 5}, {8 * directAlign, 2*directAlign + 1, 0}, {4 * directAlign, 100, 0}} {
		b := buf[r.skip : r.skip+r.n]
		if n, err := f.ReadAt(b, int64(r.off)); err != nil || !bytes.Equal(b[:n], content[r.off:r.off+r.n]) {
			t.Errorf("read of %d bytes at %d gave %d, error %v", r.n, r.off, n, err)
		}
	}
	if n, err := f.ReadAt(buf, int64(len(content)+directAlign)&^(directAlign-1)); n != 0 || err != io.EOF {
		t.Errorf("read behind the end gave %d, error %v", n, err)
	}
}

func TestLargeFilesStayInMemoryUpToAShareOfIt(t *testing.T) {
	d := newDirect(func() int64 { return keepShare * 100 })
	now := time.Unix(1_000_000, 0)
	steps := []struct {
		after time.Duration
		size  int64
		keep  bool
	}{
		{0, 101, false},
		{0, 60, true},
		{time.Minute, 41, false},
		{time.Minute, 40, true},
		{time.Minute, 1, false},
		{keepAgain - 2*time.Minute, 1, false},
		{2 * time.Second, 100, false},
		{keepAgain, 100, true},
	}
	for i, s := range steps {
		now = now.Add(s.after)
		if got := d.keep(s.size, now); got != s.keep {
			t.Errorf("step %d: keep %d bytes gave %v, want %v", i, s.size, got, s.keep)
		}
	}
}

func TestAFileThatSomebodyWantsSoonStaysInMemory(t *testing.T) {
	d, dir := openDirectDisk(t)
	d.sync.direct.available = func() int64 { return keepShare * directFrom }
	for _, name := range []string{"first", "second"} {
		f, err := d.Create(relpath.MustParse(name))
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Truncate(directFrom); err != nil {
			t.Fatal(err)
		}
		for off := int64(0); off < directFrom; off += directPiece {
			if _, err := f.WriteAt(make([]byte, directPiece), off); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if pages, of := inCache(t, filepath.Join(dir, "first")); pages < of/2 {
		t.Errorf("%d of %d pages of the first file are in the page cache", pages, of)
	}
	notInCache(t, filepath.Join(dir, "second"))
}

func TestADiskThatRefusesDirectWritesGetsTheOthers(t *testing.T) {
	d, dir := openDirectDisk(t)
	d.sync.direct.off.Store(true)
	f, err := d.Create(relpath.MustParse("large"))
	if err != nil {
		t.Fatal(err)
	}
	f.Uncached()
	if err := f.Truncate(directFrom); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(bytes.Repeat([]byte{7}, directPiece), 0); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, "large"))
	if err != nil || len(got) != directFrom || got[directPiece-1] != 7 || got[directPiece] != 0 {
		t.Errorf("the file holds other bytes than were written (%d, error %v)", len(got), err)
	}
}

// BenchmarkLargeFile writes a file of 256 MiB in blocks of 1 MiB by two
// workers and makes it durable, in both ways.
func BenchmarkLargeFile(b *testing.B) {
	d, _ := openDirectDisk(b)
	content := make([]byte, 1<<20)
	for name, off := range map[string]bool{"direct": false, "cached": true} {
		b.Run(name, func(b *testing.B) {
			d.sync.direct.off.Store(off)
			b.SetBytes(256 << 20)
			for b.Loop() {
				f, err := d.Create(relpath.MustParse("large"))
				if err != nil {
					b.Fatal(err)
				}
				f.Uncached()
				if err := f.Truncate(256 << 20); err != nil {
					b.Fatal(err)
				}
				var wg sync.WaitGroup
				for w := range 2 {
					wg.Go(func() {
						for i := w; i < 256; i += 2 {
							if _, err := f.WriteAt(content, int64(i)<<20); err != nil {
								b.Error(err)
							}
							f.Flush(int64(i)<<20, 1<<20)
						}
					})
				}
				wg.Wait()
				if err := d.SyncFiles([]File{f}); err != nil {
					b.Fatal(err)
				}
				if err := f.Close(); err != nil {
					b.Fatal(err)
				}
				if err := d.Remove(relpath.MustParse("large")); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCopyFile is what the system makes of a copy within the disk, made
// durable: the floor for a new version of a large file most of which is here.
func BenchmarkCopyFile(b *testing.B) {
	const size = 256 << 20
	dir := b.TempDir()
	old, err := os.OpenFile(filepath.Join(dir, "old"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		b.Fatal(err)
	}
	defer old.Close()
	content := make([]byte, 1<<20)
	for at := int64(0); at < size; at += int64(len(content)) {
		if _, err := old.WriteAt(content, at); err != nil {
			b.Fatal(err)
		}
	}
	if err := old.Sync(); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(size)
	for b.Loop() {
		if _, err := old.Seek(0, io.SeekStart); err != nil {
			b.Fatal(err)
		}
		made, err := os.Create(filepath.Join(dir, "new"))
		if err != nil {
			b.Fatal(err)
		}
		if n, err := io.Copy(made, old); err != nil || n != size {
			b.Fatal(n, err)
		}
		if err := made.Sync(); err != nil {
			b.Fatal(err)
		}
		if err := made.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

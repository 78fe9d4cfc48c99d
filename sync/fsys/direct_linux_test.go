package fsys

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
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
	if pages, of := inCache(t, filepath.Join(dir, "large")); pages > of/4 {
		t.Errorf("%d of %d pages are in the page cache", pages, of)
	}
	got, err := os.ReadFile(filepath.Join(dir, "large"))
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("the file holds other bytes than were written (%d, error %v)", len(got), err)
	}
}

func TestADiskThatRefusesDirectWritesGetsTheOthers(t *testing.T) {
	d, dir := openDirectDisk(t)
	d.sync.direct.off.Store(true)
	f, err := d.Create(relpath.MustParse("large"))
	if err != nil {
		t.Fatal(err)
	}
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

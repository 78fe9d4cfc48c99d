package fsys

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// Starting values of going past the page cache.
const (
	directFrom  = 32 << 20 // bytes of a file; smaller ones are likely to be opened soon
	directAlign = 4096     // of offset, length and memory: enough for every disk in use
	directPiece = 1 << 20  // bytes of one write
	directSpare = 4        // buffers that are kept

	// Files that nobody has yet are left in memory up to one part in this many
	// of what is available, and more after a while: what arrives is often opened
	// or changed soon.
	keepShare = 32
	keepAgain = 10 * time.Minute
)

// direct writes large files past the page cache (open(2), O_DIRECT), and reads
// them so where they are read once: a folder's first copy then neither fills
// the machine's memory with pages that nobody asked for nor pays for touching
// them, which on a virtual machine is most of the cost of a write, and of a
// read from the disk. It is a faster way to the same file: durability still
// comes from a sync, and what it cannot do goes the usual way.
type direct struct {
	off       atomic.Bool  // the file system refused it
	spare     chan []byte  // aligned buffers of directPiece bytes
	available func() int64 // bytes of memory that can be had

	mu   sync.Mutex // guards what follows
	kept int64      // bytes of large files left in memory
	last time.Time  // when the latest of them was begun
}

func newDirect(available func() int64) *direct {
	return &direct{spare: make(chan []byte, directSpare), available: available}
}

// directHandle is the second handle of one file, opened at its first large
// write or read. Methods may be called concurrently; a nil one does nothing.
type directHandle struct {
	d      *direct
	access int          // as the first handle's: os.O_RDONLY or os.O_RDWR
	size   atomic.Int64 // the file has this size, or is to get it
	past   atomic.Bool  // what is read or written is not wanted in memory
	mu     sync.Mutex   // guards f and done
	f      *os.File
	done   bool // closed, or not to be had
}

// write writes the leading part of b that it can and returns its length. An
// error is not told: the usual way meets it again.
func (h *directHandle) write(file *os.File, b []byte, off int64) int {
	if !h.fits(b, off) {
		return 0
	}
	f := h.open(file)
	if f == nil {
		return 0
	}
	total := len(b) &^ (directAlign - 1)
	if aligned(b) {
		n, err := f.WriteAt(b[:total], off)
		h.refused(err)
		return n &^ (directAlign - 1)
	}
	buf := h.d.buffer()
	defer h.d.release(buf)
	for n := 0; n < total; {
		k := copy(buf, b[n:total])
		if _, err := f.WriteAt(buf[:k], off+int64(n)); err != nil {
			h.refused(err)
			return n
		}
		n += k
	}
	return total
}

// read reads the leading part of b that it can and returns its length: that
// is nothing where the page cache holds most of it. An error is not told: the
// usual way meets it again.
func (h *directHandle) read(file *os.File, b []byte, off int64) int {
	if !h.fits(b, off) || !aligned(b) {
		return 0
	}
	total := len(b) &^ (directAlign - 1)
	if mostlyCached(file, off, int64(total)) {
		return 0
	}
	f := h.open(file)
	if f == nil {
		return 0
	}
	n, err := f.ReadAt(b[:total], off)
	if n == 0 {
		h.refused(err)
	}
	return n
}

// fits reports whether a read or write of b is large enough and begins where
// the disk can.
func (h *directHandle) fits(b []byte, off int64) bool {
	return h != nil && h.past.Load() && h.size.Load() >= directFrom && len(b) >= directAlign && off%directAlign == 0 && !h.d.off.Load()
}

// refused notes where an error says that the file system cannot.
func (h *directHandle) refused(err error) {
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, ErrUnsupported) {
		h.d.off.Store(true)
	}
}

// aligned reports whether memory is where the disk can reach it. What the
// runtime allocates is, if it is large.
func aligned(b []byte) bool { return misaligned(b) == 0 }

func misaligned(b []byte) int {
	return int(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) & (directAlign - 1)
}

// open gives the second handle, nil where there is none.
func (h *directHandle) open(file *os.File) *os.File {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.f != nil || h.done {
		return h.f
	}
	f, err := openDirect(file, h.access)
	if err != nil {
		h.done = true
		h.d.off.Store(true)
		return nil
	}
	h.f = f
	return f
}

// uncached says that memory need not keep the file, which has this size now.
func (h *directHandle) uncached(size int64) {
	if h != nil {
		h.size.Store(max(size, h.size.Load()))
		h.past.Store(true)
	}
}

// expect notes the size that a file which is written is to have. One that is
// too large for memory goes past it.
func (h *directHandle) expect(size int64) {
	if h == nil {
		return
	}
	h.size.Store(size)
	if size >= directFrom && !h.past.Load() && !h.d.keep(size, time.Now()) {
		h.past.Store(true)
	}
}

// keep decides whether a file of that size stays in memory.
func (d *direct) keep(size int64, now time.Time) bool {
	available := d.available()
	d.mu.Lock()
	defer d.mu.Unlock()
	if now.Sub(d.last) >= keepAgain {
		d.kept = 0
	}
	if d.kept+size > available/keepShare {
		return false
	}
	d.kept, d.last = d.kept+size, now
	return true
}

func (h *directHandle) close() error {
	if h == nil {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	f := h.f
	h.f, h.done = nil, true
	if f == nil {
		return nil
	}
	return f.Close()
}

// buffer gives aligned memory.
func (d *direct) buffer() []byte {
	select {
	case b := <-d.spare:
		return b
	default:
	}
	b := make([]byte, directPiece+directAlign)
	skip := -misaligned(b) & (directAlign - 1)
	return b[skip : skip+directPiece]
}

func (d *direct) release(b []byte) {
	select {
	case d.spare <- b:
	default:
	}
}

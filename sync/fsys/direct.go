package fsys

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// Starting values of writing past the page cache.
const (
	directFrom  = 32 << 20 // bytes of a file; smaller ones are likely to be opened soon
	directAlign = 4096     // of offset, length and memory: enough for every disk in use
	directPiece = 1 << 20  // bytes of one write
	directSpare = 4        // buffers that are kept
)

// direct writes large files past the page cache (open(2), O_DIRECT), so that a
// folder's first copy neither fills the machine's memory with pages that
// nobody asked for nor pays for touching them, which on a virtual machine is
// most of the cost of a write. It is a faster way to the same file: durability
// still comes from a sync, and what it cannot write goes the usual way.
type direct struct {
	off   atomic.Bool // the file system refused it
	spare chan []byte // aligned buffers of directPiece bytes
}

func newDirect() *direct { return &direct{spare: make(chan []byte, directSpare)} }

// directHandle is the second handle of one file, opened at its first large
// write. Methods may be called concurrently; a nil one writes nothing.
type directHandle struct {
	d    *direct
	size atomic.Int64 // the file is to become this large
	mu   sync.Mutex   // guards f and done
	f    *os.File
	done bool // closed, or not to be had
}

// write writes the leading part of b that it can and returns its length. An
// error is not told: the usual way meets it again.
func (h *directHandle) write(file *os.File, b []byte, off int64) int {
	if h == nil || h.size.Load() < directFrom || len(b) < directAlign || off%directAlign != 0 || h.d.off.Load() {
		return 0
	}
	f := h.open(file)
	if f == nil {
		return 0
	}
	buf := h.d.buffer()
	defer h.d.release(buf)
	total := len(b) &^ (directAlign - 1)
	for n := 0; n < total; {
		k := copy(buf, b[n:total])
		if _, err := f.WriteAt(buf[:k], off+int64(n)); err != nil {
			if errors.Is(err, syscall.EINVAL) || errors.Is(err, ErrUnsupported) {
				h.d.off.Store(true)
			}
			return n
		}
		n += k
	}
	return total
}

// open gives the second handle, nil where there is none.
func (h *directHandle) open(file *os.File) *os.File {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.f != nil || h.done {
		return h.f
	}
	f, err := openDirect(file)
	if err != nil {
		h.done = true
		h.d.off.Store(true)
		return nil
	}
	h.f = f
	return f
}

// expect notes the size that the file is to have.
func (h *directHandle) expect(size int64) {
	if h != nil {
		h.size.Store(size)
	}
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
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) & (directAlign - 1)
	return b[skip : skip+directPiece]
}

func (d *direct) release(b []byte) {
	select {
	case d.spare <- b:
	default:
	}
}

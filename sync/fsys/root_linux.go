package fsys

import (
	"io/fs"
	"os"
	"sync/atomic"
)

// rootFD lends a folder's root descriptor. A bare number would be unsafe: a
// folder may be closed while a worker still uses it, and then the number may
// soon be the root of another folder. Methods may be called from any
// goroutine.
type rootFD struct {
	file   *os.File
	number int
	closed atomic.Bool
	uses   atomic.Int64 // running ones, and one until close; at 0 the file is closed
}

func newRootFD(file *os.File) *rootFD {
	r := &rootFD{file: file, number: int(file.Fd())}
	r.uses.Store(1)
	return r
}

// use runs work with the descriptor, which stays open until work has returned.
// After close it is fs.ErrClosed.
func (r *rootFD) use(work func(fd int) error) error {
	if !r.begin() {
		return fs.ErrClosed
	}
	defer r.end()
	return work(r.number)
}

func (r *rootFD) begin() bool {
	for !r.closed.Load() {
		n := r.uses.Load()
		if n == 0 {
			break
		}
		if r.uses.CompareAndSwap(n, n+1) {
			return true
		}
	}
	return false
}

func (r *rootFD) end() error {
	if r.uses.Add(-1) > 0 {
		return nil
	}
	return r.file.Close()
}

// close refuses further uses; the last one that runs closes the descriptor.
func (r *rootFD) close() error {
	if r.closed.Swap(true) {
		return fs.ErrClosed
	}
	return r.end()
}

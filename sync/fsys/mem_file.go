package fsys

import (
	"errors"
	"io"
	"io/fs"
)

// memFile is an open file of a Mem.
type memFile struct {
	m        *Mem
	ino      *inode
	path     string // as opened, for errors and hooks
	writable bool
	closed   bool // guarded by m.mu
}

// handle opens an inode.
func (m *Mem) handle(ino *inode, path string, writable bool) *memFile {
	ino.opens++
	m.handles++
	return &memFile{m: m, ino: ino, path: path, writable: writable}
}

// do makes one call on the handle.
func (f *memFile) do(op OpName, work func() error) error {
	return f.m.doPaths(op, func() error {
		switch {
		case f.closed:
			return fs.ErrClosed
		case !f.writable && !op.reads():
			return fs.ErrPermission
		}
		return work()
	}, f.path)
}

// ReadAt reads what a program would see now.
func (f *memFile) ReadAt(b []byte, off int64) (n int, err error) {
	atEnd := false
	err = f.do(OpRead, func() error {
		if off < 0 {
			return fs.ErrInvalid
		}
		var end error
		n, end = f.ino.data.readAt(b, off)
		atEnd = end != nil
		return nil
	})
	if err == nil && atEnd {
		err = io.EOF
	}
	return n, err
}

// WriteAt writes all of b, or nothing where the disk is full, or half of it
// where a hook says ShortWrite.
func (f *memFile) WriteAt(b []byte, off int64) (n int, err error) {
	err = f.do(OpWrite, func() error { return f.writeAt(b, off) })
	var short *ShortWrite
	switch {
	case err == nil:
		return len(b), nil
	case errors.As(err, &short):
		n = len(b) / 2
		f.m.mu.Lock()
		defer f.m.mu.Unlock()
		if f.closed || !f.writable || f.writeAt(b[:n], off) != nil {
			n = 0
		}
	}
	return n, err
}

func (f *memFile) writeAt(b []byte, off int64) error {
	if off < 0 {
		return fs.ErrInvalid
	}
	return f.m.write(f.ino, b, off)
}

func (m *Mem) write(ino *inode, b []byte, off int64) error {
	err := m.resize(ino, ino.data.grows(off, int64(len(b))), func() { ino.data.writeAt(b, off) })
	if err == nil {
		m.modified(ino)
	}
	return err
}

// modified stamps a file whose content changed.
func (m *Mem) modified(ino *inode) {
	t := m.now()
	ino.attr.mtime, ino.attr.ctime = t, t
}

// Stat looks at the file, whatever its name is now.
func (f *memFile) Stat() (i Info, err error) {
	err = f.do(OpStat, func() error {
		i = f.m.info(f.ino)
		return nil
	})
	return i, err
}

// Truncate sets the size.
func (f *memFile) Truncate(size int64) error {
	return f.do(OpTruncate, func() error {
		if size < 0 {
			return fs.ErrInvalid
		}
		return f.m.truncate(f.ino, size)
	})
}

func (m *Mem) truncate(ino *inode, size int64) error {
	if err := m.resize(ino, 0, func() {
		ino.data.truncate(size)
		ino.reserved = min(ino.reserved, size)
	}); err != nil {
		return err
	}
	m.modified(ino)
	return nil
}

// Reserve takes space from the disk ahead of the writes. The size stays.
func (f *memFile) Reserve(size int64) error {
	return f.do(OpReserve, func() error {
		if size < 0 {
			return fs.ErrInvalid
		}
		more := size - f.ino.data.allocated()
		return f.m.resize(f.ino, more, func() { f.ino.reserved = max(f.ino.reserved, size) })
	})
}

// SetMeta sets permissions and time.
func (f *memFile) SetMeta(mode uint32, mtime int64) error {
	return f.do(OpSetMeta, func() error {
		f.m.setMode(f.ino, mode)
		f.m.setMtime(f.ino, mtime)
		return nil
	})
}

// Flush does nothing: it promises nothing.
func (f *memFile) Flush(off, n int64) {}

// Uncached does nothing: it promises nothing.
func (f *memFile) Uncached() {}

// Close ends the handle. A second Close is fs.ErrClosed.
func (f *memFile) Close() error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if f.closed {
		return fs.ErrClosed
	}
	f.closed = true
	f.ino.opens--
	f.m.handles--
	f.m.free(f.ino)
	return nil
}

package fsys

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync/atomic"
)

// osFile is an open regular file of a real disk.
type osFile struct {
	f    *os.File
	path string        // as opened, for errors
	own  atomic.Int64  // bytes written through this handle that lie in memory
	past *directHandle // nil: everything goes through the page cache
}

func newOSFile(f *os.File, path string) *osFile { return &osFile{f: f, path: path} }

// ReadAt is io.ReaderAt; the end of the file is io.EOF itself.
func (o *osFile) ReadAt(b []byte, off int64) (int, error) {
	past := o.past.read(o.f, b, off)
	if past == len(b) && past > 0 {
		return past, nil
	}
	n, err := o.f.ReadAt(b[past:], off+int64(past))
	if err == io.EOF {
		return past + n, err
	}
	return past + n, fail(OpRead, o.path, err)
}

// WriteAt is io.WriterAt.
func (o *osFile) WriteAt(b []byte, off int64) (int, error) {
	past := o.past.write(o.f, b, off)
	if past == len(b) && past > 0 {
		return past, nil
	}
	n, err := o.f.WriteAt(b[past:], off+int64(past))
	o.own.Add(int64(n))
	return past + n, fail(OpWrite, o.path, err)
}

// Stat looks at the file, whatever its name is now.
func (o *osFile) Stat() (Info, error) {
	fi, err := o.f.Stat()
	if err != nil {
		return Info{}, fail(OpStat, o.path, err)
	}
	return infoOf(fi), nil
}

// Truncate sets the size.
func (o *osFile) Truncate(size int64) error {
	o.past.expect(size)
	return fail(OpTruncate, o.path, o.f.Truncate(size))
}

// Reserve allocates space where that is quick; the size stays.
func (o *osFile) Reserve(size int64) error {
	return fail(OpReserve, o.path, control(o.f, func(fd uintptr) error { return reserve(fd, size) }))
}

// SetMeta sets permissions and time.
func (o *osFile) SetMeta(mode uint32, mtime int64) error {
	err := o.f.Chmod(fs.FileMode(mode & 0o777))
	if err == nil {
		err = control(o.f, func(fd uintptr) error { return setTime(fd, mtime) })
	}
	return fail(OpSetMeta, o.path, err)
}

// Uncached has large reads and writes go past the page cache.
func (o *osFile) Uncached() {
	if o.past == nil {
		return
	}
	if info, err := o.Stat(); err == nil {
		o.past.uncached(info.Size)
	}
}

// Flush starts writing out. A failure is not lost: the sync reports it.
func (o *osFile) Flush(off, n int64) {
	_ = control(o.f, func(fd uintptr) error { return startWriting(fd, off, n) })
}

// Close ends the handle.
func (o *osFile) Close() error { return errors.Join(o.past.close(), o.f.Close()) }

// control runs work with the descriptor, which stays open meanwhile even if
// the file is closed by another goroutine.
func control(f *os.File, work func(fd uintptr) error) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := conn.Control(func(fd uintptr) { failed = work(fd) }); err != nil {
		return err
	}
	return failed
}

// osFiles checks that handles are of a real disk.
func osFiles(files []File) ([]*osFile, error) {
	list := make([]*osFile, len(files))
	for i, f := range files {
		o, ok := f.(*osFile)
		if !ok {
			return nil, fmt.Errorf("a handle of another file system: %w", fs.ErrInvalid)
		}
		list[i] = o
	}
	return list, nil
}

// kindOf gives the kind of a file mode. What is neither file, directory nor
// symlink is Other, a Windows junction included.
func kindOf(mode fs.FileMode) Kind {
	switch mode.Type() {
	case 0:
		return Regular
	case fs.ModeDir:
		return Directory
	case fs.ModeSymlink:
		return Symlink
	}
	return Other
}

// errLinked: a temporary file that somebody gave a second name may not be
// written to.
var errLinked = fmt.Errorf("the file has another hard link: %w", fs.ErrPermission)

// errOwner: a temporary file of another user may not be trusted.
var errOwner = fmt.Errorf("the file is another user's: %w", fs.ErrPermission)

package fsys

import (
	"io/fs"
	"os"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"lanyard/sync/relpath"
)

// disk is a folder on a Linux file system.
//
// Every call resolves its path afresh from the root's descriptor, by openat2
// without symlinks or mount crossings, or component by component where the
// kernel has no openat2. No directory descriptor is kept between calls: a
// person may move a directory at any time, and a kept descriptor would go
// with it, so that a write meant for this folder would land elsewhere.
type disk struct {
	fd      *rootFD
	info    os.FileInfo // of the root when opened
	path    string      // absolute
	dev     uint64      // of the root
	openat2 bool

	sync      syncer
	noClone   atomic.Bool // the file system said that it cannot clone
	caseKnown sync.Once
	caseFolds bool
}

var _ FS = (*disk)(nil)

// openBest opens a folder.
func openBest(path string, o Options) (FS, error) {
	root, err := os.OpenFile(path, unix.O_DIRECTORY|unix.O_RDONLY, 0)
	if err != nil {
		return nil, openFailed(path, err)
	}
	info, err := root.Stat()
	if err != nil {
		_ = root.Close()
		return nil, fail(OpCheck, path, err)
	}
	d := &disk{fd: newRootFD(root), info: info, path: path, dev: infoOf(info).Dev}
	d.openat2 = !o.NoOpenat2 && d.hasOpenat2()
	d.sync.probe(d.fd)
	return d, nil
}

// resolve is how no path may leave the folder.
const resolve = unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS |
	unix.RESOLVE_NO_XDEV | unix.RESOLVE_NO_MAGICLINKS

// hasOpenat2 asks the kernel. Containers may deny what it knows.
func (d *disk) hasOpenat2() bool {
	return d.fd.use(func(root int) error {
		fd, err := openat2(root, ".", unix.O_PATH|unix.O_DIRECTORY, 0)
		if err == nil {
			_ = unix.Close(fd)
		}
		return err
	}) == nil
}

func openat2(dir int, rel string, flags int, mode uint32) (fd int, err error) {
	how := unix.OpenHow{Flags: uint64(flags | unix.O_CLOEXEC), Mode: uint64(mode), Resolve: resolve}
	err = retry(func() error {
		fd, err = unix.Openat2(dir, rel, &how)
		return err
	})
	return fd, err
}

func openat(dir int, name string, flags int, mode uint32) (fd int, err error) {
	err = retry(func() error {
		fd, err = unix.Openat(dir, name, flags|unix.O_NOFOLLOW|unix.O_CLOEXEC, mode)
		return err
	})
	return fd, err
}

// openDir opens a directory of the folder.
func (d *disk) openDir(p relpath.Path, flags int) (fd int, err error) {
	flags |= unix.O_DIRECTORY
	err = d.fd.use(func(root int) (err error) {
		switch {
		case p.IsRoot():
			fd, err = openat(root, ".", flags, 0)
		case d.openat2:
			fd, err = openat2(root, p.String(), flags, 0)
		default:
			fd, err = d.walk(root, p, flags)
		}
		return err
	})
	return fd, err
}

// walk is openDir without openat2: each component is opened without following
// it, and must lie on the root's device.
func (d *disk) walk(root int, p relpath.Path, flags int) (int, error) {
	dir, rest := root, p.String()
	for {
		name, more := cutSlash(rest)
		last := more == ""
		how := unix.O_PATH | unix.O_DIRECTORY
		if last {
			how = flags
		}
		next, err := openat(dir, name, how, 0)
		if dir != root {
			_ = unix.Close(dir)
		}
		if err != nil {
			return -1, err
		}
		if err := d.sameDevice(next); err != nil {
			_ = unix.Close(next)
			return -1, err
		}
		if last {
			return next, nil
		}
		dir, rest = next, more
	}
}

// cutSlash splits off the first component.
func cutSlash(s string) (first, rest string) {
	for i := range len(s) {
		if s[i] == '/' {
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

func (d *disk) sameDevice(fd int) error {
	var st unix.Stat_t
	err := retry(func() error { return unix.Fstat(fd, &st) })
	if err == nil && uint64(st.Dev) != d.dev {
		return unix.EXDEV
	}
	return err
}

// in runs work with a descriptor of a directory, which is only for *at calls.
func (d *disk) in(dir relpath.Path, work func(dir int) error) error {
	if dir.IsRoot() {
		return d.fd.use(work)
	}
	fd, err := d.openDir(dir, unix.O_PATH)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return work(fd)
}

// at runs work with the directory that holds p and p's name in it.
func (d *disk) at(op OpName, p relpath.Path, work func(dir int, name string) error) error {
	if p.IsRoot() {
		return fail(op, d.path, fs.ErrInvalid)
	}
	return fail(op, p.String(), d.in(p.Dir(), func(dir int) error {
		return work(dir, p.Base())
	}))
}

// openAt opens a file by its name in a directory, not following it.
func (d *disk) openAt(dir int, name string, flags int, mode uint32) (int, error) {
	flags |= unix.O_NOFOLLOW | unix.O_NONBLOCK
	if d.openat2 {
		return openat2(dir, name, flags, mode)
	}
	return openat(dir, name, flags, mode)
}

// createFlags make a regular file. Unlike openAt they leave O_NONBLOCK out: what
// is made cannot block, and a descriptor without it does not go through the
// runtime's poller, which knows no regular files.
const createFlags = unix.O_RDWR | unix.O_CREAT | unix.O_EXCL | unix.O_NOFOLLOW

// Check proves that the open root is what stands at the folder's path.
func (d *disk) Check() error { return checkRoot(d.path, d.info) }

// Free gives what this user may write, the superuser's reserve left out.
func (d *disk) Free() (free, total uint64, err error) {
	var st unix.Statfs_t
	err = d.fd.use(func(root int) error {
		return retry(func() error { return unix.Fstatfs(root, &st) })
	})
	if err != nil {
		return 0, 0, fail(OpFree, d.path, err)
	}
	unit := uint64(st.Frsize)
	return st.Bavail * unit, st.Blocks * unit, nil
}

// Close releases the root once the calls that run have ended, for which it does
// not wait. Those that follow fail with fs.ErrClosed.
func (d *disk) Close() error { return d.fd.close() }

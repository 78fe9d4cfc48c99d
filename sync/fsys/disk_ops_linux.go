package fsys

import (
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"lanyard/sync/relpath"
)

// Open opens a regular file for reading.
func (d *disk) Open(p relpath.Path) (File, error) {
	return d.open(OpOpen, p, unix.O_RDONLY, func(unix.Stat_t) error { return nil })
}

// file makes a handle of this disk, opened with that access.
func (d *disk) file(f *os.File, p relpath.Path, access int) *osFile {
	o := newOSFile(f, p.String())
	if d.sync.direct != nil {
		o.past = &directHandle{d: d.sync.direct, access: access}
	}
	return o
}

// OpenTemp opens a temporary file that an earlier run left.
func (d *disk) OpenTemp(p relpath.Path) (File, error) {
	return d.open(OpOpenTemp, p, unix.O_RDWR, func(st unix.Stat_t) error {
		switch {
		case int(st.Uid) != os.Geteuid():
			return errOwner
		case st.Nlink != 1:
			return errLinked
		}
		return nil
	})
}

// open opens an existing file. It looks at the name first, since opening a
// device or a FIFO alone can have effects, and then at what it opened.
func (d *disk) open(op OpName, p relpath.Path, flags int, trust func(unix.Stat_t) error) (f File, err error) {
	err = d.at(op, p, func(dir int, name string) error {
		var seen unix.Stat_t
		if err := d.rawStatAt(dir, name, &seen); err != nil {
			return err
		}
		if seen.Mode&unix.S_IFMT != unix.S_IFREG {
			return ErrNotRegular
		}
		fd, err := d.openAt(dir, name, flags, 0)
		if err == unix.ELOOP || err == unix.ENXIO || err == unix.EISDIR {
			return both{ErrNotRegular, err} // swapped since we looked
		}
		if err != nil {
			return err
		}
		file := os.NewFile(uintptr(fd), p.String())
		if err := checkOpened(fd, trust); err != nil {
			_ = file.Close()
			return err
		}
		f = d.file(file, p, flags)
		return nil
	})
	return f, err
}

func checkOpened(fd int, trust func(unix.Stat_t) error) error {
	var st unix.Stat_t
	if err := retry(func() error { return unix.Fstat(fd, &st) }); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return ErrNotRegular
	}
	return trust(st)
}

// Create makes a new regular file.
func (d *disk) Create(p relpath.Path) (File, error) {
	f, err := d.create(OpCreate, p)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (d *disk) create(op OpName, p relpath.Path) (f *osFile, err error) {
	opened := func(fd int, err error) error {
		if err == nil {
			f = d.file(os.NewFile(uintptr(fd), p.String()), p, unix.O_RDWR)
		}
		return err
	}
	if d.openat2 && !p.IsRoot() {
		err = d.fd.use(func(root int) error { return opened(openat2(root, p.String(), createFlags, 0o600)) })
		return f, fail(op, p.String(), err)
	}
	err = d.at(op, p, func(dir int, name string) error { return opened(openat(dir, name, createFlags, 0o600)) })
	return f, err
}

// Clone makes a reflink. Whether the file system can is asked once.
func (d *disk) Clone(src, dst relpath.Path) (File, error) {
	if d.noClone.Load() {
		return nil, fail(OpClone, src.String(), ErrUnsupported)
	}
	from, err := d.open(OpClone, src, unix.O_RDONLY, func(unix.Stat_t) error { return nil })
	if err != nil {
		return nil, err
	}
	defer from.Close()
	to, err := d.create(OpClone, dst)
	if err != nil {
		return nil, err
	}
	if err := d.reflink(from.(*osFile), to); err != nil {
		_ = to.Close()
		_ = d.Remove(dst) // ours: it was made a moment ago, and is empty
		return nil, fail(OpClone, src.String(), err)
	}
	return to, nil
}

func (d *disk) reflink(from, to *osFile) error {
	err := control(from.f, func(src uintptr) error {
		return control(to.f, func(dst uintptr) error {
			return retry(func() error { return unix.IoctlFileClone(int(dst), int(src)) })
		})
	})
	switch err {
	case unix.EOPNOTSUPP, unix.ENOTTY, unix.ENOSYS, unix.EXDEV:
		d.noClone.Store(true)
		return both{ErrUnsupported, err}
	case unix.EINVAL:
		return both{ErrUnsupported, err} // this file cannot: its flags forbid it
	}
	return err
}

// Remove removes a file, a symlink or an empty directory.
func (d *disk) Remove(p relpath.Path) error {
	return d.at(OpRemove, p, func(dir int, name string) error {
		var st unix.Stat_t
		if err := d.rawStatAt(dir, name, &st); err != nil {
			return err
		}
		flags := 0
		if st.Mode&unix.S_IFMT == unix.S_IFDIR {
			flags = unix.AT_REMOVEDIR
		}
		err := retry(func() error { return unix.Unlinkat(dir, name, flags) })
		if err == unix.EEXIST {
			return both{ErrNotEmpty, err} // what POSIX also allows
		}
		return err
	})
}

// Mkdir makes one directory; the process's umask applies.
func (d *disk) Mkdir(p relpath.Path, mode uint32) error {
	return d.at(OpMkdir, p, func(dir int, name string) error {
		return retry(func() error { return unix.Mkdirat(dir, name, mode&0o777) })
	})
}

// Chmod sets the permission bits and keeps set-user-ID, set-group-ID and the
// sticky bit.
func (d *disk) Chmod(p relpath.Path, mode uint32) error {
	return d.at(OpChmod, p, func(dir int, name string) error {
		var st unix.Stat_t
		if err := d.rawStatAt(dir, name, &st); err != nil {
			return err
		}
		if t := st.Mode & unix.S_IFMT; t != unix.S_IFREG && t != unix.S_IFDIR {
			return ErrNotRegular
		}
		full := st.Mode&0o7000 | mode&0o777
		err := retry(func() error { return unix.Fchmodat(dir, name, full, unix.AT_SYMLINK_NOFOLLOW) })
		if err == unix.EOPNOTSUPP || err == unix.ENOSYS || err == unix.EINVAL {
			return d.chmodByDescriptor(dir, name, full)
		}
		return err
	})
}

// chmodByDescriptor is for kernels before 6.6, whose fchmodat follows links:
// it opens what the name is now, which needs no permission on it, and changes
// that through its descriptor.
func (d *disk) chmodByDescriptor(dir int, name string, mode uint32) error {
	fd, err := openat(dir, name, unix.O_PATH, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := retry(func() error { return unix.Fstat(fd, &st) }); err != nil {
		return err
	}
	if t := st.Mode & unix.S_IFMT; t != unix.S_IFREG && t != unix.S_IFDIR {
		return ErrNotRegular
	}
	return retry(func() error { return unix.Chmod(descriptorPath(fd), mode) })
}

// Chtimes sets the modification time, of a symlink its own.
func (d *disk) Chtimes(p relpath.Path, mtime int64) error {
	return d.at(OpChtimes, p, func(dir int, name string) error {
		times := []unix.Timespec{{Nsec: unix.UTIME_OMIT}, unix.NsecToTimespec(mtime)}
		return retry(func() error {
			return unix.UtimesNanoAt(dir, name, times, unix.AT_SYMLINK_NOFOLLOW)
		})
	})
}

// Symlink makes a symlink.
func (d *disk) Symlink(target string, p relpath.Path) error {
	return d.at(OpSymlink, p, func(dir int, name string) error {
		if target == "" {
			return fs.ErrInvalid
		}
		err := retry(func() error { return unix.Symlinkat(target, dir, name) })
		if err == unix.EPERM {
			return both{ErrUnsupported, err} // so says FAT
		}
		return err
	})
}

// Readlink gives a symlink's target.
func (d *disk) Readlink(p relpath.Path) (target string, err error) {
	err = d.at(OpReadlink, p, func(dir int, name string) error {
		for buf := make([]byte, 256); ; buf = make([]byte, 2*len(buf)) {
			var n int
			err := retry(func() (err error) {
				n, err = unix.Readlinkat(dir, name, buf)
				return err
			})
			switch {
			case err == unix.EINVAL:
				return both{fs.ErrInvalid, err} // no symlink
			case err != nil:
				return err
			case n < len(buf):
				target = string(buf[:n])
				return nil
			}
		}
	})
	return target, err
}

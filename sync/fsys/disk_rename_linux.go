package fsys

import (
	"io/fs"
	"strconv"

	"golang.org/x/sys/unix"

	"lanyard/sync/relpath"
)

// place is a name in an open directory.
type place struct {
	dir  int
	name string
}

// atBoth runs work with the places of two names.
func (d *disk) atBoth(op OpName, a, b relpath.Path, work func(a, b place) error) error {
	if a.IsRoot() || b.IsRoot() {
		return fail(op, d.path, fs.ErrInvalid)
	}
	err := d.in(a.Dir(), func(dirA int) error {
		if a.Dir() == b.Dir() {
			return work(place{dirA, a.Base()}, place{dirA, b.Base()})
		}
		return d.in(b.Dir(), func(dirB int) error {
			return work(place{dirA, a.Base()}, place{dirB, b.Base()})
		})
	})
	return fail(op, a.String(), err)
}

func renameat2(a, b place, flags uint) error {
	return retry(func() error { return unix.Renameat2(a.dir, a.name, b.dir, b.name, flags) })
}

// Rename moves old to new and replaces a file or symlink there. A directory is
// neither replaced nor replaces anything.
func (d *disk) Rename(old, new relpath.Path) error {
	return d.atBoth(OpRename, old, new, func(a, b place) error {
		var st unix.Stat_t
		if err := d.rawStatAt(a.dir, a.name, &st); err != nil {
			return err
		}
		if st.Mode&unix.S_IFMT == unix.S_IFDIR {
			return d.renameNoReplace(a, b)
		}
		err := renameat2(a, b, 0)
		if err == unix.EISDIR || err == unix.ENOTEMPTY {
			return both{fs.ErrExist, err}
		}
		return err
	})
}

// RenameNoReplace moves old to new, which must be free.
func (d *disk) RenameNoReplace(old, new relpath.Path) error {
	return d.atBoth(OpRenameNoReplace, old, new, d.renameNoReplace)
}

// RenameRaw moves a name of a listing within its directory.
func (d *disk) RenameRaw(p relpath.Path, name, to string) error {
	err := checkBase(name)
	if err == nil {
		err = checkBase(to)
	}
	if err == nil {
		err = d.in(p, func(dir int) error {
			return d.renameNoReplace(place{dir, name}, place{dir, to})
		})
	}
	return fail(OpRenameNoReplace, rawPath(p, name), err)
}

func (d *disk) renameNoReplace(a, b place) error {
	err := renameat2(a, b, unix.RENAME_NOREPLACE)
	switch {
	case err == unix.EEXIST && d.oneEntry(a, b):
		return renameat2(a, b, 0)
	case err == unix.EINVAL || err == unix.ENOSYS || err == unix.EOPNOTSUPP:
		return d.renameChecked(a, b)
	}
	return err
}

// oneEntry reports whether two places are one directory entry in two
// spellings, as a file system that folds case sees it. Two hard links are two
// entries.
func (d *disk) oneEntry(a, b place) bool {
	var x, y, dirA, dirB unix.Stat_t
	for _, look := range []error{
		d.rawStatAt(a.dir, a.name, &x), d.rawStatAt(b.dir, b.name, &y),
		unix.Fstat(a.dir, &dirA), unix.Fstat(b.dir, &dirB),
	} {
		if look != nil {
			return false
		}
	}
	linked := x.Mode&unix.S_IFMT != unix.S_IFDIR && x.Nlink > 1
	return !linked && a.name != b.name && x.Ino == y.Ino && x.Dev == y.Dev &&
		dirA.Ino == dirB.Ino && dirA.Dev == dirB.Dev
}

// renameChecked is for file systems without RENAME_NOREPLACE. A file gets its
// new name as a hard link, which never replaces, and then loses the old one. A
// directory is renamed after a look: at worst it replaces an empty directory
// that was made in between.
func (d *disk) renameChecked(a, b place) error {
	var st unix.Stat_t
	if err := d.rawStatAt(a.dir, a.name, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT == unix.S_IFDIR {
		var at unix.Stat_t
		err := d.rawStatAt(b.dir, b.name, &at)
		switch {
		case err == nil:
			return fs.ErrExist
		case err != unix.ENOENT:
			return err
		}
		return renameat2(a, b, 0)
	}
	err := retry(func() error { return unix.Linkat(a.dir, a.name, b.dir, b.name, 0) })
	if err == unix.EPERM || err == unix.EOPNOTSUPP {
		return both{ErrUnsupported, err}
	}
	if err != nil {
		return err
	}
	return retry(func() error { return unix.Unlinkat(a.dir, a.name, 0) })
}

// Exchange swaps two names.
func (d *disk) Exchange(a, b relpath.Path) error {
	if a.Under(b) || b.Under(a) {
		return fail(OpExchange, a.String(), fs.ErrInvalid)
	}
	return d.atBoth(OpExchange, a, b, func(x, y place) error {
		err := renameat2(x, y, unix.RENAME_EXCHANGE)
		if err == unix.EINVAL || err == unix.ENOSYS {
			return both{ErrUnsupported, err}
		}
		return err
	})
}

// Link gives a regular file a second name.
func (d *disk) Link(old, new relpath.Path) error {
	return d.atBoth(OpLink, old, new, func(a, b place) error {
		var st unix.Stat_t
		if err := d.rawStatAt(a.dir, a.name, &st); err != nil {
			return err
		}
		if st.Mode&unix.S_IFMT != unix.S_IFREG {
			return ErrNotRegular
		}
		return withRefusal(retry(func() error { return unix.Linkat(a.dir, a.name, b.dir, b.name, 0) }))
	})
}

// descriptorPath is a path that means an open descriptor's file.
func descriptorPath(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }

package fsys

import (
	"errors"
	"io/fs"
	"os"

	"lanyard/sync/relpath"
)

// slot is a name in an open directory, with its path from the root.
type slot struct {
	dir  *os.Root
	name string
	path relpath.Path
}

// atBoth runs work with the slots of two names.
func (d *portable) atBoth(op OpName, a, b relpath.Path, work func(a, b slot) error) error {
	if a.IsRoot() || b.IsRoot() {
		return fail(op, d.path, fs.ErrInvalid)
	}
	err := errors.Join(checkName(a.Base()), checkName(b.Base()))
	if err == nil {
		err = d.in(a.Dir(), func(dirA *os.Root) error {
			if a.Dir() == b.Dir() {
				return work(slot{dirA, a.Base(), a}, slot{dirA, b.Base(), b})
			}
			return d.in(b.Dir(), func(dirB *os.Root) error {
				return work(slot{dirA, a.Base(), a}, slot{dirB, b.Base(), b})
			})
		})
	}
	return fail(op, a.String(), err)
}

// move renames within a directory through its own handle, and between two as
// the system can.
func (d *portable) move(a, b slot) error {
	if a.dir == b.dir {
		return a.dir.Rename(a.name, b.name)
	}
	return moveEntry(d.root, a, b)
}

// Rename moves old to new and replaces a file or symlink there.
func (d *portable) Rename(old, new relpath.Path) error {
	return d.atBoth(OpRename, old, new, func(a, b slot) error {
		from, err := a.dir.Lstat(a.name)
		if err != nil {
			return err
		}
		to, err := b.dir.Lstat(b.name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return err
		case (from.IsDir() || to.IsDir()) && !oneSlot(a, b, from, to):
			return fs.ErrExist
		}
		return d.move(a, b)
	})
}

// RenameNoReplace moves old to new, which must be free. A file gets its new
// name as a hard link where the file system has them. Everything else is
// renamed after a look: what somebody puts there in between is replaced.
func (d *portable) RenameNoReplace(old, new relpath.Path) error {
	return d.atBoth(OpRenameNoReplace, old, new, d.moveToFree)
}

// RenameRaw moves a name of a listing within its directory.
func (d *portable) RenameRaw(p relpath.Path, name, to string) error {
	err := checkBase(name)
	if err == nil {
		err = errors.Join(checkBase(to), checkName(to))
	}
	if err == nil {
		err = d.in(p, func(dir *os.Root) error {
			return d.moveToFree(slot{dir: dir, name: name}, slot{dir: dir, name: to})
		})
	}
	return fail(OpRenameNoReplace, rawPath(p, name), err)
}

func (d *portable) moveToFree(a, b slot) error {
	from, err := a.dir.Lstat(a.name)
	if err != nil {
		return err
	}
	to, err := b.dir.Lstat(b.name)
	switch {
	case err == nil && oneSlot(a, b, from, to):
		return d.move(a, b)
	case err == nil:
		return fs.ErrExist
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if a.dir == b.dir && kindOf(from.Mode()) == Regular {
		err := a.dir.Link(a.name, b.name)
		if err == nil {
			return a.dir.Remove(a.name)
		}
		if errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return d.move(a, b)
}

// oneSlot reports whether two names are one entry in two spellings, as a file
// system that folds case sees it. Two hard links are two entries.
func oneSlot(a, b slot, from, to os.FileInfo) bool {
	linked := !from.IsDir() && infoOf(from).Nlink > 1
	return a.dir == b.dir && a.name != b.name && !linked && os.SameFile(from, to)
}

// Link gives a regular file a second name.
func (d *portable) Link(old, new relpath.Path) error {
	return d.atBoth(OpLink, old, new, func(a, b slot) error {
		look, err := a.dir.Lstat(a.name)
		switch {
		case err != nil:
			return err
		case kindOf(look.Mode()) != Regular:
			return ErrNotRegular
		}
		return withRefusal(linkEntry(d.root, a, b))
	})
}

// Exchange swaps two names where the system can.
func (d *portable) Exchange(a, b relpath.Path) error {
	if a.Under(b) || b.Under(a) {
		return fail(OpExchange, a.String(), fs.ErrInvalid)
	}
	return d.atBoth(OpExchange, a, b, func(a, b slot) error {
		if _, err := a.dir.Lstat(a.name); err != nil {
			return err
		}
		if _, err := b.dir.Lstat(b.name); err != nil {
			return err
		}
		return exchangeEntries(a, b)
	})
}

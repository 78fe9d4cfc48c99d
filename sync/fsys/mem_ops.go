package fsys

import (
	"io/fs"
	"strings"

	"lanyard/sync/relpath"
)

// Lstat looks at a name.
func (m *Mem) Lstat(p relpath.Path) (i Info, err error) {
	err = m.do(OpLstat, p, func() error {
		ino, err := m.find(p.String())
		if err == nil {
			i = m.info(ino)
		}
		return err
	})
	return i, err
}

// LstatRaw looks at a name of a listing.
func (m *Mem) LstatRaw(dir relpath.Path, name string) (i Info, err error) {
	path := rawPath(dir, name)
	err = m.doPaths(OpLstat, func() error {
		if err := checkBase(name); err != nil {
			return err
		}
		ino, err := m.find(path)
		if err == nil {
			i = m.info(ino)
		}
		return err
	}, path)
	return i, err
}

// ReadDir lists a directory.
func (m *Mem) ReadDir(p relpath.Path) (entries []Entry, err error) {
	var listing func(string, []Entry) ([]Entry, error)
	err = m.do(OpReadDir, p, func() error {
		dir, err := m.directory(p.String())
		if err != nil {
			return err
		}
		if err := m.allow(dir, mayRead|mayEnter); err != nil {
			return err
		}
		entries, listing = m.list(dir), m.listing
		return nil
	})
	if err == nil && listing != nil {
		entries, err = listing(p.String(), entries)
	}
	if err != nil {
		return nil, fail(OpReadDir, p.String(), err)
	}
	return entries, nil
}

// ReadNames lists the names in a directory.
func (m *Mem) ReadNames(p relpath.Path) ([]string, error) {
	entries, err := m.ReadDir(p)
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name)
	}
	return names, err
}

// Open opens a regular file for reading.
func (m *Mem) Open(p relpath.Path) (f File, err error) {
	err = m.do(OpOpen, p, func() error {
		ino, err := m.regular(p.String(), mayRead)
		if err == nil {
			f = m.handle(ino, p.String(), false)
		}
		return err
	})
	return f, err
}

// OpenTemp opens an existing temporary file for reading and writing.
func (m *Mem) OpenTemp(p relpath.Path) (f File, err error) {
	err = m.do(OpOpenTemp, p, func() error {
		ino, err := m.regular(p.String(), mayRead|mayWrite)
		switch {
		case err != nil:
			return err
		case ino.nlink != 1:
			return errLinked
		}
		f = m.handle(ino, p.String(), true)
		return nil
	})
	return f, err
}

// regular gives the regular file at a path.
func (m *Mem) regular(path string, bits uint32) (*inode, error) {
	ino, err := m.item(path)
	switch {
	case err != nil:
		return nil, err
	case ino.kind != Regular:
		return nil, ErrNotRegular
	}
	return ino, m.allow(ino, bits)
}

// Create makes a new regular file.
func (m *Mem) Create(p relpath.Path) (f File, err error) {
	err = m.do(OpCreate, p, func() error {
		ino, err := m.add(p.String(), Regular, 0o600)
		if err == nil {
			f = m.handle(ino, p.String(), true)
		}
		return err
	})
	return f, err
}

// add makes a new inode at a path, which must be free.
func (m *Mem) add(path string, k Kind, mode uint32) (*inode, error) {
	s, err := m.spot(path)
	switch {
	case err != nil:
		return nil, err
	case s.ent.ino != nil:
		return nil, fs.ErrExist
	}
	if err := m.allow(s.dir, mayWrite); err != nil {
		return nil, err
	}
	ino := m.newInode(k, mode)
	ino.nlink = 1
	m.change(m.set(s, ino))
	return ino, nil
}

// Clone makes dst share src's content.
func (m *Mem) Clone(src, dst relpath.Path) (f File, err error) {
	err = m.doPaths(OpClone, func() error {
		if m.opts.NoClone {
			return ErrUnsupported
		}
		from, err := m.regular(src.String(), mayRead)
		if err != nil {
			return err
		}
		ino, err := m.add(dst.String(), Regular, 0o600)
		if err != nil {
			return err
		}
		data := from.data.clone()
		if err := m.resize(ino, data.allocated(), func() { ino.data = data }); err != nil {
			return err
		}
		f = m.handle(ino, dst.String(), true)
		return nil
	}, src.String(), dst.String())
	return f, err
}

// Rename moves old to new and replaces a file there.
func (m *Mem) Rename(old, new relpath.Path) error {
	return m.doPaths(OpRename, func() error {
		return m.rename(old.String(), new.String(), true)
	}, old.String(), new.String())
}

// RenameNoReplace moves old to new, which must be free.
func (m *Mem) RenameNoReplace(old, new relpath.Path) error {
	return m.doPaths(OpRenameNoReplace, func() error {
		return m.rename(old.String(), new.String(), false)
	}, old.String(), new.String())
}

// RenameRaw moves a name of a listing within its directory.
func (m *Mem) RenameRaw(dir relpath.Path, name, to string) error {
	from, dest := rawPath(dir, name), rawPath(dir, to)
	return m.doPaths(OpRenameNoReplace, func() error {
		if err := checkBase(name); err != nil {
			return err
		}
		if err := checkBase(to); err != nil {
			return err
		}
		return m.rename(from, dest, false)
	}, from, dest)
}

// rename moves a name. A directory at the target is never replaced. The same
// file under another spelling is respelled.
func (m *Mem) rename(from, to string, replace bool) error {
	a, b, err := m.pair(from, to)
	if err != nil {
		return err
	}
	same := a.dir == b.dir && m.key(a.name) == m.key(b.name)
	if old := b.ent.ino; old != nil && !same {
		switch {
		case !replace || old.kind == Directory || a.ent.ino.kind == Directory:
			return fs.ErrExist
		case old == a.ent.ino:
			return nil // two links of one file: rename does nothing
		}
	}
	if !same && a.ent.ino.kind == Directory && m.contains(a.ent.ino, b.dir) {
		return fs.ErrInvalid
	}
	m.change(m.unset(a), m.set(b, a.ent.ino))
	a.ent.ino.attr.ctime = m.now()
	if b.ent.ino != nil && !same {
		m.drop(b.ent.ino)
	}
	return nil
}

// pair finds the two names of a rename; the first must exist.
func (m *Mem) pair(from, to string) (a, b spot, err error) {
	if a, err = m.spot(from); err != nil {
		return a, b, err
	}
	if a.ent.ino == nil {
		return a, b, fs.ErrNotExist
	}
	if b, err = m.spot(to); err != nil {
		return a, b, err
	}
	if err = m.allow(a.dir, mayWrite); err != nil {
		return a, b, err
	}
	return a, b, m.allow(b.dir, mayWrite)
}

// contains reports whether dir is top or lies below it.
func (m *Mem) contains(top, dir *inode) bool {
	if top == dir {
		return true
	}
	for _, ent := range top.names {
		if ent.ino.kind == Directory && m.contains(ent.ino, dir) {
			return true
		}
	}
	return false
}

// Exchange swaps two names.
func (m *Mem) Exchange(a, b relpath.Path) error {
	return m.doPaths(OpExchange, func() error {
		if m.opts.NoExchange {
			return ErrUnsupported
		}
		x, y, err := m.pair(a.String(), b.String())
		switch {
		case err != nil:
			return err
		case y.ent.ino == nil:
			return fs.ErrNotExist
		case m.nested(x.ent.ino, y.dir) || m.nested(y.ent.ino, x.dir):
			return fs.ErrInvalid
		}
		m.change(m.set(x, y.ent.ino), m.set(y, x.ent.ino))
		t := m.now()
		x.ent.ino.attr.ctime, y.ent.ino.attr.ctime = t, t
		return nil
	}, a.String(), b.String())
}

// Link gives a regular file a second name.
func (m *Mem) Link(old, new relpath.Path) error {
	return m.doPaths(OpLink, func() error {
		if m.opts.NoLinks {
			return ErrUnsupported
		}
		return m.link(old.String(), new.String())
	}, old.String(), new.String())
}

func (m *Mem) link(from, to string) error {
	ino, err := m.regular(from, 0)
	if err != nil {
		return err
	}
	s, err := m.spot(to)
	switch {
	case err != nil:
		return err
	case s.ent.ino != nil:
		return fs.ErrExist
	}
	if err := m.allow(s.dir, mayWrite); err != nil {
		return err
	}
	m.change(m.set(s, ino))
	ino.nlink++
	ino.attr.ctime = m.now()
	return nil
}

// nested reports whether moving ino into dir would put it below itself.
func (m *Mem) nested(ino, dir *inode) bool {
	return ino.kind == Directory && m.contains(ino, dir)
}

// Remove removes a file, a symlink or an empty directory.
func (m *Mem) Remove(p relpath.Path) error {
	return m.do(OpRemove, p, func() error { return m.remove(p.String()) })
}

func (m *Mem) remove(path string) error {
	s, err := m.spot(path)
	switch {
	case err != nil:
		return err
	case s.ent.ino == nil:
		return fs.ErrNotExist
	case len(s.ent.ino.names) > 0:
		return ErrNotEmpty
	}
	if err := m.allow(s.dir, mayWrite); err != nil {
		return err
	}
	m.change(m.unset(s))
	m.drop(s.ent.ino)
	return nil
}

// Mkdir makes one directory.
func (m *Mem) Mkdir(p relpath.Path, mode uint32) error {
	return m.do(OpMkdir, p, func() error {
		_, err := m.add(p.String(), Directory, mode)
		return err
	})
}

// Chmod sets the permission bits of a file or directory.
func (m *Mem) Chmod(p relpath.Path, mode uint32) error {
	return m.do(OpChmod, p, func() error {
		ino, err := m.item(p.String())
		switch {
		case err != nil:
			return err
		case ino.kind != Regular && ino.kind != Directory:
			return ErrNotRegular
		}
		m.setMode(ino, mode)
		return nil
	})
}

func (m *Mem) setMode(ino *inode, mode uint32) {
	ino.attr.mode = mode & 0o777
	ino.attr.ctime = m.now()
}

// Chtimes sets the modification time of anything.
func (m *Mem) Chtimes(p relpath.Path, mtime int64) error {
	return m.do(OpChtimes, p, func() error {
		ino, err := m.item(p.String())
		if err == nil {
			m.setMtime(ino, mtime)
		}
		return err
	})
}

func (m *Mem) setMtime(ino *inode, mtime int64) {
	ino.attr.mtime = m.coarse(mtime)
	ino.attr.ctime = m.now()
}

// Symlink makes a symlink.
func (m *Mem) Symlink(target string, p relpath.Path) error {
	return m.do(OpSymlink, p, func() error { return m.symlink(target, p.String()) })
}

func (m *Mem) symlink(target, path string) error {
	switch {
	case m.opts.NoSymlinks:
		return ErrUnsupported
	case target == "" || strings.ContainsRune(target, 0):
		return fs.ErrInvalid
	}
	ino, err := m.add(path, Symlink, 0o777)
	if err == nil {
		ino.target = target
	}
	return err
}

// Readlink gives a symlink's target.
func (m *Mem) Readlink(p relpath.Path) (target string, err error) {
	err = m.do(OpReadlink, p, func() error {
		ino, err := m.item(p.String())
		switch {
		case err != nil:
			return err
		case ino.kind != Symlink:
			return fs.ErrInvalid
		}
		target = ino.target
		return nil
	})
	return target, err
}

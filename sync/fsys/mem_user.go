package fsys

import (
	"io/fs"
	"strings"
)

// User edits a Mem the way a person does, beside the engine: no hook sees it,
// permissions are the owner's. Paths are slash-separated and need not be
// relpath names. An edit is not durable before Sync.
type User struct{ m *Mem }

// User gives the hands of the person whose folder this is.
func (m *Mem) User() User { return User{m} }

// Node is what one name of a tree holds.
type Node struct {
	Kind    Kind
	Content []byte // of a regular file
	Target  string // of a symlink
	Mode    uint32
	Mtime   int64
}

func (u User) do(op, path string, work func() error) error {
	u.m.mu.Lock()
	defer u.m.mu.Unlock()
	if err := work(); err != nil {
		return &fs.PathError{Op: op, Path: path, Err: err}
	}
	return nil
}

// WriteFile sets a file's content in place, or makes the file with mode 0644.
func (u User) WriteFile(path string, data []byte) error {
	return u.do("write", path, func() error {
		ino, err := u.m.find(path)
		switch {
		case err == nil && ino.kind != Regular:
			return ErrNotRegular
		case err != nil:
			if ino, err = u.m.add(path, Regular, 0o644); err != nil {
				return err
			}
		}
		if err := u.m.truncate(ino, 0); err != nil {
			return err
		}
		return u.m.write(ino, data, 0)
	})
}

// ReadFile gives a file's content.
func (u User) ReadFile(path string) (data []byte, err error) {
	err = u.do("read", path, func() error {
		ino, err := u.m.regular(path, 0)
		if err == nil {
			data = ino.data.bytes()
		}
		return err
	})
	return data, err
}

// Remove removes a file, symlink, special file or empty directory.
func (u User) Remove(path string) error {
	return u.do("remove", path, func() error { return u.m.remove(path) })
}

// RemoveAll removes a path with everything below it; a path that does not
// exist is no error.
func (u User) RemoveAll(path string) error {
	return u.do("remove", path, func() error {
		s, err := u.m.spot(path)
		if err != nil || s.ent.ino == nil {
			return err
		}
		return u.m.removeAll(path, s.ent.ino)
	})
}

func (m *Mem) removeAll(path string, ino *inode) error {
	for _, ent := range sortedEntries(ino.names) {
		if err := m.removeAll(path+"/"+ent.name, ent.ino); err != nil {
			return err
		}
	}
	return m.remove(path)
}

// Rename moves a name; a file at the target is replaced.
func (u User) Rename(from, to string) error {
	return u.do("rename", from, func() error { return u.m.rename(from, to, true) })
}

// MkdirAll makes a directory and its parents, with mode 0755.
func (u User) MkdirAll(path string) error {
	return u.do("mkdir", path, func() error {
		for end := 0; end < len(path); end++ {
			if i := strings.IndexByte(path[end:], '/'); i >= 0 {
				end += i
			} else {
				end = len(path)
			}
			if dir, err := u.m.find(path[:end]); err == nil {
				if dir.kind != Directory {
					return ErrNotDirectory
				}
				continue
			}
			if _, err := u.m.add(path[:end], Directory, 0o755); err != nil {
				return err
			}
		}
		return nil
	})
}

// Symlink makes a symlink.
func (u User) Symlink(target, path string) error {
	return u.do("symlink", path, func() error { return u.m.symlink(target, path) })
}

// Link gives a regular file a second name.
func (u User) Link(from, to string) error {
	return u.do("link", from, func() error { return u.m.link(from, to) })
}

// Special makes an entry of kind Other: a FIFO, a device, a mount point.
func (u User) Special(path string) error {
	return u.do("mknod", path, func() error {
		_, err := u.m.add(path, Other, 0o644)
		return err
	})
}

// Chmod sets permission bits.
func (u User) Chmod(path string, mode uint32) error {
	return u.do("chmod", path, func() error {
		ino, err := u.m.find(path)
		if err == nil {
			u.m.setMode(ino, mode)
		}
		return err
	})
}

// Chtimes sets the modification time, unix nanoseconds.
func (u User) Chtimes(path string, mtime int64) error {
	return u.do("chtimes", path, func() error {
		ino, err := u.m.find(path)
		if err == nil {
			u.m.setMtime(ino, mtime)
		}
		return err
	})
}

// Lstat looks at a name.
func (u User) Lstat(path string) (i Info, err error) {
	err = u.do("lstat", path, func() error {
		ino, err := u.m.find(path)
		if err == nil {
			i = u.m.info(ino)
		}
		return err
	})
	return i, err
}

// Sync makes everything durable, as the command of that name.
func (u User) Sync() {
	u.m.mu.Lock()
	defer u.m.mu.Unlock()
	u.m.commitAll()
	u.m.root.settleAll()
}

func (ino *inode) settleAll() {
	ino.settle()
	for _, ent := range ino.names {
		ent.ino.settleAll()
	}
}

// Tree gives everything below the root by path; the root itself is left out.
func (u User) Tree() map[string]Node {
	u.m.mu.Lock()
	defer u.m.mu.Unlock()
	tree := map[string]Node{}
	u.m.root.collect("", tree)
	return tree
}

func (ino *inode) collect(prefix string, tree map[string]Node) {
	for _, ent := range ino.names {
		path := prefix + ent.name
		n := Node{
			Kind: ent.ino.kind, Target: ent.ino.target,
			Mode: ent.ino.attr.mode, Mtime: ent.ino.attr.mtime,
		}
		switch ent.ino.kind {
		case Regular:
			n.Content = ent.ino.data.bytes()
		case Directory:
			ent.ino.collect(path+"/", tree)
		}
		tree[path] = n
	}
}

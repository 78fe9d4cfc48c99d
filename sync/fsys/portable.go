package fsys

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"lanyard/sync/relpath"
)

// portable is a folder on any system, built on os.Root.
//
// os.Root never leaves the folder but follows symlinks inside it, so every
// call opens its parent directory component by component, refuses what is not
// a directory, and compares what it opened with what it saw. The last
// component is looked at before and after it is opened. Between the look and
// a change of permissions or times somebody may swap the name for a link: then
// the change may reach another name in or below the same directory, no
// further. What is opened, written, renamed or removed is never redirected,
// except as moveEntry says for Windows.
type portable struct {
	root *os.Root
	info os.FileInfo // of the root when opened
	dev  uint64      // of the root, 0 where the system does not tell
	path string

	caseKnown sync.Once
	caseFolds bool
}

var _ FS = (*portable)(nil)

func openPortable(path string) (FS, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, openFailed(path, err)
	}
	info, err := root.Stat(".")
	if err != nil {
		_ = root.Close()
		return nil, fail(OpCheck, path, err)
	}
	return &portable{root: root, info: info, dev: infoOf(info).Dev, path: path}, nil
}

// in runs work with the directory p opened.
func (d *portable) in(p relpath.Path, work func(dir *os.Root) error) error {
	dir := d.root
	defer func() {
		if dir != d.root {
			_ = dir.Close()
		}
	}()
	for rest := p.String(); rest != ""; {
		name, more, _ := strings.Cut(rest, "/")
		next, err := d.enter(dir, name)
		if err != nil {
			return err
		}
		if dir != d.root {
			_ = dir.Close()
		}
		dir, rest = next, more
	}
	return work(dir)
}

// enter opens a directory in a directory, not following a link and not
// entering another file system.
func (d *portable) enter(dir *os.Root, name string) (*os.Root, error) {
	seen, err := lstat(dir, name)
	if err != nil {
		return nil, err
	}
	if kindOf(seen.Mode()) != Directory {
		return nil, ErrNotDirectory
	}
	next, err := dir.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	got, err := next.Stat(".")
	if err == nil && (!os.SameFile(seen, got) || infoOf(got).Dev != d.dev) {
		err = ErrNotDirectory
	}
	if err != nil {
		_ = next.Close()
		return nil, err
	}
	return next, nil
}

// lstat looks at a name in a directory, if the system allows such a name.
func lstat(dir *os.Root, name string) (os.FileInfo, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	return dir.Lstat(name)
}

// at runs work with the directory that holds p and p's name in it.
func (d *portable) at(op OpName, p relpath.Path, work func(dir *os.Root, name string) error) error {
	if p.IsRoot() {
		return fail(op, d.path, fs.ErrInvalid)
	}
	err := checkName(p.Base())
	if err == nil {
		err = d.in(p.Dir(), func(dir *os.Root) error { return work(dir, p.Base()) })
	}
	return fail(op, p.String(), err)
}

// Lstat looks at a name.
func (d *portable) Lstat(p relpath.Path) (i Info, err error) {
	if p.IsRoot() {
		fi, err := d.root.Stat(".")
		if err != nil {
			return Info{}, fail(OpLstat, d.path, err)
		}
		return infoOf(fi), nil
	}
	err = d.at(OpLstat, p, func(dir *os.Root, name string) (err error) {
		i, err = d.infoIn(dir, name)
		return err
	})
	return i, err
}

// LstatRaw looks at a name of a listing.
func (d *portable) LstatRaw(p relpath.Path, name string) (i Info, err error) {
	err = checkBase(name)
	if err == nil {
		err = d.in(p, func(dir *os.Root) (err error) {
			i, err = d.infoIn(dir, name)
			return err
		})
	}
	return i, fail(OpLstat, rawPath(p, name), err)
}

func (d *portable) infoIn(dir *os.Root, name string) (Info, error) {
	fi, err := lstat(dir, name)
	if err != nil {
		return Info{}, err
	}
	return d.seen(fi), nil
}

// seen is infoOf, with another file system's directory as Other.
func (d *portable) seen(fi os.FileInfo) Info {
	i := infoOf(fi)
	if i.Kind == Directory && i.Dev != d.dev {
		i.Kind = Other
	}
	return i
}

// ReadDir lists a directory completely, in byte order.
func (d *portable) ReadDir(p relpath.Path) (entries []Entry, err error) {
	err = d.in(p, func(dir *os.Root) error {
		entries, err = d.list(dir)
		return err
	})
	if err != nil {
		return nil, fail(OpReadDir, p.String(), err)
	}
	return entries, nil
}

// ReadNames lists the names in a directory, in byte order.
func (d *portable) ReadNames(p relpath.Path) (names []string, err error) {
	err = d.in(p, func(dir *os.Root) error {
		names, err = namesOf(dir)
		return err
	})
	slices.Sort(names)
	return names, fail(OpReadDir, p.String(), err)
}

func namesOf(dir *os.Root) ([]string, error) {
	f, err := dir.Open(".")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdirnames(-1)
}

func (d *portable) list(dir *os.Root) ([]Entry, error) {
	names, err := namesOf(dir)
	if err != nil {
		return nil, err
	}
	entries := make([]Entry, 0, len(names))
	for _, name := range names {
		fi, err := dir.Lstat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // vanished while we looked
		}
		if err != nil {
			return nil, err
		}
		entries = append(entries, Entry{name, d.seen(fi)})
	}
	sortEntries(entries)
	return entries, nil
}

// Open opens a regular file for reading.
func (d *portable) Open(p relpath.Path) (File, error) {
	return d.open(OpOpen, p, os.O_RDONLY)
}

// OpenTemp opens a temporary file that an earlier run left.
func (d *portable) OpenTemp(p relpath.Path) (File, error) {
	return d.open(OpOpenTemp, p, os.O_RDWR)
}

func (d *portable) open(op OpName, p relpath.Path, flags int) (f File, err error) {
	err = d.at(op, p, func(dir *os.Root, name string) error {
		file, err := openSeen(dir, name, flags)
		if err != nil {
			return err
		}
		if op == OpOpenTemp {
			if err := trustTemp(file); err != nil {
				_ = file.Close()
				return err
			}
		}
		f = newOSFile(file, p.String())
		return nil
	})
	return f, err
}

// openSeen opens a regular file and proves that it is the one that bears the
// name, not what a link points at.
func openSeen(dir *os.Root, name string, flags int) (*os.File, error) {
	seen, err := dir.Lstat(name)
	switch {
	case err != nil:
		return nil, err
	case kindOf(seen.Mode()) != Regular:
		return nil, ErrNotRegular
	}
	f, err := dir.OpenFile(name, flags|nonblock, 0)
	if err != nil {
		return nil, err
	}
	got, err := f.Stat()
	if err == nil && (kindOf(got.Mode()) != Regular || !os.SameFile(seen, got)) {
		err = ErrNotRegular
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// Create makes a new regular file.
func (d *portable) Create(p relpath.Path) (f File, err error) {
	err = d.at(OpCreate, p, func(dir *os.Root, name string) error {
		file, err := dir.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL|nonblock, 0o600)
		if err == nil {
			f = newOSFile(file, p.String())
		}
		return err
	})
	return f, err
}

// Clone is not portable.
func (d *portable) Clone(src, dst relpath.Path) (File, error) {
	return nil, fail(OpClone, src.String(), ErrUnsupported)
}

// Remove removes a file, a symlink or an empty directory.
func (d *portable) Remove(p relpath.Path) error {
	return d.at(OpRemove, p, func(dir *os.Root, name string) error { return dir.Remove(name) })
}

// Mkdir makes one directory; the process's umask applies.
func (d *portable) Mkdir(p relpath.Path, mode uint32) error {
	return d.at(OpMkdir, p, func(dir *os.Root, name string) error {
		return dir.Mkdir(name, fs.FileMode(mode&0o777))
	})
}

// specialBits are kept by Chmod.
const specialBits = fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky

// Chmod sets the permission bits. Windows has only "may be written".
func (d *portable) Chmod(p relpath.Path, mode uint32) error {
	return d.at(OpChmod, p, func(dir *os.Root, name string) error {
		fi, err := dir.Lstat(name)
		if err != nil {
			return err
		}
		if k := kindOf(fi.Mode()); k != Regular && k != Directory {
			return ErrNotRegular
		}
		return dir.Chmod(name, fi.Mode()&specialBits|fs.FileMode(mode&0o777))
	})
}

// Chtimes sets the modification time; a symlink's is ErrUnsupported.
func (d *portable) Chtimes(p relpath.Path, mtime int64) error {
	return d.at(OpChtimes, p, func(dir *os.Root, name string) error {
		fi, err := dir.Lstat(name)
		if err != nil {
			return err
		}
		if k := kindOf(fi.Mode()); k != Regular && k != Directory {
			return ErrUnsupported
		}
		return dir.Chtimes(name, time.Time{}, time.Unix(0, mtime))
	})
}

// Symlink makes a symlink.
func (d *portable) Symlink(target string, p relpath.Path) error {
	return d.at(OpSymlink, p, func(dir *os.Root, name string) error {
		if target == "" {
			return fs.ErrInvalid
		}
		return dir.Symlink(target, name)
	})
}

// Readlink gives a symlink's target.
func (d *portable) Readlink(p relpath.Path) (target string, err error) {
	err = d.at(OpReadlink, p, func(dir *os.Root, name string) error {
		fi, err := dir.Lstat(name)
		switch {
		case err != nil:
			return err
		case kindOf(fi.Mode()) != Symlink:
			return fmt.Errorf("no symlink: %w", fs.ErrInvalid)
		}
		target, err = dir.Readlink(name)
		return err
	})
	return target, err
}

// SyncFiles makes the files durable.
func (d *portable) SyncFiles(files []File) error {
	list, err := osFiles(files)
	if err != nil {
		return fail(OpSyncFiles, d.path, err)
	}
	return syncHandles(list)
}

// SyncDirs makes the names in directories durable. All of them are synced even
// where one fails; the first failure is returned.
func (d *portable) SyncDirs(dirs []relpath.Path) error {
	dirs = slices.Clone(dirs)
	slices.SortFunc(dirs, relpath.Path.Compare)
	dirs = slices.Compact(dirs)
	var first error
	for i, p := range dirs {
		err := d.in(p, func(dir *os.Root) error { return syncDirHandle(dir, i == len(dirs)-1) })
		if err != nil && first == nil {
			first = fail(OpSyncDirs, p.String(), err)
		}
	}
	return first
}

// Free gives what this user may write.
func (d *portable) Free() (free, total uint64, err error) {
	free, total, err = freeSpace(d.path)
	return free, total, fail(OpFree, d.path, err)
}

// Check proves that the open root is what stands at the folder's path.
func (d *portable) Check() error { return checkRoot(d.path, d.info) }

// CaseSensitive looks for a name of the root in swapped case; where the root
// holds no letters the answer is what the system's own disks are.
func (d *portable) CaseSensitive() bool {
	d.caseKnown.Do(func() { d.caseFolds = folds(d) })
	return !d.caseFolds
}

// Close releases the root.
func (d *portable) Close() error { return d.root.Close() }

package fsys

import (
	"io/fs"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"lanyard/sync/relpath"
)

// statAt looks at a name of an open directory, not following it.
func (d *disk) statAt(dir int, name string) (Info, error) {
	var st unix.Stat_t
	if err := d.rawStatAt(dir, name, &st); err != nil {
		return Info{}, err
	}
	i := infoOfStat(&st)
	if i.Kind == Directory && (i.Dev != d.dev || mounted(dir, name)) {
		i.Kind = Other
	}
	return i, nil
}

func (d *disk) rawStatAt(dir int, name string, st *unix.Stat_t) error {
	return retry(func() error {
		return unix.Fstatat(dir, name, st, unix.AT_SYMLINK_NOFOLLOW|unix.AT_NO_AUTOMOUNT)
	})
}

// mounted reports whether another file system, or another place of this one,
// is mounted at a directory. Kernels before 5.8 cannot tell the latter.
func mounted(dir int, name string) bool {
	var st unix.Statx_t
	err := retry(func() error {
		return unix.Statx(dir, name, unix.AT_SYMLINK_NOFOLLOW|unix.AT_NO_AUTOMOUNT, 0, &st)
	})
	return err == nil && st.Attributes_mask&st.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0
}

func infoOfStat(st *unix.Stat_t) Info {
	i := Info{
		Kind: Other, Size: st.Size, Mode: st.Mode & 0o777,
		Mtime: unix.TimespecToNsec(st.Mtim), Ctime: unix.TimespecToNsec(st.Ctim),
		Inode: st.Ino, Dev: uint64(st.Dev), Nlink: uint32(st.Nlink),
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		i.Kind = Regular
	case unix.S_IFLNK:
		i.Kind = Symlink
	case unix.S_IFDIR:
		i.Kind = Directory
		i.Size = 0 // says nothing about the content, and differs between disks
	}
	return i
}

// Lstat looks at a name.
func (d *disk) Lstat(p relpath.Path) (i Info, err error) {
	if p.IsRoot() {
		var st unix.Stat_t
		err := d.fd.use(func(root int) error {
			return retry(func() error { return unix.Fstat(root, &st) })
		})
		if err == nil && st.Nlink == 0 {
			err = fs.ErrNotExist
		}
		return infoOfStat(&st), fail(OpLstat, d.path, err)
	}
	if i, done, err := d.lstatAtOnce(p); done {
		return i, fail(OpLstat, p.String(), err)
	}
	err = d.at(OpLstat, p, func(dir int, name string) (err error) {
		i, err = d.statAt(dir, name)
		return err
	})
	return i, err
}

// lstatAtOnce is Lstat without a descriptor of the parent: one call tells of a
// name that is free, which is what a first copy asks for each file. done is
// false where it cannot tell, as for a mount point.
func (d *disk) lstatAtOnce(p relpath.Path) (i Info, done bool, err error) {
	if !d.openat2 {
		return i, false, nil
	}
	err = d.fd.use(func(root int) error {
		fd, err := openat2(root, p.String(), unix.O_PATH|unix.O_NOFOLLOW, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		var st unix.Stat_t
		if err := retry(func() error { return unix.Fstat(fd, &st) }); err != nil {
			return err
		}
		i = infoOfStat(&st)
		return nil
	})
	switch {
	case err == unix.ENOENT:
		return i, true, err
	case err != nil || i.Kind == Directory:
		return i, false, nil // a mount of the same disk looks like a directory
	}
	return i, true, nil
}

// LstatRaw looks at a name of a listing.
func (d *disk) LstatRaw(p relpath.Path, name string) (i Info, err error) {
	err = checkBase(name)
	if err == nil {
		err = d.in(p, func(dir int) (err error) {
			i, err = d.statAt(dir, name)
			return err
		})
	}
	return i, fail(OpLstat, rawPath(p, name), err)
}

// direntBuffer is one read of a directory.
type direntBuffer [64 << 10]byte

// direntBuffers keeps a few of them between listings.
var direntBuffers = sync.Pool{New: func() any { return new(direntBuffer) }}

// ReadDir lists a directory completely, in byte order.
func (d *disk) ReadDir(p relpath.Path) ([]Entry, error) {
	fd, err := d.openDir(p, unix.O_RDONLY)
	if err != nil {
		return nil, fail(OpReadDir, p.String(), err)
	}
	defer unix.Close(fd)
	names, err := readNames(fd)
	if err != nil {
		return nil, fail(OpReadDir, p.String(), err)
	}
	entries := make([]Entry, 0, len(names))
	for _, name := range names {
		i, err := d.statAt(fd, name)
		if err == unix.ENOENT {
			continue // vanished while we looked
		}
		if err != nil {
			return nil, fail(OpReadDir, p.String(), err)
		}
		entries = append(entries, Entry{name, i})
	}
	sortEntries(entries)
	return entries, nil
}

// ReadNames lists the names in a directory, in byte order.
func (d *disk) ReadNames(p relpath.Path) ([]string, error) {
	fd, err := d.openDir(p, unix.O_RDONLY)
	if err != nil {
		return nil, fail(OpReadDir, p.String(), err)
	}
	defer unix.Close(fd)
	names, err := readNames(fd)
	slices.Sort(names)
	return names, fail(OpReadDir, p.String(), err)
}

// readNames gives the names in an open directory, without the dot names, in
// the order of the disk. The names share memory.
func readNames(fd int) ([]string, error) {
	buf := direntBuffers.Get().(*direntBuffer)
	defer direntBuffers.Put(buf)
	var arena strings.Builder
	var ends []int
	for {
		var n int
		err := retry(func() (err error) {
			n, err = unix.Getdents(fd, buf[:])
			return err
		})
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return cutNames(arena.String(), ends), nil
		}
		ends = collectNames(buf[:n], &arena, ends)
	}
}

// cutNames splits the arena at the ends.
func cutNames(all string, ends []int) []string {
	names := make([]string, len(ends))
	start := 0
	for i, end := range ends {
		names[i], start = all[start:end], end
	}
	return names
}

// CaseSensitive looks for a name of the root in swapped case. Where the root
// holds no letters the answer is yes, which is what Linux disks are.
func (d *disk) CaseSensitive() bool {
	d.caseKnown.Do(func() { d.caseFolds = folds(d) })
	return !d.caseFolds
}

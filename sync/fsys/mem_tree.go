package fsys

import (
	"io/fs"
	"maps"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"lanyard/sync/relpath"
)

// inode is one file, directory, symlink or special file. The plain fields are
// what programs see; the stable ones are what a power failure leaves.
type inode struct {
	id    uint64
	kind  Kind
	nlink uint32
	opens int // open handles

	attr   attr
	stable attr

	data       content // of a regular file
	stableData content
	lost       map[int64]*[pageSize]byte // see lose
	reserved   int64                     // bytes allocated ahead by Reserve
	target     string                    // of a symlink

	names       map[string]dirent // of a directory, by Mem.key
	stableNames map[string]dirent
}

// attr is what a stat tells beside size and identity.
type attr struct {
	mode         uint32
	mtime, ctime int64
}

// dirent is one name of a directory, spelled as stored.
type dirent struct {
	name string
	ino  *inode
}

// spot is where a name is or would be.
type spot struct {
	dir  *inode
	name string // as the caller spells it
	ent  dirent // ent.ino is nil where the name is free
}

// info is the lstat of an inode.
func (m *Mem) info(ino *inode) Info {
	i := Info{
		Kind: ino.kind, Mode: ino.attr.mode, Mtime: ino.attr.mtime, Ctime: ino.attr.ctime,
		Inode: ino.id, Dev: 1, Nlink: ino.nlink,
	}
	switch ino.kind {
	case Regular:
		i.Size = ino.data.size
	case Symlink:
		i.Size = int64(len(ino.target))
	}
	if m.opts.NoInodes {
		i.Inode, i.Dev = 0, 0
	}
	if m.opts.NoCtime {
		i.Ctime = 0
	}
	return i
}

func (m *Mem) newInode(k Kind, mode uint32) *inode {
	m.lastInode++
	t := m.now()
	ino := &inode{id: m.lastInode, kind: k, attr: attr{mode & 0o777, t, t}}
	// A new inode reaches the disk together with its name.
	ino.stable = ino.attr
	if k == Directory {
		ino.names, ino.stableNames = map[string]dirent{}, map[string]dirent{}
	}
	return ino
}

// key is what decides whether two names are one on this file system.
func (m *Mem) key(name string) string {
	if m.opts.Decompose {
		name = norm.NFD.String(name)
	}
	if m.opts.CaseInsensitive {
		name = strings.Map(foldRune, name)
	}
	return name
}

// foldRune gives the smallest rune that r equals but for case.
func foldRune(r rune) rune {
	low := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		low = min(low, f)
	}
	return low
}

// spelled is a name as the file system stores it.
func (m *Mem) spelled(name string) string {
	if m.opts.Decompose {
		return norm.NFD.String(name)
	}
	return name
}

// permission bits of the owner.
const (
	mayRead  = 0o400
	mayWrite = 0o200
	mayEnter = 0o100
)

// allow checks the owner's bits where modes are enforced.
func (m *Mem) allow(ino *inode, bits uint32) error {
	if m.opts.EnforceModes && ino.attr.mode&bits != bits {
		return fs.ErrPermission
	}
	return nil
}

// top gives the root directory, or an error where it is gone.
func (m *Mem) top() (*inode, error) {
	if m.rootState == RootGone {
		return nil, fs.ErrNotExist
	}
	return m.root, nil
}

// find gives the inode at a path; "" is the root.
func (m *Mem) find(path string) (*inode, error) {
	if path == "" {
		return m.top()
	}
	s, err := m.spot(path)
	if err != nil {
		return nil, err
	}
	if s.ent.ino == nil {
		return nil, fs.ErrNotExist
	}
	return s.ent.ino, nil
}

// item gives the inode at a path that is not the root.
func (m *Mem) item(path string) (*inode, error) {
	if path == "" {
		return nil, fs.ErrInvalid
	}
	return m.find(path)
}

// directory gives the directory at a path and refuses anything else.
func (m *Mem) directory(path string) (*inode, error) {
	dir, err := m.find(path)
	if err == nil && dir.kind != Directory {
		return nil, ErrNotDirectory
	}
	return dir, err
}

// spot walks to the parent of a path, which must exist, and looks the last
// component up, which need not. No link is followed.
func (m *Mem) spot(path string) (spot, error) {
	dir, err := m.top()
	if err != nil {
		return spot{}, err
	}
	if path == "" {
		return spot{}, fs.ErrInvalid
	}
	rest := path
	for {
		if dir.kind != Directory {
			return spot{}, ErrNotDirectory
		}
		if err := m.allow(dir, mayEnter); err != nil {
			return spot{}, err
		}
		name, more, deeper := strings.Cut(rest, "/")
		ent := dir.names[m.key(name)]
		if !deeper {
			return spot{dir, name, ent}, nil
		}
		if ent.ino == nil {
			return spot{}, fs.ErrNotExist
		}
		dir, rest = ent.ino, more
	}
}

// rawPath joins a directory and a base name from its listing.
func rawPath(dir relpath.Path, name string) string {
	if dir.IsRoot() {
		return name
	}
	return dir.String() + "/" + name
}

// checkBase refuses a base name that is not one component.
func checkBase(name string) error {
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") {
		return fs.ErrInvalid
	}
	return nil
}

// list gives a directory's entries in byte order.
func (m *Mem) list(dir *inode) []Entry {
	entries := make([]Entry, 0, len(dir.names))
	for _, ent := range sortedEntries(dir.names) {
		entries = append(entries, Entry{ent.name, m.info(ent.ino)})
	}
	return entries
}

// sortedEntries puts a directory's names in byte order.
func sortedEntries(names map[string]dirent) []dirent {
	return slices.SortedFunc(maps.Values(names), func(a, b dirent) int {
		return strings.Compare(a.name, b.name)
	})
}

// edit is one change of a directory: a name set to an entry, or removed where
// the entry is empty.
type edit struct {
	dir *inode
	key string
	ent dirent
}

// entry is one operation of the journal: its edits are durable together.
// touched are the directories that it depends on: its own, and a directory
// that it moves.
type entry struct {
	edits   []edit
	touched []*inode
}

// change makes edits visible as one operation, appends them to the journal,
// and stamps the directories.
func (m *Mem) change(edits ...edit) {
	t := m.now()
	var e entry
	for _, ed := range edits {
		ed.apply(ed.dir.names)
		ed.dir.attr.mtime, ed.dir.attr.ctime = t, t
		e.touch(ed.dir)
		if ed.ent.ino != nil && ed.ent.ino.kind == Directory && len(edits) > 1 {
			e.touch(ed.ent.ino)
		}
	}
	e.edits = edits
	m.journal = append(m.journal, e)
}

func (e *entry) touch(dir *inode) {
	if !slices.Contains(e.touched, dir) {
		e.touched = append(e.touched, dir)
	}
}

func (ed edit) apply(names map[string]dirent) {
	if ed.ent.ino == nil {
		delete(names, ed.key)
		return
	}
	names[ed.key] = ed.ent
}

// set and unset are the edits that fill and free a spot.
func (m *Mem) set(s spot, ino *inode) edit {
	return edit{s.dir, m.key(s.name), dirent{m.spelled(s.name), ino}}
}

func (m *Mem) unset(s spot) edit {
	return edit{dir: s.dir, key: m.key(s.name)}
}

// drop takes one link from an inode and frees its space with the last.
func (m *Mem) drop(ino *inode) {
	ino.nlink--
	ino.attr.ctime = m.now()
	m.free(ino)
}

// free gives back the space of a file that has neither name nor handle. Its
// content stays in memory: a crash may undo the removal.
func (m *Mem) free(ino *inode) {
	if ino.nlink == 0 && ino.opens == 0 {
		m.used -= ino.allocated()
	}
}

// allocated is the disk space that a file holds.
func (ino *inode) allocated() int64 { return max(ino.data.allocated(), ino.reserved) }

// resize runs work, which changes what ino holds by at most grows bytes, and
// keeps the account of the disk. It fails before work where space lacks.
func (m *Mem) resize(ino *inode, grows int64, work func()) error {
	before := ino.allocated()
	after := max(ino.data.allocated()+grows, ino.reserved)
	if m.opts.Capacity > 0 && after > before && m.used+after-before > m.opts.Capacity {
		return ErrNoSpace
	}
	work()
	m.used += ino.allocated() - before
	return nil
}

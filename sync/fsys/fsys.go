// Package fsys is the seam to the disk: everything that the engine does in a
// person's folder goes through an FS.
//
// No method follows a symlink in any component: a path whose parent is a link
// (or not a directory) is an error with ErrNotDirectory. Nothing leaves the
// root. Nothing blocks on a FIFO or a device.
//
// Errors are *fault.Error values that also wrap the io/fs sentinels
// (fs.ErrNotExist, fs.ErrExist, fs.ErrPermission) and the ones of this package
// where they apply. Implementations: Open (the real disk) and Mem (in memory,
// for tests: crashes, faults, case folding). Both pass fsystest.Run.
package fsys

import (
	"errors"
	"io"

	"lanyard/sync/relpath"
)

// Sentinels that errors of an FS wrap.
var (
	// ErrNotDirectory: a parent component is missing its directory-ness: it is
	// a symlink, a file, or another file system's mount point.
	ErrNotDirectory = errors.New("a parent is not a directory of this folder")
	// ErrNotRegular: Open found something that is not a regular file.
	ErrNotRegular = errors.New("not a regular file")
	// ErrNotEmpty: Remove of a directory that holds something.
	ErrNotEmpty = errors.New("directory is not empty")
	// ErrUnsupported: the file system cannot do this at all.
	ErrUnsupported = errors.New("not supported by the file system")
	// ErrNoSpace: the disk or the quota is full.
	ErrNoSpace = errors.New("no space left on the disk")
	// ErrRootChanged: the root is not the directory it was when opened.
	ErrRootChanged = errors.New("the folder's root was replaced")
)

// Kind is what a directory entry is.
type Kind uint8

// The kinds. Other is a FIFO, socket, device, or a mount point of another
// file system: never read, written or descended into.
const (
	Regular Kind = iota + 1
	Directory
	Symlink
	Other
)

// Info is what lstat says about a name. Two Infos of the same file are
// comparable with Same.
type Info struct {
	Kind  Kind
	Size  int64
	Mode  uint32 // low 9 permission bits
	Mtime int64  // unix nanoseconds
	Ctime int64  // unix nanoseconds; 0 where the system has none
	Inode uint64 // 0 where the system has none
	Dev   uint64
	Nlink uint32
}

// Same reports whether nothing about the file moved between two looks: kind,
// size, mode, both times and identity.
func (a Info) Same(b Info) bool {
	a.Nlink, b.Nlink = 0, 0
	return a == b
}

// SameButForName reports whether nothing but the file's name, or their number,
// moved between two looks, which moves the change time and nothing else.
func (a Info) SameButForName(b Info) bool {
	a.Ctime, b.Ctime = 0, 0
	return a.Same(b)
}

// Entry is one name of a listing, as the bytes on disk: it need not be valid
// UTF-8, nor normalised.
type Entry struct {
	Name string
	Info Info
}

// FS is one folder on a disk. Methods may be called concurrently.
type FS interface {
	// Lstat looks at a name without following it. The root itself may be asked.
	Lstat(p relpath.Path) (Info, error)
	// ReadDir gives a directory's complete listing in byte order of names, or
	// an error: never a part of it. An entry that vanished while it was listed
	// is left out.
	ReadDir(p relpath.Path) ([]Entry, error)
	// ReadNames gives the names of a directory's complete listing in byte order,
	// without a look at each, or an error.
	ReadNames(p relpath.Path) ([]string, error)
	// LstatRaw and RenameRaw take a base name as listed by ReadDir(dir), for
	// names that are no relpath.Path (another normal form). RenameRaw renames
	// within the directory and fails with fs.ErrExist where to is taken, unless
	// by the same entry in another spelling.
	LstatRaw(dir relpath.Path, name string) (Info, error)
	RenameRaw(dir relpath.Path, name, to string) error

	// Open opens a regular file for reading.
	Open(p relpath.Path) (File, error)
	// Create makes a new regular file with mode 0600, and fails with
	// fs.ErrExist where the name is taken by anything.
	Create(p relpath.Path) (File, error)
	// OpenTemp opens an existing temporary file for reading and writing: it
	// must be regular, this user's, and have one link.
	OpenTemp(p relpath.Path) (File, error)
	// Clone makes dst, which must not exist, share src's content without
	// copying; ErrUnsupported where the file system cannot. The content is that
	// of src at one instant.
	Clone(src, dst relpath.Path) (File, error)

	// Rename moves old to new; a regular file or symlink at new is replaced
	// atomically. A directory at new is fs.ErrExist, and so is anything at new
	// where old is a directory.
	Rename(old, new relpath.Path) error
	// RenameNoReplace moves old to new, and fails with fs.ErrExist where new
	// exists, unless as another spelling of old.
	RenameNoReplace(old, new relpath.Path) error
	// Exchange swaps two names in one step, so that neither is ever missing.
	// ErrUnsupported where the system cannot.
	Exchange(a, b relpath.Path) error
	// Link gives the regular file at old a second name, and fails with
	// fs.ErrExist where new exists. ErrUnsupported where the file system has no
	// links, or the system allows none of this file.
	Link(old, new relpath.Path) error
	// Remove removes a file, a symlink or an empty directory (ErrNotEmpty).
	Remove(p relpath.Path) error
	// Mkdir makes one directory; the parent must exist. The process's umask
	// applies where the system has one.
	Mkdir(p relpath.Path, mode uint32) error
	// Chmod sets the low 9 bits of a file's or directory's mode and keeps the
	// others; anything else is ErrNotRegular.
	Chmod(p relpath.Path, mode uint32) error
	// Chtimes sets the modification time, unix nanoseconds.
	Chtimes(p relpath.Path, mtime int64) error
	// Symlink makes a symlink at p that holds target, which nobody follows.
	Symlink(target string, p relpath.Path) error
	// Readlink gives a symlink's target.
	Readlink(p relpath.Path) (string, error)

	// SyncFiles makes the data and metadata of files written through these
	// handles durable, in the quickest way the file system allows: after it
	// returns nil, none of them can come back torn. A failure is never retried:
	// the files must be written anew.
	SyncFiles(files []File) error
	// SyncDirs makes the names in these directories durable: creations,
	// renames and removals done before the call. A new directory's own name is
	// in its parent. Where one of them is gone the others are synced all the
	// same, and the call may fail.
	SyncDirs(dirs []relpath.Path) error

	// Free gives the bytes that this user may still write, and the size of
	// the disk.
	Free() (free, total uint64, err error)
	// Check proves that the open root still is what stands at the folder's
	// path; ErrRootChanged or fs.ErrNotExist where it is not.
	Check() error
	// CaseSensitive reports whether names that differ in case are different
	// files here.
	CaseSensitive() bool
	// Close releases the root.
	Close() error
}

// File is an open regular file. Methods may be called concurrently.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// Stat looks at the open file.
	Stat() (Info, error)
	// Truncate sets the size; bytes added are zero.
	Truncate(size int64) error
	// Reserve allocates size bytes where that is quick, so that a full disk is
	// met before the first byte; where it is not, it does nothing.
	Reserve(size int64) error
	// SetMeta sets permissions (low 9 bits) and modification time (unix
	// nanoseconds).
	SetMeta(mode uint32, mtime int64) error
	// Flush starts writing out a range without waiting; it promises nothing.
	Flush(off, n int64)
	// Uncached says that memory need not keep what is read and written through
	// this handle from now on; it promises nothing.
	Uncached()
}

package fsys

import (
	"sync"
	"time"

	"lanyard/sync/relpath"
)

// MemOptions says how a file system in memory behaves. The zero value is a
// good Linux disk: case-sensitive, names as given, nanosecond times.
type MemOptions struct {
	// Now gives the time of changes. Where it stands still, times still grow
	// by a nanosecond per change (less is lost to Granularity). The default
	// stands at 2000-01-01 UTC.
	Now func() time.Time
	// CaseInsensitive makes names that fold to the same one name; the spelling
	// is kept, as on NTFS and APFS.
	CaseInsensitive bool
	// Decompose stores names in normal form D and finds them in any, as HFS+.
	Decompose bool
	// Granularity rounds times down: 2 s is FAT. 0 is a nanosecond.
	Granularity time.Duration
	// NoInodes and NoCtime leave these fields 0.
	NoInodes, NoCtime bool
	// NoExchange, NoLinks, NoClone and NoSymlinks make these calls
	// ErrUnsupported.
	NoExchange, NoLinks, NoClone, NoSymlinks bool
	// EnforceModes denies what the owner's permission bits deny. Off, modes
	// are only stored, as they are for root.
	EnforceModes bool
	// StrictDirSync makes SyncDirs durable for the named directories only, as
	// POSIX promises. Off, a sync of any directory writes the whole journal of
	// names, as ext4 and xfs do.
	StrictDirSync bool
	// Capacity is the disk's size in bytes; 0 is no limit.
	Capacity int64
}

// Mem is a file system in memory with two layers: what programs see, and what
// a power failure leaves. Data becomes durable by SyncFiles, names by
// SyncDirs; Crash gives what may be left of the rest.
//
// It is for tests: calls can be intercepted (SetHook), a person's edits are
// made through User, and equal calls give equal results in every run. Methods
// may be called concurrently.
type Mem struct {
	mu   sync.Mutex
	opts MemOptions

	root      *inode
	lastInode uint64
	journal   []entry // changes of names that are not durable yet, in order
	used      int64   // bytes allocated to files
	handles   int     // open files

	lastNow int64 // what the clock said last, unix nanoseconds
	offset  int64 // nanoseconds added since the clock stands still

	rootState RootState
	hook      func(Op) error
	listing   func(dir string, entries []Entry) ([]Entry, error)
}

var _ FS = (*Mem)(nil)

// RootState is what stands at the path of a Mem's root.
type RootState uint8

const (
	// RootPresent: the root itself.
	RootPresent RootState = iota
	// RootReplaced: another directory, so that Check says ErrRootChanged. The
	// open root goes on working, as a directory does that was moved away.
	RootReplaced
	// RootGone: nothing; every call fails with fs.ErrNotExist.
	RootGone
)

// NewMem makes an empty file system.
func NewMem(o MemOptions) *Mem {
	if o.Now == nil {
		start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
		o.Now = func() time.Time { return start }
	}
	m := &Mem{opts: o}
	m.root = m.newInode(Directory, 0o755)
	m.root.nlink = 1
	m.root.stable = m.root.attr
	return m
}

// SetHook makes f run before every call of an FS or File method (not Close,
// Flush or a User's edits). An error of f is the call's result, and the call
// has no effect. f may make edits through User, or panic to end a simulated
// process. Nil removes the hook.
func (m *Mem) SetHook(f func(Op) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hook = f
}

// SetListing makes f see every listing before ReadDir returns it, so that it
// can shorten it or make it fail. Nil removes it.
func (m *Mem) SetListing(f func(dir string, entries []Entry) ([]Entry, error)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.listing = f
}

// SetRoot says what stands at the root's path from now on.
func (m *Mem) SetRoot(s RootState) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rootState = s
}

// SetCapacity changes the disk's size; 0 is no limit. What is stored stays.
func (m *Mem) SetCapacity(bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.opts.Capacity = bytes
}

// ShortWrite, as the error of a hook, lets half of a write reach the file
// before the write fails with Err. Any other call fails with Err.
type ShortWrite struct{ Err error }

// Error gives the cause's text.
func (s *ShortWrite) Error() string { return "short write: " + s.Err.Error() }

// Unwrap gives the cause.
func (s *ShortWrite) Unwrap() error { return s.Err }

// OpenHandles gives how many files are open: none where every File was closed.
func (m *Mem) OpenHandles() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.handles
}

// FailNth gives a hook that fails the n-th call (1 is the next one) with err
// and lets all others pass.
func FailNth(n int, err error) func(Op) error {
	var mu sync.Mutex
	return func(Op) error {
		mu.Lock()
		defer mu.Unlock()
		n--
		if n == 0 {
			return err
		}
		return nil
	}
}

// before runs the hook for one call.
func (m *Mem) before(op OpName, paths ...string) error {
	m.mu.Lock()
	hook := m.hook
	m.mu.Unlock()
	if hook == nil {
		return nil
	}
	return hook(Op{Name: op, Paths: paths})
}

// do makes one call about p: hook, lock, work, and the error's form.
func (m *Mem) do(op OpName, p relpath.Path, work func() error) error {
	return m.doPaths(op, work, p.String())
}

// doPaths is do for a call about several names; the first is in the error.
func (m *Mem) doPaths(op OpName, work func() error, paths ...string) error {
	item := ""
	if len(paths) > 0 {
		item = paths[0]
	}
	if err := m.before(op, paths...); err != nil {
		return fail(op, item, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return fail(op, item, work())
}

// now gives the time of a change: the clock's, or a nanosecond after the last
// change while the clock stands still.
func (m *Mem) now() int64 {
	t := m.opts.Now().UnixNano()
	if t == m.lastNow {
		m.offset++
	} else {
		m.lastNow, m.offset = t, 0
	}
	return m.coarse(t + m.offset)
}

// coarse rounds a time down to what the file system can store.
func (m *Mem) coarse(t int64) int64 {
	g := int64(m.opts.Granularity)
	if g <= 1 {
		return t
	}
	return t - ((t%g)+g)%g
}

// Check says whether the root stands at its path, as SetRoot decided.
func (m *Mem) Check() error {
	return m.do(OpCheck, relpath.Root, func() error {
		if m.rootState == RootReplaced {
			return ErrRootChanged
		}
		_, err := m.top()
		return err
	})
}

// unlimited is what Free gives for a disk without a capacity.
const unlimited = 1 << 50

// Free gives the capacity and what is left of it.
func (m *Mem) Free() (free, total uint64, err error) {
	err = m.doPaths(OpFree, func() error {
		limit := m.opts.Capacity
		if limit == 0 {
			limit = unlimited
		}
		free, total = uint64(max(limit-m.used, 0)), uint64(limit)
		return nil
	})
	return free, total, err
}

// CaseSensitive is the opposite of the option.
func (m *Mem) CaseSensitive() bool { return !m.opts.CaseInsensitive }

// Close does nothing: a Mem may be used again, as by a program that restarts.
func (m *Mem) Close() error { return nil }

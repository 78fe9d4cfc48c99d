package index

import (
	"errors"
	"math/rand/v2"
	"slices"
	"sync"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/fault"
	"lanyard/sync/plan"
)

// ErrClosed is wrapped by every error of a store or folder that was closed,
// dropped, or has crashed.
var ErrClosed = errors.New("the index is closed")

func errClosed(op string) error { return fault.Wrap(fault.Retry, "", op, "", ErrClosed) }

// MemoryOptions set up a Memory. The zero value is ready to use.
type MemoryOptions struct {
	// Self is this device: it alone gives the counters under this ID. 0 is
	// unknown, and Disputed finds less.
	Self device.ShortID
	// Rand draws index IDs, so that a simulation repeats; nil draws them by
	// chance. It is used under the store's lock.
	Rand *rand.Rand
	// OnOp, where set, is called before each operation with the method's name
	// in lower case ("update", "barrier"); an error from it is the result, and
	// nothing was done.
	OnOp func(op string) error
	// Winner chooses the global version; nil is plan.Winner. Only a test of the
	// tests has another one.
	Winner func([]plan.Version) int
}

// Memory is a Store in memory with the durability of a journal on a disk:
// what was stored since the last barrier may be lost at a crash, the latest
// first. Methods may be called concurrently.
//
// A Memory lives until Close, Crash or Wipe; the last two, and Snapshot, give
// the next one.
type Memory struct {
	opts MemoryOptions

	mu      sync.Mutex
	closed  bool
	folders map[bep.FolderID]*memFolder
}

// NewMemory returns an empty store.
func NewMemory(o MemoryOptions) *Memory {
	return &Memory{opts: o, folders: map[bep.FolderID]*memFolder{}}
}

// Folder opens a folder's index, made empty and durable where there is none.
func (m *Memory) Folder(id bep.FolderID) (Folder, error) {
	if err := m.hook("folder"); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, errClosed("open index")
	}
	f := m.folders[id]
	switch {
	case f == nil:
		indexID := m.drawLocked()
		f = &memFolder{store: m, live: newMemState(indexID, m.opts.Winner, m.opts.Self), durable: newMemState(indexID, m.opts.Winner, m.opts.Self)}
	case f.isClosed():
		f = f.successor(m)
	}
	if f.damage != nil {
		return nil, f.damage
	}
	m.folders[id] = f
	return f, nil
}

// Drop closes and deletes a folder's index; that is durable at once.
func (m *Memory) Drop(id bep.FolderID) error {
	if err := m.hook("drop"); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return errClosed("drop index")
	}
	if f := m.folders[id]; f != nil {
		f.shut()
		delete(m.folders, id)
	}
	return nil
}

// Close makes everything durable and closes all folders. Snapshot gives the
// store as it is opened next.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	for _, f := range m.folders {
		f.shut()
		f.hardenAll()
	}
	return nil
}

// Crash ends the store as a power cut does, and returns what the disk holds:
// per folder all that was durable, and of the commits since then a first part
// drawn by rng. With a nil rng none of them survives.
func (m *Memory) Crash(rng *rand.Rand) *Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	next := NewMemory(m.opts)
	for _, id := range m.sortedLocked() {
		f := m.folders[id]
		f.shut()
		next.folders[id] = f.crashed(next, rng)
	}
	return next
}

// Wipe ends the store as a deleted home does, and returns an empty one.
func (m *Memory) Wipe() *Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	for _, f := range m.folders {
		f.shut()
	}
	return NewMemory(m.opts)
}

// Snapshot returns a copy of everything so far, all of it durable: a backup,
// or after Close the store as it is opened next. It leaves m alone.
func (m *Memory) Snapshot() *Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	next := NewMemory(m.opts)
	for _, id := range m.sortedLocked() {
		next.folders[id] = m.folders[id].successor(next)
	}
	return next
}

func (m *Memory) sortedLocked() []bep.FolderID {
	ids := make([]bep.FolderID, 0, len(m.folders))
	for id := range m.folders {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func (m *Memory) hook(op string) error {
	if m.opts.OnOp == nil {
		return nil
	}
	return m.opts.OnOp(op)
}

// draw gives a new index ID, never 0.
func (m *Memory) draw() bep.IndexID {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.drawLocked()
}

func (m *Memory) drawLocked() bep.IndexID {
	for {
		id := rand.Uint64()
		if m.opts.Rand != nil {
			id = m.opts.Rand.Uint64()
		}
		if id != 0 {
			return bep.IndexID(id)
		}
	}
}

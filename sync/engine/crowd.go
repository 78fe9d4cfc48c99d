package engine

import (
	"slices"
	"strconv"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/fault"
)

// defaultMaxEntries is FolderSpec.MaxEntries where that is 0.
const defaultMaxEntries = 5_000_000

// crowdKey is one device in one folder.
type crowdKey struct {
	folder bep.FolderID
	device device.ID
}

// crowd is what is known of how many entries a device announces for a folder.
type crowd struct {
	// enough is how many entries the index may hold in all before those of the
	// device are counted again.
	enough int64
	// many is how many they are once they are too many, which ends when more are
	// allowed, and 0 before.
	many int64
}

func (f *folderEntry) maxEntries() int64 {
	if f.spec.MaxEntries == 0 {
		return defaultMaxEntries
	}
	return f.spec.MaxEntries
}

// crowds reports whether a device announced more entries for a folder than it
// may, and how many.
func (e *Engine) crowds(f *folderEntry, dev device.ID) (many int64, yes bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.crowd[crowdKey{f.spec.ID, dev}]
	limit := f.maxEntries()
	return c.many, limit > 0 && c.many > limit
}

// count looks whether a device, which announces more now, announces too much.
// From then on the folder is paused for it, as far as we are concerned, and
// goes on with all others: memory is bounded whatever a device announces, but
// the disk under the index is not.
func (e *Engine) count(f *folderEntry, dev device.ID) (tooMany bool, err error) {
	limit := f.maxEntries()
	if limit < 0 {
		return false, nil
	}
	key := crowdKey{f.spec.ID, dev}
	e.mu.Lock()
	c := e.crowd[key]
	e.mu.Unlock()
	if c.many > limit {
		return true, nil
	}
	n, of, err := f.index.Announced(dev, max(c.enough, limit))
	if err != nil || of == 0 {
		return false, err
	}
	c = crowd{enough: of + max(0, limit-n)}
	if n > limit {
		c.many = n
	}
	e.mu.Lock()
	e.crowd[key] = c
	e.mu.Unlock()
	if n <= limit {
		return false, nil
	}
	e.o.Log.Warn("a device announces too many entries", "folder", string(f.spec.ID), "device", dev.Short().String(),
		"count", n, "limit", limit)
	e.turn.Post(e.configureAll)
	e.touch()
	return true, nil
}

// dropCrowds forgets what was counted of devices that do not share a folder any
// more.
func (e *Engine) dropCrowds(d Desired) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for key := range e.crowd {
		shared := slices.ContainsFunc(d.Folders, func(f FolderSpec) bool {
			return f.ID == key.folder && slices.Contains(f.Shared, key.device)
		})
		if !shared {
			delete(e.crowd, key)
		}
	}
}

// crowdError is what is told of a device that announces too much.
func crowdError(n int64) error {
	err := fault.New(fault.Folder, "theirs-too-many", "a device announces %d items, and its word is not taken any more", n)
	return fault.With(err, "n", strconv.FormatInt(n, 10))
}

package pull

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"lanyard/sync/relpath"
)

// unusable is a set of temporary files that the disk failed to write. What can
// be read of them is in memory only, although the system takes it for written:
// no block of theirs may be kept, and no sync of theirs believed.
type unusable struct {
	mu    sync.Mutex
	names map[relpath.Path]bool // those that could not be removed yet
}

// discard removes such a file, or sees to it that nothing uses it.
func (u *unusable) discard(o *Options, temp relpath.Path) {
	err := o.FS.Remove(temp)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return
	}
	o.Log.Warn("remove temporary file", "name", temp.String(), "error", err)
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.names == nil {
		u.names = map[relpath.Path]bool{}
	}
	u.names[temp] = true
}

// clear makes a name free again for a temporary file.
func (u *unusable) clear(o *Options, temp relpath.Path) error {
	u.mu.Lock()
	stands := u.names[temp]
	u.mu.Unlock()
	if !stands {
		return nil
	}
	if err := o.FS.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove a temporary file that the disk failed to write: %w", err)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.names, temp)
	return nil
}

package fsys

import (
	"errors"
	"os"
)

// FreeAt gives the bytes that this user may still write where path stands.
func FreeAt(path string) (uint64, error) {
	free, _, err := freeSpace(path)
	return free, err
}

// OnNetwork reports whether path stands on a file system of another machine,
// where memory cannot be shared between processes through a file. What cannot
// be found out is not.
func OnNetwork(path string) bool { return onNetwork(path) }

// SyncDirAt makes the names in a directory durable, where the file system
// knows what that means.
func SyncDirAt(path string) error {
	dir, err := os.OpenRoot(path)
	if err != nil {
		return err
	}
	return errors.Join(syncDirHandle(dir, true), dir.Close())
}

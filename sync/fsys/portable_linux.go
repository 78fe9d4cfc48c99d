package fsys

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// exchangeEntries is left to the Linux implementation: this one is the
// reference of what is everywhere.
func exchangeEntries(_, _ slot) error { return ErrUnsupported }

// syncHandles makes files durable one by one.
func syncHandles(files []*osFile) error {
	for _, f := range files {
		if err := f.f.Sync(); err != nil {
			return fail(OpSyncFiles, f.path, err)
		}
	}
	return nil
}

// syncDirHandle makes the names in a directory durable, where the file system
// knows what that means.
func syncDirHandle(dir *os.Root, _ bool) error {
	f, err := dir.Open(".")
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.EOPNOTSUPP) {
		return err
	}
	return nil
}

package fsys

import (
	"os"

	"golang.org/x/sys/unix"
)

// openBest opens a folder.
func openBest(path string, _ Options) (FS, error) { return openPortable(path) }

// exchangeEntries swaps two names in one step.
func exchangeEntries(a, b slot) error {
	return withDirs(a, b, func(dirA, dirB int) error {
		err := ignoringSignals(func() error {
			return unix.RenameatxNp(dirA, a.name, dirB, b.name, unix.RENAME_SWAP)
		})
		if err == unix.ENOTSUP || err == unix.EINVAL {
			return both{ErrUnsupported, err}
		}
		return err
	})
}

// syncHandles hands every file to the drive, and then makes the drive empty
// its cache once: each F_FULLFSYNC costs as much as the whole batch.
func syncHandles(files []*osFile) error {
	for i, f := range files {
		if err := syncHandle(f.f, i == len(files)-1); err != nil {
			return fail(OpSyncFiles, f.path, err)
		}
	}
	return nil
}

func syncHandle(f *os.File, last bool) error {
	if last {
		return f.Sync() // is F_FULLFSYNC here
	}
	return control(f, func(fd uintptr) error {
		return ignoringSignals(func() error { return unix.Fsync(int(fd)) })
	})
}

// syncDirHandle makes the names in a directory durable; the last of a batch
// empties the drive's cache.
func syncDirHandle(dir *os.Root, last bool) error {
	f, err := dir.Open(".")
	if err != nil {
		return err
	}
	defer f.Close()
	return syncHandle(f, last)
}

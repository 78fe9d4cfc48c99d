//go:build unix

package fsys

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// nonblock keeps an open of a FIFO that was put in place from waiting.
const nonblock = syscall.O_NONBLOCK

// checkName refuses names that the system would understand as something else;
// a unix system does not.
func checkName(string) error { return nil }

// trustTemp proves that a temporary file is ours alone.
func trustTemp(f *os.File) error {
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	st, ok := fi.Sys().(*syscall.Stat_t)
	switch {
	case !ok || int(st.Uid) != os.Geteuid():
		return errOwner
	case st.Nlink != 1:
		return errLinked
	}
	return nil
}

// moveEntry renames between two open directories.
func moveEntry(_ *os.Root, a, b slot) error {
	return withDirs(a, b, func(dirA, dirB int) error {
		return ignoringSignals(func() error { return unix.Renameat(dirA, a.name, dirB, b.name) })
	})
}

// linkEntry gives a file a second name, between two open directories.
func linkEntry(_ *os.Root, a, b slot) error {
	return withDirs(a, b, func(dirA, dirB int) error {
		return ignoringSignals(func() error { return unix.Linkat(dirA, a.name, dirB, b.name, 0) })
	})
}

// withDirs runs work with the descriptors of two directories.
func withDirs(a, b slot, work func(dirA, dirB int) error) error {
	fa, err := a.dir.Open(".")
	if err != nil {
		return err
	}
	defer fa.Close()
	fb, err := b.dir.Open(".")
	if err != nil {
		return err
	}
	defer fb.Close()
	return control(fa, func(x uintptr) error {
		return control(fb, func(y uintptr) error { return work(int(x), int(y)) })
	})
}

// ignoringSignals repeats a call that a signal interrupted.
func ignoringSignals(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}

// freeSpace asks the file system.
func freeSpace(path string) (free, total uint64, err error) {
	var st unix.Statfs_t
	if err := ignoringSignals(func() error { return unix.Statfs(path, &st) }); err != nil {
		return 0, 0, err
	}
	unit := uint64(st.Bsize)
	return st.Bavail * unit, st.Blocks * unit, nil
}

//go:build unix

package config

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// makePrivate lets only this user enter a directory.
func makePrivate(dir string) error { return os.Chmod(dir, 0o700) }

// readableByOthers reports whether the mode lets group or others read.
func readableByOthers(name string) (bool, error) {
	info, err := os.Stat(name)
	if err != nil {
		return false, err
	}
	return info.Mode().Perm()&0o044 != 0, nil
}

// syncDirectory makes renames in dir durable.
func syncDirectory(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// mayWrite fails where this user may not make names in a directory, as far as
// that is known before it is tried.
func mayWrite(dir string) error { return unix.Access(dir, unix.W_OK|unix.X_OK) }

//go:build unix

package local

import (
	"errors"

	"golang.org/x/sys/unix"
)

// reuse lets several programs of this machine hear announcements.
func reuse(fd uintptr) error {
	return unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
}

// Taken reports whether a port could not be had because another program has it to
// itself.
func Taken(err error) bool { return errors.Is(err, unix.EADDRINUSE) }

//go:build unix

package local

import "golang.org/x/sys/unix"

// Reuse lets several programs of this machine hear announcements.
func Reuse(fd uintptr) error {
	return unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
}

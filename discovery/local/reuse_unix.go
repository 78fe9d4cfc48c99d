//go:build unix

package local

import "golang.org/x/sys/unix"

// reuse lets several programs of this machine hear announcements.
func reuse(fd uintptr) error {
	return unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
}

package local

import "golang.org/x/sys/windows"

// Reuse lets several programs of this machine hear announcements.
func Reuse(fd uintptr) error {
	return windows.SetsockoptInt(windows.Handle(fd), windows.SOL_SOCKET, windows.SO_REUSEADDR, 1)
}

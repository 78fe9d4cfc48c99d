package local

import "golang.org/x/sys/windows"

// reuse lets several programs of this machine hear announcements.
func reuse(fd uintptr) error {
	return windows.SetsockoptInt(windows.Handle(fd), windows.SOL_SOCKET, windows.SO_REUSEADDR, 1)
}

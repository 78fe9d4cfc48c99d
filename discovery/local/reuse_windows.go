package local

import (
	"errors"

	"golang.org/x/sys/windows"
)

// reuse lets several programs of this machine hear announcements.
func reuse(fd uintptr) error {
	return windows.SetsockoptInt(windows.Handle(fd), windows.SOL_SOCKET, windows.SO_REUSEADDR, 1)
}

// Taken reports whether a port could not be had because another program has it to
// itself.
func Taken(err error) bool {
	return errors.Is(err, windows.WSAEADDRINUSE) || errors.Is(err, windows.WSAEACCES)
}

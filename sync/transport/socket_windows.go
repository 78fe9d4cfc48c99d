package transport

import (
	"errors"

	"golang.org/x/sys/windows"
)

// transientSendError reports whether a send failed for a reason that passes
// by itself: no route or address for a moment, a full queue.
func transientSendError(err error) bool {
	return anyOf(err, windows.WSAENETUNREACH, windows.WSAEHOSTUNREACH, windows.WSAENETDOWN,
		windows.WSAEADDRNOTAVAIL, windows.WSAEINVAL, windows.WSAENOBUFS)
}

// portTakenError reports whether a port could not be bound because another
// program, or a range reserved by the system, has it.
func portTakenError(err error) bool {
	return anyOf(err, windows.WSAEADDRINUSE, windows.WSAEACCES)
}

// noIPv6Error reports whether a socket could not be opened because the host
// has IPv6 turned off.
func noIPv6Error(err error) bool {
	return anyOf(err, windows.WSAEAFNOSUPPORT, windows.WSAEADDRNOTAVAIL, windows.WSAEPROTONOSUPPORT)
}

func anyOf(err error, targets ...error) bool {
	for _, target := range targets {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

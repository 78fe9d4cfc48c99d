//go:build unix

package transport

import (
	"errors"
	"syscall"
)

// transientSendError reports whether a send failed for a reason that passes
// by itself: no route or address for a moment, a firewall rule, a full queue.
func transientSendError(err error) bool {
	errno, ok := errors.AsType[syscall.Errno](err)
	if !ok {
		return false
	}
	switch errno {
	case syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.ENETDOWN, syscall.EADDRNOTAVAIL,
		syscall.EPERM, syscall.EINVAL, syscall.ENOBUFS:
		return true
	default:
		return false
	}
}

// portTakenError reports whether a port could not be bound because another
// program has it.
func portTakenError(err error) bool { return errors.Is(err, syscall.EADDRINUSE) }

// noIPv6Error reports whether a socket could not be opened because the host
// has IPv6 turned off.
func noIPv6Error(err error) bool {
	return errors.Is(err, syscall.EAFNOSUPPORT) || errors.Is(err, syscall.EADDRNOTAVAIL) ||
		errors.Is(err, syscall.EPROTONOSUPPORT)
}

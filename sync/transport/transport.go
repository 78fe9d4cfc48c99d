// Package transport carries a byte stream between two devices whose
// certificates are pinned, over QUIC or over TCP with TLS. All implementations
// pass transporttest.
package transport

import (
	"context"
	"io"
	"strings"
	"time"

	"lanyard/sync/device"
)

// Code is the reason for a close, a QUIC application error code.
type Code uint64

// The close codes (docs/extensions.md).
const (
	CodeNormal       Code = 0
	CodeTimeout      Code = 1
	CodeLostRace     Code = 16
	CodeDuplicate    Code = 17
	CodeResumed      Code = 18
	CodeShuttingDown Code = 19
	CodeRemoved      Code = 20
)

// Conn is one stream between two devices. Reads and writes may run side by
// side; each alone is for one goroutine at a time.
type Conn interface {
	io.ReadWriter
	// PeerID is the other device, proven by its certificate.
	PeerID() device.ID
	// Extended reports whether both sides speak Lanyard's extension messages
	// (ALPN lanyard/1).
	Extended() bool
	// Dialed reports whether this side opened the connection.
	Dialed() bool
	// LocalAddress and RemoteAddress are URLs such as quic://192.0.2.1:22000,
	// or tcp:// where the connection runs over TCP. There the side that dialed
	// listens elsewhere than where its connection comes from.
	LocalAddress() string
	RemoteAddress() string
	// SetDeadline bounds both directions; the zero time removes it. After a
	// Write that a deadline ended, there may be no other.
	SetDeadline(t time.Time) error
	// CloseWith ends the connection at once with a code; bytes written but not
	// acknowledged may be lost. A second call does nothing.
	CloseWith(code Code, reason string) error
	// Done is closed when the connection has ended, whoever ended it. Over TCP
	// only a Read learns that the other side did.
	Done() <-chan struct{}
	// EndCode gives the code with which the other side closed, once Done or once a
	// Read or Write failed because of it. TCP carries none.
	EndCode() (Code, bool)
}

// OverTCP reports whether a connection runs over TCP.
func OverTCP(c Conn) bool { return strings.HasPrefix(c.RemoteAddress(), "tcp") }

// Transport listens and dials.
type Transport interface {
	// Accept gives the next connection whose certificate was read and on which
	// the peer has written something; the caller decides whether it knows the
	// device.
	Accept(ctx context.Context) (Conn, error)
	// Dial opens a connection to an address and demands that the device there
	// be want.
	Dial(ctx context.Context, address string, want device.ID) (Conn, error)
	// Addresses lists the URLs that it listens on.
	Addresses() []string
	// Close closes every connection and every socket, and waits for all of them.
	Close() error
}

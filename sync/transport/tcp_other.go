//go:build !linux && !darwin

package transport

import "net"

// tuneTCP has nothing to set: Windows ends a connection by itself when what was
// sent stays unanswered for about 20 s.
func tuneTCP(net.Conn) {}

// stuckTCP would tell of a peer that acknowledges nothing: the system does.
func stuckTCP(net.Conn) bool { return false }

// countsTCP does not tell.
func countsTCP(net.Conn) (segments, acknowledged uint64, ok bool) { return 0, 0, false }

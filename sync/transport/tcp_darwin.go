package transport

import (
	"net"

	"golang.org/x/sys/unix"
)

// tuneTCP has the system end a connection on which what was sent stays
// unanswered for goneAfter.
func tuneTCP(raw net.Conn) {
	tcp, ok := raw.(*net.TCPConn)
	if !ok {
		return // simulated
	}
	if c, err := tcp.SyscallConn(); err == nil {
		_ = c.Control(func(fd uintptr) {
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_RXT_CONNDROPTIME, int(goneAfter.Seconds()))
		})
	}
}

// stuckTCP would tell of a peer that acknowledges nothing: the system does.
func stuckTCP(net.Conn) bool { return false }

// countsTCP does not tell.
func countsTCP(net.Conn) (segments, acknowledged uint64, ok bool) { return 0, 0, false }

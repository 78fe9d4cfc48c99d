package transport

import (
	"net"

	"golang.org/x/sys/unix"
)

// tuneTCP has a connection keep its rate on a path that loses packets, as a bad
// Wi-Fi does: by BBR, where the administrator allows it.
//
// TCP_USER_TIMEOUT is left alone: it also ends a connection whose peer answers
// and only does not read for a while, which it may. See stuckTCP.
func tuneTCP(raw net.Conn) {
	control(raw, func(fd int) {
		_ = unix.SetsockoptString(fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION, "bbr")
	})
}

// stuckTCP reports whether a peer has not acknowledged anything for goneAfter
// though it was sent something again and again.
func stuckTCP(raw net.Conn) (stuck bool) {
	control(raw, func(fd int) {
		info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		stuck = err == nil && info.Unacked > 0 && info.Retransmits >= 3 &&
			int64(info.Last_ack_recv) >= goneAfter.Milliseconds()
	})
	return stuck
}

// countsTCP counts the segments that came on a connection, and the bytes that
// its peer acknowledged.
func countsTCP(raw net.Conn) (segments, acknowledged uint64, ok bool) {
	control(raw, func(fd int) {
		info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		if err == nil {
			segments, acknowledged, ok = uint64(info.Segs_in), info.Bytes_acked, true
		}
	})
	return segments, acknowledged, ok
}

// control runs f on the descriptor of a TCP connection, which stays open
// meanwhile.
func control(raw net.Conn, f func(fd int)) {
	tcp, ok := raw.(*net.TCPConn)
	if !ok {
		return // simulated
	}
	if c, err := tcp.SyscallConn(); err == nil {
		_ = c.Control(func(fd uintptr) { f(int(fd)) })
	}
}

//go:build unix

package doctor

import (
	"errors"
	"net"

	"golang.org/x/sys/unix"
)

// Buffer asks for a receive buffer and reads what was given.
func (machine) Buffer(want int) (got int, err error) {
	conn, err := net.ListenUDP("udp", nil)
	if err != nil {
		return 0, err
	}
	defer conn.Close()           // nothing is in it that could be lost
	_ = conn.SetReadBuffer(want) // some systems refuse what is too much, others give less
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	var failed error
	err = raw.Control(func(fd uintptr) { got, failed = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF) })
	return got, errors.Join(err, failed)
}

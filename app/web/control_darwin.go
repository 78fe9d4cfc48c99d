package web

import (
	"net"

	"golang.org/x/sys/unix"
)

// peerUID gives the user on the other end of c, as the system knows it.
func peerUID(c *net.UnixConn) (uid int, err error) {
	err = onConn(c, func(fd int) error {
		cred, err := unix.GetsockoptXucred(fd, unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
		if err == nil {
			uid = int(cred.Uid)
		}
		return err
	})
	return uid, err
}

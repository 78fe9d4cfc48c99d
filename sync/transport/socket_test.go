//go:build unix

package transport

import (
	"net"
	"os"
	"syscall"
	"testing"
)

// failing is a UDP socket whose sends give err.
type failing struct {
	udpConn
	err error
}

func (f failing) WriteMsgUDP([]byte, []byte, *net.UDPAddr) (int, int, error) { return 0, 0, f.err }
func (f failing) WriteTo([]byte, net.Addr) (int, error)                      { return 0, f.err }

func TestTheSocketHidesSendErrorsThatPassAndNoOthers(t *testing.T) {
	tests := []struct {
		errno  syscall.Errno
		hidden bool
	}{
		{syscall.ENETUNREACH, true},
		{syscall.EHOSTUNREACH, true},
		{syscall.ENETDOWN, true},
		{syscall.EADDRNOTAVAIL, true},
		{syscall.EPERM, true},
		{syscall.EINVAL, true},
		{syscall.ENOBUFS, true},
		{syscall.EMSGSIZE, false}, // steers MTU discovery
		{syscall.EIO, false},      // turns segmentation offload off
		{syscall.EBADF, false},
	}
	for _, test := range tests {
		s := newSocket(failing{err: &net.OpError{Op: "write", Err: os.NewSyscallError("sendmsg", test.errno)}})
		n, oobn, err := s.WriteMsgUDP([]byte("data"), []byte("oob"), nil)
		if hidden := err == nil && n == 4 && oobn == 3; hidden != test.hidden {
			t.Errorf("WriteMsgUDP with %v: got %d, %d, %v, want hidden %v", test.errno, n, oobn, err, test.hidden)
		}
		n, err = s.WriteTo([]byte("data"), nil)
		if hidden := err == nil && n == 4; hidden != test.hidden {
			t.Errorf("WriteTo with %v: got %d, %v, want hidden %v", test.errno, n, err, test.hidden)
		}
	}
}

package local

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"syscall"

	"golang.org/x/net/ipv6"

	"lanyard/discovery/network"
)

// socket is one socket of a Source, of one family. It is used by Run alone; its
// connection is read by another goroutine.
type socket struct {
	network string // udp4 or udp6
	conn    *net.UDPConn
	failed  error          // why there is none
	sender  *net.UDPConn   // where the port is taken: to send at least
	joined  map[int]string // interfaces by index, that announcements are heard on
}

// open makes the socket if there is none, and returns it if it is new.
func (s *socket) open(ctx context.Context, port uint16, log *slog.Logger) *net.UDPConn {
	if s.conn != nil {
		return nil
	}
	conn, err := Listen(ctx, s.network, port)
	if err != nil {
		if s.failed == nil {
			log.Info("announcements cannot be heard", "network", s.network, "error", err)
		}
		s.failed = err
		return nil
	}
	s.conn, s.failed, s.joined = conn, nil, map[int]string{}
	if s.network == "udp6" {
		p := ipv6.NewPacketConn(s.conn)
		if err := p.SetMulticastHopLimit(1); err != nil {
			log.Debug("set hop limit", "error", err)
		}
	}
	return s.conn
}

// Listen opens a port of a network, udp4 or udp6, that other programs may have
// open as well.
func Listen(ctx context.Context, network string, port uint16) (*net.UDPConn, error) {
	shared := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var failed error
		if err := c.Control(func(fd uintptr) { failed = reuse(fd) }); err != nil {
			return err
		}
		return failed
	}}
	conn, err := shared.ListenPacket(ctx, network, ":"+strconv.Itoa(int(port)))
	if err != nil {
		return nil, err
	}
	return conn.(*net.UDPConn), nil
}

// join listens on an interface, once.
func (s *socket) join(i Interface) {
	if s.conn == nil || !i.Multicast || s.joined[i.Index] == i.Name {
		return
	}
	err := ipv6.NewPacketConn(s.conn).JoinGroup(&net.Interface{Index: i.Index, Name: i.Name}, &net.UDPAddr{IP: Group.AsSlice()})
	if err == nil {
		s.joined[i.Index] = i.Name
	}
}

// send sends a packet. What cannot be sent is tried again in the next round.
func (s *socket) send(packet []byte, to netip.AddrPort, log *slog.Logger) {
	conn := s.conn
	if conn == nil {
		if s.sender == nil {
			own, err := net.ListenUDP(s.network, nil)
			if err != nil {
				return
			}
			s.sender = own
		}
		conn = s.sender
	}
	if _, err := conn.WriteToUDPAddrPort(packet, to); err != nil {
		log.Debug("announcement not sent", "to", to.String(), "error", err)
	}
}

func (s *socket) close() {
	for _, c := range []*net.UDPConn{s.conn, s.sender} {
		if c != nil {
			_ = c.Close()
		}
	}
}

// Interfaces lists the interfaces that are up, without loopback.
func Interfaces() ([]Interface, error) {
	list, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	var out []Interface
	for _, i := range list {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagLoopback != 0 {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			continue // it went away meanwhile
		}
		out = append(out, Interface{
			Name: i.Name, Index: i.Index, Prefixes: network.Prefixes(addrs),
			Multicast: i.Flags&net.FlagMulticast != 0, PointToPoint: i.Flags&net.FlagPointToPoint != 0,
		})
	}
	return out, nil
}

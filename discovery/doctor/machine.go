package doctor

import (
	"bytes"
	"context"
	"crypto/rand"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"lanyard/discovery/local"
)

// machine is this machine.
type machine struct{}

// Links lists the interfaces that are up, without loopback.
func (machine) Links() ([]Link, error) {
	list, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	var out []Link
	for _, i := range list {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagLoopback != 0 {
			continue
		}
		l := Link{
			Name: i.Name, Index: i.Index,
			Multicast: i.Flags&net.FlagMulticast != 0, PointToPoint: i.Flags&net.FlagPointToPoint != 0,
		}
		addrs, err := i.Addrs()
		if err != nil {
			continue // it went away meanwhile
		}
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok {
				if ip, ok := netip.AddrFromSlice(n.IP); ok {
					bits, _ := n.Mask.Size()
					l.Prefixes = append(l.Prefixes, netip.PrefixFrom(ip.Unmap(), bits))
				}
			}
		}
		out = append(out, l)
	}
	return out, nil
}

// The groups of the methods.
var (
	mdns4  = net.IPv4(224, 0, 0, 251)
	mdns6  = net.ParseIP("ff02::fb")
	local6 = net.ParseIP("ff12::8384")
)

// probeQuestion is an mDNS question for the service of Lanyards, without the ID
// in front: what every Lanyard asks.
var probeQuestion = []byte("\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x08_lanyard\x04_udp\x05local\x00\x00\x0c\x00\x01")

// Probe sends a packet that this program alone knows again: of mDNS a question,
// which others answer as any, of Syncthing's discovery random bytes, which they
// take for nothing.
func (machine) Probe(ctx context.Context, m Method, l Link) error {
	network := map[bool]string{false: "udp4", true: "udp6"}[m.IPv6]
	shared := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var failed error
		if err := c.Control(func(fd uintptr) { failed = local.Reuse(fd) }); err != nil {
			return err
		}
		return failed
	}}
	packetConn, err := shared.ListenPacket(ctx, network, ":"+strconv.Itoa(m.Port))
	if err != nil {
		return err
	}
	defer packetConn.Close() // nothing is in it that could be lost
	conn := packetConn.(*net.UDPConn)
	to, err := aim(conn, m, l)
	if err != nil {
		return err
	}
	packet := make([]byte, 16)
	_, _ = rand.Read(packet) // never fails: crypto/rand ends the program instead
	if m.Check == MDNS {
		packet = append(packet[:2:2], probeQuestion...)
	}
	if _, err := conn.WriteToUDP(packet, to); err != nil {
		return err
	}
	return hear(ctx, conn, packet)
}

// aim joins the group of a method on an interface, and gives where to send.
func aim(conn *net.UDPConn, m Method, l Link) (*net.UDPAddr, error) {
	on := &net.Interface{Index: l.Index, Name: l.Name}
	switch {
	case m.IPv6:
		group := mdns6
		if m.Check == Local {
			group = local6
		}
		p := ipv6.NewPacketConn(conn)
		if err := p.JoinGroup(on, &net.UDPAddr{IP: group}); err != nil {
			return nil, err
		}
		if err := p.SetMulticastLoopback(true); err != nil {
			return nil, err
		}
		return &net.UDPAddr{IP: group, Port: m.Port, Zone: l.Name}, nil
	case m.Check == Local:
		return &net.UDPAddr{IP: broadcast(l), Port: m.Port}, nil
	}
	p := ipv4.NewPacketConn(conn)
	if err := p.JoinGroup(on, &net.UDPAddr{IP: mdns4}); err != nil {
		return nil, err
	}
	if err := p.SetMulticastInterface(on); err != nil {
		return nil, err
	}
	if err := p.SetMulticastLoopback(true); err != nil {
		return nil, err
	}
	return &net.UDPAddr{IP: mdns4, Port: m.Port}, nil
}

// broadcast gives the address that means everybody in the interface's subnet.
func broadcast(l Link) net.IP {
	for _, p := range l.Prefixes {
		if !p.Addr().Is4() || p.Bits() > 30 {
			continue
		}
		ip := p.Addr().As4()
		for bit := p.Bits(); bit < 32; bit++ {
			ip[bit/8] |= 0x80 >> (bit % 8)
		}
		return ip[:]
	}
	return net.IPv4bcast
}

// hear waits for a packet.
func hear(ctx context.Context, conn *net.UDPConn, packet []byte) error {
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	buf := make([]byte, 2048)
	for {
		n, _, err := conn.ReadFromUDP(buf)
		switch {
		case ctx.Err() != nil:
			return ErrSilent
		case err != nil:
			return err
		case bytes.Equal(buf[:n], packet):
			return nil
		}
	}
}

// SourceOf asks the system for a way, and sends nothing.
func (machine) SourceOf(to netip.Addr) (netip.Addr, error) {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(to, 9)))
	if err != nil {
		return netip.Addr{}, err
	}
	defer conn.Close() // nothing is in it that could be lost
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(), nil
}

// Bind takes a port alone.
func (machine) Bind(port int) error {
	conn, err := net.ListenUDP("udp", &net.UDPAddr{Port: port})
	if err != nil {
		return err
	}
	return conn.Close()
}

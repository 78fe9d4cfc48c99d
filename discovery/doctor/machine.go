package doctor

import (
	"bytes"
	"context"
	"crypto/rand"
	"net"
	"net/netip"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"lanyard/discovery/local"
	"lanyard/discovery/network"
)

// machine is this machine.
type machine struct{}

// Links lists the interfaces that are up, without loopback.
func (machine) Links() ([]local.Interface, error) { return local.Interfaces() }

// The groups of mDNS.
var (
	mdns4 = net.IPv4(224, 0, 0, 251)
	mdns6 = net.ParseIP("ff02::fb")
)

// probeQuestion is an mDNS question for the service of Lanyards, without the ID
// in front: what every Lanyard asks.
var probeQuestion = []byte("\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x08_lanyard\x04_udp\x05local\x00\x00\x0c\x00\x01")

// Probe sends a packet that this program alone knows again: of mDNS a question,
// which others answer as any, of Syncthing's discovery random bytes, which they
// take for nothing.
func (machine) Probe(ctx context.Context, m Method, l local.Interface) error {
	network := map[bool]string{false: "udp4", true: "udp6"}[m.IPv6]
	conn, err := local.Listen(ctx, network, uint16(m.Port))
	if err != nil {
		return err
	}
	defer conn.Close() // nothing is in it that could be lost
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
func aim(conn *net.UDPConn, m Method, l local.Interface) (*net.UDPAddr, error) {
	on := &net.Interface{Index: l.Index, Name: l.Name}
	switch {
	case m.IPv6:
		group := mdns6
		if m.Check == Local {
			group = local.Group.AsSlice()
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
func broadcast(l local.Interface) net.IP {
	if all := l.Broadcasts(); len(all) > 0 {
		return all[0].AsSlice()
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
func (machine) SourceOf(to netip.Addr) (netip.Addr, error) { return network.SourceOf(to) }

// Now is the machine's clock.
func (machine) Now() time.Time { return time.Now() }

// Bind takes a port alone.
func (machine) Bind(port int) error {
	conn, err := net.ListenUDP("udp", &net.UDPAddr{Port: port})
	if err != nil {
		return err
	}
	return conn.Close()
}

package transport

import (
	"net"
	"net/netip"
	"strings"
)

// signer is a Conn that counts what comes from its peer.
type signer interface {
	signs() (uint64, bool)
	heard() (uint64, bool)
}

// Signs counts the packets that came on a connection, those too that only
// acknowledge what was sent: it grows while the peer is there. It gives false
// where the system does not tell.
func Signs(c Conn) (uint64, bool) {
	if s, ok := c.(signer); ok {
		return s.signs()
	}
	return 0, false
}

// Heard counts what shows that a connection's peer hears us: it grows when what
// was sent is acknowledged. A sign alone does not show it: the system of a device
// that moved repeats what it had sent from where it was, and no answer to that
// arrives. It gives false where the system does not tell.
func Heard(c Conn) (uint64, bool) {
	if s, ok := c.(signer); ok {
		return s.heard()
	}
	return 0, false
}

func (c *quicConn) signs() (uint64, bool) { return c.conn.ConnectionStats().PacketsReceived, true }

// heard takes every packet: a device that ended the connection sends none that
// does not end it here.
func (c *quicConn) heard() (uint64, bool) { return c.signs() }

func (c *tcpConn) signs() (uint64, bool) { n, _, ok := countsTCP(c.raw); return n, ok }

func (c *tcpConn) heard() (uint64, bool) { _, n, ok := countsTCP(c.raw); return n, ok }

// Homeless reports whether a connection has an address of its own that is not
// this machine's any more, so that it can neither send nor receive. One that
// listens on every address, as QUIC's dials do, follows the machine.
func Homeless(c Conn) bool {
	own, _ := Ends(c)
	if !own.IsValid() {
		return false
	}
	ip := own.WithZone("")
	if ip.IsUnspecified() || ip.IsLoopback() {
		return false
	}
	prefixes, err := interfacePrefixes(net.InterfaceAddrs)
	if err != nil {
		return false
	}
	for _, p := range prefixes {
		if p.Addr() == ip {
			return false
		}
	}
	return true
}

// Ends gives the addresses of a connection's two ends, each invalid where it is
// none of IP. The own one is unspecified where the connection listens on every
// address.
func Ends(c Conn) (own, other netip.Addr) { return hostIn(c.LocalAddress()), hostIn(c.RemoteAddress()) }

// hostIn gives the host of a URL as LocalAddress gives it.
func hostIn(url string) netip.Addr {
	_, at, _ := strings.Cut(url, "://")
	end, err := netip.ParseAddrPort(strings.Replace(at, "%25", "%", 1))
	if err != nil {
		return netip.Addr{}
	}
	return end.Addr().Unmap()
}

// OnLink reports whether an address, whose host is no name, is on a network that
// this machine is in.
func OnLink(address string) bool {
	e, err := parseEndpoint(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(e.host)
	return err == nil && onLink(ip.Unmap(), net.InterfaceAddrs)
}

// Dropper is a Transport that can end all its connections without a word: after
// this machine moved to another network, whatever it says on them there tells
// where it was before. Over TCP a connection says one word more, unless its
// address is gone.
type Dropper interface{ Drop() }

// muter is a socket that can be kept from sending.
type muter interface{ mute(on bool) }

// Drop ends all connections without a word.
func (t *quicTransport) Drop() {
	if s, ok := t.socket.(muter); ok {
		s.mute(true)
		defer s.mute(false)
	}
	t.life.endAll()
}

// Drop cuts all connections off.
func (t *tcpTransport) Drop() { t.life.endAll() }

// Drop ends all connections without a word.
func (t *lanTransport) Drop() {
	if t.quic != nil {
		t.quic.Drop()
	}
	t.tcp.Drop()
}

var (
	_ Dropper = (*quicTransport)(nil)
	_ Dropper = (*tcpTransport)(nil)
	_ Dropper = (*lanTransport)(nil)
)

package transport

import (
	"net"
	"net/netip"
	"time"
)

// NewQUICOn runs a transport on a packet connection, which may be simulated.
func NewQUICOn(o Options, conn net.PacketConn) (Transport, error) {
	return newQUIC(o.withDefaults(), conn, addressURL(conn.LocalAddr()), newDoor())
}

// NewQUICBreaking runs a transport on a UDP socket whose sends give err while
// broken reports true.
func NewQUICBreaking(o Options, conn *net.UDPConn, broken func() bool, err error) (Transport, error) {
	return NewQUICOn(o, offload(newSocket(breaking{conn, broken, err})))
}

type breaking struct {
	*net.UDPConn
	broken func() bool
	err    error
}

func (b breaking) WriteMsgUDP(p, oob []byte, to *net.UDPAddr) (int, int, error) {
	if b.broken() {
		return 0, 0, b.err
	}
	return b.UDPConn.WriteMsgUDP(p, oob, to)
}

func (b breaking) WriteTo(p []byte, to net.Addr) (int, error) {
	if b.broken() {
		return 0, b.err
	}
	return b.UDPConn.WriteTo(p, to)
}

// UsesSegmentationOffload reports whether quic-go found the socket fit for it.
func UsesSegmentationOffload(c Conn) bool {
	return c.(*quicConn).conn.ConnectionState().GSO
}

// NewTCPOn runs a TCP transport on a listener, which may be simulated.
func NewTCPOn(o Options, l net.Listener) (Transport, error) {
	t, err := newTCP(o.withDefaults(), l, addressURL(l.Addr()), newDoor())
	if err != nil {
		return nil, err
	}
	return t.start(), nil
}

// SetInterfaces has a TCP transport take what interfaces gives for the
// addresses of this machine. It is called before there is a connection.
func SetInterfaces(t Transport, interfaces func() ([]net.Addr, error)) {
	t.(*tcpTransport).interfaces = interfaces
}

// SetFar has a transport that Listen made take no address for one of a network
// that this machine is in.
func SetFar(t Transport) {
	t.(*lanTransport).near = func(netip.Addr) bool { return false }
}

// SetLead gives TCP another start over QUIC.
func SetLead(t Transport, lead time.Duration) { t.(*lanTransport).lead = lead }

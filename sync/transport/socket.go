package transport

import (
	"net"
	"net/netip"
	"strconv"

	"github.com/quic-go/quic-go"

	"lanyard/sync/fault"
)

// udpConn is what quic-go needs of a socket to use segmentation offload, ECN,
// batched reads and larger buffers: a *net.UDPConn, or a fault injector around
// one. quic-go does without whatever a wrapper hides.
type udpConn interface {
	net.Conn
	quic.OOBCapablePacketConn
	SetWriteBuffer(bytes int) error
}

// socket is a UDP socket that outlives a change of network. While a laptop
// moves between networks, sending fails for a moment; quic-go would end every
// connection at the first such error. socket reports the packet as sent, and
// QUIC makes good for it as for any lost one.
//
// An error that says something lasting is passed on: "message too long" steers
// the search for the path's MTU, and EIO turns segmentation offload off.
type socket struct {
	udpConn
}

// WriteMsgUDP is the send path where control messages are supported.
func (s socket) WriteMsgUDP(b, oob []byte, to *net.UDPAddr) (int, int, error) {
	n, oobn, err := s.udpConn.WriteMsgUDP(b, oob, to)
	if err != nil && transientSendError(err) {
		return len(b), len(oob), nil
	}
	return n, oobn, err
}

// WriteTo is the send path elsewhere.
func (s socket) WriteTo(b []byte, to net.Addr) (int, error) {
	n, err := s.udpConn.WriteTo(b, to)
	if err != nil && transientSendError(err) {
		return len(b), nil
	}
	return n, err
}

// listenUDP opens the socket of e. A wildcard of network udp is one socket
// for IPv4 and IPv6, or for IPv4 alone on a host without IPv6. A port that
// another program has gives a fault with code port-taken.
func listenUDP(e endpoint) (*net.UDPConn, error) {
	conn, err := bindUDP(e, e.network)
	if err != nil && e.network == "udp" && noIPv6Error(err) {
		conn, err = bindUDP(e, "udp4")
	}
	if err == nil {
		return conn, nil
	}
	if portTakenError(err) {
		return nil, fault.Wrap(fault.Retry, CodePortTaken, "listen on", e.url(e.host, e.port), err)
	}
	return nil, fault.Wrap(fault.Retry, "", "listen on", e.url(e.host, e.port), err)
}

func bindUDP(e endpoint, network string) (*net.UDPConn, error) {
	host := e.host
	if e.wildcard() && e.network == "udp" {
		host = "" // both families, even where 0.0.0.0 was written
	}
	addr, err := net.ResolveUDPAddr(network, net.JoinHostPort(host, strconv.Itoa(int(e.port))))
	if err != nil {
		return nil, err
	}
	return net.ListenUDP(network, addr)
}

// listenURL gives the canonical URL of the socket that e opened.
func listenURL(e endpoint, local net.Addr) string {
	udp, ok := local.(*net.UDPAddr)
	if !ok {
		return addressURL(local)
	}
	ap := udp.AddrPort()
	ip := ap.Addr().Unmap()
	if e.wildcard() && e.network == "udp" {
		ip = netip.IPv4Unspecified() // the usual spelling of "every address"
	}
	return e.url(ip.String(), ap.Port())
}

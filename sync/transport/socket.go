package transport

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"sync/atomic"

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
	muted *atomic.Bool // nothing is sent while it is set
}

func newSocket(conn udpConn) socket { return socket{udpConn: conn, muted: new(atomic.Bool)} }

// mute keeps the socket from sending; what is sent meanwhile is lost.
func (s socket) mute(on bool) { s.muted.Store(on) }

// WriteMsgUDP is the send path where control messages are supported.
func (s socket) WriteMsgUDP(b, oob []byte, to *net.UDPAddr) (int, int, error) {
	if s.muted.Load() {
		return len(b), len(oob), nil
	}
	n, oobn, err := s.udpConn.WriteMsgUDP(b, oob, to)
	if err != nil && transientSendError(err) {
		return len(b), len(oob), nil
	}
	return n, oobn, err
}

// WriteTo is the send path elsewhere.
func (s socket) WriteTo(b []byte, to net.Addr) (int, error) {
	if s.muted.Load() {
		return len(b), nil
	}
	n, err := s.udpConn.WriteTo(b, to)
	if err != nil && transientSendError(err) {
		return len(b), nil
	}
	return n, err
}

// listenUDP opens the socket of e. A wildcard of both families is one socket
// for IPv4 and IPv6, or for IPv4 alone on a host without IPv6. A port that
// another program has gives a fault with code port-taken.
func listenUDP(e endpoint) (*net.UDPConn, error) { return bind(e, bindUDP) }

// listenTCP is listenUDP for TCP.
func listenTCP(e endpoint) (*net.TCPListener, error) { return bind(e, bindTCP) }

func bind[S any](e endpoint, open func(network, address string) (S, error)) (S, error) {
	s, err := open(e.network, e.bindAddress())
	if err != nil && e.family() == "" && noIPv6Error(err) {
		s, err = open(e.network+"4", e.bindAddress())
	}
	if err == nil {
		return s, nil
	}
	var code fault.Code
	if portTakenError(err) {
		code = CodePortTaken
	}
	return s, fault.Wrap(fault.Retry, code, "listen on", e.url(e.host, e.port), err)
}

// bindAddress is what the system calls the place that e listens on.
func (e endpoint) bindAddress() string {
	host := e.host
	if e.wildcard() && e.family() == "" {
		host = "" // both families, even where 0.0.0.0 was written
	}
	return net.JoinHostPort(host, strconv.Itoa(int(e.port)))
}

func bindUDP(network, address string) (*net.UDPConn, error) {
	addr, err := net.ResolveUDPAddr(network, address)
	if err != nil {
		return nil, err
	}
	return net.ListenUDP(network, addr)
}

func bindTCP(network, address string) (*net.TCPListener, error) {
	config := net.ListenConfig{KeepAliveConfig: keepAlive}
	config.SetMultipathTCP(false) // a connection has one local address
	l, err := config.Listen(context.Background(), network, address)
	if err != nil {
		return nil, err
	}
	return l.(*net.TCPListener), nil
}

// listenURL gives the canonical URL of the socket that e opened.
func listenURL(e endpoint, local net.Addr) string {
	at := addrPort(local)
	ip := at.Addr().Unmap()
	if e.wildcard() && e.family() == "" {
		ip = netip.IPv4Unspecified() // the usual spelling of "every address"
	}
	return e.url(ip.String(), at.Port())
}

// addrPort gives the address and port of a socket, the zero value for one of
// another kind.
func addrPort(a net.Addr) netip.AddrPort {
	if a, ok := a.(interface{ AddrPort() netip.AddrPort }); ok {
		return a.AddrPort()
	}
	return netip.AddrPort{}
}

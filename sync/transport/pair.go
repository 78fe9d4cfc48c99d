package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/quic-go/quic-go"

	"lanyard/sync/device"
	"lanyard/sync/fault"
)

// protoPair is the application protocol of a connection that pairs two devices.
// Nothing else is spoken on it, and it on no other.
const protoPair = "lanyard-pair/1"

// pairLinger is how long the end of a pairing waits for the other side to have
// read the last word.
const pairLinger = time.Second

// Pairer carries connections that pair two devices which do not know each other
// yet: over QUIC alone, on the port of everything else. *Listen*'s transports
// are Pairers.
type Pairer interface {
	// AcceptPair gives the next connection on which a device wants to pair and
	// has written something. There are some only while Options.Pairing says so.
	// The caller ends it.
	AcceptPair(ctx context.Context) (*PairConn, error)
	// DialPair connects to an address in order to pair, with want alone, or with
	// whoever answers where want is zero. It gives an error before a byte is sent
	// to another device than want.
	DialPair(ctx context.Context, address string, want device.ID) (*PairConn, error)
}

var (
	_ Pairer = (*quicTransport)(nil)
	_ Pairer = (*lanTransport)(nil)
)

// PairConn is a connection on which two devices are paired: one stream between
// two certificates. One goroutine may read while another writes.
type PairConn struct {
	conn   *quic.Conn
	stream *quic.Stream
	peer   device.ID
}

// PeerID is the other device, proven by its certificate.
func (c *PairConn) PeerID() device.ID { return c.peer }

// RemoteAddress is a URL such as quic://192.0.2.1:22000.
func (c *PairConn) RemoteAddress() string { return addressURL(c.conn.RemoteAddr()) }

// Host is the IP address at the other end.
func (c *PairConn) Host() netip.Addr { return addrPort(c.conn.RemoteAddr()).Addr().Unmap() }

// Binding gives key material that only the two ends of this connection have
// (RFC 5705), for a label.
func (c *PairConn) Binding(label string) ([32]byte, error) {
	state := c.conn.ConnectionState().TLS
	key, err := state.ExportKeyingMaterial(label, nil, 32)
	if err != nil {
		return [32]byte{}, fault.Wrap(fault.Peer, "", "bind to", c.RemoteAddress(), err)
	}
	return [32]byte(key), nil
}

// Read reads what the other side said.
func (c *PairConn) Read(b []byte) (int, error) { return c.stream.Read(b) }

// Write says something.
func (c *PairConn) Write(b []byte) (int, error) { return c.stream.Write(b) }

// Close ends what this side says. A Read goes on until the other side did the
// same, which means that it has read everything, for a second at most.
func (c *PairConn) Close() error {
	_ = c.stream.SetReadDeadline(time.Now().Add(pairLinger)) // fails on an ended connection
	return c.stream.Close()
}

// End ends the connection; what was not read by the other side may be lost.
func (c *PairConn) End() { closeQUIC(c.conn, CodeNormal, "") }

// pairTLS is the configuration of a connection that pairs.
func pairTLS(own tls.Certificate, admit func(device.ID) error) *tls.Config {
	config := tlsConfig(own, admit)
	config.NextProtos = []string{protoPair}
	return config
}

// listenTLS is the configuration of what comes in: one that wants to pair is
// refused in the handshake, before our certificate is shown, unless it is
// wanted now.
func (t *quicTransport) listenTLS() *tls.Config {
	config := tlsConfig(t.opts.Certificate, notSelf(t.own))
	pairs := pairTLS(t.opts.Certificate, notSelf(t.own))
	config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if slices.Contains(hello.SupportedProtos, protoPair) && t.opts.Pairing() {
			return pairs, nil
		}
		return nil, nil
	}
	return config
}

// pairs reports whether a connection is there to pair.
func pairs(conn *quic.Conn) bool {
	return conn.ConnectionState().TLS.NegotiatedProtocol == protoPair
}

// welcomePair is welcome for a connection that pairs.
func (t *quicTransport) welcomePair(ctx context.Context, conn *quic.Conn) {
	slot := conn.Context().Value(slotKey{}).(*slot)
	if err := slot.pairs(); err != nil {
		t.refuse(conn, err)
		return
	}
	stream, err := acceptStream(ctx, conn)
	if err != nil {
		if ctx.Err() == nil {
			t.refuse(conn, err)
		}
		return
	}
	wait := time.NewTimer(streamWait)
	defer wait.Stop()
	select {
	case t.pairs <- newPairConn(conn, stream):
	case <-wait.C:
		t.refuse(conn, errNotAdmitted)
	case <-conn.Context().Done():
	case <-ctx.Done():
	}
}

func newPairConn(conn *quic.Conn, stream *quic.Stream) *PairConn {
	leaf := conn.ConnectionState().TLS.PeerCertificates[0]
	return &PairConn{conn: conn, stream: stream, peer: device.FromCertificate(leaf.Raw)}
}

// AcceptPair is Pairer's.
func (t *quicTransport) AcceptPair(ctx context.Context) (*PairConn, error) {
	select {
	case c := <-t.pairs:
		return c, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-t.door.inbox.ended:
		return nil, t.door.inbox.err
	}
}

// ErrNotPairing is wrapped by DialPair where a device answers that nobody there
// wants to pair now. Anybody could answer so.
var ErrNotPairing = errors.New("nobody there wants to connect a device now")

// noProtocol is the QUIC code of TLS's alert no_application_protocol.
const noProtocol = 0x100 + 120

func pairRefused(err error) error {
	if end, ok := errors.AsType[*quic.TransportError](err); ok && end.Remote && end.ErrorCode == noProtocol {
		return fault.Wrap(fault.Retry, "", "", "", ErrNotPairing)
	}
	return err
}

// DialPair is Pairer's.
func (t *quicTransport) DialPair(ctx context.Context, address string, want device.ID) (*PairConn, error) {
	var pair *PairConn
	admit := only(want)
	if want.IsZero() {
		admit = notSelf(t.own)
	}
	_, err := t.life.dial(ctx, address, t.own, want, func(ctx context.Context, e endpoint, target netip.AddrPort) (Conn, error) {
		if e.tcp() {
			return nil, errOtherProtocol
		}
		conn, err := t.quic.Dial(ctx, net.UDPAddrFromAddrPort(target), pairTLS(t.opts.Certificate, admit), incomingConfig(t.windows))
		if err != nil {
			return nil, pairRefused(err)
		}
		if !t.track(conn, false) {
			return nil, net.ErrClosed
		}
		stream, err := conn.OpenStreamSync(ctx)
		if err != nil {
			closeQUIC(conn, CodeTimeout, "")
			return nil, err
		}
		pair = newPairConn(conn, stream)
		return nil, nil
	})
	return pair, err
}

// errNoPairing is what a transport gives that listens on TCP alone.
var errNoPairing = fault.New(fault.Retry, "", "devices are paired over QUIC, and this one listens on TCP alone")

// AcceptPair is Pairer's.
func (t *lanTransport) AcceptPair(ctx context.Context) (*PairConn, error) {
	if t.quic == nil {
		return nil, errNoPairing
	}
	return t.quic.AcceptPair(ctx)
}

// DialPair is Pairer's.
func (t *lanTransport) DialPair(ctx context.Context, address string, want device.ID) (*PairConn, error) {
	if t.quic == nil {
		return nil, errNoPairing
	}
	return t.quic.DialPair(ctx, address, want)
}

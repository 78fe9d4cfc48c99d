package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/quic-go/quic-go"

	"lanyard/sync/device"
	"lanyard/sync/fault"
)

// CodePortTaken is the fault code of a listening port that another program
// has. The caller decides whether to listen on port 0 instead.
const CodePortTaken fault.Code = "port-taken"

const (
	// streamWait is how long the other side of a new connection may take to
	// open the stream.
	streamWait = 10 * time.Second
	// unpairedLife is how long a connection of an unknown device may last
	// until it is admitted.
	unpairedLife = 20 * time.Second
)

var (
	errNotAdmitted   = errors.New("it was not admitted in time")
	errOtherProtocol = errors.New("this device does not use the protocol of that address")
)

// Options says how to listen. Zero fields mean the documented defaults.
type Options struct {
	// Certificate is this device's identity, with its private key. Required.
	Certificate tls.Certificate
	// Listen is a URL such as quic://0.0.0.0:22000, which means every address
	// of both families; quic4:// and quic6:// mean one family. Port 0 means
	// any free one. The default is quic://0.0.0.0:22000.
	Listen string
	// Known reports whether a device that dials us is one of ours. It may be
	// called from several goroutines at once and must not wait. By default no
	// device is known, and every connection must be admitted (see Admitter).
	Known func(device.ID) bool
	// Pairing reports whether a device that nobody knows may connect now in order
	// to be paired (see Pairer). Like Known it must not wait. By default none may.
	Pairing func() bool
	// NoTCP keeps Listen to QUIC, for listening and for dialing.
	NoTCP bool
	// Log is silent by default.
	Log *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Listen == "" {
		o.Listen = fmt.Sprintf("quic://0.0.0.0:%d", DefaultPort)
	}
	if o.Known == nil {
		o.Known = func(device.ID) bool { return false }
	}
	if o.Pairing == nil {
		o.Pairing = func() bool { return false }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Log = o.Log.With("component", "transport")
	return o
}

// quicTransport listens and dials on one UDP socket.
type quicTransport struct {
	opts      Options
	own       device.ID
	quic      *quic.Transport
	socket    io.Closer
	listener  *quic.Listener
	addresses []string
	door      door
	windows   *windowBudget
	life      *life
	pairs     chan *PairConn     // unbuffered; never closed
	stop      context.CancelFunc // ends the accept loop and the welcomes
}

// ListenQUIC opens the socket and accepts connections until Close. Its errors
// are faults; a port that another program has gives CodePortTaken.
func ListenQUIC(o Options) (Transport, error) {
	o = o.withDefaults()
	at, err := parseEndpoint(o.Listen)
	if err != nil {
		return nil, fault.Wrap(fault.Node, "", "listen", "", err)
	}
	if at.tcp() {
		return nil, fault.Wrap(fault.Node, "", "listen on", o.Listen, errOtherProtocol)
	}
	conn, err := listenUDP(at)
	if err != nil {
		return nil, err
	}
	t, err := newQUIC(o, offload(newSocket(conn)), listenURL(at, conn.LocalAddr()), newDoor())
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return t, nil
}

// newQUIC runs a transport on conn, which it closes in the end.
func newQUIC(o Options, conn net.PacketConn, address string, d door) (*quicTransport, error) {
	own, err := identityOf(o.Certificate)
	if err != nil {
		return nil, err
	}
	reset, err := resetKey(o.Certificate.PrivateKey)
	if err != nil {
		return nil, fault.Wrap(fault.Node, "", "listen", "", err)
	}
	t := &quicTransport{
		opts:      o,
		own:       own,
		socket:    conn,
		addresses: []string{address},
		door:      d,
		windows:   newWindowBudget(windowBytes),
		life:      newLife(),
		pairs:     make(chan *PairConn),
	}
	t.quic = &quic.Transport{
		Conn:                conn,
		ConnectionIDLength:  connectionIDLength,
		StatelessResetKey:   reset,
		VerifySourceAddress: func(net.Addr) bool { return t.door.gate.crowded() },
		ConnContext:         t.enter,
	}
	t.listener, err = t.quic.Listen(t.listenTLS(), incomingConfig(t.windows))
	if err != nil {
		return nil, fault.Wrap(fault.Node, "", "listen on", address, err)
	}
	ctx, stop := context.WithCancel(context.Background())
	t.stop = stop
	t.life.running.Go(func() { t.acceptLoop(ctx) })
	return t, nil
}

func (t *quicTransport) Addresses() []string { return append([]string(nil), t.addresses...) }

func (t *quicTransport) Accept(ctx context.Context) (Conn, error) { return t.door.inbox.accept(ctx) }

// slotKey is the context key of a connection's slot in the gate.
type slotKey struct{}

// enter is quic.Transport.ConnContext: it takes a slot in the gate for a
// handshake that begins, or refuses it.
func (t *quicTransport) enter(ctx context.Context, info *quic.ClientInfo) (context.Context, error) {
	s, err := t.door.gate.enter(info.RemoteAddr)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, s.leave)
	return context.WithValue(ctx, slotKey{}, s), nil
}

// acceptLoop welcomes every connection whose handshake is complete.
func (t *quicTransport) acceptLoop(ctx context.Context) {
	for {
		conn, err := t.listener.Accept(ctx)
		if err != nil {
			if ctx.Err() == nil {
				t.door.inbox.end(fault.Wrap(fault.Retry, "", "listen on", t.addresses[0], err))
			}
			return
		}
		if pairs(conn) {
			if t.track(conn, false) {
				t.life.running.Go(func() { t.welcomePair(ctx, conn) })
			}
			continue
		}
		leaf := conn.ConnectionState().TLS.PeerCertificates[0]
		known := t.opts.Known(device.FromCertificate(leaf.Raw))
		if t.track(conn, known) {
			t.life.running.Go(func() { t.welcome(ctx, conn, known) })
		}
	}
}

// welcome waits for the peer's stream and for Accept to take the connection.
// It need not close the connection when ctx ends: Close does.
func (t *quicTransport) welcome(ctx context.Context, conn *quic.Conn, known bool) {
	slot := conn.Context().Value(slotKey{}).(*slot)
	if err := slot.identified(known); err != nil {
		t.refuse(conn, err)
		return
	}
	life := time.AfterFunc(unpairedLife, func() { t.refuse(conn, errNotAdmitted) })
	context.AfterFunc(conn.Context(), func() { life.Stop() })
	stream, err := acceptStream(ctx, conn)
	if err != nil {
		if ctx.Err() == nil {
			t.refuse(conn, err)
		}
		return
	}
	c := newQUICConn(conn, stream, false)
	c.admit = func() {
		life.Stop()
		slot.leave()
		t.windows.admit(conn)
	}
	select {
	case t.door.inbox.conns <- c:
		if known {
			c.admit()
		}
	case <-conn.Context().Done():
	case <-ctx.Done():
	}
}

// acceptStream waits for the first stream, which shows itself with its first
// bytes.
func acceptStream(ctx context.Context, conn *quic.Conn) (*quic.Stream, error) {
	ctx, cancel := context.WithTimeout(ctx, streamWait)
	defer cancel()
	return conn.AcceptStream(ctx)
}

// refuse ends a connection that nobody has accepted yet.
func (t *quicTransport) refuse(conn *quic.Conn, why error) {
	t.opts.Log.Debug("incoming connection refused", "address", addressURL(conn.RemoteAddr()), "error", why)
	closeQUIC(conn, CodeTimeout, "")
}

// track registers a connection until its end. Once Close has begun it ends
// the connection instead and returns false.
func (t *quicTransport) track(conn *quic.Conn, known bool) bool {
	end := func() { closeQUIC(conn, CodeShuttingDown, "shutting down") }
	if !t.life.open(&end, end) {
		closeQUIC(conn, CodeShuttingDown, "")
		return false
	}
	t.windows.open(conn, known)
	context.AfterFunc(conn.Context(), func() {
		t.windows.close(conn)
		t.life.gone(&end)
	})
	return true
}

// Dial may succeed toward a device that refuses us: in TLS 1.3 its verdict on
// our certificate comes a round trip later. A connection is up only once the
// peer's Hello was read. A name that resolves to several addresses is tried
// one after the other. Errors are faults; that of another device than want
// wraps ErrOtherDevice.
func (t *quicTransport) Dial(ctx context.Context, address string, want device.ID) (Conn, error) {
	return t.life.dial(ctx, address, t.own, want, func(ctx context.Context, e endpoint, target netip.AddrPort) (Conn, error) {
		if e.tcp() {
			return nil, errOtherProtocol
		}
		return t.dial(ctx, target, want)
	})
}

// dial connects to one socket address. The stream becomes visible to the peer
// only with the first bytes written to it.
func (t *quicTransport) dial(ctx context.Context, target netip.AddrPort, want device.ID) (Conn, error) {
	config := tlsConfig(t.opts.Certificate, only(want))
	conn, err := t.quic.Dial(ctx, net.UDPAddrFromAddrPort(target), config, quicConfig(t.windows))
	if err != nil {
		return nil, err
	}
	if !t.track(conn, true) {
		return nil, net.ErrClosed
	}
	stream, err := conn.OpenStreamSync(ctx)
	if err != nil {
		closeQUIC(conn, CodeTimeout, "")
		return nil, err
	}
	return newQUICConn(conn, stream, true), nil
}

// dialFault says whose fault a failed dial is: most pass by themselves, a
// handshake that the two sides cannot agree on is the peer's.
func dialFault(address string, err error) error {
	kind := fault.KindOf(err)
	if kind == fault.Unknown {
		kind = fault.Retry
	}
	if end, ok := errors.AsType[*quic.TransportError](err); ok && end.ErrorCode.IsCryptoError() {
		kind = fault.Peer
	}
	return fault.Wrap(kind, "", "dial", address, err)
}

// Close tells every peer that this device shuts down. Later calls wait for the
// first and return its result.
func (t *quicTransport) Close() error {
	return t.life.close(func() error {
		t.door.inbox.end(errClosed("accept"))
		t.stop()
		return t.listener.Close() // waits for the handshakes under way
	}, func() error { return errors.Join(t.quic.Close(), t.socket.Close()) })
}

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
	"sync"
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

var errNotAdmitted = errors.New("it was not admitted in time")

// Options says how to listen. Zero fields mean the documented defaults.
type Options struct {
	// Certificate is this device's identity, with its private key. Required.
	Certificate tls.Certificate
	// Listen is a URL such as quic://0.0.0.0:22000, which means every address
	// of both families; quic4:// and quic6:// mean one family. Port 0 means
	// any free one. The default is quic://0.0.0.0:22000.
	Listen string
	// Known reports whether a device that dials us is one of ours. It is
	// called from the accepting goroutine and must not wait. By default no device is known, and every
	// connection must be admitted (see Admitter).
	Known func(device.ID) bool
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
	gate      *gate
	windows   *windowBudget
	accepted  chan Conn // unbuffered; never closed

	stop     context.CancelFunc // ends the accept loop and the welcomes
	running  sync.WaitGroup     // every goroutine and every open connection
	ended    chan struct{}      // closed by end
	closeErr error              // set before closed is closed
	closed   chan struct{}      // closed by Close, once it is done

	mu      sync.Mutex
	endErr  error // why Accept gives nothing any more; set before ended is closed
	closing bool
	conns   map[*quic.Conn]struct{}
	dials   map[*context.CancelCauseFunc]struct{}
}

// ListenQUIC opens the socket and accepts connections until Close. Its errors
// are faults; a port that another program has gives CodePortTaken.
func ListenQUIC(o Options) (Transport, error) {
	o = o.withDefaults()
	at, err := parseEndpoint(o.Listen)
	if err != nil {
		return nil, fault.Wrap(fault.Node, "", "listen", "", err)
	}
	conn, err := listenUDP(at)
	if err != nil {
		return nil, err
	}
	t, err := newQUIC(o, offload(socket{conn}), listenURL(at, conn.LocalAddr()))
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return t, nil
}

// newQUIC runs a transport on conn, which it closes in the end.
func newQUIC(o Options, conn net.PacketConn, address string) (*quicTransport, error) {
	if len(o.Certificate.Certificate) != 1 {
		return nil, fault.New(fault.Node, "", "listen: the identity has %d certificates and must have one", len(o.Certificate.Certificate))
	}
	reset, err := resetKey(o.Certificate.PrivateKey)
	if err != nil {
		return nil, fault.Wrap(fault.Node, "", "listen", "", err)
	}
	t := &quicTransport{
		opts:      o,
		own:       device.FromCertificate(o.Certificate.Certificate[0]),
		socket:    conn,
		addresses: []string{address},
		gate:      newGate(),
		windows:   newWindowBudget(windowBytes),
		accepted:  make(chan Conn),
		ended:     make(chan struct{}),
		closed:    make(chan struct{}),
		conns:     map[*quic.Conn]struct{}{},
		dials:     map[*context.CancelCauseFunc]struct{}{},
	}
	t.quic = &quic.Transport{
		Conn:                conn,
		ConnectionIDLength:  connectionIDLength,
		StatelessResetKey:   reset,
		VerifySourceAddress: func(net.Addr) bool { return t.gate.crowded() },
		ConnContext:         t.enter,
	}
	t.listener, err = t.quic.Listen(tlsConfig(o.Certificate, notSelf(t.own)), incomingConfig(t.windows))
	if err != nil {
		return nil, fault.Wrap(fault.Node, "", "listen on", address, err)
	}
	ctx, stop := context.WithCancel(context.Background())
	t.stop = stop
	t.running.Go(func() { t.acceptLoop(ctx) })
	return t, nil
}

func (t *quicTransport) Addresses() []string { return append([]string(nil), t.addresses...) }

func (t *quicTransport) Accept(ctx context.Context) (Conn, error) {
	select {
	case conn := <-t.accepted:
		return conn, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-t.ended:
		t.mu.Lock()
		defer t.mu.Unlock()
		return nil, t.endErr
	}
}

// end makes Accept return err from now on; the first error stays.
func (t *quicTransport) end(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.endErr == nil {
		t.endErr = err
		close(t.ended)
	}
}

// errClosed is the answer to any call after Close.
func errClosed(op string) error { return fault.Wrap(fault.Retry, "", op, "", net.ErrClosed) }

// slotKey is the context key of a connection's slot in the gate.
type slotKey struct{}

// enter is quic.Transport.ConnContext: it takes a slot in the gate for a
// handshake that begins, or refuses it.
func (t *quicTransport) enter(ctx context.Context, info *quic.ClientInfo) (context.Context, error) {
	s, err := t.gate.enter(info.RemoteAddr)
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
				t.end(fault.Wrap(fault.Retry, "", "listen on", t.addresses[0], err))
			}
			return
		}
		leaf := conn.ConnectionState().TLS.PeerCertificates[0]
		known := t.opts.Known(device.FromCertificate(leaf.Raw))
		if t.track(conn, known) {
			t.running.Go(func() { t.welcome(ctx, conn, known) })
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
	case t.accepted <- c:
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
	t.mu.Lock()
	closing := t.closing
	if !closing {
		t.conns[conn] = struct{}{}
		t.windows.open(conn, known)
		t.running.Add(1)
	}
	t.mu.Unlock()
	if closing {
		closeQUIC(conn, CodeShuttingDown, "")
		return false
	}
	context.AfterFunc(conn.Context(), func() {
		defer t.running.Done()
		t.windows.close(conn)
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.conns, conn)
	})
	return true
}

// Dial may succeed toward a device that refuses us: in TLS 1.3 its verdict on
// our certificate comes a round trip later. A connection is up only once the
// peer's Hello was read. A name that resolves to several addresses is tried
// one after the other. Errors are faults; that of another device than want
// wraps ErrOtherDevice.
func (t *quicTransport) Dial(ctx context.Context, address string, want device.ID) (Conn, error) {
	e, err := parseEndpoint(address)
	if err != nil {
		return nil, fault.Wrap(fault.Retry, "", "dial", "", err)
	}
	if want == t.own {
		return nil, fault.New(fault.Peer, "", "dial %s: %w", address, errOwnIdentity)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if !t.beginDial(&cancel) {
		return nil, errClosed("dial")
	}
	defer t.endDial(&cancel)
	targets, err := e.resolve(ctx)
	if err != nil {
		return nil, err
	}
	for _, target := range targets {
		var conn Conn
		if conn, err = t.dial(ctx, target, want); err == nil {
			return conn, nil
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, dialFault(address, err)
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
	kind := fault.Retry
	if end, ok := errors.AsType[*quic.TransportError](err); ok && end.ErrorCode.IsCryptoError() {
		kind = fault.Peer
	}
	return fault.Wrap(kind, "", "dial", address, err)
}

// beginDial counts a dial, so that Close can cancel and await it.
func (t *quicTransport) beginDial(cancel *context.CancelCauseFunc) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closing {
		return false
	}
	t.dials[cancel] = struct{}{}
	t.running.Add(1)
	return true
}

func (t *quicTransport) endDial(cancel *context.CancelCauseFunc) {
	t.mu.Lock()
	delete(t.dials, cancel)
	t.mu.Unlock()
	t.running.Done()
}

// Close tells every peer that this device shuts down. Later calls wait for the
// first and return its result.
func (t *quicTransport) Close() error {
	conns, first := t.beginClose()
	if !first {
		<-t.closed
		return t.closeErr
	}
	t.end(errClosed("accept"))
	t.stop()
	err := t.listener.Close() // waits for the handshakes under way
	for _, conn := range conns {
		t.running.Go(func() { closeQUIC(conn, CodeShuttingDown, "shutting down") })
	}
	t.running.Wait()
	t.closeErr = errors.Join(err, t.quic.Close(), t.socket.Close())
	close(t.closed)
	return t.closeErr
}

// beginClose refuses new work, cancels the dials and gives the connections.
func (t *quicTransport) beginClose() (conns []*quic.Conn, first bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closing {
		return nil, false
	}
	t.closing = true
	for cancel := range t.dials {
		(*cancel)(errClosed("dial"))
	}
	for conn := range t.conns {
		conns = append(conns, conn)
	}
	return conns, true
}

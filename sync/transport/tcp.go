package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math"
	"net"
	"net/netip"
	"time"

	"lanyard/sync/device"
	"lanyard/sync/fault"
)

const (
	// greetWait is how long the TLS handshake of a connection that a peer
	// dials may take, as long as one of QUIC.
	greetWait = 10 * time.Second
	// connectWait is how long a dial may take: a name that resolves to several
	// addresses gives each of them so much.
	connectWait = 5 * time.Second
	// acceptPause is the longest pause after a failure to accept, such as for
	// want of file descriptors.
	acceptPause = time.Second
)

// keepAlive notices a peer that is gone without a word within 30 s while
// nothing is sent; see tuneTCP for while something is.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 4}

var errNoAnswer = errors.New("no answer in time")

// tcpTransport listens and dials with TLS over TCP. A device that it dials does
// not learn from that where it listens: the source port is another one.
type tcpTransport struct {
	opts      Options
	own       device.ID
	listener  net.Listener // nil where it only dials
	addresses []string
	door      door
	life      *life
	// interfaces lists the addresses of this machine with their networks.
	interfaces func() ([]net.Addr, error)
	ctx        context.Context // ends the accept loop and the welcomes
	stop       context.CancelFunc
}

// ListenTCP is ListenQUIC with TLS over TCP, for an address such as
// tcp://0.0.0.0:22000. It costs a fraction of QUIC's processor time, and takes
// what a Syncthing offers that has no QUIC. Its closes carry no code, and a
// connection that a peer closed is noticed by reading alone.
func ListenTCP(o Options) (Transport, error) {
	o = o.withDefaults()
	at, err := parseEndpoint(o.Listen)
	if err != nil {
		return nil, fault.Wrap(fault.Node, "", "listen", "", err)
	}
	if !at.tcp() {
		return nil, fault.Wrap(fault.Node, "", "listen on", o.Listen, errOtherProtocol)
	}
	listener, err := listenTCP(at)
	if err != nil {
		return nil, err
	}
	t, err := newTCP(o, listener, listenURL(at, listener.Addr()), newDoor())
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return t.start(), nil
}

// newTCP makes a transport on a listener, which it closes in the end, or on
// none. It starts nothing.
func newTCP(o Options, listener net.Listener, address string, d door) (*tcpTransport, error) {
	own, err := identityOf(o.Certificate)
	if err != nil {
		return nil, err
	}
	t := &tcpTransport{
		opts: o, own: own, listener: listener, door: d, life: newLife(),
		interfaces: net.InterfaceAddrs,
	}
	t.ctx, t.stop = context.WithCancel(context.Background())
	if listener != nil {
		t.addresses = []string{address}
	}
	return t, nil
}

// start begins to accept.
func (t *tcpTransport) start() *tcpTransport {
	if t.listener != nil {
		t.life.running.Go(t.acceptLoop)
	}
	return t
}

func (t *tcpTransport) Addresses() []string { return append([]string(nil), t.addresses...) }

func (t *tcpTransport) Accept(ctx context.Context) (Conn, error) { return t.door.inbox.accept(ctx) }

// acceptLoop welcomes every connection that the gate lets in. A failure to
// accept is met with a pause: it is of one connection, or passes.
func (t *tcpTransport) acceptLoop() {
	pause := time.Millisecond
	for {
		raw, err := t.listener.Accept()
		switch {
		case err == nil:
			pause = time.Millisecond
			t.admit(raw)
		case errors.Is(err, net.ErrClosed):
			return
		default:
			t.opts.Log.Warn("no connection could be accepted", "error", err)
			select {
			case <-t.ctx.Done():
				return
			case <-time.After(pause):
			}
			pause = min(2*pause, acceptPause)
		}
	}
}

// admit takes a slot in the gate before any work is done for a connection.
func (t *tcpTransport) admit(raw net.Conn) {
	slot, err := t.door.gate.enter(raw.RemoteAddr())
	if err != nil {
		t.refuse(raw, err)
		return
	}
	t.life.running.Go(func() { t.welcome(raw, slot) })
}

// refuse ends a connection that nobody has accepted yet, without a word.
func (t *tcpTransport) refuse(raw net.Conn, why error) {
	t.opts.Log.Debug("incoming connection refused", "address", addressURL(raw.RemoteAddr()), "error", why)
	abort(raw)
}

// welcome does the handshake, waits for the peer's first byte and for Accept to
// take the connection. With its first byte a dialer shows that it chose this
// connection, as with QUIC's stream.
func (t *tcpTransport) welcome(raw net.Conn, slot *slot) {
	tuneTCP(raw)
	ctx, cancel := context.WithTimeout(t.ctx, greetWait)
	defer cancel()
	secure := tls.Server(raw, tlsConfig(t.opts.Certificate, notSelf(t.own)))
	if err := secure.HandshakeContext(ctx); err != nil {
		slot.leave()
		t.refuse(raw, err)
		return
	}
	c := t.newConn(raw, secure, false)
	known := t.opts.Known(c.peer)
	if err := slot.identified(known); err != nil {
		t.refuse(raw, err)
		return
	}
	life := time.AfterFunc(math.MaxInt64, func() {
		t.opts.Log.Debug("connection ended", "address", c.RemoteAddress(), "error", errNotAdmitted)
		c.abort()
	})
	c.admit = func() {
		life.Stop()
		slot.leave()
	}
	if !c.begin() {
		c.admit()
		abort(raw)
		return
	}
	life.Reset(unpairedLife) // only now it may end
	if err := c.awaitFirst(streamWait); err != nil {
		t.opts.Log.Debug("incoming connection refused", "address", c.RemoteAddress(), "error", err)
		c.abort()
		return
	}
	select {
	case t.door.inbox.conns <- c:
		if known {
			c.admit()
		}
	case <-c.done:
	case <-t.ctx.Done():
	}
}

// Dial is as with QUIC: it may succeed toward a device that refuses us.
func (t *tcpTransport) Dial(ctx context.Context, address string, want device.ID) (Conn, error) {
	return t.life.dial(ctx, address, t.own, want, func(ctx context.Context, e endpoint, target netip.AddrPort) (Conn, error) {
		if !e.tcp() {
			return nil, errOtherProtocol
		}
		return t.dial(ctx, target, want)
	})
}

// dial connects to one socket address. The connection becomes visible to the
// peer only with the first bytes written to it.
func (t *tcpTransport) dial(ctx context.Context, target netip.AddrPort, want device.ID) (Conn, error) {
	limited, cancel := context.WithTimeoutCause(ctx, connectWait, errNoAnswer)
	defer cancel()
	conn, err := t.connect(limited, target, want)
	switch {
	case err == nil:
		return conn, nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case limited.Err() != nil:
		return nil, errNoAnswer // as an error of its own: nobody called the dial off
	}
	return nil, err
}

func (t *tcpTransport) connect(ctx context.Context, target netip.AddrPort, want device.ID) (Conn, error) {
	dialer := net.Dialer{KeepAliveConfig: keepAlive}
	dialer.SetMultipathTCP(false) // a connection has one local address
	raw, err := dialer.DialContext(ctx, "tcp", target.String())
	if err != nil {
		return nil, err
	}
	tuneTCP(raw)
	secure := tls.Client(raw, tlsConfig(t.opts.Certificate, only(want)))
	if err := secure.HandshakeContext(ctx); err != nil {
		abort(raw)
		return nil, handshakeFault(err)
	}
	c := t.newConn(raw, secure, true)
	if !c.begin() {
		abort(raw)
		return nil, net.ErrClosed
	}
	return c, nil
}

// handshakeFault says whose fault a failed handshake is: a connection that
// broke passes, one that the two sides cannot agree on is the peer's.
func handshakeFault(err error) error {
	broken, ok := errors.AsType[*net.OpError](err)
	ok = ok && broken.Op != "remote error" && broken.Op != "local error" // the alerts of TLS
	if ok || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) {
		return err
	}
	return fault.Wrap(fault.Peer, "", "handshake", "", err)
}

// interfacePrefixes gives the addresses of this machine, each with the length
// of its network's prefix.
func interfacePrefixes(interfaces func() ([]net.Addr, error)) ([]netip.Prefix, error) {
	list, err := interfaces()
	if err != nil {
		return nil, err
	}
	var found []netip.Prefix
	for _, a := range list {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			found = append(found, netip.PrefixFrom(p.Addr().Unmap(), p.Bits()))
		}
	}
	return found, nil
}

// Close ends every connection, in order where the peer reads.
func (t *tcpTransport) Close() error {
	return t.life.close(func() error {
		t.door.inbox.end(errClosed("accept"))
		t.stop()
		if t.listener == nil {
			return nil
		}
		return t.listener.Close()
	}, func() error { return nil })
}

package transport

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"lanyard/sync/device"
	"lanyard/sync/fault"
)

const (
	// tcpLead is the start that TCP has over QUIC where both are tried.
	tcpLead = 100 * time.Millisecond
	// againFirst and againLast are the pauses between dials with TCP while QUIC
	// takes its time.
	againFirst = 50 * time.Millisecond
	againLast  = 500 * time.Millisecond
	// samePortTries bounds the search for a port that is free for both.
	samePortTries = 5
)

// lanTransport uses QUIC everywhere and TCP where that is quicker: between
// devices on one network. QUIC costs several times the processor time, which is
// what limits a copy there. On longer ways it is worth it: it outlives a change
// of network, and a router that lets one side through.
type lanTransport struct {
	own  device.ID
	quic *quicTransport // nil where it listens on TCP alone
	tcp  *tcpTransport
	door door
	life *life // of the dials
	lead time.Duration
	// near reports whether an address is on a network that this machine is in.
	near func(netip.Addr) bool
}

// Listen opens what o.Listen asks for and accepts connections until Close. For
// a quic:// address that is QUIC and, on the port of the same number, TLS over
// TCP; where that port is another program's, QUIC alone. For a tcp:// address it
// is TCP alone. Its errors are faults; a port that another program has gives
// CodePortTaken.
//
// Dial of a quic:// address on a network that this machine is in tries TCP
// first, and QUIC as well once that has failed or has not succeeded in 100 ms, and
// then takes whichever comes first; elsewhere it tries QUIC alone. The peer sees the one connection that Dial gives.
// Dial of a tcp:// address tries TCP alone. Of two errors it gives QUIC's, unless
// it is TCP that met another device.
func Listen(o Options) (Transport, error) {
	o = o.withDefaults()
	if o.NoTCP {
		return ListenQUIC(o)
	}
	at, err := parseEndpoint(o.Listen)
	if err != nil {
		return nil, fault.Wrap(fault.Node, "", "listen", "", err)
	}
	own, err := identityOf(o.Certificate)
	if err != nil {
		return nil, err
	}
	t := &lanTransport{own: own, door: newDoor(), life: newLife(), lead: tcpLead}
	t.near = func(ip netip.Addr) bool { return onLink(ip, t.tcp.interfaces) }
	if at.tcp() {
		err = t.openTCP(o, at)
	} else {
		err = t.openBoth(o, at)
	}
	if err != nil {
		return nil, err
	}
	t.tcp.start()
	return t, nil
}

// openTCP opens the TCP socket alone.
func (t *lanTransport) openTCP(o Options, at endpoint) error {
	listener, err := listenTCP(at)
	if err != nil {
		return err
	}
	t.tcp, err = newTCP(o, listener, listenURL(at, listener.Addr()), t.door)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	return nil
}

// openBoth opens the two sockets, or that of QUIC if need be.
func (t *lanTransport) openBoth(o Options, at endpoint) error {
	udp, listener, err := listenBoth(at)
	if udp == nil {
		return err
	}
	var address string
	if listener != nil {
		address = listenURL(at.overTCP(at.port), listener.Addr())
	} else {
		o.Log.Warn("TCP is left out, which would be quicker on this network", "error", err)
	}
	t.quic, err = newQUIC(o, offload(newSocket(udp)), listenURL(at, udp.LocalAddr()), t.door)
	if err == nil {
		t.tcp, err = newTCP(o, listener, address, t.door)
	}
	switch {
	case err == nil:
		return nil
	case t.quic != nil:
		err = errors.Join(err, t.quic.Close())
	default:
		err = errors.Join(err, udp.Close())
	}
	if listener != nil {
		err = errors.Join(err, listener.Close())
	}
	return err
}

// listenBoth opens a UDP socket, and a TCP socket on the port of the same
// number. Where any port will do, it looks for one that both can have. No TCP
// socket comes with the error that is its reason; no UDP socket is a failure.
func listenBoth(at endpoint) (udp *net.UDPConn, tcp net.Listener, err error) {
	for try := 1; ; try++ {
		if udp, err = listenUDP(at); err != nil {
			return nil, nil, err
		}
		port := addrPort(udp.LocalAddr()).Port()
		listener, err := listenTCP(at.overTCP(port))
		if err == nil {
			return udp, listener, nil
		}
		if at.port != 0 || try == samePortTries || fault.CodeOf(err) != CodePortTaken {
			return udp, nil, err
		}
		udp.Close()
	}
}

// onLink reports whether ip is this machine's or on a network that one of its
// interfaces is in, so that nothing lies between that routes.
func onLink(ip netip.Addr, interfaces func() ([]net.Addr, error)) bool {
	if ip.IsLoopback() || ip.IsLinkLocalUnicast() {
		return true
	}
	prefixes, err := interfacePrefixes(interfaces)
	return err == nil && slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// Addresses lists QUIC's first.
func (t *lanTransport) Addresses() []string {
	var list []string
	if t.quic != nil {
		list = t.quic.Addresses()
	}
	return append(list, t.tcp.Addresses()...)
}

func (t *lanTransport) Accept(ctx context.Context) (Conn, error) { return t.door.inbox.accept(ctx) }

func (t *lanTransport) Dial(ctx context.Context, address string, want device.ID) (Conn, error) {
	return t.life.dial(ctx, address, t.own, want, func(ctx context.Context, e endpoint, target netip.AddrPort) (Conn, error) {
		near := e.tcp() || t.near(target.Addr())
		switch {
		case near && (e.tcp() || t.quic == nil):
			return t.tcp.dial(ctx, target, want)
		case t.quic == nil:
			return nil, errOtherProtocol
		case near:
			return t.race(ctx, target, want)
		}
		return t.quic.dial(ctx, target, want)
	})
}

// dialed is the outcome of one dial.
type dialed struct {
	conn Conn
	err  error
}

// race dials with TCP, and a little later with QUIC. The first to complete its
// handshake wins. The other one is called off, or closed before anything was
// written to it, so that the peer does not see it.
//
// A device that is just starting refuses TCP, where QUIC waits for it; so TCP is
// tried again as long as QUIC takes.
func (t *lanTransport) race(ctx context.Context, target netip.AddrPort, want device.ID) (Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	refused := make(chan struct{}) // closed at TCP's first failure
	tcp := begin(func() (Conn, error) { return t.insist(ctx, target, want, sync.OnceFunc(func() { close(refused) })) })
	lead := time.NewTimer(t.lead)
	defer lead.Stop()
	select {
	case first := <-tcp:
		if first.err == nil || ctx.Err() != nil {
			return first.conn, first.err
		}
		conn, err := t.quic.dial(ctx, target, want)
		return conn, telling(err, first.err)
	case <-refused:
	case <-lead.C:
	}
	quic := begin(func() (Conn, error) { return t.quic.dial(ctx, target, want) })
	select {
	case byTCP := <-tcp:
		if byTCP.err == nil {
			cancel()
		}
		byQUIC := <-quic
		return choose(byTCP, byQUIC, telling(byQUIC.err, byTCP.err))
	case byQUIC := <-quic:
		cancel()
		byTCP := <-tcp
		return choose(byQUIC, byTCP, telling(byQUIC.err, byTCP.err))
	}
}

// begin dials on the side.
func begin(dial func() (Conn, error)) <-chan dialed {
	out := make(chan dialed, 1)
	go func() {
		conn, err := dial()
		out <- dialed{conn, err}
	}()
	return out
}

// insist dials with TCP until it succeeds, meets another device, or ctx ends;
// then it gives the last failure. It tells of the first one.
func (t *lanTransport) insist(ctx context.Context, target netip.AddrPort, want device.ID, failed func()) (Conn, error) {
	for pause := againFirst; ; pause = min(2*pause, againLast) {
		conn, err := t.tcp.dial(ctx, target, want)
		if err == nil || ctx.Err() != nil || errors.Is(err, ErrOtherDevice) {
			return conn, err
		}
		failed()
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(pause):
		}
	}
}

// choose gives the connection that came first, or the only one, or the error.
func choose(first, second dialed, err error) (Conn, error) {
	switch {
	case first.err != nil && second.err != nil:
		return nil, err
	case first.err != nil:
		return second.conn, nil
	case second.err == nil:
		second.conn.CloseWith(CodeLostRace, "the other protocol was quicker")
	}
	return first.conn, nil
}

// telling gives QUIC's error, unless that of TCP tells more: who is there. There
// is none where QUIC succeeded.
func telling(quic, tcp error) error {
	if quic != nil && errors.Is(tcp, ErrOtherDevice) {
		return tcp
	}
	return quic
}

// Close closes both.
func (t *lanTransport) Close() error {
	return t.life.close(func() error {
		t.door.inbox.end(errClosed("accept"))
		return nil
	}, func() error {
		overTCP := make(chan error, 1)
		go func() { overTCP <- t.tcp.Close() }()
		var err error
		if t.quic != nil {
			err = t.quic.Close()
		}
		return errors.Join(err, <-overTCP)
	})
}

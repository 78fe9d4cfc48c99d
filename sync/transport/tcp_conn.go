package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"lanyard/sync/device"
	"lanyard/sync/fault"
)

// goodbyeLife is how long a closed connection lasts, while what was written
// before its close arrives.
const goodbyeLife = time.Second

// A connection is looked at every lookEvery. One with something sent that has
// heard nothing for goneAfter has lost its peer.
const (
	lookEvery = 5 * time.Second
	goneAfter = 20 * time.Second
)

var errEnded = errors.New("the other side closed the connection")

// tcpConn is one TLS connection over TCP. With its stream it ends as a whole,
// as with QUIC, so there is no io.EOF.
type tcpConn struct {
	t        *tcpTransport
	raw      net.Conn
	tls      *tls.Conn
	peer     device.ID
	extended bool
	dialed   bool

	admit func() // lifts the limits on an unknown device; may be repeated
	shut  func() // what Close of the transport calls

	end  sync.Once
	done chan struct{} // closed by end

	// reading and writing are held during a Read and a Write, and by the
	// goodbye. deadlines guards against a deadline that is set after the end.
	reading, writing, deadlines sync.Mutex

	first   [1]byte // what awaitFirst read
	waiting bool    // first is still to be given out; guarded by reading

	// missed and ghost are of look alone.
	missed int  // looks in a row at which the own address was gone
	ghost  bool // it was not there at the begin
}

var _ Admitter = (*tcpConn)(nil)

// newConn describes a connection whose handshake is complete.
func (t *tcpTransport) newConn(raw net.Conn, secure *tls.Conn, dialed bool) *tcpConn {
	state := secure.ConnectionState()
	c := &tcpConn{
		t: t, raw: raw, tls: secure,
		peer:     device.FromCertificate(state.PeerCertificates[0].Raw),
		extended: state.NegotiatedProtocol == protoExtended,
		dialed:   dialed,
		admit:    func() {},
		done:     make(chan struct{}),
	}
	c.shut = func() { c.CloseWith(CodeShuttingDown, "shutting down") }
	return c
}

func (c *tcpConn) PeerID() device.ID     { return c.peer }
func (c *tcpConn) Extended() bool        { return c.extended }
func (c *tcpConn) Dialed() bool          { return c.dialed }
func (c *tcpConn) LocalAddress() string  { return addressURL(c.raw.LocalAddr()) }
func (c *tcpConn) RemoteAddress() string { return addressURL(c.raw.RemoteAddr()) }
func (c *tcpConn) Done() <-chan struct{} { return c.done }

// Admit lifts the limits on a connection of an unknown device.
func (c *tcpConn) Admit() { c.admit() }

// EndCode gives none: TCP has no place for a code.
func (c *tcpConn) EndCode() (Code, bool) { return 0, false }

// begin counts the connection until its end. It reports false once the
// transport closes.
func (c *tcpConn) begin() bool {
	if !c.t.life.open(&c.shut, c.abort) {
		return false
	}
	if c.homeless() {
		c.ghost = true // it never had an address of an interface: that tells nothing
	}
	time.AfterFunc(lookEvery, c.look)
	return true
}

// look ends the connection where nothing can come of it any more, though the
// system would keep it for a quarter of an hour: its peer has gone without a
// word amid a transfer, or this device has moved to another network.
func (c *tcpConn) look() {
	if c.ended() {
		return
	}
	if c.homeless() && !c.ghost {
		c.missed++ // an address that is given anew may be gone for a moment
	} else {
		c.missed = 0
	}
	if c.missed > 1 || stuckTCP(c.raw) {
		c.t.opts.Log.Debug("connection ended", "address", c.RemoteAddress(), "error", errNoAnswer)
		c.abort()
		return
	}
	time.AfterFunc(lookEvery, c.look)
}

// homeless reports whether no interface of this machine has the connection's
// own address.
func (c *tcpConn) homeless() bool {
	ip := addrPort(c.raw.LocalAddr()).Addr().Unmap().WithZone("")
	if !ip.IsValid() || ip.IsLoopback() {
		return false
	}
	prefixes, err := interfacePrefixes(c.t.interfaces)
	return err == nil && !slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Addr() == ip })
}

// awaitFirst waits for the peer's first byte, which Read gives out first.
func (c *tcpConn) awaitFirst(wait time.Duration) error {
	c.reading.Lock()
	defer c.reading.Unlock()
	if err := c.setDeadline(time.Now().Add(wait)); err != nil {
		return err
	}
	if _, err := io.ReadFull(c.tls, c.first[:]); err != nil {
		return err
	}
	c.waiting = true
	return c.setDeadline(time.Time{})
}

func (c *tcpConn) ended() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// Read gives os.ErrDeadlineExceeded after a deadline, and for everything else,
// the end of the connection too, a fault of kind Retry.
func (c *tcpConn) Read(b []byte) (int, error) {
	if !c.reading.TryLock() {
		return 0, c.fault("read from", net.ErrClosed) // by the goodbye
	}
	defer c.reading.Unlock()
	if c.waiting && len(b) > 0 && !c.ended() {
		c.waiting = false
		return copy(b, c.first[:]), nil
	}
	n, err := c.tls.Read(b)
	if err == io.EOF {
		err = errEnded
	}
	return n, c.fault("read from", err)
}

// Write is like Read. After a deadline nothing more can be written: part of a
// record may be on its way.
func (c *tcpConn) Write(b []byte) (int, error) {
	if !c.writing.TryLock() {
		return 0, c.fault("write to", net.ErrClosed)
	}
	defer c.writing.Unlock()
	n, err := c.tls.Write(b)
	return n, c.fault("write to", err)
}

// fault ends the connection on an error other than of a deadline.
func (c *tcpConn) fault(op string, err error) error {
	switch {
	case err == nil:
		return nil
	case c.ended():
		err = net.ErrClosed
	case errors.Is(err, os.ErrDeadlineExceeded):
		return err
	default:
		c.abort()
	}
	return fault.Wrap(fault.Retry, "", op, c.RemoteAddress(), err)
}

func (c *tcpConn) SetDeadline(t time.Time) error { return c.fault("set deadline of", c.setDeadline(t)) }

func (c *tcpConn) setDeadline(t time.Time) error {
	c.deadlines.Lock()
	defer c.deadlines.Unlock()
	if c.ended() {
		return net.ErrClosed
	}
	return c.raw.SetDeadline(t)
}

// CloseWith ends the connection at once for this side. Unless a Write is under
// way, what was written before arrives if the peer reads it within a second;
// nothing waits for that but Close of the transport, and only for the sending.
// With CodeRemoved nothing arrives that the system has not sent yet.
func (c *tcpConn) CloseWith(code Code, _ string) error {
	if code == CodeRemoved {
		c.abort()
		return nil
	}
	c.end.Do(func() {
		close(c.done)
		c.admit()
		if !c.writing.TryLock() {
			c.cut()
			return
		}
		c.deadlines.Lock()
		defer c.deadlines.Unlock()
		_ = c.raw.SetReadDeadline(past) // a waiting Read returns
		go c.sayGoodbye()
	})
	return nil
}

// past is a deadline that is over.
var past = time.Unix(1, 0)

// abort ends the connection without a word.
func (c *tcpConn) abort() {
	c.end.Do(func() {
		close(c.done)
		c.admit()
		c.cut()
	})
}

// cut ends what the connection holds.
func (c *tcpConn) cut() {
	abort(c.raw)
	c.t.life.gone(&c.shut)
}

// sayGoodbye sends the end of the stream and reads on until the peer has ended
// it too: the system answers bytes that come to a socket which was closed, or
// which were not read before, with a reset, and that may overtake what we sent.
func (c *tcpConn) sayGoodbye() {
	defer c.t.life.gone(&c.shut)
	defer c.raw.Close()
	defer c.writing.Unlock()
	limit := time.AfterFunc(goodbyeLife, func() { c.raw.Close() })
	defer limit.Stop()
	if c.tls.CloseWrite() != nil {
		return
	}
	if half, ok := c.raw.(interface{ CloseWrite() error }); ok && half.CloseWrite() != nil {
		return
	}
	c.reading.Lock() // the waiting Read has returned
	defer c.reading.Unlock()
	if c.raw.SetReadDeadline(time.Time{}) != nil {
		return
	}
	stop := context.AfterFunc(c.t.ctx, func() { _ = c.raw.SetReadDeadline(past) })
	defer stop()
	_, _ = io.Copy(io.Discard, c.raw) // until the end, whatever it is
}

// abort closes a socket and forgets what was not sent yet.
func abort(raw net.Conn) {
	if tcp, ok := raw.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // else the system would go on sending for a while
	}
	raw.Close()
}

package transport

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/quic-go/quic-go"

	"lanyard/sync/device"
	"lanyard/sync/fault"
)

// maxReason bounds the text of a close, in bytes: it must fit one packet.
const maxReason = 256

// quicConn is one QUIC connection with its one stream.
type quicConn struct {
	conn     *quic.Conn
	stream   *quic.Stream
	peer     device.ID
	extended bool
	dialed   bool

	admit func() // lifts the limits on an unknown device; may be repeated
}

var _ Admitter = (*quicConn)(nil)

// newQUICConn describes conn, whose handshake is complete, and its stream.
func newQUICConn(conn *quic.Conn, stream *quic.Stream, dialed bool) *quicConn {
	state := conn.ConnectionState().TLS
	leaf := state.PeerCertificates[0]
	return &quicConn{
		conn:     conn,
		stream:   stream,
		peer:     device.FromCertificate(leaf.Raw),
		extended: state.NegotiatedProtocol == protoExtended,
		dialed:   dialed,
		admit:    func() {},
	}
}

func (c *quicConn) PeerID() device.ID     { return c.peer }
func (c *quicConn) Extended() bool        { return c.extended }
func (c *quicConn) Dialed() bool          { return c.dialed }
func (c *quicConn) LocalAddress() string  { return addressURL(c.conn.LocalAddr()) }
func (c *quicConn) RemoteAddress() string { return addressURL(c.conn.RemoteAddr()) }
func (c *quicConn) Done() <-chan struct{} { return c.conn.Context().Done() }

// Admit lifts the limits on a connection of an unknown device.
func (c *quicConn) Admit() {
	c.admit()
}

// Read gives io.EOF untouched, os.ErrDeadlineExceeded after a deadline, and
// for everything else a fault of kind Retry.
func (c *quicConn) Read(b []byte) (int, error) {
	n, err := c.stream.Read(b)
	return n, c.fault("read from", err)
}

// Write is like Read. What it accepted is delivered unless the connection
// ends.
func (c *quicConn) Write(b []byte) (int, error) {
	n, err := c.stream.Write(b)
	return n, c.fault("write to", err)
}

func (c *quicConn) fault(op string, err error) error {
	if err == nil || err == io.EOF || errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	if end, ok := errors.AsType[*quic.ApplicationError](err); ok && end.Remote {
		<-c.Done() // its streams end a moment earlier, and who asks now wants its code
	}
	return fault.Wrap(fault.Retry, "", op, c.RemoteAddress(), err)
}

func (c *quicConn) SetDeadline(t time.Time) error {
	return c.fault("set deadline of", c.stream.SetDeadline(t))
}

func (c *quicConn) CloseWith(code Code, reason string) error {
	closeQUIC(c.conn, code, reason)
	return nil
}

// closeQUIC ends conn, unless it has ended, and waits until the close was
// sent.
func closeQUIC(conn *quic.Conn, code Code, reason string) {
	if len(reason) > maxReason {
		reason = reason[:maxReason]
	}
	_ = conn.CloseWithError(quic.ApplicationErrorCode(code), reason) // always nil
}

func (c *quicConn) EndCode() (Code, bool) {
	end, ok := errors.AsType[*quic.ApplicationError](context.Cause(c.conn.Context()))
	if !ok || !end.Remote {
		return 0, false
	}
	return Code(end.ErrorCode), true
}

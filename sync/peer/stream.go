package peer

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/fault"
	"lanyard/sync/transport"
)

// Limits on writing: frames are gathered up to flushAt bytes before they are
// written, and a device that does not take writePiece bytes within writePatience
// has stopped reading. That is long: a device rightly stops for a while when it
// has more of us to deal with than it can hold.
const (
	flushAt       = 64 << 10
	writePiece    = 1 << 20
	writePatience = silentAfter
)

// helloTimeout bounds the exchange of Hellos; closeWait is how long we wait
// for the device to read our Close.
const (
	helloTimeout = 20 * time.Second
	closeWait    = time.Second
)

// Greet exchanges Hellos on a fresh connection. Both sides write at once: the
// one that accepted does not even see the connection before.
func Greet(conn transport.Conn, ours bep.Hello) (bep.Hello, error) {
	if err := conn.SetDeadline(time.Now().Add(helloTimeout)); err != nil {
		return bep.Hello{}, fault.Wrap(fault.Retry, "", "greet", conn.RemoteAddress(), err)
	}
	if err := bep.WriteHello(conn, ours); err != nil {
		return bep.Hello{}, fault.Wrap(fault.Retry, "", "greet", conn.RemoteAddress(), err)
	}
	theirs, err := bep.ReadHello(conn)
	if err != nil {
		return bep.Hello{}, err
	}
	return theirs, conn.SetDeadline(time.Time{})
}

// Stream is a Wire over a connection. Run reads and writes it.
type Stream struct {
	conn transport.Conn

	mu      sync.Mutex
	queue   []Frame
	wake    chan struct{} // of capacity 1: the queue or closing changed
	closing bool
	tell    string
	code    transport.Code

	held held
	pace pace
	in   atomic.Int64
	out  atomic.Int64
}

// NewStream returns a Wire over conn, whose Hellos have been exchanged. What
// the device sends counts against the budget as well, nil for one of its own.
// It starts nothing: call Run.
func NewStream(conn transport.Conn, budget *Budget) *Stream {
	if budget == nil {
		budget = NewBudget()
	}
	s := &Stream{conn: conn, wake: make(chan struct{}, 1), held: held{budget: budget}}
	s.pace.init(conn, &s.in)
	return s
}

// Counts gives the bytes read and written so far.
func (s *Stream) Counts() (in, out int64) { return s.in.Load(), s.out.Load() }

// Send queues a frame.
func (s *Stream) Send(f Frame) {
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		if f.Sent != nil {
			f.Sent()
		}
		return
	}
	s.queue = append(s.queue, f)
	s.mu.Unlock()
	s.signal()
}

// Close ends the connection after what is queued.
func (s *Stream) Close(tell string) { s.CloseWith(transport.CodeNormal, tell) }

// CloseWith is Close with a code that tells why.
func (s *Stream) CloseWith(code transport.Code, tell string) {
	s.mu.Lock()
	first := !s.closing
	if first {
		s.closing, s.code, s.tell = true, code, tell
	}
	s.mu.Unlock()
	if first {
		// A device that reads nothing must not keep us.
		_ = s.conn.SetDeadline(time.Now().Add(2 * closeWait))
	}
	s.signal()
}

// telling reports whether the device is to be told the reason of the close,
// after which the writer closes the connection.
func (s *Stream) telling() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tell != ""
}

func (s *Stream) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run carries messages to and from p until the connection or ctx ends, and
// tells p of the end. It returns the reason: that of the conversation where it
// ended first.
func (s *Stream) Run(ctx context.Context, p *Peer, buffers *bep.Buffers) error {
	r := bep.NewReader(counter{s.conn, &s.in}, bep.ReaderOptions{Extensions: s.conn.Extended(), Buffers: buffers})
	stop := context.AfterFunc(ctx, func() { s.CloseWith(transport.CodeShuttingDown, "shutting down") })
	defer stop()
	var wg sync.WaitGroup
	wg.Go(func() {
		err := s.write()
		if err != nil {
			s.conn.CloseWith(transport.CodeNormal, "closing")
		}
		s.held.end() // a reader that waits for the budget sees no other end
	})
	err := s.read(p, r)
	s.CloseWith(transport.CodeNormal, "")
	if !s.telling() {
		s.conn.CloseWith(transport.CodeNormal, "closing")
	}
	wg.Wait()
	p.Lost(err)
	return p.cause(err)
}

// counter counts what is read.
type counter struct {
	r io.Reader
	n *atomic.Int64
}

func (c counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n.Add(int64(n))
	return n, err
}

// read hands messages to p while the device keeps to its budget.
func (s *Stream) read(p *Peer, r *bep.Reader) error {
	for {
		m, cost, err := s.next(r)
		switch {
		case err == nil && m == nil: // of a type that nobody knows
		case err == nil && cost == 0:
			p.Receive(m, nil)
		case err == nil:
			p.Receive(m, func() { s.held.give(cost) })
		case s.pace.tooSlow():
			return errTooSlow
		case errors.Is(err, io.EOF):
			return fault.New(fault.Retry, "", "the device closed the connection")
		default:
			if fault.KindOf(err) == fault.Peer {
				p.o.Log.Warn("message refused", "error", err)
				s.Close(err.Error())
			}
			return err
		}
	}
}

// next reads one message, which counts as held with its cost where that is not
// 0. It gives none for one of an unknown type.
func (s *Stream) next(r *bep.Reader) (m bep.Message, cost int64, err error) {
	if err := r.Wait(); err != nil {
		return nil, 0, err
	}
	s.pace.begin()
	defer s.pace.end()
	head, known, err := r.Head()
	if err != nil || !known {
		return nil, 0, err
	}
	if cost = headCost(head); cost > 0 {
		s.pace.end()
		if !s.held.take(cost) {
			return nil, 0, errEnded
		}
		s.pace.begin()
	}
	if m, err = r.Body(); err != nil {
		return nil, 0, err // what is held ends with the connection
	}
	if cost == 0 {
		if cost = messageCost(m); cost > 0 && !s.held.take(cost) {
			return nil, 0, errEnded
		}
	}
	return m, cost, nil
}

// headCost is what a message holds that can be large once it is decoded: room
// for it is made before it is read. The longest lists of blocks and of counters
// take twice the bytes that they have on the wire.
func headCost(h bep.Head) int64 {
	if h.Type == bep.TypeIndex || h.Type == bep.TypeIndexUpdate {
		return 256 + 2*int64(h.Size)
	}
	return 0
}

// messageCost is what another message holds until it was dealt with. A
// Response counts nothing: we asked for it within a budget of our own.
func messageCost(m bep.Message) int64 {
	switch m := m.(type) {
	case *bep.Request:
		return max(int64(m.Size), 1)
	case *bep.Response:
		return 0
	case *bep.Extension:
		return max(int64(len(m.Body)), 1)
	}
	return 1
}

// write writes what is queued, many frames at a time.
func (s *Stream) write() error {
	buf := make([]byte, 0, 2*flushAt)
	for {
		frames, closing := s.take()
		for len(frames) > 0 {
			n := 0
			buf = buf[:0]
			for n < len(frames) && len(buf) < flushAt {
				var err error
				if buf, err = appendFrame(buf, frames[n]); err != nil {
					s.dropAll(frames)
					return err
				}
				n++
			}
			if err := s.writeCounted(buf); err != nil {
				s.dropAll(frames)
				return err
			}
			sent(frames[:n])
			frames = frames[n:]
			if cap(buf) > 32*flushAt {
				buf = make([]byte, 0, 2*flushAt) // one huge answer is not kept
			}
		}
		if closing {
			return s.sayGoodbye(buf)
		}
		<-s.wake
	}
}

// writeCounted writes in pieces, each of which the device has to take within a
// while: it may pause, but not for ever.
func (s *Stream) writeCounted(b []byte) error {
	stuck := time.AfterFunc(writePatience, func() { s.conn.CloseWith(transport.CodeTimeout, "nothing was read") })
	defer stuck.Stop()
	for len(b) > 0 {
		n, err := s.conn.Write(b[:min(len(b), writePiece)])
		s.out.Add(int64(n))
		if err != nil {
			return err
		}
		b = b[n:]
		stuck.Reset(writePatience)
	}
	return nil
}

func appendFrame(buf []byte, f Frame) ([]byte, error) {
	if f.Message == nil {
		return f.Append(buf), nil
	}
	return bep.AppendMessage(buf, f.Message, bep.CompressMetadata)
}

func (s *Stream) take() (frames []Frame, closing bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	frames, s.queue = s.queue, nil
	return frames, s.closing
}

func sent(frames []Frame) {
	for _, f := range frames {
		if f.Sent != nil {
			f.Sent()
		}
	}
}

// dropAll gives up what is queued after an error.
func (s *Stream) dropAll(frames []Frame) {
	s.mu.Lock()
	s.closing = true
	frames = append(frames, s.queue...)
	s.queue = nil
	s.mu.Unlock()
	sent(frames)
}

// sayGoodbye writes a Close and waits until the device has read it: a QUIC
// close discards what was not acknowledged.
func (s *Stream) sayGoodbye(buf []byte) error {
	s.mu.Lock()
	tell, code := s.tell, s.code
	s.mu.Unlock()
	if tell != "" {
		buf, err := bep.AppendMessage(buf[:0], &bep.Close{Reason: tell}, bep.CompressNever)
		if err == nil {
			err = s.writeCounted(buf)
		}
		if err == nil {
			timer := time.NewTimer(closeWait)
			defer timer.Stop()
			select {
			case <-s.conn.Done():
			case <-timer.C:
			}
		}
	}
	return s.conn.CloseWith(code, tell)
}

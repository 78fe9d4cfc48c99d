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

// Limits on what a device may have us hold: what it sent and we have not dealt
// with yet. Past them its stream is not read.
const (
	maxHeldBytes    = 64 << 20
	maxHeldMessages = 1024
)

// Limits on writing: frames are gathered up to flushAt bytes before they are
// written.
const flushAt = 64 << 10

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
	in   atomic.Int64
	out  atomic.Int64
}

// NewStream returns a Wire over conn, whose Hellos have been exchanged. It
// starts nothing: call Run.
func NewStream(conn transport.Conn) *Stream {
	s := &Stream{conn: conn, wake: make(chan struct{}, 1)}
	s.held.init()
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
// tells p of the end. It returns the reason.
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
	return err
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
		m, err := r.Next()
		if err != nil {
			if errors.Is(err, io.EOF) {
				return fault.New(fault.Retry, "", "the device closed the connection")
			}
			if fault.KindOf(err) == fault.Peer {
				p.o.Log.Warn("message refused", "error", err)
				s.Close(err.Error())
			}
			return err
		}
		cost := messageCost(m)
		if cost == 0 {
			p.Receive(m, nil)
			continue
		}
		if !s.held.take(cost) {
			return errEnded
		}
		p.Receive(m, func() { s.held.give(cost) })
	}
}

// messageCost is what a message holds until it was dealt with. A Response
// counts nothing: we asked for it within a budget of our own.
func messageCost(m bep.Message) int64 {
	switch m := m.(type) {
	case *bep.Request:
		return max(int64(m.Size), 1)
	case *bep.Index:
		cost := int64(1)
		for i := range m.Files {
			cost += 256 + int64(len(m.Files[i].Blocks))*48
		}
		return cost
	case *bep.Response:
		return 0
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

func (s *Stream) writeCounted(b []byte) error {
	n, err := s.conn.Write(b)
	s.out.Add(int64(n))
	return err
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

// held counts what the device sent and we hold.
type held struct {
	mu       sync.Mutex
	free     sync.Cond
	bytes    int64
	messages int
	ended    bool
}

func (h *held) init() { h.free.L = &h.mu }

// take waits until cost fits, or is alone; false at the end.
func (h *held) take(cost int64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for !h.ended && h.messages > 0 && (h.bytes+cost > maxHeldBytes || h.messages >= maxHeldMessages) {
		h.free.Wait()
	}
	h.bytes += cost
	h.messages++
	return !h.ended
}

func (h *held) give(cost int64) {
	h.mu.Lock()
	h.bytes -= cost
	h.messages--
	h.mu.Unlock()
	h.free.Signal()
}

func (h *held) end() {
	h.mu.Lock()
	h.ended = true
	h.mu.Unlock()
	h.free.Broadcast()
}

package transport

import (
	"context"
	"net"
	"net/netip"
	"sync"

	"lanyard/sync/device"
	"lanyard/sync/fault"
)

// life is what a transport has open, so that Close can end it all and wait for
// it. It is safe for concurrent use.
type life struct {
	running sync.WaitGroup // every goroutine, dial and open connection
	closed  chan struct{}  // closed by close, once it is done
	err     error          // of close; set before closed is closed

	mu      sync.Mutex
	closing bool
	ends    map[*func()]func() // of the open connections, and how they are cut off
	dials   map[*context.CancelCauseFunc]struct{}
}

func newLife() *life {
	return &life{
		closed: make(chan struct{}),
		ends:   map[*func()]func(){},
		dials:  map[*context.CancelCauseFunc]struct{}{},
	}
}

// errClosed is the answer to any call after Close.
func errClosed(op string) error { return fault.Wrap(fault.Retry, "", op, "", net.ErrClosed) }

// open counts a connection, for which Close calls end and awaits gone, and
// endAll calls cut. Once Close has begun there is no place for another.
func (l *life) open(end *func(), cut func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing {
		return false
	}
	l.ends[end] = cut
	l.running.Add(1)
	return true
}

// gone takes back an open.
func (l *life) gone(end *func()) {
	l.mu.Lock()
	delete(l.ends, end)
	l.mu.Unlock()
	l.running.Done()
}

// endAll cuts every open connection off, and returns when that is done.
func (l *life) endAll() {
	var cutting sync.WaitGroup
	l.mu.Lock()
	for _, cut := range l.ends {
		cutting.Go(cut)
	}
	l.mu.Unlock()
	cutting.Wait()
}

// begin counts a dial, which Close cancels and awaits until done is called.
func (l *life) begin(parent context.Context) (ctx context.Context, done func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing {
		return nil, nil, errClosed("dial")
	}
	ctx, cancel := context.WithCancelCause(parent)
	l.dials[&cancel] = struct{}{}
	l.running.Add(1)
	return ctx, func() {
		cancel(nil)
		l.mu.Lock()
		delete(l.dials, &cancel)
		l.mu.Unlock()
		l.running.Done()
	}, nil
}

// dial parses and resolves an address and tries what it resolves to, one after
// the other, with to.
func (l *life) dial(
	ctx context.Context, address string, own, want device.ID,
	to func(ctx context.Context, e endpoint, target netip.AddrPort) (Conn, error),
) (Conn, error) {
	e, err := parseEndpoint(address)
	if err != nil {
		return nil, fault.Wrap(fault.Retry, "", "dial", "", err)
	}
	if want == own {
		return nil, fault.New(fault.Peer, "", "dial %s: %w", address, errOwnIdentity)
	}
	ctx, done, err := l.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	targets, err := e.resolve(ctx)
	if err != nil {
		return nil, err
	}
	for _, target := range targets {
		var conn Conn
		if conn, err = to(ctx, e, target); err == nil {
			return conn, nil
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, dialFault(address, err)
}

// close refuses new work, cancels the dials, ends the connections and waits
// for all of that. Between, it stops what lets connections in, and finally
// frees what they ran on. Later calls wait for the first and return its result.
func (l *life) close(stop, free func() error) error {
	ends, first := l.beginClose()
	if !first {
		<-l.closed
		return l.err
	}
	err := stop()
	for _, end := range ends {
		l.running.Go(end)
	}
	l.running.Wait()
	if ferr := free(); err == nil {
		err = ferr
	}
	l.err = err
	close(l.closed)
	return err
}

func (l *life) beginClose() (ends []func(), first bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing {
		return nil, false
	}
	l.closing = true
	for cancel := range l.dials {
		(*cancel)(errClosed("dial"))
	}
	for end := range l.ends {
		ends = append(ends, *end)
	}
	return ends, true
}

// door is what incoming connections pass: the limits on them, and the inbox
// that they end in. Transports that belong together share one.
type door struct {
	gate  *gate
	inbox *inbox
}

func newDoor() door { return door{gate: newGate(), inbox: newInbox()} }

// inbox holds what was accepted for whoever calls Accept. It is safe for concurrent use.
type inbox struct {
	conns chan Conn     // unbuffered; never closed
	ended chan struct{} // closed by end
	once  sync.Once
	err   error // why there is nothing any more; set before ended is closed
}

func newInbox() *inbox { return &inbox{conns: make(chan Conn), ended: make(chan struct{})} }

// end makes accept return err from now on; the first error stays.
func (b *inbox) end(err error) {
	b.once.Do(func() {
		b.err = err
		close(b.ended)
	})
}

func (b *inbox) accept(ctx context.Context) (Conn, error) {
	select {
	case conn := <-b.conns:
		return conn, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-b.ended:
		return nil, b.err
	}
}

package engine

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/exec"
	"lanyard/sync/fault"
	"lanyard/sync/peer"
	"lanyard/sync/status"
	"lanyard/sync/transport"
)

// network accepts and dials connections, settles duplicates, and attaches the
// one to talk on. Its goroutines: one accepts; one for each wanted device
// dials; one for each connection greets and then carries its messages. All end
// with run.
type network struct {
	e    *Engine
	turn *exec.Serial // owns links
	wg   sync.WaitGroup
	ctx  context.Context

	links  map[device.ID]*link
	budget *peer.Budget // of what all devices have us hold

	dials chan struct{} // holds a token for each dial under way

	mu      sync.Mutex
	dialers map[device.ID]*dialer
}

// Limits of dialing.
const (
	maxDials          = 32 // under way at once, of all devices
	maxDialsOfADevice = 6
)

// link is all connections to one device, of which one is talked on.
type link struct {
	attempts []*attempt
	used     *attempt
	cancel   func()    // of the next look
	doubted  time.Time // since when the one in use is asked for a sign, zero while it is not
}

// attempt is one connection on its way or in use.
type attempt struct {
	conn  transport.Conn
	where string // the address to note it under
	since time.Time
	hello time.Time
	told  bep.Hello
	pulse *pulse        // once it is talked on
	ready chan struct{} // closed when it is to be talked on
	gone  chan struct{} // closed when it has ended
}

func newNetwork(e *Engine) *network {
	return &network{
		e: e, turn: exec.NewSerial(e.o.Exec), links: map[device.ID]*link{}, dialers: map[device.ID]*dialer{},
		budget: peer.NewBudget(), ctx: context.Background(), dials: make(chan struct{}, maxDials),
	}
}

// run accepts until ctx ends, and waits for every connection to end.
func (n *network) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	n.mu.Lock()
	n.ctx = ctx
	n.mu.Unlock()
	n.e.mu.Lock()
	d := n.e.desired
	n.e.mu.Unlock()
	n.apply(d) // what was applied before Run
	if n.e.o.Addresses != nil {
		n.wg.Go(func() { n.follow(ctx) })
	}
	n.wg.Go(func() { n.beat(ctx) })
	for {
		conn, err := n.e.o.Transport.Accept(ctx)
		if err != nil {
			if ctx.Err() == nil {
				n.e.o.Log.Error("accepting ended", "error", err)
				<-ctx.Done()
			}
			break
		}
		n.wg.Go(func() { n.serve(ctx, conn) })
	}
	n.mu.Lock()
	for _, d := range n.dialers {
		d.cancel()
	}
	n.dialers = map[device.ID]*dialer{}
	n.ctx = nil
	n.mu.Unlock()
	n.wg.Wait()
	n.turn.Close()
}

// follow wakes dialers when addresses have news.
func (n *network) follow(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case dev := <-n.e.o.Addresses.Changed():
			n.mu.Lock()
			d := n.dialers[dev]
			n.mu.Unlock()
			if d != nil {
				d.nudge(true)
			}
		}
	}
}

// apply starts and ends dialers.
func (n *network) apply(d Desired) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ctx == nil || n.ctx == context.Background() {
		return
	}
	for id, dl := range n.dialers {
		if !n.e.Known(id) {
			dl.cancel()
			delete(n.dialers, id)
		}
	}
	for _, spec := range d.Devices {
		if !n.e.Known(spec.ID) || n.dialers[spec.ID] != nil { // d may be an older one
			continue
		}
		ctx, cancel := context.WithCancel(n.ctx)
		dl := &dialer{n: n, id: spec.ID, cancel: cancel, wake: make(chan bool, 1)}
		dl.backoff = transport.NewBackoff(rand.New(rand.NewPCG(n.e.o.Rand.Uint64(), n.e.o.Rand.Uint64())))
		n.dialers[spec.ID] = dl
		n.wg.Go(func() { dl.run(ctx) })
	}
}

// serve greets on a connection, waits until it is the one to talk on, and
// carries its messages until it ends.
func (n *network) serve(ctx context.Context, conn transport.Conn) {
	n.begin(conn, conn.RemoteAddress())(ctx)
}

// begin notes a connection with the address that it came from or that was
// dialed, and gives what carries it. From its return on the device is connected:
// its dialer, which asks that next, does not dial again.
func (n *network) begin(conn transport.Conn, where string) (carry func(context.Context)) {
	id := conn.PeerID()
	if !n.e.Known(id) {
		return func(ctx context.Context) {
			defer n.closeAfter(ctx, conn)()
			n.refuse(conn)
		}
	}
	a := &attempt{conn: conn, where: where, since: time.Now(), ready: make(chan struct{}), gone: make(chan struct{})}
	n.turn.Post(func() { n.add(id, a) })
	return func(ctx context.Context) {
		defer n.closeAfter(ctx, conn)()
		n.carry(ctx, a)
	}
}

// closeAfter closes a connection a while after ctx has ended, until stop is
// called.
func (n *network) closeAfter(ctx context.Context, conn transport.Conn) (stop func() bool) {
	return context.AfterFunc(ctx, func() {
		// A conversation says goodbye by itself; what has none is closed here.
		timer := time.AfterFunc(goodbyeWait, func() { conn.CloseWith(transport.CodeShuttingDown, "shutting down") })
		go func() { <-conn.Done(); timer.Stop() }()
	})
}

// carry greets and converses, and forgets the connection at its end.
func (n *network) carry(ctx context.Context, a *attempt) {
	conn, id := a.conn, a.conn.PeerID()
	defer func() {
		close(a.gone)
		conn.CloseWith(transport.CodeNormal, "closing")
		n.turn.Post(func() { n.remove(id, a) })
	}()
	hello, err := peer.Greet(conn, n.e.ourHello(id))
	if err != nil {
		n.e.o.Log.Debug("no greeting", "device", id.Short().String(), "address", conn.RemoteAddress(), "error", err)
		n.hungUp(conn, false, err)
		return
	}
	transport.Admit(conn)
	if standingOf(hello) != asFriend {
		// It will not talk to us: it is not shown as connected.
		n.e.met(id, func(c *contact) { c.greeted(n.e.now(), hello) })
		linger(conn)
		return
	}
	n.turn.Post(func() { a.told, a.hello = hello, time.Now(); n.settle(id) })
	select {
	case <-a.ready:
	case <-conn.Done():
		return
	}
	n.converse(ctx, a)
}

// reach tells how a connection leaves this device.
func (n *network) reach(conn transport.Conn) status.Reach {
	if n.e.o.Reach == nil {
		return status.Reach{}
	}
	return n.e.o.Reach(transport.Ends(conn))
}

const goodbyeWait = 3 * time.Second

// converse attaches the connection and carries its messages.
func (n *network) converse(ctx context.Context, a *attempt) {
	stream := peer.NewStream(a.conn, n.budget)
	n.turn.Post(func() {
		a.pulse = &pulse{stream: stream}
		a.pulse.signs, _ = transport.Signs(a.conn)
	})
	p := n.e.Attach(Link{
		ID: a.conn.PeerID(), Hello: a.told, Address: a.conn.RemoteAddress(), Reach: n.reach(a.conn), Wire: stream, Counts: stream.Counts,
		Extended: a.conn.Extended(),
	})
	if n.e.o.Addresses != nil {
		if a.conn.Dialed() {
			n.e.o.Addresses.Succeeded(a.conn.PeerID(), a.where)
		} else {
			n.e.o.Addresses.Seen(a.conn.PeerID(), a.where)
		}
	}
	err := stream.Run(ctx, p, n.e.buffers)
	n.hungUp(a.conn, true, err)
	if fault.KindOf(err) == fault.Peer {
		// The rest is noted when what came by it is stored; the dialer looks now.
		n.e.met(a.conn.PeerID(), func(c *contact) { c.shun(n.e.now()) })
	}
	n.e.o.Log.Debug("connection ended", "device", a.conn.PeerID().Short().String(), "error", err)
}

// refuse greets a device that we do not know, without our name, so that it can
// be offered to a person; then the connection ends. One that was removed gets no
// byte.
func (n *network) refuse(conn transport.Conn) {
	if n.e.isBarred(conn.PeerID()) {
		conn.CloseWith(transport.CodeRemoved, "")
		return
	}
	defer conn.CloseWith(transport.CodeNormal, "closing")
	hello, err := peer.Greet(conn, n.e.ourHello(conn.PeerID()))
	if err != nil {
		return
	}
	if _, known := n.e.spec(conn.PeerID()); !known {
		n.e.noteStranger(conn.PeerID(), hello, conn.RemoteAddress())
	}
	linger(conn)
}

// linger gives our Hello the time to arrive before the connection is closed.
func linger(conn transport.Conn) {
	timer := time.NewTimer(time.Second)
	defer timer.Stop()
	select {
	case <-conn.Done():
	case <-timer.C:
	}
}

func (n *network) add(id device.ID, a *attempt) {
	l := n.links[id]
	if l == nil {
		l = &link{}
		n.links[id] = l
	}
	l.attempts = append(l.attempts, a)
	if n.e.isBarred(id) { // since its device was asked for
		n.end(a, transport.CodeRemoved)
		return
	}
	n.doubt(id, l)
	n.settle(id)
}

func (n *network) remove(id device.ID, a *attempt) {
	l := n.links[id]
	if l == nil {
		return
	}
	l.attempts = slices.DeleteFunc(l.attempts, func(b *attempt) bool { return b == a })
	if l.used == a {
		l.used, l.doubted = nil, time.Time{}
	}
	if len(l.attempts) == 0 {
		if l.cancel != nil {
			l.cancel()
		}
		delete(n.links, id)
		n.wakeDialer(id)
		return
	}
	n.settle(id)
}

// settle chooses the connection to talk on and closes those that lost. It
// runs on the turn.
func (n *network) settle(id device.ID) {
	l := n.links[id]
	if l == nil {
		return
	}
	if l.cancel != nil {
		l.cancel()
		l.cancel = nil
	}
	list := make([]transport.Attempt, len(l.attempts))
	extended := false
	for i, a := range l.attempts {
		list[i] = transport.Attempt{Dialed: a.conn.Dialed(), TCP: transport.OverTCP(a.conn), Since: a.since, Hello: a.hello}
		extended = extended || a.conn.Extended()
	}
	s := transport.Settle(n.e.o.ID, id, extended, time.Now(), list)
	if s.Use >= 0 && l.attempts[s.Use] != l.used {
		l.used, l.doubted = l.attempts[s.Use], time.Time{}
		select {
		case <-l.used.ready:
		default:
			close(l.used.ready)
		}
	}
	for _, i := range s.Close {
		conn := l.attempts[i].conn
		if !l.doubted.IsZero() && l.attempts[i].since.After(l.used.since) {
			continue // it stays until it is clear that the one in use lives
		}
		n.e.o.Exec.Go(func() { conn.CloseWith(s.Code, "duplicate") })
	}
	if !s.Again.IsZero() {
		l.cancel = n.e.o.Exec.After(time.Until(s.Again), func() { n.turn.Post(func() { n.settle(id) }) })
	}
}

func (n *network) wakeDialer(id device.ID) {
	n.mu.Lock()
	d := n.dialers[id]
	n.mu.Unlock()
	if d != nil {
		d.nudge(false)
	}
}

// connected reports whether a connection to a device exists or is on its way.
func (n *network) connected(id device.ID) bool {
	answer := make(chan bool, 1)
	if !n.turn.Post(func() { answer <- n.links[id] != nil }) {
		return true
	}
	return <-answer
}

// dialer keeps one device connected.
type dialer struct {
	n       *network
	id      device.ID
	cancel  context.CancelFunc
	wake    chan bool // of capacity 1; true: begin the pauses anew
	backoff *transport.Backoff
	since   time.Time // when it was seen connected, zero while it is not
}

func (d *dialer) nudge(fresh bool) {
	select {
	case d.wake <- fresh:
	default:
	}
}

// dialTimeout bounds one dial.
const dialTimeout = 10 * time.Second

// lasting is how long a connection must hold to count as one: a device that
// greets us and hangs up is dialed as rarely as one that does not answer.
const lasting = 10 * time.Second

// The lead of an address over the next one: a device on this network answers
// soon or not at all; elsewhere it is that of RFC 8305.
const (
	leadNear = 100 * time.Millisecond
	leadFar  = 250 * time.Millisecond
)

// lead gives the lead of an address.
func lead(address string) time.Duration {
	if transport.OnLink(address) {
		return leadNear
	}
	return leadFar
}

// run dials whenever the device is not connected, pausing longer after each
// failure.
func (d *dialer) run(ctx context.Context) {
	for ctx.Err() == nil {
		switch {
		case d.n.connected(d.id):
			if d.since.IsZero() {
				d.since = time.Now()
			}
			d.rest(ctx)
		case d.shuns(ctx):
		case d.wasBrief():
			d.pause(ctx)
		case d.dial(ctx):
			d.since = time.Now()
		default:
			d.pause(ctx)
		}
	}
}

// shuns waits out the time in which a device is not dialed that broke the
// protocol: it would break it again, and each time costs both sides a
// connection. It may dial us. It reports whether there was anything to wait for.
func (d *dialer) shuns(ctx context.Context) bool {
	left := d.n.e.shunned(d.id).Sub(d.n.e.now())
	if left <= 0 {
		return false
	}
	d.since = time.Time{}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-d.wake: // perhaps it dialed us
	}
	return true
}

// wasBrief reports whether a connection has just ended that did not last. One
// that did ends the pauses.
func (d *dialer) wasBrief() bool {
	since := d.since
	d.since = time.Time{}
	switch {
	case since.IsZero():
		return false
	case time.Since(since) < lasting:
		return true
	}
	d.backoff.Reset()
	return false
}

// rest waits while the device is connected.
func (d *dialer) rest(ctx context.Context) {
	select {
	case <-ctx.Done():
	case fresh := <-d.wake:
		if fresh {
			d.backoff.Reset()
		}
	}
}

// pause waits after a failure, until there is news of an address.
func (d *dialer) pause(ctx context.Context) {
	timer := time.NewTimer(d.backoff.Next(d.near()))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			return
		case fresh := <-d.wake:
			if fresh {
				d.backoff.Reset()
				return
			}
		}
	}
}

// near reports whether an address of the device worked on this network.
func (d *dialer) near() bool {
	type worked interface{ WorkedHere(device.ID) bool }
	w, ok := d.n.e.o.Addresses.(worked)
	return ok && w.WorkedHere(d.id)
}

func (d *dialer) candidates() []string {
	if d.n.e.o.Addresses != nil {
		return d.n.e.o.Addresses.Candidates(d.id)
	}
	spec, _ := d.n.e.spec(d.id)
	return spec.Addresses
}

// codeUndialable is of a device whose addresses are all of kinds that are not dialed.
const codeUndialable fault.Code = "device-without-quic"

var (
	errNoAddress  = fault.New(fault.Retry, "", "no address of it is known")
	errUndialable = fault.New(fault.Retry, codeUndialable, "it is announced at addresses of other kinds alone, such as relays")
)

// nowhere says why there is nothing to dial.
func (d *dialer) nowhere() error {
	type knows interface{ Undialable(device.ID) bool }
	if b, ok := d.n.e.o.Addresses.(knows); ok && b.Undialable(d.id) {
		return errUndialable
	}
	return errNoAddress
}

// dial tries the candidates, each a little after the one before, and reports
// whether one connected. Those that come later are closed.
func (d *dialer) dial(ctx context.Context) bool {
	addresses := d.candidates()
	if len(addresses) == 0 {
		why := d.nowhere()
		d.n.e.met(d.id, func(c *contact) { c.dialErr = why })
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	type outcome struct {
		address string
		conn    transport.Conn
		err     error
	}
	results := make(chan outcome, len(addresses))
	var wg sync.WaitGroup
	defer wg.Wait()
	started, ended := 0, 0
	var won bool
	next := time.NewTimer(0)
	defer next.Stop()
	for ended < len(addresses) {
		select {
		case <-next.C:
			if won || started == len(addresses) || started-ended == maxDialsOfADevice {
				continue // the end of one begins the next
			}
			address := addresses[started]
			started++
			wg.Go(func() {
				conn, err := d.n.dial(ctx, address, d.id)
				results <- outcome{address, conn, err}
			})
			next.Reset(lead(address))
		case r := <-results:
			ended++
			switch {
			case r.err == nil && won:
				r.conn.CloseWith(transport.CodeLostRace, "another address was quicker")
			case r.err == nil:
				won = true
				carry := d.n.begin(r.conn, reached(r.address, r.conn))
				d.n.wg.Go(func() { carry(d.n.context()) })
				cancel()
			default:
				d.failed(r.address, r.err, won)
				next.Reset(0)
			}
			if won && ended == started {
				return true
			}
		}
	}
	return won
}

// dial dials once, when fewer than maxDials are under way.
func (n *network) dial(ctx context.Context, address string, id device.ID) (transport.Conn, error) {
	select {
	case n.dials <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-n.dials }()
	return n.e.o.Transport.Dial(ctx, address, id)
}

// reached gives the socket address that a dial of address led to, in the
// protocol of address: a dial of a QUIC address may have chosen TCP, and finds
// the device there again.
func reached(address string, conn interface{ RemoteAddress() string }) string {
	scheme, _, ok := strings.Cut(address, "://")
	_, at, same := strings.Cut(conn.RemoteAddress(), "://")
	if !ok || !same {
		return conn.RemoteAddress()
	}
	return scheme + "://" + at
}

func (n *network) context() context.Context {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ctx == nil {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		return ctx
	}
	return n.ctx
}

func (d *dialer) failed(address string, err error, won bool) {
	if won || fault.IsContext(err) {
		return
	}
	// A device of ours, or we ourselves, may have the address by now: that is
	// nothing odd.
	other, met := errors.AsType[*transport.OtherDeviceError](err)
	met = met && !d.n.e.ours(other.Met)
	removed := met && d.n.e.isBarred(other.Met)
	d.n.e.met(d.id, func(c *contact) { c.dialed(address, err, met, removed) })
	d.n.e.o.Log.Debug("dial failed", "device", d.id.Short().String(), "address", address, "error", err)
	if d.n.e.o.Addresses != nil {
		d.n.e.o.Addresses.Failed(d.id, address, err)
	}
}

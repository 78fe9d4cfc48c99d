package network

import (
	"context"
	"net"
	"net/netip"
	"time"
)

const (
	// lookEvery is how often the machine is looked at where nothing reports
	// changes, and the clocks everywhere.
	lookEvery = 2 * time.Second
	// settled is how long nothing may change until a change counts as done: an
	// interface gets its addresses one after the other.
	settled = 500 * time.Millisecond
	// slept is how far the clock on the wall may run ahead of the one that
	// stands still while the machine sleeps.
	slept = 5 * time.Second
	// lost is a time between two looks that only sleep explains, where the
	// second clock runs on.
	lost = 30 * time.Second
)

// Events is whom a Watcher tells. None of them may block for long; all are
// called from one goroutine.
type Events struct {
	// Moving tells at once that something changes.
	Moving func()
	// Changed tells where the machine is now, once that has settled, and at the
	// start.
	Changed func([]Link)
	// Resumed tells that the machine has slept.
	Resumed func()
}

// Watcher notices changes of the network, and sleep.
type Watcher struct {
	Events
	// Links and Now are for tests: nil asks the system. Now gives the time on the
	// wall and one that does not run while the machine sleeps.
	Links func() ([]Link, error)
	Now   func() (wall time.Time, awake time.Duration)

	quiet  bool // for tests: the system reports no changes
	links  []Link
	moving time.Time // when the last change was seen, zero when all is settled
	wall   time.Time
	awake  time.Duration
	asked  map[netip.Addr]bool
}

// Run watches until ctx ends, and returns the cause.
func (w *Watcher) Run(ctx context.Context) error {
	if w.Links == nil {
		w.Links = Links
	}
	if w.Now == nil {
		began := time.Now()
		w.Now = func() (time.Time, time.Duration) { return time.Now().Round(0), time.Since(began) }
	}
	w.asked = map[netip.Addr]bool{}
	w.wall, w.awake = w.Now()
	var news <-chan struct{}
	if !w.quiet {
		var stop func()
		news, stop = changes(ctx)
		defer stop()
	}
	w.links = w.read()
	w.Changed(w.links)
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	still := time.NewTimer(settled)
	defer still.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
			w.clocks()
			if news == nil || w.waits() {
				w.look(still)
			}
		case _, open := <-news:
			if !open {
				news = nil // from here on it is looked at every time
			}
			w.look(still)
		case <-still.C:
			if !w.moving.IsZero() {
				w.links, w.moving = w.read(), time.Time{}
				w.Changed(w.links)
			}
		}
	}
}

// look compares the machine with what it was.
func (w *Watcher) look(still *time.Timer) {
	now := w.read()
	if same(now, w.links) {
		return
	}
	if w.moving.IsZero() {
		w.Moving()
	}
	w.links, w.moving = now, time.Now()
	still.Reset(settled)
}

// waits reports whether a router's hardware address is not known yet.
func (w *Watcher) waits() bool {
	for _, l := range w.links {
		if l.Waiting {
			return true
		}
	}
	return false
}

// read lists the links, and has the system ask for routers that it does not
// know: their addresses come with the next look.
func (w *Watcher) read() []Link {
	links, err := w.Links()
	if err != nil {
		return w.links
	}
	for _, l := range links {
		if l.Waiting && l.gateway.IsValid() && !w.asked[l.gateway] {
			w.asked[l.gateway] = true
			greet(l.gateway)
		}
	}
	return links
}

// discard is the port of the service that throws away what it gets (RFC 863).
const discard = 9

// greet sends an empty packet to a router, so that the system learns its
// hardware address.
func greet(router netip.Addr) {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(router, discard)))
	if err != nil {
		return
	}
	_, _ = conn.Write(nil) // it is only about the address
	_ = conn.Close()
}

// clocks notices that the machine has slept.
func (w *Watcher) clocks() {
	wall, awake := w.Now()
	ahead, between := wall.Sub(w.wall)-(awake-w.awake), awake-w.awake
	w.wall, w.awake = wall, awake
	if ahead > slept || between > lost {
		clear(w.asked)
		w.Resumed()
	}
}

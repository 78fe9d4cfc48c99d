package mdns

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"time"

	"lanyard/sync/device"
	"lanyard/sync/fault"
)

// Round is how long the library browses before it is begun anew; what was not
// heard for staleRounds of them is gone.
const (
	Round       = 60 * time.Second
	staleRounds = 3
)

const (
	maxEntries = 1024 // announcements that are remembered
	perSecond  = 20   // answers that are read in a second
	// jitter moves the time of a new announcement, so that devices do not
	// change together.
	jitter = 60 * time.Second
	// shutdownWait bounds how long the library's end is waited for.
	shutdownWait = 3 * time.Second
	// watchEvery is how often interfaces are looked at.
	watchEvery = 2 * time.Second
)

// Sighting says where a paired device may be.
type Sighting struct {
	ID        device.ID
	Addresses []string
}

// Nearby is a device that was heard.
type Nearby struct {
	// Key tells devices apart while they are announced.
	Key string
	// Name is its own word, empty unless its person has the page for connecting
	// devices open.
	Name      string
	Addresses []string
	Beacon    *Beacon // of the invitation that it shows
}

// Pane is what is announced for the sake of connecting a device.
type Pane struct {
	Open   bool
	Name   string
	Beacon *Beacon
}

// Options of a Source. Self, Port, Seen and Found are required.
type Options struct {
	Self device.ID
	// Port gives the UDP port that devices are to connect to; 0 announces
	// nothing.
	Port func() int
	// Pairs gives the paired devices with keys; nil means none.
	Pairs func() []Pair
	// Pane gives what is announced while a person connects a device; nil means
	// that nobody does.
	Pane func() Pane
	// Seen takes sightings of paired devices, one for each answer. It must not
	// block.
	Seen func(Sighting)
	// Found takes the devices that are heard, whenever they change, in the order
	// of their keys. It must not block.
	Found func([]Nearby)
	// Limited is told that this does not work, and nil once it does again.
	Limited func(error)
	// Quiet stops announcing, not browsing.
	Quiet func() bool
	// Round is for tests; 0 is Round.
	Round time.Duration
	Log   *slog.Logger

	network network
}

// Source announces this device and finds others. Refresh may be called from any
// goroutine.
type Source struct {
	o     Options
	hurry chan struct{} // of capacity 1
	still chan struct{} // of capacity 1
}

// New returns a Source. It starts nothing: call Run.
func New(o Options) *Source {
	o.Round = cmp.Or(o.Round, Round)
	if o.Pairs == nil {
		o.Pairs = func() []Pair { return nil }
	}
	if o.Pane == nil {
		o.Pane = func() Pane { return Pane{} }
	}
	if o.Quiet == nil {
		o.Quiet = func() bool { return false }
	}
	if o.Limited == nil {
		o.Limited = func(error) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.network == nil {
		o.network = zeroconfNetwork{}
	}
	o.Log = o.Log.With("component", "mdns")
	return &Source{o: o, hurry: make(chan struct{}, 1), still: make(chan struct{}, 1)}
}

// Refresh announces and asks anew: call it when pairs, port, pane or network
// changed, and after the machine slept.
func (s *Source) Refresh() {
	select {
	case s.hurry <- struct{}{}:
	default:
	}
}

// Hush ends the announcement, until Refresh: call it as soon as the network
// changes, so that nothing that was told in the old one is told in the new one.
func (s *Source) Hush() {
	select {
	case s.still <- struct{}{}:
	default:
	}
}

// running is the state of Run, which alone touches it.
type running struct {
	*Source
	links string   // the interfaces' fingerprint
	zones []string // interfaces for link-local addresses

	instance string // announced now; "" if nothing is
	hushed   bool
	stop     func()
	until    time.Time            // when the announcement is to change
	own      map[string]time.Time // names of ours that others may still repeat

	found   chan answer
	endFind context.CancelFunc
	next    time.Time // when browsing begins anew

	entries map[string]*entry
	shown   []Nearby
	failed  error
	second  time.Time
	read    int
}

// entry is an announcement that was heard.
type entry struct {
	a     announcement
	addrs []string
	at    time.Time
}

// Run announces and browses until ctx ends, and returns the cause when both
// have ended.
func (s *Source) Run(ctx context.Context) error {
	r := &running{Source: s, entries: map[string]*entry{}, own: map[string]time.Time{}}
	r.links, r.zones = s.o.network.interfaces()
	look := time.NewTicker(watchEvery)
	defer look.Stop()
	defer r.silence()
	defer r.endBrowsing()
	for {
		now := time.Now()
		if !r.hushed && !now.Before(r.until) {
			r.announce(now)
		}
		if !now.Before(r.next) {
			r.browse(ctx, now)
		}
		found, more := r.found, (<-chan time.Time)(nil)
		if wait := r.full(now); wait > 0 {
			// What is not read, the library does not read either, and does not
			// remember.
			found, more = nil, time.After(wait)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-more:
		case <-s.still:
			r.hushed = true
			r.silence()
		case <-s.hurry:
			r.hushed = false
			r.until, r.next = time.Time{}, time.Time{}
		case <-look.C:
			r.look(time.Now())
		case a, open := <-found:
			if !open {
				r.found = nil // it ended by itself; the next round begins anew
			} else {
				r.heard(a, time.Now())
			}
		}
	}
}

// look notices a change of the network, and forgets what is gone.
func (r *running) look(now time.Time) {
	if links, zones := r.o.network.interfaces(); links != r.links {
		// Nothing that was told in the old network is told in the new one.
		r.links, r.zones = links, zones
		r.until, r.next = time.Time{}, time.Time{}
		clear(r.entries)
	}
	for key, e := range r.entries {
		if now.Sub(e.at) > staleRounds*r.o.Round {
			delete(r.entries, key)
		}
	}
	for name, at := range r.own {
		if name != r.instance && now.Sub(at) > staleRounds*r.o.Round {
			delete(r.own, name)
		}
	}
	r.show()
}

// announce begins a new announcement, under a new name, in place of the old.
func (r *running) announce(now time.Time) {
	r.silence()
	end := time.Unix((epoch(now)+1)*int64(Epoch/time.Second), 0)
	r.until = end.Add(time.Duration(chance(int(jitter/time.Millisecond))) * time.Millisecond)
	port := r.o.Port()
	if port == 0 || r.o.Quiet() {
		return
	}
	a := announcement{}
	a.nonce = newNonce()
	a.tags = tagsFor(r.o.Self, r.o.Pairs(), a.nonce, epoch(now))
	if p := r.o.Pane(); p.Open {
		a.name, a.beacon = cutName(p.Name), p.Beacon
	}
	text, err := a.encode()
	if err == nil {
		r.instance = newInstance()
		r.own[r.instance] = now
		r.stop, err = r.o.network.register(r.instance, port, text)
	}
	if err != nil {
		r.instance, r.stop = "", nil
		r.until = now.Add(r.o.Round)
	}
	r.limited(err)
}

// silence ends the announcement.
func (r *running) silence() {
	if r.stop == nil {
		return
	}
	done := make(chan struct{})
	go func(stop func()) {
		defer close(done)
		stop()
	}(r.stop)
	r.stop, r.instance = nil, ""
	wait := time.NewTimer(shutdownWait)
	defer wait.Stop()
	select {
	case <-done:
	case <-wait.C:
		r.o.Log.Warn("an announcement does not end")
	}
}

// browse asks anew.
func (r *running) browse(ctx context.Context, now time.Time) {
	r.endBrowsing()
	r.next = now.Add(r.o.Round)
	ctx, r.endFind = context.WithCancel(ctx)
	found := make(chan answer, 64)
	if err := r.o.network.browse(ctx, found); err != nil {
		r.limited(err)
		drain(found)
		return
	}
	r.found = found
	if r.stop != nil {
		r.limited(nil)
	}
}

// endBrowsing ends a round, and waits until the library has let go.
func (r *running) endBrowsing() {
	if r.endFind == nil {
		return
	}
	r.endFind()
	r.endFind = nil
	if r.found != nil {
		drain(r.found)
		r.found = nil
	}
}

// drain reads a channel until it is closed: whoever sends on it would wait for
// ever.
func drain(found <-chan answer) {
	wait := time.NewTimer(shutdownWait)
	defer wait.Stop()
	for {
		select {
		case _, open := <-found:
			if !open {
				return
			}
		case <-wait.C:
			go func() {
				for range found {
				}
			}()
			return
		}
	}
}

func (r *running) limited(err error) {
	if (err == nil) == (r.failed == nil) {
		return
	}
	r.failed = err
	r.o.Limited(fault.Wrap(fault.Retry, "announce-limited", "find devices on this network", "", err))
}

// full says how long no more answers are read, since as many as may be were read
// in this second.
func (r *running) full(now time.Time) time.Duration {
	if now.Sub(r.second) >= time.Second {
		r.second, r.read = now, 0
	}
	if r.read < perSecond {
		return 0
	}
	return time.Second - now.Sub(r.second)
}

// heard takes an answer.
func (r *running) heard(a answer, now time.Time) {
	r.read++
	if _, ours := r.own[a.instance]; ours {
		return
	}
	said, err := decode(a.text)
	if err != nil {
		return
	}
	if _, known := r.entries[a.instance]; !known && len(r.entries) >= maxEntries {
		return
	}
	e := &entry{a: said, addrs: r.addresses(a), at: now}
	for key, old := range r.entries {
		// Nobody is told that a name is given up: whoever is heard at the same
		// address under another one has changed it.
		if key != a.instance && slices.ContainsFunc(old.addrs, func(at string) bool { return slices.Contains(e.addrs, at) }) {
			delete(r.entries, key)
		}
	}
	r.entries[a.instance] = e
	for _, id := range recognise(r.o.Self, r.o.Pairs(), said.nonce, said.tags, now) {
		r.o.Seen(Sighting{ID: id, Addresses: e.addrs})
	}
	r.show()
}

// addresses makes dialable addresses of an answer: those of single devices on a
// network of their own, link-local ones on every interface.
func (r *running) addresses(a answer) []string {
	var out []string
	for _, ip := range a.addrs {
		switch {
		case ip.Is6() && ip.IsLinkLocalUnicast():
			for _, zone := range r.zones {
				out = append(out, url(ip.WithZone(zone), a.port))
			}
		case ip.IsPrivate(), ip.IsLinkLocalUnicast(), ip.IsGlobalUnicast():
			out = append(out, url(ip, a.port))
		}
	}
	return out[:min(len(out), 2*maxAddrs)]
}

func url(ip netip.Addr, port int) string {
	return "quic://" + netip.AddrPortFrom(ip, uint16(port)).String()
}

// show tells of the devices that are heard, where they changed.
func (r *running) show() {
	var list []Nearby
	for _, key := range slices.Sorted(maps.Keys(r.entries)) {
		e := r.entries[key]
		list = append(list, Nearby{Key: key, Name: e.a.name, Addresses: e.addrs, Beacon: e.a.beacon})
	}
	same := func(a, b Nearby) bool {
		return a.Key == b.Key && a.Name == b.Name && slices.Equal(a.Addresses, b.Addresses) &&
			(a.Beacon == nil) == (b.Beacon == nil) && (a.Beacon == nil || *a.Beacon == *b.Beacon)
	}
	if slices.EqualFunc(list, r.shown, same) {
		return
	}
	r.shown = list
	r.o.Found(slices.Clone(list))
}

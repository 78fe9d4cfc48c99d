// Package lan finds other devices on the networks that this machine is in, by
// mDNS and by Syncthing's local discovery, and tells the address book where
// they are. It decides what is told in which network: to all of them that some
// Lanyard is there (package mdns), and this device's ID, for Syncthings to read,
// only to those that its person trusts.
//
// Whatever is heard is a hint. It changes neither names nor trust nor the state
// of a paired device.
package lan

import (
	"cmp"
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"lanyard/discovery/local"
	"lanyard/discovery/mdns"
	"lanyard/discovery/network"
	"lanyard/sync/device"
)

// Book takes hints and is told where this machine is; *book.Book fulfils it.
type Book interface {
	Sighted(dev device.ID, addresses []string)
	SetNetwork(fingerprint string)
}

// Beacon is what the device that shows an invitation announces while it does.
type Beacon = mdns.Beacon

// Options of a Finder. Self, Listen and Book are required.
type Options struct {
	Self device.ID
	// Listen gives the URLs that this device listens on, and Port the UDP port
	// among them; 0 is none.
	Listen func() []string
	Port   func() int
	Book   Book
	// Known reports whether a device is one of ours: it is not shown as nearby.
	// nil knows none.
	Known func(device.ID) bool
	// Devices lists ours, of which one may be a Syncthing on this machine; nil lists
	// none.
	Devices func() []device.ID
	// Pairs gives the paired devices with the keys by which they recognise each
	// other; nil gives none.
	Pairs func() []mdns.Pair
	// Trusted reports whether a network's person trusts it; nil trusts none.
	Trusted func(network string) bool
	// Moved tells that this machine is in another network, or has other
	// addresses in the same one; Left tells that it left the network that it was
	// in. It is called before anything is sent because of that. Resumed tells
	// that it has slept. nil is fine.
	Moved   func(Move)
	Resumed func()
	// Changed is called after each change of what the Finder shows.
	Changed func()
	Log     *slog.Logger

	// For tests: zero values are those of the protocols and of the system.
	Watcher   network.Watcher
	LocalPort uint16
	Round     time.Duration // of mDNS
}

// Move is a change of the network.
type Move struct {
	// Left: the network is another one, in which nothing may be told that was told
	// in the old one.
	Left bool
	// Trusted: its person trusts the network that the machine is in now.
	Trusted bool
}

// Nearby is a device that can be connected: one whose person has the page for
// that open or shows an invitation, or a Syncthing.
type Nearby struct {
	// Key tells devices apart while they are heard.
	Key string
	// Name is its own word, empty for a Syncthing and for one that shows an
	// invitation alone.
	Name string
	// ID is its own word as well, zero where it was not heard.
	ID        device.ID
	Addresses []string
	Beacon    *Beacon // of the invitation that it shows
}

// Finder finds devices. Its methods may be called from any goroutine.
type Finder struct {
	o     Options
	mdns  *mdns.Source
	local *local.Source

	mu        sync.Mutex // guards what follows, memory only
	pane      mdns.Pane
	links     []network.Link
	unsettled bool   // the network changes, and links are those before
	here      string // ID of the network that the machine is in, "" for one that cannot be recognised
	placed    bool   // whether that was decided yet
	lanyards  []mdns.Nearby
	told      map[device.ID]told
	beside    map[device.ID]bool // devices that the book was told may be on this machine
	limits    [2]limit
	changed   chan struct{}
}

// told is what Syncthing's local discovery told of a device.
type told struct {
	addresses []string
	at        time.Time
}

// limit is why a way of finding devices does not work, and since when.
type limit struct {
	err   error
	since time.Time
}

// The ways of finding devices.
const (
	byMDNS = iota
	byLocal
)

// New returns a Finder. It starts nothing: call Run.
func New(o Options) *Finder {
	if o.Port == nil {
		o.Port = func() int { return 0 }
	}
	if o.Known == nil {
		o.Known = func(device.ID) bool { return false }
	}
	if o.Devices == nil {
		o.Devices = func() []device.ID { return nil }
	}
	if o.Trusted == nil {
		o.Trusted = func(string) bool { return false }
	}
	if o.Moved == nil {
		o.Moved = func(Move) {}
	}
	if o.Resumed == nil {
		o.Resumed = func() {}
	}
	if o.Changed == nil {
		o.Changed = func() {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	f := &Finder{o: o, told: map[device.ID]told{}, beside: map[device.ID]bool{}, changed: make(chan struct{})}
	f.mdns = mdns.New(mdns.Options{
		Self: o.Self, Port: o.Port, Pairs: o.Pairs, Round: o.Round, Log: o.Log,
		Pane: func() mdns.Pane { f.mu.Lock(); defer f.mu.Unlock(); return f.pane },
		Seen: func(s mdns.Sighting) { o.Book.Sighted(s.ID, s.Addresses) },
		Found: func(list []mdns.Nearby) {
			f.change(func() { f.lanyards = list })
		},
		Limited: func(err error) { f.limited(byMDNS, err) },
	})
	f.local = local.New(local.Options{
		ID: o.Self, Addresses: o.Listen, Port: o.LocalPort, Log: o.Log,
		Announce: f.trusts,
		Seen:     f.heard,
		Limited:  func(err error) { f.limited(byLocal, err) },
		Taken:    f.taken,
	})
	return f
}

// Run finds devices until ctx ends, and returns the cause.
func (f *Finder) Run(ctx context.Context) error {
	w := f.o.Watcher
	w.Events = network.Events{Moving: f.moving, Changed: f.moved, Resumed: f.resumed}
	var running sync.WaitGroup
	running.Go(func() { _ = f.mdns.Run(ctx) })
	running.Go(func() { _ = f.local.Run(ctx) })
	running.Go(func() { f.forget(ctx) })
	_ = w.Run(ctx)
	running.Wait()
	return context.Cause(ctx)
}

// Nearby lists the devices that can be connected, by name.
func (f *Finder) Nearby() []Nearby {
	f.mu.Lock()
	defer f.mu.Unlock()
	ids := make([]device.ID, 0, len(f.told))
	for id := range f.told {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, device.ID.Compare)
	out := []Nearby{}
	merged := map[device.ID]bool{} // Lanyards that also speak Syncthing's discovery
	for _, l := range f.lanyards {
		n := Nearby{Key: l.Key, Name: l.Name, Addresses: l.Addresses, Beacon: l.Beacon}
		for _, id := range ids {
			if meet(l.Addresses, f.told[id].addresses) {
				n.ID = id
				merged[id] = true
			}
		}
		if !n.ID.IsZero() && f.o.Known(n.ID) {
			n.Name, n.ID = "", device.ID{} // it may be connected anew by its invitation alone
		}
		if n.Name != "" || n.Beacon != nil {
			out = append(out, n)
		}
	}
	for _, id := range ids {
		if !merged[id] && !f.o.Known(id) {
			out = append(out, Nearby{Key: id.String(), ID: id, Addresses: f.told[id].addresses})
		}
	}
	slices.SortFunc(out, func(a, b Nearby) int {
		return cmp.Or(boolToInt(a.Name == "")-boolToInt(b.Name == ""), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Key, b.Key))
	})
	return out
}

func boolToInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// meet reports whether two lists have an address in common.
func meet(a, b []string) bool {
	return slices.ContainsFunc(a, func(at string) bool { return slices.Contains(b, at) })
}

// Networks lists the networks that this machine is in.
func (f *Finder) Networks() []network.Link {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.links)
}

// Limited says why devices may not be found, where that has been so for
// longer than a change of the network takes, or nil.
func (f *Finder) Limited() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, l := range f.limits {
		if l.err == nil || time.Since(l.since) < limitedAfter {
			return nil
		}
	}
	return f.limits[byMDNS].err
}

// limitedAfter is how long no way of finding devices may work until that is
// told.
const limitedAfter = time.Minute

// Changed gives a channel that is closed at the next change of what Nearby,
// Networks or Limited give.
func (f *Finder) Changed() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.changed
}

// OpenPane has this device be seen under its name by others nearby, until
// ClosePane; beacon, which may be nil, is that of the invitation that it shows.
func (f *Finder) OpenPane(name string, beacon *Beacon) {
	f.setPane(mdns.Pane{Open: true, Name: name, Beacon: beacon})
}

// PaneOpen reports whether that is so.
func (f *Finder) PaneOpen() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.pane.Open
}

// ClosePane ends that.
func (f *Finder) ClosePane() { f.setPane(mdns.Pane{}) }

func (f *Finder) setPane(p mdns.Pane) {
	f.mu.Lock()
	same := f.pane.Open == p.Open && f.pane.Name == p.Name &&
		(f.pane.Beacon == nil) == (p.Beacon == nil) && (p.Beacon == nil || *p.Beacon == *f.pane.Beacon)
	f.pane = p
	f.mu.Unlock()
	if !same {
		f.mdns.Refresh()
		f.change(func() {})
	}
}

// Refresh announces anew: call it when the trust in networks, the pairs or the
// addresses that this device listens on changed.
func (f *Finder) Refresh() {
	f.mdns.Refresh()
	f.local.Refresh()
}

// change changes what is shown, and tells.
func (f *Finder) change(do func()) {
	f.mu.Lock()
	do()
	close(f.changed)
	f.changed = make(chan struct{})
	f.mu.Unlock()
	f.o.Changed()
}

func (f *Finder) limited(way int, err error) {
	f.change(func() {
		if (err == nil) != (f.limits[way].err == nil) {
			f.limits[way].since = time.Now()
		}
		f.limits[way].err = err
	})
}

// trusts reports whether the network behind an interface may be told this
// device's ID. One whose addresses are not those that it was recognised by is
// another one, of which that is not known yet.
func (f *Finder) trusts(i local.Interface) bool {
	f.mu.Lock()
	id := ""
	for _, l := range f.links {
		if l.Index == i.Index && !f.unsettled && slices.Equal(l.Prefixes, sorted(i.Prefixes)) {
			id = l.ID
		}
	}
	f.mu.Unlock()
	return id != "" && f.o.Trusted(id)
}

func sorted(list []netip.Prefix) []netip.Prefix {
	return slices.SortedFunc(slices.Values(list), netip.Prefix.Compare)
}

// moving ends announcements until it is known where this machine is.
func (f *Finder) moving() {
	f.mu.Lock()
	f.unsettled = true
	f.mu.Unlock()
	f.mdns.Hush()
}

// heard takes what Syncthing's local discovery tells.
func (f *Finder) heard(s local.Sighting) {
	f.o.Book.Sighted(s.ID, s.Addresses)
	f.mu.Lock()
	before, was := f.told[s.ID]
	now := told{addresses: s.Addresses, at: time.Now()}
	news := !was || !slices.Equal(before.addresses, s.Addresses)
	f.told[s.ID] = now
	f.mu.Unlock()
	if news {
		f.change(func() {})
	}
}

// A Syncthing on this machine listens there, unless its person wants otherwise.
const (
	onThisMachine = "quic://127.0.0.1:22000"
	usualPort     = 22000
)

// taken takes whether another program of this machine has the port of Syncthing's
// discovery to itself. That is a Syncthing, which may be one of our devices: each
// is looked for where it would be, once in each network. Nobody listens there
// but we ourselves where the usual port is ours.
func (f *Finder) taken(yes bool) {
	f.mu.Lock()
	if !yes || f.o.Port() == usualPort {
		clear(f.beside)
		f.mu.Unlock()
		return
	}
	var news []device.ID
	for _, id := range f.o.Devices() {
		if !f.beside[id] {
			f.beside[id] = true
			news = append(news, id)
		}
	}
	f.mu.Unlock()
	for _, id := range news {
		f.o.Book.Sighted(id, []string{onThisMachine})
	}
}

// forget drops what was not heard for long, and tells when that nothing works
// has become worth telling.
func (f *Finder) forget(ctx context.Context) {
	said := false
	tick := time.NewTicker(local.Interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		limited := f.Limited() != nil
		if limited != said {
			said = limited
			f.change(func() {})
		}
		f.mu.Lock()
		before := len(f.told)
		for id, t := range f.told {
			if time.Since(t.at) > local.Life {
				delete(f.told, id)
			}
		}
		gone := len(f.told) < before
		f.mu.Unlock()
		if gone {
			f.change(func() {})
		}
	}
}

// moved takes where this machine is now.
func (f *Finder) moved(links []network.Link) {
	main, undecided := place(links)
	f.mu.Lock()
	first, left := f.links == nil, f.placed && !undecided && main.ID != f.here
	if !undecided {
		f.here, f.placed = main.ID, true
	}
	if left {
		clear(f.told) // what was heard in the old network says nothing of the new one
	}
	f.mu.Unlock()
	f.change(func() { f.links, f.unsettled = append([]network.Link{}, links...), false })
	if !undecided {
		f.o.Book.SetNetwork(main.ID)
		f.mu.Lock()
		clear(f.beside) // the book may have forgotten it with the network
		f.mu.Unlock()
	}
	if !first {
		f.o.Log.Info("the network changed", "network", main.Name, "another", left)
		f.o.Moved(Move{Left: left, Trusted: main.ID != "" && f.o.Trusted(main.ID)})
	}
	f.Refresh()
}

// place gives the network that this machine is in. While it has no address, or
// the router is not known yet, that is undecided.
func place(links []network.Link) (main network.Link, undecided bool) {
	main, ok := network.Main(links)
	if ok {
		return main, false
	}
	addresses := false
	for _, l := range links {
		if l.Waiting {
			return main, true
		}
		addresses = addresses || len(l.Prefixes) > 0
	}
	return main, !addresses
}

func (f *Finder) resumed() {
	f.o.Log.Info("this machine has slept")
	f.o.Resumed()
	f.Refresh()
}

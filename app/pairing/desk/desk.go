// Package desk is where a running device pairs with others: it holds the open
// invitation, the runs of package pairing over real connections, and what waits
// for our person's answer. What it decides on is stored in the configuration
// before the other side is told.
//
// Nobody can begin a run unless a person here has opened the pane or an
// invitation. What a stranger can cause is bounded: few connections at a time,
// five tries a minute from one address, ten seconds until it has proven
// something, and one run by number at a time.
package desk

import (
	"cmp"
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/text/unicode/norm"

	"lanyard/app/config"
	"lanyard/app/pairing"
	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/fault"
	"lanyard/sync/status"
)

const (
	// PaneFor is how long the pane stays open without being opened again.
	PaneFor = 2 * time.Minute
	// spentFor is how long an invitation that is over is still recognised, so
	// that whoever uses it then is told why it is refused.
	spentFor = time.Minute
	// proofWithin is how long the other side may take until it has proven that
	// it knows the code, or its run was counted.
	proofWithin = 10 * time.Second
	// answerWithin is how long two people may take then.
	answerWithin = 2 * time.Minute
	// shownFor is how long a run that ended is shown, and maxShown how many.
	shownFor = time.Minute
	maxShown = 8
	// maxNearby bounds what the network can have us show.
	maxNearby = 64
)

// Conn is a connection on which two devices are paired.
type Conn interface {
	// ReadWriteCloser is the stream. After Close, Read goes on until the other
	// side has read everything.
	io.ReadWriteCloser
	// PeerID is the other device, proven by its certificate.
	PeerID() device.ID
	RemoteAddress() string
	Host() netip.Addr
	// Binding gives key material of just this connection.
	Binding(label string) ([32]byte, error)
	// End ends the connection.
	End()
}

// Network carries connections that pair.
type Network interface {
	Accept(ctx context.Context) (Conn, error)
	// Dial connects to want alone, or to anyone where it is zero.
	Dial(ctx context.Context, address string, want device.ID) (Conn, error)
	// Addresses lists the URLs that this device listens on.
	Addresses() []string
	// Met notes that a device that is about to be a peer is at an address.
	Met(dev device.ID, address string)
}

// Options of a Desk. Store is required.
type Options struct {
	Store *config.Store
	// Interfaces gives the addresses of this machine; nil asks the system.
	Interfaces func() []netip.Addr
	// Refresh is called when what Announced gives has changed. It must not block.
	Refresh func()
	Log     *slog.Logger
}

// Announcement is what devices nearby may be told.
type Announcement struct {
	Open   bool     // the name may be told
	Name   string   // of this device
	Beacon *[8]byte // of the invitation that is shown
}

// Neighbour is a device nearby whose person wants to connect one.
type Neighbour struct {
	Key       string // tells it from others while it is there
	Name      string // its own word
	ID        device.ID
	Addresses []string // quic://HOST:PORT
	Beacon    *[8]byte // of the invitation that it shows
}

// Desk is the one of a device. Methods may be called from any goroutine.
type Desk struct {
	o           Options
	began       time.Time // of the clock that is never set
	invitations pairing.Invitations

	mu      sync.Mutex // guards what follows, for memory only
	net     Network    // nil until Run
	ctx     context.Context
	running sync.WaitGroup
	shown   *shown
	pane    time.Duration // until when it is open
	timers  map[*time.Timer]bool
	limits  *pairing.Limits
	tries   pairing.Tries
	nearby  []Neighbour
	runs    []*run // the oldest first
	choices []*choice
	// answering has the devices whose runs by number were counted and go on.
	answering map[device.ID]*run
	problem   *status.Problem
	changed   chan struct{} // closed at the next change
}

// shown is the invitation that is open, or was last.
type shown struct {
	id      string
	expires time.Time
	until   time.Duration // by the clock that is never set
	state   status.InvitationState
	yes     bool // our person's answer was given in advance
	beacon  [8]byte
}

// New returns a Desk. It starts nothing: call Run.
func New(o Options) *Desk {
	if o.Interfaces == nil {
		o.Interfaces = interfaces
	}
	if o.Refresh == nil {
		o.Refresh = func() {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Log = o.Log.With("component", "pairing")
	kept := o.Store.Config().ByNumber
	return &Desk{
		o: o, began: time.Now(), limits: pairing.NewLimits(pairing.Day(kept)),
		timers: map[*time.Timer]bool{}, answering: map[device.ID]*run{}, changed: make(chan struct{}),
	}
}

// Run takes connections until ctx ends, and then waits for what it began.
func (d *Desk) Run(ctx context.Context, n Network) error {
	ctx, cancel := context.WithCancelCause(ctx)
	d.mu.Lock()
	d.net, d.ctx = n, ctx
	d.mu.Unlock()
	defer d.stop(cancel)
	d.dropStale()
	for {
		conn, err := n.Accept(ctx)
		if err != nil {
			if ctx.Err() == nil {
				d.o.Log.Error("devices can no longer be paired", "error", err)
				<-ctx.Done()
			}
			return context.Cause(ctx)
		}
		d.running.Go(func() { d.serve(ctx, conn) })
	}
}

// stop ends every run and timer.
func (d *Desk) stop(cancel context.CancelCauseFunc) {
	cancel(nil)
	d.invitations.Close()
	d.mu.Lock()
	d.net, d.shown, d.pane = nil, nil, 0
	for t := range d.timers {
		t.Stop()
	}
	clear(d.timers)
	d.mu.Unlock()
	d.running.Wait()
}

// dropStale drops devices that were left pending too long, and comes back for
// those that are not yet. Pending is worth nothing, so that it costs nothing if
// this fails.
func (d *Desk) dropStale() {
	if len(d.o.Store.Config().Pending) == 0 {
		return
	}
	oldest := time.Now().Add(-pairing.PendingFor)
	err := d.o.Store.Update(func(c config.Config) (config.Config, error) { return c.PendingSince(oldest), nil })
	if err != nil {
		d.o.Log.Warn("devices that are not paired were not forgotten", "error", err)
	}
	if len(d.o.Store.Config().Pending) > 0 {
		d.after(pairing.PendingFor/10, d.dropStale)
	}
}

// after calls f later, unless the Desk has stopped.
func (d *Desk) after(pause time.Duration, f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.net == nil {
		return
	}
	var t *time.Timer
	t = time.AfterFunc(pause, func() {
		d.mu.Lock()
		due := d.timers[t]
		delete(d.timers, t)
		if due {
			d.running.Add(1)
		}
		d.mu.Unlock()
		if due {
			defer d.running.Done()
			f()
		}
	})
	d.timers[t] = true
}

// now gives the time by the clock on the wall and by one that is never set.
func (d *Desk) now() (wall time.Time, mono time.Duration) {
	now := time.Now()
	return now.Round(0), now.Sub(d.began)
}

// Pairing reports whether a device that nobody knows may connect now in order
// to be paired.
func (d *Desk) Pairing() bool {
	if _, open := d.invitations.Current(); open {
		return true
	}
	return d.paneOpen()
}

func (d *Desk) paneOpen() bool {
	_, mono := d.now()
	d.mu.Lock()
	defer d.mu.Unlock()
	return mono < d.pane
}

// Changed gives a channel that is closed at the next change of what Snapshot
// gives.
func (d *Desk) Changed() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.changed
}

// change changes what is guarded by mu and tells those who watch.
func (d *Desk) change(f func()) {
	d.mu.Lock()
	f()
	close(d.changed)
	d.changed = make(chan struct{})
	d.mu.Unlock()
}

// errNotRunning is what there is to say where no transport pairs.
var errNotRunning = fault.New(fault.Retry, "", "devices cannot be paired now: the engine is starting or ending, or listens on TCP alone")

// network gives the network, and the context of what is begun.
func (d *Desk) network() (Network, context.Context, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.net == nil {
		return nil, nil, errNotRunning
	}
	return d.net, d.ctx, nil
}

// OpenPane lets devices nearby see this one's name and ask to compare numbers,
// for PaneFor from now on. Opening it again while it is open goes on, and gives
// no more tries.
func (d *Desk) OpenPane() error {
	if _, _, err := d.network(); err != nil {
		return err
	}
	_, mono := d.now()
	d.change(func() {
		if mono >= d.pane {
			d.limits.OpenPane()
		}
		d.pane = mono + PaneFor
	})
	d.o.Refresh()
	d.after(PaneFor, func() {
		d.change(func() {}) // it may be closed now
		d.o.Refresh()
	})
	return nil
}

// ClosePane ends that. Runs go on.
func (d *Desk) ClosePane() {
	d.change(func() { d.pane = 0 })
	d.o.Refresh()
}

// AllowNumbers lets devices be paired by number again, after there were too many
// tries.
func (d *Desk) AllowNumbers() error {
	d.mu.Lock()
	d.limits.Enable()
	d.mu.Unlock()
	return d.keepDay()
}

// keepDay stores what the limits have counted.
func (d *Desk) keepDay() error {
	d.mu.Lock()
	day := d.limits.Day()
	d.mu.Unlock()
	return d.o.Store.Update(func(c config.Config) (config.Config, error) {
		c.ByNumber = config.ByNumber(day)
		return c, nil
	})
}

// Invitation is an invitation that was just opened, with its secret.
type Invitation struct {
	ID      string
	Link    string
	Code    string // of the QR code
	Expires time.Time
}

// Invite opens an invitation, in place of one that is open. yes answers in
// advance what our person would be asked: whoever passes it vouches for the way
// that the link travels.
func (d *Desk) Invite(yes bool) (Invitation, error) {
	n, _, err := d.network()
	if err != nil {
		return Invitation{}, err
	}
	wall, mono := d.now()
	inv := d.invitations.Open(d.o.Store.Identity().ID, wall, mono)
	inv.Hints = hints(n.Addresses(), d.o.Interfaces())
	s := &shown{
		id: newID(), expires: inv.Expires, until: mono + pairing.Lifetime, state: status.InvitationOpen,
		yes: yes, beacon: inv.Secret.Beacon(),
	}
	d.change(func() { d.shown, d.problem = s, nil })
	d.o.Refresh()
	d.after(pairing.Lifetime, func() { d.expire(s) })
	d.after(pairing.Lifetime+spentFor, func() { d.CloseInvitation(s.id) })
	return Invitation{ID: s.id, Link: inv.Link(), Code: inv.Code(), Expires: inv.Expires}, nil
}

// newID names something for a person to type.
func newID() string { return strings.ToLower(rand.Text()[:5]) }

func (d *Desk) expire(s *shown) {
	d.change(func() {
		if s.state == status.InvitationOpen {
			s.state = status.InvitationExpired
		}
	})
	d.o.Refresh()
}

// CloseInvitation makes an invitation worthless; a run that it has begun goes
// on.
func (d *Desk) CloseInvitation(id string) {
	d.change(func() {
		if d.shown != nil && d.shown.id == id {
			d.shown = nil
			d.invitations.Close()
		}
	})
	d.o.Refresh()
}

// Announced gives what devices nearby may be told now.
func (d *Desk) Announced() Announcement {
	_, mono := d.now()
	name := bep.CleanName(d.o.Store.Config().Name)
	d.mu.Lock()
	defer d.mu.Unlock()
	a := Announcement{}
	if mono < d.pane {
		a.Open, a.Name = true, name
	}
	if s := d.shown; s != nil && s.state == status.InvitationOpen && mono < s.until {
		beacon := s.beacon
		a.Beacon = &beacon
	}
	return a
}

// Found takes all devices that are nearby now, in the order of their keys.
// Whatever it is told is a hint: it changes nothing but what is shown and dialed.
func (d *Desk) Found(list []Neighbour) {
	list = slices.Clone(list[:min(len(list), maxNearby)])
	for i := range list {
		list[i].Name = bep.CleanName(list[i].Name)
	}
	d.change(func() { d.nearby = list })
}

// Snapshot gives what is shown, with problems that have no words yet.
func (d *Desk) Snapshot() (status.Pairing, []status.Problem) {
	wall, mono := d.now()
	devices := d.o.Store.Config().Devices
	d.mu.Lock()
	defer d.mu.Unlock()
	out := status.Pairing{
		Open: mono < d.pane, Nearby: []status.Neighbour{}, Runs: []status.PairingRun{}, Requests: []status.PairingAsked{},
	}
	if s := d.shown; s != nil {
		out.Invitation = &status.OpenInvitation{ID: s.id, Expires: s.expires.UTC(), State: s.state}
	}
	for _, n := range d.nearby {
		if n.Name == "" && n.ID.IsZero() {
			continue // it shows an invitation alone
		}
		shown := status.Neighbour{Key: n.Key, Name: n.Name, SameName: sameName(devices, n.ID, n.Name)}
		if !n.ID.IsZero() {
			shown.ID = n.ID.String()
		}
		out.Nearby = append(out.Nearby, shown)
	}
	for _, r := range d.runs {
		if !r.over(wall) {
			out.Runs = append(out.Runs, r.shown(devices))
		}
	}
	if d.problem == nil {
		return out, nil
	}
	return out, []status.Problem{*d.problem}
}

// sameName reports whether a peer has a name already, and another ID: a device
// that wants to be taken for it would choose that name.
func sameName(devices []config.Device, id device.ID, name string) bool {
	return slices.ContainsFunc(devices, func(d config.Device) bool {
		return d.ID != id && name != "" && fold(d.Name) == fold(name)
	})
}

// fold makes names equal that look alike.
func fold(name string) string {
	name = strings.ReplaceAll(bep.CleanName(name), "\u200d", "") // the joiner of emoji
	return strings.ToLower(norm.NFKC.String(name))
}

// neighbour finds a device nearby by its key, its name if only one has it, or
// the beginning of its ID.
func (d *Desk) neighbour(text string) (Neighbour, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var found []Neighbour
	for _, n := range d.nearby {
		group, _, _ := strings.Cut(n.ID.String(), "-")
		if n.Key == text {
			return n, nil
		}
		if n.Name == text || !n.ID.IsZero() && (strings.EqualFold(group, text) || n.ID.String() == text) {
			found = append(found, n)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return Neighbour{}, &config.Refusal{
			Reason: config.NotFound, Code: "nearby-gone", Item: text, Text: "no device nearby is called " + quoted(text),
			Remedy: `see "lanyard pair nearby"; the page for connecting devices must be open there as well`,
		}
	}
	return Neighbour{}, &config.Refusal{
		Reason: config.Invalid, Code: "nearby-ambiguous", Item: text, Text: "more than one device nearby is called " + quoted(text), Remedy: "use a code instead",
	}
}

func quoted(s string) string { return `"` + cmp.Or(bep.CleanName(s), "?") + `"` }

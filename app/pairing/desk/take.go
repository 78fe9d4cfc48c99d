package desk

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"lanyard/app/config"
	"lanyard/app/pairing"
	"lanyard/sync/device"
	"lanyard/sync/fault"
	"lanyard/sync/status"
)

const (
	// findWithin is how long the other device is looked for.
	findWithin = 15 * time.Second
	// stagger is the lead of an address over the next one, and again the pause
	// until one is tried anew.
	stagger = 100 * time.Millisecond
	again   = 2 * time.Second
)

// Accept begins to use an invitation: a link, the text of a code, or either of
// them in any case. addresses are where our person says the other device is,
// beside what the invitation says; how is what is stored of the way that it came,
// ByLink or ByPicture. How it goes on is told by Snapshot.
func (d *Desk) Accept(text string, addresses []string, how status.PairingMethod) (status.PairingRun, error) {
	n, ctx, err := d.network()
	if err != nil {
		return status.PairingRun{}, err
	}
	inv, err := pairing.ParseInvitation(text)
	if err != nil {
		return status.PairingRun{}, err
	}
	if inv.ID == d.o.Store.Identity().ID {
		return status.PairingRun{}, &config.Refusal{
			Reason: config.Invalid, Code: "pairing-self", Item: inv.ID.String(),
			Text: "this is the code of this computer", Remedy: "use it on the other device",
		}
	}
	if err := config.CheckDialable(addresses); err != nil {
		return status.PairingRun{}, err
	}
	r := &run{method: status.ByCode, stored: how, began: true, device: inv.ID}
	return d.begin(ctx, r, func(ctx context.Context) error { return d.take(ctx, n, r, inv, addresses) })
}

// begin carries out a run that our person began, beside its caller.
func (d *Desk) begin(ctx context.Context, r *run, work func(context.Context) error) (status.PairingRun, error) {
	d.mu.Lock()
	stopped := d.net == nil
	if !stopped {
		d.running.Add(1) // before Run waits
	}
	d.mu.Unlock()
	if stopped {
		return status.PairingRun{}, errNotRunning
	}
	d.note(r)
	d.mu.Lock()
	out := r.shown(nil)
	d.mu.Unlock()
	go func() {
		defer d.running.Done()
		if err := work(ctx); err != errOne {
			d.finish(r, err)
		}
	}()
	return out, nil
}

// take looks for the device that shows an invitation, and carries out the run.
func (d *Desk) take(ctx context.Context, n Network, r *run, inv pairing.Invitation, addresses []string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, answerWithin, errNoWord)
	defer cancel()
	fixed := append(slices.Clone(addresses), dialable(inv.Hints, zones())...)
	conn, err := d.find(ctx, n, inv.ID, func() []string { return append(slices.Clone(fixed), d.beacons(inv.Secret.Beacon())...) })
	if err != nil {
		// Most likely: nobody there shows it any more, or by our clock it is over.
		if wall, _ := d.now(); errors.Is(err, ErrNotWanted) || fault.KindOf(err) == fault.Retry && wall.After(inv.Expires) {
			return pairing.ErrExpired
		}
		return err
	}
	defer conn.End()
	ch, err := d.channel(conn, pairing.LabelInvitation)
	if err != nil {
		return err
	}
	m, err := pairing.NewTaker(ch, inv, d.name())
	if err != nil {
		return err
	}
	return pairing.Run(ctx, conn, m, pairing.Host{
		Save: d.saver(conn, r),
		Show: func(q pairing.Question) { d.ask(r, q, status.PairingWaits) },
	})
}

// beacons lists where an invitation is announced.
func (d *Desk) beacons(beacon [8]byte) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []string
	for _, n := range d.nearby {
		if n.Beacon != nil && *n.Beacon == beacon {
			out = append(out, n.Addresses...)
		}
	}
	return out
}

// Choose begins to compare numbers with a device nearby: its key, its name if
// only one has it, or the first group of its ID. The pane must be open.
func (d *Desk) Choose(text string) (status.PairingRun, error) {
	n, ctx, err := d.network()
	if err != nil {
		return status.PairingRun{}, err
	}
	if !d.paneOpen() {
		return status.PairingRun{}, errNoPane
	}
	other, err := d.neighbour(text)
	if err != nil {
		return status.PairingRun{}, err
	}
	r := &run{method: status.ByNumber, began: true, device: other.ID}
	r.question.Name = other.Name
	return d.begin(ctx, r, func(ctx context.Context) error { return d.initiate(ctx, n, r, other) })
}

// initiate carries out a run by number that our person began.
func (d *Desk) initiate(ctx context.Context, n Network, r *run, other Neighbour) error {
	running, drop := context.WithCancelCause(ctx)
	defer drop(nil)
	c := d.choosing(r, other.ID, drop)
	defer d.chose(c)
	conn, err := d.find(ctx, n, other.ID, func() []string { return other.Addresses })
	if err != nil {
		return err
	}
	defer conn.End()
	ch, err := d.channel(conn, pairing.LabelNearby)
	if err != nil {
		return err
	}
	m, err := pairing.NewInitiator(ch, d.name())
	if err != nil {
		return err
	}
	if !d.commits(c, conn.PeerID()) {
		return errOne
	}
	err = d.compare(running, conn, conn, m, &comparing{run: r, count: func(context.Context) error { return d.countOwn(c) }})
	return d.settled(ctx, c, err)
}

// ErrNotWanted is what Network.Dial gives where a device answers that nobody
// there wants to connect one.
var ErrNotWanted = fault.New(fault.Retry, "", "nobody there wants to connect a device now: its code is over, or the page for connecting devices is not open there")

var errNotFound = fault.New(fault.Retry, "",
	"the other device was not found: it must be on the same network, with its code still shown; or name its address")

// find dials where a device may be, until one answers, all others have and it is
// not wanted there, or findWithin is over.
// candidates may give more with time.
func (d *Desk) find(ctx context.Context, n Network, want device.ID, candidates func() []string) (Conn, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, findWithin, errNotFound)
	type outcome struct {
		address string
		conn    Conn
		err     error
	}
	outcomes := make(chan outcome)
	var dials sync.WaitGroup
	defer dials.Wait()
	defer cancel()                  // first
	tried := map[string]time.Time{} // when a dial ended last; zero while one goes on
	var last error
	tick := time.NewTimer(0)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			list := candidates()
			i := slices.IndexFunc(list, func(a string) bool {
				ended, known := tried[a]
				return !known || !ended.IsZero() && time.Since(ended) >= again
			})
			if i >= 0 {
				a := list[i]
				tried[a] = time.Time{}
				dials.Go(func() {
					conn, err := n.Dial(ctx, a, want)
					select {
					case outcomes <- outcome{a, conn, err}:
					case <-ctx.Done():
						if err == nil {
							conn.End()
						}
					}
				})
			}
			tick.Reset(stagger)
		case o := <-outcomes:
			if o.err == nil {
				return o.conn, nil
			}
			tried[o.address], last = time.Now(), o.err
			if errors.Is(o.err, ErrNotWanted) && !slices.ContainsFunc(candidates(), func(a string) bool { return tried[a].IsZero() }) {
				return nil, o.err // there is nowhere else to look
			}
		case <-ctx.Done():
			if last != nil && errors.Is(context.Cause(ctx), errNotFound) {
				return nil, fault.New(fault.Retry, "", "%w (%w)", errNotFound, last)
			}
			return nil, context.Cause(ctx)
		}
	}
}

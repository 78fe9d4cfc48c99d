package desk

import (
	"context"
	"errors"
	"slices"
	"time"

	"lanyard/app/pairing"
	"lanyard/sync/device"
	"lanyard/sync/fault"
	"lanyard/sync/status"
)

// People who stand beside each other both choose the other's device. Then each
// device begins a run by number with the other, and one of the two is dropped
// before its responder has answered, so that it is no guess and counts nowhere:
// that which the device with the larger ID began. The person there sees the run
// go on that they began, and is asked like one who was chosen.
//
// A responder that has answered, and is counted, goes on with that: then it has
// not committed itself in a run of its own, and does not any more; the run that
// its person began becomes one with the one that asks. So of two commitments that
// cross, the smaller ID's is answered and the larger's refused, and never both.

// crossWait is how long a run that comes in waits until it is clear whether a
// run of our own is with the same device, and a run of our own that the other
// side dropped for the sake of its own until that comes.
const crossWait = 3 * time.Second

// choice is a run by number that our person began. What may change is guarded by
// the Desk's mu.
type choice struct {
	run  *run
	want device.ID // zero where that is not known before
	// reached is closed when with is known, or when nobody was reached.
	reached chan struct{}
	with    device.ID
	stage   stage
	// drop ends it, for another run to take its place: taken is closed then, and
	// over gets how that one ended.
	drop  context.CancelCauseFunc
	taken chan struct{}
	over  chan error // of capacity 1
}

// stage is how far a choice is.
type stage int

const (
	looks     stage = iota // for the other device
	committed              // our commitment is sent, or about to be
	counted                // the other's nonce came and was counted
	refused                // the other side has dropped it for its own
	replaced               // by the run of the other side
)

// errOne is what a choice ends with that has become one with the run that the
// other device began: nothing is to be told of it.
var errOne = fault.New(fault.Retry, "", "the other device asks already")

// choosing notes that our person chose a device.
func (d *Desk) choosing(r *run, want device.ID, drop context.CancelCauseFunc) *choice {
	c := &choice{
		run: r, want: want, drop: drop,
		reached: make(chan struct{}), taken: make(chan struct{}), over: make(chan error, 1),
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.choices = append(d.choices, c)
	return c
}

// chose ends that.
func (d *Desk) chose(c *choice) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.choices = slices.DeleteFunc(d.choices, func(other *choice) bool { return other == c })
	if c.stage == looks {
		close(c.reached)
	}
}

// commits notes who was reached, false where that device has begun a run of its
// own that goes on: that bears both names from then on.
func (d *Desk) commits(c *choice, with device.ID) (yes bool) {
	d.change(func() {
		c.with, c.stage = with, committed
		close(c.reached)
		theirs := d.answering[with]
		if yes = theirs == nil; yes {
			return
		}
		d.runs = slices.DeleteFunc(d.runs, func(r *run) bool { return r == c.run })
		theirs.before = append(theirs.before, theirs.id)
		theirs.id, theirs.began = c.run.id, true
	})
	return yes
}

// countOwn counts a run that our person began.
func (d *Desk) countOwn(c *choice) error {
	wall, mono := d.now()
	d.mu.Lock()
	defer d.mu.Unlock()
	if c.stage != committed {
		return pairing.ErrCrossed
	}
	if err := d.limits.Count(wall, mono); err != nil {
		return err
	}
	c.stage = counted
	return nil
}

// countTheirs counts a run that a device has begun with us, and shows it: as the
// run of our own whose place it takes, if there is one.
func (d *Desk) countTheirs(ctx context.Context, with device.ID) (r *run, instead *choice, err error) {
	if err := d.awaitReached(ctx, with); err != nil {
		return nil, nil, err
	}
	own := d.o.Store.Identity().ID
	wall, mono := d.now()
	d.change(func() { r, instead, err = d.countTheirsLocked(own, with, wall, mono) })
	return r, instead, err
}

func (d *Desk) countTheirsLocked(own, with device.ID, wall time.Time, mono time.Duration) (*run, *choice, error) {
	i := slices.IndexFunc(d.choices, func(c *choice) bool { return c.with == with && c.stage > looks && c.stage < replaced })
	if i >= 0 {
		c := d.choices[i]
		if c.stage == counted || c.stage == committed && own.Compare(with) < 0 {
			return nil, nil, pairing.ErrCrossed
		}
	}
	if err := d.limits.Count(wall, mono); err != nil {
		return nil, nil, err
	}
	if i < 0 {
		r := &run{method: status.ByNumber, device: with}
		d.noteLocked(r)
		d.answering[with] = r
		return r, nil, nil
	}
	c := d.choices[i]
	c.stage = replaced
	close(c.taken)
	c.drop(pairing.ErrCrossed)
	d.answering[with] = c.run
	return c.run, c, nil
}

// answered ends what countTheirs began, for a run that ended with err.
func (d *Desk) answered(with device.ID, c *choice, err error) {
	d.mu.Lock()
	delete(d.answering, with)
	d.mu.Unlock()
	if c != nil {
		c.over <- err
	}
}

// awaitReached waits until it is clear of each run of our own whether it is with
// a device, for a while.
func (d *Desk) awaitReached(ctx context.Context, with device.ID) error {
	d.mu.Lock()
	var open []chan struct{}
	for _, c := range d.choices {
		if c.stage == looks && (c.want.IsZero() || c.want == with) {
			open = append(open, c.reached)
		}
	}
	d.mu.Unlock()
	late := time.NewTimer(crossWait)
	defer late.Stop()
	for _, reached := range open {
		select {
		case <-reached:
		case <-late.C:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// settled gives how a run of our own ended, which ended by itself with err: one
// whose place another took as that one does.
func (d *Desk) settled(ctx context.Context, c *choice, err error) error {
	d.mu.Lock()
	if errors.Is(err, pairing.ErrCrossed) && c.stage == committed {
		c.stage = refused
	}
	waits := c.stage == refused || c.stage == replaced
	d.mu.Unlock()
	if !waits {
		return err
	}
	late := time.NewTimer(crossWait)
	defer late.Stop()
	select {
	case <-c.taken:
	case <-late.C:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return <-c.over // that run ends with the Desk, as this one would
}

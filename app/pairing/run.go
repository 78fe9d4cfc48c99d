package pairing

import (
	"context"
	"io"
	"sync"

	"lanyard/sync/fault"
)

// Host does what a run needs done. All but Show may block; none is called twice
// at the same time.
type Host struct {
	// Spend marks the invitation as used; only a Shower needs it.
	Spend func() error
	// Count counts the run against the limits; only a run by number needs it.
	Count func() error
	// Save stores a device durably.
	Save func(Save) error
	// Ask asks our person and returns the answer, or an error when ctx ends.
	Ask func(ctx context.Context, q Question) (Answered, error)
	// Show shows what the other side is asked; nil is fine.
	Show func(Question)
}

// Run drives a machine over a stream until the run has ended, and returns how:
// nil means that the devices are paired. It closes the stream, and returns when
// nothing of the run goes on any more. When ctx ends, so does the run.
func Run(ctx context.Context, stream io.ReadWriteCloser, m Machine, h Host) error {
	asking, cancel := context.WithCancel(ctx)
	d := &driver{stream: stream, m: m, h: h, events: make(chan Event), over: make(chan struct{})}
	var helpers sync.WaitGroup
	defer helpers.Wait()
	defer stream.Close()
	defer cancel()
	defer close(d.over)
	helpers.Go(d.read)
	d.later = func(work func() Event) {
		helpers.Go(func() { d.post(work()) })
	}
	late := ctx.Done()
	for effects := m.Start(); ; {
		if ended, err := d.carryOut(asking, effects); ended {
			return err
		}
		select {
		case e := <-d.events:
			effects = m.Step(e)
		case <-late:
			// A machine that has heard the last word goes on to store.
			late = nil
			effects = m.Step(Lost{context.Cause(ctx)})
		}
	}
}

type driver struct {
	stream io.ReadWriteCloser
	m      Machine
	h      Host
	events chan Event
	over   chan struct{}           // closed by Run when nobody takes events any more
	later  func(work func() Event) // runs work beside the run
}

func (d *driver) post(e Event) bool {
	select {
	case d.events <- e:
		return true
	case <-d.over:
		return false
	}
}

// read passes messages on until the stream or the run ends.
func (d *driver) read() {
	left := maxStream
	for {
		m, err := read(d.stream, &left)
		if err != nil {
			d.post(Lost{err})
			return
		}
		if !d.post(received{m}) {
			return
		}
	}
}

// carryOut does what a step asked for, in order.
func (d *driver) carryOut(ctx context.Context, effects []Effect) (ended bool, err error) {
	for _, e := range effects {
		switch e := e.(type) {
		case Send:
			if _, err := d.stream.Write(e.Bytes); err != nil {
				return true, fault.Wrap(fault.Retry, "", "tell the other device", "", err)
			}
		case Spend:
			d.later(func() Event { return Spent{d.h.Spend()} })
		case Count:
			d.later(func() Event { return Counted{d.h.Count()} })
		case Save:
			d.later(func() Event { return Saved{d.h.Save(e)} })
		case Show:
			if d.h.Show != nil {
				d.h.Show(e.Question)
			}
		case Ask:
			d.later(func() Event {
				a, err := d.h.Ask(ctx, e.Question)
				if err != nil {
					return Lost{err}
				}
				return a
			})
		case Ended:
			return true, e.Err
		}
	}
	return false, nil
}

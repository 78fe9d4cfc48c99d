package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"lanyard/app/config"
	"lanyard/app/pairing"
	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/fault"
	"lanyard/sync/status"
)

// run is one act of pairing with one device. What may change is guarded by the
// Desk's mu.
type run struct {
	id         string
	before     []string // what it was called
	method     status.PairingMethod
	stored     status.PairingMethod // what the device's record says of it; empty: method
	began      bool                 // here
	invitation string
	since      time.Time

	state    status.PairingState
	device   device.ID
	question pairing.Question
	answers  chan pairing.Answered // of capacity 1; nil where nothing is asked
	problem  *status.Problem
	ended    time.Time
}

// over reports whether a run ended so long ago that it is not shown any more.
func (r *run) over(now time.Time) bool { return !r.ended.IsZero() && now.Sub(r.ended) > shownFor }

// shown is what is told of a run.
func (r *run) shown(devices []config.Device) status.PairingRun {
	out := status.PairingRun{
		ID: r.id, Method: r.method, Began: r.began, Invitation: r.invitation, State: r.state, Name: r.question.Name,
		SameName: sameName(devices, r.device, r.question.Name), Digits: r.question.Code,
		Choices: slices.Clone(r.question.Choices), Problem: r.problem, Since: r.since.UTC(),
	}
	if !r.device.IsZero() {
		out.Device = r.device.String()
	}
	if out.Choices == nil {
		out.Choices = []string{}
	}
	return out
}

// What a run ends with whose other side, or people, take too long.
var (
	errSlow   = fault.New(fault.Retry, "", "the other device took too long to answer")
	errNoWord = fault.New(fault.Retry, "", "nobody answered in time")
)

// fuse ends a run whose other side takes too long to prove something, or whose
// people take too long after that. It is for one goroutine at a time.
type fuse struct {
	cancel context.CancelCauseFunc
	timer  *time.Timer
}

func light(ctx context.Context) (context.Context, *fuse) {
	ctx, cancel := context.WithCancelCause(ctx)
	return ctx, &fuse{cancel: cancel, timer: time.AfterFunc(proofWithin, func() { cancel(errSlow) })}
}

// proven leaves the rest to people.
func (f *fuse) proven() {
	f.timer.Stop()
	f.timer = time.AfterFunc(answerWithin, func() { f.cancel(errNoWord) })
}

func (f *fuse) out() {
	f.timer.Stop()
	f.cancel(nil)
}

// note begins to show a run.
func (d *Desk) note(r *run) { d.change(func() { d.noteLocked(r) }) }

// noteLocked is note with mu held.
func (d *Desk) noteLocked(r *run) {
	r.id, r.since, r.state = newID(), time.Now().UTC(), status.PairingBegins
	// Those that ended make room; those that go on are bounded by what the
	// transport takes and by what our person began.
	for len(d.runs) >= maxShown {
		i := slices.IndexFunc(d.runs, func(r *run) bool { return !r.ended.IsZero() })
		if i < 0 {
			break
		}
		d.runs = slices.Delete(d.runs, i, i+1)
	}
	d.runs = append(d.runs, r)
}

// finish notes how a run ended.
func (d *Desk) finish(r *run, err error) {
	d.change(func() {
		r.ended, r.answers = time.Now().Round(0), nil
		r.state = status.PairingDone
		if err != nil {
			r.state = status.PairingFailed
			r.problem = &status.Problem{Code: fault.CodeOf(err), Text: err.Error(), Param: map[string]string{
				"device": cmp.Or(r.question.Name, short(r.device)),
			}}
		}
	})
	d.after(shownFor, func() {
		d.change(func() {
			d.runs = slices.DeleteFunc(d.runs, func(other *run) bool { return other == r })
		})
	})
	d.mu.Lock()
	args := []any{"device", short(r.device), "method", r.method, "began_here", r.began}
	d.mu.Unlock()
	if err != nil {
		d.o.Log.Info("not paired", append(args, "reason", err)...)
		return
	}
	d.o.Log.Info("paired", args...)
}

func short(id device.ID) string { return id.Short().String() }

// serve carries out the run that the other side of a connection begins.
func (d *Desk) serve(ctx context.Context, conn Conn) {
	defer conn.End()
	stop := context.AfterFunc(ctx, conn.End)
	defer stop()
	_, mono := d.now()
	d.mu.Lock()
	allowed := d.tries.Allow(conn.Host(), mono)
	d.mu.Unlock()
	if !allowed {
		d.o.Log.Debug("too many tries of one address", "address", conn.RemoteAddress())
		return
	}
	late := time.AfterFunc(proofWithin, conn.End)
	stream, method, err := pairing.Begun(conn)
	if !late.Stop() || err != nil {
		return
	}
	if method == pairing.ByInvitation {
		err = d.show(ctx, conn, stream)
	} else {
		err = d.respond(ctx, conn, stream)
	}
	if err != nil {
		d.o.Log.Debug("a device was not let in", "address", conn.RemoteAddress(), "error", err)
	}
}

// channel is what a run is bound to.
func (d *Desk) channel(conn Conn, label string) (pairing.Channel, error) {
	binding, err := conn.Binding(label)
	return pairing.Channel{Self: d.o.Store.Identity().ID, Peer: conn.PeerID(), Binding: binding}, err
}

func (d *Desk) name() string { return bep.CleanName(d.o.Store.Config().Name) }

// show carries out a run with a device that has our invitation. Until it has
// proven that, nothing of it is shown to anyone.
func (d *Desk) show(ctx context.Context, conn Conn, stream io.ReadWriteCloser) error {
	secret, open := d.invitations.Current()
	d.mu.Lock()
	s := d.shown
	d.mu.Unlock()
	if !open || s == nil {
		return pairing.ErrExpired
	}
	ch, err := d.channel(conn, pairing.LabelInvitation)
	if err != nil {
		return err
	}
	m, err := pairing.NewShower(ch, secret, d.name())
	if err != nil {
		return err
	}
	r := &run{method: status.ByCode, invitation: s.id, device: conn.PeerID()}
	ctx, fuse := light(ctx)
	defer fuse.out()
	proven := false
	h := pairing.Host{
		Spend: func() error {
			wall, mono := d.now()
			err := d.invitations.Spend(secret, wall, mono)
			switch {
			case errors.Is(err, pairing.ErrUsed):
				d.usedTwice()
			case err == nil:
				proven = true
				fuse.proven()
				d.note(r)
				d.change(func() { s.state = status.InvitationUsed })
				d.o.Refresh()
			}
			return err
		},
		Save: d.saver(conn, r),
		Ask: func(ctx context.Context, q pairing.Question) (pairing.Answered, error) {
			if s.yes {
				d.ask(r, q, status.PairingWaits)
				return pairing.Answered{Yes: true}, nil
			}
			return d.answer(ctx, r, q)
		},
	}
	err = pairing.Run(ctx, stream, m, h)
	if proven { // Run has waited for its host
		d.finish(r, err)
	}
	return err
}

// usedTwice warns of a code that somebody else has as well.
func (d *Desk) usedTwice() {
	p := &status.Problem{Code: fault.CodeOf(pairing.ErrUsed), Text: pairing.ErrUsed.Error(), Since: time.Now().UTC()}
	d.change(func() { d.problem = p })
	d.o.Log.Warn("an invitation was used a second time")
}

// errNoPane is the answer to a device that asks to compare numbers while nobody
// here wants to.
var errNoPane = fault.New(fault.Retry, "", "the page for connecting devices is not open here")

// respond carries out a run by number that the other side began.
func (d *Desk) respond(ctx context.Context, conn Conn, stream io.ReadWriteCloser) error {
	ch, err := d.channel(conn, pairing.LabelNearby)
	if err != nil {
		return err
	}
	m, err := pairing.NewResponder(ch, d.name())
	if err != nil {
		return err
	}
	with := conn.PeerID()
	var instead *choice
	w := &comparing{}
	w.count = func(ctx context.Context) (err error) {
		w.run, instead, err = d.countTheirs(ctx, with)
		return err
	}
	err = d.compare(ctx, conn, stream, m, w)
	if w.run == nil {
		return err // it did not count
	}
	if instead == nil {
		d.finish(w.run, err)
	}
	d.answered(with, instead, err)
	return err
}

// comparing is a run by number while it is carried out.
type comparing struct {
	run *run // nil until count is done, where the other side began
	// count counts it against the limits, or says why it may not go on.
	count func(ctx context.Context) error
}

// compare carries out a run by number. One that the other side began is shown
// once it counts.
func (d *Desk) compare(ctx context.Context, conn Conn, stream io.ReadWriteCloser, m pairing.Machine, w *comparing) error {
	ctx, fuse := light(ctx)
	defer fuse.out()
	isCounted := false
	h := pairing.Host{
		Count: func() error {
			if !d.paneOpen() {
				return errNoPane
			}
			if err := w.count(ctx); err != nil {
				return err
			}
			isCounted = true
			if err := d.keepDay(); err != nil {
				return err
			}
			fuse.proven()
			return nil
		},
		Save: func(s pairing.Save) error { return d.saver(conn, w.run)(s) },
		Ask: func(ctx context.Context, q pairing.Question) (pairing.Answered, error) {
			return d.answer(ctx, w.run, q)
		},
	}
	err := pairing.Run(ctx, stream, m, h)
	if isCounted {
		_, mono := d.now()
		d.mu.Lock()
		d.limits.Ended(err, mono)
		d.mu.Unlock()
		if kept := d.keepDay(); kept != nil {
			d.o.Log.Warn("what was counted of tries was not stored", "error", kept)
		}
	}
	return err
}

// saver stores the other device of a run.
func (d *Desk) saver(conn Conn, r *run) func(pairing.Save) error {
	how := cmp.Or(r.stored, r.method)
	return func(s pairing.Save) error {
		now := time.Now().UTC()
		d.change(func() { r.question.Name = s.Name }) // the side that takes a code hears it last
		if !s.Pending {
			if n, _, err := d.network(); err == nil {
				n.Met(s.ID, conn.RemoteAddress())
			}
		}
		err := d.o.Store.Update(func(c config.Config) (config.Config, error) {
			if s.Pending {
				return c.PendingSince(now.Add(-pairing.PendingFor)).
					WithPending(config.Pending{ID: s.ID, Name: s.Name, How: how, Since: now}), nil
			}
			return c.WithPeer(config.Device{ID: s.ID, Name: s.Name, Paired: how, Since: now})
		})
		if err == nil && s.Pending {
			d.after(pairing.PendingFor, d.dropStale)
		}
		return err
	}
}

// ask shows a question.
func (d *Desk) ask(r *run, q pairing.Question, state status.PairingState) {
	d.change(func() { r.question, r.device, r.state = q, q.ID, state })
}

// answer asks our person and waits.
func (d *Desk) answer(ctx context.Context, r *run, q pairing.Question) (pairing.Answered, error) {
	answers := make(chan pairing.Answered, 1)
	d.change(func() { r.question, r.device, r.state, r.answers = q, q.ID, status.PairingAsks, answers })
	select {
	case a := <-answers:
		d.change(func() { r.state = status.PairingWaits })
		return a, nil
	case <-ctx.Done():
		return pairing.Answered{}, context.Cause(ctx)
	}
}

// Answer answers what a run asks: no, yes, or yes to one of its choices. It
// gives the run, and an error where none with this ID asks anything.
func (d *Desk) Answer(id string, yes bool, code string) (status.PairingRun, error) {
	devices := d.o.Store.Config().Devices
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range d.runs {
		if r.id != id && !slices.Contains(r.before, id) || r.answers == nil {
			continue
		}
		select {
		case r.answers <- pairing.Answered{Yes: yes, Code: code}:
		default: // it was answered a moment ago
		}
		r.answers = nil
		return r.shown(devices), nil
	}
	return status.PairingRun{}, &config.Refusal{
		Reason: config.NotFound, Code: "question-gone", Item: id, Text: fmt.Sprintf("nothing called %s waits for an answer", quoted(id)),
		Remedy: `see "lanyard pair list"`,
	}
}

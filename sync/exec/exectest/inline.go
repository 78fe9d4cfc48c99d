// Package exectest runs the work of one component on the test's own goroutine,
// in a fixed order and in virtual time, so that two equal runs make the same
// calls in the same order.
package exectest

import (
	"slices"
	"time"
)

// Inline is an exec.Executor whose work is done by Run and Advance, first in
// first out. It is not safe for concurrent use.
type Inline struct {
	now    time.Time
	ready  []func()
	timers []*timer
}

type timer struct {
	at  time.Time
	run func() // nil once cancelled
}

// NewInline returns an executor without work at a time.
func NewInline(now time.Time) *Inline { return &Inline{now: now} }

// Now gives the virtual time.
func (x *Inline) Now() time.Time { return x.now }

// Wall is the same: this clock does not jump.
func (x *Inline) Wall() time.Time { return x.now }

// Inline is true.
func (x *Inline) Inline() bool { return true }

// Go queues f.
func (x *Inline) Go(f func()) { x.ready = append(x.ready, f) }

// After queues f when time has passed to d from now.
func (x *Inline) After(d time.Duration, f func()) (cancel func()) {
	t := &timer{x.now.Add(d), f}
	x.timers = append(x.timers, t)
	return func() { t.run = nil }
}

// Run does what is queued and what that queues, without letting time pass.
func (x *Inline) Run() {
	for len(x.ready) > 0 {
		f := x.ready[0]
		x.ready = x.ready[1:]
		f()
	}
}

// Advance does what is due within d, each at its time.
func (x *Inline) Advance(d time.Duration) {
	end := x.now.Add(d)
	for x.Run(); ; x.Run() {
		x.timers = slices.DeleteFunc(x.timers, func(t *timer) bool { return t.run == nil })
		slices.SortStableFunc(x.timers, func(a, b *timer) int { return a.at.Compare(b.at) })
		if len(x.timers) == 0 || x.timers[0].at.After(end) {
			x.now = end
			return
		}
		t := x.timers[0]
		x.timers = x.timers[1:]
		if t.at.After(x.now) {
			x.now = t.at
		}
		x.Go(t.run)
	}
}

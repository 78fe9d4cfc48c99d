// Package exec is the seam between decisions and the goroutines that carry
// them out. The same runners work over Real, where work runs on goroutines,
// and over the simulation's executor, where it runs inline in an order drawn
// from a seed. Nothing above this package starts a goroutine for folder or
// peer work, sleeps, or reads a clock in any other way.
package exec

import (
	"sync"
	"time"
)

// Executor runs work and tells the time.
type Executor interface {
	// Now gives the current time, for measuring how long something takes: it
	// goes on evenly, whatever is done to the computer's clock.
	Now() time.Time
	// Wall gives the date and time that the computer's clock shows, which may
	// jump either way at any moment: for what is compared with times on a disk,
	// stored, or told to other devices.
	Wall() time.Time
	// Go runs f, later and on its own. f may block in Real and must not wait
	// for other work in a simulation.
	Go(f func())
	// Inline reports whether work runs one piece at a time on the caller's own
	// goroutine, as in a simulation.
	Inline() bool
	// After runs f as Go does, d from now, unless the returned function is
	// called first. Calling it more than once does no harm.
	After(d time.Duration, f func()) (cancel func())
}

// Real runs work on goroutines and package time. The zero Real is ready.
type Real struct {
	mu     sync.Mutex
	closed bool
	wg     sync.WaitGroup
	timers map[*time.Timer]struct{}
}

// Now is time.Now.
func (r *Real) Now() time.Time { return time.Now() }

// Wall is time.Now without its reading of the even clock.
func (r *Real) Wall() time.Time { return time.Now().Round(0) }

// Inline is false: work runs on goroutines.
func (r *Real) Inline() bool { return false }

// Go runs f on a goroutine, or drops it after Close.
func (r *Real) Go(f func()) {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return
	}
	r.wg.Add(1)
	r.mu.Unlock()
	go func() {
		defer r.wg.Done()
		f()
	}()
}

// After runs f on a goroutine after d.
func (r *Real) After(d time.Duration, f func()) (cancel func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return func() {}
	}
	if r.timers == nil {
		r.timers = map[*time.Timer]struct{}{}
	}
	var t *time.Timer
	t = time.AfterFunc(d, func() {
		r.mu.Lock()
		_, live := r.timers[t]
		delete(r.timers, t)
		r.mu.Unlock()
		if live {
			r.Go(f)
		}
	})
	r.timers[t] = struct{}{}
	return func() {
		t.Stop()
		r.mu.Lock()
		delete(r.timers, t)
		r.mu.Unlock()
	}
}

// Close drops pending timers, refuses further work and waits for what runs.
func (r *Real) Close() {
	r.mu.Lock()
	r.closed = true
	for t := range r.timers {
		t.Stop()
	}
	r.timers = nil
	r.mu.Unlock()
	r.wg.Wait()
}

// Serial runs functions one at a time, in the order posted: an actor's
// mailbox. It is a Pool of one.
type Serial struct{ pool Pool }

// NewSerial returns an empty mailbox. It starts nothing.
func NewSerial(ex Executor) *Serial { return &Serial{Pool{ex: ex, n: 1}} }

// Post adds f. It never blocks and may be called from inside a posted
// function. After Close, f is dropped and Post reports false.
func (s *Serial) Post(f func()) bool { return s.pool.Go(f) }

// Close drops what is queued; a function that runs now is the last.
func (s *Serial) Close() { s.pool.Close() }

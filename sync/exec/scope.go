package exec

import (
	"sync"
	"time"
)

// Scope is an Executor for the work of one folder or one connection: it can
// be closed without closing the Executor below, before it or after it.
type Scope struct {
	ex Executor

	mu     sync.Mutex
	closed bool
	wg     sync.WaitGroup
}

// NewScope returns a Scope over ex.
func NewScope(ex Executor) *Scope { return &Scope{ex: ex} }

// Now gives the time.
func (s *Scope) Now() time.Time { return s.ex.Now() }

// Wall gives the date and time.
func (s *Scope) Wall() time.Time { return s.ex.Wall() }

// Inline is that of the Executor below.
func (s *Scope) Inline() bool { return s.ex.Inline() }

// Go runs f unless the Scope was closed before its turn came.
func (s *Scope) Go(f func()) { s.ex.Go(func() { s.run(f) }) }

// run counts what has begun, not what waits for its turn: the Executor below
// may be closed first and drop that, and Close must not wait for it.
func (s *Scope) run(f func()) {
	if s.enter() {
		defer s.wg.Done()
		f()
	}
}

func (s *Scope) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.wg.Add(1)
	return true
}

// After runs f after d, unless cancelled or closed.
func (s *Scope) After(d time.Duration, f func()) (cancel func()) {
	return s.ex.After(d, func() { s.run(f) })
}

// Close drops what has not begun and waits for what runs; inline there is
// nothing to wait for. It must not be called from work of the Scope's own.
func (s *Scope) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	if !s.ex.Inline() {
		s.wg.Wait()
	}
}

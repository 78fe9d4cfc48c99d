package exec

import "sync"

// Pool runs functions, at most n at a time, starting them in the order
// given. It holds no goroutine while it has nothing to do, and one goroutine
// serves many functions. The queue has no bound of its own: whoever adds to
// it bounds what is outstanding.
type Pool struct {
	ex Executor
	n  int

	mu      sync.Mutex
	queue   []func()
	running int
	closed  bool
}

// NewPool returns an idle pool of n at a time; n below 1 counts as 1.
func NewPool(ex Executor, n int) *Pool { return &Pool{ex: ex, n: max(n, 1)} }

// Go adds f. It never blocks. After Close, f is dropped and Go reports false.
func (p *Pool) Go(f func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.queue = append(p.queue, f)
	if p.running < p.n {
		p.running++
		p.ex.Go(p.work)
	}
	return true
}

// work runs what is queued until nothing is left; inline, one function a
// step.
func (p *Pool) work() {
	for {
		p.mu.Lock()
		if len(p.queue) == 0 || p.closed {
			p.running--
			p.mu.Unlock()
			return
		}
		f := p.queue[0]
		p.queue[0] = nil
		p.queue = p.queue[1:]
		p.mu.Unlock()
		f()
		if p.ex.Inline() {
			p.ex.Go(p.work)
			return
		}
	}
}

// Close drops what is queued; functions that run now end by themselves.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.queue = nil
}

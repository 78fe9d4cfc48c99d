package watch

import (
	"context"
	"time"

	"lanyard/sync/relpath"
)

// Polling is a Watcher that looks at nothing: at every interval it says that
// anything may have changed, so that the folder is scanned. It serves where
// the system's notifications cannot be had.
type Polling struct {
	every time.Duration
	ready chan struct{}
}

var _ Watcher = (*Polling)(nil)

// NewPolling returns a Watcher that reports everything every so often; 30 s
// where every is zero. It starts nothing.
func NewPolling(every time.Duration) *Polling {
	p := &Polling{every: Options{Poll: every}.withDefaults().Poll, ready: make(chan struct{})}
	close(p.ready)
	return p
}

// Ready is closed from the start: nothing must be prepared.
func (p *Polling) Ready() <-chan struct{} { return p.ready }

// Unwatched is always empty: Run polls everything.
func (p *Polling) Unwatched() []relpath.Path { return nil }

// Run reports everything at each interval until ctx ends.
func (p *Polling) Run(ctx context.Context, sink func(Change)) error {
	tick := time.NewTicker(p.every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
			sink(Change{All: true})
		}
	}
}

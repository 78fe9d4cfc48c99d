package scan

import (
	"context"
	"sync"
	"time"

	"lanyard/sync/relpath"
)

// outcome is what became of one name. The zero outcome is "nothing to say".
type outcome struct {
	candidate *Candidate
	hashed    int64
	moved     relpath.Path // the root for none
	busy      relpath.Path
	unlisted  relpath.Path
	hasList   bool // unlisted is set
	temp      relpath.Path
	stale     bool // temp is nobody's any more
	problem   *Problem
	renamed   *Rename
}

// collector gathers outcomes into batches and a Result. Only one goroutine
// uses it.
type collector struct {
	emit   func([]Candidate) error
	result Result

	batch []Candidate
	bytes int64
}

func (c *collector) add(o outcome) error {
	r := &c.result
	r.Hashed += o.hashed
	c.bytes += o.hashed
	if !o.moved.IsRoot() {
		r.Moved = append(r.Moved, o.moved)
	}
	if !o.busy.IsRoot() {
		r.Busy = append(r.Busy, o.busy)
	}
	if o.hasList {
		r.Unlisted = append(r.Unlisted, o.unlisted)
	}
	switch {
	case o.temp.IsRoot():
	case o.stale:
		r.StaleTemps = append(r.StaleTemps, o.temp)
	case len(r.Temps) < maxTemps:
		r.Temps = append(r.Temps, o.temp)
	}
	if o.problem != nil {
		r.Problems = append(r.Problems, *o.problem)
	}
	if o.renamed != nil {
		r.Renamed = append(r.Renamed, *o.renamed)
	}
	if o.candidate != nil {
		c.batch = append(c.batch, *o.candidate)
	}
	if len(c.batch) >= maxBatchRecords || c.bytes >= maxBatchBytes {
		return c.flush()
	}
	return nil
}

// flush emits the batch, if there is one. The receiver may keep it.
func (c *collector) flush() error {
	c.bytes = 0
	if len(c.batch) == 0 {
		return nil
	}
	batch := c.batch
	c.batch = nil
	c.result.Candidates += len(batch)
	return c.emit(batch)
}

// collect runs walk and has its jobs examined: inline where the pool has one
// worker, else by as many goroutines as the pool has workers. All of them have
// ended when it returns.
func (s *session) collect(ctx context.Context, walk func(context.Context) error) error {
	if s.Pool.Workers() > 1 {
		return s.collectParallel(ctx, walk)
	}
	s.put = s.collector.add
	s.submit = func(ctx context.Context, j job) error {
		out, err := s.examine(ctx, j)
		if err != nil {
			return err
		}
		return s.put(out)
	}
	if err := walk(ctx); err != nil {
		return err
	}
	return s.collector.flush()
}

func (s *session) collectParallel(ctx context.Context, walk func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	jobs := make(chan job, maxBatchRecords)    // closed after the walk; drained by the hashers even when ctx ended
	out := make(chan outcome, maxBatchRecords) // closed after walk and hashers; drained to its end below
	s.put = func(o outcome) error { out <- o; return nil }
	s.submit = func(_ context.Context, j job) error { jobs <- j; return nil }

	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(jobs)
		if err := walk(ctx); err != nil {
			cancel(err)
		}
	})
	for range s.Pool.Workers() {
		wg.Go(func() { s.examineAll(ctx, jobs, cancel) })
	}
	go func() {
		wg.Wait()
		close(out)
	}()
	s.drain(ctx, out, cancel)
	return context.Cause(ctx)
}

// examineAll is one hasher: it drains jobs, without work once ctx has ended.
func (s *session) examineAll(ctx context.Context, jobs <-chan job, cancel context.CancelCauseFunc) {
	for j := range jobs {
		if ctx.Err() != nil {
			continue
		}
		o, err := s.examine(ctx, j)
		if err != nil {
			cancel(err)
			continue
		}
		_ = s.put(o)
	}
}

// drain collects until out is closed, and emits a batch when it is full or
// has waited for a second, lest a huge file hold back small ones.
func (s *session) drain(ctx context.Context, out <-chan outcome, cancel context.CancelCauseFunc) {
	tick := time.NewTicker(maxBatchAge)
	defer tick.Stop()
	for {
		var err error
		select {
		case o, open := <-out:
			switch {
			case ctx.Err() != nil && open:
				continue
			case ctx.Err() != nil:
				return
			case !open:
				if err := s.collector.flush(); err != nil {
					cancel(err)
				}
				return
			}
			err = s.collector.add(o)
		case <-tick.C:
			if ctx.Err() == nil {
				err = s.collector.flush()
			}
		}
		if err != nil {
			cancel(err)
		}
	}
}

package sim

import (
	"container/heap"
	"time"
)

// task is a piece of work of one life of one device, or of the network (nil).
type task struct {
	owner *life
	run   func()
}

// life is one run of a device's program, from start to crash or stop. What
// was queued for a life that is over does nothing.
type life struct{ over bool }

// timer is a task that is due later.
type timer struct {
	at        time.Time
	seq       int // order among equals
	task      task
	cancelled bool
}

type timers []*timer

func (t timers) Len() int { return len(t) }
func (t timers) Less(i, j int) bool {
	if !t[i].at.Equal(t[j].at) {
		return t[i].at.Before(t[j].at)
	}
	return t[i].seq < t[j].seq
}
func (t timers) Swap(i, j int) { t[i], t[j] = t[j], t[i] }

// Push and Pop are heap.Interface's.
func (t *timers) Push(x any) { *t = append(*t, x.(*timer)) }

// Pop removes the last.
func (t *timers) Pop() any {
	old := *t
	last := old[len(old)-1]
	*t = old[:len(old)-1]
	return last
}

// executor runs one life's work inline, in the cluster's order. It is an
// exec.Executor.
type executor struct {
	c    *Cluster
	d    *Device
	life *life
}

// Now gives the cluster's time.
func (x executor) Now() time.Time { return x.c.now }

// Wall gives what the device's clock shows.
func (x executor) Wall() time.Time { return x.c.now.Add(x.d.skew) }

// Inline is true.
func (x executor) Inline() bool { return true }

// Go queues f.
func (x executor) Go(f func()) { x.c.ready = append(x.c.ready, task{x.life, f}) }

// After queues f for later.
func (x executor) After(d time.Duration, f func()) (cancel func()) {
	return x.c.after(d, task{x.life, f})
}

func (c *Cluster) after(d time.Duration, t task) (cancel func()) {
	c.timerSeq++
	tm := &timer{at: c.now.Add(d), seq: c.timerSeq, task: t}
	heap.Push(&c.timers, tm)
	return func() { tm.cancelled = true }
}

// step runs one piece of work, drawn from what is ready; when nothing is, time
// passes to the next timer. It reports whether there was anything before the
// limit.
func (c *Cluster) step(limit time.Time) bool {
	for len(c.ready) == 0 {
		if len(c.timers) == 0 || c.timers[0].at.After(limit) {
			return false
		}
		tm := heap.Pop(&c.timers).(*timer)
		if tm.cancelled || tm.task.dead() {
			continue
		}
		c.now = later(c.now, tm.at)
		c.ready = append(c.ready, tm.task)
	}
	i := c.rng.IntN(len(c.ready))
	t := c.ready[i]
	c.ready[i] = c.ready[len(c.ready)-1]
	c.ready = c.ready[:len(c.ready)-1]
	if !t.dead() {
		c.trace.add(uint64(i), uint64(len(c.ready)), uint64(c.now.UnixNano()))
		c.guard(t)
		c.steps++
		c.follow()
	}
	return true
}

func (t task) dead() bool { return t.owner != nil && t.owner.over }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// crashed is what a file system hook panics with to end its device's life in
// the midst of a call.
type crashed struct {
	d     *Device
	power bool
}

// guard runs a task and takes a crash in the midst of it.
func (c *Cluster) guard(t task) {
	defer func() {
		if r := recover(); r != nil {
			cr, ok := r.(crashed)
			if !ok {
				panic(r)
			}
			cr.d.die(cr.power)
		}
	}()
	t.run()
}

// trace is a hash over everything that was drawn and done, by which two runs
// of a seed are compared.
type trace uint64

func (t *trace) add(values ...uint64) {
	h := uint64(*t)
	for _, v := range values {
		for range 8 {
			h = (h ^ v&0xff) * 1099511628211 // FNV-1a
			v >>= 8
		}
	}
	*t = trace(h)
}

func (t *trace) addString(s string) {
	for i := range len(s) {
		t.add(uint64(s[i]))
	}
}

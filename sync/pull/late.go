package pull

import (
	"slices"
	"sync/atomic"
	"time"

	"lanyard/sync/device"
)

// A device that has left a request unanswered for lateAfter is behind: nothing
// more is asked of it before it has answered all, or its connection gave up.
// What waits for it holds nothing up and takes no room from what others can
// give, so that no device keeps a folder from going on with the rest; what
// another one has too is asked of that one. Where the only device is a slow
// one, this costs the moment in which it has nothing left to send.
const lateAfter = 2 * time.Second

// Limits of what waits for devices that are behind: big files that keep no turn
// from others, and names on their way. What is more is left out until a device
// has caught up.
const (
	maxLateFiles = 96
	maxLate      = 2048
)

// ask is a request for one block.
type ask struct {
	r     *round
	it    *item
	block int
	from  device.ID
	at    time.Time
	state atomic.Int32
	late  bool // it takes no room
	paid  bool
	size  int64 // bytes
}

// States of an ask.
const (
	askOpen    int32 = iota
	askTaken         // its answer is used
	askDropped       // its answer is not: the block is asked of another device
)

// debt is what one device owes: its asks, oldest first, of which those at the
// front are not paid.
type debt struct {
	asks []*ask
	late int // more than none: the device is behind
}

// behind reports whether a device has to catch up before it is asked again. It
// runs on the turn, as all here.
func (w *Worker) behind(dev device.ID) bool {
	d := w.debts[dev]
	return d != nil && d.late > 0
}

// load tells how busy a device is, false where it cannot be asked now.
func (r *round) load(dev device.ID) (int, bool) {
	if r.w.behind(dev) {
		return 0, false
	}
	return r.o.Source.Load(dev)
}

// owe notes a request.
func (r *round) owe(it *item, block int, from device.ID) *ask {
	a := &ask{r: r, it: it, block: block, from: from, at: r.o.Exec.Now(), size: int64(it.want.Blocks[block].Size)}
	d := r.w.debts[from]
	if d == nil {
		d = &debt{}
		r.w.debts[from] = d
	}
	d.asks = append(d.asks, a)
	it.inFlight++
	r.requests++
	r.bytes += a.size
	r.watchLate()
	return a
}

// pay notes that an ask has come to its end, however that was.
func (w *Worker) pay(a *ask) {
	d := w.debts[a.from]
	a.paid = true
	if a.late {
		d.late--
	} else {
		a.r.requests--
		a.r.bytes -= a.size
	}
	for len(d.asks) > 0 && d.asks[0].paid {
		d.asks[0] = nil
		d.asks = d.asks[1:]
	}
	if len(d.asks) == 0 {
		delete(w.debts, a.from)
	}
	if a.late && d.late == 0 && w.round != nil {
		w.round.caughtUp()
	}
}

// late takes the end of an ask that was dropped, whose round may be over.
func (w *Worker) late(a *ask) {
	w.pay(a)
	if w.round != nil {
		w.round.fill()
	}
}

// watchLate sees to it that late answers are noticed.
func (r *round) watchLate() {
	if r.cancelLate == nil {
		r.cancelLate = r.o.Exec.After(lateAfter/2, func() { r.w.turn.Post(r.lookForLate) })
	}
}

func (r *round) lookForLate() {
	r.cancelLate = nil
	if r.w.round != r {
		return
	}
	now := r.o.Exec.Now()
	var late []device.ID
	for dev, d := range r.w.debts {
		if d.late == 0 && now.Sub(d.asks[0].at) >= lateAfter {
			late = append(late, dev)
		}
	}
	slices.SortFunc(late, device.ID.Compare)
	for _, dev := range late {
		r.o.Log.Debug("a device leaves requests unanswered", "device", dev.Short().String(), "requests", len(r.w.debts[dev].asks))
		r.fallBehind(r.w.debts[dev])
	}
	if r.requests > 0 {
		r.watchLate()
	}
	r.fill()
}

// fallBehind takes what a device owes off the budget.
func (r *round) fallBehind(d *debt) {
	owed := slices.DeleteFunc(slices.Clone(d.asks), func(a *ask) bool { return a.paid })
	for _, a := range owed {
		a.late = true
		d.late++
		r.requests--
		r.bytes -= a.size
	}
	for _, a := range owed {
		r.letWait(a.it)
		if r.another(a) && a.state.CompareAndSwap(askOpen, askDropped) {
			a.it.inFlight--
			a.it.steps.Failed(a.block, a.from)
			r.queue(a.it)
		}
	}
	for _, a := range owed {
		if a.it.gathers && r.lateFiles.files < maxLateFiles && r.onlyBehind(a.it.need.From) {
			r.abandon(a.it)
		}
	}
}

// abandon gives up a file whose lists are too long to wait for a device that is
// behind. Its temporary file stays.
func (r *round) abandon(it *item) {
	for _, d := range r.w.debts {
		for _, a := range d.asks {
			if a.it == it && !a.paid && a.state.CompareAndSwap(askOpen, askDropped) {
				it.inFlight--
			}
		}
	}
	if it.inFlight > 0 || r.open[it.name()] != it {
		return // an answer came just now: it is passed over once that is written
	}
	if it.queued {
		r.toAsk = slices.DeleteFunc(r.toAsk, func(other *item) bool { return other == it })
	}
	r.passOver(it)
	it.letListsGo() // what it asked for still holds it
}

// another reports whether another device can be asked for a block.
func (r *round) another(a *ask) bool {
	return !r.stopped && a.it.err == nil && slices.ContainsFunc(a.it.need.From, func(dev device.ID) bool {
		_, ok := r.load(dev)
		return ok && dev != a.from && a.it.steps.MayGive(a.block, dev)
	})
}

// letWait has an item hold nothing up any more.
func (r *round) letWait(it *item) {
	if !it.long {
		it.long = true
		r.long++
	}
	if !it.late {
		it.late = true
		r.late++
	}
	if it.gathers && r.mayBeLate(it) {
		it.gathers, it.lateFile = false, true
		r.gathered.take(it)
		r.lateFiles.add(it)
		r.nextFile()
	}
}

// putAside has an item wait until a device that is behind has caught up.
func (r *round) putAside(it *item) {
	if r.late >= maxLate || it.gathers && !r.mayBeLate(it) {
		r.passOver(it)
		return
	}
	r.aside = append(r.aside, it)
	r.letWait(it)
}

// passOver leaves a name out until then.
func (r *round) passOver(it *item) {
	r.passedOver = true
	r.result.Unavailable++
	r.close(it)
}

// caughtUp goes on with a device that owes nothing any more.
func (r *round) caughtUp() {
	if r.passedOver {
		r.passedOver, r.refresh = false, true
	}
	var waiting []*item
	for _, it := range r.open {
		if it.inFlight > 0 && it.err == nil {
			waiting = append(waiting, it)
		}
	}
	slices.SortFunc(waiting, func(a, b *item) int { return a.name().Compare(b.name()) })
	for _, it := range waiting {
		r.queue(it)
	}
	r.takeUp()
}

// takeUp asks again for what was put aside.
func (r *round) takeUp() {
	aside := r.aside
	r.aside = nil
	for _, it := range aside {
		r.queue(it)
	}
}

// onlyBehind reports whether all devices that have a file and can be asked for
// it are behind.
func (r *round) onlyBehind(from []device.ID) bool {
	some := false
	for _, dev := range from {
		if _, ok := r.o.Source.Load(dev); !ok {
			continue
		}
		if !r.w.behind(dev) {
			return false
		}
		some = true
	}
	return some
}

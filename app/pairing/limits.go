package pairing

import (
	"net/netip"
	"time"

	"lanyard/sync/fault"
)

// Bounds on runs by number. A run is one guess of 10^-6 for whoever stands
// between two devices.
const (
	runsOfPane    = 3
	runsOfDay     = 10
	mismatchesMax = 3
)

// pauses follow failed runs.
var pauses = []time.Duration{time.Second, 5 * time.Second, 30 * time.Second}

// Day is what Limits keep over restarts.
type Day struct {
	Date       string `json:"date"` // "2026-11-21", by the wall clock
	Runs       int    `json:"runs"`
	Mismatches int    `json:"mismatches"`
	// Off is set when there were too many; only the person ends it.
	Off bool `json:"off"`
}

// Limits bound the runs by number of one device. They are keyed to nothing that
// the other side can choose. Not safe for concurrent use.
type Limits struct {
	day      Day
	pane     int // runs since the pane was opened
	failures int
	notUntil time.Duration
	running  bool
}

// NewLimits goes on from what was kept.
func NewLimits(kept Day) *Limits { return &Limits{day: kept} }

// Day gives what is to be kept, before the run goes on.
func (l *Limits) Day() Day { return l.day }

// OpenPane begins a new window for runs. A pause goes on.
func (l *Limits) OpenPane() { l.pane = 0 }

// Enable allows runs again after there were too many.
func (l *Limits) Enable() { l.day, l.pane, l.failures, l.notUntil = Day{}, 0, 0, 0 }

// Count counts a run that has just become one guess, or says why there may be
// none now.
func (l *Limits) Count(wall time.Time, mono time.Duration) error {
	if date := wall.Format(time.DateOnly); date > l.day.Date {
		l.day = Day{Date: date, Off: l.day.Off} // a clock set back gives no new day
	}
	switch {
	case l.day.Off:
		return errLocked
	case l.running:
		return fault.New(fault.Retry, "", "another connection by number is on its way")
	case l.pane >= runsOfPane:
		return fault.New(fault.Item, "", "three tries were made; open the page for connecting again")
	case mono < l.notUntil:
		return fault.New(fault.Retry, "", "too soon after a try that failed")
	}
	l.pane++
	l.day.Runs++
	l.day.Off = l.day.Runs >= runsOfDay
	l.running = true
	return nil
}

var errLocked = fault.New(fault.Item, "pairing-locked", "connecting by number is off: too many tries did not match; use a code")

// Ended tells how a counted run ended.
func (l *Limits) Ended(err error, mono time.Duration) {
	l.running = false
	if err == nil {
		l.failures, l.notUntil = 0, 0
		return
	}
	if Mismatch(err) {
		l.day.Mismatches++
		l.day.Off = l.day.Off || l.day.Mismatches >= mismatchesMax
	}
	l.notUntil = mono + pauses[min(l.failures, len(pauses)-1)]
	l.failures++
}

// Bounds on tries with an invitation.
const (
	triesOfAddress = 5
	tryWindow      = time.Minute
	maxAddresses   = 256
)

// Tries bounds how often an address may try an invitation. It slows junk down;
// the secret needs no protection by it. Not safe for concurrent use.
type Tries struct {
	seen map[netip.Addr]tried
}

type tried struct {
	since time.Duration
	n     int
}

// Allow counts a try.
func (t *Tries) Allow(a netip.Addr, mono time.Duration) bool {
	if t.seen == nil {
		t.seen = map[netip.Addr]tried{}
	}
	a = a.Unmap().WithZone("")
	e, known := t.seen[a]
	if !known && len(t.seen) >= maxAddresses {
		// The oldest makes room: whoever has many addresses must not be able to
		// keep others out.
		var oldest netip.Addr
		for other, o := range t.seen {
			if !oldest.IsValid() || o.since < t.seen[oldest].since {
				oldest = other
			}
		}
		delete(t.seen, oldest)
	}
	if !known || mono-e.since >= tryWindow {
		e = tried{since: mono}
	}
	e.n++
	t.seen[a] = e
	return e.n <= triesOfAddress
}

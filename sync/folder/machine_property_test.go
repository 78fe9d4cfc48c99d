package folder

import (
	"maps"
	"testing"
	"time"

	"pgregory.net/rapid"

	"lanyard/sync/fault"
	"lanyard/sync/pull"
	"lanyard/sync/relpath"
	"lanyard/sync/watch"
)

// world carries out what a machine wants and keeps account of what is owed.
type world struct {
	m   *Machine
	now time.Time

	opened   bool // an Opened was told since the last Stopped
	opening  bool // a Reopen is to be answered
	seenFull bool // a full scan that began after the last Opened succeeded
	scan     *Scan
	fresh    bool // the scan that runs began after the last Opened
	pulling  bool

	unscanned map[relpath.Path]bool // noticed, and no scan of it began since
	news      bool                  // told of news, and no pull began since
	tickets   map[int]ticketState
	last      int
	t         *rapid.T
}

type ticketState struct {
	answered int
	pending  map[relpath.Path]bool // to be scanned before the answer
	failed   bool
}

func (w *world) step(ev Event) {
	for _, c := range append([]Command(nil), w.m.Step(w.now, ev)...) {
		w.carryOut(c)
	}
}

func (w *world) carryOut(c Command) {
	switch c := c.(type) {
	case Scan:
		w.beginScan(c)
	case Pull:
		if w.pulling || !w.seenFull {
			w.t.Fatalf("a pull although one runs (%v) or before the first full scan (%v)", w.pulling, !w.seenFull)
		}
		w.pulling, w.news = true, false
	case Finish:
		s := w.tickets[c.Ticket]
		s.answered++
		s.failed = c.Err != nil
		w.tickets[c.Ticket] = s
		if s.answered > 1 {
			w.t.Fatalf("ticket %d answered %d times", c.Ticket, s.answered)
		}
		if c.Err == nil && len(s.pending) > 0 {
			w.t.Fatalf("ticket %d answered although %v was not scanned", c.Ticket, s.pending)
		}
	case Reopen:
		w.opening = true
	}
}

func (w *world) beginScan(c Scan) {
	if w.scan != nil || !w.opened {
		w.t.Fatalf("scan %v although %v runs or the folder is not open (%v)", c, w.scan, !w.opened)
	}
	w.scan, w.fresh = &c, true
	if c.Full {
		clear(w.unscanned)
	}
	for _, p := range c.Paths {
		delete(w.unscanned, p)
	}
	for _, s := range w.tickets {
		if c.Full {
			clear(s.pending)
		}
		for _, p := range c.Paths {
			delete(s.pending, p)
		}
	}
}

func (w *world) endScan(err error, again []relpath.Path) {
	c := w.scan
	w.scan = nil
	switch {
	case fault.KindOf(err) == fault.Folder:
		w.opened, w.seenFull = false, false
	case err == nil && c.Full && w.fresh:
		w.seenFull = true
	}
	switch {
	case err == nil:
		w.mark(again)
	case c.Full:
		w.mark(allNames())
	default:
		w.mark(c.Paths)
	}
	w.step(ScanDone{Err: err, Again: again})
}

func (w *world) endPull(r pull.Result) {
	w.pulling = false
	w.mark(r.Rescan)
	if r.Err != nil {
		w.opened, w.seenFull = false, false
	}
	w.step(PullDone{r})
}

func (w *world) mark(paths []relpath.Path) {
	for _, p := range paths {
		w.unscanned[p] = true
	}
}

func (w *world) open() {
	w.opening, w.opened, w.seenFull, w.fresh = false, true, false, false
	w.step(Opened{})
}

func (w *world) ask(paths []relpath.Path) {
	w.last++
	s := ticketState{pending: map[relpath.Path]bool{}}
	for _, p := range paths {
		s.pending[p] = true
	}
	w.tickets[w.last] = s
	w.step(ScanAsked{Ticket: w.last, Paths: paths})
}

// allNames lists the names of this world.
func allNames() []relpath.Path {
	return names([]string{"n0", "n1", "n2", "n3", "n4"})
}

func drawPaths(t *rapid.T) []relpath.Path {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(allNames()), 1, 3, rapid.ID).Draw(t, "names")
}

func drawChange(t *rapid.T) watch.Change {
	c := watch.Change{All: rapid.IntRange(0, 9).Draw(t, "all") == 0}
	for _, p := range drawPaths(t) {
		c.Events = append(c.Events, watch.Event{
			Path: p, Removed: rapid.Bool().Draw(t, "removed"), Settled: rapid.Bool().Draw(t, "settled"),
		})
	}
	return c
}

var drawnFaults = []error{nil, nil, nil, faults["retry"], faults["folder"]}

// TestNothingIsLeftUndone lets everything happen to a machine in any order: it
// never runs two scans or two pulls, never pulls before the first full scan,
// answers each wish once and not before it was granted, and once it is left
// alone, with everything going well, it does all that it was told of.
func TestNothingIsLeftUndone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{m: NewMachine(time.Hour), now: start, t: t, unscanned: map[relpath.Path]bool{}, tickets: map[int]ticketState{}}
		w.open()
		t.Repeat(map[string]func(*rapid.T){
			"notice": func(t *rapid.T) {
				c := drawChange(t)
				for _, ev := range c.Events {
					w.unscanned[ev.Path] = true
				}
				w.step(Noticed{c})
			},
			"ask":    func(t *rapid.T) { w.ask(drawPaths(t)) },
			"askAll": func(*rapid.T) { w.ask(nil) },
			"remote": func(*rapid.T) { w.news = true; w.step(RemoteChanged{}) },
			"peers":  func(*rapid.T) { w.news = true; w.step(PeersChanged{}) },
			"decided": func(*rapid.T) {
				w.news = true
				w.mark(allNames())
				w.step(Decided{})
			},
			"stopped": func(t *rapid.T) {
				if !w.opening {
					t.Skip("it is not opening")
				}
				w.opening = false
				w.step(Stopped{faults["folder"]})
			},
			"opened": func(t *rapid.T) {
				if !w.opening {
					t.Skip("it is not opening")
				}
				w.open()
			},
			"scanned": func(t *rapid.T) {
				if w.scan == nil {
					t.Skip("no scan runs")
				}
				w.endScan(rapid.SampledFrom(drawnFaults).Draw(t, "error"), drawPaths(t))
			},
			"pulled": func(t *rapid.T) {
				if !w.pulling {
					t.Skip("no pull runs")
				}
				r := pull.Result{Rescan: drawPaths(t), Again: rapid.Bool().Draw(t, "again")}
				r.Later = rapid.SampledFrom([]time.Duration{0, 0, time.Second}).Draw(t, "wait")
				w.news = w.news || r.Later > 0 // what waits is to be pulled as well
				if err := rapid.SampledFrom(drawnFaults).Draw(t, "error"); fault.KindOf(err) == fault.Folder {
					r.Err = err
				}
				w.endPull(r)
			},
			"later": func(t *rapid.T) {
				d := rapid.SampledFrom([]time.Duration{time.Millisecond, 40 * time.Millisecond, time.Second, time.Minute}).Draw(t, "time")
				w.now = w.now.Add(d)
				w.step(Tick{})
			},
		})
		w.atEnd()
	})
}

// atEnd lets everything go well until the machine wants nothing within an
// hour, the time of a full scan that nobody asked for.
func (w *world) atEnd() {
	for range 1000 {
		switch {
		case w.opening:
			w.open()
		case w.scan != nil:
			w.endScan(nil, nil)
		case w.pulling:
			w.endPull(pull.Result{})
		default:
			due := w.m.Wake()
			if scanning, pulling, dirty := w.m.Busy(); w.opened && !scanning && !pulling && !dirty {
				w.nothingOwed()
				return
			}
			if due.IsZero() {
				w.t.Fatal("busy, and never wakes")
			}
			if due.After(w.now) {
				w.now = due
			}
			w.step(Tick{})
		}
	}
	w.t.Fatal("it never comes to rest")
}

func (w *world) nothingOwed() {
	if len(w.unscanned) > 0 {
		w.t.Fatalf("never scanned: %v", maps.Clone(w.unscanned))
	}
	if w.news {
		w.t.Fatal("news that was never pulled")
	}
	for n, s := range w.tickets {
		if s.answered != 1 {
			w.t.Fatalf("ticket %d was answered %d times", n, s.answered)
		}
	}
}

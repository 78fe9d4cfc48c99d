// Package folder runs one folder: Machine decides when to scan and when to
// pull, Runner does the work and feeds the outcomes back.
package folder

import (
	"maps"
	"slices"
	"time"

	"lanyard/sync/fault"
	"lanyard/sync/pull"
	"lanyard/sync/relpath"
	"lanyard/sync/watch"
)

// Times of the control machine, starting values.
const (
	// quietSettled is the wait after a file was renamed into place, however often
	// that happens: nobody is writing to it, so nothing is hashed in vain.
	quietSettled = 10 * time.Millisecond
	// quietFirst is the wait after the last event of a name that was at rest.
	quietFirst = 40 * time.Millisecond
	// quietSecond and on: a name that changes again soon after it was scanned
	// waits longer each time.
	quietSecond = 250 * time.Millisecond
	quietMax    = time.Second
	// quietCap is how long a name that never rests may wait.
	quietCap = 10 * time.Second
	// soon is how long a scan of a name counts as recent.
	soon = 2 * time.Second

	retryFirst = time.Second // for what passes by itself
	retryMax   = time.Minute
	itemFirst  = time.Minute // for what somebody must mend
	itemMax    = time.Hour
	stuckAfter = 3                // rescans in a row after which a name waits
	checkRoot  = 10 * time.Second // a stopped folder looks whether it may go on
	// checkEmptied is the same for a folder whose files are all gone: to look is
	// to go through the whole index.
	checkEmptied = time.Minute
)

// The events that Step takes.
type (
	// Opened tells that the root was proved and every directory is watched. Same:
	// it is the root that was open before, and the watcher saw all of it.
	Opened struct{ Same bool }
	// Stopped tells that the folder cannot go on, and why.
	Stopped struct{ Err error }
	// Noticed carries what the watcher saw.
	Noticed struct{ Change watch.Change }
	// ScanAsked is a person's wish: the paths, or everything where there are
	// none. Ticket comes back in a Finish.
	ScanAsked struct {
		Paths  []relpath.Path
		Ticket int
	}
	// ScanDone tells how a scan ended. Again lists names that moved under it,
	// Busy those that could not be read now and perhaps can in a while.
	ScanDone struct {
		Err   error
		Again []relpath.Path
		Busy  []relpath.Path
	}
	// PullDone tells how a pull round ended.
	PullDone struct{ Result pull.Result }
	// PullParked tells what a pull round did so far that now waits for big files
	// alone.
	PullParked struct{ Result pull.Result }
	// RemoteChanged tells that another device's index has news.
	RemoteChanged struct{}
	// PeersChanged tells that a device came or went.
	PeersChanged struct{}
	// Recovering tells that the index lost something and is not whole yet.
	Recovering struct{}
	// Mended tells how a Mend ended; not Done means that something is to be waited
	// for.
	Mended struct {
		Done bool
		Err  error
	}
	// Room tells how much space is free.
	Room struct{ Free uint64 }
	// Decided tells that a person said what is to become of deletions that were
	// held.
	Decided struct{}
	// Tick tells the time and nothing else.
	Tick struct{}
)

// Event is one of the types above.
type Event any

// The commands that Step gives.
type (
	// Scan scans everything, or names and what lies below them. Asked tells that
	// a person waits for it.
	Scan struct {
		Full  bool
		Asked bool
		Paths []relpath.Path
	}
	// Pull runs one pull round.
	Pull struct{}
	// Refresh tells the round that is on its way that there are news.
	Refresh struct{}
	// Finish answers a ScanAsked.
	Finish struct {
		Ticket int
		Err    error
	}
	// LookForRoom asks for a Room.
	LookForRoom struct{}
	// Reopen proves the root again and opens the folder.
	Reopen struct{}
	// Mend makes the index whole again, if every connected device has told all
	// that it has; Late, without waiting for that any longer.
	Mend struct{ Late bool }
)

// Command is one of the types above.
type Command any

// dirt is a name that may have changed.
type dirt struct {
	first, last time.Time // when it was noticed
	due         time.Time
	asked       bool // a person waits for it: no event puts it off
	// removed: it was seen to go, which may be half of a rename. It is scanned
	// with what was noticed then or later, not ahead of the other half.
	removed bool
}

// busy is a name that could not be read: how often in a row, and when it is
// tried again.
type busy struct {
	tries int
	due   time.Time
}

// calm is how often a name was scanned of late.
type calm struct {
	at    time.Time
	level int
}

// Machine is a folder's control logic: pure, and not safe for concurrent use.
type Machine struct {
	rescanEvery time.Duration

	open     bool
	scanned  bool // in full since it was opened
	scanning bool
	full     bool // the scan that runs is a full one
	pulling  bool
	pullDue  bool

	dirty    map[relpath.Path]dirt
	dirtyDue time.Time // no name is due before
	recent   map[relpath.Path]calm
	wantFull bool
	tickets  []int // answered by the next scan to start
	running  []int // answered by the one that runs

	nextFull  time.Time
	holdOff   time.Time // no scan starts before: the last one failed
	retryAt   time.Time
	laterAt   time.Time // deletions wait until then
	retry     time.Duration
	space     *pull.Space // what was left out because the disk is full
	roomAt    time.Time   // when to look for room, zero for never
	roomWait  time.Duration
	reopenAt  time.Time
	paused    bool // stopped by what leaves all that is known true
	lastErr   error
	scanPaths []relpath.Path
	stuck     map[relpath.Path]int // rescans in a row that pulls asked for
	busy      map[relpath.Path]busy
	restless  map[relpath.Path]unrest
	mending   mending
	out       []Command
}

// NewMachine returns the logic of a folder that is not open yet. Negative
// rescanEvery means never.
func NewMachine(rescanEvery time.Duration) *Machine {
	return &Machine{
		rescanEvery: rescanEvery, dirty: map[relpath.Path]dirt{}, recent: map[relpath.Path]calm{},
		stuck: map[relpath.Path]int{}, busy: map[relpath.Path]busy{}, restless: map[relpath.Path]unrest{},
	}
}

// Step folds one event into the state and returns the work that follows. It
// does no I/O and reads no clock. The slice is valid until the next call.
func (m *Machine) Step(now time.Time, ev Event) []Command {
	m.out = m.out[:0]
	switch ev := ev.(type) {
	case Opened:
		if !ev.Same || !m.paused {
			m.scanned, m.wantFull = false, true
		}
		m.open, m.lastErr, m.pullDue = true, nil, true
		m.full = false // a scan that began before tells nothing of what was opened now
		m.reopenAt, m.holdOff = time.Time{}, time.Time{}
	case Stopped:
		m.stop(now, ev.Err)
	case Noticed:
		m.notice(now, ev.Change)
	case ScanAsked:
		m.asked(now, ev)
	case ScanDone:
		m.scanDone(now, ev)
	case PullDone:
		m.pullDone(now, ev.Result)
	case PullParked:
		m.rescan(now, ev.Result.Rescan)
	case Recovering:
		m.mending = mending{needed: true, running: m.mending.running, look: true}
	case Mended:
		m.mended(now, ev)
	case RemoteChanged, PeersChanged:
		m.mending.look = true
		m.news()
		m.retryAt, m.retry = time.Time{}, 0
	case Room:
		m.room(now, ev.Free)
	case Decided:
		m.decided(now)
	case Tick:
	}
	m.decide(now)
	return m.out
}

// Wake gives the time at which a Tick is due, zero for never.
func (m *Machine) Wake() time.Time {
	var due time.Time
	at := func(t time.Time) {
		if !t.IsZero() && (due.IsZero() || t.Before(due)) {
			due = t
		}
	}
	if !m.open {
		at(m.reopenAt)
		return due
	}
	if !m.scanning {
		at(m.scanDue())
	}
	if !m.mending.running {
		at(m.mending.lateAt)
	}
	if !m.pulling {
		at(m.retryAt)
		at(m.roomAt)
		at(m.laterAt)
	}
	return due
}

// scanDue gives when the next scan is due, zero for never.
func (m *Machine) scanDue() time.Time {
	due := m.nextFull
	if len(m.dirty) > 0 && (due.IsZero() || m.dirtyDue.Before(due)) {
		due = m.dirtyDue
	}
	for _, b := range m.busy {
		if due.IsZero() || b.due.Before(due) {
			due = b.due
		}
	}
	if m.wantFull || !due.IsZero() && due.Before(m.holdOff) {
		due = m.holdOff
	}
	return due
}

// Busy tells what the folder is doing: state for those who watch.
func (m *Machine) Busy() (scanning, pulling, dirty bool) {
	return m.scanning || m.mending.needed && m.lastErr == nil || !m.scanned && m.lastErr == nil,
		m.pulling || m.pullDue && m.scanned && !m.mending.needed || !m.laterAt.IsZero(), len(m.dirty) > 0 || m.wantFull
}

// Known reports whether the root is proved and everything in it was looked at
// since.
func (m *Machine) Known() bool { return m.open && m.scanned }

// Err gives why the folder stopped, nil while it is open or opening.
func (m *Machine) Err() error { return m.lastErr }

func (m *Machine) stop(now time.Time, err error) {
	m.open, m.lastErr = false, err
	switch fault.CodeOf(err) {
	case "disk-full", "home-full", "disk-failing":
		m.paused = true
	default:
		m.paused = false
	}
	m.laterAt = time.Time{}
	m.reopenAt = now.Add(checkRoot)
	if fault.CodeOf(err) == codeEmptied {
		m.reopenAt = now.Add(checkEmptied)
	}
	for _, t := range m.tickets {
		m.out = append(m.out, Finish{t, err})
	}
	m.tickets = nil
}

// decided looks at everything again, at once: what a person decided is carried
// out by the scan and the pull that find it. A stopped folder is opened for it.
func (m *Machine) decided(now time.Time) {
	m.wantFull, m.holdOff = true, time.Time{}
	if !m.open && !m.reopenAt.IsZero() {
		m.reopenAt = now
	}
	m.news()
}

func (m *Machine) notice(now time.Time, c watch.Change) {
	if c.All {
		m.wantFull = true
	}
	for _, p := range c.Subtrees {
		m.dirtyAt(now, p, quietFirst)
	}
	for _, ev := range c.Events {
		if ev.Settled {
			m.dirtyFor(now, ev.Path, quietSettled)
		} else {
			m.dirtyAt(now, ev.Path, quietFirst)
		}
		if ev.Removed {
			d := m.dirty[ev.Path]
			d.removed = true
			m.dirty[ev.Path] = d
		}
	}
}

// dirtyAt notes a name to be scanned after a pause, a longer one if it was
// scanned just now.
func (m *Machine) dirtyAt(now time.Time, p relpath.Path, quiet time.Duration) {
	if r, ok := m.recent[p]; ok && now.Sub(r.at) < soon {
		quiet = min(quietSecond<<min(max(r.level-1, 0), 8), quietMax)
	}
	m.dirtyFor(now, p, quiet)
}

// dirtyFor notes a name to be scanned after a pause.
func (m *Machine) dirtyFor(now time.Time, p relpath.Path, quiet time.Duration) {
	d, known := m.dirty[p]
	if !known {
		d.first = now
	}
	if d.asked {
		return
	}
	d.removed = false
	d.last, d.due = now, now.Add(quiet)
	if last := d.first.Add(quietCap); d.due.After(last) {
		d.due = last
	}
	m.dirty[p] = d
	if len(m.dirty) == 1 || d.due.Before(m.dirtyDue) {
		m.dirtyDue = d.due
	}
}

// asked takes a wish. While the folder opens it waits for the full scan that
// follows.
func (m *Machine) asked(now time.Time, ev ScanAsked) {
	if !m.open && m.lastErr != nil {
		m.out = append(m.out, Finish{ev.Ticket, m.lastErr})
		return
	}
	m.tickets = append(m.tickets, ev.Ticket)
	if !m.open {
		return
	}
	m.holdOff = time.Time{}
	if len(ev.Paths) == 0 {
		m.wantFull = true
	}
	for _, p := range ev.Paths {
		m.dirty[p] = dirt{first: now, last: now, due: now, asked: true}
		m.dirtyDue = now
	}
}

func (m *Machine) scanDone(now time.Time, ev ScanDone) {
	m.scanning = false
	for _, t := range m.running {
		m.out = append(m.out, Finish{t, ev.Err})
	}
	m.running = nil
	if ev.Err != nil {
		if fault.KindOf(ev.Err) == fault.Folder {
			m.unscanned(now)
			m.stop(now, ev.Err)
			return
		}
		// What it did not get to see is not known: everything is scanned again.
		m.wantFull, m.full = true, false
		m.holdOff = now.Add(checkRoot)
		return
	}
	if m.full {
		m.scanned, m.mending.look = true, true
		if m.rescanEvery > 0 {
			m.nextFull = now.Add(m.rescanEvery)
		}
	}
	m.putOff(now, ev.Busy)
	full := m.full
	m.full = false
	m.unrest(now, ev.Again, full)
	m.remember(now)
	for _, p := range ev.Again {
		m.dirtyAt(now, p, quietFirst)
	}
	m.news()
}

// putOff lets names that could not be read wait, longer each time.
func (m *Machine) putOff(now time.Time, names []relpath.Path) {
	maps.DeleteFunc(m.busy, func(p relpath.Path, _ busy) bool {
		return !slices.Contains(names, p) && (m.full || slices.ContainsFunc(m.scanPaths, p.Under))
	})
	for _, p := range names {
		tries := m.busy[p].tries
		m.busy[p] = busy{tries + 1, now.Add(min(retryFirst<<min(tries, 8), retryMax))}
	}
}

// unscanned notes once more what a scan was about that did not end.
func (m *Machine) unscanned(now time.Time) {
	m.wantFull = m.wantFull || m.full
	for _, p := range m.scanPaths {
		m.dirtyFor(now, p, 0)
	}
	m.full, m.scanPaths = false, nil
}

// room takes how much space is free: whether what was left out fits now, with
// something to spare.
func (m *Machine) room(now time.Time, free uint64) {
	switch {
	case m.space == nil:
	case free >= m.space.Need+m.space.Need/20:
		m.pullDue = true
	default:
		m.roomAt = now.Add(checkRoot)
	}
}

// noteSpace sets when to look for room after a round that left something out
// for lack of it: the longer the more often that was so although there seemed
// to be some.
func (m *Machine) noteSpace(now time.Time, r pull.Result) {
	m.space, m.roomAt = r.Space, time.Time{}
	if r.Space == nil {
		m.roomWait = 0
		return
	}
	if r.Changed > 0 || m.roomWait == 0 {
		m.roomWait = checkRoot
	} else {
		m.roomWait = min(2*m.roomWait, retryMax)
	}
	m.roomAt = now.Add(m.roomWait)
}

// news makes a pull due. A round that is on its way is told, for a big file
// can keep it for hours; another one follows in any case, lest it had just
// ended.
func (m *Machine) news() {
	m.pullDue = true
	if m.pulling && !m.mending.needed {
		m.out = append(m.out, Refresh{})
	}
}

// remember notes which names were scanned just now.
func (m *Machine) remember(now time.Time) {
	maps.DeleteFunc(m.recent, func(_ relpath.Path, r calm) bool { return now.Sub(r.at) >= soon })
	for _, p := range m.scanPaths {
		r := m.recent[p]
		m.recent[p] = calm{at: now, level: r.level + 1}
	}
	m.scanPaths = nil
}

func (m *Machine) pullDone(now time.Time, r pull.Result) {
	m.pulling = false
	m.rescan(now, r.Rescan)
	maps.DeleteFunc(m.stuck, func(p relpath.Path, _ int) bool { return !slices.Contains(r.Rescan, p) })
	m.pullDue = m.pullDue || r.Again
	m.noteSpace(now, r)
	m.laterAt = time.Time{}
	if r.Later > 0 {
		m.laterAt = now.Add(r.Later)
	}
	if r.Err != nil && fault.KindOf(r.Err) == fault.Folder {
		m.stop(now, r.Err)
		return
	}
	if len(r.Failed) == 0 && r.Err == nil {
		m.retryAt, m.retry = time.Time{}, 0
		return
	}
	m.backOff(now, r)
}

// rescan notes names that a pull found other than recorded. One that a scan
// does not explain, again and again, waits longer each time.
func (m *Machine) rescan(now time.Time, names []relpath.Path) {
	for _, p := range names {
		m.stuck[p]++
		quiet := time.Duration(0)
		if n := m.stuck[p] - stuckAfter; n >= 0 {
			quiet = min(retryFirst<<min(n, 8), retryMax)
		}
		m.dirtyFor(now, p, quiet)
	}
}

// Stuck reports whether scans do not explain what pulls find under a name.
func (m *Machine) Stuck(p relpath.Path) bool { return m.stuck[p] > stuckAfter }

// backOff sets when a round that left something undone is tried again: soon
// for what passes by itself, rarely for what somebody must mend.
func (m *Machine) backOff(now time.Time, r pull.Result) {
	first, last := itemFirst, itemMax
	for _, err := range r.Failed {
		if k := fault.KindOf(err); k == fault.Retry || k == fault.Peer {
			first, last = retryFirst, retryMax
		}
	}
	if r.Changed > 0 || m.retry == 0 {
		m.retry = first
	} else {
		m.retry = min(2*m.retry, last)
	}
	m.retryAt = now.Add(m.retry)
}

// decide starts what is due.
func (m *Machine) decide(now time.Time) {
	if !m.open {
		if !m.reopenAt.IsZero() && !now.Before(m.reopenAt) {
			m.reopenAt = time.Time{}
			m.out = append(m.out, Reopen{})
		}
		return
	}
	if !m.nextFull.IsZero() && !now.Before(m.nextFull) {
		m.wantFull = true
		m.nextFull = time.Time{}
	}
	if !m.scanning {
		m.startScan(now)
	}
	if !m.retryAt.IsZero() && !now.Before(m.retryAt) {
		m.retryAt, m.pullDue = time.Time{}, true
	}
	if !m.pulling && !m.roomAt.IsZero() && !now.Before(m.roomAt) {
		m.roomAt = time.Time{}
		m.out = append(m.out, LookForRoom{})
	}
	if !m.laterAt.IsZero() && !m.pulling && !now.Before(m.laterAt) {
		m.laterAt, m.pullDue = time.Time{}, true
	}
	m.mend(now)
	if m.pullDue && m.scanned && !m.pulling && !m.mending.needed {
		m.pullDue, m.pulling = false, true
		m.out = append(m.out, Pull{})
	}
}

func (m *Machine) startScan(now time.Time) {
	if now.Before(m.holdOff) {
		return
	}
	if m.wantFull {
		m.wantFull, m.scanning, m.full = false, true, true
		m.running, m.tickets = m.tickets, nil
		m.scanPaths = m.take(now, true)
		m.out = append(m.out, Scan{Full: true, Asked: len(m.running) > 0})
		return
	}
	if now.Before(m.dirtyDue) && !m.busyDue(now) {
		return
	}
	paths := m.take(now, false)
	if len(paths) == 0 {
		return
	}
	m.scanning, m.scanPaths = true, paths
	m.running, m.tickets = m.tickets, nil
	m.out = append(m.out, Scan{Paths: paths, Asked: len(m.running) > 0})
}

// busyDue reports whether a name that was put off is to be tried again.
func (m *Machine) busyDue(now time.Time) bool {
	for _, b := range m.busy {
		if !b.due.After(now) {
			return true
		}
	}
	return false
}

// take removes the names that are due (or all), and with them those that went
// before one of these was noticed, and returns them in order.
func (m *Machine) take(now time.Time, all bool) []relpath.Path {
	var newest time.Time
	for _, d := range m.dirty {
		if !d.due.After(now) && d.last.After(newest) {
			newest = d.last
		}
	}
	var paths []relpath.Path
	m.dirtyDue = time.Time{}
	for p, d := range m.dirty {
		if all || !d.due.After(now) || d.removed && !d.last.After(newest) {
			paths = append(paths, p)
		} else if m.dirtyDue.IsZero() || d.due.Before(m.dirtyDue) {
			m.dirtyDue = d.due
		}
	}
	for _, p := range paths {
		delete(m.dirty, p)
	}
	for p, b := range m.busy {
		if all || !b.due.After(now) {
			paths = append(paths, p)
		}
	}
	slices.SortFunc(paths, relpath.Path.Compare)
	return slices.Compact(paths)
}

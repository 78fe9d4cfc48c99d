package engine

import (
	"slices"
	"strconv"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/fault"
	"lanyard/sync/status"
)

// When the state of a connection becomes a problem.
const (
	awayAfter    = 10 * time.Second // without a connection
	lookBack     = 10 * time.Minute // for what happens again and again
	maxFaults    = 3                // ends by the device's fault in that time
	maxStarts    = 5                // connections in that time that are nothing odd
	maxEarly     = 3                // connections in a row that it ended before it said anything
	maxOthers    = 3                // dials in a row to an address that met another identity
	clockApart   = 5 * time.Minute
	notAccepted  = 30 * time.Second // after the device said what it shares
	firstShun    = 30 * time.Second // not dialed after an end by its fault, then twice as long
	maxShun      = 30 * time.Minute
	oldestGreets = "0.13" // the last version that greets in the old way
)

// standing is how a device last greeted us.
type standing int

const (
	unmet      standing = iota
	asFriend            // it knows us
	asStranger          // it does not know us
	asPaused            // it knows us and has paused us
)

// standingOf reads a Hello of ours from the other side: see ourHello. Other
// programs greet everybody alike.
func standingOf(h bep.Hello) standing {
	switch {
	case h.ClientName != ClientName || h.NumConnections > 0:
		return asFriend
	case h.DeviceName == "":
		return asStranger
	}
	return asPaused
}

// contact is what is known of the connection to one device: plain values,
// guarded by Engine.mu.
type contact struct {
	connected bool
	since     time.Time // of being connected, or not
	seen      time.Time // when it was last connected, zero for never
	name      string    // that it gave itself
	standing  standing
	early     int         // connections in a row that it ended before it said what it shares
	starts    []time.Time // of connections, of late
	faults    []time.Time // ends by its fault, of late
	lastFault error
	strikes   int       // ends by its fault in a row
	shunned   time.Time // we do not dial it until then
	othersAt  string    // address where another device answers
	others    int       // dials in a row that met it there
	tooOld    string    // version of what it speaks, "" for nothing wrong
	dialErr   error     // of the last dial, nil after one that succeeded
	skew      time.Duration
	said      time.Time // when it first said, on this connection, what it shares
}

// begun notes a conversation.
func (c *contact) begun(now time.Time, h bep.Hello) {
	c.connected, c.since, c.said = true, now, time.Time{}
	c.greeted(now, h)
	c.starts = append(recent(c.starts, now), now)
	c.dialErr, c.others, c.tooOld = nil, 0, ""
}

// greeted notes a Hello.
func (c *contact) greeted(now time.Time, h bep.Hello) {
	c.standing, c.skew = standingOf(h), 0
	if name := bep.CleanName(h.DeviceName); name != "" {
		c.name = name
	}
	if h.Timestamp != 0 {
		c.skew = time.Unix(0, h.Timestamp).Sub(now)
	}
}

// shared notes that the device said what it shares.
func (c *contact) shared(now time.Time) {
	c.early, c.standing = 0, asFriend
	if c.said.IsZero() {
		c.said = now
	}
}

// ended notes the end of a conversation.
func (c *contact) ended(now time.Time, err error) {
	if now.Sub(c.since) >= lookBack {
		c.strikes = 0 // it did well for a good while
	}
	c.connected, c.since, c.seen = false, now, now
	if c.said.IsZero() {
		c.early++
	}
	c.failed(now, err)
}

// failed notes what ended a connection, if that is the device's fault.
func (c *contact) failed(now time.Time, err error) {
	switch {
	case fault.CodeOf(err) == bep.CodeTooOld:
		c.tooOld = oldestGreets
	case fault.KindOf(err) == fault.Peer:
		c.faults = append(recent(c.faults, now), now)
		c.lastFault = err
		c.shun(now)
		c.strikes++
	}
}

// shun has the device not be dialed for a while, twice as long as after the
// fault before.
func (c *contact) shun(now time.Time) {
	c.shunned = now.Add(min(firstShun<<min(c.strikes, 16), maxShun))
}

// dialed notes a dial that led to no connection, and whether it met a device
// that is none of ours. One that was removed is enough, others may be new at an
// address that was given to them.
func (c *contact) dialed(address string, err error, met, removed bool) {
	c.dialErr = err
	switch {
	case removed:
		c.othersAt, c.others = address, maxOthers
	case met && (c.others == 0 || c.othersAt == address):
		c.othersAt = address
		c.others++
	case c.othersAt == address:
		c.others = 0
	}
	if !met {
		c.standing, c.early = unmet, 0 // what it said of us was long ago
	}
}

// recent drops the times that are too long ago to tell anything.
func recent(times []time.Time, now time.Time) []time.Time {
	return slices.DeleteFunc(times, func(t time.Time) bool { return now.Sub(t) >= lookBack })
}

func countRecent(times []time.Time, now time.Time) (n int) {
	for _, t := range times {
		if now.Sub(t) < lookBack {
			n++
		}
	}
	return n
}

// deviceFacts is what the problems of a device follow from.
type deviceFacts struct {
	contact
	self   device.ID
	now    time.Time
	paused bool // by us
	// revoker is the name of a device of ours that has removed this one, "" for
	// none.
	revoker string
	former  bool // it has shared a folder with us
	need    int64
	shares  []sharedThere // what it shares with us, of what we share with it
}

// sharedThere is the state of one folder at the device.
type sharedThere struct{ there, paused bool }

// problems lists what is wrong with a device, the first cause first.
func (f *deviceFacts) problems() []status.Problem {
	if f.paused {
		return []status.Problem{f.problem("paused-by-you", "paused here")}
	}
	if f.revoker != "" {
		return []status.Problem{f.problem("removed-elsewhere", "another device has removed it", "other", f.revoker)}
	}
	out := []status.Problem{}
	add := func(p status.Problem) { out = append(out, p) }
	if f.others >= maxOthers {
		add(f.problem("device-other-identity", "another device answers at its address"))
	}
	if f.tooOld != "" && !f.connected {
		add(f.problem("device-too-old", "it speaks a protocol that is too old", "version", f.tooOld))
	}
	if countRecent(f.faults, f.now) >= maxFaults {
		add(f.problem("device-sends-nonsense", f.lastFault.Error(), "cause", f.lastFault.Error()))
	}
	if !f.connected && len(out) == 0 {
		if p, ok := f.whyAway(); ok {
			add(p)
		}
	}
	if n := countRecent(f.starts, f.now); n > maxStarts && len(out) == 0 {
		add(f.problem("connection-unsteady", "it was connected "+strconv.Itoa(n)+" times in ten minutes"))
	}
	if f.connected && f.pausedThere() {
		add(f.problem("device-paused-there", "it has paused what it shares with us"))
	}
	if f.skew.Abs() > clockApart {
		add(f.problem("clock-off", "its clock is off by "+f.skew.String(), "span", strconv.FormatInt(int64(f.skew.Abs().Seconds()), 10)))
	}
	slices.SortStableFunc(out, status.Before)
	return out
}

// whyAway says why a device is not connected, if it has not just gone.
func (f *deviceFacts) whyAway() (status.Problem, bool) {
	switch {
	case f.standing == asPaused:
		return f.problem("device-paused-there", "it has paused this device"), true
	case f.standing == asStranger || f.early >= maxEarly:
		if f.former {
			return f.problem("device-forgot-us", "it does not know this device any more"), true
		}
		id := f.self.String()
		return f.problem("waiting-for-their-yes", "it does not know this device yet",
			"self", id, "group", id[len(id)-7:]), true
	case f.now.Sub(f.since) < awayAfter:
		return status.Problem{}, false
	case fault.CodeOf(f.dialErr) == codeUndialable:
		return f.problem(codeUndialable, f.dialErr.Error()), true
	}
	pairs := []string{}
	if f.need > 0 {
		pairs = append(pairs, "n", strconv.FormatInt(f.need, 10))
	}
	if !f.seen.IsZero() {
		pairs = append(pairs, "time", f.seen.UTC().Format(time.RFC3339))
	}
	if f.dialErr != nil {
		pairs = append(pairs, "cause", f.dialErr.Error())
	}
	return f.problem("device-out-of-reach", "not connected", pairs...), true
}

func (f *deviceFacts) pausedThere() bool {
	any := false
	for _, s := range f.shares {
		if s.there && !s.paused {
			return false
		}
		any = any || s.there
	}
	return any
}

func (f *deviceFacts) problem(code fault.Code, text string, pairs ...string) status.Problem {
	p := problemOf(fault.With(fault.New(fault.Peer, code, "%s", text), pairs...))
	p.Since = f.since.UTC()
	p.Param["device"], p.Param["ourid"] = f.name, f.self.String()
	return *p
}

package book

import (
	"cmp"
	"time"
)

// record is what the book knows of one address of one device.
type record struct {
	address   Address
	fixed     bool      // a person set it
	sighted   time.Time // last announced on this network, or source of an inbound connection
	dialedUs  bool      // the source of an inbound connection, which proved the device
	firstSeen time.Time
	lastSeen  time.Time            // announced, or known to be used, or set
	lastOK    map[string]time.Time // by network: when a dial last succeeded
	fails     int                  // failed dials since it last looked good
}

// rank is how promising an address is; less is better.
type rank int

const (
	goodHere rank = iota // worked on this network
	freshHere
	fixedAddress
	goodElsewhere
	hearsay
)

func (r *record) rank(network string, now time.Time) rank {
	switch {
	case !r.lastOK[network].IsZero():
		return goodHere
	case r.fresh(now):
		return freshHere
	case r.fixed:
		return fixedAddress
	case len(r.lastOK) > 0:
		return goodElsewhere
	default:
		return hearsay
	}
}

// fresh reports whether the device was at the address lately.
func (r *record) fresh(now time.Time) bool {
	return !r.sighted.IsZero() && now.Sub(r.sighted) < sightingLife
}

// better orders records for dialing.
func better(a, b *record, network string, now time.Time) int {
	return cmp.Or(
		cmp.Compare(a.rank(network, now), b.rank(network, now)),
		b.lastOK[network].Compare(a.lastOK[network]),
		cmp.Compare(a.address.preference(), b.address.preference()),
		b.lastSeen.Compare(a.lastSeen),
		cmp.Compare(a.address.String(), b.address.String()),
	)
}

// dropFirst orders records for dropping: those that never worked before those
// that did, then the oldest. Fixed ones come last.
func dropFirst(a, b *record) int {
	return cmp.Or(
		compareBool(a.fixed, b.fixed),
		compareBool(len(a.lastOK) > 0, len(b.lastOK) > 0),
		a.newest().Compare(b.newest()),
		cmp.Compare(a.address.String(), b.address.String()),
	)
}

// newest is when the address last proved of use, or was last heard of if it
// never did.
func (r *record) newest() time.Time {
	if len(r.lastOK) == 0 {
		return r.lastSeen
	}
	var newest time.Time
	for _, t := range r.lastOK {
		if t.After(newest) {
			newest = t
		}
	}
	return newest
}

// worked notes a successful dial, and forgets the network that was longest
// ago where there are too many.
func (r *record) worked(network string, now time.Time) {
	if r.lastOK == nil {
		r.lastOK = map[string]time.Time{}
	}
	r.lastOK[network] = now
	r.lastSeen, r.fails = now, 0
	for len(r.lastOK) > maxNetworks {
		delete(r.lastOK, oldestBut(network, r.lastOK))
	}
}

// oldestBut gives the network whose time is the oldest, leaving one out.
func oldestBut(network string, times map[string]time.Time) string {
	var oldest string
	var since time.Time
	for n, t := range times {
		if n != network && (since.IsZero() || t.Before(since)) {
			oldest, since = n, t
		}
	}
	return oldest
}

// worthKeeping reports whether the record should survive a restart.
func (r *record) worthKeeping() bool { return len(r.lastOK) > 0 || r.dialedUs }

// compareBool orders false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}

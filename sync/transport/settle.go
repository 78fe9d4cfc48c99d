package transport

import (
	"time"

	"lanyard/sync/device"
)

const (
	// settleRace is how far apart two connections may begin and still be taken
	// for dials that crossed. A later one means that the peer has lost the
	// earlier one: nobody dials a device that it is connected to.
	settleRace = 10 * time.Second
	// settlePatience is how long the preferred connection may take for its
	// Hello while another one could be used.
	settlePatience = 3 * time.Second
	// settleGrace is how long the side that does not decide leaves the closing
	// to the side that does.
	settleGrace = time.Second
)

// Attempt is one connection to a device, as Settle sees it. On the dialing
// side it begins with the dial, so that a handshake under way counts too.
type Attempt struct {
	Dialed bool      // by this side
	TCP    bool      // rather than QUIC
	Since  time.Time // when it was dialed or accepted
	Hello  time.Time // when the peer's Hello was received; zero if not yet
}

// Settlement says what to do with the attempts, by their positions.
type Settlement struct {
	// Use is the connection to talk on, -1 while there is none.
	Use int
	// Close lists the connections to end now, with Code.
	Close []int
	Code  Code
	// Again is when to ask once more if nothing changes; zero is never.
	Again time.Time
}

// Settle decides which of several connections to one peer stays. It is pure:
// call it whenever a connection begins, receives its Hello or ends, and at
// Again.
//
// Between two Lanyards (extended) one side decides on each pair of connections,
// so that the two never close one each: on two dials that crossed the device
// with the smaller ID, on two dials of one side that side. TCP is kept rather than
// QUIC; else a dial of the smaller ID, or of two of one side the first to receive
// its Hello. The other side closes a loser
// only where it is still there a second after the winner's Hello, because the
// close was lost, or because the winner came when its dialer was about to give it
// up. No loser is closed before the winner received its Hello, and a winner that
// takes longer than three seconds is given up by its dialer.
//
// A Syncthing keeps the connection that was first, so toward it we do too, and
// never close one in use for a later one of ours. It does not dial a device
// that it is connected to, unless it knows a better way: a much later dial of
// its own means that it has restarted, or that it moves, and takes over. A better
// way is TCP, for which it gives up QUIC.
func Settle(own, peer device.ID, extended bool, now time.Time, attempts []Attempt) Settlement {
	s := settling{now: now, attempts: attempts, smaller: own.Compare(peer) < 0}
	if !extended {
		return s.firstWins()
	}
	return s.bySmallerID()
}

type settling struct {
	now      time.Time
	attempts []Attempt
	smaller  bool // this side has the smaller ID
}

// firstWins keeps the connection whose Hello came first, unless the peer
// dialed another one much later, or that one is of QUIC and another of TCP. Such
// a one may take its time for its Hello.
func (s settling) firstWins() Settlement {
	first := func(a, b Attempt) bool {
		if replaces(a, b) || replaces(b, a) {
			return replaces(a, b)
		}
		if a.TCP != b.TCP {
			return a.TCP
		}
		return a.Hello.Before(b.Hello)
	}
	out := Settlement{Use: s.best(first, Attempt.usable), Code: CodeNormal}
	if out.Use < 0 {
		return out
	}
	used := s.attempts[out.Use]
	for _, i := range s.others(out.Use) {
		other := s.attempts[i]
		takesOver := replaces(other, used) || other.TCP && !used.TCP
		if other.usable() || !takesOver {
			out.Close = append(out.Close, i)
		}
	}
	return out
}

// replaces reports whether the peer dialed a so long after b began that it no
// longer counts on b.
func replaces(a, b Attempt) bool { return !a.Dialed && a.Since.Sub(b.Since) > settleRace }

// bySmallerID is the rule between two Lanyards.
func (s settling) bySmallerID() Settlement {
	out := Settlement{Use: s.best(s.prefer, Attempt.usable), Code: CodeDuplicate}
	if out.Use < 0 || len(s.attempts) == 1 {
		return out
	}
	used := s.attempts[out.Use]
	for _, i := range s.others(out.Use) {
		if at := s.closeAt(used, s.attempts[i]); !at.After(s.now) {
			out.Close = append(out.Close, i)
		} else if out.Again.IsZero() || at.Before(out.Again) {
			out.Again = at
		}
	}
	return out
}

// closeAt gives the time to close other, while used can be used.
func (s settling) closeAt(used, other Attempt) time.Time {
	if !other.usable() && s.prefer(other, used) {
		// It would win. Its dialer gives it up after a while; the other side
		// waits longer, so as not to close it while the dialer waits.
		at := later(other.Since, used.Hello).Add(settlePatience)
		if !other.Dialed {
			at = at.Add(settleGrace)
		}
		return at
	}
	if s.decides(used, other) && !s.late(used, other) {
		return s.now
	}
	return used.Hello.Add(settleGrace)
}

// late reports whether a connection of the peer's came so long after another one
// that the peer may be giving it up at this moment, for it did not have our Hello
// yet: closing the other one at once would leave none.
func (s settling) late(used, other Attempt) bool {
	took := used.Hello.Sub(other.Since)
	return !used.Dialed && took > settlePatience-settleGrace && took <= settleRace
}

// decides reports whether this side is the one that closes one of a and b.
func (s settling) decides(a, b Attempt) bool {
	if a.Dialed == b.Dialed {
		return a.Dialed
	}
	return s.smaller
}

// prefer reports whether a is to be kept rather than b.
func (s settling) prefer(a, b Attempt) bool {
	if gap := a.Since.Sub(b.Since).Abs(); gap > settleRace {
		return a.Since.After(b.Since)
	}
	if a.TCP != b.TCP {
		return a.TCP
	}
	if a.Dialed != b.Dialed {
		return a.Dialed == s.smaller // dialed by the smaller ID
	}
	if a.usable() != b.usable() {
		return a.usable()
	}
	if a.Dialed {
		return a.Hello.Before(b.Hello)
	}
	return a.Since.After(b.Since) // its dialer may have given up the earlier one
}

func (a Attempt) usable() bool { return !a.Hello.IsZero() }

// best gives the position of the attempt that is preferred over the other
// eligible ones, -1 if none is eligible.
func (s settling) best(prefer func(a, b Attempt) bool, eligible func(Attempt) bool) int {
	best := -1
	for i, a := range s.attempts {
		if eligible(a) && (best < 0 || prefer(a, s.attempts[best])) {
			best = i
		}
	}
	return best
}

// others lists all positions but one.
func (s settling) others(but int) []int {
	var list []int
	for i := range s.attempts {
		if i != but {
			list = append(list, i)
		}
	}
	return list
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

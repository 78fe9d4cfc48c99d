package transport_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"lanyard/sync/device"
	"lanyard/sync/transport"
)

var (
	smallID = device.ID{1}
	largeID = device.ID{2}
	epoch   = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
)

// at gives a time in milliseconds after the epoch.
func at(ms int) time.Time { return epoch.Add(time.Duration(ms) * time.Millisecond) }

// ours and theirs are attempts that began and received their Hello at the
// given milliseconds; a negative Hello has not come.
func ours(since, hello int) transport.Attempt   { return attempt(true, since, hello) }
func theirs(since, hello int) transport.Attempt { return attempt(false, since, hello) }

func overTCP(a transport.Attempt) transport.Attempt {
	a.TCP = true
	return a
}

func attempt(dialed bool, since, hello int) transport.Attempt {
	a := transport.Attempt{Dialed: dialed, Since: at(since)}
	if hello >= 0 {
		a.Hello = at(hello)
	}
	return a
}

func TestSettle(t *testing.T) {
	type attempts = []transport.Attempt
	const none = -1
	tests := []struct {
		name     string
		own      device.ID
		plain    bool // the peer is a Syncthing
		now      int
		attempts attempts
		use      int
		close    []int
		again    int // 0 is never
	}{
		{name: "nothing to settle without connections", own: smallID, use: none},
		{name: "a connection without its Hello is not used", own: smallID, now: 9000, attempts: attempts{ours(0, -1)}, use: none},
		{name: "a single connection is used", own: largeID, now: 9000, attempts: attempts{theirs(0, 100)}, use: 0},
		{name: "the smaller device keeps its own dial", own: smallID, now: 200, attempts: attempts{theirs(0, 0), ours(0, 200)}, use: 1, close: []int{0}},
		{name: "the larger device moves to the smaller one's dial and lets it close the other", own: largeID, now: 200, attempts: attempts{ours(0, 100), theirs(200, 200)}, use: 1, again: 1200},
		{name: "the larger device closes the loser if nobody else did", own: largeID, now: 1200, attempts: attempts{ours(0, 100), theirs(200, 200)}, use: 1, close: []int{0}},
		{name: "what exists is used while the winner's Hello is on its way", own: smallID, now: 100, attempts: attempts{ours(0, -1), theirs(100, 100)}, use: 1, again: 3100},
		{name: "the smaller device gives up a winner that takes too long", own: smallID, now: 3100, attempts: attempts{ours(0, -1), theirs(100, 100)}, use: 1, close: []int{0}},
		{name: "the larger device leaves giving up to the dialer", own: largeID, now: 3100, attempts: attempts{ours(0, 100), theirs(100, -1)}, use: 0, again: 4100},
		{name: "a pending dial that would lose is cancelled", own: smallID, now: 300, attempts: attempts{theirs(100, -1), ours(0, 300)}, use: 1, close: []int{0}},
		{name: "a much later connection means that the peer lost the earlier one", own: smallID, now: 60_000, attempts: attempts{ours(0, 100), theirs(60_000, 60_000)}, use: 1, close: []int{0}},
		{name: "of our own two dials the first Hello wins", own: largeID, now: 300, attempts: attempts{ours(0, 300), ours(50, 200)}, use: 1, close: []int{0}},
		{name: "of the peer's two dials the later is used and the peer closes one", own: smallID, now: 300, attempts: attempts{theirs(100, 100), theirs(300, 300)}, use: 1, again: 1300},
		{name: "toward a Syncthing the first Hello wins", own: smallID, plain: true, now: 500, attempts: attempts{ours(0, 500), theirs(400, 400)}, use: 1, close: []int{0}},
		{name: "a Syncthing that dials again much later has restarted", own: smallID, plain: true, now: 90_000, attempts: attempts{theirs(0, 0), theirs(90_000, 90_000)}, use: 1, close: []int{0}},
		{name: "its later dial is not used before its Hello", own: smallID, plain: true, now: 90_000, attempts: attempts{ours(0, 0), theirs(90_000, -1)}, use: 0},
		{name: "toward a Syncthing TCP wins over QUIC, as it does there", own: smallID, plain: true, now: 500, attempts: attempts{ours(0, 100), overTCP(theirs(400, 500))}, use: 1, close: []int{0}},
		{name: "toward a Syncthing QUIC does not take over from TCP", own: smallID, plain: true, now: 500, attempts: attempts{overTCP(ours(0, 500)), theirs(50, 100)}, use: 0, close: []int{1}},
		{name: "toward a Syncthing TCP on its way is waited for", own: smallID, plain: true, now: 500, attempts: attempts{ours(0, 100), overTCP(theirs(400, -1))}, use: 0},
		{name: "between Lanyards TCP wins over a crossed dial of the smaller ID", own: largeID, now: 1200, attempts: attempts{overTCP(ours(0, 100)), theirs(200, 200)}, use: 0, close: []int{1}},
		{name: "between Lanyards the smaller ID gives its QUIC up for TCP", own: smallID, now: 500, attempts: attempts{ours(0, 100), overTCP(theirs(400, 500))}, use: 1, close: []int{0}},
		{name: "a winner that its dialer may be giving up is waited for", own: smallID, now: 2894, attempts: attempts{ours(0, 2), overTCP(theirs(2894, 2894))}, use: 1, again: 3894},
		{name: "between Lanyards TCP on its way is waited for", own: smallID, now: 500, attempts: attempts{ours(0, 100), overTCP(theirs(400, -1))}, use: 0, again: 4400},
		{name: "toward a Syncthing an established connection is never given up for a dial of ours", own: smallID, plain: true, now: 90_000, attempts: attempts{theirs(0, 0), ours(90_000, 90_000)}, use: 0, close: []int{1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			peer := largeID
			if test.own == largeID {
				peer = smallID
			}
			want := transport.Settlement{Use: test.use, Close: test.close, Code: transport.CodeDuplicate}
			if test.plain {
				want.Code = transport.CodeNormal
			}
			if test.again > 0 {
				want.Again = at(test.again)
			}
			got := transport.Settle(test.own, peer, !test.plain, at(test.now), test.attempts)
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Errorf("Settle (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTwoDevicesThatDialEachOtherEndWithOneConnection plays two crossing
// dials, each of whose handshakes may be lost, with any delays, and any of the
// closes lost.
func TestTwoDevicesThatDialEachOtherEndWithOneConnection(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		losesCloses := rapid.Bool().Draw(rt, "closes may be lost")
		w := &race{draw: rt, losesCloses: losesCloses}
		w.sides[0] = &racer{id: smallID, peer: largeID, open: map[int]transport.Attempt{}}
		w.sides[1] = &racer{id: largeID, peer: smallID, open: map[int]transport.Attempt{}}
		lost := [2]bool{}
		for side := range w.sides {
			start := rapid.IntRange(0, 500).Draw(rt, "dial")
			lost[side] = rapid.Bool().Draw(rt, "handshake is lost")
			w.after(start, func() { w.dial(side, lost[side]) })
		}
		w.run()
		w.check(rt)
		if !losesCloses && !(lost[0] && lost[1]) && w.redials > 0 {
			rt.Errorf("both connections were closed: %d redials\n%s", w.redials, w.log)
		}
		if last := w.settledAt - w.lastHello; !losesCloses && last > 4000 {
			rt.Errorf("settled %d ms after the last Hello, want at most 4000\n%s", last, w.log)
		}
	})
}

// race is a discrete simulation in milliseconds of two devices and the network
// between them.
type race struct {
	draw        *rapid.T
	losesCloses bool
	now         int
	events      []raceEvent
	order       int
	sides       [2]*racer
	dials       int // numbers the connections
	redials     int
	lastHello   int // when a Hello was last received
	settledAt   int // when a connection was last closed
	log         string
}

type raceEvent struct {
	at, order int
	do        func()
}

// racer is one device: its open attempts by the number of the connection.
type racer struct {
	id, peer device.ID
	open     map[int]transport.Attempt
	dialing  bool
}

func (w *race) after(ms int, do func()) {
	w.order++
	w.events = append(w.events, raceEvent{w.now + ms, w.order, do})
}

func (w *race) run() {
	for len(w.events) > 0 {
		slices.SortFunc(w.events, func(a, b raceEvent) int {
			return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.order, b.order))
		})
		next := w.events[0]
		w.events = w.events[1:]
		w.now = next.at
		if w.now > 120_000 {
			return
		}
		next.do()
	}
}

// delay is the time that a message takes.
func (w *race) delay() int { return rapid.IntRange(1, 400).Draw(w.draw, "delay") }

func (w *race) note(format string, args ...any) {
	w.log += fmt.Sprintf("%6d ", w.now) + fmt.Sprintf(format, args...) + "\n"
}

// dial begins connection number n from a side. Unless it is lost, the other
// side receives the handshake with the dialer's Hello, and answers.
func (w *race) dial(side int, lost bool) {
	n := w.dials
	w.dials++
	dialer, acceptor := w.sides[side], w.sides[1-side]
	w.note("side %d dials connection %d, lost %v", side, n, lost)
	tcp := rapid.Bool().Draw(w.draw, "over TCP")
	dialer.open[n] = transport.Attempt{Dialed: true, TCP: tcp, Since: at(w.now)}
	w.settle(side)
	if lost {
		w.after(5000, func() { w.drop(side, n) })
		return
	}
	w.after(rapid.IntRange(1, 4500).Draw(w.draw, "handshake"), func() {
		if _, ok := dialer.open[n]; !ok {
			return // given up before the handshake was done
		}
		acceptor.open[n] = transport.Attempt{TCP: tcp, Since: at(w.now), Hello: at(w.now)}
		w.note("side %d receives Hello on %d", 1-side, n)
		w.lastHello = w.now
		w.settle(1 - side)
		w.after(w.delay(), func() {
			if a, ok := dialer.open[n]; ok {
				a.Hello = at(w.now)
				dialer.open[n] = a
				w.lastHello = w.now
				w.note("side %d receives Hello on %d", side, n)
				w.settle(side)
			}
		})
	})
}

// drop ends a connection at one side, which dials again if it has no other.
func (w *race) drop(side, n int) {
	s := w.sides[side]
	if _, ok := s.open[n]; !ok {
		return
	}
	delete(s.open, n)
	w.settledAt = w.now
	w.note("side %d has lost %d", side, n)
	if len(s.open) == 0 && !s.dialing {
		s.dialing = true
		w.after(rapid.IntRange(1, 1000).Draw(w.draw, "redial"), func() {
			s.dialing = false
			if len(s.open) == 0 {
				w.redials++
				w.dial(side, false)
			}
		})
	}
}

// settle asks Settle at one side and does what it says.
func (w *race) settle(side int) {
	s := w.sides[side]
	var numbers []int
	for n := range s.open {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	attempts := make([]transport.Attempt, len(numbers))
	for i, n := range numbers {
		attempts[i] = s.open[n]
	}
	verdict := transport.Settle(s.id, s.peer, true, at(w.now), attempts)
	for _, i := range verdict.Close {
		w.close(side, numbers[i])
	}
	if !verdict.Again.IsZero() {
		w.after(int(verdict.Again.Sub(at(w.now)).Milliseconds()), func() { w.settle(side) })
	}
}

// close ends a connection at one side and tells the other, which learns of a
// lost close when it next sends a keep-alive.
func (w *race) close(side, n int) {
	w.note("side %d closes %d", side, n)
	w.drop(side, n)
	delay := w.delay()
	if w.losesCloses && rapid.Bool().Draw(w.draw, "close is lost") {
		delay = 10_000
	}
	w.after(delay, func() { w.drop(1-side, n) })
}

func (w *race) check(t *rapid.T) {
	a, b := w.sides[0].open, w.sides[1].open
	if len(a) != 1 || len(b) != 1 {
		t.Fatalf("the smaller device has %d connections, the larger %d, want 1 and 1\n%s", len(a), len(b), w.log)
	}
	for n := range a {
		if b[n].Hello.IsZero() || a[n].Hello.IsZero() {
			t.Fatalf("they have different connections, or one without its Hello: %v and %v\n%s", a, b, w.log)
		}
	}
}

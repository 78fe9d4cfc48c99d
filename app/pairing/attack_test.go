package pairing

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"os"
	"testing"
	"time"

	"lanyard/sync/device"
	"lanyard/sync/fault"
)

func TestEachBitOfEachMessageMatters(t *testing.T) {
	eachMethod(t, func(t *testing.T, m method) {
		for changed := 0; ; changed++ {
			chA, chB := ends()
			first, second := m.make(t, chA, chB)
			sent := 0
			broken := false
			books := map[Machine]*ledger{first: {}, second: {}}
			other := map[Machine]Machine{first: second, second: first}
			type todo struct {
				to      Machine
				effects []Effect
			}
			queue := []todo{{first, first.Start()}, {second, second.Start()}}
			var codes []string
			for len(queue) > 0 {
				q := queue[0]
				queue = queue[1:]
				for _, e := range q.effects {
					switch e := e.(type) {
					case Send:
						b := bytes.Clone(e.Bytes)
						if at := changed - sent; at >= 0 && at < len(b) {
							b[at] ^= 1 << (changed % 8)
							broken = true
						}
						sent += len(e.Bytes)
						left := maxStream
						msg, err := read(&endless{b}, &left)
						var next []Effect
						if err != nil {
							next = other[q.to].Step(Lost{err})
						} else {
							next = other[q.to].Step(received{msg})
						}
						queue = append(queue, todo{other[q.to], next})
					case Spend:
						queue = append(queue, todo{q.to, q.to.Step(Spent{})})
					case Count:
						queue = append(queue, todo{q.to, q.to.Step(Counted{})})
					case Show:
						codes = append(codes, e.Code)
					case Ask:
						codes = append(codes, e.Code)
						// People who compare: a code is right if both show the same.
						yes := len(codes) < 2 || codes[0] == codes[1]
						queue = append(queue, todo{q.to, q.to.Step(Answered{Yes: yes})})
					case Save:
						books[q.to].paired = books[q.to].paired || !e.Pending
						queue = append(queue, todo{q.to, q.to.Step(Saved{})})
					}
				}
			}
			if !broken {
				if !books[first].paired || !books[second].paired {
					t.Error("an unchanged run does not pair")
				}
				return
			}
			// The last word is lost on its way: then the second side is done, and
			// the first keeps it as pending.
			if books[first].paired {
				t.Errorf("byte %d changed, and the first side pairs", changed)
			}
		}
	})
}

// endless gives zeros after its bytes, as a stream that goes on would.
type endless struct{ b []byte }

func (r *endless) Read(p []byte) (int, error) {
	clear(p)
	n := copy(p, r.b)
	r.b = r.b[n:]
	return len(p), nil
}

func TestAReplayOnAnotherChannelIsWorthNothing(t *testing.T) {
	chA, chB := ends()
	_, taker := methods()[0].make(t, chA, chB)
	hello := taker.Start()[0].(Send).Bytes
	chA.Binding[0] ^= 1
	shower, err := NewShower(chA, secret, "a")
	must(t, err)
	if got := endOf(shower.Step(received{decode(t, hello)})); fault.KindOf(got) != fault.Peer {
		t.Errorf("a hello of another channel ends with %v", got)
	}
}

func TestJunkDoesNotSpendAnInvitation(t *testing.T) {
	chA, _ := ends()
	for i := range 1000 {
		shower, err := NewShower(chA, secret, "a")
		must(t, err)
		junk := sha256.Sum256(binary.BigEndian.AppendUint32(nil, uint32(i)))
		for _, e := range shower.Step(received{message{kind: msgHello, fields: [][]byte{junk[:], junk[:], []byte("b")}}}) {
			if _, spends := e.(Spend); spends {
				t.Fatal("junk spends the invitation")
			}
		}
	}
}

// between is an attacker with one connection to each side, whose certificate
// each side sees. He relays what he must and makes up what he can.
type between struct {
	modulus   uint64
	unchecked bool // the responder takes any opening of the commitment
	abort     bool // he ends runs that would fail, before they are compared
}

// attack runs one pair of runs and reports whether both sides would show the
// same digits, and whether the run came so far that it counts as a guess.
func (m between) attack(t *testing.T) (match, counted bool) {
	mallory := device.ID(sha256.Sum256([]byte("mallory")))
	toI := Channel{Self: idB, Peer: mallory, Binding: Binding{1}} // the initiator's
	toR := Channel{Self: idA, Peer: mallory, Binding: Binding{2}} // the responder's
	initiator, err := NewInitiator(toI, "b")
	must(t, err)
	responder, err := NewResponder(toR, "a")
	must(t, err)
	initiator.modulus, responder.modulus, responder.anything = m.modulus, m.modulus, m.unchecked

	// To the initiator he is the responder: he has to give his nonce before he
	// sees hers.
	initiator.Start()
	mine := nonce()
	initiator.Step(received{message{kind: msgNonce, fields: [][]byte{mine, []byte("a")}, raw: mine}})
	reveal := initiator.Step(Counted{})
	fromI := decode(t, reveal[0].(Send).Bytes).fields[0]
	codeI := reveal[1].(Ask).Code

	// To the responder he is the initiator: he commits first, and may look for
	// another opening once he has seen the responder's nonce.
	own := nonce()
	c := commitment(mallory, idA, toR.Binding, own, []byte("b"))
	responder.Step(received{message{kind: msgCommit, fields: [][]byte{c, []byte("b")}, raw: c}})
	hers := decode(t, responder.Step(Counted{})[0].(Send).Bytes).fields[0]
	_ = fromI
	wanted := func(n []byte) bool {
		key := codeKey(mallory, idA, toR.Binding, n, hers, []byte("b"), []byte("a"))
		return digits(expand(key, "code"), m.modulus) == codeI
	}
	if m.unchecked {
		for i := uint64(0); i < 20*m.modulus && !wanted(own); i++ {
			binary.BigEndian.PutUint64(own, i)
		}
	}
	if m.abort && !wanted(own) {
		return false, true
	}
	out := responder.Step(received{message{kind: msgReveal, fields: [][]byte{own}, raw: own}})
	if ask, ok := out[0].(Ask); ok {
		return ask.Code == codeI, true
	}
	return false, true
}

func TestOneBetweenTwoDevicesHasOneGuess(t *testing.T) {
	// Codes of two digits, so that guesses can be counted: one in a hundred runs
	// is to match by chance.
	const modulus = 100
	runs := 20_000
	if os.Getenv("LANYARD_LONG") != "" {
		runs = 1_000_000
	}
	deviation := math.Sqrt(float64(runs) / modulus * (1 - 1.0/modulus)) // sqrt(n p q)
	matches := 0
	for range runs {
		if match, _ := (between{modulus: modulus}).attack(t); match {
			matches++
		}
	}
	if want, five := runs/modulus, 5*deviation; float64(matches) < float64(want)-five || float64(matches) > float64(want)+five {
		t.Errorf("%d of %d runs match, want about %d", matches, runs, want)
	}
	t.Logf("%.2f %% of %d runs match", float64(matches)/float64(runs)*100, runs)
}

func TestWithoutTheCommitmentHeAlwaysMatches(t *testing.T) {
	// The test above would see it.
	const runs = 300
	matches := 0
	for range runs {
		if match, _ := (between{modulus: 100, unchecked: true}).attack(t); match {
			matches++
		}
	}
	if matches < runs*99/100 {
		t.Errorf("%d of %d runs match, want nearly all", matches, runs)
	}
}

func TestRunsThatAreEndedEarlyCount(t *testing.T) {
	// An attacker ends each run that would fail, as soon as he knows, and begins
	// anew. The limits end that.
	l := NewLimits(Day{})
	wall, mono := time.Unix(1_700_000_000, 0), time.Duration(0)
	allowed := 0
	for range 200 {
		mono += time.Minute
		if mono%(5*time.Minute) == 0 {
			l.OpenPane()
		}
		if l.Count(wall.Add(mono), mono) != nil {
			continue
		}
		allowed++
		match, counted := between{modulus: 100, abort: true}.attack(t)
		if !match && counted {
			l.Ended(errBroken("it is gone"), mono)
		}
	}
	if allowed > runsOfDay {
		t.Errorf("%d runs in one day, want at most %d", allowed, runsOfDay)
	}
}

// A responder that drops a run for one of its own says so, before it has shown
// its nonce: the run was no guess.
func TestARunThatCrossedAnotherEndsBeforeItIsAGuess(t *testing.T) {
	chA, chB := ends()
	responder, initiator := methods()[1].make(t, chA, chB)
	counts := 0
	a, b := &side{count: func() error { return ErrCrossed }}, &side{count: func() error { counts++; return nil }}
	errA, errB := meet(t, responder, initiator, a, b)
	if errA != ErrCrossed || errB != ErrCrossed {
		t.Errorf("it ended with %v and %v", errA, errB)
	}
	if counts > 0 || len(a.questions)+len(b.questions)+len(a.saved)+len(b.saved) > 0 {
		t.Errorf("counted %d times, asked %v and %v, saved %v and %v", counts, a.questions, b.questions, a.saved, b.saved)
	}
}

func TestLimitsOfAPane(t *testing.T) {
	l := NewLimits(Day{})
	wall := time.Unix(1_700_000_000, 0)
	mono := time.Duration(0)
	try := func() error { return l.Count(wall.Add(mono), mono) }
	must(t, try())
	if err := try(); fault.KindOf(err) != fault.Retry {
		t.Errorf("a second run beside the first: %v", err)
	}
	for i, pause := range pauses {
		l.Ended(errBroken("x"), mono)
		mono += pause - 1
		if i == runsOfPane-1 {
			l.OpenPane()
		}
		if err := try(); fault.KindOf(err) != fault.Retry {
			t.Errorf("run %d before its pause of %v is over: %v", i+2, pause, err)
		}
		mono++
		if err := try(); err != nil {
			t.Errorf("run %d after its pause: %v", i+2, err)
		}
	}
	l.Ended(nil, mono)
	must(t, try())
	l.Ended(nil, mono)
	must(t, try())
	l.Ended(nil, mono)
	if err := try(); err == nil {
		t.Error("a fourth run of one pane is allowed")
	}
}

func TestThreeMismatchesEndIt(t *testing.T) {
	wall, mono := time.Unix(1_700_000_000, 0), time.Duration(0)
	l := NewLimits(Day{})
	for range mismatchesMax {
		mono += time.Hour
		l.OpenPane()
		must(t, l.Count(wall, mono))
		l.Ended(errDiffer(), mono)
	}
	l = NewLimits(l.Day()) // over a restart, and over days
	l.OpenPane()
	if err := l.Count(wall.AddDate(0, 0, 3), 0); fault.CodeOf(err) != "pairing-locked" {
		t.Errorf("after three mismatches: %v, want pairing-locked", err)
	}
	l.Enable()
	must(t, l.Count(wall.AddDate(0, 0, 3), 0))
}

func TestAClockThatIsSetBackGivesNoNewDay(t *testing.T) {
	l := NewLimits(Day{})
	wall, mono := time.Unix(1_700_000_000, 0), time.Duration(0)
	allowed := 0
	for day := range 40 {
		mono += time.Hour
		l.OpenPane()
		if l.Count(wall.AddDate(0, 0, -day), mono) == nil {
			allowed++
			l.Ended(errBroken("x"), mono)
		}
	}
	if allowed != runsOfDay {
		t.Errorf("%d runs, want %d", allowed, runsOfDay)
	}
}

func TestTriesOfAnAddressAreBounded(t *testing.T) {
	var tries Tries
	a := netip.MustParseAddr("192.168.1.2")
	for i := range 10 {
		if got := tries.Allow(a, 0); got != (i < triesOfAddress) {
			t.Errorf("try %d: %v", i+1, got)
		}
	}
	if !tries.Allow(netip.MustParseAddr("::ffff:192.168.1.3"), 0) {
		t.Error("another address is refused")
	}
	if !tries.Allow(a, tryWindow) {
		t.Error("a minute later it is still refused")
	}
	for i := range 10 * maxAddresses {
		tries.Allow(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), 2*tryWindow)
	}
	if len(tries.seen) > maxAddresses {
		t.Errorf("%d addresses are remembered", len(tries.seen))
	}
	if !tries.Allow(netip.MustParseAddr("192.168.1.4"), 2*tryWindow) {
		t.Error("whoever has many addresses keeps others out")
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	text, err := secret.MarshalText()
	must(t, err)
	inv := Invitation{Secret: secret}
	for _, s := range []string{
		fmt.Sprint(secret), fmt.Sprintf("%v %+v %#v %x %s %q %d", secret, inv, inv, secret, secret, secret, secret), string(text),
	} {
		if bytes.Contains([]byte(s), []byte("0102")) || bytes.Contains([]byte(s), []byte("1 2 3")) || bytes.Contains([]byte(s), []byte("0x1, 0x2")) {
			t.Errorf("the secret is in %q", s)
		}
	}
}

package desk

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"lanyard/app/pairing"
	"lanyard/sync/device"
	"lanyard/sync/status"
)

// neighbours are two devices whose people see the other one nearby.
func neighbours(t *testing.T, w *world) (smaller, larger *computer) {
	t.Helper()
	a, b := w.computer(t, "a"), w.computer(t, "b")
	must(t, a.desk.OpenPane())
	must(t, b.desk.OpenPane())
	nearby(a, b)
	if b.id().Compare(a.id()) < 0 {
		a, b = b, a
	}
	return a, b
}

// choose has a person choose another device.
func (c *computer) choose(other *computer) status.PairingRun {
	c.t.Helper()
	r, err := c.desk.Choose(other.address)
	must(c.t, err)
	return r
}

// asked waits until a run asks its person.
func (c *computer) asked(id string) status.PairingRun {
	c.t.Helper()
	return c.run(id, status.PairingAsks)
}

// run waits until a run is in a state.
func (c *computer) run(id string, state status.PairingState) (run status.PairingRun) {
	c.t.Helper()
	c.until(string(state), func(s status.Pairing) bool {
		for _, r := range s.Runs {
			if r.ID == id {
				run = r
			}
		}
		return run.State == state
	})
	return run
}

func TestTwoPeopleMayChooseEachOtherAtOnce(t *testing.T) {
	type delays struct{ smaller, larger time.Duration }
	for name, lag := range map[string]delays{
		"at once":                        {},
		"the smaller ID is first":        {0, time.Second},
		"the larger ID is first":         {time.Second, 0},
		"at once, and dials take a time": {2 * time.Second, 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			for range 4 {
				together(t, func(t *testing.T, w *world) {
					smaller, larger := neighbours(t, w)
					smaller.lag, larger.lag = lag.smaller, lag.larger
					beganS, beganL := smaller.choose(larger), larger.choose(smaller)
					atS, atL := smaller.asked(beganS.ID), larger.asked(beganL.ID)
					if atS.Digits == "" || atS.Digits != atL.Digits || atS.Device != larger.id().String() || atL.Device != smaller.id().String() {
						t.Errorf("asked %+v and %+v", atS, atL)
					}
					if len(atS.Choices)+len(atL.Choices) != 3 || !atS.Began || !atL.Began {
						t.Errorf("choices are %q and %q, want three on one side", atS.Choices, atL.Choices)
					}
					_, err := smaller.desk.Answer(atS.ID, true, atS.Digits)
					must(t, err)
					_, err = larger.desk.Answer(atL.ID, true, "")
					must(t, err)
					smaller.run(beganS.ID, status.PairingDone)
					larger.run(beganL.ID, status.PairingDone)
					if !smaller.knows(larger) || !larger.knows(smaller) {
						t.Error("they are not connected")
					}
					for _, c := range []*computer{smaller, larger} {
						if s, _ := c.desk.Snapshot(); len(s.Runs) != 1 {
							t.Errorf("%d runs are shown, want one: %+v", len(s.Runs), s.Runs)
						}
						if n := c.store.Config().ByNumber.Runs; n != 1 {
							t.Errorf("%d runs were counted, want one", n)
						}
					}
				})
			}
		})
	}
}

// A device that cannot be dialed, such as behind a firewall, is asked by the
// other one all the same.
func TestOneOfTwoWhoChooseEachOtherMayBeOutOfReach(t *testing.T) {
	together(t, func(t *testing.T, w *world) {
		smaller, larger := neighbours(t, w)
		for _, lag := range []struct{ slow, quick *computer }{{smaller, larger}, {larger, smaller}} {
			lag.slow.lag, lag.quick.lag = findWithin-time.Second, 0
			slow, quick := lag.slow.choose(lag.quick), lag.quick.choose(lag.slow)
			lag.quick.asked(quick.ID)
			s := lag.slow.until("it is asked", func(s status.Pairing) bool { return s.Runs[len(s.Runs)-1].State == status.PairingAsks })
			asked := s.Runs[len(s.Runs)-1]
			if asked.ID == slow.ID {
				t.Error("a run that has reached nobody is asked about")
			}
			// In the end it gets through: both are one then.
			s = lag.slow.until("one run is left", func(s status.Pairing) bool { return s.Runs[len(s.Runs)-1].ID == slow.ID })
			if r := s.Runs[len(s.Runs)-1]; r.State != status.PairingAsks || r.Digits != asked.Digits || !r.Began {
				t.Errorf("it goes on as %+v, asked was %+v", r, asked)
			}
			_, err := lag.slow.desk.Answer(asked.ID, true, "")
			must(t, err)
			_, err = lag.quick.desk.Answer(quick.ID, true, "")
			must(t, err)
			lag.quick.run(quick.ID, status.PairingDone)
			lag.slow.run(slow.ID, status.PairingDone)
			<-time.After(time.Minute) // longer than what is over is shown, and than the pauses
			must(t, smaller.desk.OpenPane())
			must(t, larger.desk.OpenPane())
		}
	})
}

func TestARunThatCrossedEndsLikeTheOneInItsPlace(t *testing.T) {
	together(t, func(t *testing.T, w *world) {
		smaller, larger := neighbours(t, w)
		beganS, beganL := smaller.choose(larger), larger.choose(smaller)
		smaller.asked(beganS.ID)
		larger.asked(beganL.ID)
		_, err := larger.desk.Answer(beganL.ID, false, "")
		must(t, err)
		for c, id := range map[*computer]string{smaller: beganS.ID, larger: beganL.ID} {
			if got := c.run(id, status.PairingFailed).Problem; got == nil || got.Code != "digits-differ" {
				t.Errorf("it ended with %+v", got)
			}
			if n := c.store.Config().ByNumber.Mismatches; n != 1 {
				t.Errorf("%d mismatches were counted, want one", n)
			}
		}
		if len(smaller.peers())+len(larger.peers()) > 0 {
			t.Error("somebody was stored")
		}
	})
}

// attacker is a device that our person has chosen, and that keeps to the protocol
// only as far as it likes.
type attacker struct {
	id      device.ID
	address string
}

// begins has it begin a run of its own, which it drops when it has seen the
// other's nonce. It reports whether it came to see one.
func (a *attacker) begins(t *testing.T, with *computer) (sawNonce bool) {
	mine, theirs := pipe(a.id, a.address, with.id(), with.address)
	select {
	case with.conns <- theirs:
	case <-time.After(time.Minute):
		t.Fatal("nobody takes the connection")
	}
	defer mine.Close()
	key, _ := mine.Binding(pairing.LabelNearby)
	m, err := pairing.NewInitiator(pairing.Channel{Self: a.id, Peer: with.id(), Binding: key}, "M")
	must(t, err)
	away := errors.New("it has seen enough")
	_ = pairing.Run(t.Context(), mine, m, pairing.Host{Count: func() error { sawNonce = true; return away }})
	return sawNonce
}

// TestCrossingRunsGivesNoMoreGuesses has a device that our person chooses again
// and again refuse each run as one that crossed its own, which it then begins and
// drops. A guess is possible once a nonce was seen; each of these counts.
func TestCrossingRunsGivesNoMoreGuesses(t *testing.T) {
	for name, id := range map[string]device.ID{"with a small ID": {}, "with a large ID": {0: 0xff, 1: 0xff}} {
		t.Run(name, func(t *testing.T) {
			together(t, func(t *testing.T, w *world) {
				a := w.computer(t, "a")
				id[31] = 1
				evil := &attacker{id, "quic://192.168.7.9:22000"}
				must(t, a.desk.OpenPane())
				seen := 0
				for range 8 {
					a.desk.Found([]Neighbour{{Key: "m", Name: "M", Addresses: []string{evil.address}}})
					evil.chosen(t, a, func() {
						for range 2 {
							if evil.begins(t, a) {
								seen++
							}
						}
					})
					<-time.After(time.Minute / 2) // longer than the pauses
					must(t, a.desk.OpenPane())    // renewed, which gives no more tries
				}
				if day := a.store.Config().ByNumber; seen == 0 || seen > 3 || day.Runs != seen {
					t.Errorf("it saw %d nonces, want 1 to 3, and %d runs were counted", seen, day.Runs)
				}
				if len(a.peers()) > 0 {
					t.Error("somebody was stored")
				}
			})
		})
	}
}

// chosen has our person choose the attacker, which refuses the run as crossed,
// and does something before that and after.
func (a *attacker) chosen(t *testing.T, by *computer, meanwhile func()) {
	t.Helper()
	theirs, mine := pipe(by.id(), by.address, a.id, a.address)
	by.next = theirs
	_, err := by.desk.Choose("m")
	must(t, err)
	commit := make([]byte, 33)
	_, err = io.ReadFull(mine, commit)
	must(t, err)
	go func() { _, _ = io.Copy(io.Discard, mine) }()
	meanwhile()
	_, _ = mine.Write([]byte{8, 7}) // refuse: crossed; unless the run is over
	synctest.Wait()
	meanwhile()
	by.until("it is over", func(s status.Pairing) bool {
		for _, r := range s.Runs {
			if r.Began && r.State != status.PairingFailed {
				return false
			}
		}
		return true
	})
	mine.Close()
}

func TestAnAttackerInTheMiddleOfTwoWhoChooseEachOtherIsSeen(t *testing.T) {
	together(t, func(t *testing.T, w *world) {
		a, b := w.computer(t, "a"), w.computer(t, "b")
		must(t, a.desk.OpenPane())
		must(t, b.desk.OpenPane())
		evil := device.ID(sha256.Sum256([]byte("evil")))
		// Each takes the attacker for the other, who answers both and relays what
		// it can: the nonces, on channels that are not the same.
		var digits []string
		for _, victim := range []*computer{a, b} {
			theirs, mine := pipe(victim.id(), victim.address, evil, "quic://10.0.0.1:1")
			victim.next = theirs
			victim.desk.Found([]Neighbour{{Key: "m", Name: "friend", Addresses: []string{"quic://10.0.0.1:1"}}})
			r, err := victim.desk.Choose("m")
			must(t, err)
			key, _ := mine.Binding(pairing.LabelNearby)
			m, err := pairing.NewResponder(pairing.Channel{Self: evil, Peer: victim.id(), Binding: key}, "friend")
			must(t, err)
			go func() {
				_ = pairing.Run(t.Context(), mine, m, pairing.Host{
					Count: func() error { return nil },
					Ask: func(ctx context.Context, _ pairing.Question) (pairing.Answered, error) {
						<-ctx.Done()
						return pairing.Answered{}, context.Cause(ctx)
					},
				})
			}()
			digits = append(digits, victim.asked(r.ID).Digits)
		}
		if digits[0] == digits[1] {
			t.Errorf("both show %s, which is once in a million", digits[0])
		}
		for _, victim := range []*computer{a, b} {
			victim.crash()
		}
	})
}

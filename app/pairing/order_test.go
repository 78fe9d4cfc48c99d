package pairing

import (
	"math"
	"testing"

	"lanyard/sync/fault"
)

// delivery is one message of a run, to its first or second side.
type delivery struct {
	to      int
	message message
}

// listener is one side of a run. It notes the messages that both sides get, and
// holds the n-th and what comes after back.
type listener struct {
	Machine
	side int
	all  *[]delivery
	n    int
}

func (l *listener) Step(e Event) []Effect {
	if m, ok := e.(received); ok {
		if len(*l.all) >= l.n {
			return nil
		}
		*l.all = append(*l.all, delivery{l.side, m.message})
		if len(*l.all) == l.n {
			return nil
		}
	}
	return l.Machine.Step(e)
}

// messagesOf carries a run out, with a host that agrees to all, but for its n-th
// message, and gives those before it and that one. Fewer than n are all of the
// run.
func messagesOf(sides [2]Machine, n int) (all []delivery) {
	first, second := &listener{sides[0], 0, &all, n}, &listener{sides[1], 1, &all, n}
	exchange(first, second, &ledger{}, &ledger{}, math.MaxInt)
	return all
}

// At each point of a run another message than the next one comes: one of
// before, once more, or one of later, too early, and both as a peer would make
// them. Nothing of the run is worth anything then.
func TestAMessageOutOfItsTurnEndsTheRun(t *testing.T) {
	eachMethod(t, func(t *testing.T, m method) {
		run := func(n int) (sides [2]Machine, messages []delivery) {
			chA, chB := ends()
			sides[0], sides[1] = m.make(t, chA, chB)
			return sides, messagesOf(sides, n)
		}
		_, all := run(1 << 10)
		if len(all) < 3 {
			t.Fatalf("a run has %d messages", len(all))
		}
		for n := range all {
			for _, wrong := range all {
				if wrong.message.kind == all[n].message.kind {
					continue
				}
				sides, messages := run(n + 1)
				due := messages[n]
				effects := sides[due.to].Step(received{wrong.message})
				if err := endOf(effects); fault.KindOf(err) != fault.Peer {
					t.Errorf("message of kind %d in place of %d: ends with %v", wrong.message.kind, due.message.kind, err)
				}
				effects = append(effects, sides[due.to].Step(received{due.message})...)
				for _, e := range effects {
					switch e.(type) {
					case Save, Ask, Show, Spend, Count:
						t.Errorf("message of kind %d in place of %d: leads to %T", wrong.message.kind, due.message.kind, e)
					}
				}
			}
		}
	})
}

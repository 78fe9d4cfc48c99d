package pairing

import (
	"testing"

	"lanyard/sync/fault"
)

// delivery is one message of a run, to its first or second side.
type delivery struct {
	to      int
	message message
}

// messagesOf carries a run out until the n-th message is about to be delivered,
// with a host that agrees to all, and gives the messages before it, and that one.
// Fewer than n are all of the run.
func messagesOf(t *testing.T, sides [2]Machine, n int) (before []delivery) {
	t.Helper()
	type todo struct {
		side    int
		effects []Effect
	}
	queue := []todo{{0, sides[0].Start()}, {1, sides[1].Start()}}
	for len(queue) > 0 {
		q := queue[0]
		queue = queue[1:]
		for _, e := range q.effects {
			side, into := q.side, Event(nil)
			switch e := e.(type) {
			case Send:
				side = 1 - q.side
				m := decode(t, e.Bytes)
				before = append(before, delivery{side, m})
				if len(before) == n {
					return before
				}
				into = received{m}
			case Spend:
				into = Spent{}
			case Count:
				into = Counted{}
			case Ask:
				into = Answered{Yes: true}
			case Save:
				into = Saved{}
			}
			if into != nil {
				queue = append(queue, todo{side, sides[side].Step(into)})
			}
		}
	}
	return before
}

// At each point of a run another message than the next one comes: one of
// before, once more, or one of later, too early, and both as a peer would make
// them. Nothing of the run is worth anything then.
func TestAMessageOutOfItsTurnEndsTheRun(t *testing.T) {
	eachMethod(t, func(t *testing.T, m method) {
		run := func(n int) (sides [2]Machine, messages []delivery) {
			chA, chB := ends()
			sides[0], sides[1] = m.make(t, chA, chB)
			return sides, messagesOf(t, sides, n)
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

package pull

import (
	"testing"

	"pgregory.net/rapid"

	"lanyard/sync/device"
)

func idle(device.ID) (int, bool) { return 0, true }

func TestStepsAskEachMissingBlockOnce(t *testing.T) {
	s := NewSteps(3, []device.ID{{1}})
	s.Have(1)
	var got []int
	for {
		b, _, ok := s.Ask(idle)
		if !ok {
			break
		}
		got = append(got, b)
	}
	if len(got) != 2 || got[0] != 0 || got[1] != 2 {
		t.Fatalf("asked for blocks %v, want [0 2]", got)
	}
	if !s.Waiting() || s.Done() {
		t.Fatalf("waiting %v, done %v after asking, want true, false", s.Waiting(), s.Done())
	}
}

func TestStepsPreferTheLeastBusySource(t *testing.T) {
	s := NewSteps(1, []device.ID{{1}, {2}, {3}})
	load := map[device.ID]int{{1}: 5, {2}: 2}
	_, from, ok := s.Ask(func(d device.ID) (int, bool) { n, ok := load[d]; return n, ok })
	if !ok || from != (device.ID{2}) {
		t.Fatalf("asked %v (%v), want device 2: 3 is away and 1 is busier", from[0], ok)
	}
}

func TestStepsAskAnotherSourceAfterAFailure(t *testing.T) {
	s := NewSteps(1, []device.ID{{1}, {2}})
	b, first, _ := s.Ask(idle)
	s.Failed(b, first)
	_, second, ok := s.Ask(idle)
	if !ok || second == first {
		t.Fatalf("asked %v again after it failed", second[0])
	}
	s.Failed(b, second)
	if _, _, ok := s.Ask(idle); ok || s.Waiting() || s.Done() {
		t.Fatal("asks on after every source failed")
	}
}

// Whatever the order of answers, failures and departures, no block is asked
// twice at a time, and the file is done exactly when every block came.
func TestStepsEndDoneOrStuck(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "blocks")
		sources := []device.ID{{1}, {2}, {3}}[:rapid.IntRange(1, 3).Draw(t, "sources")]
		s := NewSteps(n, sources)
		open := map[int]device.ID{}
		came := map[int]bool{}
		for {
			if b, from, ok := s.Ask(idle); ok && rapid.Bool().Draw(t, "ask") {
				if _, twice := open[b]; twice || came[b] {
					t.Fatalf("block %d asked again", b)
				}
				open[b] = from
				continue
			} else if ok {
				open[b] = from
			}
			if len(open) == 0 {
				break
			}
			for b, from := range open {
				delete(open, b)
				if rapid.Bool().Draw(t, "works") {
					s.Have(b)
					came[b] = true
				} else {
					s.Failed(b, from)
				}
				break
			}
		}
		if s.Waiting() {
			t.Fatal("waits for an answer that nobody owes")
		}
		if s.Done() != (len(came) == n) {
			t.Fatalf("done %v with %d of %d blocks", s.Done(), len(came), n)
		}
	})
}

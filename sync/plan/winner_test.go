package plan

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"lanyard/sync/bep"
	"lanyard/sync/vector"
)

// version draws an entry over few devices and times, so that equal, ordered
// and concurrent ones all come up. At most one entry of a list is local.
func version(t *rapid.T, local bool) Version {
	v := Version{
		ModifiedS:  rapid.Int64Range(0, 2).Draw(t, "seconds"),
		ModifiedNs: rapid.Int32Range(0, 1).Draw(t, "nanoseconds"),
		Invalid:    rapid.IntRange(0, 3).Draw(t, "invalid") == 0,
		Local:      local,
	}
	for id := uint64(1); id <= 3; id++ {
		if n := rapid.Uint64Range(0, 2).Draw(t, "counter"); n > 0 {
			v.Vector = append(v.Vector, vector.Counter{ID: id, Value: n})
		}
	}
	return v
}

// entries draws the entries of several devices. One version has one
// modification time, whoever announces it.
func entries(t *rapid.T) []Version {
	n := rapid.IntRange(1, 6).Draw(t, "devices")
	local := rapid.IntRange(-1, n-1).Draw(t, "local")
	var out []Version
	for i := range n {
		v := version(t, i == local)
		for _, w := range out {
			if vector.Compare(v.Vector, w.Vector) == vector.Equal {
				v.ModifiedS, v.ModifiedNs = w.ModifiedS, w.ModifiedNs
			}
		}
		out = append(out, v)
	}
	return out
}

func TestTheWinnerIsTheSameForEveryOrderOfEntries(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := entries(t)
		shuffled := rapid.Permutation(list).Draw(t, "order")
		if d := cmp.Diff(list[Winner(list)], shuffled[Winner(shuffled)]); d != "" {
			t.Fatalf("another order, another winner: %s", d)
		}
	})
}

// firstOfPair is Syncthing's rule for two entries.
func firstOfPair(a, b Version) bool {
	switch vector.Compare(a.Vector, b.Vector) {
	case vector.Greater:
		return !a.Invalid || b.Invalid
	case vector.Lesser:
		return !a.Invalid && b.Invalid
	case vector.Equal:
		if a.Invalid != b.Invalid {
			return b.Invalid
		}
		return a.Local || !b.Local
	case vector.ConcurrentGreater:
		return pairByTime(a, b, true)
	default:
		return pairByTime(a, b, false)
	}
}

func pairByTime(a, b Version, otherwise bool) bool {
	switch {
	case a.Invalid != b.Invalid:
		return b.Invalid
	case a.ModifiedS != b.ModifiedS:
		return a.ModifiedS > b.ModifiedS
	case a.ModifiedNs != b.ModifiedNs:
		return a.ModifiedNs > b.ModifiedNs
	}
	return otherwise
}

func TestTheWinnerOfTwoIsSyncthings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		local := rapid.IntRange(0, 2).Draw(t, "local")
		a, b := version(t, local == 1), version(t, local == 2)
		want := 1
		if firstOfPair(a, b) {
			want = 0
		}
		if got := Winner([]Version{a, b}); got != want {
			t.Fatalf("winner %d of %+v and %+v, want %d", got, a, b, want)
		}
	})
}

func TestNoValidEntryExceedsTheWinner(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := entries(t)
		w := list[Winner(list)]
		for _, v := range list {
			if !v.Invalid && w.Invalid {
				t.Fatalf("winner %+v is invalid, %+v is not", w, v)
			}
			if v.Invalid == w.Invalid && vector.Compare(v.Vector, w.Vector) == vector.Greater {
				t.Fatalf("%+v exceeds the winner %+v", v, w)
			}
		}
	})
}

func TestTheWinnerOfThreeWhereThePairwiseRuleGoesRound(t *testing.T) {
	// a exceeds b, b is newer than c, c is newer than a: sorting these by pairs
	// depends on where one begins.
	a := Version{Vector: vector.Vector{{ID: 1, Value: 2}}, ModifiedS: 1}
	b := Version{Vector: vector.Vector{{ID: 1, Value: 1}}, ModifiedS: 3}
	c := Version{Vector: vector.Vector{{ID: 2, Value: 1}}, ModifiedS: 2}
	if !firstOfPair(a, b) || !firstOfPair(b, c) || !firstOfPair(c, a) {
		t.Fatal("the pairs do not go round")
	}
	for _, list := range [][]Version{{a, b, c}, {b, c, a}, {c, a, b}, {c, b, a}} {
		if got := list[Winner(list)]; !cmp.Equal(got, c) {
			t.Errorf("winner %+v, want the newer of the two that nothing exceeds, %+v", got, c)
		}
	}
}

func TestNothingHasNoWinner(t *testing.T) {
	if got := Winner(nil); got != -1 {
		t.Errorf("winner %d of nothing", got)
	}
}

func TestNeeds(t *testing.T) {
	v := vector.Vector{{ID: 1, Value: 1}}
	w := vector.Vector{{ID: 1, Value: 2}}
	tests := []struct {
		name          string
		global, local *bep.FileInfo
		live          bool
		want          bool
	}{
		{"what we lack", &bep.FileInfo{Version: v}, nil, true, true},
		{"a deletion of what nobody has", &bep.FileInfo{Version: v, Deleted: true}, nil, false, false},
		{"a deletion of what we lack and another device still has", &bep.FileInfo{Version: w, Deleted: true}, nil, true, true},
		{"what we have", &bep.FileInfo{Version: v}, &bep.FileInfo{Version: v}, true, false},
		{"what we have and cannot serve", &bep.FileInfo{Version: v}, &bep.FileInfo{Version: v, Invalid: true}, true, false},
		{"a newer version", &bep.FileInfo{Version: w}, &bep.FileInfo{Version: v}, true, true},
		{"a deletion of what we have", &bep.FileInfo{Version: w, Deleted: true}, &bep.FileInfo{Version: v}, true, true},
		{"what nobody can serve", &bep.FileInfo{Version: w, Invalid: true}, &bep.FileInfo{Version: v}, true, false},
	}
	for _, tt := range tests {
		if got := Needs(tt.global, tt.local, tt.live); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

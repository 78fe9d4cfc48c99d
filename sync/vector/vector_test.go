package vector

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// vectors draws valid vectors over few devices and values, so that all orders
// come up.
func vectors() *rapid.Generator[Vector] {
	return rapid.Custom(func(t *rapid.T) Vector {
		var v Vector
		for id := uint64(1); id <= 4; id++ {
			if n := rapid.Uint64Range(0, 3).Draw(t, "value"); n > 0 {
				v = append(v, Counter{id, n})
			}
		}
		return v
	})
}

func TestCompare(t *testing.T) {
	tests := []struct {
		name string
		a, b Vector
		want Order
	}{
		{"nothing equals nothing", nil, Vector{}, Equal},
		{"something exceeds nothing", Vector{{1, 1}}, nil, Greater},
		{"one more change", Vector{{1, 2}, {2, 1}}, Vector{{1, 1}, {2, 1}}, Greater},
		{"a device more", Vector{{1, 1}, {5, 1}}, Vector{{1, 1}}, Greater},
		{"a device less", Vector{{5, 1}}, Vector{{1, 1}, {5, 1}}, Lesser},
		{"disjoint: the one with the smallest ID is ahead", Vector{{1, 1}}, Vector{{2, 900}}, ConcurrentGreater},
		{"the smallest ID at which they differ decides", Vector{{1, 1}, {2, 1}, {3, 9}}, Vector{{1, 1}, {2, 2}, {3, 1}}, ConcurrentLesser},
	}
	for _, tt := range tests {
		if got := Compare(tt.a, tt.b); got != tt.want {
			t.Errorf("%s: Compare(%v, %v) = %v, want %v", tt.name, tt.a, tt.b, got, tt.want)
		}
	}
}

func TestCompareIsAntisymmetricAndAgreesWithTheCounters(t *testing.T) {
	mirror := map[Order]Order{
		Equal: Equal, Greater: Lesser, Lesser: Greater,
		ConcurrentGreater: ConcurrentLesser, ConcurrentLesser: ConcurrentGreater,
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := vectors().Draw(t, "a"), vectors().Draw(t, "b")
		got := Compare(a, b)
		if back := Compare(b, a); back != mirror[got] {
			t.Fatalf("Compare(a, b) = %v and Compare(b, a) = %v", got, back)
		}
		atLeast, atMost := true, true
		for id := uint64(1); id <= 4; id++ {
			atLeast = atLeast && a.Get(id) >= b.Get(id)
			atMost = atMost && a.Get(id) <= b.Get(id)
		}
		if a.Covers(b) != atLeast || (got == Equal) != (atLeast && atMost) || got.Concurrent() != (!atLeast && !atMost) {
			t.Fatalf("Compare(%v, %v) = %v", a, b, got)
		}
	})
}

func TestMergeIsAJoin(t *testing.T) {
	same := func(t *rapid.T, law string, v, w Vector) {
		t.Helper()
		if Compare(v, w) != Equal || !v.Valid() {
			t.Fatalf("%s: %v and %v", law, v, w)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := vectors().Draw(t, "a"), vectors().Draw(t, "b"), vectors().Draw(t, "c")
		same(t, "idempotent", Merge(a, a), a)
		same(t, "commutative", Merge(a, b), Merge(b, a))
		same(t, "associative", Merge(Merge(a, b), c), Merge(a, Merge(b, c)))
		m := Merge(a, b)
		if !m.Covers(a) || !m.Covers(b) {
			t.Fatalf("%v does not cover %v and %v", m, a, b)
		}
		if c.Covers(a) && c.Covers(b) && !c.Covers(m) {
			t.Fatalf("%v is not the least: %v covers both", m, c)
		}
	})
}

func TestBumpIsStrictlyGreaterAndTouchesOneCounter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := vectors().Draw(t, "v")
		before := append(Vector{}, v...)
		id := rapid.Uint64Range(0, 6).Draw(t, "id")
		now := rapid.Int64Range(-5, 5).Draw(t, "now")
		w := v.Bump(id, now)
		if Compare(w, v) != Greater || !w.Valid() {
			t.Fatalf("%v.Bump(%d, %d) = %v", v, id, now, w)
		}
		if want := max(v.Get(id)+1, uint64(max(now, 0))); w.Get(id) != want {
			t.Fatalf("counter %d, want %d", w.Get(id), want)
		}
		for _, c := range v {
			if c.ID != id && w.Get(c.ID) != c.Value {
				t.Fatalf("%v.Bump(%d) = %v changed another counter", v, id, w)
			}
		}
		if d := cmp.Diff(before, append(Vector{}, v...)); d != "" {
			t.Fatalf("Bump changed its receiver: %s", d)
		}
	})
}

func TestOnlyKeepsOneCounter(t *testing.T) {
	v := Vector{{1, 5}, {7, 9}}
	if d := cmp.Diff(Vector{{7, 9}}, v.Only(7)); d != "" {
		t.Error(d)
	}
	if got := v.Only(2); len(got) != 0 {
		t.Errorf("Only(2) = %v, want nothing", got)
	}
}

func TestValid(t *testing.T) {
	long := make(Vector, MaxCounters+1)
	for i := range long {
		long[i] = Counter{uint64(i), 1}
	}
	tests := []struct {
		name string
		v    Vector
		want bool
	}{
		{"nothing", nil, true},
		{"sorted", Vector{{0, 1}, {1, 1}, {9, MaxValue}}, true},
		{"as many as allowed", long[:MaxCounters], true},
		{"too many", long, false},
		{"unsorted", Vector{{2, 1}, {1, 1}}, false},
		{"twice the same device", Vector{{1, 1}, {1, 2}}, false},
		{"a zero", Vector{{1, 0}}, false},
		{"a value too large", Vector{{1, MaxValue + 1}}, false},
	}
	for _, tt := range tests {
		if got := tt.v.Valid(); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestAChangeIsNeverHiddenByTheVersionBeforeIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.SampledFrom([]int{0, 1, 2, 127, 128, 129, 256}).Draw(t, "counters")
		value := rapid.SampledFrom([]uint64{1, 5, MaxValue - 1, MaxValue})
		self := rapid.Uint64Range(1, 300).Draw(t, "self")
		var v Vector
		for i := range count {
			v = append(v, Counter{uint64(i + 1), value.Draw(t, "value")})
		}
		now := rapid.SampledFrom([]int64{-5, 0, 3, 1_800_000_000, 1<<63 - 1}).Draw(t, "now")
		w := v.Bump(self, now)
		if !w.Valid() {
			t.Fatalf("%v.Bump(%d, %d) is not within the limits: %v", v, self, now, w)
		}
		if v.Covers(w) {
			t.Fatalf("%v.Bump(%d, %d) is covered by what it follows: %v", v, self, now, w)
		}
		if !w.Covers(v) && len(v) < MaxCounters {
			t.Fatalf("%v.Bump(%d, %d) is a conflict although there was room: %v", v, self, now, w)
		}
	})
}

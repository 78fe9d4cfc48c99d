// Package vector holds version vectors and their order (BEP section 5.3).
//
// A Vector counts, per device (by short ID), the changes that led to a
// version. Counters are sorted by ID, unique and non-zero; every function
// here keeps that and none changes its receiver. Counter values follow the
// clock (the larger of old+1 and unix seconds), so that a lost database looks
// like a conflict and never like an ancestor.
package vector

import "slices"

// Counter is one device's count.
type Counter struct {
	ID    uint64 // short device ID
	Value uint64
}

// Vector is sorted by ID, without duplicates and zeros. The zero Vector is
// "no version".
type Vector []Counter

// Limits on what a peer may send.
const (
	MaxCounters = 128
	MaxValue    = 1 << 62
)

// Order is how two vectors stand to each other.
type Order int

// The orders. For a concurrent pair, ConcurrentGreater means ahead at the
// numerically smallest ID at which the two differ, so that exactly one of a
// pair is "greater" and every device agrees.
const (
	Equal Order = iota
	Greater
	Lesser
	ConcurrentGreater
	ConcurrentLesser
)

// Concurrent reports whether neither version knew of the other.
func (o Order) Concurrent() bool { return o == ConcurrentGreater || o == ConcurrentLesser }

// Compare gives the order of a against b.
func Compare(a, b Vector) Order {
	first := Equal // at the smallest ID where they differ
	ahead, behind := false, false
	note := func(o Order) {
		if first == Equal {
			first = o
		}
		if o == Greater {
			ahead = true
		} else {
			behind = true
		}
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case j == len(b) || i < len(a) && a[i].ID < b[j].ID:
			note(Greater)
			i++
		case i == len(a) || b[j].ID < a[i].ID:
			note(Lesser)
			j++
		default:
			if a[i].Value > b[j].Value {
				note(Greater)
			} else if a[i].Value < b[j].Value {
				note(Lesser)
			}
			i, j = i+1, j+1
		}
	}
	switch {
	case ahead && behind && first == Greater:
		return ConcurrentGreater
	case ahead && behind:
		return ConcurrentLesser
	case ahead:
		return Greater
	case behind:
		return Lesser
	}
	return Equal
}

// Covers reports whether v is equal to or greater than w: v knew of w.
func (v Vector) Covers(w Vector) bool {
	o := Compare(v, w)
	return o == Equal || o == Greater
}

// Bump returns v with id's counter raised to the larger of one more and now
// (unix seconds). A clock before 1970 counts as zero.
//
// What it gives is always within the limits and never covered by v, also where
// a forged v leaves no room: where id's counter is at its end, another one of
// this device's takes its place, whose ID differs in the lowest bits; where
// there are too many counters, the version begins anew, concurrent to v, so
// that it is weighed as a conflict and the change is not hidden.
func (v Vector) Bump(id uint64, now int64) Vector {
	value := min(uint64(max(now, 1)), MaxValue)
	for n := uint64(0); ; n++ {
		id := id ^ n
		i, found := slices.BinarySearchFunc(v, id, func(c Counter, id uint64) int {
			return compareID(c.ID, id)
		})
		switch {
		case found && v[i].Value < MaxValue && len(v) <= MaxCounters:
			w := slices.Clone(v)
			w[i].Value = min(max(w[i].Value+1, value), MaxValue)
			return w
		case !found && len(v) < MaxCounters:
			w := make(Vector, 0, len(v)+1)
			w = append(w, v[:i]...)
			w = append(w, Counter{id, value})
			return append(w, v[i:]...)
		case !found:
			return Vector{{id, value}}
		}
	}
}

// Merge returns the least vector that covers both: a join, commutative,
// associative and idempotent.
func Merge(a, b Vector) Vector {
	out := make(Vector, 0, max(len(a), len(b)))
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case j == len(b) || i < len(a) && a[i].ID < b[j].ID:
			out = append(out, a[i])
			i++
		case i == len(a) || b[j].ID < a[i].ID:
			out = append(out, b[j])
			j++
		default:
			out = append(out, Counter{a[i].ID, max(a[i].Value, b[j].Value)})
			i, j = i+1, j+1
		}
	}
	return out
}

// Apart gives v as a version that was made without knowledge of w: what it
// counts for id, beyond what came before w, is counted for the new ID as
// instead. The result neither covers w nor is covered by it, and covers what
// else v covered.
func (v Vector) Apart(w Vector, id, as uint64) Vector {
	before := w.Get(id)
	own := v.Get(id)
	var out Vector
	for _, c := range v {
		if c.ID == id {
			c.Value = min(c.Value, max(before, 1)-1)
		}
		if c.Value > 0 && c.ID != as {
			out = append(out, c)
		}
	}
	at, _ := slices.BinarySearchFunc(out, as, func(c Counter, id uint64) int { return compareID(c.ID, id) })
	return slices.Insert(out, at, Counter{as, max(own, v.Get(as)+1)})
}

// Get gives id's counter, 0 where it has none.
func (v Vector) Get(id uint64) uint64 {
	for _, c := range v {
		if c.ID == id {
			return c.Value
		}
	}
	return 0
}

// Only returns v with id's counter alone, empty where it has none.
func (v Vector) Only(id uint64) Vector {
	if n := v.Get(id); n > 0 {
		return Vector{{id, n}}
	}
	return nil
}

// Valid reports whether v is sorted, unique, without zeros and within the
// limits.
func (v Vector) Valid() bool {
	for i, c := range v {
		if c.Value == 0 || c.Value > MaxValue || i > 0 && v[i-1].ID >= c.ID {
			return false
		}
	}
	return len(v) <= MaxCounters
}

func compareID(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

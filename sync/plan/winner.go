// Package plan decides what is to be done about one name. It is pure: values
// in, a decision out; no disk, no clock, no randomness.
package plan

import (
	"cmp"

	"lanyard/sync/bep"
	"lanyard/sync/vector"
)

// Version is what the choice of a winner looks at: one device's entry.
type Version struct {
	Vector     vector.Vector
	ModifiedS  int64
	ModifiedNs int32
	Invalid    bool
	Local      bool // this device's own entry
}

// VersionOf gives an entry's Version.
func VersionOf(f *bep.FileInfo, local bool) Version {
	return Version{Vector: f.Version, ModifiedS: f.ModifiedS, ModifiedNs: f.ModifiedNs, Invalid: f.Invalid, Local: local}
}

// Winner gives the position of the global version among the entries of all
// devices for one name, -1 for none (BEP section 5.4).
//
// Valid entries go before invalid ones. Of those left, every entry whose
// vector another one exceeds falls out, which leaves entries that are equal or
// concurrent; among these the newer modification time wins, then the vector
// that is ahead at the smallest device ID. Between equals this device's own
// entry is preferred. The result is the same for every order of entries: for
// each pair it is Syncthing's rule, and unlike sorting by that rule, which is
// not transitive, it has one answer for any number of them.
func Winner(entries []Version) int {
	best := -1
	anyValid := false
	for i := range entries {
		anyValid = anyValid || !entries[i].Invalid
	}
	for i := range entries {
		if anyValid && entries[i].Invalid || exceeded(entries, i, anyValid) {
			continue
		}
		if best < 0 || before(&entries[i], &entries[best]) {
			best = i
		}
	}
	return best
}

func exceeded(entries []Version, i int, anyValid bool) bool {
	for j := range entries {
		if j == i || anyValid && entries[j].Invalid {
			continue
		}
		if vector.Compare(entries[j].Vector, entries[i].Vector) == vector.Greater {
			return true
		}
	}
	return false
}

// before orders two entries of which neither exceeds the other.
func before(a, b *Version) bool {
	o := vector.Compare(a.Vector, b.Vector)
	if o == vector.Equal {
		return a.Local && !b.Local
	}
	if c := compareTime(a, b); c != 0 {
		return c > 0
	}
	return o == vector.ConcurrentGreater
}

func compareTime(a, b *Version) int {
	return cmp.Or(cmp.Compare(a.ModifiedS, b.ModifiedS), cmp.Compare(a.ModifiedNs, b.ModifiedNs))
}

// Needs reports whether this device needs the global version (BEP section
// 5.4). local is nil where it has no entry. live tells that some device still
// announces the name as there: then a deletion is needed also by a device that
// never had the name, for it may be the only one between the two that can pass
// the deletion on.
func Needs(global, local *bep.FileInfo, live bool) bool {
	switch {
	case global.Invalid:
		return false
	case local == nil:
		return !global.Deleted || live
	}
	return vector.Compare(local.Version, global.Version) != vector.Equal
}

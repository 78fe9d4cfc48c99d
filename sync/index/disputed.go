package index

import (
	"slices"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/relpath"
	"lanyard/sync/vector"
)

// maxDisputed bounds the names kept for Disputed; more than that is no accident
// of a restored backup.
const maxDisputed = 10_000

// Twins reports whether two entries for one name say that they are the same
// version and are not: the counter of a change that was lost was given again.
func Twins(a, b *bep.FileInfo) bool {
	same := a.SameContent(b) && a.ModifiedS == b.ModifiedS && a.ModifiedNs == b.ModifiedNs
	return len(a.Version) > 0 && !a.Invalid && !b.Invalid && !same && vector.Compare(a.Version, b.Version) == vector.Equal
}

// Forgotten reports whether a version that claims to know of our record was made
// from one of ours that we do not know: it has a counter of ours (self) that is
// higher than the record's, and nobody else gives those.
func Forgotten(ours, other *bep.FileInfo, self device.ShortID) bool {
	own := ours.Version.Get(uint64(self))
	return own > 0 && !other.Invalid && other.Version.Get(uint64(self)) > own && other.Version.Covers(ours.Version)
}

// Overtaken reports whether our record claims to be after another version that has
// a smaller counter of ours (self). That is what a device announces that is behind;
// or else the record was made without knowing it, and got the later counter all the
// same.
func Overtaken(ours, other *bep.FileInfo, self device.ShortID) bool {
	before := other.Version.Get(uint64(self))
	return before > 0 && ours.Version.Get(uint64(self)) > before && !ours.Deleted && !ours.Invalid && !other.Deleted && !other.Invalid &&
		ours.Version.Covers(other.Version)
}

// take gives the names in order and forgets them.
func take(names *map[string]bool) []relpath.Path {
	var out []relpath.Path
	for name := range *names {
		if p, err := relpath.Parse(name); err == nil {
			out = append(out, p)
		}
	}
	*names = nil
	slices.SortFunc(out, relpath.Path.Compare)
	return out
}

func note(names *map[string]bool, name string) {
	if *names == nil {
		*names = map[string]bool{}
	}
	if len(*names) < maxDisputed {
		(*names)[name] = true
	}
}

// Disputed gives names of our records that others contradict.
func (f *memFolder) Disputed() []relpath.Path {
	f.mu.Lock()
	defer f.mu.Unlock()
	return take(&f.live.disputed)
}

// Disputed gives names of our records that others contradict.
func (f *sqliteFolder) Disputed() []relpath.Path {
	f.mu.Lock()
	defer f.mu.Unlock()
	return take(&f.disputed)
}

// noteDisputed looks for a row that contradicts ours.
func (b *batch) noteDisputed(name string) {
	local := slices.IndexFunc(b.rows, func(r row) bool { return r.local() })
	if local < 0 {
		return
	}
	ours := &b.rows[local]
	for i := range b.rows {
		r := &b.rows[i]
		if i != local && r.devs != 0 && (r.claims(ours) || Forgotten(&ours.info, &r.info, b.self)) {
			note(&b.disputed, name)
		}
	}
}

// claims reports whether a row says to be the version of another one, which by
// its bytes it is not.
func (r *row) claims(local *row) bool {
	a, b := &r.info, &local.info
	return len(a.Version) > 0 && !a.Invalid && !b.Invalid && vector.Compare(a.Version, b.Version) == vector.Equal
}

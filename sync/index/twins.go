package index

import (
	"slices"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/relpath"
	"lanyard/sync/vector"
)

// maxTwins bounds the names kept for Twins; more than that is no accident of a
// restored backup.
const maxTwins = 10_000

// Twins reports whether two entries for one name say that they are the same
// version and are not: the counter of a change that was lost was given again.
func Twins(a, b *bep.FileInfo) bool {
	same := a.SameContent(b) && a.ModifiedS == b.ModifiedS && a.ModifiedNs == b.ModifiedNs
	return len(a.Version) > 0 && !a.Invalid && !b.Invalid && !same && vector.Compare(a.Version, b.Version) == vector.Equal
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
	if len(*names) < maxTwins {
		(*names)[name] = true
	}
}

// Twins gives our records that share their version with another content.
func (f *memFolder) Twins() []relpath.Path {
	f.mu.Lock()
	defer f.mu.Unlock()
	return take(&f.live.twins)
}

// RemoteRange pages through a device's entries.
func (f *memFolder) RemoteRange(dev device.ID, after relpath.Path, limit int) (out []bep.FileInfo, err error) {
	err = f.read("remote_range", func(s *memState) {
		s.after(after.String(), func(_ string, n *memName) bool {
			if e := n.remote[dev]; e != nil && len(out) < limit {
				out = append(out, cloneInfo(&e.info))
			}
			return len(out) < limit
		})
	})
	return out, err
}

// Twins gives our records that share their version with another content.
func (f *sqliteFolder) Twins() []relpath.Path {
	f.mu.Lock()
	defer f.mu.Unlock()
	return take(&f.twins)
}

// noteTwins looks for a row that claims the version of ours.
func (b *batch) noteTwins(name string) {
	local := slices.IndexFunc(b.rows, func(r row) bool { return r.local() })
	if local < 0 {
		return
	}
	for i := range b.rows {
		if r := &b.rows[i]; i != local && r.devs != 0 && r.claims(&b.rows[local]) {
			note(&b.twins, name)
		}
	}
}

// claims reports whether a row says to be the version of another one, which by
// its bytes it is not.
func (r *row) claims(local *row) bool {
	a, b := &r.info, &local.info
	return len(a.Version) > 0 && !a.Invalid && !b.Invalid && vector.Compare(a.Version, b.Version) == vector.Equal
}

// RemoteRange pages through a device's entries.
func (f *sqliteFolder) RemoteRange(dev device.ID, after relpath.Path, limit int) (out []bep.FileInfo, err error) {
	err = f.readingWithDevices(func(c *conn, t *deviceTable) error {
		slot := t.find(dev)
		if slot <= 0 {
			return nil
		}
		var names []string
		err := c.query(stNamesOf, func(s *stmt) {
			s.bindText(1, after.String())
			s.bindInt(2, 1<<slot)
			s.bindInt(3, int64(limit))
		}, func(s *stmt) error {
			names = append(names, s.text(0))
			return nil
		})
		if err != nil {
			return err
		}
		for _, name := range names {
			rows, err := c.rowsOf(stByName, func(s *stmt) { s.bindText(1, name) })
			if err != nil {
				return err
			}
			if r := rowWith(rows, slot); r != nil {
				out = append(out, r.info)
			}
		}
		return nil
	})
	return out, err
}

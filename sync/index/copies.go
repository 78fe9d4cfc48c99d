package index

import (
	"slices"
	"strings"

	"lanyard/sync/conflict"
	"lanyard/sync/relpath"
)

// copies are the names of our conflict copies, in order. They are looked for
// once, and kept with every change from then on. The zero value was not looked
// for.
type copies struct {
	known bool
	names []string
}

// copyMark stands in the name of every conflict copy, and in few others.
const copyMark = ".sync-conflict-"

// isCopy reports whether a record is a conflict copy that is there.
func isCopy(r *Record) bool {
	if r.Deleted || r.Flags&(Ignored|Unsupported) != 0 || !strings.Contains(r.Name.Base(), copyMark) {
		return false
	}
	_, ok := conflict.Is(r.Name)
	return ok
}

// set notes whether a name is one.
func (c *copies) set(name string, is bool) {
	i, known := slices.BinarySearch(c.names, name)
	switch {
	case is && !known:
		c.names = slices.Insert(c.names, i, name)
	case !is && known:
		c.names = slices.Delete(c.names, i, i+1)
	}
}

// paths gives the names.
func (c *copies) paths() []relpath.Path {
	out := make([]relpath.Path, 0, len(c.names))
	for _, name := range c.names {
		if p, err := relpath.Parse(name); err == nil {
			out = append(out, p)
		}
	}
	return out
}

// Conflicts gives the names of our conflict copies.
func (f *memFolder) Conflicts() (names []relpath.Path, err error) {
	err = f.read("conflicts", func(s *memState) {
		for _, name := range s.sorted {
			if r := s.names[name].local; r != nil && isCopy(r) {
				names = append(names, r.Name)
			}
		}
	})
	return names, err
}

// Conflicts gives the names of our conflict copies.
func (f *sqliteFolder) Conflicts() ([]relpath.Path, error) {
	const op = "look for conflict copies"
	f.mu.Lock()
	known, out := f.copies.known, f.copies.paths()
	f.mu.Unlock()
	if known {
		return out, nil
	}
	err := f.outcome(op, f.onWriter(op, func() error {
		found := copies{known: true}
		err := f.w.query(stCopies, nil, func(s *stmt) error {
			p, err := nameIn(s.text(0))
			if _, ok := conflict.Is(p); ok && err == nil {
				found.set(p.String(), true)
			}
			return err
		})
		f.mu.Lock()
		defer f.mu.Unlock()
		if err == nil {
			f.copies, out = found, found.paths()
		}
		return err
	}))
	return out, err
}

// noteCopy keeps what a record that is stored says of conflict copies.
func (b *batch) noteCopy(r *Record) {
	if !strings.Contains(r.Name.Base(), copyMark) {
		return
	}
	if b.copied == nil {
		b.copied = map[string]bool{}
	}
	b.copied[r.Name.String()] = isCopy(r)
}

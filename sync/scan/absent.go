package scan

import (
	"context"
	"slices"

	"lanyard/sync/relpath"
)

// emitAbsences emits deletions, children before their parents.
func (s *session) emitAbsences(ctx context.Context) error {
	slices.SortFunc(s.absent, func(a, b relpath.Path) int { return b.Compare(a) })
	names := s.absent
	if s.Gate != nil && len(names) > 0 {
		names = s.Gate(slices.Clone(names))
	}
	for page := range slices.Chunk(names, pageSize) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		candidates, err := Absences(s.Options, page, nil)
		if err != nil {
			return err
		}
		for i := range candidates {
			if err := s.collector.add(outcome{candidate: &candidates[i]}); err != nil {
				return err
			}
		}
	}
	return s.collector.flush()
}

// Absences gives the candidates for names that a Walk found absent and that a
// Gate kept back, in their order. The records are read again: a name that
// somebody stored meanwhile has another one by now, and Confirm looks for it on
// the disk.
//
// A name that fetch reports was lost, not deleted: its record becomes one that
// every version of another device exceeds, so that the next pull brings it
// back. nil means none.
func Absences(o Options, names []relpath.Path, fetch func(relpath.Path) bool) ([]Candidate, error) {
	o = o.withDefaults()
	records, err := o.Index.Locals(names)
	if err != nil {
		return nil, err
	}
	candidates := make([]Candidate, 0, len(records))
	for _, old := range records {
		if old == nil || old.Deleted && !o.uninformed(old) {
			continue
		}
		c := o.deleted(old, o.Now().Unix())
		if fetch != nil && fetch(old.Name) {
			o.lose(&c.Record, old)
		}
		candidates = append(candidates, *c)
	}
	return candidates, nil
}

package scan

import (
	"context"
	"slices"

	"lanyard/sync/relpath"
)

// emitAbsences emits deletions, children before their parents. The records
// are read again: a name that somebody stored meanwhile has another one by
// now, and Confirm looks for it on the disk.
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
		records, err := s.Index.Locals(page)
		if err != nil {
			return err
		}
		for _, old := range records {
			if old == nil || old.Deleted && !s.uninformed(old) {
				continue
			}
			if err := s.collector.add(outcome{candidate: s.deleted(old, s.Now().Unix())}); err != nil {
				return err
			}
		}
	}
	return s.collector.flush()
}

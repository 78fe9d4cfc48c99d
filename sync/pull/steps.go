package pull

import (
	"slices"

	"lanyard/sync/device"
)

// Steps is the progress of one file's blocks: which are here, which are asked
// for and of whom. It is pure: it decides, others ask and write.
type Steps struct {
	state   []blockState
	sources []device.ID
	failed  map[int][]device.ID // sources that could not give a block
	next    int                 // no block below it is missing and unasked
	left    int                 // blocks that are not here
	asked   int                 // blocks asked for and not here
}

type blockState uint8

const (
	missing blockState = iota
	asked
	here
)

// NewSteps returns the progress of n blocks of which none is here, to be had
// from sources.
func NewSteps(n int, sources []device.ID) *Steps {
	return &Steps{state: make([]blockState, n), sources: sources, left: n}
}

// Have notes that block i is here.
func (s *Steps) Have(i int) {
	switch s.state[i] {
	case here:
		return
	case asked:
		s.asked--
	}
	s.state[i] = here
	s.left--
}

// Ask chooses the next missing block and the least busy source for it, and
// notes it as asked. load gives how busy a source is, false where it cannot be
// asked at all. ok is false where nothing can be asked now.
func (s *Steps) Ask(load func(device.ID) (int, bool)) (block int, from device.ID, ok bool) {
	for i := s.next; i < len(s.state); i++ {
		if s.state[i] != missing {
			if i == s.next {
				s.next++
			}
			continue
		}
		if from, ok := s.choose(i, load); ok {
			s.state[i] = asked
			s.asked++
			return i, from, true
		}
	}
	return 0, device.ID{}, false
}

func (s *Steps) choose(i int, load func(device.ID) (int, bool)) (best device.ID, found bool) {
	least := 0
	for _, d := range s.sources {
		if slices.Contains(s.failed[i], d) {
			continue
		}
		if n, ok := load(d); ok && (!found || n < least) {
			best, least, found = d, n, true
		}
	}
	return best, found
}

// Failed notes that a source could not give block i, which is missing again
// and not asked of that source any more.
func (s *Steps) Failed(i int, from device.ID) {
	if s.state[i] != asked {
		return
	}
	if s.failed == nil {
		s.failed = map[int][]device.ID{}
	}
	s.failed[i] = append(s.failed[i], from)
	s.state[i] = missing
	s.asked--
	s.next = min(s.next, i)
}

// MayGive reports whether a source has not failed to give block i.
func (s *Steps) MayGive(i int, from device.ID) bool { return !slices.Contains(s.failed[i], from) }

// Done reports whether every block is here.
func (s *Steps) Done() bool { return s.left == 0 }

// Waiting reports whether an answer is outstanding.
func (s *Steps) Waiting() bool { return s.asked > 0 }

// Has reports whether block i is here.
func (s *Steps) Has(i int) bool { return s.state[i] == here }

// Askable reports whether a source may still be asked for a missing block.
func (s *Steps) Askable(from device.ID) bool {
	for i := s.next; i < len(s.state); i++ {
		if s.state[i] == missing && !slices.Contains(s.failed[i], from) {
			return true
		}
	}
	return false
}

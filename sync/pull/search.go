package pull

import (
	"sync"
	"sync/atomic"

	"lanyard/sync/block"
	"lanyard/sync/index"
)

// How a file is searched for blocks that moved to other offsets, and when that
// is given up.
const (
	// maxSearched bounds the memory of a search: blocks looked for at a time.
	maxSearched = 1 << 17
	// After a quarter of the old version, one of this many blocks must have
	// been found: a compressed or encrypted file changes wholly.
	searchYield = 64
	// Blocks that overlap others which were found in the old version are only
	// found by another search. It is made while one in this many was found.
	searchAgain = 8
	// A sum that led to other bytes this often is not looked for any more.
	maxWrong = 2
	// One of this many positions may lead to other bytes.
	wrongRate = 1024
	// rollPiece is how much is read at a time, at either end of the window.
	rollPiece = 128 << 10
	// segmentSize is what one worker searches at a time.
	segmentSize = 32 << 20
)

// search looks through the old version of a file for blocks that stand there
// at any offset, by their sums, and copies what it finds. The old version is
// searched in segments, by several workers; first in every fourth, so that a
// quarter of it says something about all of it.
type search struct {
	it     *item
	finder *block.Finder
	src    interface {
		ReadAt(b []byte, off int64) (int, error)
	}
	size     int64 // of the old version
	segment  int64 // positions in each segment
	segments []int64
	got      []bool // by block; each is set by the worker that took it

	rolled atomic.Int64 // positions looked at, those within found blocks included
	hits   atomic.Int64
	wrong  atomic.Int64 // positions with a wanted sum and other bytes

	mu    sync.Mutex
	taken map[int]bool      // blocks found, or being copied
	duds  map[block.Sum]int // how often a sum led to other bytes
}

// searchOld prepares a search of the old version, nil where it is not worth
// it.
func (g *gatherer) searchOld(rec *index.Record) *pass {
	it := g.it
	size := max(it.want.BlockSize, block.MinSize)
	if len(it.want.Sums) == 0 || len(it.want.Sums) != len(it.want.Blocks) || rec.Size < int64(size) {
		return nil
	}
	var wanted []int
	missing, bytes := 0, int64(0)
	for i, b := range it.want.Blocks {
		if it.steps.Has(i) {
			continue
		}
		missing++
		bytes += int64(b.Size)
		if b.Size == size && len(wanted) < maxSearched {
			wanted = append(wanted, i)
		}
	}
	if len(wanted) == 0 || !block.WorthSearching(len(it.want.Blocks), missing, bytes) {
		return nil
	}
	file, err := openRecorded(it.r.o.FS, rec)
	if err != nil {
		return nil
	}
	s := &search{
		it: it, finder: block.NewFinder(int(size), it.want.Sums, wanted), src: file, size: rec.Size,
		segment: max(2*int64(size), min(rec.Size/16, segmentSize)),
		got:     make([]bool, len(it.want.Blocks)), taken: map[int]bool{}, duds: map[block.Sum]int{},
	}
	positions := rec.Size - int64(size) + 1
	for first := range int64(4) {
		for at := first * s.segment; at < positions; at += 4 * s.segment {
			s.segments = append(s.segments, at)
		}
	}
	p := newPass(it, file)
	p.count = len(s.segments)
	p.do = func(w *copier, i int) int64 {
		s.look(w, s.segments[i])
		return s.segment
	}
	p.took = func() {
		for i, got := range s.got {
			if got {
				it.steps.Have(i)
			}
		}
		if int(s.hits.Load()) >= max(1, len(wanted)/searchAgain) {
			g.passes = append(g.passes, func() (*pass, error) { return g.searchOld(rec), nil })
		}
	}
	return p
}

// hopeless reports whether to give up.
func (s *search) hopeless() bool {
	rolled := s.rolled.Load()
	poor := rolled >= s.size/4 && s.hits.Load()*searchYield*int64(s.finder.Size()) < rolled
	return poor || s.wrong.Load()*wrongRate > rolled+segmentSize || s.it.r.halted.Load()
}

// look searches the windows that begin in the segment at pos.
func (s *search) look(w *copier, pos int64) {
	size := int64(s.finder.Size())
	end := min(pos+s.segment, s.size-size+1)
	if w.out == nil {
		w.out, w.in = make([]byte, rollPiece), make([]byte, rollPiece)
	}
	for pos < end && !s.hopeless() {
		sum, ok := s.sumAt(w, pos)
		if !ok {
			return
		}
		if !s.take(w, pos, sum) {
			if pos, ok = s.roll(w, pos, end-1, sum); !ok {
				return
			}
		}
		// Whatever follows a block that was found begins behind it.
		pos += size
		s.rolled.Add(size)
	}
}

// sumAt sums the window at pos up; false where it cannot be read.
func (s *search) sumAt(w *copier, pos int64) (sum block.Sum, ok bool) {
	for left := int64(s.finder.Size()); left > 0; {
		piece := w.buf[:min(left, int64(len(w.buf)))]
		if n, _ := s.src.ReadAt(piece, pos); n < len(piece) {
			return 0, false
		}
		sum = block.AddSum(sum, piece)
		pos += int64(len(piece))
		left -= int64(len(piece))
	}
	return sum, true
}

// roll moves the window from pos, with its sum, until a block is found, and
// gives its place. It is false when the window stood at last, or at the end of
// all hope.
func (s *search) roll(w *copier, pos, last int64, sum block.Sum) (int64, bool) {
	for pos < last && !s.hopeless() {
		n := int(min(int64(rollPiece), last-pos))
		out, in := w.out[:n], w.in[:n]
		if m, _ := s.src.ReadAt(out, pos); m < n {
			return pos, false
		}
		if m, _ := s.src.ReadAt(in, pos+int64(s.finder.Size())); m < n {
			return pos, false
		}
		for len(out) > 0 {
			moves, at, found := s.finder.Roll(sum, out, in)
			sum, pos = at, pos+int64(moves)
			out, in = out[moves:], in[moves:]
			s.rolled.Add(int64(moves))
			if found && s.take(w, pos, sum) {
				return pos, true
			}
		}
	}
	return pos, false
}

// take copies the window at pos to every missing block that it is, and reports
// whether it is one, missing or not.
func (s *search) take(w *copier, pos int64, sum block.Sum) bool {
	wanted, known := s.claim(sum)
	if len(wanted) == 0 {
		return known
	}
	blocks := s.it.want.Blocks
	hash, ok := w.copy(s.src, pos, wanted[0])
	found := false
	for k, i := range wanted {
		if ok && blocks[i].Hash == hash {
			if again, same := hash, true; k > 0 {
				if again, same = w.copy(s.src, pos, i); !same || again != hash {
					continue // the file changes while it is read
				}
			}
			s.got[i], found = true, true
			s.hits.Add(1)
			w.p.kept(i)
		}
	}
	s.release(sum, wanted, found)
	return found
}

// claim takes the missing blocks with a sum. known is set where all of them
// are here by now.
func (s *search) claim(sum block.Sum) (wanted []int, known bool) {
	all := s.finder.Wanted(sum)
	if len(all) == 0 {
		return nil, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.duds[sum] >= maxWrong {
		s.wrong.Add(1)
		return nil, false
	}
	for _, i := range all {
		if !s.taken[i] {
			s.taken[i] = true
			wanted = append(wanted, i)
		}
	}
	return wanted, true
}

// release gives back what was claimed and is something else.
func (s *search) release(sum block.Sum, wanted []int, found bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range wanted {
		if !s.got[i] {
			delete(s.taken, i)
		}
	}
	if !found {
		s.duds[sum]++
		s.wrong.Add(1)
	}
}

package index

import (
	"fmt"
	"strings"
)

// Run is the span of sequences that one run of the program gave: those after
// After, up to Last.
type Run struct{ After, Last int64 }

// Runs are the spans of all runs, oldest first; the last is that of this run,
// and grows. Each begins a distance after the one before that is drawn by
// chance. So an index that went back to an older state gives other sequences
// from there on than those that were given once before, and a device that
// holds one of those shows that it went back.
type Runs []Run

// Bounds of what is kept: the oldest runs are joined to one, in which every
// sequence counts as given.
const maxRuns = 64

// RunGap is the largest distance between two runs. The chance that a sequence
// that was lost is also one that was given later is the number of changes
// since, divided by this.
const RunGap = 1 << 24

// Gave reports whether a sequence is one that was given; 0, no sequence at
// all, counts as one.
func (r Runs) Gave(seq int64) bool {
	if seq == 0 {
		return true
	}
	for _, run := range r {
		if seq > run.After && seq <= run.Last {
			return true
		}
	}
	return false
}

// base is the sequence after which those of this run begin.
func (r Runs) base() int64 {
	if len(r) == 0 {
		return 0
	}
	return r[len(r)-1].After
}

// grown gives the runs with the last one up to seq, the highest given.
func (r Runs) grown(seq int64) Runs {
	if len(r) == 0 {
		return Runs{{0, seq}}
	}
	out := append(Runs(nil), r...)
	last := &out[len(out)-1]
	last.Last = max(last.After, seq)
	return out
}

// next begins a run, gap after the last one. Runs that gave nothing are left
// out.
func (r Runs) next(seq, gap int64) Runs {
	var out Runs
	for _, run := range r.grown(seq) {
		if run.Last > run.After {
			out = append(out, run)
		}
	}
	if n := len(out) - maxRuns; n > 0 {
		out[n].After = out[0].After
		out = out[n:]
	}
	base := max(seq, r.base()) + gap
	return append(out, Run{base, base})
}

// String is the form that is stored.
func (r Runs) String() string {
	var b strings.Builder
	for _, run := range r {
		fmt.Fprintf(&b, "%d-%d ", run.After, run.Last)
	}
	return b.String()
}

// parseRuns reads the stored form; what cannot be read is as if nothing had
// been stored: all sequences up to the highest one were given in one run.
func parseRuns(text string) Runs {
	var out Runs
	for _, word := range strings.Fields(text) {
		var run Run
		if _, err := fmt.Sscanf(word, "%d-%d", &run.After, &run.Last); err != nil || run.After < 0 || run.Last < run.After {
			return nil
		}
		out = append(out, run)
	}
	return out
}

// metaRuns is where a folder's runs are stored.
const metaRuns = "runs"

// gapOf gives a gap from a random number.
func gapOf(random uint64) int64 { return 1 + int64(random%RunGap) }

// Begin begins a run of the program, durable before it returns.
func (f *memFolder) Begin() error {
	gap := gapOf(uint64(f.store.draw()))
	err := f.commit("begin", nil, func(s *memState) { s.runs = s.runs.next(s.seq, gap) })
	if err != nil {
		return err
	}
	f.hardenAll()
	return nil
}

// Runs gives the sequences given so far.
func (f *memFolder) Runs() Runs {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.live.runs.grown(f.live.seq)
}

// Begin begins a run of the program, durable before it returns.
func (f *sqliteFolder) Begin() error {
	random, err := newIndexID()
	if err != nil {
		return classify("begin run", err)
	}
	text, err := f.Meta(metaRuns)
	if err != nil {
		return err
	}
	err = f.writing("begin run", func(ch *change) error {
		ch.facts.runs = parseRuns(text).next(ch.facts.seq, gapOf(uint64(random)))
		return ch.c.setMeta(metaUser+metaRuns, ch.facts.runs.String())
	})
	if err != nil {
		return err
	}
	return f.Barrier()
}

// Runs gives the sequences given so far.
func (f *sqliteFolder) Runs() Runs {
	x := f.now()
	return x.runs.grown(x.seq)
}

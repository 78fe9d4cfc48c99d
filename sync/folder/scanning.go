package folder

import (
	"errors"
	"slices"

	"lanyard/sync/fault"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/scan"
)

// scan compares disk and index and stores what changed. Comparing runs beside
// everything else; storing takes the Disk turn, where each batch is confirmed.
func (r *Runner) scan(c Scan) {
	again := &moved{}
	seen, err := r.walk(c, again)
	r.disk.Post(func() {
		again.names = append(again.names, seen.moved...)
		r.noteUnwritten()
		r.noteFailing()
		if err == nil {
			err = again.err
		}
		if err == nil && seen.full {
			err = r.o.Index.SetMeta(metaRules, seen.rules)
		}
		if err == nil {
			err = r.o.Index.Barrier()
		}
		if err != nil {
			r.o.Log.Warn("scan failed", "error", err)
		} else if c.Full {
			r.trusted.Store(true)
			r.prune()
		}
		r.scanned(ScanDone{Err: err, Again: again.names, Busy: seen.busy})
	})
}

// walked is what a walk itself found out.
type walked struct {
	moved []relpath.Path
	busy  []relpath.Path
	full  bool   // it went through everything
	rules string // hash of the rules that it went by
}

// moved gathers what the batches of one scan left for the next. It belongs to
// the Disk turn.
type moved struct {
	names []relpath.Path
	err   error
}

func (r *Runner) walk(c Scan, again *moved) (walked, error) {
	f := r.root()
	if f == nil {
		return walked{}, fault.New(fault.Folder, "folder-missing", "the folder is not open")
	}
	old := r.matchers().Hash()
	if err := r.reloadRules(); err != nil {
		return walked{}, err
	}
	rules := r.matchers()
	full := c.Full || rules.Hash() != old
	if rules.Hash() != old || r.isBlind() {
		r.startWatcher() // what was skipped, or could not be watched, may be watched now
	}
	stored, err := r.o.Index.Meta(metaRules)
	if err != nil {
		return walked{}, err
	}
	o := scan.Options{
		FS: f, Index: r.o.Index, Pool: r.o.Hash, Ignore: matcher{rules}, SameRules: stored == rules.Hash(),
		Patient: !c.Asked,
		Sums:    r.o.Sums(),
		Doubt:   r.doubt(),
		Short:   r.o.Self.Short(), Type: r.o.Type, Proof: r.prove, Now: r.exec.Wall,
	}
	var paths []relpath.Path
	if !full {
		paths = c.Paths
	}
	res, err := scan.Walk(r.ctx, o, paths, func(batch []scan.Candidate) error {
		r.storeLater(o, slices.Clone(batch), again)
		return r.ctx.Err()
	})
	r.noteProblems(full, paths, res.Problems)
	r.removeTemps(f, res.StaleTemps)
	if w := r.puller(); w != nil && full {
		w.LeftOver(res.Temps)
	}
	return walked{moved: res.Moved, busy: res.Busy, full: full, rules: rules.Hash()}, err
}

// storeLater stores a batch on the Disk turn. With goroutines it waits while
// too many batches wait already.
func (r *Runner) storeLater(o scan.Options, batch []scan.Candidate, again *moved) {
	if !r.exec.Inline() {
		select {
		case r.slots <- struct{}{}:
		case <-r.ctx.Done():
			return
		}
	}
	r.disk.Post(func() {
		r.store(o, batch, again)
		if !r.exec.Inline() {
			<-r.slots
		}
	})
}

func (r *Runner) store(o scan.Options, batch []scan.Candidate, again *moved) {
	if again.err != nil {
		return
	}
	recs, recheck, err := scan.Confirm(r.ctx, o, batch)
	if err != nil {
		again.err = err
		return
	}
	again.names = append(again.names, recheck...)
	if len(recs) == 0 {
		return
	}
	announce, quiet := r.split(batch, recs)
	if len(quiet) > 0 {
		if err := r.o.Index.Restamp(quiet); err != nil {
			again.err = err
			return
		}
	}
	if len(announce) == 0 {
		return
	}
	good, recheck, err := r.harden(o.FS, announce)
	if err != nil {
		again.err = err
		return
	}
	again.names = append(again.names, recheck...)
	if len(good) == 0 {
		return
	}
	if _, err := r.o.Index.Update(good); err != nil {
		again.err = err
		return
	}
	r.o.Announce()
}

// split parts the records that tell peers something from those whose stamp
// alone is new.
func (r *Runner) split(batch []scan.Candidate, recs []index.Record) (announce, quiet []index.Record) {
	stampOnly := map[relpath.Path]bool{}
	for i := range batch {
		if batch[i].StampOnly {
			stampOnly[batch[i].Record.Name] = true
		}
	}
	for i := range recs {
		if stampOnly[recs[i].Name] {
			quiet = append(quiet, recs[i])
		} else {
			announce = append(announce, recs[i])
		}
	}
	return announce, quiet
}

// removeTemps removes temporary files that nobody came back to.
func (r *Runner) removeTemps(f fsys.FS, temps []relpath.Path) {
	for _, p := range temps {
		if !relpath.TempBase(p.Base()) {
			continue
		}
		if err := f.Remove(p); err != nil && !errors.Is(err, fsys.ErrNotEmpty) {
			r.o.Log.Debug("remove temporary file", "name", p.String(), "error", err)
		}
	}
}

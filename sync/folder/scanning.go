package folder

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"lanyard/sync/fault"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/scan"
)

// scan compares disk and index and stores what changed. Comparing runs beside
// everything else; storing takes the Disk turn, where each batch is confirmed.
// Absences that the brake looks at are stored last.
func (r *Runner) scan(c Scan) {
	again := &moved{}
	mark := uint64(0)
	if r.brake != nil {
		mark = r.brake.departures.mark()
	}
	seen, err := r.walk(c, again)
	r.disk.Post(func() {
		if err == nil {
			err = again.err
		}
		if err == nil && r.brake != nil {
			err = r.judge(&seen, again)
		}
		r.disk.Post(func() { r.endScan(c, &seen, mark, again, err) })
	})
}

// endScan ends a scan. It runs on the Disk turn.
func (r *Runner) endScan(c Scan, seen *walked, mark uint64, again *moved, err error) {
	again.names = append(again.names, seen.moved...)
	r.noteUnwritten()
	r.noteFailing()
	if err == nil {
		err = again.err
	}
	if err == nil && seen.full {
		err = r.o.Index.SetMeta(metaRules, seen.rules)
	}
	if err == nil && c.Full {
		err = r.keepDoubt(append(seen.unseen, again.names...))
	}
	if err == nil && seen.full {
		r.endChoice(seen.options.FS)
	}
	if err == nil {
		err = r.o.Index.Barrier()
	}
	if err == nil && r.brake != nil {
		r.brake.departures.scanned(mark, seen.paths, again.names)
		if seen.full {
			r.brake.wasComplete()
		}
	}
	if err != nil {
		r.o.Log.Warn("scan failed", "error", err)
	} else if c.Full {
		r.trusted.Store(true)
		r.prune()
		r.reread()
	}
	r.scanned(ScanDone{Err: err, Again: again.names, Busy: seen.busy})
}

// judge has the brake decide about the names that are absent, and stores those
// that may be announced. It runs on the Disk turn.
func (r *Runner) judge(seen *walked, again *moved) error {
	v, err := r.brake.judge(scanned{full: seen.full, seen: seen.count, paths: seen.paths, absent: seen.absent})
	if err != nil {
		return err
	}
	again.names = append(again.names, v.again...)
	for names := range slices.Chunk(v.announce, absencesAtOnce) {
		r.disk.Post(func() {
			batch, err := scan.Absences(seen.options, names, func(p relpath.Path) bool { _, ok := v.fetch[p]; return ok })
			if err == nil {
				r.store(seen.options, batch, again)
				err = r.brake.fetched(names, v.fetch)
			}
			again.err = cmp.Or(again.err, err)
		})
	}
	return nil
}

// absencesAtOnce bounds a turn of the disk.
const absencesAtOnce = 250

// walked is what a walk itself found out.
type walked struct {
	moved   []relpath.Path
	busy    []relpath.Path
	unseen  []relpath.Path // not looked at, or not wholly, with all below them
	full    bool           // it went through everything
	paths   []relpath.Path // what it went through otherwise
	rules   string         // hash of the rules that it went by
	count   int            // entries that are there
	absent  []relpath.Path // that the brake has yet to decide about
	options scan.Options
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
		Run:     lastOf(r.o.Index.Runs()).After,
		Looked:  &r.looked,
		Short:   r.o.Self.Short(), Type: r.o.Type, Proof: r.prove, Now: r.exec.Wall,
	}
	var paths []relpath.Path
	if !full {
		paths = c.Paths
	}
	seen := walked{full: full, paths: paths, rules: rules.Hash(), options: o}
	if r.brake != nil {
		o.Gate = func(absent []relpath.Path) []relpath.Path {
			if r.brake.gate(absent) {
				return absent
			}
			seen.absent = absent
			return nil
		}
	}
	r.looked.Store(0)
	if _, lost := r.o.Index.Recovery(); full && (stored == "" || lost) {
		r.setBuilding(r.exec.Now())
		defer r.setBuilding(time.Time{})
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
	seen.moved, seen.busy, seen.count = res.Moved, res.Busy, res.Seen
	seen.unseen = slices.Concat(res.Unlisted, res.Busy)
	for _, problem := range res.Problems {
		if p, err := relpath.Parse(problem.Name); err == nil {
			seen.unseen = append(seen.unseen, p)
		}
	}
	return seen, err
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
	r.signOfLife()
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
	old := oldOf(batch)
	if err := r.besideLost(old, good); err != nil {
		again.err = err
		return
	}
	if err := r.prefer(old, good); err != nil {
		again.err = err
		return
	}
	if _, err := r.o.Index.Update(good); err != nil {
		again.err = err
		return
	}
	r.noteMade(old, good)
	r.tellDid(old, good)
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

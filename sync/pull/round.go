package pull

import (
	"maps"
	"math"
	"slices"
	"sync/atomic"

	"lanyard/sync/bep"
	"lanyard/sync/fault"
	"lanyard/sync/index"
	"lanyard/sync/plan"
	"lanyard/sync/relpath"
)

// stage is one pass through the needed names. Deletions are found before
// anything is made and carried out after it: a deletion that is announced
// meanwhile may be one half of a rename whose other half was passed already,
// and would take away what can be renamed. What has to take a directory's
// place waits until that is empty.
type stage int

const (
	stageFind stage = iota
	stageCreate
	stageWeigh
	stageDelete
	stageRemoveDirs
	stageReplaceDirs
	stageModes
	stageEnd
)

// round is one pass of a Worker through what the index needs. All of it runs
// on the Worker's turn.
type round struct {
	w    *Worker
	o    *Options
	done func(Result)

	stage     stage
	pass      int
	cursor    relpath.Path
	exhausted bool
	deletes   []index.Needed // deletions that were known when this pass began
	more      bool           // there are more than it keeps
	before    int            // result.Changed when this pass began
	dirs      []index.Needed // directories to remove, in name order
	replace   []index.Needed // names that take a directory's place
	retry     bool           // something waits for another name

	open     map[relpath.Path]*item // begun and not closed
	long     int                    // of these, big files on their way: they hold nothing up
	refresh  bool                   // there are news: go through the names once more
	reading  bool
	toAsk    []*item // files with blocks to ask for, oldest first
	gathered room    // big files that have their turn
	waiting  []*item // those that wait for it
	quota    atomic.Int64
	bytes    int64 // asked for and not written, of devices that are not behind
	requests int

	late       int     // open items that wait for a device that is behind
	lateFiles  room    // of these, big files that gave their turn away
	aside      []*item // of these, those that are not asked for
	passedOver bool    // names were left out that such a device alone has
	cancelLate func()

	ready      []*item
	readyBytes int64
	committing bool
	cancelAge  func()
	aged       bool

	claims  claims // sources of renames
	made    claims // directories made before their own turn
	moves   moves
	modes   []bep.FileInfo // directories whose permissions wait until they are filled
	stopped bool
	halted  atomic.Bool // stopped, for those who work beside the turn
	full    atomic.Bool // the disk is: nothing more is fetched
	result  Result
}

func newRound(w *Worker, done func(Result)) *round {
	w.progress.reset()
	r := &round{
		w: w, o: &w.o, done: done, open: map[relpath.Path]*item{}, result: Result{Failed: map[relpath.Path]error{}},
	}
	r.setQuota(math.MaxUint64)
	return r
}

// stop ends the round early, with the reason where there is one.
func (r *round) stop(err error) {
	r.halt(err)
	r.fill()
}

// halt has nothing new be begun, and lets go of what waits.
func (r *round) halt(err error) {
	if r.result.Err == nil {
		r.result.Err = err
	}
	r.stopped, r.refresh = true, false
	r.halted.Store(true)
	toAsk, waiting := r.toAsk, slices.Concat(r.waiting, r.aside)
	r.toAsk, r.waiting, r.aside = nil, nil, nil
	for _, it := range toAsk {
		if it.inFlight == 0 {
			r.close(it)
		}
	}
	for _, it := range waiting {
		r.close(it)
	}
}

// fill keeps the round busy: it begins names, asks for blocks, commits what is
// ready, moves on to the next stage, and ends the round when nothing is left.
func (r *round) fill() {
	r.ask()
	for r.stage != stageEnd && !r.stopped && !r.reading && !r.exhausted && r.moves.running == 0 && len(r.open)-r.late < maxOpen {
		r.begin()
	}
	r.maybeCommit()
	switch {
	case r.reading || r.committing || r.moves.running > 0 || r.stopped && len(r.open) > 0 || len(r.open) > r.long:
	case r.stopped:
		r.end()
	case r.stage != stageEnd:
		r.advance()
		r.fill()
	case r.refresh || r.more && r.result.Changed > r.before:
		r.again()
		r.fill()
	case len(r.open)+r.moves.waiting() > 0 || r.passedOver:
		r.park()
	default:
		r.end()
	}
}

// advance goes on to the next stage, or to another pass for the sake of names
// that waited for others.
func (r *round) advance() {
	r.cursor, r.exhausted = relpath.Root, false
	r.stage++
	if r.stage == stageEnd && r.retry && r.pass+1 < maxPasses && r.result.Changed > 0 {
		r.pass++
		r.again()
	}
}

// again goes through the names once more; those on their way stay there.
func (r *round) again() {
	r.stage, r.retry, r.refresh = stageFind, false, false
	r.before = r.result.Changed
	r.cursor, r.exhausted = relpath.Root, false
	clear(r.result.Failed)
	r.result.Unavailable, r.result.Space = 0, nil
	r.full.Store(false)
	r.more, r.deletes, r.dirs, r.replace = false, nil, nil, nil
	r.moves.again()
}

// park waits for big files alone, and tells what was done so far. News make
// the round go on meanwhile.
func (r *round) park() {
	if r.o.Parked == nil || r.result.Changed == 0 && len(r.result.Rescan) == 0 && len(r.result.Failed) == 0 {
		return
	}
	so := r.result
	so.Failed = maps.Clone(so.Failed)
	r.o.Parked(so)
	r.result.Changed, r.result.Rescan, r.before = 0, nil, 0
	r.pass = 0
}

func (r *round) end() {
	if r.cancelAge != nil {
		r.cancelAge()
	}
	if r.moves.wake != nil {
		r.moves.wake()
	}
	if r.cancelLate != nil {
		r.cancelLate()
	}
	r.w.round = nil
	r.w.pieces.clear()
	r.w.progress.reset()
	done, result := r.done, r.result
	r.done = nil
	done(result)
}

// begin takes up the next page of names of this stage.
func (r *round) begin() {
	switch r.stage {
	case stageFind, stageCreate:
		r.readPage()
	case stageWeigh:
		r.weigh()
	case stageDelete:
		r.exhausted = true
		list := r.deletes
		r.deletes = nil
		for _, n := range list {
			if !r.moves.holdsOld(n.Global.Name) {
				r.take(n)
			}
		}
	case stageRemoveDirs:
		r.exhausted = true
		for i := len(r.dirs) - 1; i >= 0; i-- {
			if !r.moves.holdsOld(r.dirs[i].Global.Name) {
				r.take(r.dirs[i])
			}
		}
	case stageReplaceDirs:
		r.exhausted = true
		for _, n := range r.replace {
			r.take(n)
		}
	case stageModes:
		r.exhausted = true
		r.fixModes()
	}
}

func (r *round) readPage() {
	r.reading = true
	after, find := r.cursor, r.stage == stageFind
	r.w.prep.Go(func() {
		page, err := r.page(after, find)
		r.w.turn.Post(func() { r.gotPage(page, err) })
	})
}

// page reads needed names after a name. To find deletions where there are none
// reads nothing.
func (r *round) page(after relpath.Path, find bool) ([]index.Needed, error) {
	if find && after.IsRoot() {
		if counts, err := r.o.Index.Counts(); err != nil || counts.Need.Deletes == 0 {
			return nil, err
		}
	}
	return r.o.Index.Needed(after, pageSize)
}

func (r *round) gotPage(page []index.Needed, err error) {
	r.reading = false
	if err != nil {
		r.stop(err)
		return
	}
	if len(page) == 0 {
		r.exhausted = true
	}
	if len(page) > 0 {
		r.cursor = page[len(page)-1].Global.Name
	}
	if r.stage == stageCreate {
		r.lookForMoves(page)
		return
	}
	for i := range page {
		if page[i].Global.Deleted {
			r.noteDeletion(page[i])
		}
	}
	r.fill()
}

// takePage begins the work on the names of a page that are to be made. It waits
// while a directory is renamed: content that stands there cannot be found then.
func (r *round) takePage(page []index.Needed) {
	if r.moves.running > 0 {
		r.moves.page = page
		return
	}
	for i := range page {
		if n := page[i]; !n.Global.Deleted && r.moves.find(n.Global.Name) == nil {
			r.sort(n)
		}
	}
	r.fill()
}

func (r *round) noteDeletion(n index.Needed) {
	switch {
	case r.held(n):
	case len(r.deletes)+len(r.dirs) >= maxDeletes:
		r.more = true
	case n.Local != nil && n.Local.IsDirectory():
		r.dirs = append(r.dirs, n)
	default:
		r.deletes = append(r.deletes, n)
	}
}

// sort begins the work on a name that is to be made, or leaves it for later.
func (r *round) sort(n index.Needed) {
	g := &n.Global
	switch {
	case r.held(n):
	case n.Local != nil && n.Local.IsDirectory() && g.Type != bep.TypeDirectory:
		r.replace = append(r.replace, n)
	case r.unavailable(&n):
		r.passedOver = r.passedOver || r.onlyBehind(n.From)
		r.result.Unavailable++
	default:
		r.take(n)
	}
}

// unavailable reports whether a file's blocks can be had from nobody now.
func (r *round) unavailable(n *index.Needed) bool {
	g := &n.Global
	if !g.IsFile() || n.Local != nil && n.Local.SameContent(g) || r.o.Role == bep.SendOnly || r.o.Ignored(g.Name) {
		return false
	}
	for _, d := range n.From {
		if _, ok := r.load(d); ok {
			return false
		}
	}
	return true
}

// take begins the work on one name.
func (r *round) take(n index.Needed) {
	if r.open[n.Global.Name] != nil {
		return // on its way since an earlier pass
	}
	it := &item{r: r, need: n, want: &n.Global}
	r.open[it.name()] = it
	r.w.progress.add(it)
	r.w.prep.Go(func() {
		it.prepare()
		r.w.turn.Post(func() { r.prepared(it) })
	})
}

// gather begins to gather a big file, or lets it wait for its turn.
func (r *round) gather(it *item) {
	if !it.long {
		it.long = true
		r.long++
	}
	it.lists = it.blocks()
	if len(r.waiting) > 0 || !r.mayGather(it) {
		it.letListsGo()
		r.waiting = append(r.waiting, it)
		return
	}
	r.beginGather(it)
}

// beginGather gives a big file its turn.
func (r *round) beginGather(it *item) {
	if r.onlyBehind(it.need.From) {
		r.passOver(it) // to look for its blocks on the disk can wait as well
		return
	}
	r.gathered.add(it)
	it.gathers = true
	r.w.prep.Go(func() {
		it.recallLists()
		it.gatherLocal(func() {
			r.w.turn.Post(func() {
				if it.err != nil || it.stale || r.stopped {
					r.close(it)
				} else {
					r.settle(it, nil)
				}
				r.fill()
			})
		})
	})
}

// prepared files an item under what it needs next.
func (r *round) prepared(it *item) {
	switch {
	case it.err != nil || it.rescan || it.decision.Do == plan.None || r.stopped:
		r.close(it)
	case it.steps == nil || it.steps.Done():
		r.makeReady(it)
	case it.large():
		r.gather(it)
	default:
		r.queue(it)
	}
	r.fill()
}

func (r *round) makeReady(it *item) {
	if it.long {
		it.long = false
		r.long--
	}
	r.ready = append(r.ready, it)
	r.readyBytes += it.want.Size
	if r.cancelAge == nil {
		r.cancelAge = r.o.Exec.After(batchAge, func() {
			r.w.turn.Post(func() { r.aged = true; r.maybeCommit() })
		})
	}
}

// maybeCommit commits what is ready when the batch is full or old, or when
// nothing else is on its way.
func (r *round) maybeCommit() {
	if r.committing || len(r.ready) == 0 {
		return
	}
	if r.stage == stageRemoveDirs {
		// What a directory holds goes before it.
		if len(r.ready) < len(r.open)-r.long {
			return
		}
		slices.SortFunc(r.ready, func(a, b *item) int { return b.name().Compare(a.name()) })
	} else if len(r.ready) < batchItems && r.readyBytes < batchBytes && !r.aged && len(r.ready) < len(r.open)-r.long {
		return
	}
	batch := r.ready
	if len(batch) > batchItems {
		batch = batch[:batchItems]
	}
	r.ready = append([]*item(nil), r.ready[len(batch):]...)
	r.readyBytes = 0
	for _, it := range r.ready {
		r.readyBytes += it.want.Size
	}
	if r.cancelAge != nil {
		r.cancelAge()
		r.cancelAge, r.aged = nil, false
	}
	r.committing = true
	r.o.Disk.Post(func() {
		err := commit(r.o, batch)
		r.w.turn.Post(func() { r.committed(batch, err) })
	})
}

func (r *round) committed(batch []*item, err error) {
	r.committing = false
	if len(r.ready) > 0 && r.cancelAge == nil {
		r.aged = true // what was left over has waited long enough
	}
	for _, it := range batch {
		r.close(it)
	}
	if err != nil {
		r.stop(err)
		return
	}
	r.fill()
}

// close ends an item and takes its outcome into the result.
func (r *round) close(it *item) {
	it.release()
	delete(r.open, it.name())
	if it.tempMade && !it.stored && it.steps != nil && it.wholeAtOnce() {
		r.w.leftOver.take(it.temp)
	}
	r.w.progress.remove(it)
	if it.long {
		r.long--
	}
	if it.late {
		r.late--
	}
	if it.lateFile {
		r.lateFiles.take(it)
	}
	if it.gathers {
		r.gathered.take(it)
	}
	r.nextFile()
	name := it.want.Name
	r.result.Rescan = append(r.result.Rescan, it.rescans...)
	switch {
	case it.lateMode:
		r.modes = append(r.modes, *it.want)
	case it.rescan:
		r.result.Rescan = append(r.result.Rescan, name)
	case it.err != nil && it.waits:
		r.retry = true
		r.failed(name, it.err)
	case it.err != nil:
		r.noteSpace(it)
		err := localFault(it.err)
		r.failed(name, err)
		if fault.KindOf(err) == fault.Folder {
			r.halt(err)
		}
	case it.stored:
		r.result.Changed++
	case it.stale:
		r.result.Again = true
	}
}

// nextFile begins to gather the next big files, if there is room.
func (r *round) nextFile() {
	for len(r.waiting) > 0 && !r.stopped && r.mayGather(r.waiting[0]) {
		next := r.waiting[0]
		r.waiting = r.waiting[1:]
		r.beginGather(next)
	}
}

// failed notes why a name could not be pulled. More than anyone can read are
// not kept; they stay needed, and the next round tells of them.
func (r *round) failed(name relpath.Path, err error) {
	if len(r.result.Failed) < maxFailed {
		r.result.Failed[name] = err
	}
}

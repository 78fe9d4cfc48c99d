package folder

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"lanyard/sync/archive"
	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/device"
	"lanyard/sync/exec"
	"lanyard/sync/fault"
	"lanyard/sync/fsys"
	"lanyard/sync/ignore"
	"lanyard/sync/index"
	"lanyard/sync/plan"
	"lanyard/sync/pull"
	"lanyard/sync/relpath"
	"lanyard/sync/serve"
	"lanyard/sync/status"
	"lanyard/sync/watch"
)

// Options of a Runner. ID, Self, Open, Index, Exec, Hash and Source are
// required.
type Options struct {
	ID   bep.FolderID
	Type bep.FolderType
	Self device.ID
	// Open opens the root.
	Open func() (fsys.FS, error)
	// NewWatcher makes the watcher; nil, and one that gives nil, leave noticing
	// to Notice.
	NewWatcher func(skip func(relpath.Path) bool) watch.Watcher
	Index      index.Folder
	Exec       exec.Executor
	Hash       *block.Pool
	Source     pull.Source
	// Brake is from how many on deletions wait for a person; NoBrake lets all
	// through.
	Brake   plan.Brake
	NoBrake bool
	// VersionsFor is how long replaced and deleted files are kept; negative
	// keeps none.
	VersionsFor time.Duration
	// Boot tells this start of the computer from others. A run that was cut short
	// in another one, or where it is empty, has all files read again.
	Boot string
	// RescanEvery is the pause between full scans; negative means never.
	RescanEvery time.Duration
	// Sums says, before each scan, whether the blocks of changed files are to be
	// summed for other devices; nil sums none.
	Sums func() bool
	// Whole reports whether those that share the folder have told us all of
	// their indexes: the connected ones, and one at least where there are any. age
	// is another one from the moment on when something of that begins to be
	// forgotten, as where a device tells its index from the start again. nil waits
	// for nobody. It must not block.
	Whole func() (age int64, whole bool)
	// Recovered is called when an index that had lost something is whole again:
	// from then on it may be announced. It must not block.
	Recovered func()
	// Announce is called when our index has new entries. It must not block.
	Announce func()
	// Did is called with each file that was changed here or by a pull, before
	// Announce; nil is fine. It must not block.
	Did func(status.Deed)
	// Changed is called when the View may have changed. It must not block.
	Changed func()
	Log     *slog.Logger
}

// Runner runs one folder. Methods may be called from any goroutine.
type Runner struct {
	o      Options
	exec   *exec.Scope
	turn   *exec.Serial // owns machine and timer
	disk   *exec.Serial // the state of the disk and the index together
	ctx    context.Context
	cancel context.CancelFunc

	machine *Machine
	brake   *brake // nil where all deletions go through
	timer   func()
	slots   chan struct{} // bounds batches that wait to be stored

	mu      sync.Mutex // guards what follows, held for memory only
	fs      fsys.FS
	rules   *ignore.Matcher
	worker  *pull.Worker
	server  *serve.Server
	archive *archive.Store // nil keeps nothing
	watcher watch.Watcher
	unwatch context.CancelFunc
	blind   bool // the watcher has ended before its time
	view    View
	tickets map[int]func(error) // wishes that wait for their answer
	ticket  int                 // the last one given
	stopped bool                // every ticket was answered, no more are given
	former  map[device.ID]*former

	// These belong to the Disk turn.
	durable   time.Time                  // what changed before is durable
	steady    steadyClock                // of the computer
	careful   bool                       // the disk failed to write something
	unwritten map[relpath.Path]unwritten // what it failed to write
	held      []relpath.Path             // what the scan that runs left out because of it
	alive     time.Time                  // when the index last noted the time
	pruning   bool                       // pruneAfter waits
	made      map[relpath.Path]*made     // in this run; see there
	choice    *choice                    // what is left of it; nil where that was not read yet

	looked atomic.Int64 // files that the scan has looked at
	losing atomic.Int64 // losses that the Disk turn has yet to note

	begun     atomic.Bool // the run was noted in the index
	trusted   atomic.Bool // stamps prove something: see doubt
	rereads   atomic.Bool // files are, or were, read again in this run
	doubtFrom int64       // set before the folder is open

	nonce string // of the root; set before the folder is open
}

// maxUnstored is how many batches of a scan may wait to be stored.
const maxUnstored = 4

// New returns a Runner. It does nothing before Start.
func New(o Options) *Runner {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Announce == nil {
		o.Announce = func() {}
	}
	if o.Did == nil {
		o.Did = func(status.Deed) {}
	}
	if o.Recovered == nil {
		o.Recovered = func() {}
	}
	if o.Changed == nil {
		o.Changed = func() {}
	}
	if o.Sums == nil {
		o.Sums = func() bool { return false }
	}
	o.Log = o.Log.With("folder", string(o.ID))
	scope := exec.NewScope(o.Exec)
	ctx, cancel := context.WithCancel(context.Background())
	r := &Runner{
		o: o, exec: scope, turn: exec.NewSerial(scope), disk: exec.NewSerial(scope), ctx: ctx, cancel: cancel,
		machine: NewMachine(o.RescanEvery), tickets: map[int]func(error){}, slots: make(chan struct{}, maxUnstored),
		unwritten: map[relpath.Path]unwritten{}, made: map[relpath.Path]*made{},
		former: map[device.ID]*former{},
	}
	r.lookAtClock() // to find that it was set before the first scan
	if !o.NoBrake {
		r.brake = r.newBrake()
	}
	return r
}

// Start opens the folder; it goes on by itself from there.
func (r *Runner) Start() { r.turn.Post(r.open) }

// Stop ends all work of the folder and waits for what runs. What it was doing
// is safe to be interrupted at any point.
func (r *Runner) Stop() {
	r.cancel()
	r.exec.Close()
	r.closeRoot()
	r.endRun()
	r.mu.Lock()
	waiting := r.tickets
	r.tickets, r.stopped = nil, true
	r.mu.Unlock()
	for _, done := range waiting {
		done(errStopped)
	}
}

// Notice takes what a watcher saw.
func (r *Runner) Notice(c watch.Change) {
	if r.brake != nil {
		r.brake.departures.note(c)
	}
	r.post(Noticed{c})
}

// RemoteChanged tells that another device's index has news.
func (r *Runner) RemoteChanged() {
	r.post(RemoteChanged{})
}

// PeersChanged tells that a device came or went.
func (r *Runner) PeersChanged() {
	r.post(PeersChanged{})
	if w := r.puller(); w != nil {
		w.Wake()
	}
}

// Scan scans the paths, everything where there are none; done is called when
// the result is durable.
func (r *Runner) Scan(paths []relpath.Path, done func(error)) {
	r.mu.Lock()
	if r.stopped {
		r.mu.Unlock()
		done(errStopped)
		return
	}
	r.ticket++
	ticket := r.ticket
	r.tickets[ticket] = done
	r.mu.Unlock()
	r.post(ScanAsked{Paths: paths, Ticket: ticket})
}

// errStopped is what a wish gets from a folder that does not run any more.
var errStopped = fault.New(fault.Retry, "", "the folder was stopped")

// finish answers a wish.
func (r *Runner) finish(ticket int, err error) {
	r.mu.Lock()
	done := r.tickets[ticket]
	delete(r.tickets, ticket)
	r.mu.Unlock()
	if done != nil {
		done(err)
	}
}

// Answer appends the frame that answers a device's request, and reports whether
// that has what was asked for.
func (r *Runner) Answer(dst []byte, req *bep.Request) (frame []byte, ok bool) {
	r.mu.Lock()
	s := r.server
	r.mu.Unlock()
	if s == nil {
		return bep.AppendResponseHeader(dst, req.ID, bep.CodeGeneric, 0), false
	}
	start := len(dst)
	dst = bep.AppendResponseHeader(dst, req.ID, bep.CodeOK, int(max(req.Size, 0)))
	out, code := s.Answer(dst, req)
	if code != bep.CodeOK {
		return bep.AppendResponseHeader(out[:start], req.ID, code, 0), false
	}
	return out, true
}

func (r *Runner) root() fsys.FS {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fs
}

func (r *Runner) puller() *pull.Worker {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.worker
}

func (r *Runner) matchers() *ignore.Matcher {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rules
}

func (r *Runner) post(ev Event) { r.turn.Post(func() { r.step(ev) }) }

// step runs on the turn.
func (r *Runner) step(ev Event) {
	commands := r.machine.Step(r.exec.Now(), ev)
	for _, c := range commands {
		r.carryOut(c)
	}
	r.arm()
	r.publish()
}

func (r *Runner) carryOut(c Command) {
	switch c := c.(type) {
	case Scan:
		// What a commit has put in place by now is recorded first: else the scan
		// would take it for new, and hash it for nothing.
		r.disk.Post(func() { r.exec.Go(func() { r.scan(c) }) })
	case Pull:
		r.pull()
	case Refresh:
		if w := r.puller(); w != nil {
			w.Refresh()
		}
	case Finish:
		r.finish(c.Ticket, c.Err)
	case LookForRoom:
		r.lookForRoom()
	case Reopen:
		r.open()
	case Mend:
		r.exec.Go(func() { r.mend(c.Late) })
	}
}

func (r *Runner) arm() {
	if r.timer != nil {
		r.timer()
		r.timer = nil
	}
	due := r.machine.Wake()
	if due.IsZero() {
		return
	}
	r.timer = r.exec.After(max(due.Sub(r.exec.Now()), 0), func() { r.post(Tick{}) })
}

func (r *Runner) pull() {
	w := r.puller()
	if w == nil {
		r.post(PullDone{})
		return
	}
	w.Start(func(res pull.Result) {
		r.turn.Post(func() {
			r.step(PullDone{res})
			r.noteFailures(res)
			r.noteSpace(res.Space)
			r.noteFailing()
		})
	})
}

// open opens the root where it is not, proves it, and tells the machine.
func (r *Runner) open() {
	r.exec.Go(func() {
		same, err := r.openRoot()
		if err != nil {
			r.o.Log.Warn("folder stopped", "error", err)
			r.post(Stopped{err})
			return
		}
		if _, recovering := r.o.Index.Recovery(); recovering {
			r.post(Recovering{})
		}
		r.post(Opened{same})
		if !r.exec.Inline() {
			r.maintain(false)
		}
	})
}

// maintain has the index do what is due.
func (r *Runner) maintain(idle bool) {
	if err := r.o.Index.Maintain(r.ctx, r.exec.Now(), idle); err != nil && r.ctx.Err() == nil {
		r.o.Log.Warn("maintain index", "error", err)
	}
}

// openRoot opens and proves the root. same tells that it is the one that was
// open before, and that the watcher went on seeing all of it.
func (r *Runner) openRoot() (same bool, err error) {
	if r.root() != nil && r.prove() == nil {
		if err := r.probeIndex(); err != nil {
			return false, err
		}
		return r.renewRules()
	}
	// What is open may be a disk that was taken away; it may be back by now,
	// and then only opening the path again finds it.
	f, err := r.o.Open()
	if err != nil {
		return false, fault.Wrap(fault.Folder, "folder-missing", "open", string(r.o.ID), err)
	}
	if err := r.proveFirst(f); err != nil {
		f.Close()
		return false, err
	}
	rules, err := loadRules(f)
	if err != nil {
		f.Close()
		return false, err
	}
	if err := r.beginRun(); err != nil {
		f.Close()
		return false, err
	}
	if r.brake != nil {
		if err := r.brake.load(); err != nil {
			f.Close()
			return false, err
		}
	}
	r.closeRoot() // before: whoever still works on the old one fails
	r.equip(f, rules)
	r.startWatcher()
	return false, nil
}

// closeRoot closes the root and what reads from it, if it is open.
func (r *Runner) closeRoot() {
	r.mu.Lock()
	f, server := r.fs, r.server
	r.fs, r.server = nil, nil
	r.mu.Unlock()
	if server != nil {
		server.Close()
	}
	if f == nil {
		return
	}
	if err := f.Close(); err != nil {
		r.o.Log.Warn("close root", "error", err)
	}
}

// equip makes what works on an open root.
func (r *Runner) equip(f fsys.FS, rules *ignore.Matcher) {
	var store *archive.Store
	var keep pull.Archive
	if r.o.VersionsFor >= 0 {
		store = archive.New(archive.Options{FS: f, MaxAge: r.o.VersionsFor})
		keep = store
	}
	var held pull.Brake
	if r.brake != nil {
		held = r.brake
	}
	worker := pull.NewWorker(pull.Options{
		Folder: r.o.ID, Self: r.o.Self.Short(), Role: r.o.Type, FS: f, Index: r.o.Index, Exec: r.exec, Disk: r.disk, Source: r.o.Source,
		Archive: keep, Prove: r.proveAlive, Brake: held, Stored: r.o.Announce, Did: r.o.Did, Log: r.o.Log,
		Parked:    func(res pull.Result) { r.post(PullParked{res}) },
		Ignored:   func(p relpath.Path) bool { return r.matchers().Match(p).Ignored },
		Deletable: func(p relpath.Path) bool { return r.matchers().Match(p).Deletable },
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fs, r.rules, r.worker, r.archive = f, rules, worker, store
	r.server = r.newServer(f)
}

func (r *Runner) reloadRules() error {
	rules, err := loadRules(r.root())
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.rules = rules
	r.mu.Unlock()
	return nil
}

// renewRules reads the rules anew while the folder is stopped. A watcher keeps
// to the rules that it began with, and one that lost its root has ended.
// same tells that the one that there is goes on.
func (r *Runner) renewRules() (same bool, err error) {
	old := r.matchers().Hash()
	if err := r.reloadRules(); err != nil {
		return false, err
	}
	if r.isBlind() || r.matchers().Hash() != old {
		r.startWatcher()
		return false, nil
	}
	return true, nil
}

// startWatcher watches until the folder stops. It returns when every directory
// that can be watched is, so that nothing falls between watching and the first
// scan.
func (r *Runner) startWatcher() {
	if r.o.NewWatcher == nil {
		return
	}
	rules := r.matchers()
	w := r.o.NewWatcher(func(p relpath.Path) bool { return rules.Match(p).CanSkip })
	if w == nil {
		return
	}
	ctx, cancel := context.WithCancel(r.ctx)
	r.mu.Lock()
	old := r.unwatch
	r.watcher, r.unwatch, r.blind = w, cancel, false
	r.mu.Unlock()
	r.note(codeWatchLimit, nil)
	r.note(codeWatchNone, nil)
	if old != nil {
		old()
	}
	failed := make(chan struct{}) // closed when Run returns
	r.exec.Go(func() {
		defer close(failed)
		if err := w.Run(ctx, r.Notice); ctx.Err() == nil {
			r.o.Log.Warn("watching ended; the folder is scanned from time to time", "error", err)
			r.mu.Lock()
			blind := r.watcher == w
			r.blind = r.blind || blind
			r.mu.Unlock()
			r.noteWatchEnd(w, err)
			if blind && errors.Is(err, watch.ErrRootGone) && isReady(w) {
				r.Notice(watch.Change{All: true}) // the scan finds the root gone, or watches anew
			}
			r.poll(ctx, w)
		}
	})
	select {
	case <-w.Ready():
	case <-failed:
	case <-ctx.Done():
	}
	if n := len(w.Unwatched()); n > 0 {
		r.noteUnwatched(w, n)
		r.poll(ctx, w)
	}
}

// isReady reports whether a watcher had begun to watch.
func isReady(w watch.Watcher) bool {
	select {
	case <-w.Ready():
		return true
	default:
		return false
	}
}

// isBlind reports whether the watcher has ended before its time.
func (r *Runner) isBlind() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.blind
}

// pollEvery is the pause between looks at what cannot be watched.
const pollEvery = time.Minute

// Conditions of noticing changes.
const (
	codeWatchLimit fault.Code = "watch-limit"
	codeWatchNone  fault.Code = "watch-none"
)

// noteUnwatched tells that some directories are looked at from time to time.
func (r *Runner) noteUnwatched(w watch.Watcher, n int) {
	err := fault.New(fault.Folder, codeWatchLimit, "the system watches no more directories; %d of them are looked at every %v", n, pollEvery)
	r.noteOf(w, codeWatchLimit, fault.With(err, "n", strconv.Itoa(n)))
}

// noteWatchEnd tells that nothing of the folder is watched any more.
func (r *Runner) noteWatchEnd(w watch.Watcher, err error) {
	if errors.Is(err, watch.ErrRootGone) {
		return // the folder stops because of it, and that is told
	}
	if errors.Is(err, watch.ErrLimit) {
		r.noteUnwatched(w, 1) // the root, with all that is in it
		return
	}
	err = fault.Wrap(fault.Folder, codeWatchNone, "watch the folder", "", err)
	r.noteOf(w, codeWatchNone, fault.With(err, "minutes", strconv.Itoa(int(pollEvery.Minutes()))))
}

// poll reports what a watcher does not watch as changed, again and again.
func (r *Runner) poll(ctx context.Context, w watch.Watcher) {
	r.exec.After(pollEvery, func() {
		if ctx.Err() != nil {
			return
		}
		subtrees := w.Unwatched()
		if len(subtrees) > 0 {
			r.noteUnwatched(w, len(subtrees))
		}
		r.Notice(watch.Change{Subtrees: subtrees, All: len(subtrees) == 0})
		r.poll(ctx, w)
	})
}

// Ignored reports whether the folder's rules leave a name alone.
func (r *Runner) Ignored(p relpath.Path) bool { return r.matchers().Match(p).Ignored }

// IgnoredBy gives the rule that leaves a name alone, false where none does.
func (r *Runner) IgnoredBy(p relpath.Path) (ignore.Rule, bool) { return r.matchers().Explain(p) }

// Stands reports whether anything stands under a name on the disk now.
func (r *Runner) Stands(p relpath.Path) bool {
	f := r.root()
	if f == nil {
		return false
	}
	_, err := f.Lstat(p)
	return err == nil
}

// newServer makes what answers requests from an open root.
func (r *Runner) newServer(f fsys.FS) *serve.Server {
	return serve.New(serve.Options{
		FS: f, Index: r.o.Index, Ignored: r.Ignored,
		Dirty: func(p relpath.Path) { r.Notice(watch.Change{Events: []watch.Event{{Path: p}}}) },
	})
}

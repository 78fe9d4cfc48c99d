package folder

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"lanyard/sync/fault"
	"lanyard/sync/index"
	"lanyard/sync/pull"
	"lanyard/sync/relpath"
	"lanyard/sync/watch"
)

// View is what may be shown of a folder.
type View struct {
	Scanning bool
	Pulling  bool
	// Settled: scanned since it was opened, nothing dirty, nothing on its way.
	Settled bool
	// Known: the root is proved, and everything in it was looked at since.
	Known bool
	// Err is why the folder does not go on, nil if it does, and ErrSince when
	// that began.
	Err      error
	ErrSince time.Time
	// Noted holds conditions of the folder with which it goes on, by their codes.
	Noted map[fault.Code]error
	// Failed gives the names that are not in sync, and why.
	Failed map[relpath.Path]error
	// Building is since when a scan has been making the index out of the files,
	// zero where none does; Looked is how many files it has looked at.
	Building time.Time
	Looked   int64
	// Unavailable counts files that no connected device can give.
	Unavailable int
	Since       time.Time // of the last change of state
}

// maxFailures bounds the names kept with their reasons; more are counted by
// the need alone.
const maxFailures = 10_000

// View gives the folder's state.
func (r *Runner) View() View {
	r.mu.Lock()
	defer r.mu.Unlock()
	v := r.view
	v.Failed = maps.Clone(v.Failed)
	v.Noted = maps.Clone(v.Noted)
	v.Looked = r.looked.Load()
	return v
}

// note tells of a condition of the folder with which it goes on, in place of
// what was told of it before; with no error it has ended. Values for its
// sentences come with the error (fault.With).
func (r *Runner) note(code fault.Code, err error) {
	r.mu.Lock()
	changed := r.noted(code, err)
	r.mu.Unlock()
	if changed {
		r.o.Changed()
	}
}

// noteOf is note for what a watcher ran into: nothing, if another one has taken
// its place.
func (r *Runner) noteOf(w watch.Watcher, code fault.Code, err error) {
	r.mu.Lock()
	changed := r.watcher == w && r.noted(code, err)
	r.mu.Unlock()
	if changed {
		r.o.Changed()
	}
}

// noted is note without telling of it: the caller holds mu.
func (r *Runner) noted(code fault.Code, err error) (changed bool) {
	before, known := r.view.Noted[code]
	switch {
	case err == nil:
		delete(r.view.Noted, code)
	default:
		if r.view.Noted == nil {
			r.view.Noted = map[fault.Code]error{}
		}
		r.view.Noted[code] = err
	}
	return known != (err != nil) || known && !maps.Equal(fault.DataOf(before), fault.DataOf(err))
}

// Progress gives how far the pull has come.
func (r *Runner) Progress() pull.ProgressView {
	if w := r.puller(); w != nil {
		return w.Progress()
	}
	return pull.ProgressView{}
}

// Counts gives the folder's sums.
func (r *Runner) Counts() (index.Counts, error) { return r.o.Index.Counts() }

// publish takes the machine's state into the view. It runs on the turn.
func (r *Runner) publish() {
	scanning, pulling, dirty := r.machine.Busy()
	err := r.machine.Err()
	r.mu.Lock()
	v := &r.view
	known := r.machine.Known()
	changed := v.Known != known || v.Scanning != scanning || v.Pulling != pulling || fault.CodeOf(v.Err) != fault.CodeOf(err) || (v.Err == nil) != (err == nil) ||
		v.Settled != (!scanning && !pulling && !dirty && err == nil)
	if err != nil && fault.CodeOf(v.Err) != fault.CodeOf(err) {
		v.ErrSince = r.exec.Now()
	}
	v.Scanning, v.Pulling, v.Known, v.Err = scanning, pulling, known, err
	v.Settled = !scanning && !pulling && !dirty && err == nil
	if changed {
		v.Since = r.exec.Now()
	}
	settled := v.Settled
	r.mu.Unlock()
	if changed {
		r.o.Changed()
	}
	if changed && settled {
		r.restLater()
	}
}

// restAfter is how long a folder is quiet before it gives back what it keeps
// at hand.
const restAfter = time.Minute

// restLater gives files and memory back once the folder has rested.
func (r *Runner) restLater() {
	since := r.exec.Now()
	r.exec.After(restAfter, func() {
		r.mu.Lock()
		resting, server := r.view.Settled && !r.view.Since.After(since), r.server
		r.mu.Unlock()
		if !resting {
			return
		}
		if server != nil {
			server.CloseIdle()
		}
		if err := r.o.Index.Idle(); err != nil {
			r.o.Log.Warn("rest", "error", err)
		}
		r.maintain(true)
	})
}

// Failure gives why a name is not in sync, where that is known.
func (r *Runner) Failure(p relpath.Path) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.view.Failed[p]
}

// Failures lists names that are not in sync, those that somebody must mend
// first, at most n.
func (v View) Failures(n int) []relpath.Path {
	names := slices.SortedFunc(maps.Keys(v.Failed), func(a, b relpath.Path) int {
		return cmp.Or(cmp.Compare(weight(v.Failed[a]), weight(v.Failed[b])), a.Compare(b))
	})
	return names[:min(n, len(names))]
}

func weight(err error) int {
	if fault.KindOf(err) == fault.Retry {
		return 1
	}
	return 0
}

// setBuilding notes since when a scan has been making the index, zero that none
// does. Those who watch are told again as it goes on.
func (r *Runner) setBuilding(since time.Time) {
	r.mu.Lock()
	r.view.Building = since
	r.mu.Unlock()
	if !since.IsZero() && !r.exec.Inline() {
		r.tellBuilding(since)
	}
}

// tellEvery is how often those who watch are told how far a long scan is.
const tellEvery = 2 * time.Second

func (r *Runner) tellBuilding(since time.Time) {
	r.exec.After(tellEvery, func() {
		r.mu.Lock()
		goesOn := r.view.Building.Equal(since)
		r.mu.Unlock()
		if goesOn {
			r.o.Changed()
			r.tellBuilding(since)
		}
	})
}

package folder

import (
	"maps"
	"slices"
	"strings"

	"lanyard/sync/fault"
	"lanyard/sync/fsys"
	"lanyard/sync/pull"
	"lanyard/sync/relpath"
	"lanyard/sync/scan"
)

// noteFailures takes what a pull could not do. It runs on the turn.
func (r *Runner) noteFailures(res pull.Result) {
	r.mu.Lock()
	before := r.view.Failed
	r.view.Failed = map[relpath.Path]error{}
	for p, err := range before {
		if _, scan := err.(scanError); scan {
			r.fail(p, err)
		}
	}
	r.view.Unavailable = res.Unavailable
	for p, err := range res.Failed {
		r.fail(p, err)
	}
	var stuck []relpath.Path
	for _, p := range res.Rescan {
		if !r.machine.Stuck(p) || r.view.Failed[p] != nil {
			continue
		}
		stuck = append(stuck, p)
		if err, known := before[p].(inTheWay); known {
			r.fail(p, err)
		} else {
			r.fail(p, errInTheWay)
		}
	}
	changed := !maps.EqualFunc(before, r.view.Failed, func(a, b error) bool { return fault.CodeOf(a) == fault.CodeOf(b) })
	r.mu.Unlock()
	if changed {
		r.o.Changed()
	}
	if len(stuck) > 0 {
		r.exec.Go(func() { r.lookInTheWay(stuck) })
	}
}

// scanned tells the machine how a scan ended, and tells of the names that never
// rest.
func (r *Runner) scanned(done ScanDone) {
	r.turn.Post(func() {
		r.step(done)
		names := r.machine.Restless(r.exec.Now())
		if len(names) == 0 {
			return
		}
		r.mu.Lock()
		for _, p := range names {
			r.fail(p, scanError{errRestless})
		}
		r.mu.Unlock()
		r.o.Changed()
	})
}

var errRestless = fault.New(fault.Retry, "file-keeps-changing", "it changes while it is read, again and again")

// inTheWay marks why a name is not pulled under which something stands that no
// scan can make a version of.
type inTheWay struct{ error }

func (e inTheWay) Unwrap() error { return e.error }

// errInTheWay is said where nothing closer is known: a pipe, say, or a file
// that cannot be read.
var errInTheWay = inTheWay{fault.New(fault.Item, "not-a-file", "something stands under this name here that cannot be synced; move it away")}

// lookInTheWay finds out which names are not pulled because the disk takes
// another name for the same.
func (r *Runner) lookInTheWay(names []relpath.Path) {
	f := r.root()
	if f == nil {
		return
	}
	changed := false
	for _, p := range names {
		err := inTheWayOf(f, p)
		r.mu.Lock()
		if before, still := r.view.Failed[p].(inTheWay); still {
			changed = changed || fault.CodeOf(before) != fault.CodeOf(err)
			r.view.Failed[p] = err
		}
		r.mu.Unlock()
	}
	if changed {
		r.o.Changed()
	}
}

// inTheWayOf says what stands in the way of a name.
func inTheWayOf(f fsys.FS, p relpath.Path) inTheWay {
	entries, err := f.ReadDir(p.Dir())
	if err != nil {
		return errInTheWay
	}
	base := p.Base()
	if slices.ContainsFunc(entries, func(e fsys.Entry) bool { return e.Name == base }) {
		return errInTheWay
	}
	for _, e := range entries {
		if strings.EqualFold(e.Name, base) {
			err := fault.New(fault.Item, "name-case-clash", "this disk takes %s for the same name", e.Name)
			return inTheWay{fault.With(err, "other", e.Name)}
		}
	}
	return errInTheWay
}

// scanError marks a failure that a scan found and a scan clears.
type scanError struct{ error }

func (e scanError) Unwrap() error { return e.error }

// noteProblems takes what a scan could not read. A full scan replaces all that
// earlier ones found, one of some names what it found below these.
func (r *Runner) noteProblems(full bool, paths []relpath.Path, problems []scan.Problem) {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.view.Failed, func(p relpath.Path, err error) bool {
		_, scan := err.(scanError)
		return scan && (full || slices.ContainsFunc(paths, p.Under))
	})
	for _, pr := range problems {
		p, err := relpath.Parse(pr.Name)
		if err != nil {
			p, err = relpath.Parse(relpath.Printable(pr.Name))
		}
		if err == nil {
			r.fail(p, scanError{pr.Err})
		}
	}
}

func (r *Runner) fail(p relpath.Path, err error) {
	if r.view.Failed == nil {
		r.view.Failed = map[relpath.Path]error{}
	}
	if len(r.view.Failed) < maxFailures {
		r.view.Failed[p] = err
	}
}

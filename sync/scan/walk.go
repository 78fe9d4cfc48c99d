package scan

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/fault"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
)

// staleAfter is the age at which a temporary file is nobody's any more.
const staleAfter = 24 * time.Hour

// descent says what to do about the names below an entry. Its place in the
// order is that of "entry/", after siblings such as "entry-2".
type descent struct {
	base string
	kind below
	path relpath.Path
	dir  *ignoredDir // an ignored directory to look into
}

type below uint8

const (
	nothing     below = iota // no directory: what is recorded below is absent
	walkInto                 // list it
	leaveAlone               // unknown: nothing below is absent
	leaveIgnore              // ignored with all below it
)

// ignoredDir is an ignored directory that may hold something wanted. If it
// does, it takes part like any other.
type ignoredDir struct {
	path relpath.Path
	look fsys.Info
	rec  *index.Record
	used bool // something below is wanted
}

// walker merges one ordered walk with one cursor.
type walker struct {
	*session
	cur *cursor
	// parents are the ignored directories that the walk is inside of.
	parents []*ignoredDir
}

// directory walks one directory. Everything recorded below dir has been read
// from the cursor when it returns nil.
func (w *walker) directory(ctx context.Context, dir relpath.Path) error {
	items, err := w.list(ctx, dir)
	if err != nil {
		if dir.IsRoot() || fault.IsContext(err) || ctx.Err() != nil {
			return err
		}
		return w.unlisted(dir, err)
	}
	// Descents wait on a stack until the order reaches "base/": "a", "a-b",
	// then "a/x". A later one on the stack is always the earlier in the order.
	var waiting []descent
	level := level{dir: dir, items: items}
	defer w.leave(&level)
	for i := range items {
		w.readAhead(&level, i)
		for n := len(waiting); n > 0 && compareBelow(items[i].name, waiting[n-1].base) > 0; n-- {
			if err := w.descend(ctx, dir, waiting[n-1]); err != nil {
				return err
			}
			waiting = waiting[:n-1]
		}
		d, err := w.visit(ctx, dir, &items[i])
		if err != nil {
			return err
		}
		if d.kind != nothing {
			waiting = append(waiting, d)
		}
	}
	for n := len(waiting) - 1; n >= 0; n-- {
		if err := w.descend(ctx, dir, waiting[n]); err != nil {
			return err
		}
	}
	return w.under(dir, w.missing)
}

// unlisted leaves a directory alone that could not be listed.
func (w *walker) unlisted(dir relpath.Path, err error) error {
	var o outcome
	if vanished(err) {
		o.moved = dir
	} else {
		o = unreadable(dir, "dir-unreadable", err)
	}
	o.unlisted, o.hasList = dir, true
	if err := w.put(o); err != nil {
		return err
	}
	return w.under(dir, func(*index.Record) error { return nil })
}

// vanished reports whether a name was gone, or its parent no directory.
func vanished(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fsys.ErrNotDirectory)
}

// before reads the records up to a place, which the listing did not have.
func (w *walker) before(at place) error {
	for {
		rec, err := w.cur.peek()
		if err != nil || rec == nil || at.compare(rec.Name.String()) >= 0 {
			return err
		}
		w.cur.next()
		if err := w.missing(rec); err != nil {
			return err
		}
	}
}

// under reads the records below dir.
func (w *walker) under(dir relpath.Path, each func(*index.Record) error) error {
	for {
		rec, err := w.cur.peek()
		if err != nil || rec == nil || !rec.Name.Under(dir) {
			return err
		}
		w.cur.next()
		if err := each(rec); err != nil {
			return err
		}
	}
}

// descend deals with what is below an entry of dir.
func (w *walker) descend(ctx context.Context, dir relpath.Path, d descent) error {
	if err := w.before(place{dir.String(), d.base, true}); err != nil {
		return err
	}
	switch d.kind {
	case leaveAlone:
		return w.under(d.path, func(*index.Record) error { return nil })
	case leaveIgnore:
		return w.under(d.path, w.nowIgnored)
	}
	if d.dir == nil {
		return w.directory(ctx, d.path)
	}
	w.parents = append(w.parents, d.dir)
	err := w.directory(ctx, d.path)
	w.parents = w.parents[:len(w.parents)-1]
	if err != nil || d.dir.used || d.dir.rec == nil {
		return err
	}
	return w.nowIgnored(d.dir.rec)
}

// visit compares one entry with its record and says what is to be done below.
func (w *walker) visit(ctx context.Context, dir relpath.Path, it *item) (descent, error) {
	at := place{dir: dir.String(), base: it.name}
	if err := w.before(at); err != nil {
		return descent{}, err
	}
	rec, err := w.cur.peek()
	if err != nil {
		return descent{}, err
	}
	var p relpath.Path
	if rec != nil && at.compare(rec.Name.String()) == 0 {
		p = rec.Name
		w.cur.next()
	} else {
		rec = nil
		if p, err = dir.Join(it.name); err != nil {
			return descent{}, w.put(outcome{problem: nameProblem(dir, it.name, err)})
		}
	}
	d := descent{base: it.name, path: p, kind: leaveAlone}
	switch {
	case it.held:
		return d, nil
	case internal(dir, p, it.name):
		return d, w.internal(p, it)
	}
	return w.compare(ctx, d, it.info, rec)
}

// internal reports whether a name is the engine's own. Its parent is not.
func internal(dir, p relpath.Path, base string) bool {
	if dir.IsRoot() {
		return p.Internal()
	}
	return relpath.TempBase(base)
}

// internal notes a temporary file.
func (w *walker) internal(p relpath.Path, it *item) error {
	// The modification time may be that of the version that is being built.
	age := w.Now().UnixNano() - max(it.info.Mtime, it.info.Ctime)
	if it.info.Kind == fsys.Other || !relpath.TempBase(it.name) {
		return nil
	}
	return w.put(outcome{temp: p, stale: age >= int64(staleAfter)})
}

// compare is visit for a name that may take part.
func (w *walker) compare(ctx context.Context, d descent, look fsys.Info, rec *index.Record) (descent, error) {
	isDir := look.Kind == fsys.Directory
	same := rec != nil && w.unchanged(rec, look)
	if !same || !w.SameRules {
		if ignored, skip := w.Ignore.Match(d.path, isDir); ignored {
			return w.ignored(d, look, rec, skip)
		}
	}
	if err := w.reviveParents(); err != nil {
		return d, err
	}
	switch look.Kind {
	case fsys.Directory:
		d.kind = walkInto
	case fsys.Other:
		return d, w.put(outcome{problem: w.otherProblem(d.path, look)})
	default:
		d.kind = nothing
	}
	w.seen++
	if w.Looked != nil && look.Kind == fsys.Regular {
		w.Looked.Add(1)
	}
	if same {
		return d, nil
	}
	return d, w.submit(ctx, job{d.path, look, rec})
}

// ignored deals with an ignored entry. One that may hold something wanted is
// decided when the walk leaves it.
func (w *walker) ignored(d descent, look fsys.Info, rec *index.Record, skip bool) (descent, error) {
	if look.Kind == fsys.Directory && !skip {
		d.kind, d.dir = walkInto, &ignoredDir{path: d.path, look: look, rec: rec}
		return d, nil
	}
	d.kind = leaveIgnore
	if rec == nil {
		return d, nil
	}
	return d, w.nowIgnored(rec)
}

// reviveParents makes ignored directories above a wanted entry take part.
func (w *walker) reviveParents() error {
	for _, dir := range w.parents {
		if dir.used {
			continue
		}
		dir.used = true
		w.seen++
		if dir.rec != nil && w.unchanged(dir.rec, dir.look) {
			continue
		}
		o, err := w.examineDirectory(job{dir.path, dir.look, dir.rec})
		if err != nil {
			return err
		}
		if err := w.put(o); err != nil {
			return err
		}
	}
	return nil
}

// otherProblem names what can be neither read nor entered.
func (w *walker) otherProblem(p relpath.Path, look fsys.Info) *Problem {
	code, text := fault.Code("not-a-file"), "it is neither a file, a directory nor a link, and is left out"
	if look.Dev != w.dev {
		code, text = "other-disk-inside", "another disk is mounted here, and is left out"
	}
	return &Problem{p.String(), fault.Wrap(fault.Item, code, "scan", p.String(), errors.New(text))}
}

// missing deals with a record whose name a complete listing does not have.
func (w *walker) missing(rec *index.Record) error {
	if rec.Deleted && !w.uninformed(rec) || rec.Flags&index.Unsupported != 0 {
		return nil
	}
	if ignored, _ := w.Ignore.Match(rec.Name, rec.Type == bep.TypeDirectory); ignored {
		return w.nowIgnored(rec)
	}
	w.absent = append(w.absent, rec.Name)
	return nil
}

// nowIgnored marks a record as ignored, if the rules say so. What is ignored
// is never looked at, and never counts as absent.
func (w *walker) nowIgnored(rec *index.Record) error {
	if rec.Deleted || rec.Flags&index.Ignored != 0 {
		return nil
	}
	if ignored, _ := w.Ignore.Match(rec.Name, rec.Type == bep.TypeDirectory); !ignored {
		return nil
	}
	return w.put(outcome{candidate: ignoredCandidate(rec)})
}

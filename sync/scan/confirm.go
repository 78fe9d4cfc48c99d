package scan

import (
	"context"
	"slices"

	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
)

// Confirm gives the records of those candidates that still hold, in order,
// and the names of the others, to be scanned again. Call it where nobody else
// stores records of the folder or changes its disk until they are stored.
//
// A candidate holds while our record is the one that it was compared with, the
// disk shows what Walk saw and, for an absence, the name is still not there.
// The root is proved before the first look and after the last one; if it is
// not the folder's, there is an error and nothing to store.
func Confirm(ctx context.Context, o Options, candidates []Candidate) (recs []index.Record, recheck []relpath.Path, err error) {
	o = o.withDefaults()
	if err := o.proveRoot(); err != nil {
		return nil, nil, err
	}
	current, err := o.records(candidates)
	if err != nil {
		return nil, nil, err
	}
	recs = make([]index.Record, 0, len(candidates))
	for i := range candidates {
		if ctx.Err() != nil {
			return nil, nil, context.Cause(ctx)
		}
		c := &candidates[i]
		if o.holds(c, current[i]) {
			recs = append(recs, c.Record)
		} else {
			recheck = append(recheck, c.Record.Name)
		}
	}
	if err := o.proveRoot(); err != nil {
		return nil, nil, err
	}
	return recs, recheck, nil
}

// records gives our records of the candidates' names, nil for none.
func (o *Options) records(candidates []Candidate) ([]*index.Record, error) {
	names := make([]relpath.Path, len(candidates))
	for i := range candidates {
		names[i] = candidates[i].Record.Name
	}
	return o.Index.Locals(names)
}

// holds reports whether a candidate is still true, now being our record.
func (o *Options) holds(c *Candidate, now *index.Record) bool {
	p := c.Record.Name
	if (now != nil) != (c.Old != nil) || now != nil && now.Sequence != c.Old.Sequence {
		return false
	}
	switch {
	case c.Unseen:
		return true
	case c.Absent:
		return o.gone(p)
	}
	look, err := o.FS.Lstat(p)
	if err == nil && look.Kind == fsys.Directory && c.Look.Kind == fsys.Directory {
		// Its times move with every name in it.
		return look.Mode == c.Look.Mode
	}
	return err == nil && look.Same(c.Look)
}

// gone reports whether a name is certainly not there. Anything in doubt is
// there.
func (o *Options) gone(p relpath.Path) bool {
	_, err := o.FS.Lstat(p)
	switch {
	case err == nil && !o.FS.CaseSensitive():
		return o.respelled(p)
	case err == nil || !vanished(err):
		return false
	}
	// What stands below another disk's mount point, or in its shadow, is not
	// gone. Every parent must be a directory, a file, a link, or gone itself.
	for dir := p.Dir(); !dir.IsRoot(); dir = dir.Dir() {
		look, err := o.FS.Lstat(dir)
		switch {
		case err == nil && look.Kind == fsys.Other, err != nil && !vanished(err):
			return false
		case err == nil && look.Kind == fsys.Directory:
			return true
		}
	}
	return true
}

// respelled reports whether p is found only because the disk takes another
// spelling for it: somebody renamed "A" to "a".
func (o *Options) respelled(p relpath.Path) bool {
	entries, err := o.FS.ReadDir(p.Dir())
	return err == nil && !slices.ContainsFunc(entries, func(e fsys.Entry) bool {
		return relpath.Normal(e.Name) == p.Base()
	})
}

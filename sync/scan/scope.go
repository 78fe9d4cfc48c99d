package scan

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"lanyard/sync/bep"
	"lanyard/sync/fault"
	"lanyard/sync/fsys"
	"lanyard/sync/relpath"
)

// walkScopes walks what was asked for.
func (s *session) walkScopes(ctx context.Context, subtrees []relpath.Path) error {
	tops, err := s.scopes(subtrees)
	if err != nil {
		return err
	}
	return s.collect(ctx, func(ctx context.Context) error {
		for _, top := range tops {
			cur, err := newCursor(s.Index, top)
			if err != nil {
				return err
			}
			w := &walker{session: s, cur: cur}
			if top.IsRoot() {
				err = w.directory(ctx, top)
			} else {
				err = w.subtree(ctx, top)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// scopes gives the subtrees to walk, none inside another. A subtree below a
// directory that we have no record of is widened to that directory, and a name
// that a look shows to be the recorded file is left out.
func (s *session) scopes(subtrees []relpath.Path) ([]relpath.Path, error) {
	if len(subtrees) == 0 {
		return []relpath.Path{relpath.Root}, nil
	}
	var tops, asked []relpath.Path
	widened := map[relpath.Path]relpath.Path{}
	for _, p := range subtrees {
		if p.Internal() {
			continue
		}
		top, err := s.widen(p, widened)
		if err != nil {
			return nil, err
		}
		if top == p {
			asked = append(asked, p)
		} else {
			tops = append(tops, top)
		}
	}
	for page := range slices.Chunk(asked, pageSize) {
		changed, err := s.withoutSettled(page)
		if err != nil {
			return nil, err
		}
		tops = append(tops, changed...)
	}
	slices.SortFunc(tops, relpath.Path.Compare)
	tops = slices.Compact(tops)
	// The names below "a" need not follow it directly: "a-b" comes between.
	return slices.DeleteFunc(slices.Clone(tops), func(p relpath.Path) bool {
		return !p.IsRoot() && coveredAbove(tops, p)
	}), nil
}

// coveredAbove reports whether a parent of p, at any height, is in tops.
func coveredAbove(tops []relpath.Path, p relpath.Path) bool {
	for dir := p.Dir(); ; dir = dir.Dir() {
		if _, ok := slices.BinarySearchFunc(tops, dir, relpath.Path.Compare); ok {
			return true
		}
		if dir.IsRoot() {
			return false
		}
	}
}

// withoutSettled leaves out the names of files that are as recorded, there or
// gone: most of what a watcher tells of a folder that is being pulled is the
// pull itself.
func (s *session) withoutSettled(names []relpath.Path) ([]relpath.Path, error) {
	if !s.SameRules || !s.FS.CaseSensitive() {
		return names, nil
	}
	records, err := s.Index.Locals(names)
	if err != nil {
		return nil, err
	}
	var changed []relpath.Path
	for i, rec := range records {
		if rec != nil && rec.Type == bep.TypeFile {
			look, err := s.FS.Lstat(names[i])
			if err == nil && rec.IsFile() && s.unchanged(rec, look) {
				s.seen++
				continue
			}
			if errors.Is(err, fs.ErrNotExist) && rec.Deleted && !s.uninformed(rec) {
				continue
			}
		}
		changed = append(changed, names[i])
	}
	return changed, nil
}

// widen gives the highest directory above p, or p itself, that our records do
// not have as a directory that takes part. known holds what was found for
// directories before: the directory itself, or one above it.
func (s *session) widen(p relpath.Path, known map[relpath.Path]relpath.Path) (relpath.Path, error) {
	dir := p.Dir()
	if dir.IsRoot() {
		return p, nil
	}
	top, ok := known[dir]
	if !ok {
		var err error
		if top, err = s.widenDirectory(dir, known); err != nil {
			return p, err
		}
		known[dir] = top
	}
	if top.IsRoot() {
		return p, nil
	}
	return top, nil
}

// widenDirectory is widen for a directory with itself among what may be
// missing; the root means that nothing is.
func (s *session) widenDirectory(dir relpath.Path, known map[relpath.Path]relpath.Path) (relpath.Path, error) {
	above, err := s.widen(dir, known)
	if err != nil || above != dir {
		return above, err
	}
	rec, ok, err := s.Index.Local(dir)
	if err != nil || !ok || !rec.IsDirectory() || s.uninformed(&rec) {
		return dir, err
	}
	return relpath.Root, nil
}

// subtree walks one name and what is below it.
func (w *walker) subtree(ctx context.Context, top relpath.Path) error {
	it, err := w.lookup(ctx, top)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return w.unlisted(top, err)
	}
	if it != nil {
		d, err := w.visit(ctx, top.Dir(), it)
		if err != nil {
			return err
		}
		if d.kind != nothing {
			return w.descend(ctx, top.Dir(), d)
		}
	}
	return w.under(top, w.missing)
}

// lookup finds a name on disk; nil without an error is proof of its absence.
//
// A plain look is enough to see that a file is there. To see that it is not,
// or under exactly this name where the disk takes several spellings for one,
// its directory is listed, or the nearest one above that exists.
func (w *walker) lookup(ctx context.Context, p relpath.Path) (*item, error) {
	if w.FS.CaseSensitive() {
		look, err := w.FS.Lstat(p)
		if err == nil {
			return &item{name: p.Base(), info: look}, nil
		}
		if !vanished(err) {
			return nil, err
		}
	}
	dir, below, err := w.nearest(p)
	if err != nil {
		return nil, err
	}
	it, err := w.find(ctx, dir, below.Base())
	switch {
	case err != nil || it == nil:
		return nil, err
	case below == p:
		return it, nil
	case it.held || it.info.Kind == fsys.Other:
		return nil, fault.New(fault.Item, "", "%s lies below something that cannot be entered", p)
	case it.info.Kind == fsys.Directory:
		return nil, errUnsettled(p)
	}
	return nil, nil // the parent became a file or a link
}

// listing is what a directory held.
type listing struct {
	dir   relpath.Path
	items []item // nil for no listing
}

// find looks a name up in a listing of its directory, nil for none. Names that
// go, go together: the last listing serves for the next name too, unless it
// has the name, which a look did not find.
func (w *walker) find(ctx context.Context, dir relpath.Path, name string) (*item, error) {
	if w.FS.CaseSensitive() && w.listed.items != nil && w.listed.dir == dir && itemNamed(w.listed.items, name) == nil {
		return nil, nil
	}
	items, err := w.list(ctx, dir)
	if err != nil {
		return nil, err
	}
	w.listed = listing{dir, items}
	return itemNamed(items, name), nil
}

func itemNamed(items []item, name string) *item {
	i, ok := slices.BinarySearchFunc(items, name, func(it item, name string) int { return strings.Compare(it.name, name) })
	if !ok {
		return nil
	}
	return &items[i]
}

// nearest gives the nearest directory above p that exists, and the name in it
// that leads to p.
func (w *walker) nearest(p relpath.Path) (dir, below relpath.Path, err error) {
	for below = p; ; below = below.Dir() {
		dir = below.Dir()
		look, err := w.FS.Lstat(dir)
		switch {
		case err == nil && look.Kind == fsys.Directory:
			return dir, below, nil
		case err != nil && !vanished(err) || dir.IsRoot():
			return dir, below, errors.Join(err, errUnsettled(p))
		}
	}
}

// errUnsettled says that a name's parent came or went between two looks.
func errUnsettled(p relpath.Path) error {
	return fault.Wrap(fault.Retry, "", "look up", p.String(), fs.ErrNotExist)
}

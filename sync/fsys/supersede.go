package fsys

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"lanyard/sync/relpath"
)

// Supersede renames the file at ready over the one at p, which goes on under
// keep: for file systems that cannot exchange names. keep, which must be free,
// first becomes a second link of the file, which is made durable with the names
// in dirs. p is looked at once more before the rename, and what was replaced, by
// its link, after it: if that is not what look says, a person saved it in place
// meanwhile, and everything is as it was, with ok false. p is never empty.
//
// ErrUnsupported, with nothing done, where there are no links. What a person puts
// at p by a rename of their own, between the last look and ours, cannot be
// noticed here. Cut short, keep is a second link of what stands at p, or of what
// stood there.
func Supersede(f FS, ready, p, keep relpath.Path, dirs []relpath.Path, look Info) (ok bool, err error) {
	if err := f.Link(p, keep); err != nil {
		return false, err
	}
	if err = f.SyncDirs(append(slices.Clone(dirs), keep.Dir())); err == nil {
		ok, err = looksLike(f, p, look)
	}
	if err == nil && ok {
		err = f.Rename(ready, p)
	}
	if err != nil || !ok {
		return false, errors.Join(err, f.Remove(keep))
	}
	if ok, err = looksLike(f, keep, look); err == nil && ok {
		return true, nil
	}
	back := f.Link(p, ready)
	if back == nil {
		back = f.Rename(keep, p)
	}
	if back != nil {
		err = errors.Join(err, fmt.Errorf("undo: %w", back)) // both stand where they are
	}
	return false, err
}

// looksLike reports whether a file is what it was, under this name or another.
func looksLike(f FS, p relpath.Path, look Info) (bool, error) {
	now, err := f.Lstat(p)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && now.SameButForName(look), err
}

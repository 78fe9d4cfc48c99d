package pull

import (
	"errors"
	"fmt"
	"io/fs"

	"lanyard/sync/bep"
	"lanyard/sync/fault"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
)

// remove takes away what stands under a deleted name.
func (it *item) remove() ([]index.Record, error) {
	if ok, err := it.unchanged(); err != nil || !ok {
		return it.againUnless(err)
	}
	var gone bool
	var err error
	switch it.look.Kind {
	case fsys.Directory:
		gone, err = it.removeDirectory()
	case fsys.Regular:
		gone, err = it.removeFile()
	default:
		gone, err = it.takeAway(asideName(it.want), true)
	}
	if err != nil || !gone {
		return it.againUnless(err)
	}
	it.changed = append(it.changed, it.name().Dir())
	return []index.Record{{FileInfo: *it.want}}, nil
}

func (it *item) removeFile() (bool, error) {
	keep, dispose, err := it.keepName()
	if err != nil {
		return false, err
	}
	return it.takeAway(keep, dispose)
}

// takeAway renames what stands at the target to keep, and makes sure that it
// is what was looked at; else it goes back.
func (it *item) takeAway(keep relpath.Path, dispose bool) (bool, error) {
	f := it.r.o.FS
	if err := f.RenameNoReplace(it.name(), keep); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		return false, err
	}
	ok, err := it.wasThere(keep)
	if err != nil || !ok {
		if back := f.RenameNoReplace(keep, it.name()); back != nil {
			// The name was taken again meanwhile: the file stays under keep.
			return false, fmt.Errorf("undo: %w", back)
		}
		return false, err
	}
	it.changed = append(it.changed, keep.Dir())
	if dispose {
		return true, f.Remove(keep)
	}
	return true, nil
}

// removeDirectory removes a directory that holds nothing but what may go with
// it: our temporary files, and names that the rules call deletable.
func (it *item) removeDirectory() (bool, error) {
	if err := it.sweep(it.name()); err != nil {
		return false, err
	}
	err := it.r.o.FS.Remove(it.name())
	if errors.Is(err, fsys.ErrNotEmpty) {
		it.rescans = append(it.rescans, it.name())
		return false, fault.Wrap(fault.Item, "dir-not-empty", "remove directory", it.name().String(), err)
	}
	return err == nil, err
}

// sweep removes what may go from a directory that is to be deleted. Where
// something in it may not, it fails and removes nothing: a temporary file may be
// that of a file there that is on its way.
func (it *item) sweep(dir relpath.Path) error {
	gone, err := it.sweepable(dir)
	if err != nil {
		return err
	}
	for _, p := range gone {
		if err := it.r.o.FS.Remove(p); err != nil {
			return err
		}
		it.changed = append(it.changed, p.Dir())
	}
	return nil
}

// sweepable lists what is in a directory, children before their parents, all of
// which may go.
func (it *item) sweepable(dir relpath.Path) (gone []relpath.Path, err error) {
	entries, err := it.r.o.FS.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		p, err := dir.Join(e.Name)
		if err != nil {
			return nil, fault.Wrap(fault.Item, "dir-not-empty", "remove directory", it.name().String(), err)
		}
		deletable := it.r.o.Ignored(p) && it.r.o.Deletable(p)
		switch {
		case deletable && e.Info.Kind == fsys.Directory:
			below, err := it.sweepable(p)
			if err != nil {
				return nil, err
			}
			gone = append(gone, below...)
		case deletable, relpath.TempBase(e.Name) && e.Info.Kind != fsys.Other: // only we use such names
		default:
			return nil, it.refuseRemoval(p)
		}
		gone = append(gone, p)
	}
	return gone, nil
}

// refuseRemoval says why a name keeps its directory from going.
func (it *item) refuseRemoval(p relpath.Path) error {
	if it.r.o.Ignored(p) {
		err := fault.New(fault.Item, "dir-not-empty", "remove directory %s: it holds %s, which the ignore rules keep", it.name(), p.Base())
		return fault.With(err, "other", p.String())
	}
	it.rescans = append(it.rescans, p)
	it.waits = true
	err := fault.New(fault.Item, "dir-not-empty", "remove directory %s: it still holds %s", it.name(), p.Base())
	return fault.With(err, "other", p.String())
}

// fixModes gives directories the permissions that had to wait until they were
// filled, the deepest first.
func (r *round) fixModes() {
	if len(r.modes) == 0 || r.committing {
		return
	}
	late := r.modes
	r.modes = nil
	r.committing = true
	r.o.Disk.Post(func() {
		failed, err := commitModes(r.o, late)
		r.w.turn.Post(func() {
			r.committing = false
			for p, err := range failed {
				r.failed(p, err)
			}
			if err != nil {
				r.stop(err)
				return
			}
			r.result.Changed += len(late) - len(failed)
			r.fill()
		})
	})
}

// commitModes gives the reason for each directory that keeps the permissions
// that it has.
func commitModes(o *Options, late []bep.FileInfo) (failed map[relpath.Path]error, err error) {
	if err := o.Prove(); err != nil {
		return nil, err
	}
	failed = map[relpath.Path]error{}
	var records []index.Record
	var dirs []relpath.Path
	for i := len(late) - 1; i >= 0; i-- {
		want := late[i]
		info, err := o.FS.Lstat(want.Name)
		if err != nil || info.Kind != fsys.Directory {
			continue // the scan will tell
		}
		if rec, ok, err := o.Index.Local(want.Name); err != nil || ok && !want.Version.Covers(rec.Version) {
			continue // it changed since
		}
		err = o.FS.Chmod(want.Name, want.Permissions&0o777)
		if err == nil {
			info, err = o.FS.Lstat(want.Name)
		}
		if err != nil {
			failed[want.Name] = localFault(err)
			continue
		}
		dirs = append(dirs, want.Name.Dir())
		records = append(records, index.Record{FileInfo: want, Stamp: index.StampOf(info)})
	}
	if len(records) == 0 {
		return failed, nil
	}
	if err := o.FS.SyncDirs(dirs); err != nil {
		return failed, err
	}
	if _, err := o.Index.Update(o.told(records)); err != nil {
		return failed, err
	}
	o.Stored()
	return failed, nil
}

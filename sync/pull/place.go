package pull

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"lanyard/sync/bep"
	"lanyard/sync/conflict"
	"lanyard/sync/fault"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/plan"
	"lanyard/sync/relpath"
)

// place moves what was built to its name. What stands there goes, in the same
// step, to where it is kept.
func (it *item) place() ([]index.Record, error) {
	if ok, err := it.unchanged(); err != nil || !ok {
		return it.placeMoved(err)
	}
	if it.decision.Do == plan.MakeDirectory && !it.tempMade {
		return it.placedDirectory()
	}
	built, err := it.lookAtBuilt()
	if err != nil {
		return nil, err
	}
	it.built = built
	var placed bool
	switch {
	case !it.present:
		placed, err = it.placeNew()
	case it.look.Kind == fsys.Regular:
		placed, err = it.placeOverFile()
	default:
		placed, err = it.placeOver()
	}
	if err != nil || !placed {
		return it.againUnless(err)
	}
	it.changed = append(it.changed, it.name().Dir())
	if it.want.Type == bep.TypeDirectory {
		return it.placedDirectory()
	}
	rec, err := it.record(&built)
	return []index.Record{rec}, err
}

// lookAtBuilt looks at the new state: through the handle that wrote it, while
// that is open.
func (it *item) lookAtBuilt() (fsys.Info, error) {
	if it.file != nil {
		return it.file.Stat()
	}
	return it.r.o.FS.Lstat(it.temp)
}

// placeMoved is what happens where the target is not what it was: a directory
// that we made ourselves while preparing is no surprise.
func (it *item) placeMoved(err error) ([]index.Record, error) {
	if err == nil && it.decision.Do == plan.MakeDirectory && !it.present {
		info, lerr := it.r.o.FS.Lstat(it.name())
		if lerr == nil && info.Kind == fsys.Directory {
			return it.placedDirectory()
		}
	}
	return it.againUnless(err)
}

// placedDirectory records a directory. Permissions that would keep us from
// filling it wait until the end of the round, with the record.
func (it *item) placedDirectory() ([]index.Record, error) {
	it.changed = append(it.changed, it.name().Dir())
	if mode := it.wantMode(); mode&0o700 != 0o700 {
		it.lateMode = true
		return nil, nil
	}
	rec, err := it.record(&it.built)
	return []index.Record{rec}, err
}

// placeNew moves the new state to a name that is free.
func (it *item) placeNew() (bool, error) {
	err := it.r.o.FS.RenameNoReplace(it.temp, it.name())
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	return err == nil, err
}

// placeOver replaces a symlink or an empty directory.
func (it *item) placeOver() (bool, error) {
	f := it.r.o.FS
	if it.look.Kind == fsys.Directory {
		// Whatever is in there must not be hidden for even an instant.
		if err := it.sweep(it.name()); err != nil {
			return false, err
		}
	}
	err := f.Exchange(it.temp, it.name())
	if errors.Is(err, fsys.ErrUnsupported) {
		if it.look.Kind == fsys.Directory {
			if err := f.Remove(it.name()); err != nil {
				return false, it.notEmpty(err)
			}
		}
		return true, f.Rename(it.temp, it.name())
	}
	if err != nil {
		return false, err
	}
	ok, err := it.wasThere(it.temp)
	if err == nil && ok {
		err = f.Remove(it.temp)
	}
	if err != nil || !ok {
		if back := f.Exchange(it.temp, it.name()); back != nil {
			return false, fmt.Errorf("undo: %w", back)
		}
		return false, it.notEmpty(err)
	}
	return true, nil
}

// notEmpty turns "not empty" into a scan of what is in there.
func (it *item) notEmpty(err error) error {
	if errors.Is(err, fsys.ErrNotEmpty) {
		it.waits = true
		it.rescans = append(it.rescans, it.name())
	}
	return err
}

// wasThere reports whether what was taken away, which stands at p now, is what
// the decision was made on.
func (it *item) wasThere(p relpath.Path) (bool, error) {
	info, err := it.r.o.FS.Lstat(p)
	if err != nil {
		return false, err
	}
	if info.Kind == fsys.Directory {
		return sameLook(info, it.look), nil
	}
	return info.SameButForName(it.look), nil
}

// placeOverFile replaces a file, whose content is kept: the new state is moved
// to where the old will be kept, and the two names are exchanged, so that the
// target always holds one of the two whole.
func (it *item) placeOverFile() (bool, error) {
	f := it.r.o.FS
	before := len(it.changed)
	keep, dispose, err := it.keepName()
	if err != nil {
		return false, err
	}
	made := it.changed[before:len(it.changed):len(it.changed)]
	if it.r.w.noExchange.Load() {
		return it.supersede(keep, dispose, made)
	}
	if err := f.RenameNoReplace(it.temp, keep); err != nil {
		return false, err
	}
	err = f.Exchange(keep, it.name())
	if errors.Is(err, fsys.ErrUnsupported) {
		it.r.w.noExchange.Store(true)
		if err := it.takeBack(keep); err != nil {
			return false, err
		}
		return it.supersede(keep, dispose, made)
	}
	if err != nil {
		return false, errors.Join(err, it.takeBack(keep))
	}
	if ok, err := it.wasThere(keep); err != nil || !ok {
		if back := f.Exchange(keep, it.name()); back != nil {
			return false, fmt.Errorf("undo: %w", back)
		}
		return false, errors.Join(err, it.takeBack(keep))
	}
	it.changed = append(it.changed, keep.Dir())
	if dispose {
		return true, f.Remove(keep)
	}
	return true, nil
}

// takeBack moves the new state from where the old one was to be kept back to
// its temporary name. Where that cannot be, it goes: it must not be taken for a
// version or a conflict copy, and can be fetched again.
func (it *item) takeBack(keep relpath.Path) error {
	f := it.r.o.FS
	err := f.Rename(keep, it.temp)
	if err == nil {
		return nil
	}
	look, lookErr := f.Lstat(keep)
	if lookErr == nil && look.Kind == fsys.Regular && look.SameButForName(it.built) {
		return errors.Join(err, f.Remove(keep))
	}
	return errors.Join(err, lookErr)
}

// keepName gives the name under which the file that stands at the target goes
// on, and whether it goes on at all.
func (it *item) keepName() (name relpath.Path, dispose bool, err error) {
	switch {
	case it.decision.Keep == plan.KeepBoth:
		name, twin, err := it.conflictName()
		if err != nil || twin {
			return asideName(it.want), true, err
		}
		it.rescans = append(it.rescans, name)
		return name, false, nil
	case it.r.o.Archive != nil:
		name, made, err := it.r.o.Archive.Prepare(it.name(), it.r.o.Exec.Wall())
		for _, d := range made {
			it.changed = append(it.changed, d.Dir())
		}
		if fault.KindOf(err) == fault.Item {
			// One file waits; others may have a place in the store.
			err = fault.Wrap(fault.Item, "archive-unwritable", "keep the old version of", it.name().String(), err)
		}
		return name, false, err
	}
	return asideName(it.want), true, nil
}

// conflictName gives a free name for a conflict copy of what stands at the
// target: one under which nothing stands here, and elsewhere nothing else. twin is
// set where the content already has such a copy, recorded and unchanged, so that no
// second one is needed.
func (it *item) conflictName() (name relpath.Path, twin bool, err error) {
	loser := it.have()
	for n := 1; ; n++ {
		p, err := conflict.Make(it.name(), loser.ModTime(), it.want.ModifiedBy, n)
		if err != nil {
			return relpath.Root, false, err
		}
		if p == it.name() {
			continue // a conflict copy is no copy of itself
		}
		look, err := it.r.o.FS.Lstat(p)
		if errors.Is(err, fs.ErrNotExist) {
			// What comes under that name is not to be replaced by the copy.
			g, _, taken, err := it.r.o.Index.Global(p)
			if err != nil {
				return relpath.Root, false, err
			}
			if taken && !g.Deleted && !g.Invalid && !g.SameContent(loser) {
				continue
			}
			return p, false, nil
		}
		if err != nil {
			return relpath.Root, false, err
		}
		rec, ok, err := it.r.o.Index.Local(p)
		if err != nil {
			return relpath.Root, false, err
		}
		if ok && rec.IsFile() && rec.SameContent(loser) && index.StampOf(look) == rec.Stamp {
			return p, true, nil
		}
	}
}

// placeDirectoryForFile is placeOverFile for a directory where the system
// cannot exchange names: nothing can be renamed over a file but a file, so the
// name is empty for an instant.
func (it *item) placeDirectoryForFile(keep relpath.Path, dispose bool) (bool, error) {
	if ok, err := it.takeAway(keep, dispose); err != nil || !ok {
		return false, err
	}
	return it.placeNew()
}

// supersede is placeOverFile where the system cannot exchange names: a second
// link of the old file tells, after the new state was renamed over it, whether it
// was still what the decision was made on. Where there are no links either, the
// old content is copied, and nothing tells. made are directories in which names
// are new that lead to keep.
func (it *item) supersede(keep relpath.Path, dispose bool, made []relpath.Path) (bool, error) {
	if it.want.Type == bep.TypeDirectory {
		return it.placeDirectoryForFile(keep, dispose)
	}
	f := it.r.o.FS
	if !dispose && it.decision.Keep != plan.KeepBoth {
		ok, err := fsys.Supersede(f, it.temp, it.name(), keep, made, it.look)
		if !errors.Is(err, fsys.ErrUnsupported) {
			it.changed = append(it.changed, keep.Dir())
			return ok, err
		}
	}
	// What is kept under a name that people see is a copy: after a crash a link
	// would be one file with two names.
	if !dispose {
		if err := it.copyOld(keep, made); err != nil {
			return false, err
		}
		it.changed = append(it.changed, keep.Dir())
	}
	ok, err := it.placeOverCopied()
	if !ok && !dispose {
		err = errors.Join(err, f.Remove(keep)) // the original still stands at its name
	}
	return ok, err
}

// placeOverCopied renames the new state over a file that is not needed any more,
// unless it is not what the decision was made on: a link with a temporary name
// tells.
func (it *item) placeOverCopied() (bool, error) {
	f := it.r.o.FS
	link := asideName(it.want)
	ok, err := fsys.Supersede(f, it.temp, it.name(), link, nil, it.look)
	if errors.Is(err, fs.ErrExist) { // from a round that a crash cut short
		if err = f.Remove(link); err == nil {
			ok, err = fsys.Supersede(f, it.temp, it.name(), link, nil, it.look)
		}
	}
	if errors.Is(err, fsys.ErrUnsupported) {
		if ok, err = it.unchanged(); err == nil && ok {
			err = f.Rename(it.temp, it.name())
		}
		return ok && err == nil, err
	}
	if ok {
		err = f.Remove(link)
	}
	return ok, err
}

// copyOld copies what stands at the target to where it is kept, durably.
func (it *item) copyOld(keep relpath.Path, made []relpath.Path) error {
	f := it.r.o.FS
	if err := copyFile(f, it.name(), asideName(it.want), keep, it.look); err != nil {
		return fmt.Errorf("keep the old version: %w", err)
	}
	if err := f.SyncDirs(append(slices.Clone(made), keep.Dir())); err != nil {
		return errors.Join(err, f.Remove(keep))
	}
	return nil
}

// copyFile copies a file, durably, by way of a temporary name, so that dst is
// never seen half-written. After an error nothing stands at dst that it made.
func copyFile(f fsys.FS, src, temp, dst relpath.Path, look fsys.Info) error {
	in, err := f.Open(src)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := f.Create(temp)
	if errors.Is(err, fs.ErrExist) {
		if err = f.Remove(temp); err == nil { // from a copy that a crash cut short
			out, err = f.Create(temp)
		}
	}
	if err != nil {
		return err
	}
	defer out.Close()
	err = copyContent(f, in, out, look)
	if err == nil {
		err = f.RenameNoReplace(temp, dst)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("copy %s: %w", src, err), f.Remove(temp))
	}
	return nil
}

func copyContent(f fsys.FS, in, out fsys.File, look fsys.Info) error {
	buf := make([]byte, 256<<10)
	for off := int64(0); off < look.Size; {
		n, err := in.ReadAt(buf[:min(int64(len(buf)), look.Size-off)], off)
		if n == 0 {
			return err
		}
		if _, err := out.WriteAt(buf[:n], off); err != nil {
			return err
		}
		off += int64(n)
	}
	if err := out.SetMeta(look.Mode, look.Mtime); err != nil {
		return err
	}
	return f.SyncFiles([]fsys.File{out})
}

// move renames a file that is to be deleted to this name.
func (it *item) move() ([]index.Record, error) {
	o := it.r.o
	src := it.moveFrom
	if ok, err := it.unchanged(); err != nil || !ok {
		return it.againUnless(err)
	}
	n, ok, err := o.Index.NeededOne(src.Name)
	if err != nil {
		return nil, err
	}
	look, err := o.FS.Lstat(src.Name)
	if err != nil || !ok || !n.Global.Deleted || n.Local == nil || n.Local.Sequence != src.Sequence ||
		index.StampOf(look) != src.Stamp {
		it.stale = true // someone needs the source after all: begin anew
		return nil, nil //nolint:nilerr // a source that is gone is no error
	}
	if err := o.FS.RenameNoReplace(src.Name, it.name()); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return it.again()
		}
		return nil, err
	}
	it.changed = append(it.changed, src.Name.Dir(), it.name().Dir())
	moved, err := o.FS.Lstat(it.name())
	if err != nil {
		return nil, err
	}
	if !moved.SameButForName(look) {
		if err := o.FS.RenameNoReplace(it.name(), src.Name); err != nil {
			return nil, fmt.Errorf("undo: %w", err)
		}
		it.rescans = append(it.rescans, src.Name)
		return it.again()
	}
	return it.moved(n, moved)
}

// moved sets what differs besides the name, and records both names.
func (it *item) moved(n index.Needed, look fsys.Info) ([]index.Record, error) {
	o := it.r.o
	gone := index.Record{FileInfo: n.Global}
	flags := index.Flags(0)
	if mode := it.wantMode(); !it.want.NoPermissions && mode != look.Mode {
		if err := o.FS.Chmod(it.name(), mode); err != nil {
			return nil, err
		}
	}
	if mtime := it.want.ModUnixNano(); mtime != look.Mtime {
		if err := o.FS.Chtimes(it.name(), mtime); err != nil {
			return nil, err
		}
		flags = index.MustRescan
		it.rescans = append(it.rescans, it.name())
	}
	rec, err := it.record(nil)
	rec.Flags |= flags
	return []index.Record{rec, gone}, err
}

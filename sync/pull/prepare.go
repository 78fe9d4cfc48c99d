package pull

import (
	"errors"
	"fmt"
	"io/fs"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/fault"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/plan"
	"lanyard/sync/relpath"
)

// prepare looks at the disk, decides, and gathers what is here already. It
// runs on the prep pool and owns the item.
func (it *item) prepare() {
	if err := it.decide(); err != nil {
		it.fail(err)
		return
	}
	var err error
	switch it.decision.Do {
	case plan.Fetch:
		err = it.prepareFile()
	case plan.MakeDirectory:
		err = it.prepareDirectory()
	case plan.MakeSymlink:
		err = it.prepareSymlink()
	case plan.Rescan:
		it.rescan = true
	}
	if err != nil {
		it.waits = errors.Is(err, fsys.ErrNotDirectory)
		it.fail(err)
	}
}

func (it *item) decide() error {
	f := it.r.o.FS
	if it.want.Name.Internal() {
		return fault.New(fault.Item, "name-not-possible", "pull %s: the name is reserved", it.name())
	}
	info, err := f.Lstat(it.name())
	switch {
	case err == nil:
		it.look = info
		// A directory that this round made for the sake of what is in it is no
		// news: it is made as the name says.
		it.present = info.Kind != fsys.Directory || !it.want.IsDirectory() || !it.r.made.has(it.name())
	case errors.Is(err, fs.ErrNotExist):
	case errors.Is(err, fsys.ErrNotDirectory) && it.want.Deleted:
		// A parent is no directory any more: the name is gone with it.
	default:
		it.waits = errors.Is(err, fsys.ErrNotDirectory)
		return fmt.Errorf("look at %s: %w", it.name(), err)
	}
	disk, err := it.recorded(f)
	if err != nil {
		return fmt.Errorf("look at %s: %w", it.name(), err)
	}
	in := plan.Input{
		Want: it.want, Have: it.have(), Disk: disk, Role: it.r.o.Role, Ignored: it.r.o.Ignored(it.name()),
		Diverged: it.need.Local != nil && it.need.Local.Flags&index.ReceiveOnly != 0,
	}
	if it.need.Local != nil && it.need.Local.Flags&index.Ignored != 0 {
		in.Have = nil // it never described the disk
	}
	it.decision = plan.Decide(in)
	return nil
}

// ensureParent makes the directories above a name that do not exist yet: a
// parent's own entry may come later, or not at all.
func (it *item) ensureParent() error {
	return ensureDirectory(it, it.name().Dir())
}

func ensureDirectory(it *item, dir relpath.Path) error {
	if dir.IsRoot() {
		return nil
	}
	f := it.r.o.FS
	info, err := f.Lstat(dir)
	switch {
	case err == nil && info.Kind == fsys.Directory:
		return nil
	case err == nil:
		return fault.Wrap(fault.Retry, "", "make the directory", dir.String(), fsys.ErrNotDirectory)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := ensureDirectory(it, dir.Dir()); err != nil {
		return err
	}
	mode := uint32(0o777)
	g, _, ok, err := it.r.o.Index.Global(dir)
	if err != nil {
		return err
	}
	if ok && g.IsDirectory() && !g.NoPermissions {
		mode = g.Permissions & 0o777
	} else {
		// Nobody else has this directory: it becomes a change of ours.
		it.rescans = append(it.rescans, dir)
	}
	switch err := f.Mkdir(dir, mode|0o700); {
	case err == nil:
		it.r.made.take(dir)
	case !errors.Is(err, fs.ErrExist):
		return err
	}
	it.changed = append(it.changed, dir.Dir())
	return nil
}

// prepareDirectory makes the directory at once where nothing stands in its
// place, so that what goes into it can follow.
func (it *item) prepareDirectory() error {
	if err := it.ensureParent(); err != nil {
		return err
	}
	target := it.name()
	if it.present {
		it.temp = tempName(it.want)
		target = it.temp
	}
	f := it.r.o.FS
	if err := f.Mkdir(target, it.wantMode()|0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make directory: %w", err)
	}
	it.tempMade = it.present
	mode := it.wantMode() | 0o700
	for range 2 { // a disk that drops permission bits does so twice, a person acts once
		if err := f.Chmod(target, mode); err != nil {
			return err
		}
		built, err := f.Lstat(target)
		if err != nil {
			return err
		}
		if it.built = built; built.Mode == mode {
			break
		}
	}
	return nil
}

// wantMode gives the wanted permissions, or the usual ones where the sender
// has none.
func (it *item) wantMode() uint32 {
	switch {
	case !it.want.NoPermissions:
		return it.want.Permissions & 0o777
	case it.present && it.look.Kind != fsys.Symlink:
		return it.look.Mode
	case it.want.Type == bep.TypeDirectory:
		return 0o755
	}
	return 0o644
}

func (it *item) prepareSymlink() error {
	if err := it.ensureParent(); err != nil {
		return err
	}
	it.temp = tempName(it.want)
	f := it.r.o.FS
	err := f.Symlink(it.want.SymlinkTarget, it.temp)
	if errors.Is(err, fs.ErrExist) {
		if err := f.Remove(it.temp); err != nil {
			return err
		}
		err = f.Symlink(it.want.SymlinkTarget, it.temp)
	}
	if err != nil {
		return fault.With(fmt.Errorf("make symlink: %w", err), "target", it.want.SymlinkTarget)
	}
	it.tempMade = true
	return nil
}

// prepareFile finds out which blocks are here already and copies them.
func (it *item) prepareFile() error {
	it.temp = tempName(it.want)
	it.steps = NewSteps(len(it.want.Blocks), it.need.From)
	same, err := it.r.o.contentHere(it.want)
	if err != nil {
		return err
	}
	if !it.present && len(same) > 0 && it.decision.Keep == plan.KeepNothing {
		moved, err := it.claimMove(same)
		if err != nil || moved {
			return err
		}
	}
	if it.r.full.Load() && it.want.Size > 0 {
		return it.noRoom()
	}
	same = same[:min(len(same), maxCopied)]
	if it.wholeAtOnce() {
		return it.prepareSmall(same)
	}
	if err := it.checkSize(); err != nil {
		return err
	}
	it.same = same
	return nil // it is gathered when its turn comes
}

// contentHere gives our files that are recorded with just this content.
func (o *Options) contentHere(f *bep.FileInfo) ([]index.Record, error) {
	limit := max(1, min(maxSame, o.MaxLists/max(1, len(f.Blocks))))
	return o.Index.LocalByContent(block.ListHash(f.Blocks), f.Size, limit)
}

// Files with the wanted content that are looked at: for one to rename, and to
// copy from.
const (
	maxSame   = 8
	maxCopied = 2
)

// claimMove looks, among files with just this content, for one that is to be
// deleted: it is renamed instead.
func (it *item) claimMove(same []index.Record) (bool, error) {
	for i := range same {
		rec := &same[i]
		if rec.Name == it.name() || rec.Flags&^index.Returned != 0 || !block.EqualLists(rec.Blocks, it.want.Blocks) {
			continue
		}
		n, ok, err := it.r.o.Index.NeededOne(rec.Name)
		if err != nil {
			return false, err
		}
		if !ok || !n.Global.Deleted || !n.Global.Version.Covers(rec.Version) {
			continue
		}
		info, err := it.r.o.FS.Lstat(rec.Name)
		if err != nil || index.StampOf(info) != rec.Stamp || !it.r.claims.take(rec.Name) {
			continue
		}
		it.moveFrom, it.steps = rec, nil
		it.r.w.progress.wrote(it, it.want.Size)
		return true, it.ensureParent()
	}
	return false, nil
}

// prepareSmall serves a file of one block: from a temporary file that was left
// over, from a local file with the same content, else its bytes come in one answer and are written then.
func (it *item) prepareSmall(same []index.Record) error {
	if it.want.Size == 0 {
		it.steps.Have(0)
		return it.writeWhole(nil)
	}
	if found, err := it.takeLeftOver(); found || err != nil {
		return err
	}
	for i := range same {
		data, err := readBlock(it.r.o.FS, &same[i], &it.want.Blocks[0])
		if err == nil {
			it.steps.Have(0)
			return it.writeWhole(data)
		}
	}
	return nil
}

// openTemp opens the temporary file that an earlier round left, or a new one.
func (it *item) openTemp() (fresh bool, err error) {
	f := it.r.o.FS
	if err := it.r.w.unusable.clear(it.r.o, it.temp); err != nil {
		return false, err
	}
	file, err := f.Create(it.temp)
	if errors.Is(err, fs.ErrNotExist) {
		if err := it.ensureParent(); err != nil {
			return false, err
		}
		file, err = f.Create(it.temp)
	}
	if errors.Is(err, fs.ErrExist) {
		file, err = f.OpenTemp(it.temp)
		if err != nil {
			// Not a file of ours: it goes, since only we use such names.
			if err := f.Remove(it.temp); err != nil {
				return false, err
			}
			file, err = f.Create(it.temp)
			fresh = true
		}
	} else {
		fresh = true
	}
	if err != nil {
		return false, fmt.Errorf("make temporary file: %w", err)
	}
	it.file, it.tempMade = file, true
	if it.present {
		// What changes is not read soon as a rule, but changed again: memory for
		// all of it costs more than the next reading from the disk.
		file.Uncached()
	}
	if fresh && it.wholeAtOnce() {
		return fresh, nil // one write makes it whole
	}
	return fresh, file.Truncate(it.want.Size)
}

// writeWhole writes a file of one block, or none, and its metadata.
func (it *item) writeWhole(data []byte) error {
	if _, err := it.openTemp(); err != nil {
		return err
	}
	if len(data) > 0 {
		if _, err := it.file.WriteAt(data, 0); err != nil {
			return err
		}
	}
	it.r.w.progress.wrote(it, int64(len(data)))
	return it.finishFile()
}

// finishFile gives the complete temporary file its permissions and time.
func (it *item) finishFile() error {
	if err := it.file.SetMeta(it.wantMode(), it.want.ModUnixNano()); err != nil {
		return fmt.Errorf("set permissions and time: %w", err)
	}
	return nil
}

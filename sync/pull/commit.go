package pull

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/fault"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/plan"
	"lanyard/sync/relpath"
	"lanyard/sync/vector"
)

// commit puts a batch in place: data durable, looked at once more, renamed,
// names durable, recorded. It runs on the folder's Disk turn. The error is one
// of the whole folder; what concerns one name stays with its item.
func commit(o *Options, batch []*item) error {
	if err := o.Prove(); err != nil {
		return err
	}
	if err := syncData(o, batch); err != nil {
		return err
	}
	current, err := currentRecords(o, batch)
	if err != nil {
		return err
	}
	var records []index.Record
	var done []*item
	for i, it := range batch {
		recs, err := it.apply(current[i])
		if err != nil {
			it.fail(fmt.Errorf("put %s in place: %w", it.name(), err))
			continue
		}
		if len(recs) > 0 {
			records = append(records, recs...)
			done = append(done, it)
		}
	}
	if err := syncNames(o, batch, len(done) > 0); err != nil {
		// What was placed is there and not recorded: a scan takes it over once it
		// is durable.
		for _, it := range done {
			it.fail(err)
			it.rescans = append(it.rescans, it.name())
		}
		if fault.KindOf(localFault(err)) != fault.Folder {
			return nil
		}
		return err
	}
	if len(records) == 0 {
		return nil
	}
	if _, err := o.Index.Update(o.told(dedupe(records))); err != nil {
		for _, it := range done {
			it.rescans = append(it.rescans, it.name()) // it is there and not recorded
		}
		return fmt.Errorf("record what was pulled: %w", err)
	}
	for _, it := range done {
		it.stored = true
		if d, ok := it.deed(); ok {
			o.Did(d)
		}
	}
	noteDeleted(o, batch)
	o.Stored()
	return nil
}

// dedupe keeps the last record of each name, in order: a name may be both the
// source of a rename and an item of its own.
func dedupe(records []index.Record) []index.Record {
	last := make(map[relpath.Path]int, len(records))
	for i := range records {
		last[records[i].Name] = i
	}
	out := records[:0]
	for i := range records {
		if last[records[i].Name] == i {
			out = append(out, records[i])
		}
	}
	return out
}

// syncData makes the temporary files durable. If that fails none of them may be
// used: pages count as clean after a failed write-back, so what stands in them
// is lost, and the files are built anew.
func syncData(o *Options, batch []*item) error {
	var files []fsys.File
	for _, it := range batch {
		if it.file != nil {
			files = append(files, it.file)
		}
	}
	if len(files) == 0 {
		return nil
	}
	err := o.FS.SyncFiles(files)
	if err == nil {
		return nil
	}
	for _, it := range batch {
		if it.file == nil {
			continue
		}
		it.fail(fmt.Errorf("make %s durable: %w", it.name(), err))
		it.release()
		it.r.w.unusable.discard(o, it.temp)
		it.tempMade = false
		if it.steps != nil {
			it.steps = NewSteps(len(it.want.Blocks), it.need.From)
		}
	}
	if fault.KindOf(localFault(err)) != fault.Folder {
		return nil
	}
	return fmt.Errorf("make files durable: %w", err)
}

// syncNames makes the names durable that the batch changed, and where anything
// is to be recorded those of the directories above that are not recorded
// themselves: somebody made them of late.
func syncNames(o *Options, batch []*item, records bool) error {
	var dirs []relpath.Path
	for _, it := range batch {
		dirs = append(dirs, it.changed...)
	}
	if len(dirs) == 0 {
		return nil
	}
	if records {
		above, err := unrecorded(o, dirs)
		if err != nil {
			return err
		}
		for _, p := range above {
			dirs = append(dirs, p.Dir())
		}
	}
	for {
		dirs = standing(o.FS, dirs)
		err := o.FS.SyncDirs(dirs)
		if err == nil {
			return nil
		}
		if slices.Equal(standing(o.FS, dirs), dirs) {
			return fmt.Errorf("make names durable: %w", err)
		}
	}
}

// unrecorded gives those of the directories, and of all above them, that we
// have no record of.
func unrecorded(o *Options, dirs []relpath.Path) ([]relpath.Path, error) {
	seen := map[relpath.Path]bool{}
	var all []relpath.Path
	for _, p := range dirs {
		for ; !p.IsRoot() && !seen[p]; p = p.Dir() {
			seen[p] = true
			all = append(all, p)
		}
	}
	recs, err := o.Index.Locals(all)
	if err != nil {
		return nil, err
	}
	var without []relpath.Path
	for i, rec := range recs {
		if rec == nil || !rec.IsDirectory() {
			without = append(without, all[i])
		}
	}
	return without, nil
}

// standing gives the directories that are to be synced for dirs: for one that
// is gone, by this batch or by a person, the nearest one above it that is not,
// where its absence is a change of names.
func standing(f fsys.FS, dirs []relpath.Path) []relpath.Path {
	dirs = slices.Clone(dirs)
	slices.SortFunc(dirs, relpath.Path.Compare)
	dirs = slices.Compact(dirs) // a batch mostly names a few, each many times
	out := make([]relpath.Path, 0, len(dirs))
	for _, p := range dirs {
		for !p.IsRoot() {
			info, err := f.Lstat(p)
			gone := errors.Is(err, fs.ErrNotExist) || errors.Is(err, fsys.ErrNotDirectory)
			if !gone && (err != nil || info.Kind == fsys.Directory) {
				break
			}
			p = p.Dir()
		}
		out = append(out, p)
	}
	slices.SortFunc(out, relpath.Path.Compare)
	return slices.Compact(out)
}

// currentRecords gives our records of a batch's names. On the Disk turn nobody
// else changes them.
func currentRecords(o *Options, batch []*item) ([]*index.Record, error) {
	names := make([]relpath.Path, len(batch))
	for i, it := range batch {
		names[i] = it.name()
	}
	return o.Index.Locals(names)
}

// apply carries the decision out, after one more look, and gives the records
// that are true from then on: none where something else was found (then the
// name is scanned). rec is our record of the name.
func (it *item) apply(rec *index.Record) ([]index.Record, error) {
	if it.err != nil {
		return nil, nil
	}
	if (rec != nil) != (it.need.Local != nil) || rec != nil && rec.Sequence != it.need.Local.Sequence {
		it.stale = true
		return nil, nil
	}
	switch it.decision.Do {
	case plan.Ignore:
		return []index.Record{ignoredRecord(it.want)}, nil
	case plan.Adopt:
		recs, err := it.adopt()
		return it.joined(recs, rec), err
	case plan.Metadata:
		if it.oursGoesBefore(rec) {
			return it.keepMetadata(rec)
		}
		recs, err := it.setMetadata()
		return it.joined(recs, rec), err
	case plan.Delete:
		if it.r.held(it.need) {
			return nil, nil // decided anew meanwhile
		}
		return it.remove()
	case plan.Fetch, plan.MakeSymlink, plan.MakeDirectory:
		if it.moveFrom != nil {
			return it.move()
		}
		return it.place()
	}
	return nil, nil
}

// joined gives records of a name whose content was ours already the version
// that follows from both: who holds the same knows both of its histories. Else
// an older content, which ours came after and the other one did not know of,
// would be concurrent to it, and might win by its time.
func (it *item) joined(recs []index.Record, ours *index.Record) []index.Record {
	if ours == nil || ours.Invalid || !vector.Compare(it.want.Version, ours.Version).Concurrent() {
		return recs
	}
	both := vector.Merge(it.want.Version, ours.Version)
	for i := range recs {
		if recs[i].Name == it.name() && both.Valid() {
			recs[i].Version = both
		}
	}
	return recs
}

// oursGoesBefore reports whether our record of the wanted content, whose metadata
// are others, is concurrent to the wanted version and goes before it by itself: it is
// not the global version only because a third one exceeds it. The version that
// follows from both has to have the same metadata wherever it is made, and the
// other device takes ours.
func (it *item) oursGoesBefore(ours *index.Record) bool {
	if ours == nil || ours.Invalid || !vector.Compare(it.want.Version, ours.Version).Concurrent() ||
		!vector.Merge(it.want.Version, ours.Version).Valid() {
		return false
	}
	return plan.Winner([]plan.Version{plan.VersionOf(it.want, false), plan.VersionOf(&ours.FileInfo, false)}) == 1
}

// keepMetadata records the version that follows from the wanted one and ours, with
// our metadata.
func (it *item) keepMetadata(ours *index.Record) ([]index.Record, error) {
	if ok, err := it.unchanged(); err != nil || !ok {
		return it.againUnless(err)
	}
	rec := *ours
	rec.Version, rec.Sequence = vector.Merge(it.want.Version, ours.Version), 0
	return []index.Record{rec}, nil
}

// told marks, among records of versions that others have told, those that we
// made ourselves once.
func (o *Options) told(recs []index.Record) []index.Record {
	for i := range recs {
		if o.Self != 0 && recs[i].ModifiedBy == o.Self {
			recs[i].Flags |= index.Returned
		}
	}
	return recs
}

func ignoredRecord(want *bep.FileInfo) index.Record {
	f := *want
	f.Blocks, f.BlocksHash, f.PreviousBlocksHash, f.Sums, f.Size, f.BlockSize = nil, nil, nil, nil, 0, 0
	return index.Record{FileInfo: f, Flags: index.Ignored}
}

// unchanged looks at the target once more.
func (it *item) unchanged() (bool, error) {
	info, err := it.r.o.FS.Lstat(it.name())
	switch {
	case err == nil:
		return it.present && sameLook(info, it.look), nil
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fsys.ErrNotDirectory) && it.want.Deleted:
		return !it.present, nil
	}
	return false, err
}

// sameLook compares two looks. A directory's times move with its entries and
// say nothing about itself.
func sameLook(a, b fsys.Info) bool {
	if a.Kind == fsys.Directory && b.Kind == fsys.Directory {
		return a.Inode == b.Inode && a.Dev == b.Dev && a.Mode == b.Mode
	}
	return a.Same(b)
}

// record gives the wanted entry as our own, with what the disk says now.
// expect is the file or directory as it was built, whose name alone has changed
// since; nil where there is nothing to compare with.
func (it *item) record(expect *fsys.Info) (index.Record, error) {
	rec := index.Record{FileInfo: *it.want}
	if it.want.Deleted {
		return rec, nil
	}
	info, err := it.lookAtPlaced()
	if err != nil {
		return rec, err
	}
	rec.Stamp = index.StampOf(info)
	if expect != nil && !sameBuilt(info, *expect) {
		// A person was quicker: what we placed was right, and what stands there
		// now is a change of theirs on top of it.
		rec.Stamp = index.StampOf(*expect)
		it.rescans = append(it.rescans, it.name())
	}
	if it.want.Type == bep.TypeFile && it.coarse(info) {
		rec.Flags |= index.MustRescan
	}
	return rec, nil
}

// lookAtPlaced looks at what stands under the name now: through the handle that
// wrote it, while that is open, which is what the record is to describe even
// where a person was quicker and put something else there.
func (it *item) lookAtPlaced() (fsys.Info, error) {
	if it.file != nil {
		return it.file.Stat()
	}
	return it.r.o.FS.Lstat(it.name())
}

// racyWindow is the coarsest tick of a disk's clock (FAT).
const racyWindow = 2 * time.Second

// coarse reports whether a write that falls into the same tick as what was
// placed could leave the disk's times as they are: on a disk that rounds them,
// for a file that was saved just now.
func (it *item) coarse(look fsys.Info) bool {
	rounded := look.Mtime != it.want.ModUnixNano() || look.Mtime%int64(time.Second) == 0
	return rounded && it.r.o.Exec.Wall().Sub(time.Unix(0, look.Mtime)) < 2*racyWindow
}

// sameBuilt reports whether what was built has changed but for its name.
func sameBuilt(a, b fsys.Info) bool {
	return a.SameButForName(b) || a.Kind == fsys.Directory && sameLook(a, b)
}

func (it *item) again() ([]index.Record, error) {
	it.rescan = true
	return nil, nil
}

func (it *item) adopt() ([]index.Record, error) {
	if ok, err := it.unchanged(); err != nil || !ok {
		return it.againUnless(err)
	}
	rec, err := it.record(nil)
	if err == nil && it.present {
		rec.Stamp = index.StampOf(it.look)
	}
	return []index.Record{rec}, err
}

func (it *item) againUnless(err error) ([]index.Record, error) {
	if err != nil {
		return nil, err
	}
	return it.again()
}

// setMetadata changes permissions and time. A write that falls between the
// look and the new time would hide behind it, so the record asks for a scan
// that reads the file.
func (it *item) setMetadata() ([]index.Record, error) {
	if ok, err := it.unchanged(); err != nil || !ok {
		return it.againUnless(err)
	}
	f := it.r.o.FS
	if !it.want.NoPermissions {
		if err := f.Chmod(it.name(), it.want.Permissions&0o777); err != nil {
			return nil, err
		}
	}
	if it.want.Type != bep.TypeFile {
		rec, err := it.record(nil)
		return []index.Record{rec}, err
	}
	if err := f.Chtimes(it.name(), it.want.ModUnixNano()); err != nil {
		return nil, err
	}
	if err := it.syncFile(); err != nil {
		return nil, err
	}
	rec, err := it.record(nil)
	rec.Flags |= index.MustRescan
	it.rescans = append(it.rescans, it.name())
	return []index.Record{rec}, err
}

// syncFile makes a file's new permissions and time durable.
func (it *item) syncFile() error {
	file, err := it.r.o.FS.Open(it.name())
	if errors.Is(err, fs.ErrPermission) {
		return nil // not ours to read, so no content of ours is at stake
	}
	if err != nil {
		return err
	}
	defer file.Close()
	return it.r.o.FS.SyncFiles([]fsys.File{file})
}

package pull

import (
	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/plan"
	"lanyard/sync/relpath"
)

// item is the work on one name. It is handed from one stage of the work to the
// next and never used by two at a time, except for the blocks of its file.
type item struct {
	r        *round
	need     index.Needed
	want     *bep.FileInfo // need.Global
	long     bool          // on its way and holds nothing up: a big file, or one of a device that is behind
	gathers  bool          // of these, one that has its turn
	queued   bool          // in the round's toAsk
	late     bool          // it waits, or waited, for a device that is behind
	lateFile bool          // so does this big file, which gave its turn away
	lists    int           // blocks of its lists, of a big file that waited for its turn or has it
	list     block.Hash    // of the wanted list, where it was let go of meanwhile
	letGo    bool

	decision plan.Decision
	look     fsys.Info // what the decision was made on
	present  bool      // look says something

	temp     relpath.Path // where the new state is built, the root for none
	tempMade bool
	built    fsys.Info // the new state as it was built
	file     fsys.File // the temporary file, while open
	moveFrom *index.Record
	same     []index.Record // local files with just this content
	steps    *Steps
	inFlight int

	// changed lists the directories in which names changed.
	changed  []relpath.Path
	rescans  []relpath.Path // names to scan besides this one
	rescan   bool           // this name's disk state is not what we recorded
	waits    bool           // err may pass once another name is done
	stale    bool           // the record moved on meanwhile
	stored   bool
	lateMode bool // the directory's permissions wait until it is filled
	err      error
}

func (it *item) name() relpath.Path { return it.want.Name }

// have gives our record's entry, nil where there is none.
func (it *item) have() *bep.FileInfo {
	if it.need.Local == nil {
		return nil
	}
	return &it.need.Local.FileInfo
}

func (it *item) fail(err error) {
	it.r.met(err)
	if it.err == nil {
		it.err = err
	}
}

// release closes what is open. A temporary file stays: its blocks save
// fetching them again.
func (it *item) release() {
	if it.file != nil {
		if err := it.file.Close(); err != nil {
			it.r.o.Log.Warn("close temporary file", "name", it.temp.String(), "error", err)
		}
		it.file = nil
	}
}

// recorded compares the disk with our record.
func (it *item) recorded(fs fsys.FS) (plan.Disk, error) {
	if !it.present {
		return plan.Absent, nil
	}
	rec := it.need.Local
	if rec == nil || rec.Deleted || rec.Flags&index.MustRescan != 0 {
		return plan.Changed, nil
	}
	same, err := matches(fs, rec, it.look)
	if err != nil {
		return plan.Changed, err
	}
	if same {
		return plan.AsRecorded, nil
	}
	return plan.Changed, nil
}

// matches reports whether a look at the disk shows exactly what a record
// describes.
func matches(fs fsys.FS, rec *index.Record, look fsys.Info) (bool, error) {
	switch {
	case rec.IsFile():
		return look.Kind == fsys.Regular && index.StampOf(look) == rec.Stamp, nil
	case rec.IsDirectory():
		same := rec.NoPermissions || look.Mode == rec.Permissions&0o777 ||
			rec.Stamp != index.Stamp{} && rec.Stamp.Mode == look.Mode // a disk that cannot hold these permissions
		return look.Kind == fsys.Directory && same, nil
	case rec.IsSymlink():
		if look.Kind != fsys.Symlink {
			return false, nil
		}
		target, err := fs.Readlink(rec.Name)
		return target == rec.SymlinkTarget, err
	}
	return false, nil
}

// large reports whether the file is gathered block by block in an open
// temporary file.
func (it *item) large() bool { return it.want.IsFile() && !it.wholeAtOnce() }

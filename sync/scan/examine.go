package scan

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/fault"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/vector"
)

// job is an entry that differs from its record, or has none.
type job struct {
	path relpath.Path
	look fsys.Info
	old  *index.Record
}

// examine reads an entry and says what to store. Trouble with the entry is
// part of the outcome; an error is one of the index or the end of ctx.
func (s *session) examine(ctx context.Context, j job) (outcome, error) {
	switch j.look.Kind {
	case fsys.Directory:
		return s.examineDirectory(j)
	case fsys.Symlink:
		return s.examineLink(j)
	}
	return s.examineFile(ctx, j)
}

func (s *session) examineDirectory(j job) (outcome, error) {
	f := &finding{job: j, FileInfo: bep.FileInfo{Name: j.path, Type: bep.TypeDirectory}}
	global, err := s.global(j)
	if err != nil {
		return outcome{}, err
	}
	return s.conclude(f, global, outcome{})
}

func (s *session) examineLink(j job) (outcome, error) {
	global, err := s.global(j)
	if err != nil {
		return outcome{}, err
	}
	target, err := s.FS.Readlink(j.path)
	if err != nil {
		return s.trouble(j, err), nil
	}
	if !s.still(j) {
		return outcome{moved: j.path}, nil
	}
	f := &finding{job: j, FileInfo: bep.FileInfo{Name: j.path, Type: bep.TypeSymlink, SymlinkTarget: target}}
	return s.conclude(f, global, outcome{})
}

// still reports whether the name looks as it did in the listing.
func (s *session) still(j job) bool {
	now, err := s.FS.Lstat(j.path)
	return err == nil && now.Same(j.look)
}

// examineFile hashes a file between two looks at it, so that what is announced
// are bytes that existed together.
func (s *session) examineFile(ctx context.Context, j job) (outcome, error) {
	if s.Patient && j.look.Size > bigFile && s.Now().Sub(time.Unix(0, j.look.Mtime)).Abs() < bigQuiet {
		return outcome{moved: j.path}, nil
	}
	global, err := s.global(j)
	if err != nil {
		return outcome{}, err
	}
	file, err := s.FS.Open(j.path)
	if err != nil {
		return s.trouble(j, err), nil
	}
	defer file.Close() // only read from: nothing is lost with the error
	if now, err := file.Stat(); err != nil || !now.Same(j.look) {
		return outcome{moved: j.path}, nil
	}
	start := s.Now()
	blockSize := blockSizeOf(j, global)
	if former, ok, err := s.former(j); err != nil {
		return outcome{}, err
	} else if ok {
		blockSize = max(former.BlockSize, block.MinSize)
	}
	blocks, err := s.Pool.HashFile(ctx, file, j.look.Size, blockSize)
	var sums []block.Sum
	if err == nil {
		sums, err = s.sums(ctx, j, file, blocks)
	}
	switch {
	case ctx.Err() != nil:
		return outcome{}, context.Cause(ctx)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return outcome{moved: j.path}, nil
	case err != nil:
		return s.trouble(j, err), nil
	}
	if now, err := file.Stat(); err != nil || !now.Same(j.look) || !s.still(j) {
		return outcome{moved: j.path}, nil
	}
	f := &finding{job: j, FileInfo: bep.FileInfo{Name: j.path, Type: bep.TypeFile}}
	f.setBlocks(blocks, blockSize)
	f.Sums = sums
	f.racy = racy(j.look, start, s.Now())
	return s.conclude(f, global, outcome{hashed: j.look.Size})
}

// sums gives the sums of a changed file's blocks, nil where nobody needs them:
// who has the version that it was made from searches that only if much of the
// file stands there at no block's place. Sums that the file had are kept up,
// for whoever has an older version.
func (s *session) sums(ctx context.Context, j job, r io.ReaderAt, blocks []block.Info) ([]block.Sum, error) {
	if !s.Sums || j.old == nil || !j.old.IsFile() || len(blocks) < block.MinSummed {
		return nil, nil
	}
	summed := len(j.old.Sums) == len(j.old.Blocks)
	before := make(map[block.Hash]int, len(j.old.Blocks))
	for i, b := range j.old.Blocks {
		before[b.Hash] = i
	}
	sums := make([]block.Sum, len(blocks))
	var todo []int
	bytes := int64(0)
	for i, b := range blocks {
		switch at, known := before[b.Hash]; {
		case !known:
			todo = append(todo, i)
			bytes += int64(b.Size)
		case summed:
			sums[i] = j.old.Sums[at]
		}
	}
	if summed {
		return sums, s.Pool.SumFile(ctx, r, blocks, todo, sums)
	}
	if !block.WorthSearching(len(blocks), len(todo), bytes) {
		return nil, nil
	}
	all := make([]int, len(blocks))
	for i := range all {
		all[i] = i
	}
	return sums, s.Pool.SumFile(ctx, r, blocks, all, sums)
}

// racy reports whether a write after reading could have left the times as
// they are, because the last write before it was in the same tick.
func racy(look fsys.Info, start, end time.Time) bool {
	within := func(t int64) bool {
		tick := tickOf(t)
		return t >= start.Add(-tick).UnixNano() && t <= end.Add(tick).UnixNano()
	}
	return within(look.Mtime) || within(look.Ctime)
}

// bigFile and bigQuiet say for which files a patient scan waits, and how long.
const (
	bigFile  = 64 << 20
	bigQuiet = time.Second
)

// severalSizes is from where on a file may have one of two block sizes,
// depending on how it grew.
const severalSizes = 1000 * block.MinSize

// former finds the record of a file under the name that it had: one of the
// same identity, size and time. A renamed file keeps the
// block size that it had, so that those who have its blocks know them again.
func (s *session) former(j job) (*index.Record, bool, error) {
	if j.old != nil && !j.old.Deleted || j.look.Size < severalSizes || j.look.Inode == 0 {
		return nil, false, nil
	}
	same, err := s.Index.LocalBySize(j.look.Size, maxFormer)
	if err != nil {
		return nil, false, err
	}
	for i := range same {
		rec := &same[i]
		if rec.Stamp.Inode == j.look.Inode && rec.Stamp.Mtime == j.look.Mtime && legalSize(max(rec.BlockSize, block.MinSize)) {
			return rec, true, nil
		}
	}
	return nil, false, nil
}

// maxFormer is how many files of one size are looked at.
const maxFormer = 64

// blockSizeOf chooses the block size: that of the record or version that the
// content may turn out to equal, for only equal blocks show it.
func blockSizeOf(j job, global *bep.FileInfo) int32 {
	var before int32
	if j.old != nil && len(j.old.Blocks) > 0 {
		before = max(j.old.BlockSize, block.MinSize)
		if j.old.Size == j.look.Size && legalSize(before) {
			return before
		}
	}
	if global != nil && global.IsFile() && global.Size == j.look.Size {
		if size := max(global.BlockSize, block.MinSize); legalSize(size) {
			return size
		}
	}
	return block.SizeKeeping(j.look.Size, before)
}

func legalSize(size int32) bool {
	return size >= block.MinSize && size <= block.MaxSize && size&(size-1) == 0
}

// global gives the version of all devices: it may be adopted, or a known
// deletion may be what the name was made anew after. Where our own record says
// what the content was made from it can only be what a pull placed that did
// not get to record it.
func (s *session) global(j job) (*bep.FileInfo, error) {
	if s.peers == 0 {
		return nil, nil
	}
	g, _, ok, err := s.Index.Global(j.path)
	if err != nil || !ok || g.Invalid {
		return nil, err
	}
	return &g, nil
}

// same gives, in place of the global version of a name that we know nothing
// of, an older one that a device has and that is just what stands here: a
// folder that was copied by hand long ago is behind, and no other version.
func (s *session) same(f *finding, global *bep.FileInfo) (*bep.FileInfo, error) {
	if s.peers < 2 || f.old != nil || global == nil || global.Deleted || global.SameContent(&f.FileInfo) {
		return global, nil
	}
	versions, err := s.Index.Versions(f.path)
	if err != nil {
		return nil, err
	}
	for i := range versions {
		if !versions[i].Invalid && versions[i].SameContent(&f.FileInfo) {
			return &versions[i], nil
		}
	}
	return global, nil
}

// deletions gives, in place of a deletion after which a name is made anew, what
// follows from all deletions of it that are known: else the one that is not the
// global version would be concurrent to what is there now, and might win.
func (s *session) deletions(f *finding, global *bep.FileInfo) (*bep.FileInfo, error) {
	if s.peers < 2 || global == nil || !global.Deleted || f.old != nil && !f.old.Deleted {
		return global, nil
	}
	versions, err := s.Index.Versions(f.path)
	if err != nil {
		return nil, err
	}
	all := *global
	for i := range versions {
		if v := vector.Merge(all.Version, versions[i].Version); versions[i].Deleted && !versions[i].Invalid && v.Valid() {
			all.Version = v
		}
	}
	return &all, nil
}

// conclude adds the candidate of a finding to its outcome.
func (s *session) conclude(f *finding, global *bep.FileInfo, o outcome) (outcome, error) {
	global, err := s.same(f, global)
	if err == nil {
		global, err = s.deletions(f, global)
	}
	if err != nil {
		return outcome{}, err
	}
	o.candidate = s.candidate(f, global, s.Now().Unix())
	return o, nil
}

// trouble says why an entry could not be read.
func (s *session) trouble(j job, err error) outcome {
	if vanished(err) || errors.Is(err, fsys.ErrNotRegular) {
		return outcome{moved: j.path}
	}
	return unreadable(j.path, "file-unreadable", err)
}

// unreadable says why a name could not be looked into, and whether it is worth
// another try soon.
func unreadable(p relpath.Path, code fault.Code, err error) outcome {
	o := outcome{problem: &Problem{Name: p.String()}}
	kind := fault.Item
	switch {
	case fault.KindOf(err) == fault.Retry:
		kind, code, o.busy = fault.Retry, fault.CodeOf(err), p
	case !errors.Is(err, fs.ErrPermission):
		o.busy = p
	}
	o.problem.Err = fault.Wrap(kind, code, "scan", p.String(), err)
	return o
}

package scan_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/device"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/scan"
	"lanyard/sync/vector"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const us = device.ShortID(7)

var peer = device.ID{0, 0, 0, 0, 0, 0, 0, 9, 1}

// tb is the part of testing.T that a rapid check has as well.
type tb interface {
	Helper()
	Fatalf(format string, args ...any)
}

// rig is one folder: a disk, an index, and the committer that stores what a
// scan confirms.
type rig struct {
	t     tb
	now   time.Time
	disk  *fsys.Mem
	user  fsys.User
	index index.Folder
	opts  scan.Options
	// stored are the records of the last scan, candidates what it emitted.
	stored     []index.Record
	candidates []scan.Candidate
	recheck    []relpath.Path
	// between runs after Walk and before Confirm.
	between func()
}

func newRig(t tb, o fsys.MemOptions) *rig {
	r := &rig{t: t, now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
	o.Now = func() time.Time { return r.now }
	r.disk = fsys.NewMem(o)
	r.user = r.disk.User()
	folder, err := index.NewMemory(index.MemoryOptions{}).Folder("f")
	r.must(err)
	r.index = folder
	r.opts = scan.Options{
		FS: r.disk, Index: folder, Pool: block.NewPool(1), Short: us,
		Now: func() time.Time { return r.now },
	}
	return r
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatalf("%v", err)
	}
}

// write sets a file and lets a minute pass, so that its times are no longer
// those of the moment of the scan.
func (r *rig) write(path, content string) {
	r.t.Helper()
	if i := strings.LastIndexByte(path, '/'); i > 0 {
		r.must(r.user.MkdirAll(path[:i]))
	}
	r.must(r.user.WriteFile(path, []byte(content)))
	r.rest()
}

func (r *rig) rest() { r.now = r.now.Add(time.Minute) }

// scan runs a whole scan and stores its outcome.
func (r *rig) scan(subtrees ...string) scan.Result {
	r.t.Helper()
	res, err := r.tryScan(subtrees...)
	r.must(err)
	return res
}

func (r *rig) tryScan(subtrees ...string) (scan.Result, error) {
	r.rest()
	var paths []relpath.Path
	for _, s := range subtrees {
		paths = append(paths, relpath.MustParse(s))
	}
	r.stored, r.candidates, r.recheck = nil, nil, nil
	ctx := context.Background()
	res, err := scan.Walk(ctx, r.opts, paths, func(batch []scan.Candidate) error {
		r.candidates = append(r.candidates, batch...)
		return nil
	})
	if err != nil {
		return res, err
	}
	if r.between != nil {
		r.between()
	}
	recs, recheck, err := scan.Confirm(ctx, r.opts, r.candidates)
	if err != nil {
		return res, err
	}
	_, err = r.index.Update(recs)
	r.stored, r.recheck = recs, recheck
	return res, err
}

// changed names the stored records: "name", "name gone", "name restamped",
// "name ignored", "name local".
func (r *rig) changed() string {
	stamped := map[relpath.Path]bool{}
	for _, c := range r.candidates {
		stamped[c.Record.Name] = c.StampOnly
	}
	var out []string
	for _, rec := range r.stored {
		s := rec.Name.String()
		switch {
		case rec.Deleted:
			s += " gone"
		case rec.Flags&index.Ignored != 0:
			s += " ignored"
		case stamped[rec.Name]:
			s += " restamped"
		}
		if rec.Flags&index.ReceiveOnly != 0 {
			s += " local"
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}

// expect scans and wants exactly these changes, in this order.
func (r *rig) expect(why, want string, subtrees ...string) scan.Result {
	r.t.Helper()
	res := r.scan(subtrees...)
	if got := r.changed(); got != want {
		r.t.Fatalf("%s: changed %q, want %q", why, got, want)
	}
	return res
}

func (r *rig) record(name string) index.Record {
	r.t.Helper()
	rec, ok, err := r.index.Local(relpath.MustParse(name))
	r.must(err)
	if !ok {
		r.t.Fatalf("no record of %s", name)
	}
	return rec
}

// offer makes a peer announce an entry.
func (r *rig) offer(f bep.FileInfo) {
	r.t.Helper()
	if st, err := r.index.Remote(peer); err == nil && st.IndexID == 0 {
		r.must(r.index.ResetRemote(peer, 1))
	}
	f.Sequence = f.ModifiedS + 1
	r.must(r.index.UpdateRemote(peer, []bep.FileInfo{f}))
}

// fileInfo is a file as a peer announces it.
func fileInfo(name, content string, mtime time.Time, v vector.Vector) bep.FileInfo {
	f := bep.FileInfo{
		Name: relpath.MustParse(name), Size: int64(len(content)), Permissions: 0o644,
		BlockSize: block.MinSize, Version: v, ModifiedBy: 9,
	}
	f.SetModUnixNano(mtime.UnixNano())
	blocks, err := block.NewPool(1).HashFile(context.Background(), strings.NewReader(content), f.Size, f.BlockSize)
	if err != nil {
		panic(err)
	}
	f.Blocks = blocks
	hash := block.ListHash(blocks)
	f.BlocksHash = hash[:]
	return f
}

// rules ignores these names with all that is below them; "name+" ignores a
// directory that may hold something wanted, "!name" wants it nevertheless.
type rules []string

func (rs rules) Match(p relpath.Path, _ bool) (ignored, skip bool) {
	for _, rule := range rs {
		if want, ok := strings.CutPrefix(rule, "!"); ok {
			if p.Under(relpath.MustParse(want)) {
				return false, false
			}
			continue
		}
		name, look := strings.CutSuffix(rule, "+")
		if p.Under(relpath.MustParse(name)) {
			return true, !look
		}
	}
	return false, false
}

// live lists our records that take part: "name=content kind and size".
func (r *rig) live() map[string]string {
	r.t.Helper()
	recs, err := r.index.LocalRange(relpath.Root, relpath.Root, 1<<20)
	r.must(err)
	out := map[string]string{}
	for _, rec := range recs {
		if rec.Deleted || rec.Flags&index.Ignored != 0 {
			continue
		}
		out[rec.Name.String()] = describe(rec.Type, rec.Size, rec.Permissions, rec.SymlinkTarget, rec.Blocks)
	}
	return out
}

func describe(t bep.FileType, size int64, mode uint32, target string, blocks []block.Info) string {
	switch t {
	case bep.TypeDirectory:
		return fmt.Sprintf("directory %o", mode)
	case bep.TypeSymlink:
		return "link " + target
	}
	return fmt.Sprintf("file %d %o %x", size, mode, block.ListHash(blocks))
}

// onDisk is what live should be, from the disk alone.
func (r *rig) onDisk() map[string]string {
	out := map[string]string{}
	for name, n := range r.user.Tree() {
		switch n.Kind {
		case fsys.Directory:
			out[name] = describe(bep.TypeDirectory, 0, n.Mode, "", nil)
		case fsys.Symlink:
			out[name] = describe(bep.TypeSymlink, 0, 0, n.Target, nil)
		case fsys.Regular:
			size := int64(len(n.Content))
			blocks, err := block.NewPool(1).HashFile(context.Background(), strings.NewReader(string(n.Content)), size, block.MinSize)
			r.must(err)
			out[name] = describe(bep.TypeFile, size, n.Mode, "", blocks)
		}
	}
	return out
}

func problems(res scan.Result) []string {
	var out []string
	for _, p := range res.Problems {
		out = append(out, fmt.Sprintf("%q %v", p.Name, codeOf(p.Err)))
	}
	return out
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

var _ tb = (*testing.T)(nil)

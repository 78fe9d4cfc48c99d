package folder

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/conflict"
	"lanyard/sync/device"
	"lanyard/sync/exec/exectest"
	"lanyard/sync/fault"
	"lanyard/sync/fsys"
	"lanyard/sync/fsys/fsystest"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/vector"
)

// library answers requests with the blocks of every content put into it.
type library struct {
	x      *exectest.Inline
	blocks map[block.Hash][]byte
	refuse func(*bep.Request) bool
}

func (l *library) Load(device.ID) (int, bool) { return 0, true }

func (l *library) Request(_ device.ID, req *bep.Request, deliver func(*bep.Response, error)) {
	resp := &bep.Response{Data: l.blocks[block.Hash(req.Hash)]}
	if l.refuse != nil && l.refuse(req) {
		resp = &bep.Response{Code: bep.CodeGeneric}
	}
	l.x.Go(func() { deliver(resp, nil) })
}

func (l *library) Release(*bep.Response) {}

// still is a folder that runs inline over a disk and an index in memory, so
// that equal runs make equal calls.
type still struct {
	t      *testing.T
	x      *exectest.Inline
	disk   *fsys.Mem
	user   fsys.User
	index  index.Folder
	inject *fsystest.Injector
	source *library
	runner *Runner
	seq    int64

	// spare may be left over as a conflict copy of what another device wrote,
	// where even taking that back failed.
	spare string
	known map[string]bool // contents that may stand under a name
	kept  []string        // contents that must stand somewhere
	wrong error           // what was announced and would not survive a power cut
}

func newStill(t *testing.T, o fsys.MemOptions) *still {
	s := &still{t: t, x: exectest.NewInline(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)), known: map[string]bool{}}
	o.Now = s.x.Now
	s.disk = fsys.NewMem(o)
	s.user = s.disk.User()
	s.source = &library{x: s.x, blocks: map[block.Hash][]byte{}}
	s.must(s.user.MkdirAll(relpath.MarkerName))
	s.must(s.user.WriteFile(Marker(folderID).String(), []byte("marker")))
	ix, err := index.NewMemory(index.MemoryOptions{OnOp: s.onIndex}).Folder(folderID)
	s.must(err)
	s.index = ix
	s.runner = New(Options{
		ID: folderID, Self: ourID, Open: func() (fsys.FS, error) { return s.disk, nil }, Index: ix, Exec: s.x,
		Hash: block.NewPool(1), Source: s.source, VersionsFor: 24 * time.Hour, RescanEvery: time.Hour, Announce: s.announced,
	})
	return s
}

func (s *still) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// onIndex lets the index fail as the disk below it would.
func (s *still) onIndex(op string) error {
	switch err := s.inject.Call("index " + op); {
	case err == nil:
		return nil
	case errors.Is(err, fsys.ErrNoSpace):
		return fault.New(fault.Folder, "home-full", "%s: no space", op)
	default:
		return fault.New(fault.Folder, "", "%s: %s", op, err.Error())
	}
}

// has writes a file of before, durably.
func (s *still) has(name, content string) {
	s.saves(name, content)
	s.user.Sync()
}

// saves writes a file as programs do: nothing of it is durable.
func (s *still) saves(name, content string) {
	s.t.Helper()
	if i := strings.LastIndexByte(name, '/'); i > 0 {
		s.must(s.user.MkdirAll(name[:i]))
	}
	s.must(s.user.WriteFile(name, []byte(content)))
	s.known[content] = true
	s.kept = append(s.kept, content)
}

// starts runs the folder until it rests.
func (s *still) starts() {
	s.runner.Start()
	s.x.Advance(time.Minute)
}

// remote makes the other device announce entries; contents are those of files.
func (s *still) remote(files ...bep.FileInfo) {
	s.t.Helper()
	for i := range files {
		s.seq++
		files[i].Sequence = s.seq
	}
	s.quietly(func() { s.must(s.index.UpdateRemote(otherID, files)) })
}

// quietly does what is no part of what meets the trouble.
func (s *still) quietly(work func()) {
	inject := s.inject
	s.inject = nil
	work()
	s.inject = inject
}

// version gives one after ours of a name, or the first where we have none.
func (s *still) version(name string) (v vector.Vector) {
	s.quietly(func() {
		rec, _, err := s.index.Local(relpath.MustParse(name))
		s.must(err)
		v = rec.Version.Bump(9, 0)
	})
	return v
}

func (s *still) file(name, content string) bep.FileInfo {
	s.known[content] = true
	f := bep.FileInfo{
		Name: relpath.MustParse(name), Size: int64(len(content)), Permissions: 0o640, ModifiedS: 2_000_000_000,
		Version: s.version(name), BlockSize: block.MinSize, ModifiedBy: 9,
	}
	for off := 0; off == 0 || off < len(content); off += block.MinSize {
		part := []byte(content[off:min(len(content), off+block.MinSize)])
		hash := block.Hash(sha256.Sum256(part))
		f.Blocks = append(f.Blocks, block.Info{Offset: int64(off), Size: int32(len(part)), Hash: hash})
		s.source.blocks[hash] = part
	}
	return f
}

func (s *still) directory(name string) bep.FileInfo {
	return bep.FileInfo{Name: relpath.MustParse(name), Type: bep.TypeDirectory, Permissions: 0o750, Version: s.version(name), ModifiedBy: 9}
}

func (s *still) link(name, target string) bep.FileInfo {
	return bep.FileInfo{Name: relpath.MustParse(name), Type: bep.TypeSymlink, SymlinkTarget: target, Version: s.version(name), ModifiedBy: 9}
}

func (s *still) gone(name string) bep.FileInfo {
	return bep.FileInfo{Name: relpath.MustParse(name), Deleted: true, Version: s.version(name), ModifiedBy: 9}
}

// announced notes whether all that peers can hear of now would survive a power
// cut at this instant, as far as it still is on the disk.
func (s *still) announced() {
	var recs []index.Record
	s.quietly(func() {
		var err error
		recs, err = s.index.LocalRange(relpath.Root, relpath.Root, 1000)
		s.must(err)
	})
	recs = slices.DeleteFunc(recs, func(r index.Record) bool {
		return r.Flags&^index.MustRescan != 0 || describes(&r, s.user) != nil
	})
	for seed := range uint64(2) {
		after := s.disk.Crash(rand.New(rand.NewPCG(seed, uint64(len(recs))))).User()
		for i := range recs {
			if err := describes(&recs[i], after); err != nil {
				s.wrong = errors.Join(s.wrong, fmt.Errorf("%s was announced and would not survive a power cut: %w", recs[i].Name, err))
			}
		}
	}
}

// describes fails unless a record is true of a disk.
func describes(rec *index.Record, disk fsys.User) error {
	info, err := disk.Lstat(rec.Name.String())
	switch {
	case rec.Deleted && err == nil:
		return errors.New("it is there")
	case rec.Deleted:
		return nil
	case err != nil:
		return err
	case rec.IsFile():
		data, err := disk.ReadFile(rec.Name.String())
		if err != nil || int64(len(data)) != rec.Size || !isContent(data, rec.Blocks) {
			return fmt.Errorf("it holds other bytes (error %w)", err)
		}
	case rec.IsDirectory() != (info.Kind == fsys.Directory):
		return errors.New("it is something else")
	}
	return nil
}

func isContent(data []byte, blocks []block.Info) bool {
	for _, b := range blocks {
		if b.Offset+int64(b.Size) > int64(len(data)) || sha256.Sum256(data[b.Offset:][:b.Size]) != b.Hash {
			return false
		}
	}
	return true
}

// check demands that no name holds what nobody wrote there, that nothing of
// what must stay is lost, and that nothing was announced too early.
func (s *still) check() error {
	errs := []error{s.wrong}
	stands := map[string]bool{}
	for name, n := range s.user.Tree() {
		if n.Kind != fsys.Regular || relpath.TempBase(name[strings.LastIndexByte(name, '/')+1:]) || strings.HasPrefix(name, relpath.MarkerName) {
			continue
		}
		stands[string(n.Content)] = true
		if !s.known[string(n.Content)] {
			errs = append(errs, fmt.Errorf("%s holds %d bytes that nobody wrote", name, len(n.Content)))
		}
	}
	for i, c := range s.kept {
		if !stands[c] {
			errs = append(errs, fmt.Errorf("content %d of %d bytes is lost", i, len(c)))
		}
	}
	return errors.Join(errs...)
}

// ends lets time pass and demands that the folder then holds exactly these
// names ("name/" for a directory, "name@" for a link), that nothing is needed,
// and that nothing stands in the way.
func (s *still) ends(want map[string]string) error {
	s.x.Advance(time.Minute)
	s.saveAgain()
	s.x.Advance(time.Minute)
	s.user.Sync() // by now the system has written what it can
	s.x.Advance(3 * time.Hour)
	got, spare := map[string]string{}, 0
	for name, n := range s.user.Tree() {
		if strings.HasPrefix(name, ".st") || relpath.TempBase(name[strings.LastIndexByte(name, '/')+1:]) {
			continue // what nobody comes back to goes after a day
		}
		if _, copy := conflict.Is(relpath.MustParse(name)); copy && s.spare != "" && string(n.Content) == s.spare {
			spare++
			continue
		}
		if s.spare != "" {
			name = strings.TrimSuffix(name, "-2")
		}
		switch n.Kind {
		case fsys.Directory:
			got[name+"/"] = ""
		case fsys.Symlink:
			got[name+"@"] = n.Target
		default:
			got[name] = string(n.Content)
		}
	}
	var errs []error
	if !maps.Equal(got, want) {
		errs = append(errs, fmt.Errorf("the folder ends with %q, want %q", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want))))
	}
	if v := s.runner.View(); v.Err != nil || len(v.Failed) > 0 || !v.Settled {
		errs = append(errs, fmt.Errorf("the folder ends with %v, failed %v, settled %v", v.Err, v.Failed, v.Settled))
	}
	if c, err := s.index.Counts(); err != nil || c.Need.Items > 0 {
		errs = append(errs, fmt.Errorf("the folder needs %d items (error %w)", c.Need.Items, err))
	}
	recs, err := s.index.LocalRange(relpath.Root, relpath.Root, 1000)
	live := 0
	for _, r := range recs {
		if !r.Deleted {
			live++
		}
	}
	if err != nil || live != len(want)+spare {
		errs = append(errs, fmt.Errorf("%d names are recorded, want %d (error %w)", live, len(want), err))
	}
	return errors.Join(errs...)
}

// saveAgain is what a person does with a file that the disk failed to store.
func (s *still) saveAgain() {
	for p, err := range s.runner.View().Failed {
		if errors.Is(err, errUnwritten) {
			data, err := s.user.ReadFile(p.String())
			s.must(err)
			s.must(s.user.WriteFile(p.String(), data))
			s.runner.Scan([]relpath.Path{p}, func(error) {})
		}
	}
}

// bytesOf gives n bytes that do not repeat.
func bytesOf(n int, seed byte) string {
	b := make([]byte, n)
	if _, err := rand.NewChaCha8([32]byte{seed}).Read(b); err != nil {
		panic(err)
	}
	return string(b)
}

// sweep disturbs a scenario at every call: before is what led to it, work what
// meets the trouble, want how it ends.
func sweep(t *testing.T, before, work func(*still), want map[string]string) {
	t.Helper()
	sweepOn(t, []bool{false, true}, before, work, want)
}

// sweepOn is sweep on disks that can or cannot exchange names.
func sweepOn(t *testing.T, disks []bool, before, work func(*still), want map[string]string) {
	t.Helper()
	for _, noExchange := range disks {
		t.Run(fmt.Sprintf("no exchange %v", noExchange), func(t *testing.T) {
			o := fsys.MemOptions{StrictDirSync: true, NoExchange: noExchange}
			fsystest.Sweep(t, func(t *testing.T) fsystest.World {
				s := newStill(t, o)
				before(s)
				s.starts()
				s.user.Sync()
				return fsystest.World{
					Disk: s.disk, Inject: func(i *fsystest.Injector) { s.inject = i },
					Work:  func() { work(s); s.runner.RemoteChanged(); s.x.Advance(15 * time.Second) },
					Check: s.check,
					Again: func() error { return s.ends(want) },
				}
			})
		})
	}
}

func TestNoFailureOfAnyCallOfAScanHarms(t *testing.T) {
	sweep(t, func(s *still) {
		s.has("kept", "1")
		s.has("edited", "2")
		s.has("sub/moved", "3")
		s.kept = nil
	}, func(s *still) {
		s.saves("edited", "4")
		s.saves("new/file", "5")
		s.must(s.user.Rename("sub/moved", "new/moved"))
		s.must(s.user.Symlink("kept", "link"))
		s.runner.Scan(nil, func(error) {})
	}, map[string]string{"kept": "1", "edited": "4", "sub/": "", "new/": "", "new/file": "5", "new/moved": "3", "link@": "kept"})
}

func TestNoFailureOfAnyCallOfAPullHarms(t *testing.T) {
	big := bytesOf(block.MinSize+100, 1)
	old := "what stood there"
	tests := []struct {
		name         string
		before, work func(*still)
		want         map[string]string
	}{
		{
			"new names of every kind",
			func(s *still) { s.has("kept", "1") },
			func(s *still) {
				s.remote(s.directory("d"), s.file("d/small", "2"), s.file("d/empty", ""), s.file("d/big", big), s.link("d/link", "small"))
			},
			map[string]string{"kept": "1", "d/": "", "d/small": "2", "d/empty": "", "d/big": big, "d/link@": "small"},
		},
		{
			"a file is replaced, another gets a new mode and time",
			func(s *still) { s.has("d/a", old); s.has("d/b", "same") },
			func(s *still) { s.remote(s.file("d/a", "new"), s.file("d/b", "same")) },
			map[string]string{"d/": "", "d/a": "new", "d/b": "same"},
		},
		{
			"a file is renamed into a new directory",
			func(s *still) { s.has("a", old) },
			func(s *still) { s.remote(s.directory("d"), s.file("d/b", old), s.gone("a")) },
			map[string]string{"d/": "", "d/b": old},
		},
		{
			"files, a link and directories are deleted",
			func(s *still) {
				s.has("d/e/a", old)
				s.has("d/b", "another")
				s.must(s.user.Symlink("b", "d/link"))
			},
			func(s *still) {
				s.remote(s.gone("d"), s.gone("d/b"), s.gone("d/e"), s.gone("d/e/a"), s.gone("d/link"))
			},
			map[string]string{},
		},
		{
			"a file becomes a directory and another one a link",
			func(s *still) { s.has("a", old); s.has("b", "another") },
			func(s *still) { s.remote(s.directory("a"), s.file("a/x", "1"), s.link("b", "a")) },
			map[string]string{"a/": "", "a/x": "1", "b@": "a"},
		},
		{
			"a directory becomes a file and a link another one",
			func(s *still) { s.has("a/x", old); s.must(s.user.Symlink("a", "b")) },
			func(s *still) { s.remote(s.file("a", "1"), s.gone("a/x"), s.file("b", "2")) },
			map[string]string{"a": "1", "b": "2"},
		},
		{
			"a file that two changed at once",
			func(s *still) { s.has("a", old) },
			func(s *still) {
				f := s.file("a", "theirs")
				f.Version = vector.Vector{{ID: 9, Value: 1}}
				s.remote(f)
				s.spare = "theirs"
			},
			map[string]string{"a": "theirs", "a.sync-conflict-20260501-120000-AAAAAAA": old},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { sweep(t, test.before, test.work, test.want) })
	}
}

func TestNoFailureOfAnyCallOfAPullOfABigFileHarms(t *testing.T) {
	big := bytesOf(2*block.MinSize+100, 1)
	changed := big[:block.MinSize] + bytesOf(block.MinSize, 2) + big[2*block.MinSize:]
	sweepOn(t, []bool{false}, func(s *still) { s.has("big", big) }, func(s *still) { s.remote(s.file("big", changed)) },
		map[string]string{"big": changed})
}

func TestNoFailureOfAnyCallOfAResumedPullHarms(t *testing.T) {
	big := bytesOf(2*block.MinSize+100, 1)
	sweepOn(t, []bool{false}, func(s *still) {
		s.has("kept", "1")
		s.source.refuse = func(req *bep.Request) bool { return req.BlockNo > 1 }
		s.remote(s.file("big", big))
	}, func(s *still) { s.source.refuse = nil }, map[string]string{"kept": "1", "big": big})
}

func TestNoFailureOfAnyCallOfAPruneHarms(t *testing.T) {
	sweep(t, func(s *still) {
		s.has("kept", "1")
		s.has(".stversions/d/old~20260101-120000.txt", "2")
		s.has(".stversions/old~20260101-120000.txt", "3")
		s.kept = []string{"1"}
	}, func(s *still) { s.runner.Scan(nil, func(error) {}) }, map[string]string{"kept": "1"})
}

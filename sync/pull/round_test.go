package pull_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/device"
	"lanyard/sync/fault"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/pull"
	"lanyard/sync/relpath"
)

func TestARenameRequestsNothing(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		r.have("from", big)
		r.announce(first, []string{big}, file("sub/to", big, remote), gone("from", r.newer("from")))
		r.pulled()
		r.wantFile("sub/to", big)
		r.wantGone("from")
		if asked := r.source.asked(); len(asked) > 0 {
			t.Errorf("requests %q, want none", asked)
		}
	})
}

// lateNews announces something between two pages of needed names.
type lateNews struct {
	index.Folder
	news func()
}

func (l *lateNews) Needed(after relpath.Path, limit int) ([]index.Needed, error) {
	page, err := l.Folder.Needed(after, limit)
	if l.news != nil {
		l.news()
		l.news = nil
	}
	return page, err
}

func TestARenameThatIsAnnouncedDuringAPassRequestsNothing(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		r.have("z-from", big)
		var many []bep.FileInfo
		for i := range 600 {
			many = append(many, dir(fmt.Sprintf("m%03d", i), remote))
		}
		r.announce(first, nil, many...)
		moved := r.newer("z-from")
		// The pass is over the new name's place when both are announced, but not
		// over the old one's.
		r.index = &lateNews{r.index, func() {
			r.announce(first, []string{big}, file("a-to", big, remote), gone("z-from", moved))
			r.worker.Refresh()
		}}
		r.pulled()
		r.wantFile("a-to", big)
		r.wantGone("z-from")
		if asked := r.source.asked(); len(asked) > 0 {
			t.Errorf("requests %q, want none", asked)
		}
	})
}

func TestACopyRequestsNothing(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		r.have("a", big)
		r.announce(first, []string{big}, file("b", big, remote))
		r.pulled()
		r.wantFile("b", big)
		if asked := r.source.asked(); len(asked) > 0 {
			t.Errorf("requests %q, want none", asked)
		}
	})
}

func TestABigFileOnItsWayHoldsNothingUp(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		r.have("old", "goes")
		arrives := make(chan struct{})
		r.source.hold = map[string]chan struct{}{"big": arrives}
		r.announce(first, []string{big, "soon"}, file("big", big, remote), file("small", "soon", remote))
		r.start()
		done := make(chan pull.Result, 1)
		r.worker.Start(func(res pull.Result) { done <- res })
		<-time.After(time.Second)
		r.wantFile("small", "soon")
		r.announce(first, []string{"news"}, file("late", "news", remote), gone("old", r.newer("old")))
		r.worker.Refresh()
		<-time.After(time.Second)
		r.wantFile("late", "news")
		r.wantGone("old")
		r.wantGone("big")
		close(arrives)
		if res := <-done; res.Err != nil || len(res.Failed) > 0 {
			t.Errorf("the round ended with %v, failed %v", res.Err, res.Failed)
		}
		r.wantFile("big", big)
		r.wantNoNeed()
	})
}

func TestOnlyBlocksThatChangedAreRequested(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		changed := []byte(big)
		changed[block.MinSize] ^= 1
		r.have("a", string(changed))
		r.announce(first, []string{big}, file("a", big, r.newer("a")))
		r.pulled()
		r.wantFile("a", big)
		if got, want := r.source.asked(), []string{"a 1"}; !slices.Equal(got, want) {
			t.Errorf("requests %q, want %q", got, want)
		}
	})
}

func TestAFileThatWasNotFinishedGoesOnFromItsBlocks(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		r.announce(first, []string{big}, file("a", big, remote))
		r.source.answer = func(_ device.ID, req *bep.Request) (*bep.Response, error) {
			if req.BlockNo == 1 {
				return nil, fault.New(fault.Retry, "", "the connection ended")
			}
			return &bep.Response{Data: r.source.data[block.Hash(req.Hash)]}, nil
		}
		if res := r.pull(); len(res.Failed) != 1 {
			t.Errorf("failed: %v, want one name", res.Failed)
		}
		r.wantGone("a")
		r.source.answer, r.source.requests = nil, nil
		r.pulled()
		r.wantFile("a", big)
		if got, want := r.source.asked(), []string{"a 1"}; !slices.Equal(got, want) {
			t.Errorf("the second time %q was requested, want %q", got, want)
		}
	})
}

func TestAnUnfinishedFileThatSomebodySpoiltIsFetchedAgain(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		r.announce(first, []string{big}, file("a", big, remote))
		r.source.answer = func(_ device.ID, req *bep.Request) (*bep.Response, error) {
			if req.BlockNo == 2 {
				return nil, fault.New(fault.Retry, "", "the connection ended")
			}
			return &bep.Response{Data: r.source.data[block.Hash(req.Hash)]}, nil
		}
		r.pull()
		temp := r.temps()
		if len(temp) != 1 {
			t.Fatalf("temporary files %q, want one", temp)
		}
		r.must(r.user.WriteFile(temp[0], []byte("spoilt")))
		r.source.answer = nil
		r.pulled()
		r.wantFile("a", big)
	})
}

func TestABlockWithAWrongHashIsFetchedFromAnotherDevice(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		for _, dev := range []device.ID{first, second} {
			r.announce(dev, []string{big}, file("a", big, remote), file("small", "new", remote))
		}
		r.announce(first, []string{"new"})
		asked := map[device.ID]int{}
		r.source.answer = func(dev device.ID, req *bep.Request) (*bep.Response, error) {
			asked[dev]++
			data := slices.Clone(r.source.data[block.Hash(req.Hash)])
			if dev == first {
				data[0] ^= 1
			}
			return &bep.Response{Data: data}, nil
		}
		r.pulled()
		r.wantFile("a", big)
		r.wantFile("small", "new")
		if asked[first] == 0 || asked[second] != 4 {
			t.Errorf("requests by device %v, want all 4 blocks from the second", asked)
		}
	})
}

func TestWrongBytesFromEverybodyAreNeverWrittenUnderTheName(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		r.have("a", "old")
		r.announce(first, nil, file("a", big, r.newer("a")))
		r.source.answer = func(_ device.ID, req *bep.Request) (*bep.Response, error) {
			return &bep.Response{Data: make([]byte, req.Size)}, nil
		}
		res := r.pull()
		if err := res.Failed[relpath.MustParse("a")]; err == nil {
			t.Errorf("failed: %v, want a", res.Failed)
		}
		r.wantFile("a", "old")
	})
}

func TestAFileThatNobodyCanGiveIsUnavailable(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		r.announce(first, []string{"new"}, file("a", "new", remote))
		r.source.away[first] = true
		if res := r.pull(); res.Unavailable != 1 || len(res.Failed) > 0 {
			t.Errorf("unavailable %d, failed %v; want 1 and none", res.Unavailable, res.Failed)
		}
		r.source.away[first] = false
		r.pulled()
		r.wantFile("a", "new")
	})
}

func TestAFullDiskLosesNothing(t *testing.T) {
	t.Run("before the first byte", fullDisk)
	t.Run("in the middle of a file", func(t *testing.T) { fullDiskLater(t) })
}

// fullDisk leaves room for one small file.
func fullDisk(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		r.have("a", "old")
		r.have("from", "small")
		r.announce(first, []string{big}, file("a", big, r.newer("a")))
		r.announce(first, []string{big}, file("b", big, remote))
		r.announce(first, []string{"fits"}, file("c", "fits", remote))
		filler := strings.Repeat("x", 2*len(big))
		r.ignored["filler"] = true
		r.write("filler", filler)
		r.disk.SetCapacity(int64(len(filler)) + 16<<10)
		res := r.pull()
		for _, name := range []string{"a", "b"} {
			if err := res.Failed[relpath.MustParse(name)]; fault.CodeOf(err) != "disk-full" || fault.KindOf(err) != fault.Item {
				t.Errorf("%s failed with %v, want a disk that is full for it alone", name, err)
			}
		}
		if res.Err != nil {
			t.Errorf("the round ended with %v, although other files fit", res.Err)
		}
		r.wantFile("a", "old")
		r.wantFile("c", "fits")
		r.disk.SetCapacity(0)
		r.pulled()
		r.wantFile("a", big)
		r.wantFile("b", big)
	})
}

// fullDiskLater fills the disk while the first file is written: nothing more is
// fetched in that round, and what makes room is done nevertheless.
func fullDiskLater(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		r.have("a", "old")
		r.have("z", "gone")
		r.announce(first, []string{big}, file("a", big, r.newer("a")), file("b", big, remote), gone("z", r.newer("z")))
		for i := range 600 {
			name := fmt.Sprintf("small %d", i)
			r.announce(first, []string{name}, file(name, name, remote))
		}
		var writes atomic.Int32
		r.disk.SetHook(func(op fsys.Op) error {
			if op.Name == fsys.OpWrite {
				writes.Add(1)
				return &fsys.ShortWrite{Err: fsys.ErrNoSpace}
			}
			return nil
		})
		res := r.pull()
		if res.Err != nil || fault.CodeOf(res.Failed[relpath.MustParse("a")]) != "disk-full" {
			t.Errorf("the round ended with %v and failed %v", res.Err, res.Failed)
		}
		if res.Space == nil || res.Space.Need == 0 || res.Space.Need > uint64(len(big)) {
			t.Errorf("the round says %v of the space that lacks", res.Space)
		}
		r.wantFile("a", "old")
		r.wantGone("z")
		if n := writes.Load(); n > 100 {
			t.Errorf("the round wrote %d times to a full disk", n)
		}
		r.disk.SetHook(nil)
		r.pulled()
		r.wantFile("a", big)
	})
}

func TestARootThatIsNotTheFoldersOwnEndsTheRound(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		r.have("a", "old")
		r.announce(first, []string{"new"}, file("a", "new", r.newer("a")))
		r.proof = fault.New(fault.Folder, "folder-swapped", "the marker is another folder's")
		if res := r.pull(); fault.CodeOf(res.Err) != "folder-swapped" || res.Changed != 0 {
			t.Errorf("the round ended with %v and %d changes", res.Err, res.Changed)
		}
		r.wantFile("a", "old")
	})
}

func TestDirectoriesGoTheDeepestFirst(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		names := []string{"d", "d/a", "d/a/b", "d/c"}
		for _, name := range names {
			r.must(r.user.MkdirAll(name))
		}
		r.scan()
		for _, name := range names {
			r.announce(first, nil, gone(name, r.newer(name)))
		}
		var removed []string
		r.disk.SetHook(func(op fsys.Op) error {
			if op.Name == fsys.OpRemove {
				removed = append(removed, op.Paths[0])
			}
			return nil
		})
		r.pulled()
		if want := []string{"d/c", "d/a/b", "d/a", "d"}; !slices.Equal(removed, want) {
			t.Errorf("removed in the order %q, want %q", removed, want)
		}
	})
}

func TestADirectoryGoesWithWhatMayGoWithIt(t *testing.T) {
	d := relpath.MustParse("d")
	tests := []struct {
		name  string
		holds string // a file in the directory
		mark  func(*rig)
		stays bool
	}{
		{"what the rules call deletable", "d/junk", func(r *rig) { r.ignored["d/junk"], r.deletable["d/junk"] = true, true }, false},
		{"a temporary file of ours", "d/.syncthing.x.0123456789abcdef.tmp", func(*rig) {}, false},
		{"what the rules leave alone stays", "d/kept", func(r *rig) { r.ignored["d/kept"] = true }, true},
		{"what is deletable but not ignored stays", "d/kept", func(r *rig) { r.deletable["d/kept"] = true }, true},
		{"what nobody knows stays", "d/unknown", func(*rig) {}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inRig(t, fsys.MemOptions{}, func(r *rig) {
				r.must(r.user.MkdirAll("d"))
				r.scan()
				r.announce(first, nil, gone("d", r.newer("d")))
				r.write(tt.holds, "content")
				tt.mark(r)
				res := r.pull()
				if err := res.Failed[d]; (err != nil) != tt.stays {
					t.Errorf("failed: %v", res.Failed)
				} else if tt.stays && fault.CodeOf(err) != "dir-not-empty" {
					t.Errorf("the reason is %v", err)
				}
				if tt.stays {
					r.wantFile(tt.holds, "content")
				} else {
					r.wantGone("d")
				}
			})
		})
	}
}

// A directory that others deleted and that holds a file stays, and with it the
// temporary file of what is on its way there.
func TestADirectoryThatStaysKeepsItsTemporaryFiles(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		const temp = "d/.syncthing.x.0123456789abcdef.tmp"
		r.must(r.user.MkdirAll("d"))
		r.scan()
		r.announce(first, nil, gone("d", r.newer("d")))
		r.write(temp, "half")
		r.write("d/x", "content")
		r.pull()
		r.wantFile(temp, "half")
		r.wantFile("d/x", "content")
	})
}

func TestAnIgnoredNameIsNotTouched(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		r.write("a", "mine alone")
		r.ignored["a"] = true
		r.announce(first, []string{"theirs"}, file("a", "theirs", remote))
		r.pulled()
		r.wantFile("a", "mine alone")
		if asked := r.source.asked(); len(asked) > 0 {
			t.Errorf("requests %q", asked)
		}
	})
}

func TestAnEditThatNobodyScannedIsLeftAlone(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		r.have("a", "old")
		r.announce(first, []string{"new"}, file("a", "new", r.newer("a")), file("b", "new", remote))
		r.write("a", "edited")
		r.write("b", "made by hand")
		res := r.pull()
		want := []relpath.Path{relpath.MustParse("a"), relpath.MustParse("b")}
		slices.SortFunc(res.Rescan, relpath.Path.Compare)
		if !slices.Equal(res.Rescan, want) {
			t.Errorf("to be scanned: %v, want %v", res.Rescan, want)
		}
		r.wantFile("a", "edited")
		r.wantFile("b", "made by hand")
	})
}

func TestManyNamesArePulledInOneRound(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		const count = 1200 // more than two pages and four batches
		files := make([]bep.FileInfo, 0, count)
		contents := make([]string, 0, count)
		for i := range count {
			contents = append(contents, fmt.Sprint("content ", i))
			files = append(files, file(fmt.Sprintf("dir%d/%d", i%7, i), contents[i], remote))
		}
		r.announce(first, contents, files...)
		if res := r.pull(); res.Changed != count {
			t.Errorf("%d names changed, want %d; failed: %v", res.Changed, count, res.Failed)
		}
		r.wantNoNeed()
		for i := range count {
			r.wantFile(fmt.Sprintf("dir%d/%d", i%7, i), contents[i])
		}
	})
}

func TestOneNameThatFailsDoesNotKeepTheOthers(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		r.announce(first, []string{"new"}, file("a", "new", remote), file("b", "new", remote), file("c", "new", remote))
		r.disk.SetHook(func(op fsys.Op) error {
			if op.Name == fsys.OpLstat && op.Paths[0] == "b" {
				return errRefused
			}
			return nil
		})
		res := r.pull()
		if len(res.Failed) != 1 || !errors.Is(res.Failed[relpath.MustParse("b")], errRefused) {
			t.Errorf("failed: %v, want b", res.Failed)
		}
		r.wantFile("a", "new")
		r.wantFile("c", "new")
	})
}

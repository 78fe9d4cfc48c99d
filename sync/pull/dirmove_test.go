package pull_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/pull"
	"lanyard/sync/relpath"
	"lanyard/sync/vector"
)

// tree is a directory as it is recorded: names below it, "/" at the end for
// directories and "->" for links, and contents.
var tree = []string{"", "a.txt", "big", "empty", "link->a.txt", "sub/", "sub/b.txt", "sub/deep/", "sub/deep/c.txt"}

func contentOf(name string) string {
	switch name {
	case "big":
		return big
	case "empty":
		return ""
	}
	return "content of " + name
}

// haveTree puts the tree under a directory and records it.
func (r *rig) haveTree(top string) {
	r.t.Helper()
	r.must(r.user.MkdirAll(top))
	for _, name := range tree[1:] {
		if name, target, ok := strings.Cut(name, "->"); ok {
			r.must(r.user.Symlink(target, top+"/"+name))
		} else if dir, ok := strings.CutSuffix(name, "/"); ok {
			r.must(r.user.MkdirAll(top + "/" + dir))
		} else {
			r.write(top+"/"+name, contentOf(name))
		}
	}
	r.scan()
}

// renames gives the entries by which another device announces that a recorded
// tree has a new name: new names, with what stands here, and deletions.
func (r *rig) renames(from, to string) (made, gone []bep.FileInfo) {
	r.t.Helper()
	for _, name := range tree {
		name, _, _ = strings.Cut(strings.TrimSuffix(name, "/"), "->")
		rec := r.local(strings.TrimSuffix(from+"/"+name, "/"))
		f := rec.FileInfo
		f.Name = relpath.MustParse(strings.TrimSuffix(to+"/"+name, "/"))
		f.Version, f.ModifiedBy, f.Invalid = remote, 9, false
		made = append(made, f)
		gone = append(gone, goneFile(rec.FileInfo, rec.Version.Bump(9, 0)))
	}
	slices.Reverse(gone)
	return made, gone
}

func goneFile(f bep.FileInfo, v vector.Vector) bep.FileInfo {
	return bep.FileInfo{Name: f.Name, Type: f.Type, Deleted: true, ModifiedS: later, Version: v, ModifiedBy: 9}
}

// wantTree checks that the tree stands under a directory, and counts files
// anywhere else.
func (r *rig) wantTree(top string) {
	r.t.Helper()
	for _, name := range tree[1:] {
		if strings.HasSuffix(name, "/") || strings.Contains(name, "->") {
			name, _, _ = strings.Cut(strings.TrimSuffix(name, "/"), "->")
			if _, err := r.user.Lstat(top + "/" + name); err != nil {
				r.t.Errorf("%s/%s: %v", top, name, err)
			}
			continue
		}
		r.wantFile(top+"/"+name, contentOf(name))
	}
}

// counted counts calls of the disk by name.
func (r *rig) counted() map[fsys.OpName]*atomic.Int64 {
	calls := map[fsys.OpName]*atomic.Int64{}
	for _, op := range []fsys.OpName{fsys.OpRenameNoReplace, fsys.OpRename, fsys.OpCreate, fsys.OpMkdir, fsys.OpWrite, fsys.OpRemove} {
		calls[op] = &atomic.Int64{}
	}
	r.disk.SetHook(func(op fsys.Op) error {
		if n := calls[op.Name]; n != nil {
			n.Add(1)
		}
		return nil
	})
	return calls
}

func (r *rig) wantOneRename(calls map[fsys.OpName]*atomic.Int64) {
	r.t.Helper()
	for op, n := range calls {
		want := int64(0)
		if op == fsys.OpRenameNoReplace {
			want = 1
		}
		if got := n.Load(); got != want {
			r.t.Errorf("%d calls of %q, want %d", got, op, want)
		}
	}
}

func (r *rig) wantNoRequests() {
	r.t.Helper()
	if asked := r.source.asked(); len(asked) > 0 {
		r.t.Errorf("requests %q, want none", asked)
	}
}

func TestARenamedDirectoryIsRenamedInOneStep(t *testing.T) {
	for _, names := range [][2]string{{"old", "new"}, {"new", "old"}, {"a/b", "a/c"}, {"a", "a-2"}} {
		testRenamed(t, names, fsys.MemOptions{})
	}
	for _, disk := range []fsys.MemOptions{
		{CaseInsensitive: true}, {Decompose: true}, {NoInodes: true, NoCtime: true}, {Granularity: 2 * time.Second}, {NoExchange: true},
	} {
		testRenamed(t, [2]string{"old", "new"}, disk)
	}
}

func testRenamed(t *testing.T, names [2]string, disk fsys.MemOptions) {
	t.Helper()
	inRig(t, disk, func(r *rig) {
		r.haveTree(names[0])
		made, gone := r.renames(names[0], names[1])
		r.announce(first, nil, append(made, gone...)...)
		calls := r.counted()
		r.pulled()
		r.wantOneRename(calls)
		r.wantTree(names[1])
		r.wantGone(names[0])
		r.wantNoRequests()
		for _, f := range made {
			if got := r.local(f.Name.String()); !slices.Equal(got.Version, f.Version) || got.Flags != 0 {
				t.Errorf("%s is recorded with version %v and flags %v, want %v and none", f.Name, got.Version, got.Flags, f.Version)
			}
		}
		r.wantNothingToScan()
		if r.stored == 0 {
			t.Error("nobody is told that there is something to announce")
		}
	})
}

// wantNothingToScan checks that disk and index agree.
func (r *rig) wantNothingToScan() {
	r.t.Helper()
	before := r.index.Sequence()
	r.scan()
	if n := r.index.Sequence() - before; n != 0 {
		recs, err := r.index.LocalSince(before, 5)
		r.must(err)
		r.t.Errorf("a scan finds %d changes, the first is of %s", n, recs[0].Name)
	}
}

// The new names of a rename wait for the deletions, in whichever order they
// come.
func TestNewNamesWaitForTheDeletions(t *testing.T) {
	for _, reverse := range []bool{false, true} {
		inRig(t, fsys.MemOptions{}, func(r *rig) {
			r.haveTree("old")
			made, gone := r.renames("old", "new")
			if reverse {
				slices.Reverse(gone)
			}
			r.announce(first, nil, made...)
			calls := r.counted()
			r.start()
			done := make(chan pull.Result, 1)
			r.worker.Start(func(res pull.Result) { done <- res })
			for i := range gone {
				<-time.After(500 * time.Millisecond)
				r.announce(first, nil, gone[i])
				r.worker.Refresh()
			}
			if res := <-done; res.Err != nil || len(res.Failed) > 0 {
				t.Errorf("the round ended with %v, failed %v", res.Err, res.Failed)
			}
			r.wantNoNeed()
			r.wantOneRename(calls)
			r.wantTree("new")
			r.wantNoRequests()
		})
	}
}

// A new directory may begin anywhere on a page of needed names.
func TestARenamedDirectoryAtTheEndOfAPage(t *testing.T) {
	for before := 494; before <= 500; before++ {
		inRig(t, fsys.MemOptions{}, func(r *rig) {
			r.haveTree("old")
			made, gone := r.renames("old", "new")
			for i := range before {
				made = append(made, dir(fmt.Sprintf("a%d", i), remote))
			}
			r.announce(first, nil, append(made, gone...)...)
			calls := r.counted()
			r.pulled()
			if n := calls[fsys.OpRenameNoReplace].Load(); n != 1 {
				t.Errorf("with %d names before it: %d renames, want 1", before, n)
			}
		})
	}
}

func TestNothingIsRenamedWithoutProofOfTheRoot(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		r.haveTree("old")
		made, gone := r.renames("old", "new")
		r.announce(first, nil, append(made, gone...)...)
		r.proof = errors.New("another disk")
		calls := r.counted()
		if res := r.pull(); !errors.Is(res.Err, r.proof) {
			t.Errorf("the round ended with %v", res.Err)
		}
		if n := calls[fsys.OpRenameNoReplace].Load(); n != 0 {
			t.Errorf("%d renames", n)
		}
	})
}

// A copy looks like the first half of a rename, and is made after a while.
func TestACopiedDirectoryIsMadeAfterAWait(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		r.haveTree("old")
		made, _ := r.renames("old", "new")
		r.announce(first, nil, made...)
		start := time.Now()
		r.pulled()
		r.wantTree("old")
		r.wantTree("new")
		r.wantNoRequests()
		if waited := time.Since(start); waited > 2*time.Second {
			t.Errorf("it took %v", waited)
		}
	})
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		r.haveTree("old")
		r.role = bep.SendOnly
		made, _ := r.renames("old", "new")
		r.announce(first, nil, made...)
		start := time.Now()
		r.pull()
		if waited := time.Since(start); waited > 0 {
			t.Errorf("what is not made anyway took %v", waited)
		}
	})
}

// What is not an exact rename goes one name at a time, and loses nothing.
func TestADirectoryThatIsNotMovedWhole(t *testing.T) {
	tests := []struct {
		name string
		// do changes what is announced, or the disk.
		do     func(r *rig, made, gone *[]bep.FileInfo)
		stays  []string // names that are there afterwards, besides the new tree
		rescan bool     // it cannot be done before a scan
		whole  bool     // one rename all the same
	}{
		{name: "a file more under the new name", whole: true, do: func(r *rig, made, _ *[]bep.FileInfo) {
			*made = append(*made, file("new/more", "", remote))
		}, stays: []string{"new/more"}},
		{name: "a file stays under the old name", do: func(r *rig, made, gone *[]bep.FileInfo) {
			keep := func(f bep.FileInfo) bool {
				return f.Name.String() == "old" || f.Name.String() == "old/a.txt"
			}
			*gone = slices.DeleteFunc(*gone, keep)
		}, stays: []string{"old/a.txt"}},
		{name: "an ignored file in the old directory", do: func(r *rig, _, _ *[]bep.FileInfo) {
			r.ignored["old/sub/private"] = true
			r.must(r.user.WriteFile("old/sub/private", []byte("mine")))
		}, stays: []string{"old/sub/private"}, rescan: true},
		{name: "a new name that our rules ignore", do: func(r *rig, _, _ *[]bep.FileInfo) {
			r.ignored["new/empty"] = true
			r.must(r.user.MkdirAll("other")) // something else changes too
		}},
		{name: "a file that nobody has scanned", do: func(r *rig, _, _ *[]bep.FileInfo) {
			r.must(r.user.WriteFile("old/sub/fresh", []byte("mine")))
		}, stays: []string{"old/sub/fresh"}, rescan: true},
		{name: "an edit that nobody has scanned", do: func(r *rig, _, _ *[]bep.FileInfo) {
			r.must(r.user.WriteFile("old/sub/b.txt", []byte("mine, longer than before")))
		}, stays: []string{"old/sub/b.txt"}, rescan: true},
		{name: "a file that was deleted here, which nobody has scanned", do: func(r *rig, _, _ *[]bep.FileInfo) {
			r.must(r.user.Remove("old/sub/b.txt"))
		}, rescan: true},
		{name: "a file that is to be read again", do: func(r *rig, _, _ *[]bep.FileInfo) {
			rec := r.local("old/sub/b.txt")
			rec.Flags |= index.MustRescan
			r.must(r.index.Restamp([]index.Record{rec}))
		}, stays: []string{"old/sub/b.txt"}, rescan: true},
		{name: "a deletion that did not know of our version", do: func(_ *rig, _, gone *[]bep.FileInfo) {
			for i := range *gone {
				if f := &(*gone)[i]; f.Name.String() == "old/a.txt" {
					f.Version = concurrent
				}
			}
		}},
		{name: "something stands at the new name", do: func(r *rig, _, _ *[]bep.FileInfo) {
			r.must(r.user.MkdirAll("new"))
		}, rescan: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inRig(t, fsys.MemOptions{}, func(r *rig) {
				r.haveTree("old")
				made, gone := r.renames("old", "new")
				tt.do(r, &made, &gone)
				before := r.user.Tree()
				r.announce(first, nil, append(made, gone...)...)
				calls := r.counted()
				res := r.pull()
				if got := calls[fsys.OpRenameNoReplace].Load(); (got <= 2) != tt.whole { // 2: the file more
					t.Errorf("%d renames; want one of the whole directory: %v", got, tt.whole)
				}
				if tt.rescan && len(res.Rescan)+len(res.Failed) == 0 {
					t.Error("nothing is to be scanned, and nothing failed")
				}
				for _, p := range tt.stays {
					if _, err := r.user.Lstat(p); err != nil {
						t.Errorf("%s: %v", p, err)
					}
				}
				for p, n := range before {
					if n.Kind == fsys.Regular && len(r.places(string(n.Content))) == 0 {
						t.Errorf("the content of %s stands nowhere any more", p)
					}
				}
			})
		})
	}
}

// A change of permissions or time comes with the rename.
func TestARenamedDirectoryGetsItsNewMetadata(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		r.haveTree("old")
		made, gone := r.renames("old", "new")
		for i := range made {
			switch made[i].Name.String() {
			case "new/a.txt":
				made[i].Permissions = 0o600
			case "new/sub/b.txt":
				made[i].ModifiedS, made[i].ModifiedNs = later, 0
			case "new/sub":
				made[i].Permissions = 0o700
			}
		}
		r.announce(first, nil, append(made, gone...)...)
		r.pulled()
		r.wantTree("new")
		r.wantNoRequests()
		for name, mode := range map[string]uint32{"new/a.txt": 0o600, "new/sub": 0o700} {
			if look, err := r.user.Lstat(name); err != nil || look.Mode != mode {
				t.Errorf("%s has mode %o (error %v), want %o", name, look.Mode, err, mode)
			}
		}
		if look, err := r.user.Lstat("new/sub/b.txt"); err != nil || look.Mtime != later*1e9 {
			t.Errorf("new/sub/b.txt has time %d (error %v)", look.Mtime, err)
		}
	})
}

// doings are what a person does amid the rename of "old" to "new"; at is where
// the tree stands just then. keeps lists contents that have to be somewhere
// afterwards.
var doings = []struct {
	name  string
	do    func(r *rig, at string)
	keeps []string
}{
	{"saves files", func(r *rig, at string) {
		r.must(r.user.WriteFile(at+"/sub/b.txt", []byte("mine, and longer")))
		r.must(r.user.WriteFile(at+"/fresh", []byte("fresh")))
	}, []string{"mine, and longer", "fresh", contentOf("a.txt"), big}},
	{"renames the directory", func(r *rig, at string) {
		r.must(r.user.Rename(at, "mine"))
	}, []string{contentOf("a.txt"), contentOf("sub/b.txt"), big}},
	{"puts another one in its place", func(r *rig, at string) {
		r.must(r.user.Rename(at, "mine"))
		r.must(r.user.MkdirAll(at))
		r.must(r.user.WriteFile(at+"/other", []byte("other")))
	}, []string{"other", contentOf("a.txt"), contentOf("sub/b.txt"), big}},
	{"takes the new name", func(r *rig, at string) {
		if at == "old" {
			r.must(r.user.MkdirAll("new"))
			r.must(r.user.WriteFile("new/other", []byte("other")))
		}
	}, []string{contentOf("a.txt"), contentOf("sub/b.txt"), big}},
	{"makes the old name anew", func(r *rig, at string) {
		if at == "new" {
			r.must(r.user.MkdirAll("old"))
			r.must(r.user.WriteFile("old/a.txt", []byte("anew")))
		}
	}, []string{contentOf("a.txt"), contentOf("sub/b.txt"), big}},
}

// What a person does between any two calls is not undone, and nothing is lost.
func TestAPersonActsAmidTheRenameOfADirectory(t *testing.T) {
	for _, tt := range doings {
		t.Run(tt.name, func(t *testing.T) {
			for n, acted := 1, true; acted; n++ {
				inRig(t, fsys.MemOptions{}, func(r *rig) {
					before := ""
					if acted, before = r.actAtCall(n, tt.do); !acted {
						return
					}
					r.settle()
					keeps := tt.keeps
					if _, err := r.user.Lstat("new/other"); err == nil {
						keeps = append(slices.Clone(keeps), "other")
					}
					for _, content := range keeps {
						if len(r.places(content)) == 0 {
							t.Errorf("before call %d, %s: %.20q stands nowhere", n, before, content)
						}
					}
				})
			}
		})
	}
}

// actAtCall pulls a rename of a directory during which a person does something
// before the n-th call, and gives what that call was; false where there were
// not as many.
func (r *rig) actAtCall(n int, do func(r *rig, at string)) (acted bool, before string) {
	r.haveTree("old")
	made, gone := r.renames("old", "new")
	r.announce(first, nil, append(made, gone...)...)
	var calls atomic.Int64
	r.disk.SetHook(func(op fsys.Op) error {
		if calls.Add(1) != int64(n) {
			return nil
		}
		acted, before = true, fmt.Sprint(op)
		for _, at := range []string{"old", "new"} {
			if _, err := r.user.Lstat(at + "/sub/b.txt"); err == nil {
				do(r, at)
				return nil
			}
		}
		r.t.Errorf("before call %d, %s: the tree stands nowhere", n, before)
		return nil
	})
	r.pull()
	r.disk.SetHook(nil)
	return acted, before
}

// A file that our rules keep from others must not come to a name under which
// they do not.
func TestAnIgnoredFileDoesNotGoAlong(t *testing.T) {
	for n, acted := 1, true; acted; n++ {
		inRig(t, fsys.MemOptions{}, func(r *rig) {
			r.ignored["old/private"] = true
			put := false
			acted, _ = r.actAtCall(n, func(r *rig, at string) {
				if at == "old" {
					put = true
					r.must(r.user.WriteFile("old/private", []byte("private")))
				}
			})
			if !put {
				return
			}
			r.settle()
			r.wantFile("old/private", "private")
			if _, known, err := r.index.Local(relpath.MustParse("new/private")); err != nil || known {
				t.Errorf("before call %d: new/private is recorded (%v)", n, err)
			}
		})
	}
}

// settle scans and pulls until nothing changes.
func (r *rig) settle() {
	r.t.Helper()
	for range 6 {
		r.scan()
		if res := r.pull(); res.Changed == 0 && len(res.Rescan) == 0 {
			return
		}
	}
}

// A process that ends at any call, with or without the power, leaves a state
// from which the rename is completed without a request and without a copy.
func TestARenameOfADirectoryThatIsCutShort(t *testing.T) {
	t.Run("the process ends", func(t *testing.T) { cutShort(t, false) })
	t.Run("the power goes", func(t *testing.T) { cutShort(t, true) })
}

func cutShort(t *testing.T, power bool) {
	for n := 1; ; n++ {
		ended := false
		inRig(t, fsys.MemOptions{}, func(r *rig) {
			r.haveTree("old")
			r.user.Sync()
			made, gone := r.renames("old", "new")
			r.announce(first, nil, append(made, gone...)...)
			var calls atomic.Int64
			dead := errors.New("the process has ended")
			r.disk.SetHook(func(fsys.Op) error {
				if calls.Add(1) >= int64(n) {
					return dead
				}
				return nil
			})
			r.pull()
			ended = calls.Load() < int64(n)
			r.disk.SetHook(nil)
			if power {
				r.disk = r.disk.Crash(rand.New(rand.NewPCG(uint64(n), 0)))
				r.user = r.disk.User()
			}
			r.worker = nil // another process
			r.settle()
			r.wantNoNeed()
			r.wantTree("new")
			r.wantGone("old")
			r.wantNoRequests()
			for name := range r.user.Tree() {
				if strings.Contains(name, "conflict") {
					t.Errorf("cut short at call %d: there is a conflict copy %s", n, name)
				}
			}
		})
		if ended {
			return
		}
	}
}

// Two directories may change places, or be renamed side by side.
func TestManyDirectoriesAreRenamedAtOnce(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		var all []bep.FileInfo
		for i := range 5 {
			r.must(r.user.MkdirAll(fmt.Sprintf("old%d", i)))
			for k := range 3 {
				r.write(fmt.Sprintf("old%d/%d", i, k), fmt.Sprintf("content %d of %d", k, i))
			}
		}
		r.scan()
		for i := range 5 {
			for _, name := range []string{"", "/0", "/1", "/2"} {
				rec := r.local(fmt.Sprintf("old%d%s", i, name))
				f := rec.FileInfo
				f.Name, f.Version, f.ModifiedBy = relpath.MustParse(fmt.Sprintf("new%d%s", i, name)), remote, 9
				all = append(all, f, goneFile(rec.FileInfo, rec.Version.Bump(9, 0)))
			}
		}
		r.announce(first, nil, all...)
		calls := r.counted()
		r.pulled()
		if got := calls[fsys.OpRenameNoReplace].Load(); got != 5 {
			t.Errorf("%d renames, want 5", got)
		}
		r.wantNoRequests()
	})
}

// A larger tree than is renamed whole: the directories in it are.
func TestThePartsOfATreeThatIsTooLargeAreRenamed(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		const parts, files = 3, 5
		r.maxMoved = 2 * files
		var all []bep.FileInfo
		for i := range parts {
			top := fmt.Sprintf("old/%d", i)
			r.must(r.user.MkdirAll(top))
			r.write(top+"/-", fmt.Sprintf("content of %d", i))
			for k := range files {
				r.must(r.user.WriteFile(fmt.Sprintf("%s/%d", top, k), nil))
			}
		}
		r.scan()
		recs, err := r.index.LocalRange(relpath.Root, relpath.Root, 2*parts*files)
		r.must(err)
		for i := range recs {
			f := recs[i].FileInfo
			f.Name, f.Version, f.ModifiedBy = relpath.MustParse("new"+strings.TrimPrefix(f.Name.String(), "old")), remote, 9
			all = append(all, f, goneFile(recs[i].FileInfo, recs[i].Version.Bump(9, 0)))
		}
		r.announce(first, nil, all...)
		calls := r.counted()
		r.pulled()
		if got := calls[fsys.OpRenameNoReplace].Load(); got != parts {
			t.Errorf("%d renames, want %d", got, parts)
		}
		r.wantGone("old")
		r.wantNoRequests()
	})
}

// News that never end make a copy wait no longer than so long; to stop ends
// the wait.
func TestACopyWaitsForAWhileAtMost(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		r.haveTree("old")
		made, _ := r.renames("old", "new")
		r.announce(first, nil, made...)
		r.start()
		done := make(chan pull.Result, 1)
		r.worker.Start(func(res pull.Result) { done <- res })
		for start := time.Now(); ; r.worker.Refresh() {
			<-time.After(500 * time.Millisecond)
			if _, err := r.user.Lstat("new/a.txt"); err == nil {
				break
			}
			if time.Since(start) > time.Minute {
				t.Fatal("the copy still waits")
			}
		}
		<-done
		r.wantTree("new")

		made, _ = r.renames("old", "newer")
		r.announce(first, nil, made...)
		start := time.Now()
		r.worker.Start(func(res pull.Result) { done <- res })
		r.worker.Stop()
		if res := <-done; res.Err != nil || time.Since(start) > 0 {
			t.Errorf("the round ended after %v, with %v", time.Since(start), res.Err)
		}
		r.pulled()
		r.wantTree("newer")
	})
}

// Where one directory becomes two, one of them gets its files anew.
func TestADirectoryBecomesTwo(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		r.haveTree("old")
		one, gone := r.renames("old", "one")
		two, _ := r.renames("old", "two")
		r.announce(first, nil, slices.Concat(one, two, gone)...)
		r.pulled()
		r.wantTree("one")
		r.wantTree("two")
		r.wantGone("old")
		r.wantNoRequests()
	})
}

// Only the spelling of a directory's name changes.
func TestADirectoryIsRespelled(t *testing.T) {
	for _, insensitive := range []bool{false, true} {
		inRig(t, fsys.MemOptions{CaseInsensitive: insensitive}, func(r *rig) {
			r.haveTree("tree")
			made, gone := r.renames("tree", "Tree")
			r.announce(first, nil, append(made, gone...)...)
			r.pull()
			for _, name := range []string{"a.txt", "big", "sub/b.txt", "sub/deep/c.txt"} {
				if len(r.places(contentOf(name))) == 0 {
					t.Errorf("case matters %v: the content of %s stands nowhere", !insensitive, name)
				}
			}
			if !insensitive {
				r.wantNoNeed()
				r.wantTree("Tree")
			}
		})
	}
}

// Names that moved are no deletions, whatever the brake holds.
func TestTheBrakeDoesNotCountWhatWasRenamedWhole(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		b := &brake{held: map[string]bool{}}
		r.brake = b
		r.haveTree("old")
		made, gone := r.renames("old", "new")
		for i := range gone {
			b.held[gone[i].Name.String()] = true
		}
		r.announce(first, nil, append(made, gone...)...)
		calls := r.counted()
		r.pulled()
		r.wantOneRename(calls)
		r.wantTree("new")
		if len(b.gone) > 0 {
			t.Errorf("the brake was told that %q were deleted", b.gone)
		}
		for _, known := range b.weighed {
			if known > 0 {
				t.Errorf("%d deletions were weighed", known)
			}
		}
	})
}

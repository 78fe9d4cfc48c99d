package scan_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/device"
	"lanyard/sync/fsys"
	"lanyard/sync/relpath"
	"lanyard/sync/vector"
)

func TestIgnoringANameAnnouncesNoDeletion(t *testing.T) {
	r := newRig(t, fsys.MemOptions{})
	for _, name := range []string{"keep", "secret/a", "secret/b/c", "was"} {
		r.write(name, name)
	}
	r.scan()
	before := r.record("secret/a")
	r.must(r.user.Remove("was"))
	r.opts.Ignore = rules{"secret", "was"}
	r.disk.SetHook(func(op fsys.Op) error {
		if len(op.Paths) > 0 && strings.HasPrefix(op.Paths[0], "secret") {
			t.Errorf("%s of %s, which is ignored", op.Name, op.Paths[0])
		}
		return nil
	})
	r.expect("present and absent names are marked alike",
		"secret ignored, secret/a ignored, secret/b ignored, secret/b/c ignored, was ignored")
	after := r.record("secret/a")
	if !cmp.Equal(before.Version, after.Version) || after.Blocks != nil || after.Deleted {
		t.Errorf("record %+v, want the version kept and the content cleared", after)
	}
	r.must(r.user.WriteFile("secret/new", nil))
	r.must(r.user.Remove("secret/a"))
	r.expect("what happens to ignored names is not seen", "")

	r.disk.SetHook(nil)
	r.opts.Ignore = nil
	r.expect("they count again; what is not there waits for the pull",
		"secret, secret/b, secret/b/c, secret/new, was gone, secret/a gone")
	if v := r.record("was").Version; len(v) != 0 {
		t.Errorf("version %v, want none: nobody said that it should go", v)
	}
}

func TestAnIgnoredDirectoryTakesPartIfItHoldsSomethingWanted(t *testing.T) {
	r := newRig(t, fsys.MemOptions{})
	for _, name := range []string{"a/drop", "a/sub/keep", "b/drop"} {
		r.write(name, name)
	}
	r.opts.Ignore = rules{"!a/sub/keep", "a+", "b+"}
	r.expect("parents come before what they hold", "a, a/sub, a/sub/keep")
	r.expect("the same in a scan of the name", "", "a/sub/keep")
	r.opts.Ignore = rules{"a+", "b+"}
	r.expect("and leave with it", "a/sub/keep ignored, a/sub ignored, a ignored")
}

func TestUnchangedContentUnderRulesThatWentAwayIsNoConflict(t *testing.T) {
	r := newRig(t, fsys.MemOptions{})
	r.write("f", "one")
	theirs := fileInfo("f", "one", r.mtime("f"), vector.Vector{{ID: 9, Value: 5}})
	r.offer(theirs)
	r.expect("equal content is adopted", "f")
	if got := r.record("f").Version; !cmp.Equal(got, theirs.Version) {
		t.Fatalf("version %v, want %v", got, theirs.Version)
	}
	r.opts.Ignore = rules{"f"}
	r.expect("ignored", "f ignored")
	r.opts.Ignore = nil
	r.expect("and back", "f")
	if got := r.record("f"); !cmp.Equal(got.Version, theirs.Version) || got.Flags != 0 {
		t.Errorf("record %+v, want version %v", got, theirs.Version)
	}
	r.opts.Ignore = rules{"f"}
	r.scan()
	r.opts.Ignore = nil
	r.write("f", "changed while nobody looked")
	r.scan()
	if got := r.record("f").Version; len(got) != 1 || got.Get(uint64(us)) == 0 {
		t.Errorf("version %v, want our counter alone: a conflict with %v", got, theirs.Version)
	}
}

func (r *rig) mtime(name string) time.Time {
	r.t.Helper()
	i, err := r.user.Lstat(name)
	r.must(err)
	return time.Unix(0, i.Mtime)
}

func TestAdoptionTakesTheVersionOfEqualContent(t *testing.T) {
	v := vector.Vector{{ID: 3, Value: 4}, {ID: 9, Value: 5}}
	tests := []struct {
		name   string
		change func(f *bep.FileInfo)
		want   vector.Order // of ours to theirs
	}{
		{"all equal", func(*bep.FileInfo) {}, vector.Equal},
		{"another time: the next version after it", func(f *bep.FileInfo) { f.ModifiedS++ }, vector.Greater},
		{"other permissions: the next version after it", func(f *bep.FileInfo) { f.Permissions = 0o755 }, vector.Greater},
		{"permissions that do not count", func(f *bep.FileInfo) { f.Permissions, f.NoPermissions = 0, true }, vector.Equal},
		{"other blocks: a conflict", func(f *bep.FileInfo) { f.Blocks = []block.Info{{Size: 3}} }, vector.ConcurrentLesser},
		{"a deletion: made anew after it", func(f *bep.FileInfo) { *f = bep.FileInfo{Name: f.Name, Deleted: true, Version: v} }, vector.Greater},
		{"an invalid one: a conflict", func(f *bep.FileInfo) { f.Invalid = true }, vector.ConcurrentLesser},
	}
	for _, tt := range tests {
		r := newRig(t, fsys.MemOptions{})
		r.write("f", "one")
		theirs := fileInfo("f", "one", r.mtime("f"), v)
		tt.change(&theirs)
		r.offer(theirs)
		r.scan()
		ours := r.record("f")
		if got := vector.Compare(ours.Version, v); got != tt.want {
			t.Errorf("%s: ours is %v, which is %v to theirs, want %v", tt.name, ours.Version, got, tt.want)
		}
		if ours.ModUnixNano() != r.mtime("f").UnixNano() {
			t.Errorf("%s: announced time %v, not the disk's", tt.name, ours.ModTime())
		}
		r.expect(tt.name+", and then rest", "")
	}
}

func TestANameIsMadeAnewAfterEveryDeletionThatIsKnown(t *testing.T) {
	r := newRig(t, fsys.MemOptions{})
	deletions := []vector.Vector{{{ID: 3, Value: 4}}, {{ID: 9, Value: 5}}}
	for i, v := range deletions {
		dev := device.ID{byte(50 + i)}
		r.must(r.index.ResetRemote(dev, 1))
		r.must(r.index.UpdateRemote(dev, []bep.FileInfo{{Name: relpath.MustParse("f"), Deleted: true, ModifiedS: 1, Version: v, Sequence: 1}}))
	}
	r.write("f", "one")
	r.scan()
	for _, v := range deletions {
		if got := r.record("f").Version; !got.Covers(v) {
			t.Errorf("version %v, want one after the deletion %v", got, v)
		}
	}
}

func TestAFolderThatOnlyReceivesKeepsItsChangesToItself(t *testing.T) {
	r := newRig(t, fsys.MemOptions{})
	r.opts.Type = bep.ReceiveOnly
	r.write("f", "one")
	mtime := r.mtime("f")
	theirs := fileInfo("f", "one", mtime, vector.Vector{{ID: 9, Value: 5}})
	r.offer(theirs)
	r.expect("what equals theirs is no change", "f")
	r.write("f", "two")
	r.write("mine", "x")
	r.expect("changes are local", "f local, mine local")
	for _, name := range []string{"f", "mine"} {
		if v := r.record(name).Version; len(v) != 0 {
			t.Errorf("%s has version %v, want none", name, v)
		}
	}
	r.expect("and stay so", "")
	r.write("f", "one")
	r.must(r.user.Chtimes("f", mtime.UnixNano()))
	r.expect("put back by hand, it is theirs again", "f")
	r.must(r.user.Remove("mine"))
	r.expect("a local file that goes", "mine gone local")
	r.write("f", "three")
	r.expect("a change once more", "f local")
	r.opts.Type = bep.SendReceive
	r.expect("in a folder that sends, local changes are announced", "f, mine gone")
	if v := r.record("f").Version; len(v) != 1 {
		t.Errorf("version %v, want our counter alone", v)
	}
}

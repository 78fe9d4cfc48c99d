package pull_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/fsys"
	"lanyard/sync/relpath"
	"lanyard/sync/vector"
)

var remote = vector.Vector{{ID: 9, Value: 9}}

var big = random(2*block.MinSize + 17)

// action is one thing that a pull may have to do about one name.
type action struct {
	name  string
	setUp func(*rig) // the disk and both indexes before
	check func(*rig) // the disk after
	edit  string     // the name at which a person may interfere
}

// actions are all that a pull does.
var actions = []action{
	{
		"a small file is fetched",
		func(r *rig) { r.announce(first, []string{"new"}, file("a", "new", remote)) },
		func(r *rig) { r.wantFile("a", "new") },
		"a",
	},
	{
		"a large file is fetched",
		func(r *rig) { r.announce(first, []string{big}, file("a", big, remote)) },
		func(r *rig) { r.wantFile("a", big) },
		"a",
	},
	{
		"an empty file is made",
		func(r *rig) { r.announce(first, nil, file("a", "", remote)) },
		func(r *rig) { r.wantFile("a", "") },
		"a",
	},
	{
		"a file is fetched into a directory that nobody announced yet",
		func(r *rig) { r.announce(first, []string{"new"}, file("dir/sub/a", "new", remote)) },
		func(r *rig) { r.wantFile("dir/sub/a", "new") },
		"dir/sub/a",
	},
	{
		"a newer small version replaces ours, which is kept",
		func(r *rig) {
			r.have("a", "old")
			r.announce(first, []string{"new"}, file("a", "new", r.newer("a")))
		},
		func(r *rig) { r.wantFile("a", "new"); r.wantVersion("old") },
		"a",
	},
	{
		"a newer large version replaces ours, which is kept",
		func(r *rig) {
			r.have("a", big[1:])
			r.announce(first, []string{big}, file("a", big, r.newer("a")))
		},
		func(r *rig) { r.wantFile("a", big); r.wantVersion(big[1:]) },
		"a",
	},
	{
		"a deleted file goes and is kept",
		func(r *rig) {
			r.have("a", "old")
			r.announce(first, nil, gone("a", r.newer("a")))
		},
		func(r *rig) { r.wantGone("a"); r.wantVersion("old") },
		"a",
	},
	{
		"permissions and time are set where the content is the same",
		func(r *rig) {
			r.have("a", "same")
			f := file("a", "same", r.newer("a"))
			f.Permissions = 0o600
			r.announce(first, nil, f)
		},
		func(r *rig) {
			r.wantFile("a", "same")
			if i, err := r.user.Lstat("a"); err != nil || i.Mode != 0o600 || i.Mtime != later*1e9 {
				r.t.Errorf("mode %o, mtime %d, error %v", i.Mode, i.Mtime, err)
			}
		},
		"a",
	},
	{
		"an equal version is adopted",
		func(r *rig) {
			r.have("a", "same")
			f := r.local("a").FileInfo
			f.Version = r.newer("a")
			r.announce(first, nil, f)
		},
		func(r *rig) { r.wantFile("a", "same") },
		"a",
	},
	{
		"a file that was renamed elsewhere is renamed here",
		func(r *rig) {
			r.have("from", big)
			f := r.local("from").FileInfo
			f.Name, f.Version = relpath.MustParse("to"), remote
			r.announce(first, []string{big}, f, gone("from", r.newer("from")))
		},
		func(r *rig) { r.wantFile("to", big); r.wantGone("from") },
		"from",
	},
	{
		"the name that a renamed file goes to is taken meanwhile",
		func(r *rig) {
			r.have("from", big)
			r.announce(first, []string{big}, file("to", big, remote), gone("from", r.newer("from")))
		},
		func(r *rig) { r.wantFile("to", big); r.wantGone("from") },
		"to",
	},
	{
		"a concurrent edit that wins leaves ours as a conflict copy",
		func(r *rig) {
			r.have("a.txt", "ours")
			r.announce(first, []string{"theirs"}, file("a.txt", "theirs", concurrent))
		},
		func(r *rig) {
			r.wantFile("a.txt", "theirs")
			if at := r.places("ours"); len(at) != 1 || !strings.Contains(at[0], "sync-conflict") {
				r.t.Errorf("our content stands at %q, want one conflict copy", at)
			}
		},
		"a.txt",
	},
	{
		"a concurrent delete that wins leaves ours as a conflict copy",
		func(r *rig) {
			r.have("a.txt", "ours")
			r.announce(first, nil, gone("a.txt", concurrent))
		},
		func(r *rig) {
			r.wantGone("a.txt")
			if at := r.places("ours"); len(at) != 1 {
				r.t.Errorf("our content stands at %q, want one conflict copy", at)
			}
		},
		"a.txt",
	},
	{
		"a directory is made",
		func(r *rig) { r.announce(first, nil, dir("d", remote)) },
		func(r *rig) { r.wantKind("d", fsys.Directory) },
		"d",
	},
	{
		"a directory that nobody may write to is filled first",
		func(r *rig) {
			d := dir("d", remote)
			d.Permissions = 0o500
			r.announce(first, []string{"new"}, d, file("d/a", "new", remote))
		},
		func(r *rig) {
			r.wantFile("d/a", "new")
			if i, _ := r.user.Lstat("d"); i.Mode != 0o500 {
				r.t.Errorf("mode %o, want 500", i.Mode)
			}
		},
		"d/a",
	},
	{
		"a symlink is made",
		func(r *rig) { r.announce(first, nil, link("l", "target", remote)) },
		func(r *rig) { r.wantKind("l", fsys.Symlink) },
		"l",
	},
	{
		"a symlink takes the place of another",
		func(r *rig) {
			r.must(r.user.Symlink("old", "l"))
			r.scan()
			r.announce(first, nil, link("l", "new", r.newer("l")))
		},
		func(r *rig) {
			if got := r.user.Tree()["l"].Target; got != "new" {
				r.t.Errorf("target %q", got)
			}
		},
		"l",
	},
	{
		"a symlink goes",
		func(r *rig) {
			r.must(r.user.Symlink("old", "l"))
			r.scan()
			r.announce(first, nil, gone("l", r.newer("l")))
		},
		func(r *rig) { r.wantGone("l") },
		"l",
	},
	{
		"a file takes the place of a symlink",
		func(r *rig) {
			r.must(r.user.Symlink("old", "a"))
			r.scan()
			r.announce(first, []string{"new"}, file("a", "new", r.newer("a")))
		},
		func(r *rig) { r.wantFile("a", "new") },
		"a",
	},
	{
		"a symlink takes the place of a file, which is kept",
		func(r *rig) {
			r.have("a", "old")
			r.announce(first, nil, link("a", "target", r.newer("a")))
		},
		func(r *rig) { r.wantKind("a", fsys.Symlink); r.wantVersion("old") },
		"a",
	},
	{
		"a directory takes the place of a file, which is kept, and is filled",
		func(r *rig) {
			r.have("a", "old")
			r.announce(first, []string{"new"}, dir("a", r.newer("a")), file("a/b", "new", remote))
		},
		func(r *rig) { r.wantFile("a/b", "new"); r.wantVersion("old") },
		"a",
	},
	{
		"a file takes the place of a directory whose files go",
		func(r *rig) {
			r.have("a/b", "old")
			r.announce(first, []string{"new"}, gone("a/b", r.newer("a/b")), file("a", "new", r.newer("a")))
		},
		func(r *rig) { r.wantFile("a", "new"); r.wantVersion("old") },
		"a/b",
	},
	{
		"a directory goes with all that it held",
		func(r *rig) {
			r.have("d/sub/a", "old")
			r.announce(first, nil, gone("d", r.newer("d")), gone("d/sub", r.newer("d/sub")), gone("d/sub/a", r.newer("d/sub/a")))
		},
		func(r *rig) { r.wantGone("d"); r.wantVersion("old") },
		"d/sub/b",
	},
}

// have puts a file on the disk and into our index.
func (r *rig) have(name, content string) {
	r.t.Helper()
	r.write(name, content)
	r.scan()
}

func (r *rig) wantKind(name string, k fsys.Kind) {
	r.t.Helper()
	if i, err := r.user.Lstat(name); err != nil || i.Kind != k {
		r.t.Errorf("%s is of kind %v, error %v; want %v", name, i.Kind, err, k)
	}
}

func (r *rig) wantVersion(content string) {
	r.t.Helper()
	if at := r.places(content); len(at) != 1 || !strings.HasPrefix(at[0], relpath.VersionsName+"/") {
		r.t.Errorf("the old content stands at %q, want once in the version store", at)
	}
}

// disks are the file systems that a pull must be right on.
var disks = []struct {
	name string
	o    fsys.MemOptions
}{
	{"", fsys.MemOptions{}},
	{"where names cannot be exchanged", fsys.MemOptions{NoExchange: true}},
	{"where names can be neither exchanged nor linked", fsys.MemOptions{NoExchange: true, NoLinks: true}},
}

func TestEveryAction(t *testing.T) {
	for _, d := range disks {
		for _, a := range actions {
			t.Run(strings.TrimSpace(a.name+" "+d.name), func(t *testing.T) {
				inRig(t, d.o, func(r *rig) {
					a.setUp(r)
					r.pulled()
					a.check(r)
					if temps := r.temps(); len(temps) > 0 {
						t.Errorf("temporary files are left: %q", temps)
					}
				})
			})
		}
	}
}

// theEdit is what a person writes in the middle of a pull.
const theEdit = "what a person wrote just now"

// edits are the ways in which a person, or their editor, changes a name.
var edits = []struct {
	name string
	do   func(u fsys.User, name string) error
}{
	{"written in place", func(u fsys.User, name string) error { return u.WriteFile(name, []byte(theEdit)) }},
	{"saved by a rename", func(u fsys.User, name string) error {
		if err := u.WriteFile("editor.tmp", []byte(theEdit)); err != nil {
			return err
		}
		return u.Rename("editor.tmp", name)
	}},
	{"removed and made anew", func(u fsys.User, name string) error {
		if err := u.Remove(name); err != nil {
			return err
		}
		return u.WriteFile(name, []byte(theEdit))
	}},
}

// TestNothingThatAPersonWritesIsLost has a person write at every single call
// that a pull makes to the disk. Whatever the moment, once scans and pulls have
// come to rest, what they wrote stands under its name, in a conflict copy or in
// the version store.
func TestNothingThatAPersonWritesIsLost(t *testing.T) {
	for _, a := range actions {
		for i, e := range edits {
			t.Run(a.name+", "+a.edit+" is "+e.name, func(t *testing.T) {
				for n := 1; interfere(t, fsys.MemOptions{}, a, e.do, n); n++ {
				}
			})
			if i > 0 {
				continue // nothing tells that another file was put in the place of the old one
			}
			t.Run(a.name+", "+a.edit+" is "+e.name+" where names cannot be exchanged", func(t *testing.T) {
				for n := 1; interfere(t, fsys.MemOptions{NoExchange: true}, a, e.do, n); n++ {
				}
			})
		}
	}
}

// interfere runs an action in which a person edits at the n-th call, and
// reports whether there was such a call.
func interfere(t *testing.T, o fsys.MemOptions, a action, edit func(fsys.User, string) error, n int) (happened bool) {
	inRig(t, o, func(r *rig) {
		a.setUp(r)
		edited, at := false, ""
		r.atCall(n, func(op fsys.Op) error {
			happened, at = true, fmt.Sprint(op.Name, " ", op.Paths)
			edited = edit(r.user, a.edit) == nil
			return nil
		})
		r.pull()
		r.disk.SetHook(nil)
		for range 3 {
			r.scan()
			r.pull()
		}
		if edited && len(r.places(theEdit)) == 0 {
			t.Errorf("an edit before call %d, %s, is lost", n, at)
		}
		need, err := r.index.Needed(relpath.Root, 1)
		r.must(err)
		if temps := r.temps(); len(temps) > 0 && len(need) == 0 {
			t.Errorf("an edit before call %d, %s: temporary files are left: %q", n, at, temps)
		}
	})
	return happened && !t.Failed()
}

// A person may put a directory of theirs in the place of one that was made just
// now. What is recorded is then not what theirs looks like, so that a scan finds
// the difference.
func TestADirectoryThatAPersonMakesMeanwhileIsNoticed(t *testing.T) {
	for _, before := range []struct {
		name  string
		setUp func(*rig)
	}{
		{"nothing", func(*rig) {}},
		{"a file", func(r *rig) { r.have("d", "old") }},
	} {
		t.Run("in the place of "+before.name, func(t *testing.T) {
			for n, happened := 1, true; happened && !t.Failed(); n++ {
				happened = replaceDirectory(t, before.setUp, n)
			}
		})
	}
}

// replaceDirectory has a directory pulled, and a person replace it at the n-th
// call. It reports whether there was such a call.
func replaceDirectory(t *testing.T, setUp func(*rig), n int) (happened bool) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		setUp(r)
		v := remote
		if rec, ok, err := r.index.Local(relpath.MustParse("d")); err == nil && ok {
			v = rec.Version.Bump(9, 0)
		}
		want := dir("d", v)
		want.Permissions = 0o777
		r.announce(first, nil, want)
		at := ""
		r.atCall(n, func(op fsys.Op) error {
			happened, at = true, fmt.Sprint(op.Name, " ", op.Paths)
			if info, err := r.user.Lstat("d"); err != nil || info.Kind != fsys.Directory {
				return nil
			}
			return errors.Join(r.user.Remove("d"), r.user.MkdirAll("d"), r.user.Chmod("d", 0o750))
		})
		r.pull()
		r.disk.SetHook(nil)
		for range 2 {
			r.scan()
			r.pull()
		}
		info, err := r.user.Lstat("d")
		r.must(err)
		if rec := r.local("d"); rec.Permissions != info.Mode {
			t.Errorf("after call %d, %s, the directory has mode %o and is recorded with %o", n, at, info.Mode, rec.Permissions)
		}
	})
	return happened
}

// atCall runs f before the n-th call to the disk from now on, whose result it
// decides.
func (r *rig) atCall(n int, f func(fsys.Op) error) {
	var calls atomic.Int64
	r.disk.SetHook(func(op fsys.Op) error {
		if calls.Add(1) == int64(n) {
			return f(op)
		}
		return nil
	})
}

// TestEveryCallMayFail lets every single call that a pull makes to the disk
// fail once. The round says so or does without; nothing is half done; the next
// rounds bring what the first could not.
func TestEveryCallMayFail(t *testing.T) {
	for _, d := range disks {
		for _, a := range actions {
			t.Run(strings.TrimSpace(a.name+" "+d.name), func(t *testing.T) {
				for n := 1; failCall(t, a, d.o, n); n++ {
				}
			})
		}
	}
}

func failCall(t *testing.T, a action, o fsys.MemOptions, n int) (happened bool) {
	inRig(t, o, func(r *rig) {
		a.setUp(r)
		at := ""
		r.atCall(n, func(op fsys.Op) error {
			happened, at = true, fmt.Sprint(op.Name, " ", op.Paths)
			return errRefused
		})
		r.pull()
		r.disk.SetHook(nil)
		r.scan()
		r.pull()
		r.scan()
		r.pulled()
		a.check(r)
		if t.Failed() {
			t.Errorf("after call %d, %s, failed", n, at)
		}
	})
	return happened && !t.Failed()
}

func TestARoundOfAFolderThatOnlySendsChangesNothing(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		r.role = bep.SendOnly
		r.have("a", "ours")
		r.announce(first, []string{"theirs"}, file("a", "theirs", r.newer("a")), file("b", "theirs", remote))
		r.pull()
		r.wantFile("a", "ours")
		r.wantGone("b")
	})
}

// Who holds the same content under two versions knows both of their histories:
// an older content that only one of them followed is older than both.
func TestTheSameContentUnderTwoVersionsGetsBothHistories(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		r.write("a", "same")
		r.scan()
		ours := r.local("a").Version
		r.announce(first, []string{"same"}, file("a", "same", remote))
		r.pulled()
		got := r.local("a").Version
		if !got.Covers(ours) || !got.Covers(remote) {
			t.Errorf("the version is %v, want one that covers %v and %v", got, ours, remote)
		}
		r.wantFile("a", "same")
	})
}

// Two devices hold the same content with other metadata, and a deletion takes one
// of the two versions out of the choice on the device that holds it, before the
// other one hears of that. Both make the same version of it, so it has to have the
// same metadata: those of the version that goes before the other.
func TestTheSameContentUnderTwoVersionsGetsOneMode(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		r.write("a", "same")
		r.scan()
		ours := r.local("a")
		deleted := gone("a", r.newer("a"))
		deleted.ModifiedS = 1
		other := vector.Vector{{ID: 8, Value: 1}}
		theirs := file("a", "same", other)
		theirs.ModifiedS, theirs.Permissions = 2, 0o600
		r.announce(second, nil, deleted)
		r.announce(first, []string{"same"}, theirs)
		r.pulled()
		got := r.local("a")
		if want := vector.Merge(ours.Version, other); vector.Compare(got.Version, want) != vector.Equal ||
			got.Permissions != ours.Permissions || got.ModifiedS != ours.ModifiedS {
			t.Errorf("a has the version %v, mode %o and time %d, want %v, %o and %d",
				got.Version, got.Permissions, got.ModifiedS, want, ours.Permissions, ours.ModifiedS)
		}
		if mode := r.user.Tree()["a"].Mode; mode != ours.Permissions {
			t.Errorf("the disk shows the mode %o, want %o", mode, ours.Permissions)
		}
	})
}

package pull_test

import (
	"testing"

	"lanyard/sync/fsys"
)

// A file that has a second name outside of what is synced keeps its bytes there:
// nothing is ever written into a file that stands under a real name.
func TestAnotherLinkOfAReplacedOrDeletedFileKeepsItsBytes(t *testing.T) {
	for _, d := range disks {
		inRig(t, d.o, func(r *rig) {
			for _, name := range []string{"replaced", "deleted", "grown"} {
				r.write(name, "bytes of "+name)
				r.ignored["link of "+name] = true
				r.must(r.user.Link(name, "link of "+name))
			}
			r.scan()
			r.announce(first, []string{"new", big},
				file("replaced", "new", r.newer("replaced")), file("grown", big, r.newer("grown")), gone("deleted", r.newer("deleted")))
			r.pulled()
			r.wantFile("replaced", "new")
			r.wantFile("grown", big)
			r.wantGone("deleted")
			for _, name := range []string{"replaced", "deleted", "grown"} {
				r.wantFile("link of "+name, "bytes of "+name)
			}
		})
	}
}

// What cannot be opened without harm is neither opened nor replaced nor removed,
// and keeps nothing else from being pulled.
func TestWhatIsNoFileStaysWhereAFileIsWanted(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		r.must(r.user.Special("pipe"))
		r.must(r.user.Special("mount"))
		r.announce(first, []string{"1", "2", "3"},
			file("pipe", "1", remote), file("mount/inside", "2", remote), file("plain", "3", remote), gone("mount/gone", remote))
		r.disk.SetHook(func(op fsys.Op) error {
			for _, p := range op.Paths {
				if op.Name == fsys.OpOpen && (p == "pipe" || p == "mount") {
					t.Errorf("%s was opened", p)
				}
			}
			return nil
		})
		r.pull()
		r.wantFile("plain", "3")
		for _, name := range []string{"pipe", "mount"} {
			if i, err := r.user.Lstat(name); err != nil || i.Kind != fsys.Other {
				t.Errorf("%s is %+v (error %v), want what it was", name, i, err)
			}
		}
	})
}

// Permissions of files that nobody changed stay, and what may not be written to
// is told by its name.
func TestADirectoryThatForbidsWritingHoldsUpNothingElse(t *testing.T) {
	inRig(t, fsys.MemOptions{EnforceModes: true}, func(r *rig) {
		r.write("locked/a", "old")
		r.write("locked/b", "stays")
		r.write("free/a", "old")
		r.must(r.user.Chmod("locked", 0o555))
		r.scan()
		r.announce(first, []string{"new"},
			file("locked/a", "new", r.newer("locked/a")), file("free/a", "new", r.newer("free/a")), gone("locked/b", r.newer("locked/b")))
		modes := func() map[string]uint32 {
			m := map[string]uint32{}
			for _, name := range []string{"locked", "locked/a", "locked/b", "free"} {
				i, err := r.user.Lstat(name)
				r.must(err)
				m[name] = i.Mode
			}
			return m
		}
		before := modes()
		res := r.pull()
		if res.Err != nil || len(res.Failed) != 2 {
			t.Errorf("the round ended with %v and failed %v, want the two names in the locked directory", res.Err, res.Failed)
		}
		r.wantFile("free/a", "new")
		r.wantFile("locked/a", "old")
		r.wantFile("locked/b", "stays")
		for name, mode := range modes() {
			if mode != before[name] {
				t.Errorf("%s has mode %o, had %o", name, mode, before[name])
			}
		}
		r.must(r.user.Chmod("locked", 0o755))
		r.scan()
		r.pulled()
		r.wantFile("locked/a", "new")
		r.wantGone("locked/b")
	})
}

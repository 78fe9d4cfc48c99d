package pull_test

import (
	"strings"
	"testing"

	"lanyard/sync/conflict"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
)

// A conflict copy bears the time of its content and the device that won. Where
// that device deletes the copy, in conflict with us, the copy of the copy would
// be called like the copy itself.
func TestAConflictCopyIsNoCopyOfItself(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		r.have("a.txt", "ours")
		rec := r.local("a.txt")
		name, err := conflict.Make(rec.Name, rec.ModTime(), 9, 1)
		r.must(err)
		r.must(r.user.Rename("a.txt", name.String()))
		look, err := r.disk.Lstat(name)
		r.must(err)
		rec.Name, rec.Stamp, rec.Sequence = name, index.StampOf(look), 0
		_, err = r.index.Update([]index.Record{rec})
		r.must(err)
		r.announce(first, nil, gone(name.String(), concurrent))
		r.pull()
		at := r.places("ours")
		if len(at) != 1 || !strings.HasSuffix(at[0], "-2.txt") {
			t.Fatalf("the content stands at %q, want one copy beside %s", at, name)
		}
		if original, ok := conflict.Is(relpath.MustParse(at[0])); !ok || original.String() != "a.txt" {
			t.Errorf("%s is a copy of %s, want of a.txt", at[0], original)
		}
	})
}

// Others may have a copy of that name, of something else that was saved in the
// same second, and it has not come yet.
func TestAConflictCopyTakesNoNameThatOthersHoldWithAnotherContent(t *testing.T) {
	for _, tt := range []struct {
		name, theirs string
		deleted      bool
		second       bool
	}{
		{"another content", "something else", false, true},
		{"it was deleted", "", true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inRig(t, fsys.MemOptions{}, func(r *rig) {
				r.have("a.txt", "ours")
				rec := r.local("a.txt")
				name, err := conflict.Make(rec.Name, rec.ModTime(), 9, 1)
				r.must(err)
				copied := file(name.String(), tt.theirs, remote)
				if tt.deleted {
					copied = gone(name.String(), remote)
				}
				r.announce(first, []string{"theirs"}, file("a.txt", "theirs", concurrent), copied)
				r.pull()
				r.wantFile("a.txt", "theirs")
				if at := r.places("ours"); len(at) != 1 || strings.HasSuffix(at[0], "-2.txt") != tt.second {
					t.Errorf("the content stands at %q", at)
				}
			})
		})
	}
}

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

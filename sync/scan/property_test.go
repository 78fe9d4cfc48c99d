package scan_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"lanyard/sync/block"
	"lanyard/sync/fsys"
	"lanyard/sync/relpath"
)

// names is where a random history plays: some sort between a directory and
// what is below it.
var names = []string{"a", "a-b", "a.c", "a/a", "a/b", "a/b/c", "a-b/x", "b", "b/b", "b0", "c"}

// edit does one thing that a person may do.
func (r *rig) edit(t *rapid.T) {
	name := rapid.SampledFrom(names).Draw(t, "name")
	what := rapid.SampledFrom([]string{"write", "mkdir", "remove", "rename", "chmod", "link", "touch"}).Draw(t, "edit")
	// Not every edit is possible in every state; the disk refuses those.
	switch what {
	case "write":
		content := rapid.SampledFrom([]string{"", "x", "yy"}).Draw(t, "content")
		_ = r.user.WriteFile(name, []byte(content))
	case "mkdir":
		_ = r.user.MkdirAll(name)
	case "remove":
		_ = r.user.RemoveAll(name)
	case "rename":
		_ = r.user.Rename(name, rapid.SampledFrom(names).Draw(t, "to"))
	case "chmod":
		_ = r.user.Chmod(name, rapid.SampledFrom([]uint32{0o600, 0o644, 0o755}).Draw(t, "mode"))
	case "link":
		_ = r.user.Symlink("target", name)
	case "touch":
		_ = r.user.Chtimes(name, rapid.Int64Range(0, 3).Draw(t, "time"))
	}
	if rapid.Bool().Draw(t, "rest") {
		r.rest()
	}
}

func TestAfterAScanTheIndexIsTheDisk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRig(t, fsys.MemOptions{})
		r.opts.Pool = block.NewPool(rapid.IntRange(1, 2).Draw(t, "workers"))
		for range rapid.IntRange(1, 6).Draw(t, "rounds") {
			for range rapid.IntRange(0, 8).Draw(t, "edits") {
				r.edit(t)
			}
			if rapid.Bool().Draw(t, "subtrees first") {
				r.scan(rapid.SliceOfN(rapid.SampledFrom(names), 1, 3).Draw(t, "subtrees")...)
			}
			r.scan()
			if d := cmp.Diff(r.onDisk(), r.live()); d != "" {
				t.Fatalf("index and disk differ: %s", d)
			}
			if r.scan(); len(r.stored) > 0 {
				t.Fatalf("a second scan changed %s", r.changed())
			}
		}
	})
}

func TestASubtreeScanStoresNothingThatAFullScanWouldNot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRig(t, fsys.MemOptions{})
		for range rapid.IntRange(0, 8).Draw(t, "edits before") {
			r.edit(t)
		}
		r.scan()
		for range rapid.IntRange(1, 8).Draw(t, "edits") {
			r.edit(t)
		}
		top := rapid.SampledFrom(names).Draw(t, "subtree")
		r.scan(top)
		disk, live := r.onDisk(), r.live()
		for name := range disk {
			if under(name, top) && live[name] != disk[name] {
				t.Fatalf("%s is %q on disk and %q in the index", name, disk[name], live[name])
			}
		}
		for name := range live {
			if under(name, top) && disk[name] == "" {
				t.Fatalf("%s is gone from the disk and not from the index", name)
			}
		}
	})
}

func under(name, top string) bool { return relpath.MustParse(name).Under(relpath.MustParse(top)) }

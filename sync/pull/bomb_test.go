package pull_test

import (
	"strings"
	"testing"

	"lanyard/sync/block"
	"lanyard/sync/fault"
	"lanyard/sync/fsys"
	"lanyard/sync/relpath"
)

func TestAFileOfHolesThatIsLargerThanTheDiskIsNotMade(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		r.disk.SetCapacity(2 << 20)
		hole := strings.Repeat("\x00", 30*block.MinSize)
		r.announce(first, []string{"new"}, file("bomb", hole, remote), file("small", "new", remote))
		res := r.pull()
		if err := res.Failed[relpath.MustParse("bomb")]; fault.CodeOf(err) != "file-too-large" {
			t.Errorf("failed: %v, want the bomb for its size", res.Failed)
		}
		r.wantGone("bomb")
		r.wantFile("small", "new")
		if temps := r.temps(); len(temps) > 0 {
			t.Errorf("left behind: %q", temps)
		}
		r.disk.SetCapacity(64 << 20)
		r.pulled()
		r.wantFile("bomb", hole)
	})
}

package scan_test

import (
	"strings"
	"testing"
	"time"

	"lanyard/sync/block"
	"lanyard/sync/fsys"
)

func TestOnlyChangedBigFilesAreSummed(t *testing.T) {
	r := newRig(t, fsys.MemOptions{})
	r.opts.Sums = true
	big := strings.Repeat("0123456789abcdef", 8*block.MinSize/16)
	summed := func(why, name string, want bool) {
		t.Helper()
		rec := r.record(name)
		if got := len(rec.Sums) > 0; got != want {
			t.Errorf("%s: %s has %d sums for %d blocks", why, name, len(rec.Sums), len(rec.Blocks))
		}
		if want && (len(rec.Sums) != len(rec.Blocks) || rec.Sums[1] != block.AddSum(0, []byte(big[:block.MinSize]))) {
			t.Errorf("%s: the sums of %s are not those of its blocks: %#x", why, name, rec.Sums)
		}
	}
	r.write("big", big)
	r.write("small", big[:7*block.MinSize-1])
	r.expect("two new files", "big, small")
	summed("new", "big", false)
	r.write("big", big+"1")
	r.write("small", big[:7*block.MinSize])
	r.expect("both changed", "big, small")
	summed("changed", "big", true)
	summed("changed and of fewer than eight blocks", "small", false)
	r.must(r.user.Chtimes("big", r.now.Add(-time.Hour).UnixNano()))
	r.expect("another time", "big")
	summed("the same content with another time", "big", true)
	r.opts.Sums = false
	r.write("big", big+"2")
	r.expect("changed again", "big")
	summed("nobody asks for sums", "big", false)
}

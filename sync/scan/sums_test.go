package scan_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"lanyard/sync/block"
	"lanyard/sync/fsys"
)

func TestAFileIsSummedOnceMuchOfItChanged(t *testing.T) {
	r := newRig(t, fsys.MemOptions{})
	r.opts.Sums = true
	const blocks = 8 << 20 / block.MinSize
	content := make([]byte, blocks*block.MinSize)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(content) // never fails
	change := func(block0, n int) {
		for i := block0; i < block0+n; i++ {
			content[i*block.MinSize]++
		}
	}
	check := func(why string, want bool) {
		t.Helper()
		r.write("big", string(content))
		r.expect(why, "big")
		rec := r.record("big")
		if got := len(rec.Sums) > 0; got != want {
			t.Errorf("%s: %d sums for %d blocks", why, len(rec.Sums), len(rec.Blocks))
		}
		for i := range rec.Sums {
			b := rec.Blocks[i]
			if rec.Sums[i] != block.AddSum(0, content[b.Offset:b.Offset+int64(b.Size)]) {
				t.Errorf("%s: the sum of block %d is not its own: %#x", why, i, rec.Sums[i])
			}
		}
	}
	check("new", false)
	change(3, blocks/4)
	check("a quarter changed", false)
	content = append([]byte("x"), content...)
	check("shifted", true)
	change(5, 1)
	check("one block changed, of a file that was shifted once", true)
	r.must(r.user.Chtimes("big", r.now.Add(-time.Hour).UnixNano()))
	r.expect("another time", "big")
	if rec := r.record("big"); len(rec.Sums) != len(rec.Blocks) {
		t.Errorf("another time: %d sums for %d blocks", len(rec.Sums), len(rec.Blocks))
	}
	r.opts.Sums = false
	change(0, blocks)
	check("nobody asks for sums", false)
	r.opts.Sums = true
	content = []byte(strings.Repeat("y", 6*block.MinSize))
	check("few blocks", false)
}

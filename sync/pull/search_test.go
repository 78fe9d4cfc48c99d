package pull_test

import (
	"crypto/sha256"
	"slices"
	"strings"
	"testing"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/fsys"
	"lanyard/sync/vector"
)

// summed is file with the sums of its blocks.
func summed(name, content string, v vector.Vector) bep.FileInfo {
	f := file(name, content, v)
	for _, b := range f.Blocks {
		f.Sums = append(f.Sums, block.AddSum(0, []byte(content[b.Offset:b.Offset+int64(b.Size)])))
	}
	return f
}

// shiftedSize is enough for a search, and odd.
const shiftedSize = 80*block.MinSize + 777

func TestWhatOnlyMovedWithinAFileIsNotFetched(t *testing.T) {
	old := random(shiftedSize)
	at := func(i int) int { return i * shiftedSize / 20 }
	tenTimes := func() string {
		var b strings.Builder
		for i := range 10 {
			b.WriteString(old[at(2*i):at(2*i+1)] + "inserted" + old[at(2*i+1):at(2*i+2)])
		}
		return b.String()
	}()
	tests := []struct {
		name, new string
		most      int // requests
	}{
		{"a byte in front", "x" + old, 2},
		{"a byte in the middle", old[:at(10)] + "x" + old[at(10):], 2},
		{"a byte less in front", old[1:], 1},
		{"ten insertions", tenTimes, 11},
		{"a piece cut out", old[:at(5)] + old[at(8):], 2},
		{"a piece moved", old[at(8):at(12)] + old[:at(8)] + old[at(12):], 4},
		{"a byte in front, and every block twice", "x" + strings.Repeat(old[:at(10)], 2), 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inRig(t, fsys.MemOptions{}, func(r *rig) {
				r.have("a", old)
				r.announce(first, []string{tt.new}, summed("a", tt.new, r.newer("a")))
				r.pulled()
				r.wantFile("a", tt.new)
				if got := len(r.source.asked()); got > tt.most {
					t.Errorf("%d blocks were requested, want at most %d", got, tt.most)
				}
			})
		})
	}
}

// A file that changed wholly is given up after a quarter.
func TestAFileThatChangedWhollyIsSearchedForAQuarter(t *testing.T) {
	const size = 64 << 20
	old := random(size)
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		r.have("a", old)
		other := random(size + 1)
		r.announce(first, []string{other}, summed("a", other, r.newer("a")))
		reads := r.countReads()
		r.pulled()
		r.wantFile("a", other)
		// Each position is read as it enters the window and as it leaves it.
		if got, most := reads(), 2*size/4+2*size/16; got > most {
			t.Errorf("%d MiB of the old version were read, want at most %d", got>>20, most>>20)
		}
	})
}

// A device may send any sums: they lead to nothing but a look.
func TestSumsThatLie(t *testing.T) {
	old := strings.Repeat("\xff", 40*block.MinSize) + random(40*block.MinSize)
	run := block.AddSum(0, []byte(old[:block.MinSize]))
	new := random(60*block.MinSize + 5)
	for name, lie := range map[string]func(i int) block.Sum{
		"all the same, which is everywhere": func(int) block.Sum { return run },
		"zeros":                             func(int) block.Sum { return 0 },
		"of other blocks":                   func(i int) block.Sum { return block.AddSum(0, []byte(old[i*block.MinSize/2:][:block.MinSize])) },
	} {
		t.Run(name, func(t *testing.T) {
			inRig(t, fsys.MemOptions{}, func(r *rig) {
				r.have("a", old)
				f := summed("a", new, r.newer("a"))
				for i := range f.Sums {
					f.Sums[i] = lie(i)
				}
				r.announce(first, []string{new}, f)
				r.pulled()
				r.wantFile("a", new)
				if got, want := len(r.source.asked()), len(f.Blocks); got != want {
					t.Errorf("%d blocks were requested, want all %d", got, want)
				}
			})
		})
	}
}

// What is found in the old version is kept only if it has the wanted hash.
func TestABlockThatIsFoundIsHashed(t *testing.T) {
	old := random(shiftedSize)
	new := "x" + old
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		r.have("a", old)
		f := summed("a", new, r.newer("a"))
		other := random(block.MinSize + 50)[:block.MinSize]
		f.Blocks[7].Hash = sha256.Sum256([]byte(other)) // its sum is that of bytes which are here
		new = new[:7*block.MinSize] + other + new[8*block.MinSize:]
		r.announce(first, []string{new}, f)
		r.pulled()
		r.wantFile("a", new)
		if got := r.source.asked(); !slices.Contains(got, "a 7") {
			t.Errorf("requests %q, want block 7 among them", got)
		}
	})
}

func TestASmallFileIsNotSearched(t *testing.T) {
	old := random(searchedFrom)
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		r.have("a", old)
		r.announce(first, []string{"x" + old}, summed("a", "x"+old, r.newer("a")))
		r.pulled()
		r.wantFile("a", "x"+old)
		if got, want := len(r.source.asked()), searchedFrom/block.MinSize+1; got != want {
			t.Errorf("%d blocks were requested, want all %d", got, want)
		}
	})
}

// searchedFrom is the size of a file that is sent anew instead of searched.
const searchedFrom = 4<<20 - 2

func TestAnOldVersionThatIsWrittenToMeanwhile(t *testing.T) {
	old := random(shiftedSize)
	new := "x" + old
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		r.have("a", old)
		r.announce(first, []string{new}, summed("a", new, r.newer("a")))
		var once atomicOnce
		r.disk.SetHook(func(op fsys.Op) error {
			if op.Name == fsys.OpWrite && once.first() {
				r.must(r.user.WriteFile("a", []byte("mine")))
			}
			return nil
		})
		res := r.pull()
		if len(res.Rescan) != 1 {
			t.Errorf("names to scan: %v, want the file that was written to", res.Rescan)
		}
		r.wantFile("a", "mine")
	})
}

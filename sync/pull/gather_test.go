package pull_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"lanyard/sync/block"
	"lanyard/sync/fsys"
)

// many gives n bytes from parts of one block each: a letter is one content,
// "0" is zeros.
func many(letters string) string {
	var b strings.Builder
	for _, l := range letters {
		if l == '0' {
			b.WriteString(strings.Repeat("\x00", block.MinSize))
		} else {
			b.WriteString(random(block.MinSize + int(l))[:block.MinSize])
		}
	}
	return b.String()
}

func TestAChangedFileKeepsTheBlocksThatAreHere(t *testing.T) {
	// A letter is a block; requests are the numbers of blocks.
	tests := []struct {
		name, old, new string
		requests       []string
	}{
		{"one block changed", "abcdefgh", "abcXefgh", []string{"a 3"}},
		{"grown", "abcd", "abcdX", []string{"a 4"}},
		{"shrunk", "abcdefgh", "abcdef", nil},
		{"blocks in another order", "abcdef", "fedcba", nil},
		{"one block many times", "abc", "aaabbb", nil},
		{"most of it new", "abcd", "aXYZ", []string{"a 1", "a 2", "a 3"}},
		{"zeros now", "abcd", "a00d", nil},
		{"zeros no more", "a00d", "aX0d", []string{"a 1"}},
	}
	for _, tt := range tests {
		for _, noClone := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, clone %v", tt.name, !noClone), func(t *testing.T) {
				inRig(t, fsys.MemOptions{NoClone: noClone}, func(r *rig) {
					r.have("a", many(tt.old))
					r.announce(first, []string{many(tt.new)}, file("a", many(tt.new), r.newer("a")))
					r.pulled()
					r.wantFile("a", many(tt.new))
					if got := r.source.asked(); !slices.Equal(got, tt.requests) {
						t.Errorf("requests %q, want %q", got, tt.requests)
					}
				})
			})
		}
	}
}

func TestAFileSystemThatSharesContentIsGivenOnlyWhatChanged(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		r.have("a", many("abcdefgh"))
		r.announce(first, []string{many("X")}, file("a", many("abcXefgh"), r.newer("a")))
		var writes atomic.Int64
		r.disk.SetHook(func(op fsys.Op) error {
			if op.Name == fsys.OpWrite {
				writes.Add(1)
			}
			return nil
		})
		r.pulled()
		if writes := writes.Load(); writes != 1 {
			t.Errorf("%d writes, want one: of the changed block", writes)
		}
	})
}

func TestHolesStayHoles(t *testing.T) {
	for _, noClone := range []bool{false, true} {
		inRig(t, fsys.MemOptions{NoClone: noClone}, func(r *rig) {
			const capacity = 100 << 20
			r.disk.SetCapacity(capacity)
			r.have("a", many("abcdefgh"))
			content := many("abcdef") + strings.Repeat("\x00", 20*block.MinSize) + many("h")
			r.announce(first, nil, file("a", content, r.newer("a")))
			before, _, err := r.disk.Free()
			r.must(err)
			r.pulled()
			r.wantFile("a", content)
			after, _, err := r.disk.Free()
			r.must(err)
			if took := int(before-after) / block.MinSize; took > 8 {
				t.Errorf("clone %v: the new version takes the room of %d blocks, want at most 8: the rest is zeros", !noClone, took)
			}
		})
	}
}

// A disk that loses bits under an unchanged stamp must not pass them on under
// the hash of what was there before.
func TestContentThatWentBadOnTheDiskIsFetched(t *testing.T) {
	for _, noClone := range []bool{false, true} {
		inRig(t, fsys.MemOptions{NoClone: noClone, NoCtime: true}, func(r *rig) {
			r.have("a", many("abcdefgh"))
			look, err := r.user.Lstat("a")
			r.must(err)
			r.must(r.user.WriteFile("a", []byte(many("abcdeZgh"))))
			r.must(r.user.Chtimes("a", look.Mtime))
			r.announce(first, []string{many("fX")}, file("a", many("abcXefgh"), r.newer("a")))
			r.pulled()
			r.wantFile("a", many("abcXefgh"))
			if got, want := r.source.asked(), []string{"a 3", "a 5"}; !slices.Equal(got, want) {
				t.Errorf("clone %v: requests %q, want %q", !noClone, got, want)
			}
		})
	}
}

func TestAWriteThatFailsWhileCopyingLeavesTheOldVersion(t *testing.T) {
	inRig(t, fsys.MemOptions{NoClone: true}, func(r *rig) {
		r.have("a", many("abcdefgh"))
		r.announce(first, []string{many("X")}, file("a", many("abcXefgh"), r.newer("a")))
		var writes atomic.Int64
		r.disk.SetHook(func(op fsys.Op) error {
			if op.Name == fsys.OpWrite {
				if writes.Add(1) == 3 {
					return errRefused
				}
			}
			return nil
		})
		if res := r.pull(); len(res.Failed) != 1 {
			t.Errorf("failed: %v, want one name", res.Failed)
		}
		r.wantFile("a", many("abcdefgh"))
		r.disk.SetHook(nil)
		r.pulled()
		r.wantFile("a", many("abcXefgh"))
	})
}

package plan_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/plan"
	"lanyard/sync/relpath"
	"lanyard/sync/vector"
)

// entry reads one side of a case: "-" for none, or "CONTENT@VECTOR[!MODE]".
//
// CONTENT is a number (a file of that size, whose bytes follow from it),
// "dir", "link:TARGET" or "gone". VECTOR is letters with counts ("A1B2").
// MODE is octal; "~" and a content after the vector gives the content that the
// change was made from.
func entry(t *testing.T, s string) *bep.FileInfo {
	t.Helper()
	if s == "-" {
		return nil
	}
	f := &bep.FileInfo{Name: relpath.MustParse("n"), Permissions: 0o644}
	s, from, _ := strings.Cut(s, "~")
	s, mode, hasMode := strings.Cut(s, "!")
	content, version, ok := strings.Cut(s, "@")
	if !ok {
		t.Fatalf("entry %q has no vector", s)
	}
	f.Version = versionOf(t, version)
	if hasMode {
		m, err := strconv.ParseUint(mode, 8, 32)
		if err != nil {
			t.Fatal(err)
		}
		f.Permissions = uint32(m)
	}
	switch {
	case content == "dir":
		f.Type = bep.TypeDirectory
	case content == "gone":
		f.Deleted = true
	case strings.HasPrefix(content, "link:"):
		f.Type, f.SymlinkTarget = bep.TypeSymlink, content[5:]
	default:
		f.Blocks = blocksOf(t, content)
		f.Size = int64(f.Blocks[0].Size)
		h := block.ListHash(f.Blocks)
		f.BlocksHash = h[:]
	}
	if from != "" {
		h := block.ListHash(blocksOf(t, from))
		f.PreviousBlocksHash = h[:]
	}
	return f
}

func blocksOf(t *testing.T, content string) []block.Info {
	t.Helper()
	n, err := strconv.Atoi(content)
	if err != nil {
		t.Fatalf("content %q: %v", content, err)
	}
	return []block.Info{{Size: int32(n), Hash: block.Hash{byte(n), byte(n >> 8)}}}
}

func versionOf(t *testing.T, s string) vector.Vector {
	t.Helper()
	var v vector.Vector
	for i := 0; i+1 < len(s); i += 2 {
		v = append(v, vector.Counter{ID: uint64(s[i]), Value: uint64(s[i+1] - '0')})
	}
	if !v.Valid() {
		t.Fatalf("vector %q is not valid", s)
	}
	return v
}

func TestDecide(t *testing.T) {
	const (
		absent  = plan.Absent
		same    = plan.AsRecorded
		changed = plan.Changed
	)
	tests := []struct {
		name       string
		have, want string
		disk       plan.Disk
		do         plan.Action
		keep       plan.Keep
	}{
		{"a new file is fetched", "-", "5@B1", absent, plan.Fetch, plan.KeepNothing},
		{"a new directory is made", "-", "dir@B1", absent, plan.MakeDirectory, plan.KeepNothing},
		{"a new symlink is made", "-", "link:x@B1", absent, plan.MakeSymlink, plan.KeepNothing},
		{"a newer version replaces ours, which is kept", "5@A1", "6@A1B1", same, plan.Fetch, plan.KeepVersion},
		{"an edit that was not scanned is never overwritten", "5@A1", "6@A1B1", changed, plan.Rescan, plan.KeepNothing},
		{"a file that was never recorded is never overwritten", "-", "5@B1", changed, plan.Rescan, plan.KeepNothing},
		{"a file made where we recorded a delete is never overwritten", "gone@A2", "5@A2B1", changed, plan.Rescan, plan.KeepNothing},
		{"a delete that was not scanned is never undone", "5@A1", "6@A1B1", absent, plan.Rescan, plan.KeepNothing},
		{"their delete removes what we left alone, and keeps a version", "5@A1", "gone@A1B1", same, plan.Delete, plan.KeepVersion},
		{"their delete does not touch an edit that was not scanned", "5@A1", "gone@A1B1", changed, plan.Rescan, plan.KeepNothing},
		{"a delete of what we never had is adopted", "-", "gone@B1", absent, plan.Adopt, plan.KeepNothing},
		{"a newer delete of what we deleted is adopted", "gone@A2", "gone@A2B1", absent, plan.Adopt, plan.KeepNothing},
		{"a file comes back where a newer version says so", "gone@A2", "5@A2B1", absent, plan.Fetch, plan.KeepNothing},
		{"concurrent edits keep both", "6@A2", "7@A1B1", same, plan.Fetch, plan.KeepBoth},
		{"a delete that wins against an edit keeps the edit", "6@A2", "gone@A1B1", same, plan.Delete, plan.KeepBoth},
		{"an edit that wins against our delete comes back", "gone@A2", "7@A1B1", absent, plan.Fetch, plan.KeepNothing},
		{"concurrent equal content is no conflict", "6@A2", "6@A1B1", same, plan.Adopt, plan.KeepNothing},
		{"a change made from our content is no conflict", "6@A2", "7@B1~6", same, plan.Fetch, plan.KeepVersion},
		{"a change made from other content is one", "6@A2", "7@B1~5", same, plan.Fetch, plan.KeepBoth},
		{"a change of mode moves no content", "6@A1", "6@A1B1!755", same, plan.Metadata, plan.KeepNothing},
		{"a directory's mode is set", "dir@A1", "dir@A1B1!700", same, plan.Metadata, plan.KeepNothing},
		{"equal directories are adopted", "dir@A1", "dir@B1", same, plan.Adopt, plan.KeepNothing},
		{"equal symlinks are adopted", "link:x@A1", "link:x@B1", same, plan.Adopt, plan.KeepNothing},
		{"a symlink's target changes", "link:x@A1", "link:y@A1B1", same, plan.MakeSymlink, plan.KeepNothing},
		{"a directory takes a file's place, which is kept", "5@A1", "dir@A1B1", same, plan.MakeDirectory, plan.KeepVersion},
		{"a directory that conflicts with a file keeps both", "5@A2", "dir@A1B1", same, plan.MakeDirectory, plan.KeepBoth},
		{"a file takes a directory's place", "dir@A1", "5@A1B1", same, plan.Fetch, plan.KeepNothing},
		{"a deleted directory goes", "dir@A1", "gone@A1B1", same, plan.Delete, plan.KeepNothing},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := plan.Input{Want: entry(t, tt.want), Have: entry(t, tt.have), Disk: tt.disk}
			got := plan.Decide(in)
			if want := (plan.Decision{Do: tt.do, Keep: tt.keep}); got != want {
				t.Errorf("have %s, want %s, disk %d: got %v, want %v", tt.have, tt.want, tt.disk, show(got), show(want))
			}
		})
	}
}

func TestDecideByRole(t *testing.T) {
	tests := []struct {
		name string
		in   func(t *testing.T) plan.Input
		want plan.Decision
	}{
		{"an invalid version is nobody's need", func(t *testing.T) plan.Input {
			w := entry(t, "6@B1")
			w.Invalid = true
			return plan.Input{Want: w}
		}, plan.Decision{Do: plan.None}},
		{"an ignored name is not touched, whatever stands there", func(t *testing.T) plan.Input {
			return plan.Input{Want: entry(t, "6@B1"), Disk: plan.Changed, Ignored: true}
		}, plan.Decision{Do: plan.Ignore}},
		{"who only sends changes nothing", func(t *testing.T) plan.Input {
			return plan.Input{Want: entry(t, "6@A1B1"), Have: entry(t, "5@A1"), Disk: plan.AsRecorded, Role: bep.SendOnly}
		}, plan.Decision{Do: plan.None}},
		{"who only sends adopts what is equal", func(t *testing.T) plan.Input {
			return plan.Input{Want: entry(t, "5@A1B1"), Have: entry(t, "5@A1"), Disk: plan.AsRecorded, Role: bep.SendOnly}
		}, plan.Decision{Do: plan.Adopt}},
		{"who only receives keeps its own change beside the newer version", func(t *testing.T) plan.Input {
			return plan.Input{Want: entry(t, "6@B1"), Have: entry(t, "5@"), Disk: plan.AsRecorded, Role: bep.ReceiveOnly, Diverged: true}
		}, plan.Decision{Do: plan.Fetch, Keep: plan.KeepBoth}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := plan.Decide(tt.in(t)); got != tt.want {
				t.Errorf("got %v, want %v", show(got), show(tt.want))
			}
		})
	}
}

func show(d plan.Decision) string { return fmt.Sprintf("%v keeping %v", d.Do, d.Keep) }

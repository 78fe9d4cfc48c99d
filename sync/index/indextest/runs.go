package indextest

import (
	"testing"

	"lanyard/sync/index"
)

// A run's sequences stand apart from those of the runs before, so that an
// index that went back to an older state does not give one twice.
func testRuns(t *testing.T, open Open) {
	s := openStore(t, open)
	defer s.Close()
	f := folderOf(t, s, "docs")
	store := func(name string) int64 {
		t.Helper()
		return must(f.Update([]index.Record{local(file(name, 1, 1, version(1, 1)))}))(t)
	}
	if got := store("a"); got != 1 {
		t.Errorf("the first sequence is %d, want 1", got)
	}
	check(t, f.Begin())
	if got := f.Sequence(); got != 1 {
		t.Errorf("Sequence after Begin is %d, want that of the last record, 1", got)
	}
	second := store("b")
	if second < 3 || second > 2+index.RunGap {
		t.Errorf("the next run begins with %d, want at least 1 and at most %d after 1", second, index.RunGap)
	}
	check(t, f.Begin())
	check(t, f.Begin()) // a run that gave nothing
	third := store("c")
	runs := f.Runs()
	for _, seq := range []int64{0, 1, second, third} {
		if !runs.Gave(seq) {
			t.Errorf("Gave(%d) is false in %v", seq, runs)
		}
	}
	for _, seq := range []int64{2, second - 1, second + 1, third - 1, third + 1} {
		if runs.Gave(seq) {
			t.Errorf("Gave(%d) is true in %v", seq, runs)
		}
	}
	if len(runs) != 3 {
		t.Errorf("runs are %v, want the three that gave something", runs)
	}
	if got := must(f.LocalSince(0, 10))(t); len(got) != 3 || got[2].Sequence != third {
		t.Errorf("LocalSince gives %v", got)
	}
}

package folder_test

import (
	"testing"
	"time"

	"lanyard/sync/folder"
	"lanyard/sync/relpath"
	"lanyard/sync/watch"
)

// saved gives how long a machine waits before it scans a name, for each of
// some saves in a row, 100 ms apart.
func saved(t *testing.T, settled bool, saves int) []time.Duration {
	t.Helper()
	name, err := relpath.Parse("page")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1_700_000_000, 0)
	m := folder.NewMachine(-1)
	m.Step(now, folder.Opened{})
	m.Step(now, folder.ScanDone{})
	waits := make([]time.Duration, 0, saves)
	for range saves {
		now = now.Add(100 * time.Millisecond)
		m.Step(now, folder.Noticed{Change: watch.Change{Events: []watch.Event{{Path: name, Settled: settled}}}})
		due := m.Wake()
		waits = append(waits, due.Sub(now))
		now = due
		m.Step(now, folder.Tick{})
		m.Step(now, folder.ScanDone{})
	}
	return waits
}

func TestAFileThatKeepsBeingWrittenWaitsLongerEachTime(t *testing.T) {
	waits := saved(t, false, 5)
	if waits[0] != 40*time.Millisecond || waits[4] != time.Second {
		t.Errorf("waits: %v, want 40ms at first and 1s in the end", waits)
	}
}

func TestAFileThatKeepsBeingRenamedIntoPlaceIsScannedAtOnceEachTime(t *testing.T) {
	for i, wait := range saved(t, true, 20) {
		if wait != 10*time.Millisecond {
			t.Errorf("save %d waits %v, want 10ms", i, wait)
		}
	}
}

package folder

import (
	"testing"

	"lanyard/sync/relpath"
	"lanyard/sync/watch"
)

func TestWhatWasSeenToGo(t *testing.T) {
	d := newDepartures()
	d.note(change([]string{"a:removed", "b", "dir:removed"}))
	d.note(watch.Change{Gone: names([]string{"many"})})
	mark := d.mark()
	d.note(change([]string{"late:removed"}))
	wantSeen := func(when string, want map[string]bool) {
		t.Helper()
		for name, yes := range want {
			if got := d.seen(relpath.MustParse(name)); got != yes {
				t.Errorf("%s: %s was seen to go: %v", when, name, got)
			}
		}
	}
	wantSeen("at first", map[string]bool{
		"a": true, "b": false, "dir": true, "dir/x/y": true, "dirt": false,
		"many": false, "many/x": true, "many/x/y": true, "late": true,
	})
	d.scanned(mark, names([]string{"dir", "late"}), nil)
	wantSeen("after a scan of two names", map[string]bool{"a": true, "dir": false, "dir/x/y": false, "many/x": true, "late": true})
	d.scanned(mark, nil, names([]string{"a"}))
	wantSeen("after a scan of everything, a excepted", map[string]bool{"a": true, "many/x": false, "late": true})
	d.scanned(d.mark(), nil, nil)
	wantSeen("after the last scan", map[string]bool{"a": false, "late": false})
	if len(d.names)+len(d.dirs) > 0 {
		t.Errorf("%v and %v are kept for nothing", d.names, d.dirs)
	}
}

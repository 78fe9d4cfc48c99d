package indextest

import (
	"testing"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/index"
)

// Self is the device of the stores under test, as their options have to say.
const Self device.ShortID = 1

func testDisputed(t *testing.T, open Open) {
	f := openFolder(t, open)
	made := func(by device.ShortID, fi bep.FileInfo) bep.FileInfo {
		fi.ModifiedBy = by
		return fi
	}
	must(f.Update([]index.Record{
		local(made(1, file("later", 1, 1, version(1, 5)))),
		local(made(1, file("twin", 1, 1, version(1, 5)))),
		local(made(1, file("same", 1, 1, version(1, 5)))),
		local(made(1, file("next", 1, 1, version(1, 5)))),
		local(made(1, file("beside", 1, 1, version(1, 5, 3, 1)))),
		local(made(2, file("theirs", 1, 1, version(1, 5, 2, 1)))),
		local(made(1, file("earlier", 1, 1, version(1, 5)))),
	}))(t)
	check(t, f.UpdateRemote(devB, []bep.FileInfo{
		file("later", 1, 2, version(1, 6, 2, 1)),  // knows a change of ours that we do not
		file("twin", 1, 2, version(1, 5)),         // says to be ours, and is not
		file("same", 1, 1, version(1, 5)),         // is ours
		file("next", 1, 2, version(1, 5, 2, 1)),   // made from ours
		file("beside", 1, 2, version(1, 6, 2, 1)), // a conflict anyway
		file("theirs", 1, 2, version(1, 6, 2, 1)), // knows one more of ours, too
		file("new", 1, 2, version(1, 6, 2, 1)),
		file("earlier", 1, 2, version(1, 4)), // what ours was made from, or lost
	}))
	var got []string
	for _, p := range f.Disputed() {
		got = append(got, p.String())
	}
	if d := diff([]string{"earlier", "later", "theirs", "twin"}, got); d != "" {
		t.Errorf("disputed (-want +got):\n%s", d)
	}
	if again := f.Disputed(); len(again) > 0 {
		t.Errorf("asked again: %v", again)
	}
	must(f.Update([]index.Record{local(made(1, file("new", 1, 1, version(1, 5))))}))(t)
	if got := f.Disputed(); len(got) != 1 || got[0].String() != "new" {
		t.Errorf("after our own change: %v, want new", got)
	}
}

package engine

import (
	"testing"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/vector"
)

func TestADeviceIsToldWhatItHadWhereThatIsNotWhatWeHave(t *testing.T) {
	ix, err := index.NewMemory(index.MemoryOptions{}).Folder(photos)
	must(t, err)
	entry := func(name string, id, value uint64) bep.FileInfo {
		return bep.FileInfo{Name: relpath.MustParse(name), Type: bep.TypeDirectory, Version: vector.Vector{{ID: id, Value: value}}}
	}
	gone := func(name string, value uint64) bep.FileInfo {
		f := entry(name, 1, value)
		f.Deleted = true
		return f
	}
	other := device.ID{7}
	_, err = ix.Update([]index.Record{
		{FileInfo: entry("same", 1, 5)},
		{FileInfo: entry("newer here", 1, 6)},
		{FileInfo: entry("newer there", 1, 5)},
		{FileInfo: entry("only here", 1, 5)},
		{FileInfo: gone("gone", 5)},
		{FileInfo: gone("gone otherwise", 6)},
	})
	must(t, err)
	must(t, ix.ResetRemote(other, 3))
	must(t, ix.UpdateRemote(other, []bep.FileInfo{
		entry("same", 1, 5), entry("newer here", 1, 5), entry("newer there", 1, 6), entry("only there", 1, 5),
		gone("gone", 5), gone("gone otherwise", 5), gone("gone there, never here", 9),
	}))
	got, err := formerEntries(ix, other)
	must(t, err)
	want := map[string]uint64{"newer here": 5, "newer there": 6, "only here": 0, "only there": 5, "gone otherwise": 5, "gone there, never here": 9}
	for _, e := range got {
		if v, ok := want[e.Name.String()]; !ok || e.Version.Get(1) != v {
			t.Errorf("it is told of %s at %v", e.Name, e.Version)
		}
		delete(want, e.Name.String())
	}
	if len(want) > 0 {
		t.Errorf("it is not told of %v", want)
	}
	for atMost, want := range []int{0, 0, 2} {
		if names, err := deleted(ix, other, atMost); err != nil || len(names) != want {
			t.Errorf("with room for %d, deletions of %v are told, %v; want %d", atMost, names, err, want)
		}
	}
}

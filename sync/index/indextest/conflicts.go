package indextest

import (
	"testing"

	"lanyard/sync/bep"
	"lanyard/sync/index"
)

func testConflicts(t *testing.T, open Open) {
	const (
		first  = "dir/plan.sync-conflict-20261121-013104-ABCDEFG.txt"
		second = "plan.sync-conflict-20261121-013104-ABCDEFG-2.txt"
		third  = "third.sync-conflict-20261121-013104-ABCDEFG"
	)
	s := openStore(t, open)
	f := folderOf(t, s, "docs")
	wants := func(what string, want ...string) {
		t.Helper()
		names, err := f.Conflicts()
		check(t, err)
		var got []string
		for _, p := range names {
			got = append(got, p.String())
		}
		if d := diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", what, d)
		}
	}
	must(f.Update([]index.Record{
		local(file(second, 1, 1, version(1, 5))),
		local(file(first, 1, 1, version(1, 5))),
		local(file("plan.sync-conflict-no-time.txt", 1, 1, version(1, 5))),
		local(file("plan.txt", 1, 1, version(1, 5))),
	}))(t)
	check(t, f.UpdateRemote(devB, []bep.FileInfo{file(third, 1, 2, version(2, 5))}))
	wants("at first, and nothing that others alone have", first, second)
	gone := local(bep.FileInfo{Name: path(first), Deleted: true, Version: version(1, 6)})
	must(f.Update([]index.Record{local(file(third, 1, 2, version(2, 5))), gone}))(t)
	wants("after one was removed and another one came", second, third)
	ignored := local(file(second, 1, 1, version(1, 5)))
	ignored.Flags = index.Ignored
	must(f.Update([]index.Record{ignored}))(t)
	wants("after one is ignored", third)
	check(t, s.Close())
	s = openStore(t, open)
	defer s.Close()
	f = folderOf(t, s, "docs")
	wants("after it was opened again", third)
}

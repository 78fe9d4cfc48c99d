package indextest

import (
	"context"
	"slices"
	"testing"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/index"
)

func testRebuild(t *testing.T, open Open) {
	s := openStore(t, open)
	defer s.Close()
	f := folderOf(t, s, "docs")
	recs := []index.Record{local(file("a", 1, 1, version(1, 1))), local(file("d/b", 9, 2, version(1, 2))), local(deleted("gone", 3, version(1, 3)))}
	recs[0].Flags, recs[0].Stamp = index.MustRescan, index.Stamp{Inode: 5, Size: 1000, Mtime: 7}
	must(f.Update(recs))(t)
	check(t, f.ResetRemote(devA, 4))
	check(t, f.UpdateRemote(devA, []bep.FileInfo{file("theirs", 1, 1, version(2, 1))}))
	check(t, f.SetMeta("root", "nonce"))
	if _, ok := f.Recovery(); ok {
		t.Error("a new index is in recovery")
	}
	id := f.IndexID()
	check(t, f.Close())
	check(t, s.Rebuild(t.Context(), "docs"))
	f = folderOf(t, s, "docs")
	if r, ok := f.Recovery(); !ok || r.Cause != index.Damaged || r.Through != 3 || f.IndexID() == id {
		t.Errorf("recovery %+v, %v, same index ID %v", r, ok, f.IndexID() == id)
	}
	got := must(f.LocalSince(0, 10))(t)
	for i := range got {
		got[i].Sequence = 0
	}
	slices.SortFunc(got, func(a, b index.Record) int { return a.Name.Compare(b.Name) })
	if d := diff(recs, got); d != "" {
		t.Errorf("records (-want +got):\n%s", d)
	}
	if r := must(f.Remotes())(t); len(r) != 0 {
		t.Errorf("remotes %v", r)
	}
	if v := must(f.Meta("root"))(t); v != "nonce" {
		t.Errorf("the fact is %q", v)
	}
	check(t, f.Check(t.Context()))
	check(t, f.Recovered())
	check(t, s.Close())
	s = openStore(t, open)
	defer s.Close()
	if _, ok := folderOf(t, s, "docs").Recovery(); ok {
		t.Error("the recovery does not end")
	}
}

func testLose(t *testing.T, open Open) {
	s := openStore(t, open)
	defer func() { s.Close() }()
	f := folderOf(t, s, "docs")
	wants := func(what string, want index.Recovery) {
		t.Helper()
		if got, ok := f.Recovery(); !ok || got != want {
			t.Errorf("%s: %+v, %v; want %+v", what, got, ok, want)
		}
	}
	check(t, f.Lose(index.Recovery{Cause: index.RolledBack, Through: 5}))
	wants("at first", index.Recovery{Cause: index.RolledBack, Through: 5})
	check(t, f.Lose(index.Recovery{Cause: index.Damaged, Through: 7}))
	wants("a later loss", index.Recovery{Cause: index.RolledBack, Through: 5})
	check(t, f.Lose(index.Recovery{Cause: index.RolledBack, Through: 3}))
	check(t, s.Close())
	s = openStore(t, open)
	f = folderOf(t, s, "docs")
	wants("an earlier one, opened again", index.Recovery{Cause: index.RolledBack, Through: 3})
	check(t, f.Recovered())
	if got, ok := f.Recovery(); ok {
		t.Errorf("it does not end: %+v", got)
	}
}

func testRebuildNothing(t *testing.T, open Open) {
	s := openStore(t, open)
	defer s.Close()
	check(t, s.Rebuild(t.Context(), "never"))
	if _, ok := folderOf(t, s, "never").Recovery(); ok {
		t.Error("a folder that was never there is in recovery")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f := folderOf(t, s, "docs")
	must(f.Update([]index.Record{local(file("a", 1, 1, version(1, 1)))}))(t)
	if err := s.Rebuild(ctx, "docs"); err == nil {
		t.Error("a rebuild whose time is over gave no error")
	}
}

func testMaintain(t *testing.T, open Open) {
	f := openFolder(t, open)
	must(f.Update([]index.Record{local(file("a", 9, 1, version(1, 1)))}))(t)
	for _, days := range []int{0, 1, 9} {
		check(t, f.Maintain(t.Context(), time.Now().AddDate(0, 0, days), true))
	}
	st := must(f.Stats())(t)
	if st.IndexID != f.IndexID() || st.Sequence != 1 || st.Counts.Local.Files != 1 || st.Rows != 1 || st.Recovery != nil {
		t.Errorf("figures %+v", st)
	}
	if f.Batch() < 100 {
		t.Errorf("a transaction should hold %d entries", f.Batch())
	}
}

func testVersions(t *testing.T, open Open) {
	f := openFolder(t, open)
	old, now := file("a", 1, 1, version(1, 1)), file("a", 2, 2, version(1, 2))
	must(f.Update([]index.Record{local(file("a", 3, 3, version(1, 9)))}))(t)
	check(t, f.UpdateRemote(devA, []bep.FileInfo{old}))
	check(t, f.UpdateRemote(devB, []bep.FileInfo{now}))
	check(t, f.UpdateRemote(devC, []bep.FileInfo{old}))
	got := must(f.Versions(old.Name))(t)
	if d := diff([]bep.FileInfo{old, now}, got); d != "" {
		t.Errorf("versions, none of which is the global one (-want +got):\n%s", d)
	}
	must(f.Update([]index.Record{local(old)}))(t)
	got = must(f.Versions(old.Name))(t)
	if d := diff([]bep.FileInfo{now, old}, got); d != "" {
		t.Errorf("versions (-want +got):\n%s", d)
	}
	gone, invalid := deleted("a", 4, version(1, 3)), old
	invalid.Invalid = true
	check(t, f.UpdateRemote(devB, []bep.FileInfo{gone}))
	check(t, f.UpdateRemote(devC, []bep.FileInfo{invalid}))
	got = must(f.Versions(old.Name))(t)
	if d := diff([]bep.FileInfo{gone, old, invalid}, got); d != "" {
		t.Errorf("versions with a deletion and an invalid one (-want +got):\n%s", d)
	}
}

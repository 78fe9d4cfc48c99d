package indextest

import (
	"testing"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/fault"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
)

// testRestamp: what only we know of a record changes, and nothing else, also
// for who opens the store later.
func testRestamp(t *testing.T, open Open) {
	s := openStore(t, open)
	f := folderOf(t, s, "docs")
	a, b := local(file("a", 3, 1, version(1, 5))), local(file("b", 2, 2, version(1, 6)))
	a.Stamp = index.Stamp{Inode: 1, Ctime: 2, Mtime: 3, Size: a.Size, Mode: 0o644}
	must(f.Update([]index.Record{a, b}))(t)
	theirs := a.FileInfo
	theirs.Sequence = 9
	check(t, f.UpdateRemote(devA, []bep.FileInfo{theirs}))
	counts := must(f.Counts())(t)

	a.Sequence = 1
	a.Stamp.Ctime, a.Stamp.Mtime, a.Flags = 20, 30, index.MustRescan
	check(t, f.Restamp([]index.Record{a}))
	wantRestamped(t, f, a, counts)
	check(t, f.Barrier())
	check(t, s.Close())
	wantRestamped(t, openFolder(t, open), a, counts)
}

func wantRestamped(t *testing.T, f index.Folder, a index.Record, counts index.Counts) {
	t.Helper()
	got, _, err := f.Local(a.Name)
	check(t, err)
	if d := diff(a, got); d != "" {
		t.Errorf("our record (-want +got):\n%s", d)
	}
	if f.Sequence() != 2 {
		t.Errorf("sequence %d, want 2 as before", f.Sequence())
	}
	if d := diff([]string{"a", "b"}, names(must(f.LocalSince(0, 10))(t))); d != "" {
		t.Errorf("names by sequence (-want +got):\n%s", d)
	}
	if d := diff(counts, must(f.Counts())(t)); d != "" {
		t.Errorf("counts (-want +got):\n%s", d)
	}
	if _, needed, _, err := f.Global(a.Name); err != nil || needed {
		t.Errorf("needed %v, error %v", needed, err)
	}
	if found := must(f.LocalByContent(block.ListHash(a.Blocks), a.Size, 10))(t); len(found) != 1 {
		t.Errorf("%d files are found by the content, want 1", len(found))
	}
}

// testRestampRefuses: a record that would tell others something new is refused,
// with all that came with it.
func testRestampRefuses(t *testing.T, open Open) {
	f := openFolder(t, open)
	a, b := local(file("a", 3, 1, version(1, 5))), local(file("b", 2, 2, version(1, 6)))
	must(f.Update([]index.Record{a, b}))(t)
	before := must(f.LocalSince(0, 10))(t)
	good := a
	good.Stamp.Mtime = 99
	for _, test := range []struct {
		name   string
		change func(r *index.Record)
	}{
		{"another version", func(r *index.Record) { r.Version = version(1, 7) }},
		{"another content", func(r *index.Record) { r.FileInfo = file("b", 2, 9, version(1, 6)) }},
		{"a deletion", func(r *index.Record) { r.FileInfo = deleted("b", 2, version(1, 6)) }},
		{"a flag that makes it invalid for others", func(r *index.Record) { r.Flags = index.Ignored }},
		{"a name that has no record", func(r *index.Record) { r.Name = relpath.MustParse("c") }},
	} {
		bad := b
		test.change(&bad)
		if err := f.Restamp([]index.Record{good, bad}); fault.KindOf(err) != fault.Retry {
			t.Errorf("%s: error %v, want one that passes", test.name, err)
		}
		if d := diff(before, must(f.LocalSince(0, 10))(t)); d != "" {
			t.Fatalf("%s: records (-want +got):\n%s", test.name, d)
		}
	}
}

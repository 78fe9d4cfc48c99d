package indextest

import (
	"errors"
	"slices"
	"testing"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/device"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
)

func testNeed(t *testing.T, open Open) {
	f := openFolder(t, open)
	have := local(file("old", 1, 1, version(1, 1)))
	must(f.Update([]index.Record{have, local(file("same", 1, 1, version(1, 1))), local(file("gone", 1, 1, version(1, 1)))}))(t)
	newer := file("old", 2, 2, version(1, 1, 2, 1))
	invalid := newer
	invalid.Invalid = true
	check(t, f.UpdateRemote(devB, []bep.FileInfo{
		newer, file("same", 1, 1, version(1, 1)), deleted("gone", 2, version(1, 1, 2, 1)),
		deleted("never", 2, version(2, 1)), file("new", 1, 3, version(2, 1)),
	}))
	check(t, f.UpdateRemote(devA, []bep.FileInfo{newer}))
	check(t, f.UpdateRemote(devC, []bep.FileInfo{invalid}))

	got := must(f.Needed(relpath.Root, 10))(t)
	have.Sequence = 1
	gone, _, err := f.Local(relpath.MustParse("gone"))
	check(t, err)
	want := []index.Needed{
		{Global: deleted("gone", 2, version(1, 1, 2, 1)), Local: &gone, From: []device.ID{devB}},
		{Global: file("new", 1, 3, version(2, 1)), From: []device.ID{devB}},
		{Global: newer, Local: &have, From: []device.ID{devA, devB}},
	}
	if d := diff(want, got); d != "" {
		t.Errorf("needed (-want +got):\n%s", d)
	}
	counts := must(f.Counts())(t)
	wantNeed := index.NeedCount{Items: 3, Deletes: 1, Bytes: newer.Size + 1000}
	if counts.Need != wantNeed {
		t.Errorf("need counts %+v, want %+v", counts.Need, wantNeed)
	}
	// C lacks what is global and valid, not the version it holds as invalid.
	wantC := index.NeedCount{Items: 2, Bytes: 2000}
	if got := must(f.RemoteNeed(devC))(t); got != wantC {
		t.Errorf("C needs %+v, want %+v", got, wantC)
	}
}

func testAnnounced(t *testing.T, open Open) {
	f := openFolder(t, open)
	for i, dev := range []device.ID{devA, devB} {
		check(t, f.ResetRemote(dev, bep.IndexID(i+1)))
	}
	same := file("same", 1, 1, version(2, 1))
	check(t, f.UpdateRemote(devA, []bep.FileInfo{same, file("a", 1, 1, version(2, 1)), deleted("gone", 2, version(2, 1))}))
	check(t, f.UpdateRemote(devB, []bep.FileInfo{same}))
	must(f.Update([]index.Record{local(file("ours", 1, 1, version(1, 1)))}))(t)
	for _, tt := range []struct {
		dev    device.ID
		enough int64
		want   int64
	}{{devA, 0, 3}, {devA, 3, 3}, {devA, 1000, 0}, {devB, 0, 1}, {devC, 0, 0}} {
		n, of, err := f.Announced(tt.dev, tt.enough)
		if err != nil || n != tt.want || n > 0 && of < 4 || tt.enough == 1000 && of != 0 {
			t.Errorf("%v announces %d of %d entries where %d are enough (%v), want %d of 4 or more", tt.dev.Short(), n, of, tt.enough, err, tt.want)
		}
	}
	check(t, f.DropRemote(devA))
	if n, _, err := f.Announced(devA, 0); n != 0 || err != nil {
		t.Errorf("a device that was dropped announces %d entries (%v)", n, err)
	}
}

func testPeerState(t *testing.T, open Open) {
	f := openFolder(t, open)
	a, b := file("a", 1, 1, version(2, 1)), file("b", 1, 1, version(2, 1))
	a.Sequence, b.Sequence = 9, 4
	check(t, f.UpdateRemote(devB, []bep.FileInfo{a, b}))
	if got := must(f.Remotes())(t); len(got) != 0 {
		t.Errorf("devices with an index ID: %v, want none yet", got)
	}
	if got := must(f.Remote(devB))(t); got != (index.PeerState{MaxSequence: 9}) {
		t.Errorf("state %+v, want sequence 9", got)
	}
	check(t, f.ResetRemote(devB, 1<<63+5))
	check(t, f.ResetRemote(devA, 6))
	if got := must(f.Remote(devB))(t); got != (index.PeerState{IndexID: 1<<63 + 5}) {
		t.Errorf("state after a reset %+v", got)
	}
	if got := must(f.Remotes())(t); !slices.Equal(got, []device.ID{devA, devB}) {
		t.Errorf("devices with an index ID: %v", got)
	}
}

func testReset(t *testing.T, open Open) {
	f := openFolder(t, open)
	a := file("a", 1, 1, version(2, 1))
	must(f.Update([]index.Record{local(a)}))(t)
	check(t, f.UpdateRemote(devA, []bep.FileInfo{a, file("b", 1, 1, version(2, 1))}))
	check(t, f.UpdateRemote(devB, []bep.FileInfo{a, file("b", 1, 1, version(2, 2))}))
	check(t, f.ResetRemote(devB, 3))
	if _, ok, err := f.RemoteEntry(devB, a.Name); ok || err != nil {
		t.Errorf("the entry is still there: %v, %v", ok, err)
	}
	if got, ok, err := f.RemoteEntry(devA, a.Name); !ok || err != nil || diff(a, got) != "" {
		t.Errorf("the other device's entry: %v, %v, %v", got, ok, err)
	}
	g, needed, _, err := f.Global(relpath.MustParse("b"))
	check(t, err)
	if d := diff(file("b", 1, 1, version(2, 1)), g); d != "" || !needed {
		t.Errorf("global, needed %v (-want +got):\n%s", needed, d)
	}
}

func testTooManyDevices(t *testing.T, open Open) {
	f := openFolder(t, open)
	for i := range index.MaxRemotes {
		check(t, f.UpdateRemote(device.ID{byte(i + 1)}, []bep.FileInfo{file("a", 1, byte(i), version(2, uint64(i+1)))}))
	}
	before := must(f.Counts())(t)
	err := f.UpdateRemote(device.ID{200}, []bep.FileInfo{file("b", 1, 1, version(2, 1))})
	if !errors.Is(err, index.ErrTooManyDevices) {
		t.Errorf("the device too many gives %v, want ErrTooManyDevices", err)
	}
	if err := f.ResetRemote(device.ID{200}, 4); !errors.Is(err, index.ErrTooManyDevices) {
		t.Errorf("a reset for it gives %v, want ErrTooManyDevices", err)
	}
	if d := diff(before, must(f.Counts())(t)); d != "" {
		t.Errorf("counts changed (-want +got):\n%s", d)
	}
	if got := must(f.Availability(relpath.MustParse("a")))(t); !slices.Equal(got, []device.ID{{index.MaxRemotes}}) {
		t.Errorf("the newest version is at %v", got)
	}
}

func testSlotReuse(t *testing.T, open Open) {
	f := openFolder(t, open)
	for round := range 3 * index.MaxRemotes {
		dev := device.ID{byte(round), byte(round >> 8), 1}
		check(t, f.UpdateRemote(dev, []bep.FileInfo{file("a", 1, 1, version(2, 1))}))
		check(t, f.DropRemote(dev))
	}
	if got := must(f.Counts())(t); got != (index.Counts{}) {
		t.Errorf("counts after all devices were dropped: %+v", got)
	}
	if _, _, ok, err := f.Global(relpath.MustParse("a")); ok || err != nil {
		t.Errorf("a name that nobody has is known: %v, %v", ok, err)
	}
	check(t, f.UpdateRemote(devA, []bep.FileInfo{file("b", 1, 1, version(2, 1))}))
	if got := must(f.RemoteNeed(devA))(t); got != (index.NeedCount{}) {
		t.Errorf("a new device in an old slot needs %+v", got)
	}
	check(t, f.DropRemote(devB))
}

func testByContent(t *testing.T, open Open) {
	f := openFolder(t, open)
	one, long := file("small", 1, 1, version(1, 1)), file("large", 9, 2, version(1, 1))
	copied := file("dir/small copy", 1, 1, version(1, 7))
	gone, ignored := deleted("gone", 1, version(1, 1)), local(file("ignored", 1, 1, version(1, 1)))
	ignored.Flags = index.Ignored
	empty := bep.FileInfo{Name: relpath.MustParse("empty"), Version: version(1, 1), BlockSize: block.MinSize, Blocks: []block.Info{{Hash: block.EmptyHash}}}
	must(f.Update([]index.Record{local(one), local(long), local(copied), local(gone), ignored, local(empty)}))(t)
	check(t, f.UpdateRemote(devA, []bep.FileInfo{file("theirs", 1, 1, version(2, 1))}))

	find := func(g bep.FileInfo, size int64, limit int) []string {
		out := names(must(f.LocalByContent(block.ListHash(g.Blocks), size, limit))(t))
		slices.Sort(out)
		return out
	}
	if d := diff([]string{"dir/small copy", "small"}, find(one, one.Size, 10)); d != "" {
		t.Errorf("one block (-want +got):\n%s", d)
	}
	if d := diff([]string{"large"}, find(long, long.Size, 10)); d != "" {
		t.Errorf("many blocks (-want +got):\n%s", d)
	}
	if got := find(one, one.Size, 1); len(got) != 1 {
		t.Errorf("with limit 1: %v", got)
	}
	if got := find(one, one.Size+1, 10); len(got) != 0 {
		t.Errorf("with another size: %v", got)
	}
	if got := find(empty, 0, 10); len(got) != 0 {
		t.Errorf("empty files are not looked for, got %v", got)
	}
	must(f.Update([]index.Record{local(file("small", 1, 5, version(1, 2))), local(file("theirs", 1, 1, version(2, 1)))}))(t)
	check(t, f.Idle())
	if d := diff([]string{"dir/small copy", "theirs"}, find(one, one.Size, 10)); d != "" {
		t.Errorf("after a change and a pull (-want +got):\n%s", d)
	}
}

func testRange(t *testing.T, open Open) {
	f := openFolder(t, open)
	all := []string{"a", "a/b", "a/b/c", "a/d", "a0", "a-", "a.x", "b", "ä"}
	var recs []index.Record
	for _, name := range all {
		recs = append(recs, local(file(name, 1, 1, version(1, 1))))
	}
	recs = append(recs, local(deleted("a/gone", 1, version(1, 1))))
	recs[1].Flags = index.Ignored
	must(f.Update(recs))(t)
	check(t, f.UpdateRemote(devA, []bep.FileInfo{file("a/theirs", 1, 1, version(2, 1))}))
	for _, test := range []struct {
		dir, after string
		limit      int
		want       []string
	}{
		{"", "", 100, []string{"a", "a-", "a.x", "a/b", "a/b/c", "a/d", "a/gone", "a0", "b", "ä"}},
		{"", "a.x", 2, []string{"a/b", "a/b/c"}},
		{"a", "", 100, []string{"a/b", "a/b/c", "a/d", "a/gone"}},
		{"a", "a/b", 1, []string{"a/b/c"}},
		{"a", "a0", 100, nil},
		{"a/b", "", 100, []string{"a/b/c"}},
		{"c", "", 100, nil},
		{"", "", 0, nil},
	} {
		got := names(must(f.LocalRange(path(test.dir), path(test.after), test.limit))(t))
		if d := diff(test.want, got); d != "" {
			t.Errorf("below %q after %q, at most %d (-want +got):\n%s", test.dir, test.after, test.limit, d)
		}
	}
}

func testNames(t *testing.T, open Open) {
	f := openFolder(t, open)
	ours := []index.Record{local(deleted("a/gone", 1, version(1, 1))), local(file("a/older", 1, 1, version(1, 1)))}
	for _, name := range []string{"a", "a/b/c", "a0", "a-"} {
		ours = append(ours, local(file(name, 1, 1, version(1, 1))))
	}
	must(f.Update(ours))(t)
	check(t, f.ResetRemote(devA, 1))
	check(t, f.UpdateRemote(devA, []bep.FileInfo{
		file("a/new", 1, 1, version(2, 1)), file("a/older", 2, 1, version(1, 1, 2, 1)),
		deleted("a/b/c", 2, version(1, 1, 2, 1)), deleted("a/never", 2, version(2, 1)),
	}))
	for _, test := range []struct {
		dir, after string
		limit      int
		want       []string
	}{
		{"", "", 100, []string{"a", "a-", "a/b/c", "a/new", "a/older", "a0"}},
		{"a", "", 100, []string{"a/b/c", "a/new", "a/older"}},
		{"a", "a/b/c", 1, []string{"a/new"}},
		{"a", "a/older", 100, nil},
		{"a/b", "", 100, []string{"a/b/c"}},
		{"", "", 0, nil},
	} {
		got := paths(must(f.Names(path(test.dir), path(test.after), test.limit))(t))
		if d := diff(test.want, got); d != "" {
			t.Errorf("below %q after %q, at most %d (-want +got):\n%s", test.dir, test.after, test.limit, d)
		}
	}
	if d := diff([]string{"a/b/c", "a/new", "a/older"}, paths(must(f.NeededNames(relpath.Root, 100))(t))); d != "" {
		t.Errorf("needed (-want +got):\n%s", d)
	}
	if d := diff([]string{"a/new"}, paths(must(f.NeededNames(path("a/b/c"), 1))(t))); d != "" {
		t.Errorf("needed, one after a name (-want +got):\n%s", d)
	}
}

func paths(list []relpath.Path) []string {
	var out []string
	for _, p := range list {
		out = append(out, p.String())
	}
	return out
}

func path(s string) relpath.Path {
	if s == "" {
		return relpath.Root
	}
	return relpath.MustParse(s)
}

package indextest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/device"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
)

func testEmpty(t *testing.T, open Open) {
	f := openFolder(t, open)
	if f.IndexID() == 0 {
		t.Error("the index ID is 0")
	}
	if f.Sequence() != 0 {
		t.Errorf("the sequence is %d, want 0", f.Sequence())
	}
	if d := diff(index.Counts{}, must(f.Counts())(t)); d != "" {
		t.Errorf("counts (-want +got):\n%s", d)
	}
	if _, ok, err := f.Local(relpath.MustParse("a")); ok || err != nil {
		t.Errorf("Local of a name nobody has gives %v, %v", ok, err)
	}
	if got := must(f.Needed(relpath.Root, 10))(t); len(got) != 0 {
		t.Errorf("Needed gives %v", got)
	}
	if got := must(f.Remote(devA))(t); got != (index.PeerState{}) {
		t.Errorf("Remote of an unknown device gives %v", got)
	}
}

func testFoldersApart(t *testing.T, open Open) {
	s := openStore(t, open)
	defer s.Close()
	f, g := folderOf(t, s, "one"), folderOf(t, s, "two/../strange \"id\"")
	must(f.Update([]index.Record{local(file("a", 1, 1, version(1, 1)))}))(t)
	if f.IndexID() == g.IndexID() {
		t.Error("two folders have one index ID")
	}
	if _, ok, _ := g.Local(relpath.MustParse("a")); ok || g.Sequence() != 0 {
		t.Error("a record of one folder is seen in the other")
	}
	if again := folderOf(t, s, "one"); again.Sequence() != 1 {
		t.Errorf("the folder opened twice has sequence %d, want 1", again.Sequence())
	}
}

func testDrop(t *testing.T, open Open) {
	s := openStore(t, open)
	defer s.Close()
	f := folderOf(t, s, "docs")
	before := f.IndexID()
	must(f.Update([]index.Record{local(file("a", 1, 1, version(1, 1)))}))(t)
	check(t, s.Drop("docs"))
	check(t, s.Drop("never there"))
	if _, err := f.Update(nil); !errors.Is(err, index.ErrClosed) {
		t.Errorf("Update of a dropped folder gives %v, want ErrClosed", err)
	}
	g := folderOf(t, s, "docs")
	if g.IndexID() == before || g.Sequence() != 0 {
		t.Errorf("the dropped folder came back with index ID %v and sequence %d", g.IndexID(), g.Sequence())
	}
}

func testClosed(t *testing.T, open Open) {
	s := openStore(t, open)
	f := folderOf(t, s, "docs")
	check(t, s.Close())
	check(t, s.Close())
	p := relpath.MustParse("a")
	calls := map[string]func() error{
		"Folder":         func() error { _, err := s.Folder("docs"); return err },
		"Drop":           func() error { return s.Drop("docs") },
		"Update":         func() error { _, err := f.Update(nil); return err },
		"UpdateRemote":   func() error { return f.UpdateRemote(devA, nil) },
		"ResetRemote":    func() error { return f.ResetRemote(devA, 1) },
		"DropRemote":     func() error { return f.DropRemote(devA) },
		"RenewIndexID":   func() error { _, err := f.RenewIndexID(); return err },
		"Remote":         func() error { _, err := f.Remote(devA); return err },
		"Remotes":        func() error { _, err := f.Remotes(); return err },
		"Local":          func() error { _, _, err := f.Local(p); return err },
		"Locals":         func() error { _, err := f.Locals(nil); return err },
		"Global":         func() error { _, _, _, err := f.Global(p); return err },
		"RemoteEntry":    func() error { _, _, err := f.RemoteEntry(devA, p); return err },
		"Needed":         func() error { _, err := f.Needed(p, 1); return err },
		"NeededOne":      func() error { _, _, err := f.NeededOne(p); return err },
		"LocalSince":     func() error { _, err := f.LocalSince(0, 1); return err },
		"LocalRange":     func() error { _, err := f.LocalRange(p, p, 1); return err },
		"Names":          func() error { _, err := f.Names(p, p, 1); return err },
		"NeededNames":    func() error { _, err := f.NeededNames(p, 1); return err },
		"LocalBySize":    func() error { _, err := f.LocalBySize(1, 1); return err },
		"LocalByContent": func() error { _, err := f.LocalByContent([32]byte{}, 1, 1); return err },
		"Availability":   func() error { _, err := f.Availability(p); return err },
		"Counts":         func() error { _, err := f.Counts(); return err },
		"RemoteNeed":     func() error { _, err := f.RemoteNeed(devA); return err },
		"RemoteNeeded":   func() error { _, err := f.RemoteNeeded(devA, p, 1); return err },
		"RemoteDeleted":  func() error { _, err := f.RemoteDeleted(devA, p, 1); return err },
		"Meta":           func() error { _, err := f.Meta("k"); return err },
		"SetMeta":        func() error { return f.SetMeta("k", "v") },
		"Barrier":        func() error { return f.Barrier() },
		"Idle":           func() error { return f.Idle() },
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, index.ErrClosed) {
			t.Errorf("%s after Close gives %v, want ErrClosed", name, err)
		}
	}
	check(t, f.Close())
}

func testReopen(t *testing.T, open Open) {
	s := openStore(t, open)
	f := folderOf(t, s, "docs")
	ours, theirs := local(file("a", 3, 1, version(1, 5))), file("b", 2, 2, version(2, 6))
	theirs.Sequence = 40
	must(f.Update([]index.Record{ours}))(t)
	check(t, f.ResetRemote(devA, 77))
	check(t, f.UpdateRemote(devA, []bep.FileInfo{theirs}))
	id := must(f.RenewIndexID())(t)
	counts := must(f.Counts())(t)
	check(t, s.Close())

	g := openFolder(t, open)
	if g.IndexID() != id || g.Sequence() != 1 {
		t.Errorf("index ID %v and sequence %d, want %v and 1", g.IndexID(), g.Sequence(), id)
	}
	if got := must(g.Remote(devA))(t); got != (index.PeerState{IndexID: 77, MaxSequence: 40}) {
		t.Errorf("the device's state is %v", got)
	}
	if d := diff(counts, must(g.Counts())(t)); d != "" {
		t.Errorf("counts (-want +got):\n%s", d)
	}
	ours.Sequence = 1
	got, _, err := g.Local(ours.Name)
	check(t, err)
	if d := diff(ours, got); d != "" {
		t.Errorf("our record (-want +got):\n%s", d)
	}
}

func testSequences(t *testing.T, open Open) {
	f := openFolder(t, open)
	first := must(f.Update([]index.Record{local(file("b", 1, 1, version(1, 1))), local(file("a", 1, 1, version(1, 1)))}))(t)
	second := must(f.Update([]index.Record{local(file("b", 1, 2, version(1, 2)))}))(t)
	if first != 2 || second != 3 || f.Sequence() != 3 {
		t.Errorf("sequences %d, %d, %d, want 2, 3, 3", first, second, f.Sequence())
	}
	if none := must(f.Update(nil))(t); none != 3 {
		t.Errorf("an empty update gives %d, want 3", none)
	}
	got := must(f.LocalSince(0, 10))(t)
	if d := diff([]string{"a", "b"}, names(got)); d != "" {
		t.Errorf("records by sequence (-want +got):\n%s", d)
	}
	if got[0].Sequence != 2 || got[1].Sequence != 3 {
		t.Errorf("sequences %d, %d, want 2, 3", got[0].Sequence, got[1].Sequence)
	}
	if d := diff([]string{"b"}, names(must(f.LocalSince(2, 10))(t))); d != "" {
		t.Errorf("records after 2 (-want +got):\n%s", d)
	}
}

func testLocalFacts(t *testing.T, open Open) {
	f := openFolder(t, open)
	r := local(file("a", 1, 1, version(1, 1)))
	r.Flags = index.MustRescan
	r.Stamp = index.Stamp{Inode: 1 << 63, Ctime: -5, Mtime: 1 << 60, Size: 12, Mode: 0o640}
	must(f.Update([]index.Record{r}))(t)
	check(t, f.UpdateRemote(devA, []bep.FileInfo{r.FileInfo}))
	r.Sequence = 1
	got, ok, err := f.Local(r.Name)
	check(t, err)
	if d := diff(r, got); !ok || d != "" {
		t.Errorf("our record (-want +got):\n%s", d)
	}
	r.Flags, r.Stamp = 0, index.Stamp{Inode: 2}
	must(f.Update([]index.Record{r}))(t)
	got, _, err = f.Local(r.Name)
	check(t, err)
	r.Sequence = 2
	if d := diff(r, got); d != "" {
		t.Errorf("our record with other flags (-want +got):\n%s", d)
	}
}

func testInvalidFromFlags(t *testing.T, open Open) {
	f := openFolder(t, open)
	for flags, invalid := range map[index.Flags]bool{
		0: false, index.MustRescan: false, index.Returned: false, index.Ignored: true, index.ReceiveOnly: true,
		index.Unsupported: true, index.Ignored | index.MustRescan: true,
	} {
		r := local(file("a", 1, 1, version(1, 1)))
		r.Flags, r.Invalid = flags, !invalid
		must(f.Update([]index.Record{r}))(t)
		got, _, err := f.Local(r.Name)
		check(t, err)
		if got.Invalid != invalid || got.Flags != flags {
			t.Errorf("flags %b: got invalid %v and flags %b, want %v", flags, got.Invalid, got.Flags, invalid)
		}
	}
}

func testNoAliasing(t *testing.T, open Open) {
	f := openFolder(t, open)
	r := local(file("a", 2, 1, version(1, 1)))
	recs := []index.Record{r}
	must(f.Update(recs))(t)
	want, _, err := f.Local(r.Name)
	check(t, err)
	r.Version[0].Value, r.Blocks[0].Size, r.BlocksHash[0] = 99, 99, 99
	got, _, err := f.Local(r.Name)
	check(t, err)
	if d := diff(want, got); d != "" {
		t.Errorf("changing what was given changed the index (-want +got):\n%s", d)
	}
	got.Version[0].Value, got.Blocks[0].Hash[0], got.BlocksHash[0] = 99, 99, 99
	again, _, err := f.Local(r.Name)
	check(t, err)
	if d := diff(want, again); d != "" {
		t.Errorf("changing what was returned changed the index (-want +got):\n%s", d)
	}
}

func testAllFields(t *testing.T, open Open) {
	f := openFolder(t, open)
	entries := []bep.FileInfo{
		{
			Name: relpath.MustParse("ä/full"), Size: 300000, Permissions: 0o751, ModifiedS: -62135596800,
			ModifiedNs: 999999999, NoPermissions: true, Version: version(1, 1<<62, 1<<63, 3), ModifiedBy: 1 << 63,
			BlockSize: block.MinSize, Blocks: blocks(3, 9), BlocksHash: []byte("not the hash of the list at all!"),
			PreviousBlocksHash: []byte("whatever"), Platform: []byte{1, 2, 3}, Encrypted: []byte{4, 5},
		},
		{Name: relpath.MustParse("link"), Type: bep.TypeSymlink, SymlinkTarget: "../\xff\x00 odd", NoPermissions: true, Version: version(3, 4)},
		directory("dir", version(3, 5)),
		deleted("gone", 3, version(3, 6)),
		{Name: relpath.MustParse("invalid"), Invalid: true, Version: version(3, 7), Type: bep.TypeDirectory},
		{
			Name: relpath.MustParse("uneven"), Size: 30, Version: version(3, 8), BlockSize: block.MinSize,
			Blocks: []block.Info{{Size: 10}, {Offset: 10, Size: 5}, {Offset: 15, Size: 15}},
		},
		{
			Name: relpath.MustParse("empty"), Version: version(3, 9), BlockSize: block.MinSize,
			Blocks: []block.Info{{Hash: block.EmptyHash}},
		},
		{
			Name: relpath.MustParse("summed"), Size: 8*block.MinSize + 1000, Version: version(3, 10), BlockSize: block.MinSize,
			Blocks: blocks(9, 3), Sums: []block.Sum{1, 1 << 63, 3, 4, 5, 6, 7, 8, 0},
		},
	}
	check(t, f.UpdateRemote(devB, entries))
	for _, want := range entries {
		got, ok, err := f.RemoteEntry(devB, want.Name)
		check(t, err)
		if d := diff(want, got); !ok || d != "" {
			t.Errorf("%s (-want +got):\n%s", want.Name, d)
		}
		g, _, ok, err := f.Global(want.Name)
		check(t, err)
		if d := diff(want, g); !ok || d != "" {
			t.Errorf("global %s (-want +got):\n%s", want.Name, d)
		}
	}
}

func testLongLists(t *testing.T, open Open) {
	f := openFolder(t, open)
	for _, n := range []int{4, 5, 1000} {
		a := local(file(fmt.Sprint("a", n), n, byte(n), version(1, 1)))
		b := a
		b.Name = relpath.MustParse(fmt.Sprint("b", n))
		must(f.Update([]index.Record{a, b}))(t)
		changed := local(file(a.Name.String(), n, byte(n+1), version(1, 2)))
		must(f.Update([]index.Record{changed}))(t)
		check(t, f.Idle()) // may clear what nobody uses
		for _, want := range []index.Record{changed, b} {
			got, _, err := f.Local(want.Name)
			check(t, err)
			want.Sequence = got.Sequence
			if d := diff(want, got); d != "" {
				t.Errorf("%s (-want +got):\n%s", want.Name, d)
			}
		}
	}
}

func testOwnBodyStays(t *testing.T, open Open) {
	f := openFolder(t, open)
	ours := local(file("a", 1, 1, version(1, 1)))
	ours.Permissions, ours.Platform = 0o600, []byte("ours")
	theirs := file("a", 1, 1, version(1, 1))
	theirs.NoPermissions, theirs.Platform = true, []byte("theirs")
	must(f.Update([]index.Record{ours}))(t)
	check(t, f.UpdateRemote(devA, []bep.FileInfo{theirs}))
	ours.Sequence = 1
	got, _, err := f.Local(ours.Name)
	check(t, err)
	if d := diff(ours, got); d != "" {
		t.Errorf("our record (-want +got):\n%s", d)
	}
	g, needed, _, err := f.Global(ours.Name)
	check(t, err)
	if needed || g.Permissions != 0o600 {
		t.Errorf("the global version has permissions %o and needed %v, want 600 and false", g.Permissions, needed)
	}
}

func testForeignBlocksHash(t *testing.T, open Open) {
	f := openFolder(t, open)
	ours, theirs := file("a", 2, 1, version(1, 1)), file("a", 2, 1, version(1, 1))
	theirs.BlocksHash = []byte("an older way of hashing a list..")
	check(t, f.UpdateRemote(devA, []bep.FileInfo{theirs}))
	got, _, err := f.RemoteEntry(devA, theirs.Name)
	check(t, err)
	if d := diff(theirs, got); d != "" {
		t.Errorf("their entry (-want +got):\n%s", d)
	}
	check(t, f.UpdateRemote(devB, []bep.FileInfo{ours}))
	if got := must(f.Availability(ours.Name))(t); !slices.Equal(got, []device.ID{devA, devB}) {
		t.Errorf("the version is at %v, want both devices", got)
	}
	must(f.Update([]index.Record{local(theirs)}))(t)
	found := must(f.LocalByContent(block.ListHash(ours.Blocks), ours.Size, 5))(t)
	if d := diff([]string{"a"}, names(found)); d != "" {
		t.Errorf("found by content (-want +got):\n%s", d)
	}
	if d := diff([]string{"a"}, names(must(f.LocalBySize(ours.Size, 5))(t))); d != "" {
		t.Errorf("found by size (-want +got):\n%s", d)
	}
	for _, none := range []int64{0, ours.Size + 1} {
		if found := must(f.LocalBySize(none, 5))(t); len(found) > 0 {
			t.Errorf("%v found for size %d", names(found), none)
		}
	}
}

func testMeta(t *testing.T, open Open) {
	f := openFolder(t, open)
	if got := must(f.Meta("seq"))(t); got != "" {
		t.Errorf("a key never set gives %q", got)
	}
	check(t, f.SetMeta("seq", "über"))
	check(t, f.SetMeta("other", "x"))
	check(t, f.SetMeta("other", ""))
	if a, b := must(f.Meta("seq"))(t), must(f.Meta("other"))(t); a != "über" || b != "" {
		t.Errorf("facts are %q and %q", a, b)
	}
	if f.Sequence() != 0 {
		t.Errorf("a fact changed the sequence to %d", f.Sequence())
	}
}

// Package indextest is what every index.Store has to do, as tests. The state
// machine in it compares a store with a model that keeps plain lists and
// computes every answer anew.
package indextest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/device"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/vector"
)

// Open opens the store of one home; after the store is closed it may be
// called again, and finds what was stored.
type Open func() (index.Store, error)

// Run runs the whole suite. newHome makes an empty home; its store belongs to
// Self.
func Run(t *testing.T, newHome func(t *testing.T) Open) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, Open)
	}{
		{"an empty folder has an index ID and nothing else", testEmpty},
		{"a store keeps folders apart", testFoldersApart},
		{"a dropped folder starts anew with another index ID", testDrop},
		{"a closed store refuses everything", testClosed},
		{"everything is there after the store was opened again", testReopen},
		{"sequences rise by one with each local record", testSequences},
		{"a restamped record keeps its place", testRestamp},
		{"a restamp that would tell others something is refused", testRestampRefuses},
		{"a local record keeps its flags and its stamp", testLocalFacts},
		{"invalid follows from the flags", testInvalidFromFlags},
		{"what is given and what is returned is the caller's", testNoAliasing},
		{"every field of an entry is kept", testAllFields},
		{"long block lists are kept and shared", testLongLists},
		{"our own permissions stay when others announce the version", testOwnBodyStays},
		{"the supplied blocks hash is kept and not believed", testForeignBlocksHash},
		{"need is what others have and we lack", testNeed},
		{"a remote's highest sequence is kept until a reset", testPeerState},
		{"a remote's entries are counted where there are many", testAnnounced},
		{"a reset forgets one device's entries alone", testReset},
		{"one device too many is refused and nothing changes", testTooManyDevices},
		{"a dropped device makes room for another", testSlotReuse},
		{"our files are found by their content", testByContent},
		{"a directory is listed without its neighbours", testRange},
		{"names are listed without what is deleted", testNames},
		{"a page of very long files ends early", testLongPages},
		{"sequences of a new run stand apart", testRuns},
		{"facts are kept by key", testMeta},
		{"a rebuilt index keeps our own records and nothing else", testRebuild},
		{"there is nothing to rebuild of a folder without an index", testRebuildNothing},
		{"what an index lost is noted until it is whole", testLose},
		{"maintenance changes nothing that is seen", testMaintain},
		{"the versions of others are told apart", testVersions},
		{"what others show to be lost here is disputed", testDisputed},
		{"our conflict copies are known by their names", testConflicts},
		{"the index agrees with a model of it", testModel},
		{"readers see whole transactions while a writer works", testConcurrent},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, newHome(t)) })
	}
}

// The devices of the tests, not in the order in which they come to an index.
var (
	devA = device.ID{0x10, 1}
	devB = device.ID{0x90, 2}
	devC = device.ID{0x50, 3}
)

var equal = cmp.Options{
	cmpopts.EquateEmpty(),
	cmp.Comparer(func(a, b relpath.Path) bool { return a == b }),
}

func diff(want, got any) string { return cmp.Diff(want, got, equal) }

func openStore(t testing.TB, open Open) index.Store {
	t.Helper()
	s, err := open()
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return s
}

// openFolder opens the folder of most tests; the store is closed at the end.
func openFolder(t testing.TB, open Open) index.Folder {
	t.Helper()
	s := openStore(t, open)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return folderOf(t, s, "docs")
}

func folderOf(t testing.TB, s index.Store, id bep.FolderID) index.Folder {
	t.Helper()
	f, err := s.Folder(id)
	if err != nil {
		t.Fatalf("Folder(%q): %v", id, err)
	}
	return f
}

func must[T any](v T, err error) func(t rapid.TB) T {
	return func(t rapid.TB) T {
		t.Helper()
		if err != nil {
			t.Fatalf("error: %v", err)
		}
		return v
	}
}

func check(t rapid.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("error: %v", err)
	}
}

// version makes a vector from pairs of short ID and value.
func version(pairs ...uint64) vector.Vector {
	var v vector.Vector
	for i := 0; i < len(pairs); i += 2 {
		v = append(v, vector.Counter{ID: pairs[i], Value: pairs[i+1]})
	}
	return v
}

// file makes an entry with n blocks whose content follows from seed.
func file(name string, n int, seed byte, v vector.Vector) bep.FileInfo {
	f := bep.FileInfo{
		Name: relpath.MustParse(name), Permissions: 0o644, ModifiedS: int64(seed), ModifiedNs: 7,
		Version: v, ModifiedBy: 1, BlockSize: block.MinSize, Blocks: blocks(n, seed),
	}
	for _, b := range f.Blocks {
		f.Size += int64(b.Size)
	}
	h := block.ListHash(f.Blocks)
	f.BlocksHash = h[:]
	return f
}

// blocks makes a list whose last block is short.
func blocks(n int, seed byte) []block.Info {
	var list []block.Info
	for i := range n {
		b := block.Info{Offset: int64(i) * block.MinSize, Size: block.MinSize}
		if i == n-1 {
			b.Size = 1000
		}
		b.Hash = block.Hash{seed, byte(i), byte(i >> 8), 1}
		list = append(list, b)
	}
	return list
}

func deleted(name string, seed byte, v vector.Vector) bep.FileInfo {
	return bep.FileInfo{Name: relpath.MustParse(name), Deleted: true, ModifiedS: int64(seed), Version: v}
}

func directory(name string, v vector.Vector) bep.FileInfo {
	return bep.FileInfo{Name: relpath.MustParse(name), Type: bep.TypeDirectory, Permissions: 0o755, Version: v}
}

func local(f bep.FileInfo) index.Record { return index.Record{FileInfo: f} }

func names(recs []index.Record) []string {
	var out []string
	for i := range recs {
		out = append(out, recs[i].Name.String())
	}
	return out
}

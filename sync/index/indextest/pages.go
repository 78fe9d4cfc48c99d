package indextest

import (
	"fmt"
	"testing"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
)

// testLongPages has six files of 40,000 blocks each, announced by others and
// our own: a page holds a few of them, and following pages hold the rest.
func testLongPages(t *testing.T, open Open) {
	f := openFolder(t, open)
	const files, blocks, most = 6, 40_000, 3
	list := make([]block.Info, blocks)
	for i := range list {
		list[i] = block.Info{Offset: int64(i) * block.MinSize, Size: block.MinSize}
	}
	long := func(i int, id uint64) bep.FileInfo {
		return bep.FileInfo{
			Name: relpath.MustParse(fmt.Sprintf("f%d", i)), Size: blocks * block.MinSize, BlockSize: block.MinSize, Blocks: list,
			Version: version(id, 1), Sequence: int64(i + 1),
		}
	}
	for i := range files {
		must(f.Update([]index.Record{{FileInfo: long(i, 1)}}))(t)
		newer := long(i, 1)
		newer.Version, newer.ModifiedS = version(1, 1, 2, 1), 1
		check(t, f.UpdateRemote(devB, []bep.FileInfo{newer}))
	}
	pages := map[string]func(last string, seq int64) (names []string, through int64, err error){
		"Needed": func(last string, _ int64) (names []string, _ int64, err error) {
			page, err := f.Needed(after(last), 100)
			for _, n := range page {
				names = append(names, n.Global.Name.String())
			}
			return names, 0, err
		},
		"LocalRange": func(last string, _ int64) (_ []string, _ int64, err error) {
			page, err := f.LocalRange(relpath.Root, after(last), 100)
			return names(page), 0, err
		},
		"LocalSince": func(_ string, seq int64) ([]string, int64, error) {
			page, err := f.LocalSince(seq, 100)
			if len(page) > 0 {
				seq = page[len(page)-1].Sequence
			}
			return names(page), seq, err
		},
	}
	for what, next := range pages {
		var all []string
		last, through := "", int64(0)
		for {
			page, seq, err := next(last, through)
			check(t, err)
			if len(page) == 0 {
				break
			}
			if len(page) > most {
				t.Fatalf("%s: a page holds %d files of %d blocks", what, len(page), blocks)
			}
			all = append(all, page...)
			last, through = page[len(page)-1], seq
		}
		if len(all) != files || all[0] != "f0" || all[files-1] != "f5" {
			t.Errorf("%s: the pages hold %v, want all %d files in order", what, all, files)
		}
	}
}

// after is the place to go on from after a name, the root for "".
func after(name string) relpath.Path {
	if name == "" {
		return relpath.Root
	}
	return relpath.MustParse(name)
}

package pull

import (
	"fmt"
	"math"

	"lanyard/sync/block"
	"lanyard/sync/vector"
)

// The block lists of very large files take megabytes each, and hundreds of
// files may be on their way. So those that are being gathered, and those of them
// that wait for a device, have an account each, which bounds the blocks in their
// lists (Options.MaxLists), though one file always has room; and those that wait
// for their turn let go of a list that is longer than shortList.
const shortList = 1 << 10

// quotaPart is the part of the free space that big files on their way may take
// together once they are whole. Who would take more waits for its turn, so that
// files each of which fits do not fill the disk side by side; one file always
// has its turn, and is held against all of the free space.
const quotaPart = 5

// room is what the files of an account take.
type room struct {
	files int
	lists int   // blocks in their lists
	bytes int64 // of their content
}

func (r *room) add(it *item) {
	r.files, r.lists, r.bytes = r.files+1, r.lists+it.lists, r.bytes+it.want.Size
}

func (r *room) take(it *item) {
	r.files, r.lists, r.bytes = r.files-1, r.lists-it.lists, r.bytes-it.want.Size
}

// fits reports whether there is room for one more file.
func (r *room) fits(it *item, files int, quota int64) bool {
	if r.files == 0 {
		return true
	}
	return r.files < files && r.lists+it.lists <= it.r.o.MaxLists && (it.want.Size <= quota-r.bytes)
}

// setQuota notes how much of the free space, in bytes, files may take.
func (r *round) setQuota(free uint64) {
	r.quota.Store(int64(min(free, math.MaxInt64) / quotaPart))
}

// blocks gives the blocks in an item's lists.
func (it *item) blocks() int {
	n := len(it.want.Blocks)
	if it.need.Local != nil {
		n += len(it.need.Local.Blocks)
	}
	return n
}

// mayGather reports whether there is room for one more big file.
func (r *round) mayGather(it *item) bool { return r.gathered.fits(it, maxFiles, r.quota.Load()) }

// mayBeLate reports whether there is room for one more that waits for a device
// that is behind. These have had their turn: what they take on the disk does not
// grow meanwhile.
func (r *round) mayBeLate(it *item) bool { return r.lateFiles.fits(it, maxLateFiles, math.MaxInt64) }

// letListsGo has an item that is not worked on hold no long list.
func (it *item) letListsGo() {
	if it.letGo || it.lists <= shortList {
		return
	}
	it.letGo, it.list = true, block.ListHash(it.want.Blocks)
	it.want.Blocks, it.want.Sums = nil, nil
	it.same, it.steps = nil, nil
	if rec := it.need.Local; rec != nil {
		short := *rec
		short.Blocks, short.Sums = nil, nil
		it.need.Local = &short
	}
}

// recallLists reads the lists that an item let go of. Where the index tells of
// something else by now the item is stale. It runs on the prep pool.
func (it *item) recallLists() {
	if !it.letGo {
		return
	}
	n, ok, err := it.r.o.Index.NeededOne(it.name())
	if err != nil {
		it.fail(fmt.Errorf("read the blocks of %s: %w", it.name(), err))
		return
	}
	had := it.need.Local
	if !ok || vector.Compare(n.Global.Version, it.want.Version) != vector.Equal || block.ListHash(n.Global.Blocks) != it.list ||
		(had != nil) != (n.Local != nil) || had != nil && had.Sequence != n.Local.Sequence {
		it.stale = true
		return
	}
	it.need.Local, it.need.From, it.letGo = n.Local, n.From, false
	it.want.Blocks, it.want.Sums = n.Global.Blocks, n.Global.Sums
	it.steps = NewSteps(len(it.want.Blocks), it.need.From)
	same, err := it.r.o.contentHere(it.want)
	if err != nil {
		it.fail(err)
		return
	}
	it.same = same[:min(len(same), maxCopied)]
}

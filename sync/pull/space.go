package pull

import (
	"errors"
	"strconv"

	"lanyard/sync/fault"
	"lanyard/sync/fsys"
)

// Space tells what a round left out because the disk is full.
type Space struct {
	// Need is how much has to be free for the smallest of the files left out,
	// in bytes.
	Need uint64
}

// localFault is err as one of a single name, where it is one: a disk that is full or
// fails may still take other names, and deletions make room. Every other fault
// of the folder's stays one.
func localFault(err error) error {
	if fault.KindOf(err) == fault.Folder && (errors.Is(err, fsys.ErrNoSpace) || errors.Is(err, fsys.ErrIO)) {
		return fault.Wrap(fault.Item, fault.CodeOf(err), "", "", err)
	}
	return err
}

// noRoom is why a file is left out that the disk has no room for.
func (it *item) noRoom() error {
	return fault.Wrap(fault.Item, "disk-full", "make room for", it.name().String(), fsys.ErrNoSpace)
}

// missing gives how many bytes of the item are still to be written.
func (it *item) missing() uint64 {
	if it.steps == nil {
		return uint64(max(it.want.Size, 0))
	}
	var n uint64
	for i, b := range it.want.Blocks {
		if !it.steps.Has(i) {
			n += uint64(b.Size)
		}
	}
	return n
}

// checkSize refuses a file that is larger than the whole disk, before anything
// is made for it: holes would let it be made, and nobody could ever fill or copy
// it. It notes what is free for those that are gathered side by side.
func (it *item) checkSize() error {
	free, total, err := it.r.o.FS.Free()
	if err != nil {
		return nil //nolint:nilerr // a disk that cannot tell is tried
	}
	it.r.setQuota(free)
	if total > 0 && uint64(it.want.Size) > total {
		return fault.Wrap(fault.Item, "file-too-large", "make room for", it.name().String(), fsys.ErrTooLarge)
	}
	return nil
}

// checkSpace meets a disk that is too full for this file before the first byte
// is written. Others may fit.
func (it *item) checkSpace() error {
	free, _, err := it.r.o.FS.Free()
	if err != nil {
		return nil //nolint:nilerr // a disk that cannot tell is tried
	}
	if missing := it.missing(); missing > free {
		return fault.With(it.noRoom(), "need", strconv.FormatUint(missing-free, 10), "free", strconv.FormatUint(free, 10))
	}
	return nil
}

// met takes note of an error as soon as it is seen: where a write met the full
// disk, rather than a look at the free space, nothing else of this round is
// begun.
func (r *round) met(err error) {
	if fault.KindOf(err) == fault.Folder && errors.Is(err, fsys.ErrNoSpace) {
		r.full.Store(true)
	}
}

// noteSpace takes an item's failure for lack of space into the result.
func (r *round) noteSpace(it *item) {
	if !errors.Is(it.err, fsys.ErrNoSpace) {
		return
	}
	need := max(it.missing(), 1)
	if r.result.Space == nil || need < r.result.Space.Need {
		r.result.Space = &Space{Need: need}
	}
}

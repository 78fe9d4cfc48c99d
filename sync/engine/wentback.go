package engine

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"lanyard/sync/bep"
	"lanyard/sync/index"
)

// metaFormer lists the index IDs that a folder's index had before, so that what
// a device holds of one of them can be judged by its sequence.
const metaFormer = "former"

// maxFormer is how many of them are kept.
const maxFormer = 16

func (h host) RenewIndex(id bep.FolderID) error {
	f := h.e.folder(id)
	if f == nil || f.index == nil {
		return nil
	}
	h.e.o.Log.Warn("a device holds more of our index than we do; it is sent anew", "folder", string(id))
	if err := noteFormer(f.index); err != nil {
		return fmt.Errorf("note index ID: %w", err)
	}
	if _, err := f.index.RenewIndexID(); err != nil {
		return fmt.Errorf("renew index: %w", err)
	}
	h.e.turn.Post(h.e.configureAll)
	return nil
}

func noteFormer(ix index.Folder) error {
	text, err := ix.Meta(metaFormer)
	if err != nil {
		return err
	}
	ids := append(strings.Fields(text), formerText(ix.IndexID()))
	return ix.SetMeta(metaFormer, strings.Join(ids[max(0, len(ids)-maxFormer):], " "))
}

func formerText(id bep.IndexID) string { return strconv.FormatUint(uint64(id), 16) }

// WentBack takes what a device holds of our index, where that is not what we
// have: it may know of changes that were lost here.
func (h host) WentBack(id bep.FolderID, ix bep.IndexID, seq int64) error {
	f := h.e.folder(id)
	if f == nil || f.index == nil || f.runner == nil {
		return nil
	}
	through, lost, err := lostAfter(f.index, ix, seq)
	if err == nil && lost {
		f.runner.WentBack(through)
	}
	return err
}

// lostAfter gives after which sequence our records were made without knowing
// what a device has of an index of ours; lost is false where it has nothing
// that we do not know. Of an index that we know nothing of everything is lost,
// and what was not made in this run is taken to be from before.
func lostAfter(f index.Folder, ix bep.IndexID, seq int64) (through int64, lost bool, err error) {
	former, err := f.Meta(metaFormer)
	if err != nil {
		return 0, false, err
	}
	runs := f.Runs()
	if ix != f.IndexID() && !slices.Contains(strings.Fields(former), formerText(ix)) {
		return runs[len(runs)-1].After, true, nil
	}
	if runs.Gave(seq) {
		return 0, false, nil
	}
	// The runs since the loss begin at random, and so may be below what was lost:
	// of this run, in which the device was not heard before, all is in question.
	for _, run := range runs {
		if run.Last < seq {
			through = run.Last
		}
	}
	return min(through, runs[len(runs)-1].After), true, nil
}

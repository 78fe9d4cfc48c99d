package engine

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/fault"
	"lanyard/sync/index"
	"lanyard/sync/peer"
	"lanyard/sync/status"
)

// metaFormer lists the index IDs that a folder's index had before, so that what
// a device holds of one of them can be judged by its sequence.
const metaFormer = "former"

// maxFormer is how many of them are kept.
const maxFormer = 16

func noteFormer(ix index.Folder) error {
	text, err := ix.Meta(metaFormer)
	if err != nil {
		return err
	}
	ids := append(strings.Fields(text), formerText(ix.IndexID()))
	return ix.SetMeta(metaFormer, strings.Join(ids[max(0, len(ids)-maxFormer):], " "))
}

// isFormer reports whether an index has the ID, or had it.
func isFormer(f index.Folder, ix bep.IndexID) (bool, error) {
	if ix == f.IndexID() {
		return true, nil
	}
	former, err := f.Meta(metaFormer)
	return slices.Contains(strings.Fields(former), formerText(ix)), err
}

// metaMet lists the devices that a folder's index knew and then forgot, because
// the folder was not shared with them any more: their IDs alone. Where such a
// device is added again, ours is still an index that once knew what it has.
const metaMet = "met"

// maxMet is how many of them are kept.
const maxMet = 64

// noteMet notes that an index knew a device, which is forgotten now.
func noteMet(ix index.Folder, dev device.ID) error {
	state, err := ix.Remote(dev)
	if err != nil || state.IndexID == 0 {
		return err
	}
	text, err := ix.Meta(metaMet)
	if err != nil {
		return err
	}
	met := slices.DeleteFunc(strings.Fields(text), func(s string) bool { return s == dev.String() })
	met = append(met, dev.String())
	return ix.SetMeta(metaMet, strings.Join(met[max(0, len(met)-maxMet):], " "))
}

// wasMet reports whether an index knew a device once.
func wasMet(ix index.Folder, dev device.ID) (bool, error) {
	text, err := ix.Meta(metaMet)
	return slices.Contains(strings.Fields(text), dev.String()), err
}

func formerText(id bep.IndexID) string { return strconv.FormatUint(uint64(id), 16) }

// WentBack takes what a device holds of our index, where that is not what we
// have: it may know of changes that were lost here. Where it does, the index is
// not whole, and says nothing, until it was compared with what others have; and
// where it is the index that we have but not its state, ours gets a new ID: no
// sequence may stand for two entries.
func (h host) WentBack(p *peer.Peer, w peer.WentBack) error {
	id, ix := w.Folder, w.IndexID
	f := h.e.folder(id)
	if f == nil || f.index == nil || f.runner == nil {
		return nil // it is told anew when the folder runs
	}
	through, lost, err := lostAfter(f.index, p.ID(), w)
	switch {
	case err != nil:
		return unlessGivenUp(err)
	case !lost:
		h.e.turn.Post(func() { h.e.configure(p) })
		return nil
	}
	if h.e.extended(p.ID()) == p {
		f.runner.AwaitFormer(p.ID())
	}
	f.runner.WentBack(through, func(err error) {
		if err == nil {
			err = h.e.noteBack(f, ix)
		}
		if err == nil && ix == f.index.IndexID() {
			err = renewIndex(f.index)
		}
		if err != nil {
			h.e.o.Log.Warn("note that the index went back", "folder", string(id), "error", err)
			p.Close("")
			return
		}
		h.e.turn.Post(h.e.configureAll)
		h.e.touch()
	})
	return nil
}

// renewIndex draws a new ID for an index.
func renewIndex(ix index.Folder) error {
	if err := noteFormer(ix); err != nil {
		return fmt.Errorf("note index ID: %w", err)
	}
	if _, err := ix.RenewIndexID(); err != nil {
		return fmt.Errorf("renew index: %w", err)
	}
	return nil
}

// lostAfter gives after which sequence our records were made without knowing
// what a device has of an index of ours; lost is false where it has nothing
// that we do not know. Of an index that we know nothing of everything is lost.
// Ours may be an earlier one, in which what was not made in this run is taken to
// be from before; or it came after that one, and knows the device as little as
// it was known to it: then nothing in it is from before, in whichever run it was
// made. A device that was removed here and added again was known to it.
func lostAfter(f index.Folder, dev device.ID, w peer.WentBack) (through int64, lost bool, err error) {
	seq := w.Sequence
	former, err := isFormer(f, w.IndexID)
	if err != nil {
		return 0, false, err
	}
	met := !w.Unmet
	if !former && !met {
		if met, err = wasMet(f, dev); err != nil {
			return 0, false, err
		}
	}
	runs := f.Runs()
	switch {
	case !former && !met:
		return 0, true, nil
	case !former:
		return runs[len(runs)-1].After, true, nil
	case runs.Gave(seq):
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

// noteBack notes that a folder of this device went back to an earlier state. An
// index that was never ours was lost, or was that of a folder which was removed:
// then it is made anew, and nothing says that the device went back.
func (e *Engine) noteBack(f *folderEntry, ix bep.IndexID) error {
	former, err := isFormer(f.index, ix)
	if err == nil && former {
		e.setBack(f.spec.ID, true)
	}
	return err
}

func (e *Engine) setBack(id bep.FolderID, back bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if back {
		e.back[id] = true
	} else {
		delete(e.back, id)
	}
}

// catchingUp tells that this device went back to an earlier state, as long as
// one of its folders has not caught up with the others since.
func (e *Engine) catchingUp(folders []status.Folder) []status.Problem {
	for _, f := range folders {
		if entry := e.folder(bep.FolderID(f.ID)); f.InSync && entry != nil && entry.index != nil {
			if _, lost := entry.index.Recovery(); !lost {
				e.setBack(bep.FolderID(f.ID), false)
			}
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.back) == 0 {
		return []status.Problem{}
	}
	return []status.Problem{*problemOf(fault.New(fault.Retry, "restored-backup", "other devices know of later changes that this one made"))}
}

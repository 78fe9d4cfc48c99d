package engine

import (
	"context"
	"slices"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/fault"
	"lanyard/sync/folder"
	"lanyard/sync/status"
)

// choices lists what may be chosen for so many files that stand here and on a
// device with different content: the one of this device only where the other one
// is known to keep what is replaced there.
func (e *Engine) choices(dev device.ID, differ int64) []status.Keep {
	if differ == 0 || differ > folder.MaxRivals {
		return []status.Keep{status.KeepBoth}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if p := e.peers[dev]; p == nil || !p.extended {
		return []status.Keep{status.KeepBoth, status.KeepTheirs}
	}
	return []status.Keep{status.KeepBoth, status.KeepMine, status.KeepTheirs}
}

// Choose notes what is to become of the files that differ when a folder that a
// device offers is joined at a path, which comes after it: with status.KeepMine
// ours replace those of the device, with KeepTheirs its replace ours, and either
// way what is replaced is an old version there. A choice that is none of a preview's is a
// fault of the item. It compares the two as Preview
// does; what is changed from then on is not covered, and both versions of it are
// kept. token, unless empty, stands for what a person saw: done is false where
// that is something else by now, and nothing was noted. The choice is durable when
// it returns; a later one takes its place, and KeepBoth takes it back.
func (e *Engine) Choose(ctx context.Context, dev device.ID, id bep.FolderID, path string, keep status.Keep, token string) (done bool, err error) {
	if keep == status.KeepBoth {
		return true, e.noteChoice(id, keep, nil)
	}
	var rivals []folder.Rival
	p, err := e.compare(ctx, dev, id, path, func(r folder.Rival) {
		if len(rivals) <= folder.MaxRivals {
			rivals = append(rivals, r)
		}
	})
	switch {
	case err != nil:
		return false, err
	case token != "" && token != p.Token:
		return false, nil
	case p.Differ > 0 && !slices.Contains(p.Choices, keep):
		return false, fault.New(fault.Item, "", "the device is not known to keep what would be replaced there, or more than %d files differ", folder.MaxRivals)
	}
	return true, e.noteChoice(id, keep, rivals)
}

// noteChoice keeps a choice in the index of a folder that is not joined yet, which
// knows nothing else: what is left of an earlier one goes.
func (e *Engine) noteChoice(id bep.FolderID, keep status.Keep, rivals []folder.Rival) error {
	noted := make(chan error, 1)
	posted := e.turn.Post(func() {
		if e.folder(id) != nil {
			noted <- fault.New(fault.Item, "", "the folder is joined already")
			return
		}
		err := e.o.Store.Drop(id)
		if err == nil && len(rivals) > 0 {
			ix, openErr := e.o.Store.Folder(id)
			if err = openErr; err == nil {
				err = folder.Choose(ix, keep, rivals)
			}
		}
		noted <- err
	})
	if posted {
		select {
		case err := <-noted:
			return err
		case <-e.ctx.Done(): // what was posted may have been dropped
		}
	}
	return fault.New(fault.Retry, "", "the engine is stopping")
}

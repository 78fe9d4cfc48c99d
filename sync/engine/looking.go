package engine

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/fault"
	"lanyard/sync/folder"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/peer"
	"lanyard/sync/status"
)

// looking is an offer that a person wants to see more of: the device is asked
// for its index as one that shares the folder is, and what comes is kept apart
// until the look is over. The fields are set once.
type looking struct {
	dev   device.ID
	index index.Folder
}

// silence is how long a device that sends its index may pause before what came
// counts as all that comes: a Syncthing may have given its highest sequence to an
// entry that it does not send.
const silence = 5 * time.Second

// maxLooked is how many entries are compared at most.
const maxLooked = 5_000_000

// Preview compares what stands at a path, an absolute one, with a folder that a
// device offers. It asks the device for its index, keeps that apart, and forgets it again: what
// is on the disk, in the indexes of folders and desired stays as it is.
func (e *Engine) Preview(ctx context.Context, dev device.ID, id bep.FolderID, path string) (status.Preview, error) {
	return e.compare(ctx, dev, id, path, nil)
}

// compare is Preview; rival is called with each file of which a version can be
// chosen.
func (e *Engine) compare(ctx context.Context, dev device.ID, id bep.FolderID, path string, rival func(folder.Rival)) (out status.Preview, err error) {
	spec := FolderSpec{ID: id, Path: path}
	select {
	case e.previewing <- struct{}{}: // one at a time
	case <-ctx.Done():
		return out, context.Cause(ctx)
	}
	defer func() { <-e.previewing }()
	disk, err := e.placeOf(spec)
	if err != nil {
		return out, err
	}
	if disk != nil {
		defer disk.Close() // only read from: nothing is lost with the error
	}
	store, drop, err := e.o.Scratch()
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, drop()) }()
	theirs, err := store.Folder(spec.ID)
	if err != nil {
		return out, err
	}
	complete, err := e.look(ctx, spec.ID, looking{dev, theirs})
	if err != nil {
		return out, err
	}
	out, err = folder.Preview(ctx, disk, theirs, e.o.Hash, rival)
	out.Folder, out.Device, out.Path, out.Complete = string(spec.ID), dev.String(), spec.Path, complete
	out.Choices = e.choices(dev, out.Differ)
	return out, err
}

// placeOf opens what stands at a path, nil where there is nothing.
func (e *Engine) placeOf(spec FolderSpec) (fsys.FS, error) {
	disk, err := e.o.OpenRoot(spec)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return disk, err
}

// look has a device tell its index of a folder that it offers, and reports
// whether it told all that it has.
func (e *Engine) look(ctx context.Context, id bep.FolderID, l looking) (complete bool, err error) {
	p := e.peer(l.dev)
	if p == nil {
		return false, fault.New(fault.Retry, "", "the device is not connected")
	}
	e.mu.Lock()
	_, offered := e.offers[offerKey{l.dev, id}]
	if offered {
		e.looking[id] = l
	}
	e.mu.Unlock()
	if !offered {
		return false, fault.New(fault.Retry, "", "the device does not offer this folder any more")
	}
	e.turn.Post(func() { e.configure(p) })
	defer func() {
		e.mu.Lock()
		delete(e.looking, id)
		e.mu.Unlock()
		// The device hears of the end before another look begins: to one that
		// follows at once it would tell nothing, having told all of it.
		ended := make(chan struct{})
		if e.turn.Post(func() { e.configure(p); close(ended) }) {
			<-ended
		}
	}()
	return e.told(ctx, p, id, l)
}

// told waits until a device has told its index, or seems to.
func (e *Engine) told(ctx context.Context, p *peer.Peer, id bep.FolderID, l looking) (complete bool, err error) {
	quiet := time.NewTimer(silence)
	defer quiet.Stop()
	var before index.PeerState
	for {
		changed := e.Changed()
		state, err := l.index.Remote(l.dev)
		if err != nil {
			return false, err
		}
		if state != before {
			before = state
			quiet.Reset(silence)
		}
		c, err := l.index.Counts()
		if err != nil || c.Global.Files+c.Global.Dirs+c.Global.Links+c.Global.Deleted > maxLooked {
			return false, cmp.Or(err, fault.New(fault.Peer, "", "the device announces more than %d names", maxLooked))
		}
		if e.peer(l.dev) != p {
			return false, fault.New(fault.Retry, "", "the device is not connected any more")
		}
		shares := p.Shares()
		i := slices.IndexFunc(shares, func(f peer.RemoteFolder) bool { return f.ID == id })
		switch {
		case i < 0:
			return false, fault.New(fault.Retry, "", "the device does not offer this folder any more")
		case shares[i].Stopped:
			return false, fault.New(fault.Retry, "", "the folder is paused on the device")
		}
		// How far its index reaches was said when the device began to share the
		// folder, which may have been before it was scanned: what it offers is
		// counted anew.
		reached := state.IndexID != 0 && state.IndexID == shares[i].IndexID && state.MaxSequence >= shares[i].MaxSequence
		if reached && c.Global.Files >= e.filesOffered(l.dev, id) {
			return true, nil
		}
		select {
		case <-ctx.Done():
			return false, context.Cause(ctx)
		case <-quiet.C:
			return reached, nil
		case <-changed:
		}
	}
}

// storeLooked stores what a device tells of a folder that is looked at. A failure
// is not the device's, and ends the look alone: nothing more comes in.
func (e *Engine) storeLooked(l index.Folder, dev device.ID, m *bep.Index) {
	for files := range slices.Chunk(m.Files, l.Batch()) {
		if err := l.UpdateRemote(dev, files); err != nil {
			e.o.Log.Warn("preview", "folder", string(m.Folder), "error", err)
			return
		}
		e.touch()
	}
}

// lookedAt gives where what a device tells of a folder goes that is only looked
// at, nil where it is not.
func (e *Engine) lookedAt(dev device.ID, id bep.FolderID) index.Folder {
	e.mu.Lock()
	defer e.mu.Unlock()
	if l, ok := e.looking[id]; ok && l.dev == dev && e.folders[id] == nil {
		return l.index
	}
	return nil
}

// lookingAt is what we look at of a device, as our ClusterConfig tells it.
func (e *Engine) lookingAt(dev device.ID) []peer.LocalFolder {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []peer.LocalFolder
	for _, id := range sortedFolders(e.looking) {
		if l := e.looking[id]; l.dev == dev && e.folders[id] == nil {
			out = append(out, peer.LocalFolder{
				ID: id, Looking: true, IndexID: l.index.IndexID(), Devices: []bep.Device{{ID: dev}},
			})
		}
	}
	return out
}

// filesOffered gives how many files a device says that there are of a folder, 0
// where it does not.
func (e *Engine) filesOffered(dev device.ID, id bep.FolderID) int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.offers[offerKey{dev, id}].files
}

package engine

import (
	"errors"
	"slices"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/fault"
	"lanyard/sync/folder"
	"lanyard/sync/index"
	"lanyard/sync/peer"
	"lanyard/sync/relpath"
	"lanyard/sync/vector"
)

// A device whose index of a folder begins anew may have lost what it announced
// before. Before we forget that, we tell it: see bep.Epoch.

// tellFormer tells a device what it had announced for a folder, where its index
// was another one until now.
func (e *Engine) tellFormer(f *folderEntry, dev device.ID, now bep.IndexID) {
	p := e.extended(dev)
	state, err := f.index.Remote(dev)
	if p == nil || err != nil || state.IndexID == 0 || now == 0 || state.IndexID == now {
		return
	}
	entries, err := formerEntries(f.index, dev)
	if err != nil {
		e.o.Log.Warn("a device is not told what it had", "folder", string(f.spec.ID), "device", dev.Short().String(), "error", err)
		return
	}
	m := bep.Epoch{Folder: f.spec.ID, IndexID: now}
	size := 0
	for i := range entries {
		if size += entries[i].Len(); size > bep.EpochBody {
			p.Tell(m.Extension())
			m.Entries, size = nil, entries[i].Len()
		}
		m.Entries = append(m.Entries, entries[i])
	}
	m.Done = true
	p.Tell(m.Extension())
}

// extended gives the conversation with a device that speaks our extensions, nil
// where there is none.
func (e *Engine) extended(dev device.ID) *peer.Peer {
	e.mu.Lock()
	defer e.mu.Unlock()
	if entry := e.peers[dev]; entry != nil && entry.extended && !entry.ending {
		return entry.peer
	}
	return nil
}

// formerEntries lists what a device announced, where that is not what we have.
// One of the two is not the global version then, or the device deleted what we
// never had, or had deleted in another version: that is told where there is room
// for it. A device whose clock stood ahead gives an earlier counter than that of its
// deletion to what it makes next, and does not know which of the two is the later.
func formerEntries(ix index.Folder, dev device.ID) ([]bep.EpochEntry, error) {
	names, err := apart(ix, dev)
	switch {
	case err != nil:
		return nil, err
	case len(names) > folder.MaxFormer:
		return nil, errTooMuch
	}
	out, err := unlikeOurs(ix, dev, names)
	if err != nil {
		return nil, err
	}
	gone, err := deleted(ix, dev, folder.MaxFormer-len(names))
	if err != nil {
		return nil, err
	}
	gone = slices.DeleteFunc(gone, func(p relpath.Path) bool {
		_, listed := slices.BinarySearchFunc(names, p, relpath.Path.Compare)
		return listed
	})
	more, err := unlikeOurs(ix, dev, gone)
	if err != nil || bytesOf(out)+bytesOf(more) > folder.MaxFormerBytes {
		return out, err
	}
	return append(out, more...), nil
}

// unlikeOurs gives what a device announced for names, where that is another
// version than ours.
func unlikeOurs(ix index.Folder, dev device.ID, names []relpath.Path) ([]bep.EpochEntry, error) {
	var out []bep.EpochEntry
	for _, p := range names {
		theirs, _, err := ix.RemoteEntry(dev, p)
		if err != nil {
			return nil, err
		}
		ours, _, err := ix.Local(p)
		if err != nil {
			return nil, err
		}
		if vector.Compare(theirs.Version, ours.Version) != vector.Equal {
			out = append(out, bep.EpochEntry{Name: p, Version: theirs.Version, Deleted: theirs.Deleted, BlocksHash: theirs.BlocksHash})
		}
	}
	return out, nil
}

func bytesOf(entries []bep.EpochEntry) (n int) {
	for i := range entries {
		n += entries[i].Len()
	}
	return n
}

// errTooMuch: a device that was hardly in sync before is not told what it had.
var errTooMuch = errors.New("too many names are not in sync")

// apart lists the names of which a device or we lack the global version, in
// order. What it lists is more than folder.MaxFormer, and not all, where there
// are twice as many.
func apart(ix index.Folder, dev device.ID) (names []relpath.Path, err error) {
	for after := relpath.Root; len(names) <= 2*folder.MaxFormer; {
		files, err := ix.RemoteNeeded(dev, after, pageFiles)
		if err != nil {
			return nil, err
		}
		if len(files) == 0 {
			break
		}
		for i := range files {
			names = append(names, files[i].Name)
		}
		after = files[len(files)-1].Name
	}
	for after := relpath.Root; len(names) <= 2*folder.MaxFormer; {
		needed, err := ix.Needed(after, pageFiles)
		if err != nil {
			return nil, err
		}
		if len(needed) == 0 {
			break
		}
		for i := range needed {
			names = append(names, needed[i].Global.Name)
		}
		after = needed[len(needed)-1].Global.Name
	}
	slices.SortFunc(names, relpath.Path.Compare)
	return slices.Compact(names), nil
}

// deleted lists the names that a device announced as deleted in a version that is
// not ours, none where there are more than atMost.
func deleted(ix index.Folder, dev device.ID, atMost int) (names []relpath.Path, err error) {
	for after := relpath.Root; len(names) <= atMost; after = names[len(names)-1] {
		page, err := ix.RemoteDeleted(dev, after, pageFiles)
		if err != nil {
			return nil, err
		}
		if len(page) == 0 {
			return names, nil
		}
		names = append(names, page...)
	}
	return nil, nil
}

// takeEpoch takes what a device says that we had.
func takeEpoch(e *Engine, p *peer.Peer, body []byte) error {
	m, err := bep.DecodeEpoch(body)
	if err != nil {
		return fault.Wrap(fault.Peer, "", "read epoch", "", err)
	}
	f := e.folder(m.Folder)
	if f == nil || f.index == nil || f.runner == nil || !slices.Contains(f.spec.Shared, p.ID()) || m.IndexID != f.index.IndexID() {
		return nil
	}
	f.runner.Former(p.ID(), m.Entries, m.Done)
	return nil
}

// forgetFormers ends waiting for what a device that is gone would have told.
func (e *Engine) forgetFormers(dev device.ID) {
	for _, id := range e.folderIDs() {
		if f := e.folder(id); f != nil && f.runner != nil {
			f.runner.ForgetFormer(dev)
		}
	}
}

package engine

import (
	"slices"
	"strings"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/index"
	"lanyard/sync/peer"
)

// Shares has the turn look at what a device shares. One look is due at a time:
// a device that says something new again and again is heard as often as there
// is time for it.
func (h host) Shares(p *peer.Peer, _ []peer.RemoteFolder) {
	e := h.e
	e.mu.Lock()
	due := e.sharesDue[p]
	e.sharesDue[p] = true
	e.mu.Unlock()
	if !due {
		e.turn.Post(func() { e.lookAtShares(p) })
	}
}

// lookAtShares runs on the turn. Only folders that the device joined or left
// hear of it: to hear of devices ends their pauses after failures.
func (e *Engine) lookAtShares(p *peer.Peer) {
	e.mu.Lock()
	delete(e.sharesDue, p)
	entry := e.peers[p.ID()]
	e.mu.Unlock()
	if entry == nil || entry.peer != p {
		return // over, or it waits and is looked at when it is configured
	}
	e.met(p.ID(), func(c *contact) { c.shared(e.now()) }, notAccepted)
	folders := p.Shares()
	e.noteOffers(p.ID(), folders)
	e.tellOffersTo(entry)
	before, now := entry.joined, joined(folders)
	entry.joined = now
	if entry.extended {
		for _, id := range onlyInOne(before, now) {
			e.noteExtended(id, p.ID())
		}
	}
	e.peersChanged(onlyInOne(before, now))
	e.touch()
}

// joined lists the folders that run on both sides, in order.
func joined(folders []peer.RemoteFolder) []bep.FolderID {
	var out []bep.FolderID
	for _, f := range folders {
		if f.Joined {
			out = append(out, f.ID)
		}
	}
	slices.Sort(out)
	return out
}

// onlyInOne lists what stands in one of two lists alone.
func onlyInOne(a, b []bep.FolderID) []bep.FolderID {
	var out []bep.FolderID
	for _, lists := range [][2][]bep.FolderID{{a, b}, {b, a}} {
		for _, id := range lists[0] {
			if _, found := slices.BinarySearch(lists[1], id); !found {
				out = append(out, id)
			}
		}
	}
	slices.Sort(out)
	return out
}

// peersChanged tells folders that devices came or went.
func (e *Engine) peersChanged(ids []bep.FolderID) {
	for _, id := range ids {
		if f := e.folder(id); f != nil && f.runner != nil {
			f.runner.PeersChanged()
		}
	}
}

// folderIDs lists all folders, in order.
func (e *Engine) folderIDs() []bep.FolderID {
	e.mu.Lock()
	defer e.mu.Unlock()
	return sortedFolders(e.folders)
}

// metaExtended is where a folder's index keeps which devices announced our
// extensions: they may be away when a file changes.
const metaExtended = "extended"

// noteExtended notes that a device that shares a folder speaks our extensions.
func (e *Engine) noteExtended(id bep.FolderID, dev device.ID) {
	f := e.folder(id)
	if f == nil || f.index == nil {
		return
	}
	known, err := f.index.Meta(metaExtended)
	if err == nil && !strings.Contains(known, dev.String()) {
		err = f.index.SetMeta(metaExtended, strings.TrimSpace(known+" "+dev.String()))
	}
	if err != nil {
		e.o.Log.Warn("note what a device speaks", "folder", string(id), "error", err)
	}
}

// forgetExtended takes back what noteExtended noted.
func (e *Engine) forgetExtended(ix index.Folder, dev device.ID) {
	known, err := ix.Meta(metaExtended)
	if err != nil || !strings.Contains(known, dev.String()) {
		return
	}
	rest := slices.DeleteFunc(strings.Fields(known), func(s string) bool { return s == dev.String() })
	if err := ix.SetMeta(metaExtended, strings.Join(rest, " ")); err != nil {
		e.o.Log.Warn("forget what a device speaks", "device", dev.Short().String(), "error", err)
	}
}

// wantsSums reports whether a device that shares a folder can use the sums of
// blocks.
func (e *Engine) wantsSums(id bep.FolderID) bool {
	f := e.folder(id)
	if f == nil || f.index == nil {
		return false
	}
	known, err := f.index.Meta(metaExtended)
	return err == nil && slices.ContainsFunc(f.spec.Shared, func(dev device.ID) bool {
		return strings.Contains(known, dev.String())
	})
}

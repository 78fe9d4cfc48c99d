package engine

import (
	"fmt"
	"slices"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/fault"
	"lanyard/sync/peer"
	"lanyard/sync/status"
)

// peerEntry is one connected device.
type peerEntry struct {
	peer    *peer.Peer
	address string
	reach   status.Reach // guarded by Engine.mu
	// extended: the device announced Lanyard's extensions.
	extended bool
	since    time.Time
	counts   func() (in, out int64)
	end      func(tell string) // ends the connection
	meter    meter
	sending  sending
	joined   []bep.FolderID             // in order, as last told to the folders; owned by the turn
	told     map[bep.FolderID]bep.Offer // what it may join; owned by the turn
	ending   bool                       // another one waits for its end; guarded by Engine.mu
}

func (p *peerEntry) close(tell string) { p.end(tell) }

// carried counts the bytes that went to and came from a device.
type carried struct{ in, out int64 }

// Link is a connection whose Hellos were exchanged.
type Link struct {
	ID      device.ID
	Hello   bep.Hello
	Address string
	Reach   status.Reach
	Wire    peer.Wire
	// Extended: both sides speak Lanyard's extensions.
	Extended bool
	// Counts gives the bytes carried so far; nil counts nothing.
	Counts func() (in, out int64)
}

// Attach begins the conversation with a device over a connection, in place of
// an earlier one. It returns at once; Ended follows by itself.
func (e *Engine) Attach(l Link) *peer.Peer {
	if l.Counts == nil {
		l.Counts = func() (int64, int64) { return 0, 0 }
	}
	p := peer.New(peer.Options{
		Self: e.o.ID, ID: l.ID, Hello: l.Hello, Exec: e.o.Exec, Host: host{e}, Wire: l.Wire, Extended: l.Extended,
		Release: e.buffers.Release, Log: e.o.Log,
	})
	entry := &peerEntry{peer: p, address: l.Address, reach: l.Reach, since: e.now(), counts: l.Counts, end: p.Close, extended: l.Extended}
	if !e.turn.Post(func() { e.attach(l.ID, entry) }) {
		p.Close("shutting down")
	}
	return p
}

// attach runs on the turn. A device has one conversation at a time: a new one
// waits until the earlier one has stored what came by it. Otherwise entries
// from before a restart of the device could be stored as those of its new
// index. One that waits already is given up.
func (e *Engine) attach(id device.ID, entry *peerEntry) {
	if !e.Known(id) {
		entry.close("")
		return
	}
	e.mu.Lock()
	closed, old, waiting := e.closed, e.peers[id], e.waiting[id]
	switch {
	case closed:
	case old != nil:
		e.waiting[id] = entry
		old.ending = true
	default:
		e.peers[id] = entry
	}
	e.mu.Unlock()
	switch {
	case closed:
		entry.close("shutting down")
	case old != nil:
		if waiting != nil {
			waiting.close("replacing connection")
		}
		old.close("replacing connection")
	default:
		e.met(id, func(c *contact) { c.begun(e.now(), entry.peer.Hello()) }, lookBack)
		e.o.Log.Info("connected", "device", id.Short().String(), "client", entry.peer.Hello().ClientName)
		e.configure(entry.peer)
		if e.o.PairKeys != nil && entry.extended {
			e.o.Exec.Go(func() { e.givePairKey(entry.peer) })
		}
		if e.o.Revocations != nil || len(e.removals()) > 0 {
			e.tellRevokedTo(entry) // also that there are none any more
		}
		e.askAgain(entry)
		e.touch()
	}
}

// configure tells a device what we share with it.
func (e *Engine) configure(p *peer.Peer) {
	folders, err := e.localFolders(p.ID())
	if err != nil {
		e.o.Log.Error("tell device what is shared", "device", p.ID().Short().String(), "error", err)
		p.Close("")
		return
	}
	p.Configure(folders)
}

func (e *Engine) configureAll() {
	for _, entry := range e.connected() {
		e.configure(entry.peer)
	}
}

// connected lists the connected devices, in ID order, without those that were
// removed: they are told nothing any more.
func (e *Engine) connected() []*peerEntry {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := make([]*peerEntry, 0, len(e.peers))
	for _, id := range sortedKeys(e.peers) {
		if !e.barred[id] {
			out = append(out, e.peers[id])
		}
	}
	return out
}

// entry gives what is known of a connected device, nil where it is not connected.
func (e *Engine) entry(id device.ID) *peerEntry {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.peers[id]
}

// peer gives the conversation with a device, nil where there is none to ask.
func (e *Engine) peer(id device.ID) *peer.Peer {
	e.mu.Lock()
	defer e.mu.Unlock()
	if entry := e.peers[id]; entry != nil && !entry.ending && !e.barred[id] {
		return entry.peer
	}
	return nil
}

// applyDevices ends the connections of devices that may not connect any more.
func (e *Engine) applyDevices(old, d Desired) {
	for _, entry := range e.connected() {
		if id := entry.peer.ID(); !e.Known(id) {
			entry.close("this device is not connected any more")
		}
	}
	if e.net == nil { // else the network has seen to it
		for _, r := range d.Removed {
			e.mu.Lock()
			entry := e.peers[r.ID]
			e.mu.Unlock()
			if entry != nil && e.isBarred(r.ID) {
				entry.close("")
			}
		}
	}
	for _, dev := range old.Devices {
		if _, still := e.spec(dev.ID); !still {
			e.mu.Lock()
			delete(e.carried, dev.ID)
			e.mu.Unlock()
		}
	}
	e.applyOffers(d)
}

// detach runs on the turn: a conversation is over, and what came by it is
// stored.
func (e *Engine) detach(p *peer.Peer, err error) {
	id := p.ID()
	e.mu.Lock()
	entry, next := e.peers[id], e.waiting[id]
	current := entry != nil && entry.peer == p
	if current {
		delete(e.peers, id)
		in, out := entry.counts()
		sum := e.carried[id]
		e.carried[id] = carried{sum.in + in, sum.out + out}
	}
	if current || next != nil && next.peer == p {
		delete(e.waiting, id)
	}
	e.mu.Unlock()
	if !current {
		return
	}
	e.forgetFormers(id)
	e.met(id, func(c *contact) { c.ended(e.now(), err) }, awayAfter, lookBack)
	e.o.Log.Info("disconnected", "device", id.Short().String())
	e.peersChanged(e.folderIDs())
	e.touch()
	if next != nil {
		e.attach(id, next)
	}
}

// source lends connected devices to a folder's puller.
type source struct {
	e  *Engine
	id bep.FolderID
}

func (s source) Load(dev device.ID) (int, bool) {
	p := s.e.peer(dev)
	if p == nil {
		return 0, false
	}
	return p.Load(s.id)
}

func (s source) Request(dev device.ID, req *bep.Request, deliver func(*bep.Response, error)) {
	p := s.e.peer(dev)
	if p == nil {
		deliver(nil, fault.New(fault.Retry, "", "the device is not connected"))
		return
	}
	p.Request(req, deliver)
}

func (s source) Release(resp *bep.Response) { s.e.buffers.Release(resp) }

// host does what conversations need done.
type host struct{ e *Engine }

// Limits of one Index message (BEP section 5.2). The first page is small, so
// that a device can begin while we still scan.
const (
	firstPage  = 100
	pageFiles  = 1000
	pageBlocks = 5000
)

// IndexPage gives entries that are durable.
func (h host) IndexPage(id bep.FolderID, after int64) ([]bep.FileInfo, int64, bool, error) {
	f := h.e.folder(id)
	if f == nil || f.index == nil {
		return nil, after, false, nil
	}
	limit := pageFiles
	if after == 0 {
		limit = firstPage
	}
	if _, lost := f.index.Recovery(); lost {
		return nil, after, false, nil // it begins anew when the index is whole
	}
	recs, err := f.index.LocalSince(after, limit)
	if err != nil || len(recs) == 0 {
		return nil, after, false, unlessGivenUp(err)
	}
	more := recs[len(recs)-1].Sequence < f.index.Sequence() // at worst the next page is empty
	files := make([]bep.FileInfo, 0, len(recs))
	blocks := 0
	for i := range recs {
		if blocks += len(recs[i].Blocks); blocks > pageBlocks && i > 0 {
			more = true
			break
		}
		files = append(files, recs[i].Announced())
	}
	// Barrier after reading: whatever was read is durable then.
	if err := f.index.Barrier(); givenUp(err) {
		return nil, after, false, nil
	} else if err != nil {
		return nil, after, false, fmt.Errorf("make index durable: %w", err)
	}
	return files, files[len(files)-1].Sequence, more, nil
}

func (h host) ResetIndex(dev device.ID, id bep.FolderID, ix bep.IndexID) error {
	if l := h.e.lookedAt(dev, id); l != nil {
		err := unlessGivenUp(l.ResetRemote(dev, ix))
		h.e.touch()
		return err
	}
	f := h.e.folder(id)
	if f == nil || f.index == nil || !slices.Contains(f.spec.Shared, dev) {
		return nil
	}
	h.e.tellFormer(f, dev, ix)
	err := f.losses.during(func() error { return f.index.ResetRemote(dev, ix) })
	if err != nil {
		return unlessGivenUp(err)
	}
	if h.e.stillShared(id, f.index, dev) && f.runner != nil {
		f.runner.RemoteChanged()
	}
	return nil
}

func (h host) StoreIndex(dev device.ID, m *bep.Index) error {
	if l := h.e.lookedAt(dev, m.Folder); l != nil {
		h.e.storeLooked(l, dev, m)
		return nil
	}
	f := h.e.folder(m.Folder)
	if f == nil || f.index == nil || !slices.Contains(f.spec.Shared, dev) {
		return nil
	}
	if n := len(m.Refused); n > 0 { // one line a message: a device may send any number
		first := m.Refused[0]
		h.e.o.Log.Warn("entries refused", "folder", string(m.Folder), "device", dev.Short().String(),
			"count", n, "first", first.Name, "error", first.Reason)
	}
	if tooMany, err := h.e.count(f, dev); err != nil || tooMany {
		return unlessGivenUp(err)
	}
	for chunk := range slices.Chunk(m.Files, f.index.Batch()) {
		if err := f.index.UpdateRemote(dev, chunk); givenUp(err) {
			return nil
		} else if err != nil {
			return fmt.Errorf("store index of %v: %w", dev.Short(), err)
		}
		if !h.e.stillShared(m.Folder, f.index, dev) {
			return nil
		}
		if f.runner != nil {
			f.runner.Disputed(f.index.Disputed()) // first: it takes the Disk turn before a pull does
			f.runner.RemoteChanged()
		}
	}
	h.e.touch()
	return nil
}

func (h host) Answer(dev device.ID, dst []byte, req *bep.Request) []byte {
	f := h.e.folder(req.Folder)
	if f == nil || f.runner == nil || !slices.Contains(f.spec.Shared, dev) {
		return bep.AppendResponseHeader(dst, req.ID, bep.CodeGeneric, 0)
	}
	out, ok := f.runner.Answer(dst, req)
	if entry := h.e.entry(dev); ok && entry != nil && req.Size > 0 && entry.sending.answered(req.Folder, req.Name, int64(req.Size), h.e.now()) {
		h.e.touch()
	}
	return out
}

func (h host) Ended(p *peer.Peer, err error) {
	h.e.turn.Post(func() { h.e.detach(p, err) })
}

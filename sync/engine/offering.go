package engine

import (
	"slices"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/peer"
)

// takeOffer takes how much there is of a folder that a device shares with us and
// that is not joined. What it says of another folder says nothing.
func takeOffer(e *Engine, p *peer.Peer, body []byte) error {
	o, err := bep.DecodeOffer(body)
	if err != nil {
		return err
	}
	if !e.offersCounted(p, o) && slices.ContainsFunc(p.Shares(), func(f peer.RemoteFolder) bool { return f.ID == o.Folder }) {
		// What it shares came just before this, and was not looked at yet.
		e.turn.Post(func() { e.offersCounted(p, o) })
	}
	return nil
}

// offersCounted notes the counts of an offer, false where there is none such.
func (e *Engine) offersCounted(p *peer.Peer, counts bep.Offer) bool {
	key := offerKey{p.ID(), counts.Folder}
	e.mu.Lock()
	o, known := e.offers[key]
	if known {
		o.counted, o.files, o.bytes = true, counts.Files, counts.Bytes
		e.offers[key] = o
	}
	e.mu.Unlock()
	if known {
		e.touch()
		e.keepOffersSoon()
	}
	return known
}

// offeredAgain looks anew at what the connected devices share: a folder that was
// left is one that they offer, and one that is newly shared is one to tell them
// of. It runs on the turn.
func (e *Engine) offeredAgain() {
	for _, p := range e.connected() {
		if shares := p.peer.Shares(); shares != nil {
			e.noteOffers(p.peer.ID(), shares)
			e.tellOffersTo(p)
		}
	}
	e.mu.Lock()
	e.toldAt = time.Time{} // what is shared since is told as soon as it was looked at
	e.mu.Unlock()
}

// tellSoon is how long the devices wait to be told of what changed, so that what
// changes next is told with it.
const tellSoon = 100 * time.Millisecond

// tellOffersSoon has the devices told that have not joined what we share with
// them, if there are any: soon, and a while after they were told before, since
// until a first scan is done there is more with each batch of it.
func (e *Engine) tellOffersSoon() {
	if !slices.ContainsFunc(e.connected(), func(p *peerEntry) bool { return p.extended && len(e.unjoined(p)) > 0 }) {
		return
	}
	now := e.now()
	e.mu.Lock()
	pause := max(tellSoon, e.toldAt.Add(offerEvery).Sub(now))
	due := e.closed || !e.tellAt.IsZero() && !now.Add(pause).Before(e.tellAt)
	if !due {
		e.tellAt = now.Add(pause)
	}
	e.mu.Unlock()
	if !due {
		e.o.Exec.After(pause, func() { e.turn.Post(e.tellOffers) })
	}
}

// tellOffers runs on the turn.
func (e *Engine) tellOffers() {
	e.mu.Lock()
	e.tellAt = time.Time{}
	e.mu.Unlock()
	for _, p := range e.connected() {
		e.tellOffersTo(p)
	}
}

// tellOffersTo tells a device how much there is of each folder that we share with
// it and that it has not joined, where it was told something else before. Of one
// that was not looked at yet nothing is told: it is not empty. It runs on the turn.
func (e *Engine) tellOffersTo(p *peerEntry) {
	if !p.extended {
		return
	}
	told := map[bep.FolderID]bep.Offer{}
	unjoined := e.unjoined(p)
	for _, id := range sortedFolders(unjoined) {
		f := unjoined[id]
		known := f.runner == nil || f.runner.View().Known
		c, err := f.index.Counts()
		if err != nil || !known && c.Global.Files == 0 {
			continue // the folder says what is wrong with its index
		}
		o := bep.Offer{Folder: id, Files: c.Global.Files, Bytes: c.Global.Bytes}
		told[id] = o
		if before, ok := p.told[id]; !ok || before != o {
			p.peer.Tell(o.Extension())
			e.mu.Lock()
			e.toldAt = e.now()
			e.mu.Unlock()
		}
	}
	p.told = told
}

// unjoined gives the folders with an index that we share with a device, which has
// said what it shares and has not joined these.
func (e *Engine) unjoined(p *peerEntry) map[bep.FolderID]*folderEntry {
	shares := p.peer.Shares()
	if shares == nil {
		return nil
	}
	there := map[bep.FolderID]bool{}
	for _, f := range shares {
		there[f.ID] = true
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	var out map[bep.FolderID]*folderEntry
	for id, f := range e.folders {
		if !there[id] && f.index != nil && slices.Contains(f.spec.Shared, p.peer.ID()) {
			if out == nil {
				out = map[bep.FolderID]*folderEntry{}
			}
			out[id] = f
		}
	}
	return out
}

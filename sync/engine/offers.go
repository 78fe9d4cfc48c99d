package engine

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/peer"
	"lanyard/sync/status"
)

// maxOffers bounds what strangers and devices can have us remember. Where there
// are as many, a new one takes the place of the oldest that was not repeated for
// offerLasts; a device that is there asks again more often.
const (
	maxOffers  = 256
	offerLasts = 10 * time.Minute
)

// offerKey names an offer: a folder of a device, or with no folder a device
// that asks to connect.
type offerKey struct {
	device device.ID
	folder bep.FolderID
}

type offer struct {
	name    string // of the device
	address string
	label   string
	at      time.Time
}

// noteOffers takes the folders that a device shares and that are not joined.
func (e *Engine) noteOffers(dev device.ID, folders []peer.RemoteFolder) {
	spec, _ := e.spec(dev)
	e.mu.Lock()
	defer e.mu.Unlock()
	offered := map[bep.FolderID]bool{}
	for _, f := range folders {
		if joined := e.folders[f.ID]; joined != nil && slices.Contains(joined.spec.Shared, dev) {
			continue
		}
		if !showable(f.ID) {
			continue
		}
		offered[f.ID] = true
		key := offerKey{dev, f.ID}
		if _, known := e.offers[key]; !known && e.roomForOffer() {
			e.offers[key] = offer{name: spec.Name, label: bep.CleanName(f.Label), at: e.now()}
		}
	}
	maps.DeleteFunc(e.offers, func(k offerKey, _ offer) bool {
		return k.device == dev && k.folder != "" && !offered[k.folder]
	})
}

// showable reports whether a person can read and repeat an ID: a device could
// make one up that moves the cursor, turns text around, or fills the screen.
// A folder with such an ID is not offered.
func showable(id bep.FolderID) bool { return string(id) == bep.CleanName(string(id)) }

// noteStranger takes a device that asked to connect.
func (e *Engine) noteStranger(dev device.ID, h bep.Hello, address string) {
	e.mu.Lock()
	key := offerKey{device: dev}
	_, known := e.offers[key]
	if known || e.roomForOffer() {
		e.offers[key] = offer{name: bep.CleanName(h.DeviceName), address: address, at: e.now()}
	}
	e.mu.Unlock()
	e.touch()
}

// roomForOffer reports whether one more offer may be noted, after it made room
// if that is possible. An offer of a folder stays while its device is connected,
// which tells us when it ends. Engine.mu is held.
func (e *Engine) roomForOffer() bool {
	if len(e.offers) < maxOffers {
		return true
	}
	before := e.now().Add(-offerLasts)
	var oldest offerKey
	found := false
	for k, o := range e.offers {
		if e.peers[k.device] != nil || o.at.After(before) {
			continue
		}
		if !found || compareOffers(k, oldest, e.offers) < 0 {
			oldest, found = k, true
		}
	}
	delete(e.offers, oldest)
	return found
}

// compareOffers puts the oldest first.
func compareOffers(a, b offerKey, offers map[offerKey]offer) int {
	return cmp.Or(offers[a].at.Compare(offers[b].at), a.device.Compare(b.device), cmp.Compare(a.folder, b.folder))
}

func (e *Engine) dropOffers(which func(offerKey) bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	maps.DeleteFunc(e.offers, func(k offerKey, _ offer) bool { return which(k) })
}

// offersLocked lists the offers, the oldest first.
func (e *Engine) offersLocked() []status.Offer {
	keys := slices.SortedFunc(maps.Keys(e.offers), func(a, b offerKey) int { return compareOffers(a, b, e.offers) })
	out := make([]status.Offer, 0, len(keys))
	for _, k := range keys {
		o := e.offers[k]
		out = append(out, status.Offer{
			Device: k.device.String(), Name: o.name, Address: o.address,
			Folder: string(k.folder), Label: o.label, Time: o.at.UTC(),
		})
	}
	return out
}

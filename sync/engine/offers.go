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

// maxOffers bounds what strangers and devices can have us remember.
const maxOffers = 256

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
		offered[f.ID] = true
		key := offerKey{dev, f.ID}
		if _, known := e.offers[key]; !known && len(e.offers) < maxOffers {
			e.offers[key] = offer{name: spec.Name, label: f.Label, at: e.now()}
		}
	}
	maps.DeleteFunc(e.offers, func(k offerKey, _ offer) bool {
		return k.device == dev && k.folder != "" && !offered[k.folder]
	})
}

// noteStranger takes a device that asked to connect.
func (e *Engine) noteStranger(dev device.ID, h bep.Hello, address string) {
	e.mu.Lock()
	key := offerKey{device: dev}
	_, known := e.offers[key]
	if known || len(e.offers) < maxOffers {
		e.offers[key] = offer{name: bep.CleanName(h.DeviceName), address: address, at: e.now()}
	}
	e.mu.Unlock()
	e.touch()
}

func (e *Engine) dropOffers(which func(offerKey) bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	maps.DeleteFunc(e.offers, func(k offerKey, _ offer) bool { return which(k) })
}

// offersLocked lists the offers, the oldest first.
func (e *Engine) offersLocked() []status.Offer {
	keys := slices.SortedFunc(maps.Keys(e.offers), func(a, b offerKey) int {
		return cmp.Or(e.offers[a].at.Compare(e.offers[b].at), a.device.Compare(b.device), cmp.Compare(a.folder, b.folder))
	})
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

package engine

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/fault"
	"lanyard/sync/peer"
	"lanyard/sync/status"
)

// maxOffers bounds what strangers and devices can have us remember, and
// maxOffersOfOne what one device can. Where there are as many, a new one takes
// the place of the oldest that was not repeated for offerLasts; a device that is
// there asks again more often.
const (
	maxOffers      = 256
	maxOffersOfOne = 64
	offerLasts     = 10 * time.Minute
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
	stopped bool // paused there
	refused bool
	counted bool // files and bytes are known
	files   int64
	bytes   int64
}

// Offered is an offer of a folder as it is kept over restarts.
type Offered struct {
	Device  device.ID
	Folder  bep.FolderID
	Label   string
	Time    time.Time
	Refused bool
	Counted bool // Files and Bytes are known
	Files   int64
	Bytes   int64
}

// recallOffers takes the offers that were kept. Those of devices that are not
// desired go with the first Apply.
func (e *Engine) recallOffers(kept []Offered) {
	of := map[device.ID]int{}
	for _, o := range kept {
		if len(e.offers) == maxOffers || of[o.Device] == maxOffersOfOne || o.Folder == "" || !showable(o.Folder) {
			continue
		}
		of[o.Device]++
		e.offers[offerKey{o.Device, o.Folder}] = offer{
			label: bep.CleanName(o.Label), at: o.Time, refused: o.Refused, counted: o.Counted, files: o.Files, bytes: o.Bytes,
		}
	}
}

// noteOffers takes the folders that a device shares and that are not joined:
// all that it says it shares, so that what is missing was withdrawn, with what a
// person answered to it.
func (e *Engine) noteOffers(dev device.ID, folders []peer.RemoteFolder) {
	if e.isBarred(dev) {
		return // it has just been removed
	}
	e.mu.Lock()
	offered := map[bep.FolderID]bool{}
	left := 0
	for _, f := range folders {
		if joined := e.folders[f.ID]; joined != nil && slices.Contains(joined.spec.Shared, dev) {
			continue
		}
		if !showable(f.ID) {
			continue
		}
		if len(offered) == maxOffersOfOne {
			left++
			continue
		}
		offered[f.ID] = true
		key := offerKey{dev, f.ID}
		o, known := e.offers[key]
		if !known && !e.roomForOffer() {
			left++
			continue
		}
		if !known {
			o.at = e.now()
		}
		o.label, o.stopped = bep.CleanName(f.Label), f.Stopped
		e.offers[key] = o
	}
	maps.DeleteFunc(e.offers, func(k offerKey, _ offer) bool {
		return k.device == dev && k.folder != "" && !offered[k.folder]
	})
	e.mu.Unlock()
	if left > 0 {
		e.o.Log.Warn("a device offers more folders than are shown", "device", dev.Short().String(), "left_out", left)
	}
	e.keepOffersSoon()
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
// which tells us when it ends, and once a person has refused it. Engine.mu is
// held.
func (e *Engine) roomForOffer() bool {
	if len(e.offers) < maxOffers {
		return true
	}
	before := e.now().Add(-offerLasts)
	var oldest offerKey
	found := false
	for k, o := range e.offers {
		if e.peers[k.device] != nil || o.refused || o.at.After(before) {
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
	before := len(e.offers)
	maps.DeleteFunc(e.offers, func(k offerKey, _ offer) bool { return which(k) })
	fewer := len(e.offers) < before
	e.mu.Unlock()
	if fewer {
		e.keepOffersSoon()
	}
}

// applyOffers drops the offers that a desired state answers: of devices that
// are ours, or ours no more, and of folders that are joined.
func (e *Engine) applyOffers(d Desired) {
	ours := map[device.ID]bool{}
	for _, dev := range d.Devices {
		ours[dev.ID] = true
	}
	joined := map[offerKey]bool{}
	for _, f := range d.Folders {
		for _, dev := range f.Shared {
			joined[offerKey{dev, f.ID}] = true
		}
	}
	e.dropOffers(func(k offerKey) bool { return ours[k.device] == (k.folder == "") || joined[k] })
}

// offersLocked lists the offers, the oldest first. Engine.mu is held.
func (e *Engine) offersLocked() []status.Offer {
	names := map[device.ID]string{}
	for _, d := range e.desired.Devices {
		names[d.ID] = bep.CleanName(d.Name)
	}
	keys := slices.SortedFunc(maps.Keys(e.offers), func(a, b offerKey) int { return compareOffers(a, b, e.offers) })
	out := make([]status.Offer, 0, len(keys))
	for _, k := range keys {
		o := e.offers[k]
		out = append(out, status.Offer{
			Device: k.device.String(), Name: cmp.Or(o.name, names[k.device], k.device.Short().String()), Address: o.address,
			Folder: string(k.folder), Label: o.label, Time: o.at.UTC(),
			Connected: k.folder != "" && e.peers[k.device] != nil, Paused: o.stopped, Refused: o.refused,
			Counted: o.counted, Files: o.files, Bytes: o.bytes, Joined: k.folder != "" && e.folders[k.folder] != nil,
		})
	}
	return out
}

// Refuse notes, durably, that a person does not want a folder that a device
// offers, or wants to see the offer again. It holds until the device withdraws
// the offer: one that it makes anew asks anew.
func (e *Engine) Refuse(_ context.Context, dev device.ID, id bep.FolderID, refused bool) error {
	key := offerKey{dev, id}
	e.mu.Lock()
	o, known := e.offers[key]
	if known {
		o.refused = refused
		e.offers[key] = o
	}
	e.mu.Unlock()
	if !known {
		return fault.New(fault.Retry, "", "the device does not offer this folder any more")
	}
	e.touch()
	return e.keepOffers()
}

// offerEvery is the pause between two lookouts for what is to be kept of offers,
// or told of them: both change with every file of a first scan.
const offerEvery = 2 * time.Second

// keepOffersSoon has the offers kept a while from now.
func (e *Engine) keepOffersSoon() {
	if e.o.KeepOffers == nil {
		return
	}
	e.mu.Lock()
	due := e.keepDue || e.closed
	e.keepDue = true
	e.mu.Unlock()
	if !due {
		e.o.Exec.After(offerEvery, func() {
			if err := e.keepOffers(); err != nil {
				e.o.Log.Warn("offers were not kept", "error", err)
			}
		})
	}
}

// keepOffers has the offers of folders kept as they are, unless they are kept so
// already.
func (e *Engine) keepOffers() error {
	if e.o.KeepOffers == nil {
		return nil
	}
	e.keeping <- struct{}{} // one at a time, the newest last
	defer func() { <-e.keeping }()
	e.mu.Lock()
	e.keepDue = false
	out := e.offeredLocked()
	same := slices.Equal(out, e.kept)
	e.mu.Unlock()
	if same {
		return nil
	}
	if err := e.o.KeepOffers(out); err != nil {
		return err
	}
	e.mu.Lock()
	e.kept = out
	e.mu.Unlock()
	return nil
}

// offeredLocked lists the offers of folders in a fixed order. Engine.mu is held.
func (e *Engine) offeredLocked() []Offered {
	out := []Offered{}
	for k, o := range e.offers {
		if k.folder != "" {
			out = append(out, Offered{
				Device: k.device, Folder: k.folder, Label: o.label, Time: o.at.Round(0).UTC(), Refused: o.refused,
				Counted: o.counted, Files: o.files, Bytes: o.bytes,
			})
		}
	}
	slices.SortFunc(out, func(a, b Offered) int {
		return cmp.Or(a.Device.Compare(b.Device), cmp.Compare(a.Folder, b.Folder))
	})
	return out
}

package config

import (
	"slices"
	"time"

	"lanyard/sync/device"
	"lanyard/sync/status"
)

// maxRemoved is how many removed devices are remembered, the last ones.
const maxRemoved = 1024

// Pending is a device that is about to become a peer: our person agreed, and
// its last word has not come. It may do nothing.
type Pending struct {
	ID    device.ID            `json:"id"`
	Name  string               `json:"name"`
	How   status.PairingMethod `json:"how"`
	Since time.Time            `json:"since"`
}

// Removed is a device that a person removed or turned away. It becomes a peer
// again only by a person's new decision: see WithDevice.
type Removed struct {
	ID   device.ID `json:"id"`
	Name string    `json:"name"`
	When time.Time `json:"when"`
	// Peer: it was a peer, not only one that asked to be.
	Peer bool `json:"peer"`
}

// ByNumber is what was counted of runs that compare numbers.
type ByNumber struct {
	Date       string `json:"date"` // "2026-11-21", by the wall clock
	Runs       int    `json:"runs"`
	Mismatches int    `json:"mismatches"`
	// Off is set when there were too many; only a person ends it.
	Off bool `json:"off"`
}

// WithPending notes a device that is about to become a peer.
func (c Config) WithPending(p Pending) Config {
	c.Pending = append(withoutPending(c.Pending, p.ID), p)
	return c
}

// PendingSince drops those pending ones that are older.
func (c Config) PendingSince(oldest time.Time) Config {
	c.Pending = slices.DeleteFunc(slices.Clone(c.Pending), func(p Pending) bool { return p.Since.Before(oldest) })
	return c
}

func withoutPending(list []Pending, id device.ID) []Pending {
	return slices.DeleteFunc(slices.Clone(list), func(p Pending) bool { return p.ID == id })
}

// WithPeer makes a device a peer that both sides' people agreed on. One that is
// a peer already keeps its name, its addresses and its folders.
func (c Config) WithPeer(d Device) (Config, error) {
	if _, err := c.deviceByID(d.ID); err != nil {
		return c.WithDevice(d)
	}
	return c.welcomed(d.ID).WithDeviceChanged(d.ID, func(old Device) Device {
		old.Paired, old.Since, old.Revoked = d.Paired, d.Since, nil
		return old
	})
}

// welcomed forgets that a device was pending or removed.
func (c Config) welcomed(id device.ID) Config {
	c.Pending = withoutPending(c.Pending, id)
	c.Removed = slices.DeleteFunc(slices.Clone(c.Removed), func(r Removed) bool { return r.ID == id })
	return c
}

// WithRemoved notes that a device was removed or turned away.
func (c Config) WithRemoved(r Removed) Config {
	c = c.welcomed(r.ID)
	c.Removed = append(c.Removed, r)
	c.Removed = c.Removed[max(0, len(c.Removed)-maxRemoved):]
	return c
}

// WasRemoved reports whether a device was removed or turned away, and not
// welcomed since.
func (c Config) WasRemoved(id device.ID) bool {
	return slices.ContainsFunc(c.Removed, func(r Removed) bool { return r.ID == id })
}

package config

import (
	"slices"
	"time"

	"lanyard/sync/device"
)

// Revocation says that another device of ours has removed the one that it stands
// with.
type Revocation struct {
	By   device.ID `json:"by"`
	When time.Time `json:"when"` // by that device's clock
	// Kept: a person here decided that the device stays.
	Kept bool `json:"kept"`
}

// WithRevocations takes which of our devices another one has removed: all of
// them, so that one which is not named was taken back. It reports whether that
// changes anything. A device that was paired here after it was removed there is
// not meant; a decision that was made here holds until it is removed there anew.
func (c Config) WithRevocations(by device.ID, removed map[device.ID]time.Time) (Config, bool) {
	if _, err := c.deviceByID(by); err != nil {
		return c, false
	}
	changed := false
	devices := slices.Clone(c.Devices)
	for i := range devices {
		d := &devices[i]
		when, named := removed[d.ID]
		named = named && d.ID != by
		at := slices.IndexFunc(d.Revoked, func(r Revocation) bool { return r.By == by })
		switch {
		case named && at >= 0 && d.Revoked[at].When.Equal(when):
			continue
		case named && when.After(d.Since):
			d.Revoked = append(withoutRevocation(d.Revoked, by), Revocation{By: by, When: when.UTC()})
		case at >= 0:
			d.Revoked = withoutRevocation(d.Revoked, by)
		default:
			continue
		}
		changed = true
	}
	if changed {
		c.Devices = devices
	}
	return c, changed
}

// withoutRevocation leaves out what one device said; none left is nil.
func withoutRevocation(list []Revocation, by device.ID) []Revocation {
	out := slices.DeleteFunc(slices.Clone(list), func(r Revocation) bool { return r.By == by })
	if len(out) == 0 {
		return nil
	}
	return out
}

// Kept gives the device as one that stays, whoever has removed it until now.
func (d Device) Kept() Device {
	d.Revoked = slices.Clone(d.Revoked)
	for i := range d.Revoked {
		d.Revoked[i].Kept = true
	}
	return d
}

// RevokedBy gives the first device that has removed this one without a person
// here having decided about it, zero for none.
func (d Device) RevokedBy() device.ID {
	for _, r := range d.Revoked {
		if !r.Kept {
			return r.By
		}
	}
	return device.ID{}
}

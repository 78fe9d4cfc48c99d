package desk

import (
	"time"

	"lanyard/app/config"
	"lanyard/sync/device"
	"lanyard/sync/status"
)

// Welcome makes a device a peer that asked by its ID alone, from an address that
// may be empty. That is one side's word: the other side's person has given
// theirs by asking.
func (d *Desk) Welcome(id device.ID, name, from string) error {
	if n, _, err := d.network(); err == nil && from != "" {
		n.Met(id, from)
	}
	return d.o.Store.Update(func(c config.Config) (config.Config, error) {
		return c.WithDevice(config.Device{ID: id, Name: name, Paired: status.ByRequest, Since: time.Now().UTC()})
	})
}

// TurnAway has a device not be asked about again.
func (d *Desk) TurnAway(id device.ID, name string) error {
	return d.o.Store.Update(func(c config.Config) (config.Config, error) {
		if _, err := c.FindDevice(id.String()); err == nil {
			return c, &config.Refusal{
				Reason: config.Exists, Code: "device-exists", Item: id.String(), Text: "this device is connected already",
				Remedy: `to remove it, use "lanyard device remove"`,
			}
		}
		return c.WithRemoved(config.Removed{ID: id, Name: name, When: time.Now().UTC()}), nil
	})
}

package sim

import "lanyard/sync/status"

// decide is a person who looks at the deletions that a device holds, and says
// what is to become of them.
func (c *Cluster) decide(d *Device) {
	if d.engine == nil {
		return
	}
	held := d.folder().Held
	if held == 0 {
		return
	}
	choice := status.ApplyHeld
	if c.rng.IntN(2) == 0 {
		choice = status.RestoreHeld
	}
	d.engine.DecideLater(folderID, choice, "", func(held []status.Held, err error) {
		if err != nil {
			c.note("%s: %s held: %v", d.Name, choice, err)
			return
		}
		for _, h := range held {
			c.note("%s: %s %d held %s", d.Name, choice, h.Files, h.Direction)
		}
		c.decisions++
		if choice == status.RestoreHeld {
			c.oracle.restored()
		}
	})
}

// decideAll has every device's person decide.
func (c *Cluster) decideAll() {
	for _, d := range c.devices {
		c.decide(d)
	}
}

// Decisions is how often a person decided on deletions that were held.
func (c *Cluster) Decisions() int { return c.decisions }

// restored notes that what was removed since the last quiet point may come
// back.
func (o *oracle) restored() {
	for _, t := range o.touched {
		t.restored = t.restored || t.removed
	}
}

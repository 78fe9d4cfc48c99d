package index

import (
	"bytes"
	"slices"

	"lanyard/sync/bep"
	"lanyard/sync/device"
)

// slotsUsed is the number of slots: 0 is this device, 1 to MaxRemotes the
// others.
const slotsUsed = MaxRemotes + 1

// deviceRow is a device in its slot. The zero ID is a free slot.
type deviceRow struct {
	ID device.ID
	PeerState
}

// deviceTable says which device has which slot. It is a value: changing one
// leaves copies alone.
type deviceTable struct {
	slots [slotsUsed]deviceRow
}

func (t *deviceTable) at(slot int) deviceRow { return t.slots[slot] }

// find gives a device's slot, -1 where it has none.
func (t *deviceTable) find(dev device.ID) int {
	for slot := 1; slot < slotsUsed; slot++ {
		if t.slots[slot].ID == dev {
			return slot
		}
	}
	return -1
}

func (t deviceTable) with(slot int, d deviceRow) deviceTable {
	t.slots[slot] = d
	return t
}

func (t deviceTable) without(slot int) deviceTable { return t.with(slot, deviceRow{}) }

// ids lists the devices whose bits are set in mask, in ID order. Bit 0 has no
// ID here.
func (t *deviceTable) ids(mask uint64) []device.ID {
	var out []device.ID
	for slot := 1; slot < slotsUsed; slot++ {
		if mask>>slot&1 != 0 {
			out = append(out, t.slots[slot].ID)
		}
	}
	slices.SortFunc(out, device.ID.Compare)
	return out
}

// ranks gives each slot its place in the order of IDs, this device first.
func (t *deviceTable) ranks() *[slotCount]int {
	order := make([]int, 0, slotsUsed)
	for slot := 1; slot < slotsUsed; slot++ {
		order = append(order, slot)
	}
	slices.SortFunc(order, func(a, b int) int { return bytes.Compare(t.slots[a].ID[:], t.slots[b].ID[:]) })
	ranks := new([slotCount]int)
	for i, slot := range order {
		ranks[slot] = 1 + i
	}
	return ranks
}

func (c *conn) loadDevices() (deviceTable, error) {
	var t deviceTable
	err := c.query(stDevices, nil, func(s *stmt) error {
		slot, id := s.int(0), s.blob(1)
		if slot < 1 || slot >= slotsUsed || len(id) != len(device.ID{}) {
			return damaged("it has a device in slot %d with an ID of %d bytes", slot, len(id))
		}
		state := PeerState{IndexID: bep.IndexID(s.int(2)), MaxSequence: s.int(3)}
		if s.int(4) != deviceCheck(slot, id, state) {
			return damaged("the checksum of the device in slot %d is wrong", slot)
		}
		t.slots[slot] = deviceRow{ID: device.ID(id), PeerState: state}
		return nil
	})
	return t, err
}

// slot gives a device's slot, a free one if it has none yet.
func (ch *change) slot(dev device.ID) (int, error) {
	t := &ch.facts.devices
	if slot := t.find(dev); slot > 0 {
		return slot, nil
	}
	free := t.find(device.ID{})
	if free < 0 {
		return 0, errTooManyDevices("add device to index")
	}
	ch.facts.devices = t.with(free, deviceRow{ID: dev})
	ch.ranks = ch.facts.devices.ranks()
	return free, nil
}

// setDevice writes a device's row if it is not as it was.
func (ch *change) setDevice(slot int, d deviceRow) error {
	ch.facts.devices = ch.facts.devices.with(slot, d)
	return ch.c.run(stDeviceSet, func(s *stmt) {
		s.bindInt(1, int64(slot))
		s.bindBlob(2, d.ID[:])
		s.bindInt(3, int64(d.IndexID))
		s.bindInt(4, d.MaxSequence)
		s.bindInt(5, deviceCheck(int64(slot), d.ID[:], d.PeerState))
	})
}

// forgetAll clears a slot's bit everywhere, page by page.
func (ch *change) forgetAll(slot int) error {
	const page = 500
	var last string
	for {
		var names []string
		err := ch.c.query(stNamesOf, func(s *stmt) {
			s.bindText(1, last)
			s.bindInt(2, 1<<slot)
			s.bindInt(3, page)
		}, func(s *stmt) error {
			names = append(names, s.text(0))
			return nil
		})
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := ch.forget(slot, name); err != nil {
				return err
			}
		}
		if len(names) < page {
			return nil
		}
		last = names[page-1]
	}
}

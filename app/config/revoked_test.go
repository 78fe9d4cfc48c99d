package config

import (
	"testing"
	"time"

	"lanyard/sync/device"
)

func TestWhatAnotherDeviceHasRemovedWaitsForAPerson(t *testing.T) {
	noon := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	anna, bert, carl := device.ID{1}, device.ID{2}, device.ID{3}
	c := Default()
	for _, id := range []device.ID{anna, bert, carl} {
		var err error
		c, err = c.WithDevice(Device{ID: id, Since: noon})
		if err != nil {
			t.Fatal(err)
		}
	}
	says := func(by device.ID, removed map[device.ID]time.Time, changes bool) {
		t.Helper()
		next, changed := c.WithRevocations(by, removed)
		if changed != changes {
			t.Errorf("%v says %v: changed is %v", by, removed, changed)
		}
		c = next
	}
	held := func(want device.ID) {
		t.Helper()
		d, err := c.deviceByID(bert)
		if err != nil || d.RevokedBy() != want {
			t.Errorf("bert is held by %v, want %v (%v)", d.RevokedBy(), want, err)
		}
	}
	one := map[device.ID]time.Time{bert: noon.Add(time.Hour)}
	says(device.ID{9}, one, false) // nobody of ours
	held(device.ID{})
	says(anna, map[device.ID]time.Time{bert: noon.Add(-time.Hour)}, false) // it was paired here since
	says(anna, map[device.ID]time.Time{anna: noon.Add(time.Hour)}, false)  // itself
	says(anna, one, true)
	held(anna)
	says(anna, one, false) // it says so on each connection
	says(carl, one, true)
	held(anna)
	says(anna, nil, true) // it took it back
	held(carl)
	says(anna, one, true)

	keep := func(d Device) Device { return d.Kept() }
	c, err := c.WithDeviceChanged(bert, keep)
	if err != nil {
		t.Fatal(err)
	}
	held(device.ID{})
	says(anna, one, false) // a decision holds
	held(device.ID{})
	says(anna, map[device.ID]time.Time{bert: noon.Add(2 * time.Hour)}, true) // removed there anew
	held(anna)

	// What a device said goes with it.
	c, err = c.WithoutDevice(anna, noon)
	if err != nil {
		t.Fatal(err)
	}
	held(device.ID{})

	// A new pairing is a person's word as well.
	says(carl, map[device.ID]time.Time{bert: noon.Add(3 * time.Hour)}, true)
	held(carl)
	c, err = c.WithPeer(Device{ID: bert, Since: noon.Add(4 * time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	held(device.ID{})
	says(carl, map[device.ID]time.Time{bert: noon.Add(3 * time.Hour)}, false)
	held(device.ID{})
}

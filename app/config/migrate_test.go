package config

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lanyard/sync/device"
	"lanyard/sync/status"
)

func TestOldDocumentsAreMigratedStepByStep(t *testing.T) {
	steps := migrations{
		1: func(d map[string]any) error { d["title"] = d["label"]; delete(d, "label"); return nil },
		2: func(d map[string]any) error { d["name"] = d["title"]; delete(d, "title"); return nil },
	}
	c, err := decode([]byte(`{"version":1,"label":"nas"}`), steps, 3)
	if err != nil || c.Name != "nas" || c.Version != 3 {
		t.Errorf("got %+v, %v; want the name nas in version 3", c, err)
	}
}

func TestAMissingMigrationIsNamed(t *testing.T) {
	_, err := decode([]byte(`{"version":1}`), migrations{2: func(map[string]any) error { return nil }}, 3)
	if err == nil || !strings.Contains(err.Error(), "version 1 is not known") {
		t.Errorf("got %v, want an error that names version 1", err)
	}
}

func TestADeviceOfTheFirstVersionWasAddedByItsID(t *testing.T) {
	id := device.ID{7}
	c, err := decode([]byte(`{"version":1,"devices":[{"id":"`+id.String()+`","name":"nas"}]}`), known(), Version)
	if err != nil || c.Version != Version || len(c.Devices) != 1 || c.Devices[0].Paired != status.ByID {
		t.Errorf("got %+v, %v", c, err)
	}
	if c.Pending == nil || c.Removed == nil {
		t.Error("a list is null")
	}
}

func TestWhatIsNotAPeerOutlivesTheFile(t *testing.T) {
	c := Default().WithPending(Pending{ID: device.ID{1}, Name: "a", How: status.ByCode, Since: time.Unix(1, 0).UTC()}).
		WithRemoved(Removed{ID: device.ID{2}, Name: "b", When: time.Unix(2, 0).UTC(), Peer: true})
	c.ByNumber = ByNumber{Date: "2026-11-21", Runs: 3, Mismatches: 2, Off: true}
	data, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	got, err := decode(data, known(), Version)
	if diff := cmp.Diff(c, got); diff != "" || err != nil {
		t.Errorf("read back (-written +read), %v:\n%s", err, diff)
	}
}

func TestOnlySoManyRemovedDevicesAreRemembered(t *testing.T) {
	c := Default()
	for i := range 2 * maxRemoved {
		c = c.WithRemoved(Removed{ID: device.ID{1, byte(i >> 8), byte(i)}})
	}
	if len(c.Removed) != maxRemoved || c.WasRemoved(device.ID{1}) {
		t.Errorf("%d are remembered", len(c.Removed))
	}
	last := c.Removed[maxRemoved-1].ID
	c, err := c.WithDevice(Device{ID: last})
	if err != nil || c.WasRemoved(last) || len(c.Removed) != maxRemoved-1 {
		t.Errorf("a removed device that was added again is still noted: %v", err)
	}
}

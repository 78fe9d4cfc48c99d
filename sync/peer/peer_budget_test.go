package peer

import (
	"sync/atomic"
	"testing"
	"testing/synctest"

	"lanyard/sync/bep"
	"lanyard/sync/exec"
)

// silentWire drops what is sent.
type silentWire struct{}

func (silentWire) Send(f Frame) {
	if f.Sent != nil {
		f.Sent()
	}
}
func (silentWire) Close(string) {}

func TestAClusterConfigIsHeldUntilWhatItResetsWasReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ex exec.Real
		defer ex.Close()
		host := &fakeHost{hold: make(chan struct{})}
		p := New(Options{Self: ourID, ID: theirID, Exec: &ex, Host: host, Wire: silentWire{}})
		p.Configure(photos(ourID, theirID, 0))
		var free atomic.Bool
		p.Receive(&bep.ClusterConfig{Folders: []bep.Folder{{
			ID: shared, Devices: []bep.Device{{ID: ourID}, {ID: theirID, IndexID: 9}},
		}}}, func() { free.Store(true) })
		synctest.Wait()
		if free.Load() {
			t.Error("the message was free before the store had forgotten: a device could send without end")
		}
		close(host.hold)
		synctest.Wait()
		if !free.Load() {
			t.Error("the message is held although the store has forgotten")
		}
		p.Close("")
		synctest.Wait()
	})
}

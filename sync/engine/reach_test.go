package engine

import (
	"net/netip"
	"sync/atomic"
	"testing"

	"lanyard/sync/status"
)

func TestHowAConnectionLeavesThisDeviceFollowsTheNetwork(t *testing.T) {
	var cable atomic.Bool
	a := describedNode(t, "a")
	a.reaches = func(own, other netip.Addr) status.Reach {
		if !own.IsValid() || !other.IsLoopback() {
			t.Errorf("asked of %v and %v", own, other)
		}
		if cable.Load() {
			return status.Reach{Over: status.Cable, Direct: true}
		}
		return status.Reach{Over: status.WiFi, Direct: true}
	}
	startNode(t, a)
	b := newNode(t, "b")
	connect(a, b)
	if got, want := a.deviceOf(a.Snapshot(), b).Reach, (status.Reach{Over: status.WiFi, Direct: true}); got != want {
		t.Errorf("at first it is %+v, want %+v", got, want)
	}
	if got := b.deviceOf(b.Snapshot(), a).Reach; got != (status.Reach{}) {
		t.Errorf("a device that is told nothing says %+v", got)
	}
	cable.Store(true)
	a.Moved(false)
	a.await("the cable is told", func(s status.Snapshot) bool {
		return a.deviceOf(s, b).Reach == status.Reach{Over: status.Cable, Direct: true}
	})
}

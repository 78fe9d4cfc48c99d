package engine

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"lanyard/sync/device"
	"lanyard/sync/exec"
	"lanyard/sync/fault"
	"lanyard/sync/index"
	"lanyard/sync/status"
	"lanyard/sync/transport"
)

// starts counts the connections with another device that were talked on.
func (n *node) starts(other *node) int {
	n.Engine.mu.Lock()
	defer n.Engine.mu.Unlock()
	if c := n.contacts[other.id]; c != nil {
		return len(c.starts)
	}
	return 0
}

// settledLink waits until a connection is so old that another one is no dial that
// crossed it, and gives it.
func settledLink(a, b *node) transport.Conn {
	a.t.Helper()
	var conn transport.Conn
	a.await("a connection that has lasted", func(status.Snapshot) bool {
		conn = a.usedFor(b)
		old := make(chan bool, 1)
		a.net.turn.Post(func() {
			l := a.net.links[b.id]
			old <- l != nil && l.used != nil && l.used.pulse != nil && time.Since(l.used.since) > crossed
		})
		return conn != nil && <-old
	})
	return conn
}

// TestAConnectionThatOneSideLostIsMadeAnew has one side lose its connections,
// and the other know nothing of it: by a sleep, and by a move to another network
// in which nothing may be said on them. Whoever has the smaller ID, the dead
// connection is not preferred to the new one.
func TestAConnectionThatOneSideLostIsMadeAnew(t *testing.T) {
	for name, lose := range map[string]func(n *node){
		"it slept":                    func(n *node) { n.Resumed() },
		"it moved":                    func(n *node) { n.Moved(true) },
		"it lost them without a word": func(n *node) { n.o.Transport.(transport.Dropper).Drop() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b := connectedPair(t)
			for _, side := range [][2]*node{{a, b}, {b, a}} {
				mover, other := side[0], side[1]
				mover.awaitConnected(other, true)
				before := settledLink(mover, other)
				starts := other.starts(mover)
				lose(mover)
				mover.await("one other connection, the same on both sides", func(status.Snapshot) bool {
					now := mover.usedFor(other)
					// Both may dial, and the first to say Hello need not be the one that stays.
					began := other.starts(mover) - starts
					return now != before && sameConnection(now, other.usedFor(mover)) && began >= 1 && began <= 2
				})
			}
		})
	}
}

func TestAMoveThatLeavesTheAddressesKeepsConnections(t *testing.T) {
	a, b := connectedPair(t)
	before := settledLink(a, b)
	signs, _ := transport.Signs(before)
	a.Moved(false)
	a.await("a sign of the other side", func(status.Snapshot) bool {
		now, told := transport.Signs(before)
		return told && now > signs
	})
	if a.usedFor(b) != before {
		t.Error("the connection was made anew")
	}
}

// inFlight is a transport whose dials take long, and that counts them.
type inFlight struct {
	dialed
	now, most atomic.Int64
}

func (f *inFlight) Dial(ctx context.Context, _ string, _ device.ID) (transport.Conn, error) {
	n := f.now.Add(1)
	defer f.now.Add(-1)
	for {
		most := f.most.Load()
		if n <= most || f.most.CompareAndSwap(most, n) {
			break
		}
	}
	<-ctx.Done()
	return nil, fault.New(fault.Retry, "", "no answer")
}

func TestDialsAreFewAtOnce(t *testing.T) {
	for devices, want := range map[int]int64{1: maxDialsOfADevice, 20: maxDials} {
		synctest.Test(t, func(t *testing.T) {
			tr, ex := &inFlight{}, &exec.Real{}
			e := New(Options{ID: device.ID{99}, Store: index.NewMemory(index.MemoryOptions{}), Exec: ex, Transport: tr})
			var d Desired
			for i := range devices {
				var addresses []string
				for port := range 12 {
					addresses = append(addresses, "quic://192.0.2.1:"+string(rune('1'+port%9))+"00")
				}
				d.Devices = append(d.Devices, DeviceSpec{ID: device.ID{byte(i)}, Addresses: addresses})
			}
			e.Apply(d)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			_ = e.Run(ctx)
			ex.Close()
			if got := tr.most.Load(); got != want {
				t.Errorf("%d devices: %d dials at once, want %d", devices, got, want)
			}
		})
	}
}

func TestWhatADeviceOwesIsAnAnswer(t *testing.T) {
	a, b := connectedPair(t)
	conn := settledLink(a, b)
	type step struct {
		after     time.Duration
		rounds    int
		ask, lost bool
	}
	var p *pulse
	got := make(chan struct{})
	a.net.turn.Post(func() { p = a.net.links[b.id].used.pulse; close(got) })
	<-got
	now := time.Now()
	fresh := &pulse{stream: p.stream}
	fresh.signs, _ = transport.Signs(conn)
	_, out := p.stream.Counts()
	// Something was written after the last sign.
	fresh.before, fresh.last = out-1, out-1
	for _, s := range []step{{0, 0, false, false}, {askAfter, 0, true, false}, {loseAfter, loseAsks - 1, true, false}, {loseAfter, loseAsks, true, true}} {
		signs, _ := transport.Signs(conn)
		fresh.signs, fresh.rounds = signs, s.rounds // whatever came meanwhile
		if ask, lost := fresh.look(conn, now.Add(s.after)); ask != s.ask || lost != s.lost {
			t.Errorf("after %v: ask %v, lost %v, want %v, %v", s.after, ask, lost, s.ask, s.lost)
		}
	}
	fresh.signs-- // a sign came
	if ask, lost := fresh.look(conn, now.Add(2*loseAfter)); ask || lost || !fresh.owing.IsZero() {
		t.Errorf("after a sign: ask %v, lost %v", ask, lost)
	}
}

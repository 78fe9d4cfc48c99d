package engine

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/exec"
	"lanyard/sync/index"
	"lanyard/sync/peer"
)

func stranger(n int) device.ID { return device.ID{3, byte(n >> 8), byte(n)} }

func TestStrangersGiveWayAfterTenMinutesTheOldestFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ex := &exec.Real{}
		defer ex.Close()
		e := New(Options{ID: us, Store: index.NewMemory(index.MemoryOptions{}), Exec: ex})
		defer e.Close()
		note := func(n int) { e.noteStranger(stranger(n), bep.Hello{}, "") }
		noted := func(n int) bool {
			e.mu.Lock()
			defer e.mu.Unlock()
			_, ok := e.offers[offerKey{device: stranger(n)}]
			return ok
		}
		for n := range maxOffers {
			note(n)
			<-time.After(time.Millisecond)
		}
		note(maxOffers)
		if noted(maxOffers) {
			t.Error("a flood drives out the offers of a moment ago")
		}
		<-time.After(offerLasts)
		note(0) // asks again
		note(maxOffers)
		for n, want := range map[int]bool{0: true, 1: false, 2: true, maxOffers: true} {
			if got := noted(n); got != want {
				t.Errorf("stranger %d is noted: %v, want %v", n, got, want)
			}
		}
	})
}

// An ID cannot be cleaned as a label is: it has to be repeated as it is.
func TestAFolderWhoseIDCannotBeShownIsNotOffered(t *testing.T) {
	a, b := strangers(t)
	a.noteOffers(b.id, []peer.RemoteFolder{
		{ID: "fine"}, {ID: "two\x1b[2Jlines"}, {ID: "turned\u202e"}, {ID: "line\r\n"}, {ID: bep.FolderID(strings.Repeat("x", 100_000))}, {ID: "\xff"},
	})
	offers := a.Snapshot().Offers
	if len(offers) != 1 || offers[0].Folder != "fine" {
		t.Errorf("offered are %+v, want the one that can be shown", offers)
	}
}

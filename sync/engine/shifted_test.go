package engine

import (
	"math/rand/v2"
	"testing"

	"lanyard/sync/device"
	"lanyard/sync/status"
)

// Two devices of ours find what only moved within a file; also when the one
// that the file changes on learnt of the other in an earlier life.
func TestAByteInFrontOfABigFileSendsLittle(t *testing.T) {
	a, b := connectedPair(t)
	content := make([]byte, 24<<20)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(content)
	a.write("big", string(content))
	a.scanned()
	a.inSync(b)
	received := func() int64 { return b.deviceOf(b.Snapshot(), a).InBytes }

	before := received()
	a.write("big", "x"+string(content))
	a.scanned()
	a.inSync(b)
	b.awaitFile("big", "x"+string(content))
	if got := received() - before; got > 1<<20 {
		t.Errorf("%d KiB were sent for a byte in front, want less than 1 MiB", got>>10)
	}

	pause := func(yes bool) { a.want(func(d *Desired) { d.Devices[0].Paused = yes }) }
	pause(true)
	a.awaitConnected(b, false)
	before = received()
	a.write("big", "yx"+string(content))
	a.scanned()
	pause(false)
	a.awaitConnected(b, true)
	a.inSync(b)
	b.awaitFile("big", "yx"+string(content))
	if got := received() - before; got > 1<<20 {
		t.Errorf("%d KiB were sent for a byte in front that was put there while the device was away, want less than 1 MiB", got>>10)
	}
}

func TestSumsAreMadeForDevicesThatCanUseThem(t *testing.T) {
	a, b := connectedPair(t)
	a.write("hello", "from a")
	a.scanned()
	a.inSync(b)
	if !a.wantsSums(photos) {
		t.Error("a device that speaks our extensions shares the folder, and nothing is summed")
	}
	stranger := device.ID{1}
	a.want(func(d *Desired) { d.Folders[0].Shared = []device.ID{stranger} })
	a.await("no sums for a device that never said that it can use them", func(status.Snapshot) bool { return !a.wantsSums(photos) })
}

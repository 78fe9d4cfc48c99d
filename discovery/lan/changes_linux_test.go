package lan

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"lanyard/discovery/network/networktest"
	"lanyard/sync/device"
)

// hearsay is a book that believes nothing. It may be used from any goroutine.
type hearsay struct{}

func (hearsay) Sighted(device.ID, []string) {}
func (hearsay) SetNetwork(string)           {}

// TestInterfacesThatComeAndGoLeaveNothingBehind runs a Finder on real sockets in
// a network where an interface comes and goes, fifty times in a long test.
// Meanwhile it opens no more and more files, and at its end nothing is left of it.
func TestInterfacesThatComeAndGoLeaveNothingBehind(t *testing.T) {
	if !networktest.Inside(t) {
		return
	}
	changes := 10
	if os.Getenv("LANYARD_LONG") != "" {
		changes = 50
	}
	networktest.System(t, "ip link set lo up")
	networktest.System(t, "ip link add eth0 type veth peer name far0")
	networktest.System(t, "ip addr add 192.0.2.1/24 dev eth0")
	networktest.System(t, "ip link set eth0 up")
	networktest.System(t, "ip link set far0 up")
	goroutines, files := runtime.NumGoroutine(), openFiles(t)
	f := New(Options{
		Self: device.ID{9}, Listen: func() []string { return []string{"quic://0.0.0.0:22001"} }, Port: func() int { return 22001 },
		Book: hearsay{}, Trusted: func(string) bool { return true }, Round: time.Second,
	})
	f.OpenPane("Anna's laptop", nil)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = f.Run(ctx) }) // gives the cause of ctx's end
	defer running.Wait()
	defer cancel()
	networks := func(want int) { // both ends of a cable are interfaces
		t.Helper()
		await(t, fmt.Sprintf("%d networks", want), func() error {
			if now := f.Networks(); len(now) != want {
				return fmt.Errorf("it is in %+v", now)
			}
			return nil
		})
	}
	networks(2)
	begun := openFiles(t)
	for i := range changes {
		if i%2 == 0 {
			networktest.System(t, "ip link add eth1 type veth peer name far1")
			networktest.System(t, fmt.Sprintf("ip addr add 198.51.100.%d/24 dev eth1", 1+i))
			networktest.System(t, "ip link set far1 up")
			networktest.System(t, "ip link set eth1 up")
			networks(4)
		} else {
			networktest.System(t, "ip link del eth1")
			networks(2)
		}
		if i < 4 { // until all that announces and asks has begun
			begun = max(begun, openFiles(t))
		}
	}
	most := begun + 4 // one more announcement and one more round may be on their way
	await(t, "few files", func() error {
		if now := openFiles(t); now > most {
			return fmt.Errorf("%d files are open, at first %d", now, begun)
		}
		return nil
	})
	cancel()
	running.Wait()
	await(t, "nothing left", func() error {
		now, open := runtime.NumGoroutine(), openFiles(t)
		if now > goroutines || open > files {
			buf := make([]byte, 1<<20)
			return fmt.Errorf("%d goroutines and %d files, before %d and %d:\n%s",
				now, open, goroutines, files, buf[:runtime.Stack(buf, true)])
		}
		return nil
	})
	t.Logf("%d changes; %d files at first", changes, begun)
}

func openFiles(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// await waits until cond gives no error.
func await(t *testing.T, what string, cond func() error) {
	t.Helper()
	late := time.NewTimer(time.Minute)
	defer late.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for err := cond(); err != nil; err = cond() {
		select {
		case <-tick.C:
		case <-late.C:
			t.Fatal(errors.Join(errors.New(what+" never comes"), err))
		}
	}
}

package e2e_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestKnownDevicesMeetAgainAfterASleep puts computers to sleep: they are cut off
// and their engine is stopped, until the other device has given them up. When
// they wake up, an hour has passed by the clock on the wall, by one that a test
// can set; or half a minute by the other clock, which is what a system shows
// that lets both run on.
func TestKnownDevicesMeetAgainAfterASleep(t *testing.T) {
	t.Parallel()
	needBrisk(t)
	if !inOwnNetwork(t) {
		return
	}
	newSwitch(t)
	for i, sleep := range []struct {
		name    string
		stopped time.Duration
		wall    time.Duration
	}{
		{"an hour on the wall", 14 * time.Second, time.Hour},
		{"an hour on the wall again", 14 * time.Second, time.Hour}, // other IDs, so perhaps the other one has the smaller
		{"half a minute", 33 * time.Second, 0},
	} {
		a, b := newNetLanyard(t, fmt.Sprintf("a%d", i), 1+2*i), newNetLanyard(t, fmt.Sprintf("b%d", i), 2+2*i)
		clock := filepath.Join(t.TempDir(), "ahead")
		must(t, os.WriteFile(clock, []byte("0s"), 0o600))
		if sleep.wall > 0 {
			a.brisk(t, briskAhead+"="+clock)
		}
		knowEachOther(t, a, b)
		startTrusting(t, a, b)
		t.Run(sleep.name, func(t *testing.T) {
			t.Parallel()
			eventually(t, patience, "connected", func() error { return allConnected(a, b) })
			a.writes(t, "before")
			eventually(t, patience, "a file before", func() error { return b.told("before") })
			if a.slept(t) {
				t.Fatal("it slept before it was put to sleep")
			}
			a.host.unplug(t)
			must(t, syscall.Kill(-a.proc.cmd.Process.Pid, syscall.SIGSTOP))
			asleep := time.After(sleep.stopped)
			b.writes(t, "meanwhile")
			eventually(t, patience, "the other one has given it up", func() error {
				if b.Connected() == nil {
					return errors.New("it is connected")
				}
				return nil
			})
			<-asleep
			must(t, os.WriteFile(clock, []byte(sleep.wall.String()), 0o600))
			a.host.plug(t)
			must(t, syscall.Kill(-a.proc.cmd.Process.Pid, syscall.SIGCONT))
			eventually(t, 5*time.Second, "a file after the sleep, and connected", func() error {
				return errors.Join(a.told("meanwhile"), allConnected(a, b))
			})
			if !a.slept(t) {
				t.Error("it did not notice that it slept")
			}
		})
	}
}

// slept reports whether the engine noticed that its computer slept.
func (l *netLanyard) slept(t *testing.T) bool {
	t.Helper()
	text, err := os.ReadFile(l.log)
	must(t, err)
	return strings.Contains(string(text), "this machine has slept")
}

package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// interfaceChanges is how often an interface comes or goes in the test below.
const interfaceChanges = 50

// TestInterfacesThatComeAndGoLeaveNothingBehind has a second interface of a
// connected device come and go again and again. Afterwards it has as many
// descriptors open as before, and as many goroutines as the same device that has
// just been started.
func TestInterfacesThatComeAndGoLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	if !inOwnNetwork(t) {
		return
	}
	a, b := trustingPair(t)
	before := a.steadyDescriptors(t)
	since := a.device(t, b).Since
	began := time.Now()
	for i := range interfaceChanges {
		want := 2 - i%2
		if want == 2 {
			ip(t, "link add eth1 netns a type veth peer name q-a")
			ip(t, "link set q-a master br1 up")
			ip(t, fmt.Sprintf("-n a addr add 10.78.0.%d/24 dev eth1", 1+i))
			ip(t, "-n a link set eth1 up")
		} else {
			ip(t, "-n a link del eth1")
		}
		await(t, patience, fmt.Sprintf("it knows of change %d", i+1), func() error {
			if now := a.networks(t); now != want {
				return fmt.Errorf("it is in %d networks, want %d", now, want)
			}
			return nil
		})
	}
	t.Logf("%d changes in %v", interfaceChanges, time.Since(began).Round(time.Millisecond))
	must(t, allConnected(a, b))
	if now := a.device(t, b).Since; !now.Equal(since) {
		t.Errorf("the other interface came and went, and they connected anew at %v, before at %v", now, since)
	}
	eventually(t, patience, "the descriptors of before", func() error {
		if now := a.descriptors(t); now > before {
			return fmt.Errorf("%d descriptors, before %d", now, before)
		}
		return nil
	})
	a.steadyDescriptors(t) // an announcement that was replaced takes a while to end
	after := a.goroutines(t)
	a.Start(t)
	eventually(t, patience, "connected anew", func() error { return allConnected(a, b) })
	a.steadyDescriptors(t)
	fresh := a.goroutines(t)
	t.Logf("%d descriptors; %d goroutines, freshly started %d", before, after, fresh)
	// One or the other may be about something at the moment.
	if after > fresh+8 {
		t.Errorf("after %d changes %d goroutines run, freshly started %d", interfaceChanges, after, fresh)
	}
}

// networks counts the networks that a device says it is in.
func (l *netLanyard) networks(t *testing.T) (n int) {
	t.Helper()
	var list []struct {
		Here bool `json:"here"`
	}
	must(t, l.api(http.MethodGet, "/networks", &list))
	for _, entry := range list {
		if entry.Here {
			n++
		}
	}
	return n
}

// descriptors counts those that the engine has open.
func (l *netLanyard) descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir(filepath.Join("/proc", strconv.Itoa(l.proc.cmd.Process.Pid), "fd"))
	must(t, err)
	return len(list)
}

// steadyDescriptors counts them once they have been as many for two seconds.
func (l *netLanyard) steadyDescriptors(t *testing.T) int {
	t.Helper()
	last, since := -1, time.Now()
	await(t, patience, "nothing is opened or closed any more", func() error {
		if now := l.descriptors(t); now != last {
			last, since = now, time.Now()
		}
		if time.Since(since) < 2*time.Second {
			return fmt.Errorf("%d descriptors, since %v", last, time.Since(since))
		}
		return nil
	})
	return last
}

// goroutines ends the engine with a listing of its goroutines, and counts them.
func (l *netLanyard) goroutines(t *testing.T) int {
	t.Helper()
	before, err := os.ReadFile(l.log)
	must(t, err)
	l.proc.end(syscall.SIGQUIT)
	text, err := os.ReadFile(l.log)
	must(t, err)
	return len(regexp.MustCompile(`(?m)^goroutine \d+ `).FindAll(text[len(before):], -1))
}

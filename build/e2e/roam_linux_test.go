package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestFreshDevicesFindEachOther has two devices that know nothing of each other
// open the page for connecting devices, and a third one that does not.
func TestFreshDevicesFindEachOther(t *testing.T) {
	if !inOwnNetwork(t) {
		return
	}
	newSwitch(t)
	a, b, c := newNetLanyard(t, "a", 1), newNetLanyard(t, "b", 2), newNetLanyard(t, "c", 3)
	for _, l := range []*netLanyard{a, b, c} {
		l.Start(t)
	}
	var names [2]struct {
		Name string `json:"name"`
	}
	for i, l := range []*netLanyard{a, b} {
		must(t, l.api(http.MethodGet, "/id", &names[i]))
		must(t, l.api(http.MethodPut, "/pairing/pane", nil))
	}
	eventually(t, 3*time.Second, "both see each other", func() error {
		if err := a.sees(names[1].Name); err != nil {
			return fmt.Errorf("a: %w", err)
		}
		return b.sees(names[0].Name)
	})
	var s near
	must(t, a.api(http.MethodGet, "/status", &s))
	if len(s.Pairing.Nearby) != 1 {
		t.Errorf("a sees %+v, want b alone", s.Pairing.Nearby)
	}
}

// TestKnownDevicesFindEachOtherAgain has two devices connect without an address:
// by their IDs in a trusted network; then, when that is not trusted any more and
// all addresses have changed, by anonymous announcements alone; after a change of
// address on either side; and after a kill. Each tells over what kind
// of card, and that directly.
func TestKnownDevicesFindEachOtherAgain(t *testing.T) {
	if !inOwnNetwork(t) {
		return
	}
	newSwitch(t)
	a, b := newNetLanyard(t, "a", 1), newNetLanyard(t, "b", 2)
	a.card, b.card = "wifi", "cable"
	knowEachOther(t, a, b)
	startTrusting(t, a, b)
	eventually(t, patience, "connected by their IDs", func() error { return allConnected(a, b) })
	reached := func() error {
		for l, other := range map[*netLanyard]*netLanyard{a: b, b: a} {
			if got := l.device(t, other).Reach; got.Over != l.card || !got.Direct {
				return fmt.Errorf("%s says %+v, and has %s", l.host.name, got, l.card)
			}
		}
		return nil
	}
	eventually(t, patience, "what they are connected by", reached)
	if says := a.run(t, "status"); !strings.Contains(says, "connected (Wi-Fi, direct), ") {
		t.Errorf("it says:\n%s", says)
	}
	a.writes(t, "first")
	eventually(t, patience, "first file", func() error { return b.told("first") })

	for i, l := range []*netLanyard{a, b} {
		file := fmt.Sprintf("moved-%d", i)
		tryIP("-n " + l.host.name + " addr flush dev eth0 scope global")
		l.host.addresses(t, fmt.Sprintf("10.77.0.%d/24", 71+i), fmt.Sprintf("fd77::%d/64", 71+i))
		a.writes(t, file)
		eventually(t, 5*time.Second, "a file after "+l.host.name+" has another address", func() error { return b.told(file) })
		eventually(t, 5*time.Second, "connected", func() error { return allConnected(a, b) })
		eventually(t, patience, "what they are connected by", reached)
	}

	b.Kill()
	a.writes(t, "while-away")
	b.Start(t)
	eventually(t, 5*time.Second, "a file after a kill", func() error { return b.told("while-away") })

	for _, l := range []*netLanyard{a, b} {
		l.run(t, "network", "untrust")
		l.Stop(t)
	}
	for i, l := range []*netLanyard{a, b} { // what worked before works no more
		tryIP("-n " + l.host.name + " addr flush dev eth0 scope global")
		l.host.addresses(t, fmt.Sprintf("10.77.0.%d/24", 81+i), fmt.Sprintf("fd77::%d/64", 81+i))
		l.Start(t)
	}
	eventually(t, patience, "connected by anonymous announcements", func() error { return allConnected(a, b) })
}

// TestPartitionsHeal cuts three pairs off, for 5, 20 and 90 seconds, while one
// side writes.
func TestPartitionsHeal(t *testing.T) {
	t.Parallel()
	if !inOwnNetwork(t) {
		return
	}
	newSwitch(t)
	var pairs [][2]*netLanyard
	for i := range 3 {
		a, b := newNetLanyard(t, fmt.Sprintf("a%d", i), 1+2*i), newNetLanyard(t, fmt.Sprintf("b%d", i), 2+2*i)
		knowEachOther(t, a, b)
		startTrusting(t, a, b)
		pairs = append(pairs, [2]*netLanyard{a, b})
	}
	for i, length := range []time.Duration{5 * time.Second, 20 * time.Second, 90 * time.Second} {
		a, b := pairs[i][0], pairs[i][1]
		t.Run(length.String(), func(t *testing.T) {
			t.Parallel()
			eventually(t, patience, "connected", func() error { return allConnected(a, b) })
			a.host.unplug(t)
			a.writes(t, "apart")
			<-time.After(length)
			a.host.plug(t)
			eventually(t, 10*time.Second, fmt.Sprintf("a file after %v apart", length), func() error { return b.told("apart") })
			eventually(t, 10*time.Second, "connected", func() error { return allConnected(a, b) })
		})
	}
}

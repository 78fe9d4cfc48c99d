package network

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	mac1 = net.HardwareAddr{2, 0, 0, 0, 0, 1}
	mac2 = net.HardwareAddr{2, 0, 0, 0, 0, 2}
)

func addrs(list ...string) (out []net.Addr) {
	for _, s := range list {
		ip, n, err := net.ParseCIDR(s)
		if err != nil {
			panic(err)
		}
		n.IP = ip
		out = append(out, n)
	}
	return out
}

func way(index int, addr string, mac net.HardwareAddr) gateway {
	return gateway{index: index, addr: netip.MustParseAddr(addr), mac: mac}
}

func TestANetworkIsRecognisedByRouterSubnetAndName(t *testing.T) {
	eth := net.Interface{Index: 2, Name: "eth0"}
	home := linkOf(eth, addrs("192.168.1.7/24", "fe80::7/64"), []gateway{way(2, "192.168.1.1", mac1), way(2, "fe80::1%eth0", mac1)}, "")
	if home.ID == "" || home.Waiting || home.Name != "192.168.1.0/24 (eth0)" {
		t.Fatalf("home is %+v", home)
	}
	for name, c := range map[string]struct {
		link Link
		same bool
	}{
		"another address":         {linkOf(eth, addrs("192.168.1.9/24"), []gateway{way(2, "192.168.1.1", mac1)}, ""), true},
		"another interface":       {linkOf(net.Interface{Index: 3, Name: "eth1"}, addrs("192.168.1.9/24"), []gateway{way(3, "192.168.1.1", mac1)}, ""), true},
		"a second subnet":         {linkOf(eth, addrs("10.0.0.1/8", "192.168.1.9/24"), []gateway{way(2, "192.168.1.1", mac1)}, ""), true},
		"another router":          {linkOf(eth, addrs("192.168.1.7/24"), []gateway{way(2, "192.168.1.1", mac2)}, ""), false},
		"another subnet":          {linkOf(eth, addrs("192.168.2.7/24"), []gateway{way(2, "192.168.2.1", mac1)}, ""), false},
		"another Wi-Fi":           {linkOf(eth, addrs("192.168.1.7/24"), []gateway{way(2, "192.168.1.1", mac1)}, "x"), false},
		"no router":               {linkOf(eth, addrs("192.168.1.7/24"), nil, ""), false},
		"a router of another one": {linkOf(eth, addrs("192.168.1.7/24"), []gateway{way(5, "192.168.1.1", mac1)}, ""), false},
	} {
		if c.link.ID == "" || (c.link.ID == home.ID) != c.same {
			t.Errorf("%s: ID %q, home has %q, want the same: %v", name, c.link.ID, home.ID, c.same)
		}
	}
}

func TestWhatCannotBeRecognised(t *testing.T) {
	eth := net.Interface{Index: 2, Name: "eth0"}
	if l := linkOf(eth, addrs("192.168.1.7/24"), []gateway{way(2, "192.168.1.1", nil)}, ""); l.ID != "" || !l.Waiting {
		t.Errorf("the router is not known: %+v", l)
	}
	if l := linkOf(eth, addrs("169.254.3.3/16", "fe80::7/64"), nil, ""); l.ID != "" || l.Waiting {
		t.Errorf("link-local addresses: %+v", l)
	}
	if l := linkOf(net.Interface{Index: 2, Name: "tun0", Flags: net.FlagPointToPoint}, addrs("10.8.0.2/24"), []gateway{way(2, "10.8.0.1", nil)}, ""); l.ID == "" {
		t.Errorf("a tunnel: %+v", l)
	}
}

func TestTheWayOutIsTheMainNetwork(t *testing.T) {
	a, b, c := Link{Interface: "a", ID: "a", metric: -1}, Link{Interface: "b", ID: "b", metric: 600}, Link{Interface: "c", ID: "c", metric: 100}
	for _, tt := range []struct {
		links []Link
		want  string
	}{
		{[]Link{a, b, c}, "c"},
		{[]Link{a, b}, "b"},
		{[]Link{{}, a}, "a"},
		{[]Link{a, {Interface: "d", Waiting: true, metric: 1}}, ""},
		{nil, ""},
	} {
		if got, ok := Main(tt.links); got.Interface != tt.want || ok != (tt.want != "") {
			t.Errorf("of %+v the main one is %q, %v, want %q", tt.links, got.Interface, ok, tt.want)
		}
	}
}

func TestTheSystemIsAsked(t *testing.T) {
	if _, err := Links(); err != nil {
		t.Error(err)
	}
}

// rig is a Watcher in virtual time whose machine and clocks the test moves.
type rig struct {
	Watcher
	mu     sync.Mutex // guards what follows
	links  []Link
	asleep time.Duration
	events []string
}

// set changes the machine.
func (r *rig) set(change func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change()
}

func (r *rig) told(event string) { r.set(func() { r.events = append(r.events, event) }) }

// wants checks what was told so far.
func (r *rig) wants(t *testing.T, want ...string) {
	t.Helper()
	r.set(func() {
		if !slices.Equal(r.events, want) {
			t.Errorf("told %q, want %q", r.events, want)
		}
	})
}

func inRig(t *testing.T, test func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{links: []Link{{Interface: "eth0", ID: "home"}}}
		begun := time.Now()
		r.Watcher.Links = func() (l []Link, _ error) { r.set(func() { l = slices.Clone(r.links) }); return l, nil }
		r.Now = func() (wall time.Time, awake time.Duration) {
			r.set(func() { wall = time.Now().Add(r.asleep) })
			return wall, time.Since(begun)
		}
		r.quiet = true
		r.Events = Events{
			Moving:  func() { r.told("moving") },
			Changed: func(l []Link) { r.told("changed " + l[0].ID) },
			Resumed: func() { r.told("resumed") },
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); _ = r.Run(ctx) }()
		synctest.Wait()
		test(r)
		cancel()
		<-ended
	})
}

// pass lets time go by.
func (r *rig) pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestAChangeIsToldAtOnceAndOnceMoreWhenItHasSettled(t *testing.T) {
	inRig(t, func(r *rig) {
		r.pass(time.Minute)
		r.set(func() { r.links[0].ID = "" })
		r.pass(lookEvery)
		r.set(func() { r.links[0].ID = "cafe" })
		r.pass(lookEvery + settled + time.Millisecond)
		r.wants(t, "changed home", "moving", "changed cafe")
	})
}

func TestSleepIsNoticed(t *testing.T) {
	inRig(t, func(r *rig) {
		r.pass(time.Hour)
		r.set(func() { r.asleep += 4 * time.Second }) // the clock was set
		r.pass(lookEvery)
		r.set(func() { r.asleep -= time.Hour }) // back
		r.pass(lookEvery)
		r.wants(t, "changed home")
		r.set(func() { r.asleep += time.Hour })
		r.pass(lookEvery)
		r.wants(t, "changed home", "resumed")
	})
}

package doctor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lanyard/discovery/local"
	"lanyard/sync/fault"
)

// bench is a machine of a test, on which everything is well but for what the
// test sets.
type bench struct {
	links  []local.Interface
	probes map[string]error // by check, interface and family
	asked  []string
	from   map[string]string // source by destination; "" for the same
	bind   error
	buffer int
	clock  time.Duration // by which it is behind
}

// noon is when the machine was last written to.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func (b *bench) Now() time.Time { return noon.Add(-b.clock) }

func (b *bench) Links() ([]local.Interface, error) { return b.links, nil }

func (b *bench) Probe(_ context.Context, m Method, l local.Interface) error {
	name := fmt.Sprint(m.Check, " ", l.Name)
	if m.IPv6 {
		name += " 6"
	}
	b.asked = append(b.asked, name)
	return b.probes[name]
}

func (b *bench) SourceOf(to netip.Addr) (netip.Addr, error) {
	if from := b.from[to.String()]; from != "" {
		return netip.MustParseAddr(from), nil
	}
	return netip.MustParseAddr("192.0.2.1"), nil
}

func (b *bench) Bind(int) error { return b.bind }

func (b *bench) Buffer(want int) (int, error) {
	if b.buffer != 0 {
		return b.buffer, nil
	}
	return want, nil
}

func link(name string, prefixes ...string) local.Interface {
	l := local.Interface{Name: name, Multicast: true}
	for _, p := range prefixes {
		l.Prefixes = append(l.Prefixes, netip.MustParsePrefix(p))
	}
	return l
}

func tunnel(name string, prefixes ...string) local.Interface {
	l := link(name, prefixes...)
	l.PointToPoint = true
	return l
}

func TestWhatIsWrongIsNamed(t *testing.T) {
	home := link("eth0", "192.0.2.1/24", "fe80::1/64")
	devices := []Device{
		{"attic", netip.MustParseAddr("192.168.7.5")}, {"abroad", netip.MustParseAddr("203.0.113.9")},
	}
	tests := []struct {
		name string
		b    bench
		want string // check, interface, code and values of each finding
	}{
		{"everything is well", bench{links: []local.Interface{home}}, ""},
		{"there is no network", bench{}, "network network-none"},
		{"a tunnel alone is no network", bench{links: []local.Interface{tunnel("tun0", "198.51.100.1/32")}}, "network network-none"},
		{"an interface without an address is no network", bench{links: []local.Interface{link("eth0")}}, "network network-none"},
		{
			"what was sent is not heard",
			bench{links: []local.Interface{home}, probes: map[string]error{"mdns eth0": ErrSilent}},
			"mdns eth0 firewall-blocked",
		},
		{
			"sending is refused",
			bench{links: []local.Interface{home}, probes: map[string]error{"local eth0": os.NewSyscallError("sendto", syscall.EPERM)}},
			"local eth0 firewall-blocked",
		},
		{
			"another program has the port for itself",
			bench{links: []local.Interface{home}, probes: map[string]error{"mdns eth0": syscall.EADDRINUSE}},
			"mdns eth0 port-taken port=5353",
		},
		{
			"the group cannot be joined",
			bench{links: []local.Interface{home}, probes: map[string]error{"mdns eth0 6": syscall.ENODEV}},
			"mdns eth0 announce-limited",
		},
		{
			"an address of IPv6 is not ready yet",
			bench{links: []local.Interface{home}, probes: map[string]error{"mdns eth0 6": syscall.EADDRNOTAVAIL}},
			"",
		},
		{
			"a tunnel has the way",
			bench{links: []local.Interface{home, tunnel("tun0", "198.51.100.1/32")}, from: map[string]string{"192.0.2.2": "198.51.100.1"}},
			"route eth0 vpn-takes-lan",
		},
		{
			"another interface has the way, which is no tunnel",
			bench{links: []local.Interface{home, link("wlan0", "192.0.2.9/24")}, from: map[string]string{"192.0.2.2": "192.0.2.9"}},
			"",
		},
		{
			"a VPN takes everything that is not for the local subnet",
			bench{links: []local.Interface{home, tunnel("tun0", "198.51.100.1/32")}, from: map[string]string{"192.168.7.5": "198.51.100.1"}},
			"route attic vpn-takes-lan device=attic",
		},
		{
			"a device is inside the VPN",
			bench{links: []local.Interface{home, tunnel("tun0", "192.168.7.1/24")}, from: map[string]string{"192.168.7.5": "192.168.7.1"}},
			"",
		},
		{
			"a device elsewhere is reached over the VPN",
			bench{links: []local.Interface{home, tunnel("tun0", "198.51.100.1/32")}, from: map[string]string{"203.0.113.9": "198.51.100.1"}},
			"",
		},
		{"the clock is a little behind", bench{links: []local.Interface{home}, clock: clockBehind}, ""},
		{
			"the clock is behind",
			bench{links: []local.Interface{home}, clock: time.Hour},
			"clock clock-behind span=3600 time=2026-11-21T11:00:00Z",
		},
		{"the clock is ahead, which nothing here can tell", bench{links: []local.Interface{home}, clock: -time.Hour}, ""},
		{"the port for connections is taken", bench{links: []local.Interface{home}, bind: errors.New("in use")}, "port port-taken port=22000"},
		{"buffers are small", bench{links: []local.Interface{home}, buffer: 425984}, "buffers buffers-small size=425984"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, f := range Examine(t.Context(), Options{Port: 22000, System: &test.b, Written: noon, Devices: devices}) {
				words := []string{string(f.Check), f.Interface, string(fault.CodeOf(f.Err))}
				data := fault.DataOf(f.Err)
				for _, k := range slices.Sorted(maps.Keys(data)) {
					words = append(words, k+"="+data[k])
				}
				got = append(got, strings.Join(strings.Fields(strings.Join(words, " ")), " "))
			}
			if diff := cmp.Diff(test.want, strings.Join(got, ", ")); diff != "" {
				t.Errorf("found (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEveryMethodIsTriedOnEveryInterface(t *testing.T) {
	quiet := link("ppp", "203.0.113.1/24")
	quiet.Multicast = false
	b := &bench{links: []local.Interface{link("eth0", "192.0.2.1/24", "fe80::1/64"), link("wlan0", "198.51.100.1/24"), quiet, tunnel("tun0", "10.0.0.1/32")}}
	Examine(t.Context(), Options{System: b})
	want := []string{
		"mdns eth0", "mdns wlan0", "mdns eth0 6", "local eth0", "local wlan0", "local ppp", "local eth0 6",
	}
	if diff := cmp.Diff(want, b.asked); diff != "" {
		t.Errorf("tried (-want +got):\n%s", diff)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b.asked = nil
	if found := Examine(ctx, Options{System: b}); len(found) != 0 || len(b.asked) != 0 {
		t.Errorf("when nobody waited, %v was tried and %v found", b.asked, found)
	}
}

func TestTheBroadcastAddressIsTheLastOfTheSubnet(t *testing.T) {
	for prefix, want := range map[string]string{
		"192.0.2.7/24": "192.0.2.255", "10.1.2.3/9": "10.127.255.255", "10.1.2.3/32": "255.255.255.255", "fe80::1/64": "255.255.255.255",
	} {
		if got := broadcast(link("eth0", prefix)).String(); got != want {
			t.Errorf("%s: got %s, want %s", prefix, got, want)
		}
	}
}

package network

import (
	"net"
	"net/netip"
	"testing"
)

// TestAReachIsSaidOnlyWhereItIsCertain has a laptop with Wi-Fi and a cable in the
// same network, a tunnel and a bridge.
func TestAReachIsSaidOnlyWhereItIsCertain(t *testing.T) {
	cards := []card{
		{net.Interface{Index: 1, Name: "lo", Flags: net.FlagLoopback}, Prefixes(addrs("127.0.0.1/8", "::1/128"))},
		{net.Interface{Index: 2, Name: "wlan0", Flags: net.FlagBroadcast}, Prefixes(addrs("192.168.1.7/24", "fe80::7/64"))},
		{net.Interface{Index: 3, Name: "eth0", Flags: net.FlagBroadcast}, Prefixes(addrs("192.168.1.8/24", "fe80::8/64"))},
		{net.Interface{Index: 4, Name: "tun0", Flags: net.FlagPointToPoint}, Prefixes(addrs("10.8.0.2/24"))},
		{net.Interface{Index: 5, Name: "br0", Flags: net.FlagBroadcast}, Prefixes(addrs("172.17.0.1/16"))},
		{net.Interface{Index: 6, Name: "en6", Flags: net.FlagBroadcast}, Prefixes(addrs("192.168.6.1/24"))},
	}
	kinds := map[string]Kind{"wlan0": WiFi, "eth0": Cable, "br0": Virtual, "lo": Virtual}
	for name, c := range map[string]struct {
		local, remote, source string
		want                  Reach
	}{
		"over Wi-Fi":                               {"192.168.1.7", "192.168.1.20", "192.168.1.7", Reach{WiFi, true}},
		"over the cable":                           {"192.168.1.8", "192.168.1.20", "192.168.1.8", Reach{Cable, true}},
		"of a socket on all addresses":             {"0.0.0.0", "192.168.1.20", "192.168.1.7", Reach{WiFi, true}},
		"of a socket on all addresses, mapped":     {"::", "::ffff:192.168.1.20", "192.168.1.7", Reach{WiFi, true}},
		"link-local":                               {"fe80::7%wlan0", "fe80::20%wlan0", "fe80::7%wlan0", Reach{WiFi, true}},
		"the address of one, the way of the other": {"192.168.1.7", "192.168.1.20", "192.168.1.8", Reach{}},
		"through a router":                         {"192.168.1.7", "203.0.113.9", "192.168.1.7", Reach{WiFi, false}},
		"an unknown kind":                          {"192.168.6.1", "192.168.6.2", "192.168.6.1", Reach{Unknown, true}},
		"a tunnel":                                 {"10.8.0.2", "10.8.0.3", "10.8.0.2", Reach{}},
		"a bridge":                                 {"172.17.0.1", "172.17.0.2", "172.17.0.1", Reach{}},
		"loopback":                                 {"127.0.0.1", "127.0.0.1", "127.0.0.1", Reach{}},
		"this machine, by its other address":       {"192.168.1.7", "192.168.1.8", "192.168.1.8", Reach{}},
		"no way":                                   {"192.168.1.7", "192.168.9.9", "", Reach{}},
		"an address that is gone":                  {"192.168.3.3", "192.168.1.20", "192.168.1.7", Reach{}},
	} {
		source := func(netip.Addr) (netip.Addr, error) { return netip.ParseAddr(c.source) }
		got := reach(cards, netip.MustParseAddr(c.local), netip.MustParseAddr(c.remote), source, func(i net.Interface) Kind { return kinds[i.Name] })
		if got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

func TestNothingIsSaidOfLoopback(t *testing.T) {
	for _, local := range []string{"127.0.0.1", "0.0.0.0"} {
		if got := ReachOf(netip.MustParseAddr(local), netip.MustParseAddr("127.0.0.1")); got != (Reach{}) {
			t.Errorf("from %s: got %+v", local, got)
		}
	}
}

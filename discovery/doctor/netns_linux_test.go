package doctor

import (
	"strings"
	"testing"
	"time"

	"lanyard/discovery/network/networktest"
	"lanyard/sync/fault"
)

// A network of the test's own: two interfaces that are joined, then a firewall
// that drops what one method needs, then a tunnel that takes the way.
func TestAMachineIsExamined(t *testing.T) {
	if !networktest.Inside(t, "nft") {
		return
	}
	networktest.System(t, "ip link set lo up")
	networktest.System(t, "ip link add near type veth peer name far")
	networktest.System(t, "ip addr add 192.0.2.1/24 dev near")
	networktest.System(t, "ip link set near up")
	networktest.System(t, "ip link set far up")
	found := func(when string, want ...string) {
		t.Helper()
		var got []string
		for _, f := range Examine(t.Context(), Options{Wait: 5 * time.Second, Port: 22000}) {
			if f.Check != Buffers { // those of this machine
				got = append(got, string(f.Check)+" "+f.Interface+" "+string(fault.CodeOf(f.Err)))
			}
		}
		if strings.Join(got, ", ") != strings.Join(want, ", ") {
			t.Errorf("%s: found %q, want %q", when, got, want)
		}
	}
	found("all is well")
	networktest.System(t, "nft add table inet test")
	networktest.System(t, "nft add chain inet test in { type filter hook input priority 0 ; }")
	networktest.System(t, "nft add rule inet test in ip daddr 224.0.0.251 udp dport 5353 drop")
	found("a firewall drops mDNS", "mdns near firewall-blocked")
	networktest.System(t, "nft delete table inet test")
	networktest.System(t, "ip tuntap add dev tunnel mode tun")
	networktest.System(t, "ip addr add 198.51.100.1/32 dev tunnel")
	networktest.System(t, "ip link set tunnel up")
	networktest.System(t, "ip route add 192.0.2.0/25 dev tunnel")
	found("a tunnel takes the way", "route near vpn-takes-lan")
}

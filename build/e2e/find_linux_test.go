package e2e_test

import (
	"fmt"
	"net/http"
	"testing"
)

// TestASyncthingAndWeFindEachOther has both know each other's ID and no address,
// in a network with IPv4 alone, where announcements are broadcast, and in one
// where only those by IPv6 multicast arrive. Each program is shown to have heard
// the other's.
func TestASyncthingAndWeFindEachOther(t *testing.T) {
	t.Parallel()
	if !inOwnNetwork(t, "syncthing", "nft") {
		return
	}
	newSwitch(t)
	for i, family := range []string{"IPv4", "IPv6"} {
		t.Run(family, func(t *testing.T) {
			t.Parallel()
			ours, theirs := newNetLanyard(t, fmt.Sprintf("ours%d", i), 1+10*i), newSyncthing(t, fmt.Sprintf("st%d", i))
			theirs.schemes = []string{"quic", "tcp"}
			host := newNetHost(t, fmt.Sprintf("st%d", i), 2+10*i)
			theirs.host = &host
			only(t, family, ours.host, host)
			ours.Know(t, theirs, false)
			theirs.Know(t, ours, false)
			theirs.Start(t)
			startTrusting(t, ours)
			eventually(t, patience, "Syncthing heard us", func() error {
				var heard map[string]struct {
					Addresses []string `json:"addresses"`
				}
				if err := theirs.call(http.MethodGet, "system/discovery", nil, &heard); err != nil {
					return err
				}
				if len(heard[ours.id].Addresses) == 0 {
					return fmt.Errorf("it heard %v", heard)
				}
				return nil
			})
			eventually(t, patience, "connected", func() error {
				if err := ours.Connected(); err != nil {
					return err
				}
				return theirs.Connected()
			})
			// A second device of ours does not know it, and hears it.
			other := newNetLanyard(t, fmt.Sprintf("other%d", i), 3+10*i)
			only(t, family, other.host)
			other.Start(t)
			eventually(t, patience, "we hear Syncthing", func() error {
				var s near
				if err := other.api(http.MethodGet, "/status", &s); err != nil {
					return err
				}
				for _, n := range s.Pairing.Nearby {
					if n.ID == theirs.id {
						return nil
					}
				}
				return fmt.Errorf("nearby are %+v", s.Pairing.Nearby)
			})
		})
	}
}

// only has announcements of one IP version alone arrive at hosts.
func only(t *testing.T, family string, hosts ...netHost) {
	t.Helper()
	for _, h := range hosts {
		if family == "IPv4" {
			ip(t, "netns exec "+h.name+" sysctl -qw net.ipv6.conf.all.disable_ipv6=1")
			continue
		}
		nft(t, h, "add table ip cut")
		nft(t, h, "add chain ip cut in { type filter hook input priority 0 ; }")
		nft(t, h, "add rule ip cut in udp dport 21027 drop")
	}
}

// nft runs one command of nft(8) on a host.
func nft(t *testing.T, h netHost, command string) {
	t.Helper()
	ip(t, "netns exec "+h.name+" nft "+command)
}

package e2e_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
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

// TestASyncthingOnThisComputerIsFound has a Syncthing that was there first, and
// keeps both ports to itself: the one for connections, and the one on which
// announcements by broadcast are heard. There is no IPv6, and nothing may be
// announced. So neither hears of the other, and there is one place to look.
func TestASyncthingOnThisComputerIsFound(t *testing.T) {
	t.Parallel()
	if !inOwnNetwork(t, "syncthing", "nft") {
		return
	}
	newSwitch(t)
	ours, theirs := newNetLanyard(t, "both", 1), newSyncthing(t, "st")
	only(t, "IPv4", ours.host)
	theirs.host, theirs.port, theirs.schemes = &ours.host, 22000, []string{"tcp", "quic"}
	ours.Know(t, theirs, false)
	theirs.Know(t, ours, false)
	theirs.Start(t)
	eventually(t, patience, "the port is Syncthing's", func() error {
		list := output(t, "ip", "netns", "exec", ours.host.name, "cat", "/proc/net/udp", "/proc/net/udp6")
		if !strings.Contains(list, fmt.Sprintf(":%04X ", 21027)) {
			return errors.New("nobody listens on it")
		}
		return nil
	})
	ours.Start(t)
	eventually(t, patience, "connected", func() error { return errors.Join(ours.Connected(), theirs.Connected()) })
	var s near
	must(t, ours.api(http.MethodGet, "/status", &s))
	if at := s.Devices[0].Address; !strings.Contains(at, "127.0.0.1:22000") {
		t.Errorf("connected by %s", at)
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

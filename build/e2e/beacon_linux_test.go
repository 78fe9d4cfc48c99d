package e2e_test

import (
	"encoding/json"
	"net/netip"
	"testing"

	"lanyard/app/pairing"
)

// TestAnInvitationIsFoundWithoutItsAddresses has invitations taken whose addresses
// are of no use: none at all, and those of a network that is not there. Their
// device is found by the beacon that it announces by mDNS while it shows one, on
// networks that nobody trusts; neither has its page for connecting devices open.
func TestAnInvitationIsFoundWithoutItsAddresses(t *testing.T) {
	t.Parallel()
	if !inOwnNetwork(t) {
		return
	}
	newSwitch(t)
	a, b, c := newNetLanyard(t, "a", 1), newNetLanyard(t, "b", 2), newNetLanyard(t, "c", 3)
	for _, l := range []*netLanyard{a, b, c} {
		l.Start(t)
	}
	for taker, hints := range map[*netLanyard][]netip.AddrPort{
		b: nil,
		c: {netip.MustParseAddrPort("10.99.0.1:22000")},
	} {
		out := a.run(t, "pair", "show", "--json", "--no-wait", "--yes")
		var invitation struct{ Link string }
		must(t, json.Unmarshal([]byte(out), &invitation))
		inv, err := pairing.ParseInvitation(invitation.Link)
		must(t, err)
		if len(inv.Hints) == 0 {
			t.Error("the invitation has no addresses to leave out")
		}
		inv.Hints = hints
		taker.run(t, "pair", "accept", inv.Link(), "--yes")
		eventually(t, patience, "connected", func() error { return taker.connectedWith(a.lanyard) })
	}
}

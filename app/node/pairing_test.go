package node_test

import (
	"context"
	"testing"
	"time"

	"lanyard/app/node"
	"lanyard/app/pairing/desk"
	"lanyard/sync/status"
)

// running opens and runs a node of the product's own engine on loopback, until
// the test ends.
func running(t *testing.T) *node.Node {
	t.Helper()
	n, err := node.Open(node.Options{Home: newHome(t), Listen: []string{"quic://127.0.0.1:0"}, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- n.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-ended
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// await waits for a change that makes is true.
func await(t *testing.T, what string, changed func() <-chan struct{}, is func() bool) {
	t.Helper()
	limit := time.After(30 * time.Second)
	for {
		next := changed()
		if is() {
			return
		}
		select {
		case <-next:
		case <-time.After(100 * time.Millisecond):
		case <-limit:
			t.Fatalf("waited for %q", what)
		}
	}
}

func TestTwoNodesThatPairTalkAtOnce(t *testing.T) {
	a, b := running(t), running(t)
	listens := func(n *node.Node) []string { return n.Engine().(node.Pairable).Meeting().Addresses() }
	var inv desk.Invitation
	await(t, "an invitation", a.Desk().Changed, func() (ok bool) {
		var err error
		inv, err = a.Desk().Invite(true)
		return err == nil
	})
	await(t, "a run", b.Desk().Changed, func() bool {
		_, err := b.Desk().Accept(inv.Link, listens(a)[:1], status.ByLink)
		return err == nil
	})
	for _, n := range []*node.Node{a, b} {
		await(t, "connected", n.Engine().Changed, func() bool {
			s := n.Engine().Snapshot()
			return len(s.Devices) == 1 && s.Devices[0].Connected
		})
		await(t, "the end of the run", n.Desk().Changed, func() bool {
			s, _ := n.Desk().Snapshot()
			return len(s.Runs) == 1 && s.Runs[0].State == status.PairingDone
		})
	}
	// Each knows where the other listens, without a fixed address.
	for _, n := range []*node.Node{a, b} {
		if d := n.Store().Config().Devices; len(d) != 1 || len(d[0].Addresses) != 0 {
			t.Errorf("stored %+v", d)
		}
	}
}

//go:build unix

package e2e_test

import (
	"fmt"
	"testing"
	"time"
)

// folderID is the folder that all nodes share.
const folderID = "e2e"

// node is a device with one folder, whatever program it runs.
type node interface {
	// ID is the device ID; Dir the folder's directory.
	ID() string
	Dir() string
	// Address is where it listens.
	Address() string
	// Know makes it share the folder with a peer, and dial it if asked. Call it
	// before Start.
	Know(t *testing.T, peer node, dial bool)
	Start(t *testing.T)
	// Stop ends it in order, Kill at once. Start may follow both.
	Stop(t *testing.T)
	Kill()
	// Scan returns when changes on disk are recorded.
	Scan(t *testing.T)
	// Settled gives nil when the folder is idle, nothing is needed here, and a
	// connected peer needs nothing either.
	Settled() error
	// Connected gives nil while a peer is connected.
	Connected() error
	// Traffic gives the bytes received and sent since its start.
	Traffic(t *testing.T) (in, out int64)
}

// direction says who dials.
type direction struct {
	name              string
	oursDials, theirs bool
}

// directions are the two ways in which a connection can come about.
var directions = []direction{
	{"we dial", true, false},
	{"they dial", false, true},
}

// connect makes two nodes know each other, starts both, and waits until they
// are connected.
func connect(t *testing.T, ours, theirs node, d direction) {
	t.Helper()
	ours.Know(t, theirs, d.oursDials)
	theirs.Know(t, ours, d.theirs)
	ours.Start(t)
	theirs.Start(t)
	connected(t, ours, theirs)
}

func connected(t *testing.T, nodes ...node) {
	t.Helper()
	eventually(t, patience, "connected", func() error {
		for _, n := range nodes {
			if err := n.Connected(); err != nil {
				return err
			}
		}
		return nil
	})
}

// converge scans all nodes and waits until nothing is left to do and all trees
// are the same; it gives that tree.
func converge(t *testing.T, within time.Duration, nodes ...node) tree {
	t.Helper()
	for _, n := range nodes {
		n.Scan(t)
	}
	var last tree
	eventually(t, within, "in sync", func() error {
		for _, n := range nodes {
			if err := n.Settled(); err != nil {
				return fmt.Errorf("%s: %w", n.Dir(), err)
			}
		}
		first, err := readTree(nodes[0].Dir())
		if err != nil {
			return err
		}
		for _, n := range nodes[1:] {
			other, err := readTree(n.Dir())
			if err != nil {
				return err
			}
			if diff := first.diff(other); diff != "" {
				return fmt.Errorf("trees differ (- %s, + %s):\n%s", nodes[0].Dir(), n.Dir(), diff)
			}
		}
		last = first
		return nil
	})
	return last
}

package node

import (
	"context"
	"crypto/tls"
	"log/slog"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/engine"
	"lanyard/sync/fault"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
)

// Engine is what a node needs of the sync engine. All methods may be called
// from any goroutine, Apply also before Run.
type Engine interface {
	// Run works until ctx ends and gives its cause, or the reason it stopped.
	Run(ctx context.Context) error
	// Apply makes the engine go towards a desired state, without waiting.
	Apply(d engine.Desired)
	// Snapshot gives the whole state now.
	Snapshot() status.Snapshot
	// Changed gives a channel that is closed at the next change of the
	// snapshot; ask again afterwards.
	Changed() <-chan struct{}
	// Scan scans the paths of a folder, all of it where there are none, and
	// returns when the result is durable.
	Scan(ctx context.Context, folder bep.FolderID, paths []relpath.Path) error
	// Wait returns nil once the folders (all where none are named) are in sync
	// with the device, or with every connected one where dev is zero. When ctx
	// ends it tells what is missing.
	Wait(ctx context.Context, folders []bep.FolderID, dev device.ID) ([]engine.Waiting, error)
	// Why explains the state of one name.
	Why(ctx context.Context, folder bep.FolderID, p relpath.Path) (status.Why, error)
	// Versions lists the stored versions of a name, newest first.
	Versions(ctx context.Context, folder bep.FolderID, p relpath.Path) ([]status.StoredVersion, error)
	// Restore brings a stored version back: the newest where at is zero, to
	// the name it had where to is the root.
	Restore(ctx context.Context, folder bep.FolderID, p relpath.Path, at time.Time, to relpath.Path) error
}

// EngineOptions is what an engine is made from.
type EngineOptions struct {
	ID          device.ID
	Certificate tls.Certificate
	Name        string   // of this device at the start; Apply may change it
	StateDir    string   // for the index
	Listen      []string // URLs to listen on; empty: the default
	Discovery   bool     // whether devices may be looked for on the network
	Version     string
	Log         *slog.Logger
}

// MakeEngine makes an engine and starts nothing. What it opens, the engine's
// Run closes.
type MakeEngine func(EngineOptions) (Engine, error)

// newEngine is the MakeEngine of the product.
func newEngine(EngineOptions) (Engine, error) {
	return nil, fault.New(fault.Node, "", "the sync engine is not built into this program")
}

// Package node wires one running device: its home, its identity and the sync
// engine, which it keeps at the state that the configuration describes.
package node

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"lanyard/app/activity"
	"lanyard/app/config"
	"lanyard/app/pairing/desk"
	"lanyard/discovery/lan"
	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/engine"
	"lanyard/sync/status"
)

// Options says what a Node runs.
type Options struct {
	Home      config.Home
	Listen    []string // URLs; empty: those of the configuration
	Discovery bool     // whether devices may be looked for on the network
	Version   string   // of the program
	Log       *slog.Logger
	Engine    MakeEngine // nil: the product's own
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Engine == nil {
		o.Engine = newEngine
	}
	return o
}

// Node is one device that can run. It holds the home's lock until Close.
type Node struct {
	opts   Options
	store  *config.Store
	engine Engine
	desk   *desk.Desk

	activity *activity.Log
	changed  chan struct{} // holds a sign when the configuration changed since endPauses looked
}

// Open takes the home and makes the engine, which from then on is told of
// every change of the configuration. It starts nothing: call Run.
func Open(o Options) (*Node, error) {
	o = o.withDefaults()
	store, err := config.Open(o.Home, time.Now())
	if err != nil {
		return nil, err
	}
	n := &Node{opts: o, store: store, activity: activity.New(time.Now), changed: make(chan struct{}, 1)}
	n.desk = desk.New(desk.Options{Store: store, Refresh: n.announce, Log: o.Log})
	if n.engine, err = o.Engine(n.engineOptions()); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	// Before Run, so that nobody can ask about a folder that the engine has
	// not heard of yet.
	store.Follow(func(c config.Config) {
		n.engine.Apply(Desired(c))
		n.announce() // this device may have another name
		select {
		case n.changed <- struct{}{}:
		default: // there is a sign
		}
	})
	return n, nil
}

func (n *Node) engineOptions() EngineOptions {
	identity, c := n.store.Identity(), n.store.Config()
	listen := n.opts.Listen
	if len(listen) == 0 {
		listen = c.Listen
	}
	return EngineOptions{
		ID:          identity.ID,
		Certificate: identity.Certificate,
		Name:        c.Name,
		StateDir:    n.store.Home().IndexDir(),
		Listen:      slices.Clone(listen),
		Discovery:   n.opts.Discovery,
		Version:     n.opts.Version,
		Offers:      n.offers(),
		KeepOffers:  n.keepOffers,
		Log:         n.opts.Log,
		Config:      n.store.Config,
		Pairing:     n.desk.Pairing,
		PairKeys:    pairKeys{n.store},
		Revocations: n.revocations,
		Did: func(folder bep.FolderID, label string, d status.Deed) {
			n.activity.Did(string(folder), label, d)
		},
	}
}

// pairKeys keeps the keys in the configuration.
type pairKeys struct{ store *config.Store }

func (k pairKeys) PairKey(dev device.ID) device.PairKey {
	for _, d := range k.store.Config().Devices {
		if d.ID == dev {
			return d.PairKey
		}
	}
	return device.PairKey{}
}

func (k pairKeys) SetPairKey(dev device.ID, key device.PairKey) error {
	return k.store.Update(func(c config.Config) (config.Config, error) {
		return c.WithDeviceChanged(dev, func(d config.Device) config.Device {
			d.PairKey = key
			return d
		})
	})
}

// revocations notes which of our devices another one has removed.
func (n *Node) revocations(by device.ID, removed map[device.ID]time.Time) error {
	if _, changed := n.store.Config().WithRevocations(by, removed); !changed {
		return nil // it says so on each connection
	}
	return n.store.Update(func(c config.Config) (config.Config, error) {
		next, _ := c.WithRevocations(by, removed)
		return next, nil
	})
}

// Store gives the open home.
func (n *Node) Store() *config.Store { return n.store }

// Engine gives the sync engine.
func (n *Node) Engine() Engine { return n.engine }

// Finder gives what looks for devices on the network, nil where they are not
// looked for.
func (n *Node) Finder() *lan.Finder {
	if e, ok := n.engine.(interface{ Finder() *lan.Finder }); ok {
		return e.Finder()
	}
	return nil
}

// Activity gives what happened since the node was opened.
func (n *Node) Activity() *activity.Log { return n.activity }

// Desk gives where devices are paired.
func (n *Node) Desk() *desk.Desk { return n.desk }

// ID gives this device's ID.
func (n *Node) ID() device.ID { return n.store.Identity().ID }

// Run runs the engine until ctx ends, and gives the cause of the end, or the
// reason why the engine stopped.
func (n *Node) Run(ctx context.Context) error {
	var beside sync.WaitGroup
	defer beside.Wait()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil) // first
	beside.Go(func() { n.endPauses(ctx) })
	if p, ok := n.engine.(Pairable); ok {
		beside.Go(func() { _ = n.desk.Run(ctx, p.Meeting()) }) // gives the cause of ctx's end
	}
	if f := n.Finder(); f != nil {
		beside.Go(func() { n.follow(ctx, f) })
	}
	return n.engine.Run(ctx)
}

// Close gives the home back, after Run has ended.
func (n *Node) Close() error { return n.store.Close() }

// Desired translates the configuration for the engine.
func Desired(c config.Config) engine.Desired {
	d := engine.Desired{
		Name:    c.Name,
		Folders: make([]engine.FolderSpec, 0, len(c.Folders)),
		Devices: make([]engine.DeviceSpec, 0, len(c.Devices)),
	}
	for _, f := range c.Folders {
		kind, _ := f.Type.BEP() // a Config holds known types only
		d.Folders = append(d.Folders, engine.FolderSpec{
			ID:      f.ID,
			Label:   f.Label,
			Path:    f.Path,
			Type:    kind,
			Shared:  slices.Clone(f.Shared),
			Paused:  f.Paused,
			NoBrake: f.NoBrake,

			MaxEntries: f.MaxEntries,
		})
	}
	for _, dev := range c.Devices {
		d.Devices = append(d.Devices, engine.DeviceSpec{
			ID:        dev.ID,
			Name:      dev.Name,
			Addresses: slices.Clone(dev.Addresses),
			Paused:    dev.Paused,
			Revoked:   dev.RevokedBy(),
		})
	}
	for _, r := range c.Removed {
		d.Removed = append(d.Removed, engine.Removal{ID: r.ID, When: r.When, Peer: r.Peer})
	}
	return d
}

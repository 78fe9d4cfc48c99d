package cli

import (
	"context"
	"errors"
	"time"

	"lanyard/app/config"
	"lanyard/app/node"
	"lanyard/app/service"
	"lanyard/app/web"
	"lanyard/sync/fault"
	"lanyard/sync/status"
)

// settings is what commands need that work with and without a running engine;
// *web.Client and *service.Settings fulfil it.
type settings interface {
	Identity(context.Context) (service.Identity, error)
	Devices(context.Context) ([]service.Peer, error)
	AddDevice(context.Context, service.NewPeer) (service.Peer, error)
	RemovedDevices(context.Context) ([]status.RemovedDevice, error)
	RemoveDevice(ctx context.Context, dev string) error
	ChangeDevice(ctx context.Context, dev string, change service.PeerChange) (service.Peer, error)
	Folders(context.Context) ([]service.Share, error)
	AddFolder(context.Context, service.NewShare) (service.Share, error)
	RemoveFolder(ctx context.Context, folder string) error
	ChangeFolder(ctx context.Context, folder string, change service.ShareChange) (service.Share, error)
	ShareFolder(ctx context.Context, folder, dev string) (service.Share, error)
	UnshareFolder(ctx context.Context, folder, dev string) (service.Share, error)
	Doctor(context.Context) (service.Checkup, error)
}

// indexes is what commands need that look into indexes; *web.Client and
// *service.Indexes fulfil it.
type indexes interface {
	Folders(context.Context) ([]service.Share, error)
	IndexStats(ctx context.Context, folder string) (status.IndexStats, error)
	CheckIndex(ctx context.Context, folder string) error
	ShowIndex(ctx context.Context, folder, path string) (status.IndexEntry, error)
	ExportIndex(ctx context.Context, folder string, req service.IndexExport) error
}

// A home that is in use may be held by another command for a moment, or by an
// engine that is just starting or ending: both are tried again.
const (
	homeTries = 50
	homePause = 100 * time.Millisecond
)

// whileHomeBusy calls try until it gives another error than ErrLocked, at most
// for homeTries times homePause.
func whileHomeBusy(ctx context.Context, try func() error) error {
	for range homeTries {
		if err := try(); !errors.Is(err, config.ErrLocked) {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(homePause):
		}
	}
	return fault.New(fault.Node, "home-in-use",
		"another Lanyard uses this home and does not answer: end it and try again, or use another --home")
}

// withSettings gives f the settings of the running engine, or those in the
// home where none runs.
func (a *app) withSettings(ctx context.Context, f func(settings) error) error {
	return a.withHomeOrEngine(ctx,
		func(store *config.Store) error { return f(service.NewSettings(store)) },
		func(client *web.Client) error { return f(client) })
}

// withIndexes gives f the indexes of the running engine, or those of the home
// where none runs.
func (a *app) withIndexes(ctx context.Context, f func(indexes) error) error {
	return a.withHomeOrEngine(ctx,
		func(store *config.Store) error { return withStore(store, f) },
		func(client *web.Client) error { return f(client) })
}

// withHomeOrEngine gives one the home where no engine runs, or the other a
// client of the engine that has it.
func (a *app) withHomeOrEngine(ctx context.Context, stored func(*config.Store) error, running func(*web.Client) error) error {
	home, err := a.home()
	if err != nil {
		return err
	}
	return whileHomeBusy(ctx, func() error {
		store, err := config.Open(home, time.Now())
		if err == nil {
			return errors.Join(stored(store), store.Close())
		}
		if !errors.Is(err, config.ErrLocked) {
			return err
		}
		return withClient(ctx, home, running)
	})
}

// withClient gives f a client of the engine that runs on a home.
func withClient(ctx context.Context, home config.Home, f func(*web.Client) error) error {
	client, err := dial(ctx, home)
	if err != nil {
		return err
	}
	defer client.Close()
	return f(client)
}

func withStore(store *config.Store, f func(indexes) error) error {
	opened, end, err := service.OpenIndexes(store)
	if err != nil {
		return err
	}
	return errors.Join(f(opened), end())
}

// withEngine gives f a client of the running engine.
func (a *app) withEngine(ctx context.Context, f func(*web.Client) error) error {
	home, err := a.home()
	if err != nil {
		return err
	}
	return whileHomeBusy(ctx, func() error { return withClient(ctx, home, f) })
}

// dial reaches the engine of a home. Its error is ErrLocked where the holder
// of the home cannot be reached yet.
func dial(ctx context.Context, home config.Home) (*web.Client, error) {
	holder, ok := home.Holder()
	if !ok {
		return nil, notRunning()
	}
	if holder.Control != "" {
		client, err := web.Dial(ctx, holder.Control)
		if err == nil || ctx.Err() != nil {
			return client, err
		}
	}
	if held, err := home.Held(); err != nil || !held {
		return nil, errors.Join(err, notRunning())
	}
	return nil, config.ErrLocked
}

func notRunning() error {
	return &config.Refusal{
		Reason: config.Unavailable,
		Text:   "no engine is running for this home",
		Remedy: `start one with "lanyard serve"`,
	}
}

// openNode opens the home for an engine, waiting for commands that hold it for
// a moment.
func openNode(ctx context.Context, o node.Options) (*node.Node, error) {
	var n *node.Node
	err := whileHomeBusy(ctx, func() error {
		var err error
		if n, err = node.Open(o); !errors.Is(err, config.ErrLocked) {
			return err
		}
		client, dialErr := dial(ctx, o.Home)
		if dialErr != nil {
			return err
		}
		client.Close()
		return &config.Refusal{
			Reason: config.Exists, Code: "home-in-use",
			Text:   "an engine already runs for this home",
			Remedy: `end it with "lanyard stop", or use another --home`,
		}
	})
	return n, err
}

package node

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"lanyard/app/config"
	"lanyard/discovery/book"
	"lanyard/discovery/lan"
	"lanyard/discovery/network"
	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/engine"
	"lanyard/sync/exec"
	"lanyard/sync/fault"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
	"lanyard/sync/transport"
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
	// Why explains the state of one name, of the whole folder where that is the
	// root.
	Why(ctx context.Context, folder bep.FolderID, p relpath.Path) (status.Why, error)
	// WhyDevice explains the state of another device.
	WhyDevice(ctx context.Context, dev device.ID) (status.Why, error)
	// Versions gives a part of the stored versions of a name, newest first.
	Versions(ctx context.Context, folder bep.FolderID, p relpath.Path, w status.Window) (status.StoredVersions, error)
	// Decide says what is to become of the deletions that are held in a folder:
	// all, or those that token stands for. It gives what was decided on.
	Decide(ctx context.Context, id bep.FolderID, c status.Choice, token string) ([]status.Held, error)
	// HeldFiles gives a part of the files whose deletion is held in one direction.
	HeldFiles(ctx context.Context, folder bep.FolderID, direction status.Direction, w status.Window) (status.HeldFiles, error)
	// Conflicts gives a part of the files of a folder that have two versions.
	Conflicts(ctx context.Context, folder bep.FolderID, w status.Window) (status.Conflicts, error)
	// Conflict gives the two versions of a name, with their text where it is short.
	Conflict(ctx context.Context, folder bep.FolderID, p relpath.Path) (status.TwoVersions, error)
	// Settle leaves one of two versions under the name, or each as a file of its
	// own; it does nothing, and says so, where they are not those of the token.
	Settle(ctx context.Context, folder bep.FolderID, p relpath.Path, keep status.Keep, token string) (done bool, err error)
	// List gives a part of what a directory holds.
	List(ctx context.Context, folder bep.FolderID, dir relpath.Path, w status.Window) (status.Listing, error)
	// Needed gives a part of what is still to come to a folder.
	Needed(ctx context.Context, folder bep.FolderID, w status.Window) (status.Listing, error)
	// Rules gives a folder's own ignore rules.
	Rules(ctx context.Context, folder bep.FolderID) (status.Rules, error)
	// TryRules tells what rules would leave out, and changes nothing.
	TryRules(ctx context.Context, folder bep.FolderID, text string) (status.RulesTried, error)
	// SetRules writes the rules in place of those that token stands for; it does
	// nothing, and says so, where they are others now.
	SetRules(ctx context.Context, folder bep.FolderID, text, token string) (done bool, err error)
	// Refuse notes that a person does not want a folder that a device offers, or
	// wants to see the offer again.
	Refuse(ctx context.Context, dev device.ID, folder bep.FolderID, refused bool) error
	// Preview compares what stands at an absolute path with a folder that a
	// device offers. It changes neither.
	Preview(ctx context.Context, dev device.ID, folder bep.FolderID, path string) (status.Preview, error)
	// Choose notes, durably, what is to become of the files that differ when a
	// folder that a device offers is joined at an absolute path afterwards; keeping
	// both takes that back. It does nothing, and says so, where what differs is not
	// what token stands for.
	Choose(ctx context.Context, dev device.ID, folder bep.FolderID, path string, keep status.Keep, token string) (done bool, err error)
	// Hearings asks the connected devices whom they hear, until ctx ends.
	Hearings(ctx context.Context) []engine.Hearing
	// Restore brings a stored version back: the newest where at is zero, to
	// the name it had where to is the root.
	Restore(ctx context.Context, folder bep.FolderID, p relpath.Path, at time.Time, to relpath.Path) error
	// IndexStats gives figures about the index of a folder.
	IndexStats(ctx context.Context, folder bep.FolderID) (status.IndexStats, error)
	// CheckIndex reads all of a folder's index. Damage is the error
	// index-damaged, and has the index made anew.
	CheckIndex(ctx context.Context, folder bep.FolderID) error
	// ShowIndex gives all that a folder's index knows of a name.
	ShowIndex(ctx context.Context, folder bep.FolderID, p relpath.Path) (status.IndexEntry, error)
	// ExportIndex writes a folder's index to a new SQLite file, an absolute path.
	ExportIndex(ctx context.Context, folder bep.FolderID, file string) error
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
	Offers      []engine.Offered // that KeepOffers kept last
	KeepOffers  func([]engine.Offered) error
	Log         *slog.Logger
	// Config gives the present configuration; nil is an empty one.
	Config func() config.Config
	// Pairing reports whether a device that nobody knows may connect now in
	// order to be paired. It does not wait.
	Pairing func() bool
	// PairKeys keeps what devices recognise each other's announcements by; nil
	// agrees on none.
	PairKeys engine.PairKeys
	// Revocations notes which of our devices another one has removed.
	Revocations engine.Revocations
	// Did takes what is done to files of a folder; nil is fine.
	Did func(folder bep.FolderID, label string, d status.Deed)
}

// MakeEngine makes an engine and starts nothing. What it opens, the engine's
// Run closes.
type MakeEngine func(EngineOptions) (Engine, error)

// productEngine is the engine with what was opened for it, which Run closes.
type productEngine struct {
	*engine.Engine
	exec      *exec.Real
	store     index.Store
	transport transport.Transport
	book      *book.Book
	finder    *lan.Finder // nil where devices are not looked for
	config    func() config.Config
	log       *slog.Logger
	problems  []status.Problem // with which it began, and goes on

	toldMu sync.Mutex // guards told
	told   told
	// forgotten are the removed devices of which the address book knows nothing.
	forgotten map[device.ID]bool
}

// newEngine is the MakeEngine of the product: the sync engine over QUIC and
// TCP, the index on disk and the address book.
func newEngine(o EngineOptions) (Engine, error) {
	store, err := index.OpenSQLite(o.StateDir, index.SQLiteOptions{Self: o.ID.Short(), Log: o.Log})
	if err != nil {
		return nil, err
	}
	removeScratch(o)
	p := &productEngine{exec: &exec.Real{}, store: store, config: o.Config, log: o.Log}
	if p.config == nil {
		p.config = config.Default
	}
	made := make(chan struct{}) // a device may dial before there is an engine to ask
	known := func(id device.ID) bool {
		<-made
		return p.Known(id)
	}
	p.transport, p.problems, err = listen(o, known)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	p.book = book.Open(book.Options{File: filepath.Join(o.StateDir, "addresses.json"), Log: o.Log})
	p.Engine = engine.New(engine.Options{
		ID: o.ID, Name: o.Name, Version: o.Version, Boot: fsys.Boot(), Store: store, Exec: p.exec,
		Transport: p.transport, Addresses: addresses{p.book, o.Discovery}, Offers: o.Offers, KeepOffers: o.KeepOffers,
		Reach: reach, PairKeys: o.PairKeys, Revocations: o.Revocations, Did: o.Did, Log: o.Log,
		Scratch: func() (index.Store, func() error, error) { return scratch(o) },
	})
	if o.Discovery {
		p.finder = p.newFinder(o)
	}
	close(made)
	return p, nil
}

// reach tells how a connection with these ends leaves this computer.
func reach(own, other netip.Addr) status.Reach {
	r := network.ReachOf(own, other)
	return status.Reach{
		Over:   map[network.Kind]status.Medium{network.WiFi: status.WiFi, network.Cable: status.Cable}[r.Kind],
		Direct: r.Direct,
	}
}

// scratchDirs names the directories that a preview makes beside the indexes.
const scratchDirs = "preview-*"

// scratch makes a store for a preview, and gives what removes it.
func scratch(o EngineOptions) (index.Store, func() error, error) {
	dir, err := os.MkdirTemp(o.StateDir, scratchDirs)
	if err != nil {
		return nil, nil, fault.Wrap(fault.Node, "", "make room for a preview", "", err)
	}
	store, err := index.OpenSQLite(dir, index.SQLiteOptions{Self: o.ID.Short(), Log: o.Log})
	if err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(dir))
	}
	return store, func() error { return errors.Join(store.Close(), os.RemoveAll(dir)) }, nil
}

// removeScratch removes what previews left behind that were cut short.
func removeScratch(o EngineOptions) {
	left, _ := filepath.Glob(filepath.Join(o.StateDir, scratchDirs)) // the pattern is well-formed
	for _, dir := range left {
		if err := os.RemoveAll(dir); err != nil {
			o.Log.Warn("remove what a preview left", "error", err)
		}
	}
}

// addresses is the address book, and whether anything but connections feeds it.
type addresses struct {
	*book.Book
	listens bool
}

var (
	_ engine.Addresses = addresses{}
	_ engine.Listening = addresses{}
)

func (a addresses) Listens() bool { return a.listens }

// Snapshot adds what the program itself ran into.
func (p *productEngine) Snapshot() status.Snapshot {
	s := p.Engine.Snapshot()
	s.Problems = append(s.Problems, p.problems...)
	if f := p.finder; f != nil {
		s.Problems = append(s.Problems, networkProblems(p.config(), f.Networks(), f.PaneOpen(), f.Limited())...)
	}
	return s
}

// listen opens the sockets. A port that another program has is given up for a
// free one, which is told: peers learn it from us, but for those with a fixed
// address.
func listen(o EngineOptions, known func(device.ID) bool) (transport.Transport, []status.Problem, error) {
	to := transport.Options{Certificate: o.Certificate, Known: known, Pairing: o.Pairing, Log: o.Log}
	if len(o.Listen) > 1 {
		return nil, nil, fault.New(fault.Node, "", "listen: %d addresses were given, and this version listens on one", len(o.Listen))
	}
	asked := len(o.Listen) == 1
	if asked {
		to.Listen = o.Listen[0]
	}
	t, err := transport.Listen(to)
	if err == nil || asked || fault.CodeOf(err) != transport.CodePortTaken {
		return t, nil, err
	}
	o.Log.Warn("the usual port is taken; another one is used", "error", err)
	to.Listen = "quic://0.0.0.0:0"
	taken := status.Problem{Code: fault.CodeOf(err), Severity: status.Wait, Text: err.Error(), Since: time.Now().UTC()}
	t, err = transport.Listen(to)
	if err != nil {
		return nil, nil, err
	}
	taken.Param = map[string]string{"port": strconv.Itoa(transport.DefaultPort), "other": portOf(t.Addresses()[0])}
	return t, []status.Problem{taken}, nil
}

// portOf gives the port of a URL that we listen on.
func portOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Port()
}

// Apply also tells the address book which addresses are fixed, and has it forget
// removed devices. It is called by one at a time.
func (p *productEngine) Apply(d engine.Desired) {
	removed := make(map[device.ID]bool, len(d.Removed))
	for _, r := range d.Removed {
		removed[r.ID] = true
		if !p.forgotten[r.ID] {
			p.book.Forget(r.ID)
		}
	}
	p.forgotten = removed
	for _, dev := range d.Devices {
		if err := p.book.Set(dev.ID, dev.Addresses); err != nil {
			p.log.Warn("address not used", "device", dev.Name, "error", err)
		}
	}
	p.Engine.Apply(d)
	p.reconsider()
}

// Run runs the engine, the address book and the search until ctx ends, and closes what was
// opened.
func (p *productEngine) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var beside sync.WaitGroup
	beside.Go(func() { _ = p.book.Run(ctx) })
	if p.finder != nil {
		beside.Go(func() { _ = p.finder.Run(ctx) })
	}
	err := p.Engine.Run(ctx)
	cancel(err)
	beside.Wait()
	closed := p.transport.Close()
	p.exec.Close()
	if cerr := errors.Join(closed, p.store.Close()); cerr != nil {
		return cerr
	}
	return err
}

package engine

import (
	"cmp"
	"context"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/device"
	"lanyard/sync/exec"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/peer"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
	"lanyard/sync/transport"
	"lanyard/sync/watch"
)

// ClientName is what we call ourselves in the Hello.
const ClientName = "lanyard"

// Options of an Engine. ID, Store and Exec are required; Transport is too,
// unless connections are attached by hand.
type Options struct {
	ID      device.ID
	Name    string // until Apply says otherwise
	Version string
	// Boot tells this start of the computer from others (fsys.Boot); "" where
	// nothing tells.
	Boot  string
	Store index.Store
	Exec  exec.Executor
	// Transport listens and dials; nil leaves connections to Attach.
	Transport transport.Transport
	// Addresses tells where devices may be; nil knows fixed addresses alone.
	Addresses Addresses
	// Reach tells how a connection with these two ends, of which the own one may
	// be unspecified, leaves this device; nil tells nothing. It may ask the system.
	Reach func(own, other netip.Addr) status.Reach
	// PairKeys keeps what devices recognise each other's announcements by; nil
	// agrees on none.
	PairKeys PairKeys
	// Revocations takes which of our devices another one has removed; nil heeds
	// nobody and tells only what there is to tell.
	Revocations Revocations
	// OpenRoot opens a folder's root. Default: the real disk.
	OpenRoot func(FolderSpec) (fsys.FS, error)
	// NewWatcher makes a folder's watcher; it may return nil. Default: the
	// system's.
	NewWatcher func(f FolderSpec, skip func(relpath.Path) bool) watch.Watcher
	// Hash is the pool that hashes for all folders. Default: one worker for
	// each processor.
	Hash *block.Pool
	// Offers are those that KeepOffers kept last, durably before it returned; nil
	// forgets them with the end of the program. It is called by one at a time.
	Offers     []Offered
	KeepOffers func([]Offered) error
	// Scratch makes a place for indexes that a preview needs for a while, and
	// gives what removes it. Default: in memory.
	Scratch func() (s index.Store, drop func() error, err error)
	// Did is called with what is done to files of a folder, which people call
	// label; nil is fine. It must not block.
	Did func(folder bep.FolderID, label string, d status.Deed)
	// Rand gives the jitter of dials. Default: seeded at random.
	Rand *rand.Rand
	Log  *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.OpenRoot == nil {
		o.OpenRoot = func(f FolderSpec) (fsys.FS, error) { return fsys.Open(f.Path, fsys.Options{}) }
	}
	if o.NewWatcher == nil {
		o.NewWatcher = func(f FolderSpec, skip func(relpath.Path) bool) watch.Watcher {
			return watch.New(f.Path, watch.Options{Skip: skip})
		}
	}
	if o.Scratch == nil {
		o.Scratch = func() (index.Store, func() error, error) {
			s := index.NewMemory(index.MemoryOptions{})
			return s, s.Close, nil
		}
	}
	if o.Hash == nil {
		o.Hash = block.NewPool(0)
	}
	if o.Rand == nil {
		o.Rand = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Engine runs all folders and peers of one device. Methods may be called from
// any goroutine.
type Engine struct {
	o       Options
	turn    *exec.Serial // the order of changes: Apply, connections coming and going
	buffers *bep.Buffers
	ctx     context.Context // ends when the engine is closed
	cancel  context.CancelFunc

	rebuilding map[bep.FolderID]bool // whose index is made anew; owned by the turn

	mu      sync.Mutex // guards what follows, held for memory only
	desired Desired
	folders map[bep.FolderID]*folderEntry
	peers   map[device.ID]*peerEntry
	// contacts holds what is known of the connections to the desired devices.
	contacts map[device.ID]*contact
	waiting  map[device.ID]*peerEntry // until the conversation before is over
	carried  map[device.ID]carried    // by conversations that are over
	offers   map[offerKey]offer
	looking  map[bep.FolderID]looking
	crowd    map[crowdKey]crowd
	marked   []*marks      // of lists, that asked for last first
	kept     []Offered     // what was kept of the offers last
	keepDue  bool          // offers are to be kept
	tellAt   time.Time     // when devices are to be told what they may join, zero while nothing is to be told
	toldAt   time.Time     // when one was last told, zero since what is shared changed
	changed  chan struct{} // closed at the next change of the snapshot
	closed   bool
	back     map[bep.FolderID]bool // went back to an earlier state, and did not catch up yet

	previewing chan struct{}                // of capacity 1: holds a token while a preview is made
	keeping    chan struct{}                // of capacity 1: holds a token while offers are being kept
	sharesDue  map[*peer.Peer]bool          // a look at what it shares is due
	keyKnown   map[device.ID]device.PairKey // that the device said it has
	questions  map[*question]bool           // that wait for answers
	barred     map[device.ID]bool           // removed devices, already before the turn comes to it

	net *network // nil where connections are attached by hand
}

// New returns an Engine. It starts nothing: call Run, or in a simulation
// Apply and Attach.
func New(o Options) *Engine {
	o = o.withDefaults()
	e := &Engine{
		o: o, turn: exec.NewSerial(o.Exec), buffers: bep.NewBuffers(0),
		desired: Desired{Name: o.Name},
		folders: map[bep.FolderID]*folderEntry{}, peers: map[device.ID]*peerEntry{},
		contacts: map[device.ID]*contact{}, waiting: map[device.ID]*peerEntry{}, carried: map[device.ID]carried{},
		offers: map[offerKey]offer{}, crowd: map[crowdKey]crowd{}, back: map[bep.FolderID]bool{},
		changed: make(chan struct{}), rebuilding: map[bep.FolderID]bool{}, sharesDue: map[*peer.Peer]bool{}, keyKnown: map[device.ID]device.PairKey{},
		questions: map[*question]bool{},
		keeping:   make(chan struct{}, 1), previewing: make(chan struct{}, 1), looking: map[bep.FolderID]looking{},
	}
	e.recallOffers(o.Offers)
	e.kept = e.offeredLocked()
	e.ctx, e.cancel = context.WithCancel(context.Background())
	if o.Transport != nil {
		e.net = newNetwork(e)
	}
	return e
}

// Run accepts and dials until ctx ends, then stops every folder and
// connection, and returns the cause of the end.
func (e *Engine) Run(ctx context.Context) error {
	if e.net != nil {
		e.net.run(ctx)
	} else {
		<-ctx.Done()
	}
	e.Close()
	return context.Cause(ctx)
}

// Close stops everything and waits for it; what an Apply that runs now still
// starts is stopped by that Apply, for which closing the Executor waits. The
// index stays open: it is its owner's.
func (e *Engine) Close() {
	e.cancel()
	e.turn.Close()
	e.mu.Lock()
	e.closed = true
	folders := e.folders
	peers := []map[device.ID]*peerEntry{e.peers, e.waiting}
	e.folders, e.peers, e.waiting = map[bep.FolderID]*folderEntry{}, map[device.ID]*peerEntry{}, map[device.ID]*peerEntry{}
	e.mu.Unlock()
	for _, m := range peers {
		for _, id := range sortedKeys(m) {
			m[id].close("shutting down")
		}
	}
	for _, id := range sortedFolders(folders) {
		folders[id].stop()
	}
	if err := e.keepOffers(); err != nil {
		e.o.Log.Warn("offers were not kept", "error", err)
	}
}

// Apply brings the engine to a desired state; it does not wait for it. Devices
// that are removed are shut out before it returns.
func (e *Engine) Apply(d Desired) {
	e.bar(d)
	e.turn.Post(func() { e.apply(d) })
}

// Changed gives a channel that is closed at the next change of the snapshot.
func (e *Engine) Changed() <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.changed
}

// touch tells those who watch that the snapshot changed.
func (e *Engine) touch() {
	e.mu.Lock()
	defer e.mu.Unlock()
	close(e.changed)
	e.changed = make(chan struct{})
}

// Touch tells those who watch that what is shown beside the snapshot changed.
func (e *Engine) Touch() { e.touch() }

func (e *Engine) now() time.Time { return e.o.Exec.Now() }

// spec gives what is desired of a device.
func (e *Engine) spec(id device.ID) (DeviceSpec, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, d := range e.desired.Devices {
		if d.ID == id {
			return d, true
		}
	}
	return DeviceSpec{}, false
}

// Known reports whether a device may connect. It does not wait: a transport
// may ask it while it accepts.
func (e *Engine) Known(id device.ID) bool {
	d, ok := e.spec(id)
	return ok && !d.Paused && d.Revoked.IsZero() && !e.isBarred(id)
}

// ours reports whether a device is this one or one of those desired.
func (e *Engine) ours(id device.ID) bool {
	_, known := e.spec(id)
	return known || id == e.o.ID
}

// ourHello is what we say of ourselves to a device: to one that we do not know
// not even our name. One that we know and do not talk to now, because it is
// paused, is told so by having no connection (see standingOf).
func (e *Engine) ourHello(id device.ID) bep.Hello {
	h := bep.Hello{ClientName: ClientName, ClientVersion: e.o.Version, Timestamp: e.now().UnixNano()}
	spec, known := e.spec(id)
	if !known {
		return h
	}
	e.mu.Lock()
	h.DeviceName = cmp.Or(e.desired.Name, e.o.ID.Short().String())
	e.mu.Unlock()
	if !spec.Paused && spec.Revoked.IsZero() {
		h.NumConnections = 1
	}
	return h
}

package engine

import (
	"cmp"
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/exec"
	"lanyard/sync/folder"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
	"lanyard/sync/transport"
	"lanyard/sync/watch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const photos = bep.FolderID("photos")

// patience is how long a test waits for what must come; nothing is asserted of
// how long it takes.
const patience = 30 * time.Second

// node is one device of a test: an Engine over loopback, an index in memory
// and a directory for each folder.
type node struct {
	*Engine
	t       testing.TB
	id      device.ID
	name    string
	dir     string
	store   index.Store
	clock   *shifted
	times   map[string]time.Time // of its files when it was backed up
	blind   bool                 // nobody watches its folders
	key     [2][]byte            // certificate and key, PEM
	desired Desired
	options transport.Options // of what it listens on, where they are not the usual ones
	both    bool              // it listens with TCP as well, as the program does
	keys    *keyring          // for announcements, or nil
	heeds   Revocations       // takes whom others have removed, or nil
	// addresses tells where devices are; nil knows fixed ones.
	addresses Addresses
	did       func(bep.FolderID, string, status.Deed)
	reaches   func(own, other netip.Addr) status.Reach // nil tells nothing
	stop      func()                                   // ends Run and waits for it; may be called more than once
}

// newNode starts a device that shares nothing and knows nobody.
func newNode(t testing.TB, name string) *node {
	t.Helper()
	return startNode(t, describedNode(t, name))
}

// describedNode is a new device that does not run yet.
func describedNode(t testing.TB, name string) *node {
	t.Helper()
	certPEM, keyPEM, err := device.NewCertificate(time.Now())
	must(t, err)
	return &node{
		name: name, dir: t.TempDir(), store: index.NewMemory(index.MemoryOptions{}), key: [2][]byte{certPEM, keyPEM}, desired: Desired{Name: name},
	}
}

// startNode runs a device that is described by some fields.
func startNode(t testing.TB, n *node) *node {
	t.Helper()
	cert, id, err := device.LoadCertificate(n.key[0], n.key[1])
	must(t, err)
	n.t, n.id = t, id
	made := make(chan struct{}) // somebody may dial before there is an engine
	open := transport.ListenQUIC
	if n.both {
		open = transport.Listen
	}
	n.options.Certificate = cert
	n.options.Listen = cmp.Or(n.options.Listen, "quic://127.0.0.1:0")
	n.options.Known = func(id device.ID) bool {
		<-made
		return n.Known(id)
	}
	listen, err := open(n.options)
	must(t, err)
	ex := &shifted{Real: &exec.Real{}}
	n.clock = ex
	o := Options{ID: id, Name: n.name, Version: "1", Boot: "1", Store: n.store, Exec: ex, Transport: listen}
	if n.keys != nil {
		o.PairKeys = n.keys
	}
	o.Revocations, o.Addresses, o.Did, o.Reach = n.heeds, n.addresses, n.did, n.reaches
	if n.blind {
		o.NewWatcher = func(FolderSpec, func(relpath.Path) bool) watch.Watcher { return nil }
	}
	n.Engine = New(o)
	close(made)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		n.Run(ctx)
	}()
	n.stop = sync.OnceFunc(func() {
		cancel()
		<-ended
		listen.Close()
		ex.Close()
		n.store.Close()
	})
	t.Cleanup(n.stop)
	n.Apply(n.desired)
	return n
}

// again starts a device that was stopped, with the same identity, files and
// wishes.
func (n *node) again(store index.Store) *node {
	n.t.Helper()
	return startNode(n.t, &node{name: n.name, dir: n.dir, store: store, key: n.key, desired: n.desired})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// want changes what is desired of the device.
func (n *node) want(change func(*Desired)) {
	n.desired.Folders = slices.Clone(n.desired.Folders)
	n.desired.Devices = slices.Clone(n.desired.Devices)
	change(&n.desired)
	n.Apply(n.desired)
	applied := make(chan struct{}) // who dials now is greeted by what is desired
	if n.turn.Post(func() { close(applied) }) {
		<-applied
	}
}

// knows makes another device one of ours, at its address.
func (n *node) knows(other *node) {
	n.want(func(d *Desired) {
		d.Devices = append(d.Devices, DeviceSpec{ID: other.id, Name: other.name, Addresses: other.o.Transport.Addresses()})
	})
}

// removes has a person remove another device.
func (n *node) removes(other *node) {
	n.want(func(d *Desired) {
		d.Devices = slices.DeleteFunc(d.Devices, func(s DeviceSpec) bool { return s.ID == other.id })
		for i := range d.Folders {
			d.Folders[i].Shared = slices.DeleteFunc(slices.Clone(d.Folders[i].Shared), func(id device.ID) bool { return id == other.id })
		}
		d.Removed = append(slices.Clone(d.Removed), Removal{ID: other.id, When: time.Now(), Peer: true})
	})
}

// shares makes the device have the folder, in a marked directory of its own.
func (n *node) shares(id bep.FolderID, with ...*node) {
	n.t.Helper()
	root := filepath.Join(n.dir, string(id))
	marker := filepath.Join(root, filepath.FromSlash(folder.Marker(id).String()))
	must(n.t, os.MkdirAll(filepath.Dir(marker), 0o755))
	must(n.t, os.WriteFile(marker, []byte(n.id.String()[:32]), 0o644))
	spec := FolderSpec{ID: id, Label: "Photos", Path: root}
	for _, other := range with {
		spec.Shared = append(spec.Shared, other.id)
	}
	n.want(func(d *Desired) {
		d.Folders = slices.DeleteFunc(d.Folders, func(f FolderSpec) bool { return f.ID == id })
		d.Folders = append(d.Folders, spec)
	})
}

func (n *node) path(name string) string { return filepath.Join(n.dir, string(photos), name) }

func (n *node) write(name, content string) {
	n.t.Helper()
	must(n.t, os.WriteFile(n.path(name), []byte(content), 0o644))
}

// scanned scans the folder and waits until it is at rest.
func (n *node) scanned() {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), patience)
	defer cancel()
	n.await("the folder is open", func(s status.Snapshot) bool { return n.folderOf(s).State == status.Idle })
	must(n.t, n.Scan(ctx, photos, nil))
	n.await("the folder rests", func(s status.Snapshot) bool { return n.folderOf(s).State == status.Idle })
}

func (n *node) folderOf(s status.Snapshot) status.Folder {
	for _, f := range s.Folders {
		if f.ID == string(photos) {
			return f
		}
	}
	return status.Folder{}
}

func (n *node) deviceOf(s status.Snapshot, other *node) status.Device {
	for _, d := range s.Devices {
		if d.ID == other.id.String() {
			return d
		}
	}
	return status.Device{}
}

// await waits until the snapshot is as it should be.
func (n *node) await(what string, ok func(status.Snapshot) bool) {
	n.t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		changed := n.Changed()
		s := n.Snapshot()
		if ok(s) {
			return
		}
		select {
		case <-changed:
		case <-look.C:
		case <-late.C:
			n.t.Fatalf("%s never comes to: %s\n%+v", n.name, what, s)
		}
	}
}

func (n *node) awaitConnected(other *node, yes bool) {
	n.t.Helper()
	what := "disconnected from " + other.name
	if yes {
		what = "connected to " + other.name
	}
	n.await(what, func(s status.Snapshot) bool { return n.deviceOf(s, other).Connected == yes })
}

// awaitFile waits until a file has its content.
func (n *node) awaitFile(name, content string) {
	n.t.Helper()
	n.await(name+" holds "+content, func(status.Snapshot) bool {
		got, err := os.ReadFile(n.path(name))
		return err == nil && string(got) == content
	})
}

// inSync waits until both hold the same.
func (n *node) inSync(other *node) {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), patience)
	defer cancel()
	missing, err := n.Wait(ctx, []bep.FolderID{photos}, other.id)
	must(n.t, err)
	if len(missing) > 0 {
		n.t.Fatalf("%s lacks %+v", n.name, missing)
	}
}

// connectedPair is two devices that know each other, and share the folder.
func connectedPair(t testing.TB) (a, b *node) {
	t.Helper()
	a, b = newNode(t, "a"), newNode(t, "b")
	connect(a, b)
	return a, b
}

// connect makes two devices know each other and share the folder.
func connect(a, b *node) {
	a.t.Helper()
	a.shares(photos, b)
	b.shares(photos, a)
	a.knows(b)
	b.knows(a)
	a.awaitConnected(b, true)
	b.awaitConnected(a, true)
}

// connections counts those to a device.
func (n *node) connections(other *node) int {
	answer := make(chan int, 1)
	n.net.turn.Post(func() {
		if l := n.net.links[other.id]; l != nil {
			answer <- len(l.attempts)
			return
		}
		answer <- 0
	})
	return <-answer
}

func path(name string) relpath.Path { return relpath.MustParse(name) }

func (n *node) why(name string) status.Why {
	n.t.Helper()
	w, err := n.Why(n.t.Context(), photos, path(name))
	must(n.t, err)
	return w
}

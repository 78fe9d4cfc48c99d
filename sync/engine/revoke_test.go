package engine

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/index"
	"lanyard/sync/peer"
	"lanyard/sync/status"
	"lanyard/sync/status/statustest"
	"lanyard/sync/transport"
	"lanyard/sync/vector"
)

// bare is a device without an engine, which sees every byte that it gets.
type bare struct {
	t    *testing.T
	id   device.ID
	dial func(to *node) transport.Conn
}

func newBare(t *testing.T, overTCP bool) *bare {
	t.Helper()
	certPEM, keyPEM, err := device.NewCertificate(time.Now())
	must(t, err)
	cert, id, err := device.LoadCertificate(certPEM, keyPEM)
	must(t, err)
	open, listen := transport.ListenQUIC, "quic://127.0.0.1:0"
	if overTCP {
		open, listen = transport.ListenTCP, "tcp://127.0.0.1:0"
	}
	tr, err := open(transport.Options{Certificate: cert, Listen: listen})
	must(t, err)
	t.Cleanup(func() { tr.Close() })
	dial := func(to *node) transport.Conn {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		addresses := to.o.Transport.Addresses()
		i := slices.IndexFunc(addresses, func(a string) bool { return (a[:3] == "tcp") == overTCP })
		conn, err := tr.Dial(ctx, addresses[i], to.id)
		must(t, err)
		return conn
	}
	return &bare{t, id, dial}
}

// hello is what a Lanyard says first.
var hello = bep.Hello{DeviceName: "c", ClientName: ClientName, NumConnections: 1}

// converses connects and says that it shares nothing.
func (b *bare) converses(with *node) transport.Conn {
	b.t.Helper()
	conn := b.dial(with)
	theirs, err := peer.Greet(conn, hello)
	must(b.t, err)
	if theirs.DeviceName != with.name {
		b.t.Fatalf("it is greeted with %+v", theirs)
	}
	cc, err := bep.AppendMessage(nil, &bep.ClusterConfig{}, bep.CompressNever)
	must(b.t, err)
	_, err = conn.Write(cc)
	must(b.t, err)
	return conn
}

// rest gives all that comes until the connection ends.
func rest(t *testing.T, conn transport.Conn) []byte {
	t.Helper()
	must(t, conn.SetDeadline(time.Now().Add(patience)))
	got, err := io.ReadAll(conn)
	if err == nil && !transport.OverTCP(conn) {
		t.Error("the stream ended in order, want the connection closed")
	}
	return got
}

func TestARemovedDeviceGetsNotAByteMore(t *testing.T) {
	for name, overTCP := range map[string]bool{"QUIC": false, "TCP": true} {
		t.Run(name, func(t *testing.T) {
			a := describedNode(t, "a")
			a.both = true
			startNode(t, a)
			c := newBare(t, overTCP)
			as := &node{id: c.id, name: "c"}
			a.want(func(d *Desired) { d.Devices = append(d.Devices, DeviceSpec{ID: c.id, Name: "c"}) })
			conn := c.converses(a)
			a.awaitConnected(as, true)

			a.removes(as)
			said := rest(t, conn)
			a.await("nobody is left", func(s status.Snapshot) bool { return len(s.Devices) == 0 && a.connections(as) == 0 })
			if end, told := conn.EndCode(); !overTCP && (!told || end != transport.CodeRemoved) {
				t.Errorf("the connection ended with code %d (%v), want %d", end, told, transport.CodeRemoved)
			}
			r := bep.NewReader(bytes.NewReader(said), bep.ReaderOptions{Extensions: true, Buffers: bep.NewBuffers(0)})
			for {
				m, err := next(r)
				if err != nil {
					break // what came last may be cut off
				}
				if _, yes := m.(*bep.Close); yes {
					t.Error("it was told why, which is a byte more")
				}
			}
			for range 2 { // also after a restart
				conn = c.dial(a)
				must(t, bep.WriteHello(conn, hello))
				if got := rest(t, conn); len(got) > 0 {
					t.Errorf("dialing again it is told %d bytes: %q", len(got), got)
				}
				if end, told := conn.EndCode(); !overTCP && (!told || end != transport.CodeRemoved) {
					t.Errorf("dialing again ended with code %d (%v), want %d", end, told, transport.CodeRemoved)
				}
				if offers := a.Snapshot().Offers; len(offers) > 0 {
					t.Errorf("it is shown as one that asks: %+v", offers)
				}
				a.stop()
				b := describedNode(t, "a")
				b.both, b.key, b.desired = true, a.key, a.desired
				a = startNode(t, b)
			}

			// A person's word lets it in again.
			a.want(func(d *Desired) {
				d.Removed, d.Devices = nil, []DeviceSpec{{ID: c.id, Name: "c"}}
			})
			c.converses(a)
			a.awaitConnected(as, true)
		})
	}
}

// next gives the next message of known type.
func next(r *bep.Reader) (bep.Message, error) {
	for {
		if err := r.Wait(); err != nil {
			return nil, err
		}
		_, known, err := r.Head()
		if err != nil {
			return nil, err
		}
		if known {
			return r.Body()
		}
	}
}

func TestADeviceThatWasRemovedLearnsThatAndNoMore(t *testing.T) {
	a, b := connectedPair(t)
	a.inSync(b)
	b.inSync(a)
	a.removes(b)
	b.awaitDevice(a, "device-forgot-us")
	if len(a.Snapshot().Offers) > 0 {
		t.Error("a removed device is shown as one that asks")
	}
}

// Over TCP there is no code: it hangs up again and again.
func TestADeviceThatWasRemovedLearnsThatOverTCP(t *testing.T) {
	a, b := describedNode(t, "a"), describedNode(t, "b")
	for _, n := range []*node{a, b} {
		n.both = true
		startNode(t, n)
	}
	connect(a, b)
	a.inSync(b)
	b.inSync(a)
	a.removes(b)
	b.awaitDevice(a, "device-forgot-us")
}

func TestWhatARemovedDeviceAnnouncedIsForgotten(t *testing.T) {
	a, b := connectedPair(t)
	b.write("from b", "content")
	b.scanned()
	a.awaitFile("from b", "content")
	a.inSync(b)
	ix := a.folder(photos).index
	known := func() bool {
		t.Helper()
		remotes, err := ix.Remotes()
		must(t, err)
		extended, err := ix.Meta(metaExtended)
		must(t, err)
		return slices.Contains(remotes, b.id) || bytes.Contains([]byte(extended), []byte(b.id.String()))
	}
	if !known() {
		t.Fatal("nothing is known of it before")
	}
	a.removes(b)
	a.await("it is forgotten", func(status.Snapshot) bool { return !known() })
	a.awaitFile("from b", "content") // files stay

	// What it had said just before, and what is only being stored now.
	late := []bep.FileInfo{{Name: path("late"), Sequence: 7, Version: vector.Vector{{ID: uint64(b.id.Short()), Value: 1}}}}
	must(t, ix.ResetRemote(b.id, 5))
	must(t, ix.UpdateRemote(b.id, late))
	if a.stillShared(photos, ix, b.id) || known() {
		t.Error("what was announced before the removal and stored after it is kept")
	}
	must(t, host{a.Engine}.StoreIndex(b.id, &bep.Index{Folder: photos, Files: late}))
	must(t, host{a.Engine}.ResetIndex(b.id, photos, 5))
	if known() {
		t.Error("a removed device has something stored")
	}
}

func TestARemovalThatACrashCutShortIsCompletedAtTheStart(t *testing.T) {
	a, b := connectedPair(t)
	a.inSync(b)
	a.stop()
	store := index.NewMemory(index.MemoryOptions{})
	ix, err := store.Folder(photos)
	must(t, err)
	must(t, ix.ResetRemote(b.id, 5))
	a.desired.Removed = []Removal{{ID: b.id, When: time.Now(), Peer: true}}
	a.desired.Devices, a.desired.Folders[0].Shared = nil, nil
	again := a.again(store)
	again.await("it is forgotten", func(status.Snapshot) bool {
		remotes, err := ix.Remotes()
		return err == nil && len(remotes) == 0
	})
}

// heard is what a device was told of removals.
type heard struct {
	mu  sync.Mutex
	all map[device.ID]map[device.ID]time.Time
	err error
}

func (h *heard) take(by device.ID, removed map[device.ID]time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.all == nil {
		h.all = map[device.ID]map[device.ID]time.Time{}
	}
	h.all[by] = removed
	return h.err
}

func (h *heard) of(by *node) (removed []device.ID, told bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	list, told := h.all[by.id]
	return slices.SortedFunc(maps.Keys(list), device.ID.Compare), told
}

func TestOurOtherDevicesAreToldOfARemoval(t *testing.T) {
	a, b, c := describedNode(t, "a"), describedNode(t, "b"), describedNode(t, "c")
	var told heard
	b.heeds = told.take
	for _, n := range []*node{a, b, c} {
		startNode(t, n)
		n.shares(photos)
	}
	for _, pair := range [][2]*node{{a, b}, {a, c}, {b, c}} {
		pair[0].knows(pair[1])
		pair[1].knows(pair[0])
	}
	for _, pair := range [][2]*node{{a, b}, {a, c}, {b, c}} {
		pair[0].awaitConnected(pair[1], true)
	}
	hears := func(want ...device.ID) {
		t.Helper()
		b.await("what a has removed", func(status.Snapshot) bool {
			got, ok := told.of(a)
			return ok && slices.Equal(got, want)
		})
	}
	a.removes(c)
	hears(c.id)

	// It asks its person, and keeps the device disconnected until then.
	b.want(func(d *Desired) {
		for i := range d.Devices {
			if d.Devices[i].ID == c.id {
				d.Devices[i].Revoked = a.id
			}
		}
	})
	b.awaitDevice(c, "removed-elsewhere")
	p := statustest.Shown(t, b.deviceOf(b.Snapshot(), c).Problems, "removed-elsewhere")
	if p.Param["other"] != "a" || p.Param["device"] != "c" {
		t.Errorf("it is told with %v", p.Param)
	}
	b.awaitConnected(c, false)
	b.want(func(d *Desired) {
		for i := range d.Devices {
			d.Devices[i].Revoked = device.ID{}
		}
	})
	b.awaitConnected(c, true)

	// Somebody who was away hears of it when it comes back, and that it was taken
	// back as well.
	b.stop()
	told = heard{}
	again := describedNode(t, "b")
	again.heeds, again.key, again.desired, again.dir = told.take, b.key, b.desired, b.dir
	b = startNode(t, again)
	hears(c.id)
	a.want(func(d *Desired) { d.Removed = nil })
	hears()
}

func TestAListOfRemovedDevicesNamesThemToThoseAloneWhoKnowThem(t *testing.T) {
	c := device.ID{3, 1, 4}
	when := time.Unix(1_800_000_000, 0).UTC()
	first := revokedMessage([]Removal{{ID: c, When: when}}).Body
	if bytes.Contains(first, c[:8]) {
		t.Error("the ID stands in it")
	}
	second := revokedMessage([]Removal{{ID: c, When: when}}).Body
	salt, named, err := readRevoked(first)
	must(t, err)
	salt2, named2, err := readRevoked(second)
	must(t, err)
	if got := named[revokedTag(salt, c)]; !got.Equal(when) {
		t.Errorf("it was removed at %v, want %v", got, when)
	}
	for tag := range named {
		if _, same := named2[tag]; same || bytes.Equal(salt, salt2) {
			t.Error("two messages can be told to be of one device")
		}
	}
	if _, known := named[revokedTag(salt, device.ID{3})]; known {
		t.Error("another device is named")
	}
}

func TestRevokedMessagesThatAreRefused(t *testing.T) {
	salt := append([]byte{0x0a, saltBytes}, make([]byte, saltBytes)...)
	many := slices.Clone(salt)
	for i := range maxRevoked + 1 {
		tag := [32]byte{byte(i), byte(i >> 8)}
		many = append(append(many, 0x12, 34, 0x0a, 32), tag[:]...)
	}
	for name, body := range map[string][]byte{
		"empty":           {},
		"a short salt":    {0x0a, 2, 1, 2},
		"a short tag":     append(slices.Clone(salt), 0x12, 4, 0x0a, 2, 1, 2),
		"an entry of air": append(slices.Clone(salt), 0x12, 0),
		"cut off":         append(slices.Clone(salt), 0x12, 34, 0x0a),
		"too many":        many,
	} {
		if _, named, err := readRevoked(body); !errors.Is(err, errRevoked) {
			t.Errorf("%s: read as %v (%v)", name, named, err)
		}
	}
	if _, named, err := readRevoked(append(salt, 0x78, 5)); err != nil || len(named) > 0 {
		t.Errorf("an empty list with a field of a later version: %v, %v", named, err)
	}
}

func FuzzRevoked(f *testing.F) {
	f.Add(revokedMessage(nil).Body)
	f.Add(revokedMessage([]Removal{{ID: device.ID{1}, When: time.Unix(1, 0)}}).Body)
	f.Fuzz(func(t *testing.T, b []byte) {
		salt, named, err := readRevoked(b)
		if err == nil && (len(salt) != saltBytes || len(named) > maxRevoked) {
			t.Errorf("%x, %v", salt, named)
		}
	})
}

func TestARemovedDeviceThatAnswersInPlaceOfAnotherIsNamedAtOnce(t *testing.T) {
	a, b, thief := newNode(t, "a"), describedNode(t, "b"), newNode(t, "thief")
	_, id, err := device.LoadCertificate(b.key[0], b.key[1])
	must(t, err)
	b.id = id
	a.removes(thief)
	a.want(func(d *Desired) {
		d.Devices = append(d.Devices, DeviceSpec{ID: b.id, Name: "b", Addresses: thief.o.Transport.Addresses()})
	})
	a.await("one dial is enough", func(status.Snapshot) bool {
		a.Engine.mu.Lock()
		defer a.Engine.mu.Unlock()
		c := a.contacts[b.id]
		return c != nil && c.others == maxOthers
	})
	a.awaitDevice(b, "device-other-identity")
}

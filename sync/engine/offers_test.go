package engine

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/exec"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/peer"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
)

func stranger(n int) device.ID { return device.ID{3, byte(n >> 8), byte(n)} }

func TestStrangersGiveWayAfterTenMinutesTheOldestFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ex := &exec.Real{}
		defer ex.Close()
		e := New(Options{ID: us, Store: index.NewMemory(index.MemoryOptions{}), Exec: ex})
		defer e.Close()
		note := func(n int) { e.noteStranger(stranger(n), bep.Hello{}, "") }
		noted := func(n int) bool {
			e.mu.Lock()
			defer e.mu.Unlock()
			_, ok := e.offers[offerKey{device: stranger(n)}]
			return ok
		}
		for n := range maxOffers {
			note(n)
			<-time.After(time.Millisecond)
		}
		note(maxOffers)
		if noted(maxOffers) {
			t.Error("a flood drives out the offers of a moment ago")
		}
		<-time.After(offerLasts)
		note(0) // asks again
		note(maxOffers)
		for n, want := range map[int]bool{0: true, 1: false, 2: true, maxOffers: true} {
			if got := noted(n); got != want {
				t.Errorf("stranger %d is noted: %v, want %v", n, got, want)
			}
		}
	})
}

// An ID cannot be cleaned as a label is: it has to be repeated as it is.
func TestAFolderWhoseIDCannotBeShownIsNotOffered(t *testing.T) {
	a, b := strangers(t)
	a.noteOffers(b.id, []peer.RemoteFolder{
		{ID: "fine"}, {ID: "two\x1b[2Jlines"}, {ID: "turned\u202e"}, {ID: "line\r\n"}, {ID: bep.FolderID(strings.Repeat("x", 100_000))}, {ID: "\xff"},
	})
	offers := a.Snapshot().Offers
	if len(offers) != 1 || offers[0].Folder != "fine" {
		t.Errorf("offered are %+v, want the one that can be shown", offers)
	}
}

// offer gives the only offer that a device shows.
func (n *node) offer() status.Offer {
	n.t.Helper()
	offers := n.Snapshot().Offers
	if len(offers) != 1 {
		n.t.Fatalf("%s shows the offers %+v, want one", n.name, offers)
	}
	return offers[0]
}

func TestAnOfferTellsHowMuchThereIs(t *testing.T) {
	a, b := newNode(t, "a"), newNode(t, "b")
	a.shares(photos, b)
	a.write("one", "12345")
	a.knows(b)
	b.knows(a)
	counted := func(files, bytes int64) {
		b.await("the counts of the offer", func(s status.Snapshot) bool {
			return len(s.Offers) == 1 && s.Offers[0].Counted && s.Offers[0].Files == files && s.Offers[0].Bytes == bytes
		})
	}
	counted(1, 5)
	a.write("two", "678")
	a.scanned()
	counted(2, 8)
	if o := b.offer(); o.Name != "a" || !o.Connected || o.Refused || o.Joined {
		t.Errorf("the offer is %+v", o)
	}
	a.stop()
	b.awaitConnected(a, false)
	if o := b.offer(); o.Connected || !o.Counted || o.Files != 2 {
		t.Errorf("while the device is away the offer is %+v", o)
	}
}

// keeper keeps offers as a home does.
type keeper struct {
	mu    sync.Mutex
	kept  []Offered
	saves int
}

func (k *keeper) keep(offers []Offered) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kept, k.saves = offers, k.saves+1
	return nil
}

func (k *keeper) now() []Offered {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.kept
}

// offerers is an engine with one device that it knows, and what is kept.
func offerers(t *testing.T, k *keeper) (e *Engine, other device.ID, end func()) {
	t.Helper()
	ex := &exec.Real{}
	other = device.ID{9}
	e = New(Options{ID: us, Store: index.NewMemory(index.MemoryOptions{}), Exec: ex, Offers: k.now(), KeepOffers: k.keep})
	e.Apply(Desired{Devices: []DeviceSpec{{ID: other, Name: "other"}}})
	synctest.Wait()
	return e, other, func() { e.Close(); ex.Close() }
}

func offersOf(e *Engine) string {
	var out []string
	for _, o := range e.Snapshot().Offers {
		text := o.Folder
		if o.Refused {
			text += " refused"
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

func TestAnOfferOutlivesARestartAndARefusalHoldsUntilItIsMadeAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &keeper{}
		shown := func(e *Engine, when, want string) {
			t.Helper()
			if got := offersOf(e); got != want {
				t.Errorf("%s: offered are %q, want %q", when, got, want)
			}
		}
		both := []peer.RemoteFolder{{ID: "a"}, {ID: "b"}}
		e, other, end := offerers(t, k)
		e.noteOffers(other, both)
		must(t, e.Refuse(t.Context(), other, "b", true))
		if err := e.Refuse(t.Context(), other, "c", true); err == nil {
			t.Error("what nobody offers can be refused")
		}
		if kept := k.now(); len(kept) != 2 || kept[0].Refused || !kept[1].Refused {
			t.Errorf("when the refusal was answered, kept were %+v", kept)
		}
		shown(e, "refused", "a, b refused")
		end()
		e, _, end = offerers(t, k)
		shown(e, "after a restart", "a, b refused")
		e.noteOffers(other, both)
		shown(e, "offered again as before", "a, b refused")
		e.noteOffers(other, both[:1])
		shown(e, "withdrawn", "a")
		e.noteOffers(other, both)
		shown(e, "offered anew", "a, b")
		end()
		if kept := k.now(); len(kept) != 2 || kept[1].Refused {
			t.Errorf("at the end kept were %+v", kept)
		}
		e, _, end = offerers(t, k)
		e.Apply(Desired{})
		synctest.Wait()
		shown(e, "the device was removed", "")
		end()
		if kept := k.now(); len(kept) != 0 {
			t.Errorf("of a device that was removed, kept were %+v", kept)
		}
	})
}

func TestAFolderThatIsLeftIsOfferedAgain(t *testing.T) {
	a, b := connectedPair(t)
	joined := b.desired.Folders
	a.await("b has joined", func(s status.Snapshot) bool { return a.deviceOf(s, b).Folders[string(photos)].Current })
	b.want(func(d *Desired) { d.Folders = nil })
	b.await("it is offered", func(s status.Snapshot) bool { return len(s.Offers) == 1 && s.Offers[0].Folder == string(photos) })
	b.want(func(d *Desired) { d.Folders = joined })
	b.await("no offer", func(s status.Snapshot) bool { return len(s.Offers) == 0 })
}

// consented notes what an engine opens.
type consented struct {
	index.Store
	opened []bep.FolderID
}

func (c *consented) Folder(id bep.FolderID) (index.Folder, error) {
	c.opened = append(c.opened, id)
	return c.Store.Folder(id)
}

// Two devices say whatever comes to their minds, in any order, the same folders
// among it. Nothing of it may reach a disk or an index, and what is shown stays
// within bounds and is fit to be shown.
func TestNothingIsWrittenBeforeAPersonConsents(t *testing.T) {
	for seed := range uint64(40) {
		synctest.Test(t, func(t *testing.T) { sayAnything(t, seed) })
	}
}

func sayAnything(t *testing.T, seed uint64) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	ex, k := &exec.Real{}, &keeper{}
	store := &consented{Store: index.NewMemory(index.MemoryOptions{})}
	roots := 0
	e := New(Options{
		ID: us, Store: store, Exec: ex, KeepOffers: k.keep,
		OpenRoot: func(FolderSpec) (fsys.FS, error) { roots++; return nil, errors.New("a root was opened") },
	})
	devices := []device.ID{{8}, {9}}
	e.Apply(Desired{Devices: []DeviceSpec{{ID: devices[0], Name: "x"}, {ID: devices[1], Name: "y"}}})
	synctest.Wait()
	peers := make([]*peer.Peer, len(devices))
	attach := func(i int) { peers[i] = e.Attach(Link{ID: devices[i], Wire: silent{}, Extended: r.IntN(4) > 0}) }
	for i := range devices {
		attach(i)
	}
	for range 60 {
		i := r.IntN(len(devices))
		switch r.IntN(12) {
		case 0:
			peers[i].Lost(nil)
			synctest.Wait()
			attach(i)
		case 1:
			_ = e.Refuse(t.Context(), devices[i], someFolder(r), r.IntN(2) == 0)
		default:
			peers[i].Receive(someMessage(r, devices[i]), nil)
		}
		synctest.Wait()
	}
	offers := e.Snapshot().Offers
	if len(offers) > 2*maxOffersOfOne {
		t.Errorf("seed %d: %d offers are shown", seed, len(offers))
	}
	seen := map[[2]string]bool{}
	for _, o := range offers {
		if o.Folder != bep.CleanName(o.Folder) || o.Label != bep.CleanName(o.Label) || o.Files < 0 || o.Bytes < 0 {
			t.Errorf("seed %d: shown is %+v", seed, o)
		}
		if key := [2]string{o.Device, o.Folder}; seen[key] {
			t.Errorf("seed %d: %q is shown twice", seed, key)
		} else {
			seen[key] = true
		}
	}
	e.Close()
	ex.Close()
	if len(store.opened) > 0 || roots > 0 {
		t.Errorf("seed %d: indexes of %q and %d roots were opened", seed, store.opened, roots)
	}
}

// someFolder gives an ID, often one that was given before.
func someFolder(r *rand.Rand) bep.FolderID {
	odd := []bep.FolderID{"a", "b", "c", "<b>bold</b>", "../..", "up\u202e", "line\nline", "\x1b[2J", "con", "\xff"}
	if n := r.IntN(len(odd) + 2); n < len(odd) {
		return odd[n]
	}
	return bep.FolderID(fmt.Sprint("f", r.IntN(300)))
}

func someMessage(r *rand.Rand, from device.ID) bep.Message {
	switch r.IntN(6) {
	case 0:
		o := bep.Offer{Folder: someFolder(r), Files: int64(r.Uint64() >> 1), Bytes: int64(r.Uint64() >> 1)}
		return o.Extension()
	case 1:
		body := make([]byte, r.IntN(20))
		for i := range body {
			body[i] = byte(r.Uint32())
		}
		return &bep.Extension{Type: bep.TypeExtensionFirst + bep.MessageType(r.IntN(64)), Body: body}
	case 2:
		return &bep.Index{Folder: someFolder(r), Files: []bep.FileInfo{{Name: relpath.MustParse("f"), Type: bep.TypeDirectory, Sequence: 1}}}
	}
	cc := &bep.ClusterConfig{}
	seen := map[bep.FolderID]bool{}
	for range r.IntN(100) {
		id := someFolder(r)
		if seen[id] { // twice in one message it does not get here
			continue
		}
		seen[id] = true
		cc.Folders = append(cc.Folders, bep.Folder{
			ID: id, Label: "l\u202el<script>" + string(someFolder(r)), Stopped: r.IntN(5) == 0,
			Devices: []bep.Device{{ID: us, IndexID: bep.IndexID(r.Uint64())}, {ID: from, IndexID: bep.IndexID(r.Uint64()), MaxSequence: r.Int64()}},
		})
	}
	return cc
}

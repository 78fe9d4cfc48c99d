package engine

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/peer"
	"lanyard/sync/status"
)

// ears are Addresses of a test that also hear devices.
type ears struct {
	mu    sync.Mutex
	deaf  bool
	heard []device.ID
	where map[device.ID][]string
}

func (e *ears) Candidates(dev device.ID) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.where[dev]
}

func (e *ears) Succeeded(device.ID, string)     {}
func (e *ears) Failed(device.ID, string, error) {}
func (e *ears) Seen(device.ID, string)          {}
func (e *ears) Changed() <-chan device.ID       { return nil }

func (e *ears) Listens() bool { return !e.deaf }

func (e *ears) Heard(dev device.ID) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Contains(e.heard, dev)
}

// asksAll asks the connected devices until so many have answered.
func (n *node) asksAll(want int) []Hearing {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), patience)
	defer cancel()
	got := n.Hearings(ctx)
	if len(got) != want {
		n.t.Fatalf("%d answered, want %d: %+v", len(got), want, got)
	}
	return got
}

// a asks b what it sees of c, which is in a folder with both, and of d, which b
// shares another folder with.
func TestAConnectedDeviceSaysWhomItSees(t *testing.T) {
	a, b, c, d := describedNode(t, "a"), describedNode(t, "b"), describedNode(t, "c"), describedNode(t, "d")
	hears := &ears{where: map[device.ID][]string{}}
	b.addresses = hears
	for _, n := range []*node{a, b, c, d} {
		startNode(t, n)
	}
	b.shares(photos, a, c)
	b.shares("other", c, d)
	a.shares(photos, b, c)
	c.shares(photos, a, b)
	for _, other := range []*node{a, c, d} {
		other.knows(b)
		b.knows(other)
		b.awaitConnected(other, true)
	}
	a.want(func(w *Desired) { // it knows their IDs, and not where they are
		w.Devices = append(w.Devices, DeviceSpec{ID: c.id, Name: "c"}, DeviceSpec{ID: d.id, Name: "d"})
	})
	a.awaitConnected(b, true)
	a.await("c and d are known", func(s status.Snapshot) bool { return len(s.Devices) == 3 })

	h := a.asksAll(1)[0]
	if h.By != b.id || !h.Listens || h.Us {
		t.Errorf("it answers %+v, want that it listens and has not heard us", h)
	}
	if len(h.Devices) != 1 || h.Devices[c.id] != (Sight{Connected: true}) {
		t.Errorf("it says %+v, want of c that it is connected, and nothing of d", h.Devices)
	}
	hears.mu.Lock()
	hears.heard = []device.ID{a.id, c.id, d.id}
	hears.mu.Unlock()
	c.stop()
	b.awaitConnected(c, false)
	h = a.asksAll(1)[0]
	if !h.Us || len(h.Devices) != 1 || h.Devices[c.id] != (Sight{Heard: true}) {
		t.Errorf("it answers %+v, want that it has heard us and c", h)
	}
}

func TestADeviceThatDoesNotListenSaysSo(t *testing.T) {
	a, b := connectedPair(t)
	h := a.asksAll(1)[0]
	if h.By != b.id || h.Listens || h.Us || len(h.Devices) > 0 {
		t.Errorf("it answers %+v", h)
	}
	b.stop()
	a.awaitConnected(b, false)
	a.asksAll(0)
}

// told is a wire that hands over the extension messages sent.
type told struct {
	silent
	got chan *bep.Extension
}

func (w told) Send(f peer.Frame) {
	if m, ok := f.Message.(*bep.Extension); ok && m.Type == typeHeard {
		w.got <- m
	}
	w.silent.Send(f)
}

func TestADeviceIsAskedAgainOnTheConnectionThatReplacesItsFirst(t *testing.T) {
	a, b := strangers(t)
	attach := func() (told, *peer.Peer) {
		w := told{got: make(chan *bep.Extension, 4)}
		return w, a.Attach(Link{ID: b.id, Hello: bep.Hello{DeviceName: "b"}, Wire: w, Extended: true})
	}
	first, p := attach()
	a.awaitConnected(b, true)
	heard := make(chan []Hearing, 1)
	go func() { heard <- a.Hearings(t.Context()) }()
	asked := <-first.got
	p.Lost(nil) // with the question
	second, p := attach()
	again := <-second.got
	if !bytes.Equal(again.Body, asked.Body) {
		t.Error("the second question is another one")
	}
	m, err := readHeard(again.Body)
	if err != nil {
		t.Fatal(err)
	}
	answer := appendTrue(appendBytes(nil, fieldTo, m.ask), fieldListens, true)
	for range 2 { // the second is too much, and does no harm
		if err := (host{a.Engine}).Told(p, &bep.Extension{Type: typeHeard, Body: answer}); err != nil {
			t.Fatal(err)
		}
	}
	if got := <-heard; len(got) != 1 || got[0].By != b.id || !got[0].Listens {
		t.Errorf("it is heard as %+v", got)
	}
}

func TestHeardMessagesThatAreRefused(t *testing.T) {
	salt := make([]byte, saltBytes)
	ask, to := appendBytes(nil, fieldAsk, salt), appendBytes(nil, fieldTo, salt)
	many := slices.Clone(ask)
	for range maxAsked + 1 {
		many = appendBytes(many, fieldAbout, salt)
	}
	for name, body := range map[string][]byte{
		"empty":           {},
		"a short salt":    appendBytes(nil, fieldAsk, salt[:5]),
		"both":            slices.Concat(ask, to),
		"half of both":    slices.Concat(to, appendBytes(nil, fieldAsk, salt[:5])),
		"cut off":         ask[:5],
		"too many":        many,
		"a broken sight":  slices.Concat(to, appendBytes(nil, fieldSight, []byte{0x0a, 9})),
		"a broken number": slices.Concat(to, []byte{0x20, 0xff}),
	} {
		if m, err := readHeard(body); !errors.Is(err, errHeard) {
			t.Errorf("%s: read as %+v (%v)", name, m, err)
		}
	}
	if m, err := readHeard(slices.Concat(ask, []byte{0x78, 5})); err != nil || m.ask == nil || len(m.about) > 0 {
		t.Errorf("a question with a field of a later version: %+v, %v", m, err)
	}
}

func FuzzHeard(f *testing.F) {
	salt := make([]byte, saltBytes)
	f.Add(appendBytes(appendBytes(nil, fieldAsk, salt), fieldAbout, heardTag(salt, device.ID{1})))
	f.Add(appendBytes(appendBytes(nil, fieldTo, salt), fieldSight, appendTrue(appendBytes(nil, fieldSightTag, salt), fieldSightHeard, true)))
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := readHeard(b); err == nil && (m.ask == nil) == (m.to == nil) {
			t.Errorf("%+v", m)
		}
	})
}

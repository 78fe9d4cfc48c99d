package peer

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/relpath"
)

// side is one of two devices that talk about one folder: its index, what it
// holds of the other's, and the conversation that runs now.
type side struct {
	id      device.ID
	other   *side
	session *Session

	indexID bep.IndexID
	next    int64            // last sequence given
	own     map[string]int64 // name to sequence: an entry appears once
	heldID  bep.IndexID
	held    map[string]int64
	heldMax int64
	shared  bool
	paused  bool

	wire []bep.Message // from the other, in order
	work []func()      // reads, stores and the like, in order
	lost error         // a Drop, never expected
}

const shared = bep.FolderID("photos")

// local is the folder as our ClusterConfig tells it.
func (d *side) local() []LocalFolder {
	if !d.shared {
		return nil
	}
	return []LocalFolder{{
		ID: shared, Paused: d.paused, IndexID: d.indexID, Sequence: d.next,
		Devices: []bep.Device{{ID: d.other.id, IndexID: d.heldID, MaxSequence: d.heldMax}},
	}}
}

// pair is two sides, a clock, and a wire that loses nothing until it is cut.
type pair struct {
	now   time.Time
	sides [2]*side
	ids   bep.IndexID
}

func newPair() *pair {
	p := &pair{now: virtualStart}
	p.sides[0], p.sides[1] = p.newSide(ourID), p.newSide(theirID)
	p.sides[0].other, p.sides[1].other = p.sides[1], p.sides[0]
	p.connect()
	return p
}

func (p *pair) newSide(id device.ID) *side {
	return &side{id: id, indexID: p.newIndexID(), own: map[string]int64{}, held: map[string]int64{}, shared: true}
}

func (p *pair) newIndexID() bep.IndexID {
	p.ids++
	return p.ids
}

func (p *pair) connect() {
	for _, d := range p.sides {
		d.wire, d.work = nil, nil
		d.session = NewSession(d.id, d.other.id, p.now)
	}
	for _, d := range p.sides {
		p.step(d, Configure{d.local()})
	}
}

// cut ends both conversations: what is on the wire is lost, what was handed to
// the store is stored.
func (p *pair) cut() {
	for _, d := range p.sides {
		p.step(d, Ended{errors.New("cut")})
		for len(d.work) > 0 {
			p.doWork(d)
		}
	}
	p.connect()
}

func (p *pair) doWork(d *side) {
	f := d.work[0]
	d.work = d.work[1:]
	f()
}

func (p *pair) step(d *side, ev Event) {
	for _, e := range slices.Clone(d.session.Step(p.now, ev)) {
		p.effect(d, e)
	}
}

func (p *pair) effect(d *side, e Effect) {
	queue := func(f func()) { d.work = append(d.work, f) }
	switch e := e.(type) {
	case Send:
		d.other.wire = append(d.other.wire, e.Message)
	case SendPage:
		d.other.wire = append(d.other.wire, e.Message)
		session := d.session
		queue(func() {
			if d.session == session {
				p.step(d, PageSent{e.Message.Folder})
			}
		})
	case ReadPage:
		session := d.session
		queue(func() {
			page := d.page(e)
			if d.session == session {
				p.step(d, page)
			}
		})
	case Reset:
		queue(func() {
			if d.shared {
				d.heldID, d.heldMax, d.held = e.IndexID, 0, map[string]int64{}
			}
		})
	case Store:
		queue(func() { d.store(e.Index) })
	case WentBack:
		queue(func() {
			if e.IndexID == d.indexID {
				d.indexID = p.newIndexID()
			}
			p.step(d, Configure{d.local()})
		})
	case Drop:
		d.lost = e.Err
	}
}

const pageLimit = 3

func (d *side) page(e ReadPage) Page {
	page := Page{Folder: e.Folder, Start: e.Start, Through: e.After}
	names := slices.SortedFunc(maps.Keys(d.own), func(a, b string) int { return int(d.own[a] - d.own[b]) })
	for _, name := range names {
		seq := d.own[name]
		if seq <= e.After {
			continue
		}
		if len(page.Files) == pageLimit {
			page.More = true
			break
		}
		page.Files = append(page.Files, bep.FileInfo{Name: relpath.MustParse(name), Sequence: seq})
		page.Through = seq
	}
	return page
}

func (d *side) store(m *bep.Index) {
	if !d.shared {
		return
	}
	for _, f := range m.Files {
		d.held[f.Name.String()] = f.Sequence
		d.heldMax = max(d.heldMax, f.Sequence)
	}
}

// change gives a name a new sequence.
func (p *pair) change(d *side, name string) {
	d.next++
	d.own[name] = d.next
	p.step(d, Changed{shared})
}

// restore is a device that came back with an older index under the same ID.
func (p *pair) restore(d *side, back int64) {
	d.next = max(0, d.next-back)
	maps.DeleteFunc(d.own, func(_ string, seq int64) bool { return seq > d.next })
	p.cut()
}

func (p *pair) share(d *side, yes bool) {
	if !yes {
		d.heldID, d.heldMax, d.held = 0, 0, map[string]int64{}
	}
	d.shared = yes
	p.step(d, Configure{d.local()})
}

func (p *pair) pause(d *side, yes bool) {
	d.paused = yes
	p.step(d, Configure{d.local()})
}

func (p *pair) renew(d *side) {
	d.indexID = p.newIndexID()
	p.step(d, Configure{d.local()})
}

// settle lets both talk until neither has anything to say but pings.
func (p *pair) settle(t *rapid.T) {
	quiet := 0
	for range 10_000 {
		busy := false
		for _, d := range p.sides {
			if len(d.work) > 0 {
				p.doWork(d)
				busy = true
			}
			if p.receive(d) {
				busy = true
			}
		}
		if busy {
			quiet = 0
			continue
		}
		if quiet++; quiet > 3 {
			return
		}
		p.now = p.now.Add(indexPause)
		for _, d := range p.sides {
			p.step(d, Tick{})
		}
	}
	t.Fatal("the two never come to rest")
}

func (p *pair) receive(d *side) bool {
	if len(d.wire) == 0 {
		return false
	}
	m := d.wire[0]
	d.wire = d.wire[1:]
	p.step(d, Received{m})
	return true
}

// TestBothEndWithEachOthersIndex lets two devices change, share, pause, renew,
// lose their memory and lose each other in any order. Whatever happened, once
// both share the folder and are left alone each holds exactly the other's
// index, under its ID, and nobody broke the protocol.
func TestBothEndWithEachOthersIndex(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := newPair()
		one := func(t *rapid.T) *side { return p.sides[rapid.IntRange(0, 1).Draw(t, "side")] }
		t.Repeat(map[string]func(*rapid.T){
			"change":  func(t *rapid.T) { p.change(one(t), fmt.Sprintf("n%d", rapid.IntRange(0, 9).Draw(t, "name"))) },
			"work":    func(t *rapid.T) { p.workOnce(t, one(t)) },
			"receive": func(t *rapid.T) { p.receiveOnce(t, one(t)) },
			"later": func(t *rapid.T) {
				p.now = p.now.Add(rapid.SampledFrom([]time.Duration{time.Millisecond, indexPause, time.Second}).Draw(t, "time"))
				for _, d := range p.sides {
					p.step(d, Tick{})
				}
			},
			"cut":     func(*rapid.T) { p.cut() },
			"renew":   func(t *rapid.T) { p.renew(one(t)) },
			"share":   func(t *rapid.T) { p.share(one(t), rapid.Bool().Draw(t, "yes")) },
			"pause":   func(t *rapid.T) { p.pause(one(t), rapid.Bool().Draw(t, "yes")) },
			"restore": func(t *rapid.T) { p.restore(one(t), rapid.Int64Range(1, 5).Draw(t, "back")) },
			"":        func(t *rapid.T) { p.neverDrops(t) },
		})
		p.atEnd(t)
	})
}

func (p *pair) workOnce(t *rapid.T, d *side) {
	if len(d.work) == 0 {
		t.Skip("nothing to do")
	}
	p.doWork(d)
}

func (p *pair) receiveOnce(t *rapid.T, d *side) {
	if !p.receive(d) {
		t.Skip("nothing on the wire")
	}
}

func (p *pair) neverDrops(t *rapid.T) {
	for _, d := range p.sides {
		if d.lost != nil {
			t.Fatalf("%v ended the connection: %v", d.id.Short(), d.lost)
		}
	}
}

func (p *pair) atEnd(t *rapid.T) {
	for _, d := range p.sides {
		if !d.shared {
			p.share(d, true)
		}
		if d.paused {
			p.pause(d, false)
		}
	}
	p.settle(t)
	p.neverDrops(t)
	for _, d := range p.sides {
		if d.heldID != d.other.indexID || !maps.Equal(d.held, d.other.own) {
			t.Fatalf("%v holds index %d: %v\nthe other's is %d: %v", d.id.Short(), d.heldID, d.held, d.other.indexID, d.other.own)
		}
	}
}

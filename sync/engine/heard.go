package engine

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/peer"
)

// Hearing is what another device answered that was asked whom it hears.
type Hearing struct {
	By device.ID
	// Listens: it looks for devices on the network. What it has not heard says
	// nothing where it does not.
	Listens bool
	// Us is whether it heard this device's announcements of late.
	Us bool
	// Devices are those of ours of which it says something.
	Devices map[device.ID]Sight
}

// Sight is how one device sees another.
type Sight struct {
	Connected bool
	Heard     bool // announced on the network of late
}

// Listening is what Addresses may also know: whether devices are heard here.
type Listening interface {
	// Listens reports whether devices are looked for on the network.
	Listens() bool
	// Heard reports whether a device was announced here of late.
	Heard(dev device.ID) bool
}

// typeHeard is the message in which a device asks whom another one hears, and in
// which that one answers.
const typeHeard bep.MessageType = 69

// Fields of the message. A question has a salt and tags, an answer the salt of
// the question and what it says.
const (
	fieldAsk     protowire.Number = 1 // salt of a question, 16 bytes
	fieldAbout   protowire.Number = 2 // one tag for each device that is asked about
	fieldTo      protowire.Number = 3 // salt of the question that is answered
	fieldListens protowire.Number = 4 // true
	fieldYou     protowire.Number = 5 // true: the one that asks was heard
	fieldSight   protowire.Number = 6 // one for each device that something is said of

	fieldSightTag       protowire.Number = 1
	fieldSightConnected protowire.Number = 2 // true
	fieldSightHeard     protowire.Number = 3 // true
)

// maxAsked is how many devices a question is about.
const maxAsked = 256

var errHeard = errors.New("it neither asks nor answers")

func init() { extensions[typeHeard] = (*Engine).toldHeard }

// heardTag stands for a device in one question and its answer: see revokedTag.
func heardTag(salt []byte, id device.ID) []byte {
	h := hmac.New(sha256.New, salt)
	h.Write([]byte("lanyard-heard-1"))
	h.Write(id[:])
	return h.Sum(nil)
}

// question is one that this device asks. The engine's mutex guards it.
type question struct {
	salt    []byte
	about   []device.ID
	body    []byte                // of the message
	asked   map[device.ID]bool    // whose answers are waited for
	answers map[device.ID]Hearing // the first of each
	all     chan struct{}         // closed with the last of them
}

// Hearings asks every connected device that speaks Lanyard's extensions which of
// our other devices it sees, and whether it hears us. It returns when all have
// answered, or when ctx ends, with those that have, in ID order. A device whose
// connection is replaced meanwhile is asked on the new one.
func (e *Engine) Hearings(ctx context.Context) []Hearing {
	q := &question{
		salt: make([]byte, saltBytes), asked: map[device.ID]bool{}, answers: map[device.ID]Hearing{},
		all: make(chan struct{}),
	}
	_, _ = rand.Read(q.salt) // never fails: crypto/rand ends the program instead
	q.body = appendBytes(nil, fieldAsk, q.salt)
	e.mu.Lock()
	for _, d := range e.desired.Devices[:min(len(e.desired.Devices), maxAsked)] {
		q.about = append(q.about, d.ID)
		q.body = appendBytes(q.body, fieldAbout, heardTag(q.salt, d.ID))
	}
	var now []*peer.Peer
	for id, entry := range e.peers {
		if entry.extended && !e.barred[id] {
			q.asked[id] = true
			now = append(now, entry.peer)
		}
	}
	e.questions[q] = true
	e.mu.Unlock()
	for _, p := range now {
		p.Tell(&bep.Extension{Type: typeHeard, Body: q.body})
	}
	if len(now) > 0 {
		select {
		case <-q.all:
		case <-ctx.Done():
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.questions, q)
	var out []Hearing
	for _, id := range sortedKeys(q.answers) {
		out = append(out, q.answers[id])
	}
	return out
}

// askAgain asks a device over its new connection what it was asked over the one
// before, which may have ended before the answer came.
func (e *Engine) askAgain(entry *peerEntry) {
	id := entry.peer.ID()
	e.mu.Lock()
	var open []*question
	for q := range e.questions {
		if _, answered := q.answers[id]; q.asked[id] && !answered {
			open = append(open, q)
		}
	}
	e.mu.Unlock()
	for _, q := range open {
		entry.peer.Tell(&bep.Extension{Type: typeHeard, Body: q.body})
	}
}

// toldHeard takes either form of the message.
func (e *Engine) toldHeard(p *peer.Peer, body []byte) error {
	m, err := readHeard(body)
	switch {
	case err != nil:
		return err
	case m.ask != nil:
		p.Tell(e.hearing(p.ID(), m))
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for q := range e.questions {
		if _, answered := q.answers[p.ID()]; !q.asked[p.ID()] || answered || !bytes.Equal(q.salt, m.to) {
			continue
		}
		h := Hearing{By: p.ID(), Listens: m.listens, Us: m.you, Devices: map[device.ID]Sight{}}
		for _, id := range q.about {
			if s, said := m.sights[string(heardTag(q.salt, id))]; said {
				h.Devices[id] = s
			}
		}
		q.answers[p.ID()] = h
		if len(q.answers) == len(q.asked) {
			close(q.all)
		}
	}
	return nil
}

// hearing answers a device. It says something only of devices that it names, and
// that share a folder with it and us: those it knows from us anyway.
func (e *Engine) hearing(to device.ID, q heardMessage) *bep.Extension {
	listening, _ := e.o.Addresses.(Listening)
	listens := listening != nil && listening.Listens()
	heard := func(id device.ID) bool { return listens && listening.Heard(id) }
	body := appendBytes(nil, fieldTo, q.ask)
	body = appendTrue(body, fieldListens, listens)
	body = appendTrue(body, fieldYou, heard(to))
	for _, id := range e.together(to) {
		tag := heardTag(q.ask, id)
		if !slices.ContainsFunc(q.about, func(asked []byte) bool { return bytes.Equal(asked, tag) }) {
			continue
		}
		sight := appendBytes(nil, fieldSightTag, tag)
		sight = appendTrue(sight, fieldSightConnected, e.peer(id) != nil)
		sight = appendTrue(sight, fieldSightHeard, heard(id))
		body = appendBytes(body, fieldSight, sight)
	}
	return &bep.Extension{Type: typeHeard, Body: body}
}

// together lists the other devices that share a folder with a device and us, in
// order.
func (e *Engine) together(with device.ID) []device.ID {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []device.ID
	for _, f := range e.desired.Folders {
		if slices.Contains(f.Shared, with) {
			out = append(out, f.Shared...)
		}
	}
	slices.SortFunc(out, device.ID.Compare)
	return slices.DeleteFunc(slices.Compact(out), func(id device.ID) bool { return id == with })
}

// heardMessage is the message: a question where ask is there, else an answer.
type heardMessage struct {
	ask, to      []byte
	about        [][]byte
	listens, you bool
	sights       map[string]Sight // by their tags
}

// readHeard reads the message; fields that it does not know are skipped.
func readHeard(b []byte) (heardMessage, error) {
	m := heardMessage{sights: map[string]Sight{}}
	err := eachField(b, func(num protowire.Number, bytes []byte, n uint64) error {
		switch num {
		case fieldAsk:
			m.ask = bytes
		case fieldAbout:
			m.about = append(m.about, bytes)
		case fieldTo:
			m.to = bytes
		case fieldListens:
			m.listens = n != 0
		case fieldYou:
			m.you = n != 0
		case fieldSight:
			var tag []byte
			var s Sight
			err := eachField(bytes, func(num protowire.Number, bytes []byte, n uint64) error {
				switch num {
				case fieldSightTag:
					tag = bytes
				case fieldSightConnected:
					s.Connected = n != 0
				case fieldSightHeard:
					s.Heard = n != 0
				}
				return nil
			})
			m.sights[string(tag)] = s
			return err
		}
		return nil
	})
	asks, answers := len(m.ask) == saltBytes && m.to == nil, len(m.to) == saltBytes && m.ask == nil
	if err != nil || asks == answers || len(m.about) > maxAsked || len(m.sights) > maxAsked {
		return heardMessage{}, errHeard
	}
	return m, nil
}

func appendBytes(b []byte, num protowire.Number, v []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, num, protowire.BytesType), v)
}

// appendTrue appends a field that is left out where it is false.
func appendTrue(b []byte, num protowire.Number, v bool) []byte {
	if !v {
		return b
	}
	return protowire.AppendVarint(protowire.AppendTag(b, num, protowire.VarintType), 1)
}

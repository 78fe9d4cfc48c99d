package pairing

import (
	"crypto/rand"
	"errors"

	"lanyard/sync/device"
	"lanyard/sync/fault"
)

// invitedKeys are the keys of an LQ1 run.
type invitedKeys struct{ fromTaker, fromShower, done, show []byte }

func newInvitedKeys(s Secret, b Binding, shower, taker device.ID) invitedKeys {
	k := derive(s[:], b[:], []byte("LQ1"), shower[:], taker[:])
	return invitedKeys{expand(k, "BtoA"), expand(k, "AtoB"), expand(k, "done"), expand(k, "show")}
}

// helloTag proves that the taker knows the secret, on this channel.
func (k invitedKeys) helloTag(shower, taker device.ID, nonce, name []byte) []byte {
	return tag(k.fromTaker, []byte("B"), shower[:], taker[:], nonce, appendField(nil, name))
}

// answerTag proves the same of the shower, to whoever sent just this hello.
func (k invitedKeys) answerTag(shower, taker device.ID, hello, nonce, name []byte) []byte {
	return tag(k.fromShower, []byte("A"), shower[:], taker[:], appendField(nil, hello), nonce, appendField(nil, name))
}

// Reasons why an invitation is not accepted: what Spend is answered with.
var (
	ErrExpired = fault.New(fault.Peer, "code-expired", "the code has expired")
	ErrUsed    = fault.New(fault.Peer, "code-used-twice", "the code was used before")
)

// errNoYes is our own person's no.
var errNoYes = fault.New(fault.Item, "", "it was declined here, and nothing was stored")

// nonce draws 32 random bytes.
func nonce() []byte {
	b := make([]byte, sum)
	rand.Read(b) // never fails
	return b
}

// Shower is the side of LQ1 that shows the invitation.
type Shower struct {
	run
	keys  invitedKeys
	nonce []byte
	state showerState
}

type showerState int

const (
	showerWaits    showerState = iota // for the hello
	showerSpends                      // the invitation is being marked as used
	showerAsks                        // our person is asked
	showerStores                      // the taker is being stored as pending
	showerAnswered                    // the answer is on its way
	showerConfirms                    // the taker is being stored
)

// NewShower returns the Machine of the device that showed the secret, for a
// connection that came in. name is what it is called.
func NewShower(ch Channel, s Secret, name string) (*Shower, error) {
	return &Shower{
		run: run{ch: ch, name: name}, nonce: nonce(), keys: newInvitedKeys(s, ch.Binding, ch.Self, ch.Peer),
	}, checkEnds(ch)
}

// Start waits.
func (s *Shower) Start() []Effect { return nil }

// Step is Machine's.
func (s *Shower) Step(e Event) []Effect {
	if s.ended {
		return nil
	}
	switch e := e.(type) {
	case received:
		switch {
		case s.state == showerWaits && e.kind == msgHello:
			return s.took(e.message)
		case s.state == showerAnswered && e.kind == msgDone:
			return s.done(e.message)
		}
	case Spent:
		if s.state == showerSpends {
			return s.spent(e.Err)
		}
	case Answered:
		if s.state == showerAsks {
			return s.answered(e.Yes)
		}
	case Saved:
		return s.saved(e.Err)
	}
	return s.unexpected(e)
}

// took checks that the taker knows the secret. A wrong tag costs the invitation
// nothing: it has 128 bits, and whoever sends junk must not be able to kill it.
func (s *Shower) took(m message) []Effect {
	nonce, got, name := m.fields[0], m.fields[1], m.fields[2]
	if !equal(got, s.keys.helloTag(s.ch.Self, s.ch.Peer, nonce, name)) {
		return s.end(errBroken("it does not know the code"))
	}
	s.peerName = string(name)
	s.transcript = append(s.transcript, m.raw...)
	s.state = showerSpends
	return []Effect{Spend{}}
}

func (s *Shower) spent(err error) []Effect {
	switch {
	case errors.Is(err, ErrUsed):
		return s.refuse(refusedUsed, err)
	case errors.Is(err, ErrExpired):
		return s.refuse(refusedExpired, err)
	case err != nil:
		return s.refuse(refusedBusy, err)
	}
	s.state = showerAsks
	return []Effect{Ask{s.question(digits(s.keys.show, sixDigits))}}
}

func (s *Shower) answered(yes bool) []Effect {
	if !yes {
		return s.refuse(refusedByPerson, errNoYes)
	}
	s.state = showerStores
	return []Effect{s.save(true)}
}

func (s *Shower) saved(err error) []Effect {
	switch {
	case s.state == showerStores && err != nil:
		return s.refuse(refusedFailed, err)
	case s.state == showerStores:
		s.state = showerAnswered
		proof := s.keys.answerTag(s.ch.Self, s.ch.Peer, s.transcript, s.nonce, []byte(s.name))
		return []Effect{s.send(msgAnswer, s.nonce, proof, []byte(s.name))}
	case s.state == showerConfirms:
		return s.end(err)
	}
	return nil
}

func (s *Shower) done(m message) []Effect {
	if !equal(m.fields[0], tag(s.keys.done, s.transcript)) {
		return s.end(errBroken("its last word is wrong"))
	}
	s.state, s.heard = showerConfirms, true
	return []Effect{s.save(false)}
}

// Taker is the side of LQ1 that takes the invitation.
type Taker struct {
	run
	keys  invitedKeys
	nonce []byte
	state takerState
}

type takerState int

const (
	takerWaits  takerState = iota // for the answer
	takerStores                   // the shower is being stored
)

// NewTaker returns the Machine of the device that takes an invitation, over a
// connection that it made. It refuses a connection to any device but the one
// that the invitation names.
func NewTaker(ch Channel, inv Invitation, name string) (*Taker, error) {
	if err := checkEnds(Channel{Self: ch.Self, Peer: inv.ID}); err != nil {
		return nil, err
	}
	if ch.Peer != inv.ID {
		return nil, fault.New(fault.Peer, "", "another device answers than the one that shows the code")
	}
	return &Taker{
		run: run{ch: ch, name: name}, nonce: nonce(), keys: newInvitedKeys(inv.Secret, ch.Binding, ch.Peer, ch.Self),
	}, nil
}

// Start says hello, and shows the digits that the shower's person is asked
// about.
func (t *Taker) Start() []Effect {
	proof := t.keys.helloTag(t.ch.Peer, t.ch.Self, t.nonce, []byte(t.name))
	return []Effect{
		t.send(msgHello, t.nonce, proof, []byte(t.name)),
		Show{t.question(digits(t.keys.show, sixDigits))},
	}
}

// Step is Machine's.
func (t *Taker) Step(e Event) []Effect {
	if t.ended {
		return nil
	}
	switch e := e.(type) {
	case received:
		if t.state == takerWaits && e.kind == msgAnswer {
			return t.answer(e.message)
		}
	case Saved:
		if t.state == takerStores {
			return t.saved(e.Err)
		}
	}
	return t.unexpected(e)
}

func (t *Taker) answer(m message) []Effect {
	nonce, got, name := m.fields[0], m.fields[1], m.fields[2]
	if !equal(got, t.keys.answerTag(t.ch.Peer, t.ch.Self, t.transcript, nonce, name)) {
		return t.end(errBroken("its answer is wrong"))
	}
	t.peerName = string(name)
	t.transcript = append(t.transcript, m.raw...)
	t.state = takerStores
	return []Effect{t.save(false)}
}

func (t *Taker) saved(err error) []Effect {
	if err != nil {
		return t.refuse(refusedFailed, err)
	}
	return t.end(nil, Send{encode(msgDone, tag(t.keys.done, t.transcript))})
}

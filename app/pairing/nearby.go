package pairing

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"math/big"
	"slices"

	"lanyard/sync/fault"
)

// nearby is what both sides of LN1 share. ours and theirs are the nonces.
type nearby struct {
	run
	modulus      uint64 // of the code: sixDigits but in tests
	ours, theirs []byte
	key          []byte
	code         string
	agreed       bool   // our person said yes
	tag          []byte // of the other side's yes, once it came
}

// commitment fixes the initiator's nonce and name before it sees the other's.
func commitment(i, r [32]byte, b Binding, nonce, name []byte) []byte {
	h := sha256.New()
	for _, part := range [][]byte{[]byte("LN1-commit"), i[:], r[:], b[:], nonce, appendField(nil, name)} {
		h.Write(part)
	}
	return h.Sum(nil)
}

// codeKey is the key that the code and both sides' tags come from.
func codeKey(i, r [32]byte, b Binding, nonceI, nonceR, nameI, nameR []byte) []byte {
	return derive(slices.Concat(nonceI, nonceR), b[:],
		[]byte("LN1"), i[:], r[:], appendField(nil, nameI), appendField(nil, nameR))
}

func (n *nearby) haveKey(key []byte) {
	n.key = key
	n.code = digits(expand(key, "code"), n.modulus)
}

// agreeTag is a side's yes; who is "I" or "R".
func (n *nearby) agreeTag(who string) []byte { return tag(expand(n.key, who), []byte("ok")) }

// errDiffer is what differing digits are.
func errDiffer() error {
	return fault.New(fault.Peer, "digits-differ", "the numbers differ, so nothing was connected")
}

// Mismatch reports whether a run ended because both sides showed, or would have
// shown, different things: what an attacker causes.
func Mismatch(err error) bool { return fault.CodeOf(err) == "digits-differ" }

// Initiator is the side of LN1 that chose the other.
type Initiator struct {
	nearby
	state initiatorState
}

type initiatorState int

const (
	initiatorCommitted initiatorState = iota // the commitment is sent
	initiatorCounts                          // the nonce came
	initiatorAsks                            // our person compares
	initiatorAgreed                          // our yes is sent
	initiatorStores                          // the other is being stored
)

// NewInitiator returns the Machine of the device whose person chose the other.
func NewInitiator(ch Channel, name string) (*Initiator, error) {
	return &Initiator{nearby: nearby{run: run{ch: ch, name: name}, modulus: sixDigits, ours: nonce()}}, checkEnds(ch)
}

// Start commits.
func (i *Initiator) Start() []Effect {
	c := commitment(i.ch.Self, i.ch.Peer, i.ch.Binding, i.ours, []byte(i.name))
	return []Effect{i.send(msgCommit, c, []byte(i.name))}
}

// Step is Machine's.
func (i *Initiator) Step(e Event) []Effect {
	if i.ended {
		return nil
	}
	switch e := e.(type) {
	case received:
		switch {
		case i.state == initiatorCommitted && e.kind == msgNonce:
			return i.nonceCame(e.message)
		case i.state >= initiatorAsks && i.tag == nil && e.kind == msgAgree:
			return i.agreeCame(e.message)
		}
	case Counted:
		if i.state == initiatorCounts {
			return i.countedNow(e.Err)
		}
	case Answered:
		if i.state == initiatorAsks {
			return i.answered(e)
		}
	case Saved:
		if i.state == initiatorStores {
			return i.saved(e.Err)
		}
	}
	return i.unexpected(e)
}

func (i *Initiator) nonceCame(m message) []Effect {
	if equal(m.fields[0], i.ours) {
		return i.end(errBroken("it sends our own number back"))
	}
	i.theirs, i.peerName = m.fields[0], string(m.fields[1])
	i.transcript = append(i.transcript, m.raw...)
	i.state = initiatorCounts
	return []Effect{Count{}}
}

func (i *Initiator) countedNow(err error) []Effect {
	if err != nil {
		return i.refuse(uncounted(err), err)
	}
	i.haveKey(codeKey(i.ch.Self, i.ch.Peer, i.ch.Binding, i.ours, i.theirs, []byte(i.name), []byte(i.peerName)))
	i.state = initiatorAsks
	q := i.question(i.code)
	q.Choices = choices(i.code, i.modulus)
	return []Effect{i.send(msgReveal, i.ours), Ask{q}}
}

// choices hides a code among two others.
func choices(code string, modulus uint64) []string {
	out := []string{code}
	for len(out) < 3 {
		n := draw(modulus)
		if other := fmt.Sprintf("%03d %03d", n/1000, n%1000); !slices.Contains(out, other) {
			out = append(out, other)
		}
	}
	at := draw(3)
	out[0], out[at] = out[at], out[0]
	return out
}

func draw(below uint64) uint64 {
	n, err := rand.Int(rand.Reader, new(big.Int).SetUint64(below))
	if err != nil {
		panic(err) // the reader never fails
	}
	return n.Uint64()
}

func (i *Initiator) answered(a Answered) []Effect {
	if !a.Yes || a.Code != "" && a.Code != i.code {
		return i.refuse(refusedDifferent, errDiffer())
	}
	i.agreed = true
	i.state = initiatorAgreed
	return append([]Effect{i.send(msgAgree, i.agreeTag("I"))}, i.conclude()...)
}

func (i *Initiator) agreeCame(m message) []Effect {
	if !equal(m.fields[0], i.agreeTag("R")) {
		return i.refuse(refusedDifferent, errDiffer())
	}
	i.tag = m.raw
	return i.conclude()
}

// conclude stores the other device once both sides agreed, never before.
func (i *Initiator) conclude() []Effect {
	if !i.agreed || i.tag == nil {
		return nil
	}
	i.transcript = append(i.transcript, i.tag...)
	i.state = initiatorStores
	return []Effect{i.save(false)}
}

func (i *Initiator) saved(err error) []Effect {
	if err != nil {
		return i.refuse(refusedFailed, err)
	}
	return i.end(nil, Send{encode(msgDone, tag(expand(i.key, "done"), i.transcript))})
}

// Responder is the side of LN1 that was chosen.
type Responder struct {
	nearby
	state     responderState
	committed []byte
	anything  bool // tests only: commitments are not checked
}

type responderState int

const (
	responderWaits    responderState = iota // for the commitment
	responderCounts                         // it came
	responderAnswered                       // our nonce is sent
	responderAsks                           // our person compares
	responderStores                         // the other is being stored as pending
	responderAgreed                         // our yes is sent
	responderConfirms                       // the other is being stored
)

// NewResponder returns the Machine of the device that was chosen, for a
// connection that came in.
func NewResponder(ch Channel, name string) (*Responder, error) {
	return &Responder{nearby: nearby{run: run{ch: ch, name: name}, modulus: sixDigits, ours: nonce()}}, checkEnds(ch)
}

// Start waits.
func (r *Responder) Start() []Effect { return nil }

// Step is Machine's.
func (r *Responder) Step(e Event) []Effect {
	if r.ended {
		return nil
	}
	switch e := e.(type) {
	case received:
		switch {
		case r.state == responderWaits && e.kind == msgCommit:
			return r.commitCame(e.message)
		case r.state == responderAnswered && e.kind == msgReveal:
			return r.revealed(e.message)
		case r.state == responderAsks && r.tag == nil && e.kind == msgAgree:
			return r.agreeCame(e.message)
		case r.state == responderAgreed && e.kind == msgDone:
			return r.done(e.message)
		}
	case Counted:
		if r.state == responderCounts {
			return r.countedNow(e.Err)
		}
	case Answered:
		if r.state == responderAsks && !r.agreed {
			return r.answered(e.Yes)
		}
	case Saved:
		return r.saved(e.Err)
	}
	return r.unexpected(e)
}

func (r *Responder) commitCame(m message) []Effect {
	r.committed, r.peerName = m.fields[0], string(m.fields[1])
	r.transcript = append(r.transcript, m.raw...)
	r.state = responderCounts
	return []Effect{Count{}}
}

func (r *Responder) countedNow(err error) []Effect {
	if err != nil {
		return r.refuse(uncounted(err), err)
	}
	r.state = responderAnswered
	return []Effect{r.send(msgNonce, r.ours, []byte(r.name))}
}

// revealed checks the initiator's nonce against what it committed to. From here
// on the code is fixed, by a choice that neither side could make with
// knowledge of the other's.
func (r *Responder) revealed(m message) []Effect {
	r.theirs = m.fields[0]
	if equal(r.theirs, r.ours) {
		return r.end(errBroken("it sends our own number back"))
	}
	c := commitment(r.ch.Peer, r.ch.Self, r.ch.Binding, r.theirs, []byte(r.peerName))
	if !equal(c, r.committed) && !r.anything {
		return r.refuse(refusedDifferent, errDiffer())
	}
	r.transcript = append(r.transcript, m.raw...)
	r.haveKey(codeKey(r.ch.Peer, r.ch.Self, r.ch.Binding, r.theirs, r.ours, []byte(r.peerName), []byte(r.name)))
	r.state = responderAsks
	return []Effect{Ask{r.question(r.code)}}
}

func (r *Responder) answered(yes bool) []Effect {
	if !yes {
		return r.refuse(refusedDifferent, errDiffer())
	}
	r.agreed = true
	return r.conclude()
}

func (r *Responder) agreeCame(m message) []Effect {
	if !equal(m.fields[0], r.agreeTag("I")) {
		return r.refuse(refusedDifferent, errDiffer())
	}
	r.tag = m.raw
	return r.conclude()
}

// conclude stores the other device as pending once both sides agreed, never
// before; our yes follows.
func (r *Responder) conclude() []Effect {
	if !r.agreed || r.tag == nil {
		return nil
	}
	r.transcript = append(r.transcript, r.tag...)
	r.state = responderStores
	return []Effect{r.save(true)}
}

func (r *Responder) saved(err error) []Effect {
	switch {
	case r.state == responderStores && err != nil:
		return r.refuse(refusedFailed, err)
	case r.state == responderStores:
		r.state = responderAgreed
		return []Effect{r.send(msgAgree, r.agreeTag("R"))}
	case r.state == responderConfirms:
		return r.end(err)
	}
	return nil
}

func (r *Responder) done(m message) []Effect {
	if !equal(m.fields[0], tag(expand(r.key, "done"), r.transcript)) {
		return r.end(errBroken("its last word is wrong"))
	}
	r.state, r.heard = responderConfirms, true
	return []Effect{r.save(false)}
}

package pairing

import (
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/fault"
)

// Machine is one side of a run. After Ended it gives no more effects.
type Machine interface {
	// Start gives the first effects.
	Start() []Effect
	// Step takes an event and gives what is to be done, in order.
	Step(Event) []Effect
}

// PendingFor is how long a device that is stored as pending waits for the last
// word that makes it a peer.
const PendingFor = 10 * time.Minute

// Event is something that happened to a run.
type Event interface{ event() }

type (
	// received is a message of the other side.
	received struct{ message }
	// Spent answers Spend: the invitation was marked as used, or the reason
	// why not.
	Spent struct{ Err error }
	// Counted answers Count: the run is allowed, or the reason why not.
	Counted struct{ Err error }
	// Answered is what our person said to a question.
	Answered struct {
		Yes bool
		// Code is the one that the person chose, where the question had choices.
		Code string
	}
	// Saved answers Save.
	Saved struct{ Err error }
	// Lost ends a run from outside: the connection is gone, or time is up.
	Lost struct{ Err error }
)

func (received) event() {}
func (Spent) event()    {}
func (Counted) event()  {}
func (Answered) event() {}
func (Saved) event()    {}
func (Lost) event()     {}

// Effect is something to be done for a run.
type Effect interface{ effect() }

type (
	// Send sends bytes to the other side.
	Send struct{ Bytes []byte }
	// Spend marks the invitation as used; Spent answers.
	Spend struct{}
	// Count counts the run against the limits; Counted answers.
	Count struct{}
	// Show shows what the other side is asked.
	Show struct{ Question }
	// Ask asks our person; Answered answers.
	Ask struct{ Question }
	// Save stores the other device, durably; Saved answers. A pending one is
	// no peer yet, and is dropped after PendingFor.
	Save struct {
		ID      device.ID
		Name    string
		Pending bool
	}
	// Ended ends the run; a nil Err means that the devices are paired.
	Ended struct{ Err error }
)

func (Send) effect()  {}
func (Spend) effect() {}
func (Count) effect() {}
func (Show) effect()  {}
func (Ask) effect()   {}
func (Save) effect()  {}
func (Ended) effect() {}

// Question is what a person decides on.
type Question struct {
	ID   device.ID
	Name string // cleaned for showing; the other device's own word
	Code string // six digits, "123 456", which both sides show
	// Choices are three codes of which one is right, in an order of chance:
	// whoever has to choose has compared. Nil where yes or no is enough.
	Choices []string
}

// run is what both methods share.
type run struct {
	ch    Channel
	name  string
	ended bool
	heard bool // the other side is done: nothing that it does matters any more

	peerName   string // as sent
	transcript []byte
}

// end ends the run, with effects that come before.
func (r *run) end(err error, before ...Effect) []Effect {
	r.ended = true
	return append(before, Ended{err})
}

// refuse ends the run by our own choice.
func (r *run) refuse(why reason, err error) []Effect { return r.end(err, why.send()) }

func (r *run) send(kind messageType, fields ...[]byte) Effect {
	b := encode(kind, fields...)
	r.transcript = append(r.transcript, b...)
	return Send{b}
}

// unexpected ends a run in which something comes that has no place there.
func (r *run) unexpected(e Event) []Effect {
	if r.heard {
		return nil
	}
	switch e := e.(type) {
	case Lost:
		return r.end(e.Err)
	case received:
		if e.kind == msgRefuse {
			return r.end(reason(e.fields[0][0]).err())
		}
		return r.end(errBroken("a message comes out of its turn"))
	}
	return nil
}

func (r *run) question(code string) Question {
	return Question{ID: r.ch.Peer, Name: bep.CleanName(r.peerName), Code: code}
}

func (r *run) save(pending bool) Effect {
	return Save{ID: r.ch.Peer, Name: bep.CleanName(r.peerName), Pending: pending}
}

// checkEnds refuses to pair a device with itself.
func checkEnds(ch Channel) error {
	if ch.Self == ch.Peer {
		return fault.New(fault.Item, "pairing-self", "this is the code of this computer")
	}
	return nil
}

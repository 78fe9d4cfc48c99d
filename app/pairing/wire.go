package pairing

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"

	"lanyard/sync/fault"
)

// Labels of the exported key material that is a method's Binding (RFC 5705).
const (
	LabelInvitation = "EXPORTER-lanyard-qr-v1"
	LabelNearby     = "EXPORTER-lanyard-sas-v1"
)

// Limits of what one side may send.
const (
	maxName   = 256     // bytes of a device's name, before it is cleaned for showing
	maxStream = 4 << 10 // bytes of all messages of one side
)

type messageType byte

const (
	msgHello messageType = iota + 1
	msgAnswer
	msgDone
	msgCommit
	msgNonce
	msgReveal
	msgAgree
	msgRefuse
)

const (
	sum   = 32 // a nonce, an ID, a hash or a tag
	label = -1 // a name: of variable length
)

// layouts gives the fields of each message by their lengths.
var layouts = map[messageType][]int{
	msgHello:  {sum, sum, label}, // nonce, tag, name
	msgAnswer: {sum, sum, label}, // nonce, tag, name
	msgDone:   {sum},             // tag
	msgCommit: {sum, label},      // commitment, name
	msgNonce:  {sum, label},      // nonce, name
	msgReveal: {sum},             // nonce
	msgAgree:  {sum},             // tag
	msgRefuse: {1},               // reason
}

// message is a decoded message; raw is all of it.
type message struct {
	kind   messageType
	fields [][]byte
	raw    []byte
}

// encode makes a message.
func encode(kind messageType, fields ...[]byte) []byte {
	out := []byte{byte(kind)}
	for i, f := range fields {
		if layouts[kind][i] == label {
			out = appendField(out, f)
		} else {
			out = append(out, f...)
		}
	}
	return out
}

// appendField appends a field of variable length.
func appendField(b, field []byte) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(field))), field...)
}

// read reads one message and no byte beyond it. left is how much the other
// side may still send, and is lowered.
func read(r io.Reader, left *int) (message, error) {
	m := message{}
	take := func(n int) ([]byte, error) {
		if *left -= n; *left < 0 {
			return nil, errBroken("it sends more than a pairing takes")
		}
		at := len(m.raw)
		m.raw = append(m.raw, make([]byte, n)...)
		if _, err := io.ReadFull(r, m.raw[at:]); err != nil {
			return nil, fault.Wrap(fault.Retry, "", "read the other device's message", "", err)
		}
		return m.raw[at:], nil
	}
	kind, err := take(1)
	if err != nil {
		return m, err
	}
	m.kind = messageType(kind[0])
	layout, known := layouts[m.kind]
	if !known {
		return m, errBroken("its message is of an unknown kind")
	}
	var ends []int
	for _, n := range layout {
		if n == label {
			head, err := take(2)
			if err != nil {
				return m, err
			}
			if n = int(binary.BigEndian.Uint16(head)); n > maxName {
				return m, errBroken("its name is too long")
			}
		}
		if _, err := take(n); err != nil {
			return m, err
		}
		ends = append(ends, n, len(m.raw))
	}
	for i := 0; i < len(ends); i += 2 {
		m.fields = append(m.fields, slices.Clip(m.raw[ends[i+1]-ends[i]:ends[i+1]]))
	}
	return m, nil
}

// Method is the way that the other side wants to pair by.
type Method int

// The methods.
const (
	ByInvitation Method = iota + 1
	ByNumber
)

// Begun waits until the other side of a stream has begun a run, and gives by
// which method, and the stream for Run.
func Begun(stream io.ReadWriteCloser) (io.ReadWriteCloser, Method, error) {
	first := make([]byte, 1)
	if _, err := io.ReadFull(stream, first); err != nil {
		return nil, 0, fault.Wrap(fault.Retry, "", "read the other device's message", "", err)
	}
	whole := begun{io.MultiReader(bytes.NewReader(first), stream), stream}
	switch messageType(first[0]) {
	case msgHello:
		return whole, ByInvitation, nil
	case msgCommit:
		return whole, ByNumber, nil
	}
	return nil, 0, errBroken("it begins with a message that begins nothing")
}

// begun is a stream whose first byte was read already.
type begun struct {
	io.Reader
	stream io.ReadWriteCloser
}

func (b begun) Write(p []byte) (int, error) { return b.stream.Write(p) }
func (b begun) Close() error                { return b.stream.Close() }

// reason is why a side ends a run by its own choice.
type reason byte

const (
	refusedByPerson  reason = iota + 1 // somebody said no, or nothing in time
	refusedDifferent                   // the digits differ
	refusedExpired                     // the invitation is too old
	refusedUsed                        // the invitation was used before
	refusedBusy                        // not now: no pane is open, or a run is on its way
	refusedFailed                      // it could not be stored
	refusedCrossed                     // both began; the refusing side's own run goes on
)

func (r reason) send() Effect { return Send{encode(msgRefuse, []byte{byte(r)})} }

// err is what the other side's refusal means for us.
func (r reason) err() error {
	switch r {
	case refusedDifferent:
		return fault.New(fault.Peer, "digits-differ", "the other side says that the numbers differ")
	case refusedExpired:
		return fault.New(fault.Peer, "code-expired", "the code has expired")
	case refusedUsed:
		return fault.New(fault.Peer, "code-used-twice", "the code was used before")
	case refusedBusy:
		return fault.New(fault.Retry, "pairing-declined", "the other device is not ready to be connected now")
	case refusedCrossed:
		return ErrCrossed
	case refusedFailed:
		return fault.New(fault.Retry, "pairing-declined", "the other device could not store this one")
	}
	return fault.New(fault.Peer, "pairing-declined", "the other side did not agree")
}

// ErrCrossed is what a run by number ends with where both sides began one with
// each other and the other one goes on.
var ErrCrossed = fault.New(fault.Retry, "pairing-declined", "both devices have asked at once, and the other run goes on")

// uncounted is the reason to give where a run may not be counted.
func uncounted(err error) reason {
	if errors.Is(err, ErrCrossed) {
		return refusedCrossed
	}
	return refusedBusy
}

// errBroken is what a device that does not keep to the protocol gets.
func errBroken(what string) error {
	return fault.New(fault.Peer, "", "the other device breaks the pairing: %s", what)
}

package engine

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"net"
	"os"
	"slices"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/peer"
	"lanyard/sync/transport"
)

// Revocations takes what another device of ours says that it has removed: all of
// our devices that it names, each with the time by its own clock. It says so
// again on each connection, and whenever that has changed. What it says is its
// own word, proven by the connection, and is passed on to nobody. It may be
// called from any goroutine and may block.
type Revocations func(by device.ID, removed map[device.ID]time.Time) error

// typeRevoked is the message in which a device tells which ones it has removed.
const typeRevoked bep.MessageType = 66

// Fields of the message, and of each entry in it.
const (
	fieldSalt  protowire.Number = 1 // 16 bytes, drawn anew for each message
	fieldEntry protowire.Number = 2 // one for each removed device

	fieldTag  protowire.Number = 1 // 32 bytes: see revokedTag
	fieldWhen protowire.Number = 2 // milliseconds since 1970
)

// maxRevoked is how many removed devices a message names, the last ones.
const maxRevoked = 256

const saltBytes = 16

var errRevoked = errors.New("it is no list of removed devices")

func init() { extensions[typeRevoked] = (*Engine).toldRevoked }

// revokedTag stands for a device in one message: whoever knows the device
// recognises it, and nobody else learns its ID.
func revokedTag(salt []byte, id device.ID) [sha256.Size]byte {
	h := hmac.New(sha256.New, salt)
	h.Write([]byte("lanyard-revoked-1"))
	h.Write(id[:])
	return [sha256.Size]byte(h.Sum(nil))
}

// bar lets nobody in any more whom a desired state calls removed, at once: the
// turn may have much to do before it comes to that.
func (e *Engine) bar(d Desired) {
	barred := make(map[device.ID]bool, len(d.Removed))
	for _, r := range d.Removed {
		barred[r.ID] = true
	}
	for _, dev := range d.Devices {
		delete(barred, dev.ID)
	}
	e.mu.Lock()
	e.barred = barred
	for id := range barred {
		delete(e.keyKnown, id) // a new pairing takes a new key
	}
	e.mu.Unlock()
	if e.net != nil && len(barred) > 0 {
		e.net.expel()
	}
}

// isBarred reports whether a device was removed.
func (e *Engine) isBarred(id device.ID) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.barred[id]
}

// expel ends what connects us with removed devices, at once and without another
// byte.
func (n *network) expel() {
	n.turn.Post(func() {
		for id, l := range n.links {
			if !n.e.isBarred(id) {
				continue
			}
			for _, a := range l.attempts {
				n.end(a, transport.CodeRemoved)
			}
		}
	})
}

// hungUp notes that a device ended a connection with us, which tells whether it
// removed us. greeted: it had said Hello before.
func (n *network) hungUp(conn transport.Conn, greeted bool, err error) {
	id := conn.PeerID()
	code, told := conn.EndCode()
	if told && code == transport.CodeRemoved {
		n.e.mu.Lock()
		delete(n.e.keyKnown, id) // it has forgotten the key
		n.e.mu.Unlock()
	}
	n.e.met(id, func(c *contact) {
		switch {
		case told && code == transport.CodeRemoved:
			c.standing = asStranger
		case !greeted && (told && code == transport.CodeNormal || cutOff(conn, err)):
			c.early++
		}
		if !greeted {
			c.failed(n.e.now(), err)
		}
	})
}

// cutOff reports whether the other side ended a connection over TCP, which
// cannot say why.
func cutOff(conn transport.Conn, err error) bool {
	return transport.OverTCP(conn) && !errors.Is(err, net.ErrClosed) && !errors.Is(err, os.ErrDeadlineExceeded)
}

// removals gives the devices that other ones of ours are to hear of: those that
// were peers.
func (d *Desired) removals() []Removal {
	list := slices.DeleteFunc(slices.Clone(d.Removed), func(r Removal) bool { return !r.Peer })
	return list[max(0, len(list)-maxRevoked):]
}

func (e *Engine) removals() []Removal {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.desired.removals()
}

// tellRevoked tells all devices which ones we have removed, where that has
// changed. It runs on the turn.
func (e *Engine) tellRevoked(old, d Desired) {
	if slices.Equal(old.removals(), d.removals()) {
		return
	}
	for _, entry := range e.connected() {
		e.tellRevokedTo(entry)
	}
}

// tellRevokedTo tells one device. It runs on the turn.
func (e *Engine) tellRevokedTo(entry *peerEntry) {
	list := e.removals()
	if entry.extended {
		entry.peer.Tell(revokedMessage(list))
	}
}

func revokedMessage(list []Removal) *bep.Extension {
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails: crypto/rand ends the program instead
	b := appendBytes(nil, fieldSalt, salt)
	for _, r := range list {
		tag := revokedTag(salt, r.ID)
		entry := appendBytes(nil, fieldTag, tag[:])
		entry = protowire.AppendVarint(protowire.AppendTag(entry, fieldWhen, protowire.VarintType), uint64(max(0, r.When.UnixMilli())))
		b = appendBytes(b, fieldEntry, entry)
	}
	return &bep.Extension{Type: typeRevoked, Body: b}
}

// toldRevoked hands on which of our devices another one has removed.
func (e *Engine) toldRevoked(p *peer.Peer, body []byte) error {
	salt, named, err := readRevoked(body)
	if err != nil {
		return err
	}
	by := p.ID()
	if e.o.Revocations == nil || !e.Known(by) {
		return nil
	}
	e.mu.Lock()
	devices := e.desired.Devices
	e.mu.Unlock()
	removed := map[device.ID]time.Time{}
	for _, d := range devices {
		if when, ok := named[revokedTag(salt, d.ID)]; ok && d.ID != by {
			removed[d.ID] = when
		}
	}
	if err := e.o.Revocations(by, removed); err != nil {
		e.o.Log.Warn("what a device has removed is not stored", "device", by.Short().String(), "error", err) // it is told again
	}
	return nil
}

// readRevoked reads the message; fields that it does not know are skipped.
func readRevoked(b []byte) (salt []byte, named map[[sha256.Size]byte]time.Time, err error) {
	named = map[[sha256.Size]byte]time.Time{}
	err = eachField(b, func(num protowire.Number, bytes []byte, _ uint64) error {
		switch num {
		case fieldSalt:
			salt = bytes
		case fieldEntry:
			tag, when, err := readRevokedEntry(bytes)
			named[tag] = when
			return err
		}
		return nil
	})
	if err != nil || len(salt) != saltBytes || len(named) > maxRevoked {
		return nil, nil, errRevoked
	}
	return salt, named, nil
}

func readRevokedEntry(b []byte) (tag [sha256.Size]byte, when time.Time, err error) {
	found := false
	err = eachField(b, func(num protowire.Number, bytes []byte, n uint64) error {
		switch num {
		case fieldTag:
			if found = len(bytes) == len(tag); found {
				copy(tag[:], bytes)
			}
		case fieldWhen:
			when = time.UnixMilli(int64(min(n, maxWhen))).UTC()
		}
		return nil
	})
	if err == nil && !found {
		err = errRevoked
	}
	return tag, when, err
}

// maxWhen is the end of the year 9999: JSON has no time beyond it.
const maxWhen = 253402300799999

// eachField calls f with each field of a message: its bytes, or its number.
// Fields of other forms are skipped.
func eachField(b []byte, f func(num protowire.Number, bytes []byte, n uint64) error) error {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		var bytes []byte
		var number uint64
		switch typ {
		case protowire.BytesType:
			bytes, n = protowire.ConsumeBytes(b)
		case protowire.VarintType:
			number, n = protowire.ConsumeVarint(b)
		default:
			num, n = 0, protowire.ConsumeFieldValue(num, typ, b)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		if err := f(num, bytes, number); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

package engine

import (
	"errors"

	"google.golang.org/protobuf/encoding/protowire"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/peer"
)

// PairKeys keeps the keys by which paired devices recognise each other's
// announcements. Methods may be called from any goroutine.
type PairKeys interface {
	// PairKey gives the key of a device, zero for none.
	PairKey(dev device.ID) device.PairKey
	// SetPairKey stores one; it is durable when the method returns nil.
	SetPairKey(dev device.ID, key device.PairKey) error
}

// typePairKey is the message in which the device with the smaller ID tells the
// other one their key, and in which that one says that it has stored it.
const typePairKey bep.MessageType = 64

// Fields of the message: one of them.
const (
	fieldKey   protowire.Number = 1 // 32 bytes
	fieldKnown protowire.Number = 2 // true
)

func init() { extensions[typePairKey] = (*Engine).toldPairKey }

var errPairKey = errors.New("it holds no key of 32 bytes")

// givePairKey tells a device our key, which is drawn if there is none. It may
// block. The key is told on each connection until the device said that it has
// it.
func (e *Engine) givePairKey(p *peer.Peer) {
	id, keys := p.ID(), e.o.PairKeys
	if keys == nil || e.o.ID.Compare(id) >= 0 {
		return
	}
	key := keys.PairKey(id)
	if key.IsZero() {
		key = device.NewPairKey()
		if err := keys.SetPairKey(id, key); err != nil {
			e.o.Log.Warn("no key for announcements", "device", id.Short().String(), "error", err)
			return
		}
	}
	e.mu.Lock()
	known := e.keyKnown[id] == key
	e.mu.Unlock()
	if !known {
		p.Tell(&bep.Extension{Type: typePairKey, Body: protowire.AppendBytes(protowire.AppendTag(nil, fieldKey, protowire.BytesType), key[:])})
	}
}

// toldPairKey takes either form of the message.
func (e *Engine) toldPairKey(p *peer.Peer, body []byte) error {
	key, known, err := readPairKey(body)
	keys, id := e.o.PairKeys, p.ID()
	switch {
	case err != nil:
		return err
	case keys == nil:
	case known:
		key := keys.PairKey(id)
		e.mu.Lock()
		e.keyKnown[id] = key
		e.mu.Unlock()
	case id.Compare(e.o.ID) < 0: // the other direction is not for it to say
		if keys.PairKey(id) != key {
			if err := keys.SetPairKey(id, key); err != nil {
				e.o.Log.Warn("a key for announcements is not stored", "device", id.Short().String(), "error", err)
				return nil // it is told again
			}
		}
		p.Tell(&bep.Extension{Type: typePairKey, Body: protowire.AppendVarint(protowire.AppendTag(nil, fieldKnown, protowire.VarintType), 1)})
	}
	return nil
}

// readPairKey reads the message; fields that it does not know are skipped.
func readPairKey(b []byte) (key device.PairKey, known bool, err error) {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return key, false, errPairKey
		}
		b = b[n:]
		switch {
		case num == fieldKey && typ == protowire.BytesType:
			var v []byte
			v, n = protowire.ConsumeBytes(b)
			if len(v) != len(key) {
				return key, false, errPairKey
			}
			key = device.PairKey(v)
		case num == fieldKnown && typ == protowire.VarintType:
			var v uint64
			v, n = protowire.ConsumeVarint(b)
			known = v != 0
		default:
			n = protowire.ConsumeFieldValue(num, typ, b)
		}
		if n < 0 {
			return key, false, errPairKey
		}
		b = b[n:]
	}
	if known == !key.IsZero() { // both, or neither
		return key, known, errPairKey
	}
	return key, known, nil
}

package engine

import (
	"fmt"

	"lanyard/sync/bep"
	"lanyard/sync/fault"
	"lanyard/sync/peer"
)

// extensions are the messages of our own that are understood, each with what
// takes its body. An error is the device's fault. A type that is not listed is
// one of a later version, and is left alone.
var extensions = map[bep.MessageType]func(e *Engine, p *peer.Peer, body []byte) error{
	bep.TypeEpoch: takeEpoch,
	bep.TypeOffer: takeOffer,
}

// Told takes a message of our own extensions.
func (h host) Told(p *peer.Peer, m *bep.Extension) error {
	take := extensions[m.Type]
	if take == nil {
		return nil
	}
	if err := take(h.e, p, m.Body); err != nil {
		return fault.Wrap(fault.Peer, "", fmt.Sprintf("extension message %d", m.Type), "", err)
	}
	return nil
}

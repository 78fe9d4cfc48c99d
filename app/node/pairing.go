package node

import (
	"context"
	"errors"

	"lanyard/app/pairing/desk"
	"lanyard/discovery/lan"
	"lanyard/sync/device"
	"lanyard/sync/transport"
)

// Pairable is an Engine over whose sockets devices can be paired.
type Pairable interface {
	// Meeting gives what carries connections that pair, while Run runs.
	Meeting() desk.Network
}

var _ Pairable = (*productEngine)(nil)

// Meeting is Pairable's.
func (p *productEngine) Meeting() desk.Network { return meeting{p} }

// meeting lends the engine's transport to a Desk.
type meeting struct{ p *productEngine }

func (m meeting) Accept(ctx context.Context) (desk.Conn, error) {
	return conn(m.p.transport.(transport.Pairer).AcceptPair(ctx))
}

func (m meeting) Dial(ctx context.Context, address string, want device.ID) (desk.Conn, error) {
	return conn(m.p.transport.(transport.Pairer).DialPair(ctx, address, want))
}

// conn keeps a failure from being a Conn.
func conn(c *transport.PairConn, err error) (desk.Conn, error) {
	if errors.Is(err, transport.ErrNotPairing) {
		return nil, desk.ErrNotWanted
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (m meeting) Addresses() []string { return m.p.transport.Addresses() }

// Met notes an address to dial: over QUIC, either side listens where its
// connection ends.
func (m meeting) Met(dev device.ID, address string) { m.p.book.Seen(dev, address) }

// announce has devices nearby told what the Desk wants told.
func (n *Node) announce() {
	f := n.Finder()
	if f == nil {
		return
	}
	if a := n.desk.Announced(); a.Open || a.Beacon != nil {
		f.OpenPane(a.Name, (*lan.Beacon)(a.Beacon))
	} else {
		f.ClosePane()
	}
}

// follow tells the Desk which devices are nearby, until ctx ends.
func (n *Node) follow(ctx context.Context, f *lan.Finder) {
	for {
		next := f.Changed()
		var list []desk.Neighbour
		for _, d := range f.Nearby() {
			list = append(list, desk.Neighbour{
				Key: d.Key, Name: d.Name, ID: d.ID, Addresses: d.Addresses, Beacon: (*[8]byte)(d.Beacon),
			})
		}
		n.desk.Found(list)
		select {
		case <-ctx.Done():
			return
		case <-next:
		}
	}
}

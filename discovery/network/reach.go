package network

import (
	"net"
	"net/netip"
	"slices"
)

// Kind is what an interface sends over.
type Kind string

// The kinds of interfaces.
const (
	Unknown Kind = ""        // the system does not tell
	WiFi    Kind = "wifi"    //
	Cable   Kind = "cable"   //
	Virtual Kind = "virtual" // made by software, such as a tunnel, a bridge or loopback: what is below it is not known
)

// Reach is how a connection leaves this machine. The zero one says nothing.
type Reach struct {
	Kind Kind
	// Direct: the other end is in a subnet of the interface, so that no router
	// lies between.
	Direct bool
}

// ReachOf tells how a connection with these two ends leaves this machine. local
// may be unspecified, as that of a socket on all addresses is. Nothing is said of
// an interface that software made, nor where the connection's own address belongs
// to another interface than the one over which the system sends to the other end.
func ReachOf(local, remote netip.Addr) Reach {
	interfaces, err := net.Interfaces()
	if err != nil {
		return Reach{}
	}
	var cards []card
	for _, i := range interfaces {
		if addrs, err := i.Addrs(); err == nil { // else it went away meanwhile
			cards = append(cards, card{i, Prefixes(addrs)})
		}
	}
	return reach(cards, local, remote, SourceOf, kindOf)
}

// card is an interface with its addresses.
type card struct {
	net.Interface
	prefixes []netip.Prefix
}

// has reports whether an address is one of the interface's own. The zone of a
// link-local one names its interface.
func (c card) has(a netip.Addr) bool {
	if zone := a.Zone(); zone != "" && zone != c.Name {
		return false
	}
	return slices.ContainsFunc(c.prefixes, func(p netip.Prefix) bool { return p.Addr() == a.WithZone("") })
}

// reach is ReachOf with what the system says: source gives the own address that
// it sends from to another one, kind that of an interface.
func reach(cards []card, local, remote netip.Addr, source func(netip.Addr) (netip.Addr, error), kind func(net.Interface) Kind) Reach {
	local, remote = local.Unmap(), remote.Unmap()
	of := func(a netip.Addr) int { return slices.IndexFunc(cards, func(c card) bool { return c.has(a) }) }
	if !remote.IsValid() || remote.IsUnspecified() || of(remote) >= 0 { // this machine itself
		return Reach{}
	}
	from, err := source(remote)
	if err != nil {
		return Reach{}
	}
	at := of(from)
	if at < 0 {
		return Reach{}
	}
	if local.IsValid() && !local.IsUnspecified() && of(local) != at {
		return Reach{}
	}
	c := cards[at]
	if c.Flags&(net.FlagLoopback|net.FlagPointToPoint) != 0 {
		return Reach{}
	}
	k := kind(c.Interface)
	if k == Virtual {
		return Reach{}
	}
	return Reach{Kind: k, Direct: slices.ContainsFunc(c.prefixes, func(p netip.Prefix) bool { return p.Contains(remote.WithZone("")) })}
}

// SourceOf asks the system for the own address that it sends from to another
// one. Nothing is sent.
func SourceOf(to netip.Addr) (netip.Addr, error) {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(to, discard)))
	if err != nil {
		return netip.Addr{}, err
	}
	defer conn.Close() // nothing is in it that could be lost
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(), nil
}

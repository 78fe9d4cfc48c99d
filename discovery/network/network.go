// Package network tells in which networks this machine is, by what a network
// can be recognised again, and when that changes or the machine has slept.
//
// A network is recognised by its router: the hash of the router's hardware
// address, the subnet and, where it can be read, the name of the Wi-Fi. All of
// that can be imitated, so being recognised decides only what is announced and
// where a device is looked for first.
package network

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"net"
	"net/netip"
	"slices"
)

// Link is a network interface that is up, and the network that it leads to.
type Link struct {
	Interface string
	Index     int
	Prefixes  []netip.Prefix // own addresses with their subnets, in order
	// ID recognises the network. It is empty where nothing tells it from others:
	// where no address but link-local ones was given, or while the router's
	// hardware address is not known yet.
	ID string
	// Name is for people: that of the Wi-Fi, or the subnet.
	Name string
	// Waiting is set while the router's hardware address is not known yet.
	Waiting bool

	metric  int // of the way out over it; negative for none
	gateway netip.Addr
}

// Gateway is a way out of the local network.
type gateway struct {
	index  int
	addr   netip.Addr
	metric int
	mac    net.HardwareAddr // nil where it is not known
}

// Links lists the interfaces that are up, without loopback, in the order of
// their indexes.
func Links() ([]Link, error) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	ways := gateways()
	var out []Link
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagRunning == 0 || i.Flags&net.FlagLoopback != 0 {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			continue // it went away meanwhile
		}
		out = append(out, linkOf(i, addrs, ways, wifiName(i.Name)))
	}
	slices.SortFunc(out, func(a, b Link) int { return cmp.Compare(a.Index, b.Index) })
	return out, nil
}

// linkOf puts together what is known of an interface.
func linkOf(i net.Interface, addrs []net.Addr, ways []gateway, wifi string) Link {
	l := Link{Interface: i.Name, Index: i.Index, Prefixes: Prefixes(addrs), metric: -1}
	slices.SortFunc(l.Prefixes, netip.Prefix.Compare)
	way, routed := bestWay(ways, i.Index)
	if routed {
		l.metric, l.gateway = way.metric, way.addr
	}
	subnet, ok := l.subnet(way.addr)
	l.Name = cmp.Or(wifi, i.Name)
	if wifi == "" && ok {
		l.Name = subnet.String() + " (" + i.Name + ")"
	}
	// A tunnel has nobody with a hardware address at its other end.
	l.Waiting = routed && way.mac == nil && i.Flags&net.FlagPointToPoint == 0
	if ok && !l.Waiting {
		l.ID = fingerprint(way.mac, subnet, wifi)
	}
	return l
}

// Prefixes gives the addresses of an interface, as net.Interface.Addrs has them,
// with their subnets.
func Prefixes(addrs []net.Addr) []netip.Prefix {
	var out []netip.Prefix
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP); ok {
				bits, _ := n.Mask.Size()
				out = append(out, netip.PrefixFrom(ip.Unmap(), bits))
			}
		}
	}
	return out
}

// bestWay gives the way out over an interface: one of IPv4 before one of IPv6,
// the preferred one of the system first.
func bestWay(ways []gateway, index int) (best gateway, ok bool) {
	for _, w := range ways {
		if w.index != index {
			continue
		}
		if !ok || cmp.Or(boolToInt(best.addr.Is4())-boolToInt(w.addr.Is4()), cmp.Compare(w.metric, best.metric), w.addr.Compare(best.addr)) < 0 {
			best, ok = w, true
		}
	}
	return best, ok
}

func boolToInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// subnet gives the one that stands for the network: the router's, else the
// first of IPv4, else the first of IPv6. Link-local ones are everywhere the
// same, and count only where a router is in them.
func (l *Link) subnet(router netip.Addr) (netip.Prefix, bool) {
	var found netip.Prefix
	for _, p := range l.Prefixes {
		switch {
		case router.IsValid() && p.Contains(router.WithZone("")):
			return p.Masked(), true
		case p.Addr().IsLinkLocalUnicast():
		case !found.IsValid():
			found = p.Masked() // IPv4 sorts first
		}
	}
	return found, found.IsValid()
}

// fingerprint is what a network is recognised by.
func fingerprint(router net.HardwareAddr, subnet netip.Prefix, wifi string) string {
	h := sha256.New()
	for _, field := range []string{"lanyard network 1", string(router), subnet.String(), wifi} {
		var length [2]byte
		binary.BigEndian.PutUint16(length[:], uint16(len(field)))
		h.Write(length[:])
		h.Write([]byte(field))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Main gives the network that this machine is in for most purposes: that of
// the way out, else the first that can be recognised. False means that there is
// none, or that the one on the way out is not known yet.
func Main(links []Link) (Link, bool) {
	best := -1
	for i, l := range links {
		switch {
		case l.ID == "" && !l.Waiting:
		case best < 0, l.metric >= 0 && (links[best].metric < 0 || l.metric < links[best].metric):
			best = i
		}
	}
	if best < 0 || links[best].Waiting {
		return Link{}, false
	}
	return links[best], true
}

// same reports whether two lists say the same of where this machine is.
func same(a, b []Link) bool {
	return slices.EqualFunc(a, b, func(x, y Link) bool {
		return x.Interface == y.Interface && x.Index == y.Index && x.ID == y.ID && x.Name == y.Name &&
			x.Waiting == y.Waiting && x.metric == y.metric && slices.Equal(x.Prefixes, y.Prefixes)
	})
}

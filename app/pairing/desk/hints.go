package desk

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"

	"lanyard/app/pairing"
)

// hints gives the addresses that an invitation names: where this device listens
// with QUIC and may be dialed from a network of its own, the likeliest first.
func hints(listens []string, own []netip.Addr) []netip.AddrPort {
	var out []netip.AddrPort
	for _, l := range listens {
		u, err := url.Parse(l)
		if err != nil || u.Scheme != "quic" {
			continue
		}
		port, err := strconv.ParseUint(u.Port(), 10, 16)
		if err != nil {
			continue
		}
		at, err := netip.ParseAddr(u.Hostname())
		if err == nil && !at.IsUnspecified() {
			out = append(out, netip.AddrPortFrom(at.WithZone(""), uint16(port)))
			continue
		}
		for _, a := range own {
			out = append(out, netip.AddrPortFrom(a.Unmap().WithZone(""), uint16(port)))
		}
	}
	out = slices.DeleteFunc(out, func(h netip.AddrPort) bool { return !pairing.AllowedHint(h) })
	slices.SortStableFunc(out, func(a, b netip.AddrPort) int { return rank(a.Addr()) - rank(b.Addr()) })
	out = slices.Compact(out)
	return out[:min(len(out), pairing.MaxHints)]
}

// rank orders kinds of addresses: link-local ones need the right interface, and
// are the only ones where nothing else is there.
func rank(a netip.Addr) int {
	switch {
	case a.IsLinkLocalUnicast():
		return 2
	case a.Is4():
		return 0
	}
	return 1
}

// interfaces lists the addresses of this machine's networks.
func interfaces() []netip.Addr {
	list, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var out []netip.Addr
	for _, a := range list {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			out = append(out, p.Addr().Unmap())
		}
	}
	return out
}

// dialable gives the URLs of an invitation's hints. A link-local address of
// IPv6 is tried on every interface: which one it was is not told.
func dialable(list []netip.AddrPort, zones []string) []string {
	var out []string
	for _, h := range list {
		a := h.Addr()
		if !a.Is6() || !a.IsLinkLocalUnicast() {
			out = append(out, address(a, h.Port()))
			continue
		}
		for _, z := range zones {
			out = append(out, address(a.WithZone(z), h.Port()))
		}
	}
	return out
}

func address(a netip.Addr, port uint16) string {
	return "quic://" + netip.AddrPortFrom(a, port).String()
}

// zones lists the interfaces that are up and lead to other machines.
func zones() []string {
	list, err := net.Interfaces()
	if err != nil {
		return nil
	}
	var out []string
	for _, i := range list {
		if i.Flags&net.FlagUp != 0 && i.Flags&net.FlagLoopback == 0 {
			out = append(out, i.Name)
		}
	}
	return out
}

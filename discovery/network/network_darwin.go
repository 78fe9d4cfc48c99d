package network

import (
	"context"
	"net"
	"net/netip"

	"golang.org/x/net/route"
	"golang.org/x/sys/unix"
)

// changes tells nothing: the machine is looked at every two seconds.
func changes(context.Context) (<-chan struct{}, func()) { return nil, func() {} }

// wifiName gives none: the system tells it only to programs that may know where
// the machine is.
func wifiName(string) string { return "" }

// gateways lists the default routes with the hardware addresses of their
// routers.
func gateways() []gateway {
	var out []gateway
	macs := map[netip.Addr]net.HardwareAddr{}
	for _, m := range routes(unix.NET_RT_DUMP, 0) {
		if len(m.Addrs) <= unix.RTAX_NETMASK || m.Flags&unix.RTF_UP == 0 || m.Flags&unix.RTF_GATEWAY == 0 {
			continue
		}
		if to, ok := addrOf(m.Addrs[unix.RTAX_DST]); !ok || !to.IsUnspecified() || !everything(m.Addrs[unix.RTAX_NETMASK]) {
			continue
		}
		if router, ok := addrOf(m.Addrs[unix.RTAX_GATEWAY]); ok {
			out = append(out, gateway{index: m.Index, addr: router, metric: len(out)})
		}
	}
	for _, m := range routes(unix.NET_RT_FLAGS, unix.RTF_LLINFO) {
		if len(m.Addrs) <= unix.RTAX_GATEWAY {
			continue
		}
		at, ok := addrOf(m.Addrs[unix.RTAX_DST])
		link, hard := m.Addrs[unix.RTAX_GATEWAY].(*route.LinkAddr)
		if ok && hard && len(link.Addr) > 0 {
			macs[at.WithZone("")] = net.HardwareAddr(link.Addr)
		}
	}
	for i := range out {
		out[i].mac = macs[out[i].addr.WithZone("")]
	}
	return out
}

func routes(kind, arg int) []*route.RouteMessage {
	rib, err := route.FetchRIB(unix.AF_UNSPEC, route.RIBType(kind), arg)
	if err != nil {
		return nil
	}
	messages, err := route.ParseRIB(route.RIBType(kind), rib)
	if err != nil {
		return nil
	}
	var out []*route.RouteMessage
	for _, m := range messages {
		if m, ok := m.(*route.RouteMessage); ok {
			out = append(out, m)
		}
	}
	return out
}

func addrOf(a route.Addr) (netip.Addr, bool) {
	switch a := a.(type) {
	case *route.Inet4Addr:
		return netip.AddrFrom4(a.IP), true
	case *route.Inet6Addr:
		addr := netip.AddrFrom16(a.IP)
		if i, err := net.InterfaceByIndex(a.ZoneID); a.ZoneID != 0 && err == nil {
			addr = addr.WithZone(i.Name)
		}
		return addr, true
	}
	return netip.Addr{}, false
}

// everything reports whether a mask is that of a default route.
func everything(mask route.Addr) bool {
	if mask == nil {
		return true
	}
	m, ok := addrOf(mask)
	return ok && m.IsUnspecified()
}

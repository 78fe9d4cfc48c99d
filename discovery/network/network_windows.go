package network

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/windows"
)

// changes tells nothing: the machine is looked at every two seconds.
func changes(context.Context) (<-chan struct{}, func()) { return nil, func() {} }

// wifiName gives none: the router and its subnet are enough to recognise a
// network.
func wifiName(string) string { return "" }

var sendARP = windows.NewLazySystemDLL("iphlpapi.dll").NewProc("SendARP")

// gateways lists the interfaces' routers of IPv4, with their hardware
// addresses.
func gateways() []gateway {
	var out []gateway
	size := uint32(16 << 10)
	var buf []byte
	for {
		buf = make([]byte, size)
		err := windows.GetAdaptersAddresses(windows.AF_UNSPEC, windows.GAA_FLAG_INCLUDE_GATEWAYS, 0,
			(*windows.IpAdapterAddresses)(unsafe.Pointer(&buf[0])), &size)
		if err == nil {
			break
		}
		if err != windows.ERROR_BUFFER_OVERFLOW {
			return nil
		}
	}
	for a := (*windows.IpAdapterAddresses)(unsafe.Pointer(&buf[0])); a != nil; a = a.Next {
		for g := a.FirstGatewayAddress; g != nil; g = g.Next {
			ip, ok := netip.AddrFromSlice(g.Address.IP())
			if ok && ip.Unmap().Is4() {
				out = append(out, gateway{index: int(a.IfIndex), addr: ip.Unmap(), metric: int(a.Ipv4Metric), mac: hardware(ip.Unmap())})
			}
		}
	}
	return out
}

// hardware asks the system for the hardware address of a router, nil where it
// does not answer.
func hardware(ip netip.Addr) net.HardwareAddr {
	if sendARP.Find() != nil {
		return nil
	}
	four := ip.As4()
	var mac [8]byte
	length := uint32(len(mac))
	failed, _, _ := sendARP.Call(uintptr(binary.LittleEndian.Uint32(four[:])), 0,
		uintptr(unsafe.Pointer(&mac[0])), uintptr(unsafe.Pointer(&length)))
	if failed != 0 || length == 0 || length > uint32(len(mac)) {
		return nil
	}
	return net.HardwareAddr(mac[:length])
}

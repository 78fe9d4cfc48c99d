package network

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// changes sends whenever something about interfaces, addresses or routes may
// have changed. The channel is closed when that cannot be told any more, and nil
// where it cannot be told at all. stop waits for its goroutine.
func changes(ctx context.Context) (news <-chan struct{}, stop func()) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, func() {}
	}
	groups := uint32(unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV6_IFADDR | unix.RTMGRP_IPV4_ROUTE | unix.RTMGRP_IPV6_ROUTE)
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
		_ = unix.Close(fd)
		return nil, func() {}
	}
	file := os.NewFile(uintptr(fd), "netlink")
	out, done := make(chan struct{}, 1), make(chan struct{})
	end := context.AfterFunc(ctx, func() { _ = file.Close() })
	go func() {
		defer close(done)
		defer close(out)
		buf := make([]byte, 16<<10)
		for {
			// An overflow (ENOBUFS) is a change too; what lasts ends with the file.
			_, err := file.Read(buf)
			if err != nil && !isOverflow(err) {
				return
			}
			select {
			case out <- struct{}{}:
			default:
			}
		}
	}()
	return out, func() {
		end()
		_ = file.Close()
		<-done
	}
}

func isOverflow(err error) bool {
	path, ok := err.(*os.PathError)
	return ok && path.Err == unix.ENOBUFS
}

// gateways lists the default routes with the hardware addresses of their
// routers.
func gateways() []gateway {
	var out []gateway
	each(unix.RTM_GETROUTE, unix.RTM_NEWROUTE, func(body []byte) {
		if len(body) < unix.SizeofRtMsg {
			return
		}
		route := (*unix.RtMsg)(unsafe.Pointer(&body[0]))
		if route.Dst_len != 0 || route.Type != unix.RTN_UNICAST {
			return
		}
		g := gateway{}
		attributes(body[unix.SizeofRtMsg:], func(kind uint16, value []byte) {
			switch {
			case kind == unix.RTA_GATEWAY:
				g.addr, _ = netip.AddrFromSlice(value)
			case kind == unix.RTA_OIF && len(value) == 4:
				g.index = int(binary.NativeEndian.Uint32(value))
			case kind == unix.RTA_PRIORITY && len(value) == 4:
				g.metric = int(binary.NativeEndian.Uint32(value))
			}
		})
		if g.addr.IsValid() && g.index > 0 {
			out = append(out, g)
		}
	})
	if len(out) == 0 {
		return nil
	}
	each(unix.RTM_GETNEIGH, unix.RTM_NEWNEIGH, func(body []byte) {
		if len(body) < unix.SizeofNdMsg {
			return
		}
		neighbour := (*unix.NdMsg)(unsafe.Pointer(&body[0]))
		if neighbour.State&(unix.NUD_INCOMPLETE|unix.NUD_FAILED|unix.NUD_NOARP) != 0 {
			return
		}
		var addr netip.Addr
		var mac net.HardwareAddr
		attributes(body[unix.SizeofNdMsg:], func(kind uint16, value []byte) {
			switch kind {
			case unix.NDA_DST:
				addr, _ = netip.AddrFromSlice(value)
			case unix.NDA_LLADDR:
				mac = net.HardwareAddr(value)
			}
		})
		for i := range out {
			if out[i].addr == addr && out[i].index == int(neighbour.Ifindex) && len(mac) > 0 {
				out[i].mac = mac
			}
		}
	})
	for i := range out {
		out[i].addr = zoned(out[i].addr, out[i].index)
	}
	return out
}

// zoned gives a link-local router its interface.
func zoned(addr netip.Addr, index int) netip.Addr {
	if !addr.Is6() || !addr.IsLinkLocalUnicast() {
		return addr
	}
	i, err := net.InterfaceByIndex(index)
	if err != nil {
		return addr
	}
	return addr.WithZone(i.Name)
}

// each gives the body of each message of one kind that the kernel answers.
func each(ask int, kind uint16, f func(body []byte)) {
	answer, err := syscall.NetlinkRIB(ask, unix.AF_UNSPEC)
	if err != nil {
		return
	}
	messages, err := syscall.ParseNetlinkMessage(answer)
	if err != nil {
		return
	}
	for _, m := range messages {
		if m.Header.Type == kind {
			f(m.Data)
		}
	}
}

// attributes gives each attribute of a message (rtnetlink(7)).
func attributes(b []byte, f func(kind uint16, value []byte)) {
	for len(b) >= unix.SizeofRtAttr {
		length := int(binary.NativeEndian.Uint16(b))
		if length < unix.SizeofRtAttr || length > len(b) {
			return
		}
		f(binary.NativeEndian.Uint16(b[2:]), b[unix.SizeofRtAttr:length])
		b = b[min((length+3)&^3, len(b)):]
	}
}

// wifiName gives the name of the Wi-Fi that an interface is in, empty where it
// is in none or that cannot be read.
func wifiName(name string) string {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return ""
	}
	defer unix.Close(fd)
	// struct iwreq of linux/wireless.h, with its iw_point.
	var essid [33]byte
	request := struct {
		name   [unix.IFNAMSIZ]byte
		to     unsafe.Pointer
		length uint16
		flags  uint16
		_      [4]byte
	}{to: unsafe.Pointer(&essid[0]), length: uint16(len(essid) - 1)}
	copy(request.name[:unix.IFNAMSIZ-1], name)
	const siocgiwessid = 0x8B1B
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), siocgiwessid, uintptr(unsafe.Pointer(&request)))
	runtime.KeepAlive(&essid)
	if errno != 0 || int(request.length) > len(essid)-1 {
		return ""
	}
	return clean(essid[:request.length])
}

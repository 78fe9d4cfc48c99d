package e2e_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lanyard/sync/device"
)

// packet is what one UDP or TCP packet says above its ports.
type packet struct {
	from    string // hardware address of its sender
	to      netip.Addr
	payload []byte
}

// parsePacket reads an Ethernet frame; false for what is neither.
func parsePacket(f []byte) (p packet, ok bool) {
	if len(f) < 14 {
		return p, false
	}
	p.from = net.HardwareAddr(f[6:12]).String()
	kind, f := binary.BigEndian.Uint16(f[12:]), f[14:]
	var protocol byte
	switch {
	case kind == unix.ETH_P_IP && len(f) >= 20:
		protocol, p.to, f = f[9], netip.AddrFrom4([4]byte(f[16:20])), f[min(int(f[0]&15)*4, len(f)):]
	case kind == unix.ETH_P_IPV6 && len(f) >= 40:
		protocol, p.to, f = f[6], netip.AddrFrom16([16]byte(f[24:40])), f[40:]
	default:
		return p, false
	}
	switch {
	case protocol == unix.IPPROTO_UDP && len(f) >= 8:
		p.payload = f[8:]
	case protocol == unix.IPPROTO_TCP && len(f) >= 20:
		p.payload = f[min(int(f[12]>>4)*4, len(f)):]
	default:
		return p, false
	}
	return p, true
}

// capture keeps what passes a bridge.
type capture struct {
	mu      sync.Mutex
	packets []packet
}

// newCapture listens on an interface of the switch until the test ends.
func newCapture(t *testing.T, name string) *capture {
	t.Helper()
	i, err := net.InterfaceByName(name)
	must(t, err)
	const all = unix.ETH_P_ALL << 8 // in network order
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, all)
	must(t, err)
	must(t, unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: i.Index}))
	must(t, unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 100_000}))
	c, stop, done := &capture{}, make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 1<<16)
		for {
			select {
			case <-stop:
				return
			default:
			}
			n, _, err := unix.Recvfrom(fd, buf, 0)
			if err != nil {
				continue // its patience is over
			}
			if p, ok := parsePacket(bytes.Clone(buf[:n])); ok {
				c.mu.Lock()
				c.packets = append(c.packets, p)
				c.mu.Unlock()
			}
		}
	}()
	t.Cleanup(func() { close(stop); <-done; unix.Close(fd) })
	return c
}

// of gives what hosts sent.
func (c *capture) of(hosts ...string) []packet {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(c.packets), func(p packet) bool { return !slices.Contains(hosts, p.from) })
}

// window is how many bytes in a row make a value by which a device could be
// recognised, and constant how many are a part of the protocol where any other
// device says them too.
const (
	window   = 8
	constant = 4
)

// windows gives every run of n bytes in packets.
func windows(packets []packet, n int) map[string]bool {
	found := map[string]bool{}
	for _, p := range packets {
		for b := p.payload; len(b) >= n; b = b[1:] {
			found[string(b[:n])] = true
		}
	}
	return found
}

// isValue reports whether a run of bytes has no part that another device says.
func isValue(w string, others map[string]bool) bool {
	for at := 0; at+constant <= len(w); at++ {
		if others[w[at:at+constant]] {
			return false
		}
	}
	return true
}

// mac gives a host's hardware address.
func mac(t *testing.T, h netHost) string {
	t.Helper()
	return strings.TrimSpace(output(t, "ip", "netns", "exec", h.name, "cat", "/sys/class/net/eth0/address"))
}

// leave takes a host from its network, as a laptop goes: it has no link and no
// address for a while.
func (h netHost) leave(t *testing.T) {
	t.Helper()
	ip(t, "-n "+h.name+" link set eth0 down")
	tryIP("-n " + h.name + " addr flush dev eth0")
}

// enter brings a host that left its network into another one.
func (h netHost) enter(t *testing.T, bridge, four, six string) {
	t.Helper()
	ip(t, "link set p-"+h.name+" master "+bridge)
	ip(t, "-n "+h.name+" link set eth0 up")
	h.addresses(t, four, six)
}

// epochs is in how many of them a device is captured in each network, and
// shortEpoch how long one lasts.
const (
	epochs     = 3
	shortEpoch = 6 * time.Second
)

// announced finds the random name under which a device announces itself.
var announced = regexp.MustCompile(`\x0d([a-z2-7]{13})(?:\x08_lanyard|\xc0)`)

// names gives those under which a host announced itself.
func (c *capture) names(host string) map[string]bool {
	found := map[string]bool{}
	for _, p := range c.of(host) {
		for _, m := range announced.FindAllSubmatch(p.payload, -1) {
			found[string(m[1])] = true
		}
	}
	return found
}

// TestNothingSaidLinksTwoNetworks connects two fresh devices by an invitation, in
// a network that nobody trusts, and takes them into two others, where they find
// each other and stay until their announcements have changed three times. It
// searches all that they send there. What another pair says as well is the
// protocol and no value of theirs.
func TestNothingSaidLinksTwoNetworks(t *testing.T) {
	t.Parallel()
	needBrisk(t)
	if !inOwnNetwork(t) {
		return
	}
	newSwitch(t)
	const person = "person-of-this-computer"
	passwd := filepath.Join(t.TempDir(), "passwd")
	must(t, os.WriteFile(passwd, []byte(person+":x:0:0:"+person+":/root:/bin/sh\n"), 0o644))
	tool(t, "mount", "--bind", passwd, "/etc/passwd")
	var all []*netLanyard
	for n, name := range []string{"a", "b", "c", "d"} {
		l := named(t, name, 1+n)
		l.brisk(t, briskEpoch+"="+shortEpoch.String(), "USER="+person, "LOGNAME="+person)
		all = append(all, l)
	}
	for _, l := range all {
		l.Start(t)
	}
	pairs := [][2]*netLanyard{{all[0], all[1]}, {all[2], all[3]}}
	for _, pair := range pairs {
		link := pair[0].invite(t, "--yes")
		pair[1].run(t, "pair", "accept", link, "--address", "quic://"+pair[0].host.four+":22000", "--yes")
		shareWith(t, pair[0], pair[1])
		pair[0].writes(t, "first-secret.txt")
		eventually(t, patience, "a file", func() error { return pair[1].told("first-secret.txt") })
	}

	captures := []*capture{newCapture(t, "br1"), newCapture(t, "br2")}
	for i, capture := range captures {
		bridge, subnet := fmt.Sprintf("br%d", i+1), 78+i
		for _, l := range all {
			l.host.leave(t)
		}
		for n, l := range all {
			// A busy machine takes a moment to learn that the link is gone. A laptop
			// needs longer for another Wi-Fi than this one for another bridge.
			eventually(t, patience, "it is in no network", func() error {
				var known []struct{ Here bool }
				if err := l.api(http.MethodGet, "/networks", &known); err != nil {
					return err
				}
				for _, n := range known {
					if n.Here {
						return errors.New("it believes that it is in one")
					}
				}
				return nil
			})
			l.host.enter(t, bridge, fmt.Sprintf("10.%d.0.%d/24", subnet, 1+n), fmt.Sprintf("fd%d::%d/64", subnet, 1+n))
		}
		for _, pair := range pairs {
			file := fmt.Sprintf("secret-name-%d.txt", i)
			pair[0].writes(t, file)
			eventually(t, patience, "a file in network "+bridge, func() error { return pair[1].told(file) })
		}
		eventually(t, patience, fmt.Sprintf("%d epochs in network %s", epochs, bridge), func() error {
			for _, l := range all {
				// The first and the last name are not of a whole epoch.
				if n := len(capture.names(mac(t, l.host))); n < epochs+2 {
					return fmt.Errorf("%s announced itself under %d names", l.host.name, n)
				}
			}
			return nil
		})
		for _, pair := range pairs {
			file := fmt.Sprintf("secret-name-%d-later.txt", i)
			pair[1].writes(t, file)
			eventually(t, patience, "a file later in network "+bridge, func() error { return pair[0].told(file) })
		}
	}

	a, b := all[0], all[1]
	id, err := device.Parse(a.id)
	must(t, err)
	id2, err := device.Parse(b.id)
	must(t, err)
	ours, others := []string{mac(t, a.host), mac(t, b.host)}, []string{mac(t, all[2].host), mac(t, all[3].host)}
	control := windows(append(captures[0].of(others...), captures[1].of(others...)...), constant)
	var seen []map[string]bool
	for i, capture := range captures {
		packets := capture.of(ours...)
		t.Logf("network %d: %d packets", i, len(packets))
		if len(packets) < 20 {
			t.Fatalf("only %d packets were captured in network %d", len(packets), i)
		}
		for what, text := range map[string]string{
			"a device ID": a.id[:7], "a device ID as bytes": string(id[:8]), "the other's ID": b.id[:7], "the other's ID as bytes": string(id2[:8]),
			"the device's name": "device-a", "the other's name": "device-b", "the host name": hostName, "the user name": person,
			"the folder": `"` + folderID + `"`, "a file name": "secret",
		} {
			for _, p := range packets {
				if bytes.Contains(bytes.ToLower(p.payload), []byte(strings.ToLower(text))) {
					t.Errorf("network %d: %s is in a packet to %v:\n%s", i, what, p.to, hex.Dump(p.payload))
					break
				}
			}
		}
		for _, p := range packets {
			if !onLinkHere(p.to, 78+i) {
				t.Errorf("network %d: a packet goes to %v", i, p.to)
			}
		}
		seen = append(seen, windows(packets, window))
	}
	if len(control) < 200 {
		t.Errorf("the other pair said %d values: too few to compare with", len(control))
	}
	for w := range seen[0] {
		if seen[1][w] && isValue(w, control) && !ofHardware([]byte(w), ours) {
			t.Errorf("%q was said in both networks, and is no part of the protocol", w)
		}
	}
}

// onLinkHere reports whether an address is in the network itself.
func onLinkHere(ip netip.Addr, subnet int) bool {
	return ip.IsLinkLocalUnicast() || ip.IsLinkLocalMulticast() || ip == netip.MustParseAddr("ff12::8384") ||
		netip.MustParsePrefix(fmt.Sprintf("10.%d.0.0/24", subnet)).Contains(ip) ||
		netip.MustParsePrefix(fmt.Sprintf("fd%d::/64", subnet)).Contains(ip)
}

// ofHardware reports whether a value is part of an address that is made of a
// hardware address.
func ofHardware(w []byte, macs []string) bool {
	for _, text := range macs {
		m, err := net.ParseMAC(text)
		if err != nil {
			continue
		}
		address := []byte{0xfe, 0x80, 0, 0, 0, 0, 0, 0, m[0] ^ 2, m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5]}
		for at := 0; at+3 <= len(address); at++ { // any part of it that is more than zeros, with what stands around it
			if part := address[at : at+3]; !bytes.Equal(part, make([]byte, 3)) && bytes.Contains(w, part) {
				return true
			}
		}
	}
	return false
}

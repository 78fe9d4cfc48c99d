package book

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// DefaultPort is the port of an address that names none.
const DefaultPort = 22000

// ErrAddress is wrapped by every error of ParseAddress.
var ErrAddress = errors.New("not an address of a device")

// Address is where a device listens: a scheme, a host and a port. It is
// comparable. ParseAddress makes it.
type Address struct {
	scheme string     // quic or tcp, alone or with the 4 or 6 of one family
	ip     netip.Addr // invalid where the host is a name or is missing
	name   string     // a DNS name in lower case
	port   uint16
}

// family gives, for each scheme, the IP version that it is limited to; 0 is none.
var family = map[string]int{"quic": 0, "quic4": 4, "quic6": 6, "tcp": 0, "tcp4": 4, "tcp6": 6}

// ParseAddress reads quic://host:port or tcp://host:port, with a 4 or 6 behind the
// scheme for one family. A missing port is DefaultPort. An IPv6 address stands in brackets; its zone
// may follow "%" or "%25". A missing host, or an unspecified one such as
// 0.0.0.0, is allowed: in an announcement it means the sender (see Unspecified).
func ParseAddress(s string) (Address, error) {
	scheme, rest, ok := strings.Cut(s, "://")
	if _, known := family[scheme]; !ok || !known {
		return Address{}, fmt.Errorf("%w: %q must begin with quic:// or tcp://", ErrAddress, s)
	}
	host, port, err := splitHostPort(rest)
	if err != nil {
		return Address{}, fmt.Errorf("%w: %q: %w", ErrAddress, s, err)
	}
	a := Address{scheme: scheme, port: port}
	if err := a.setHost(host); err != nil {
		return Address{}, fmt.Errorf("%w: %q: %w", ErrAddress, s, err)
	}
	return a, nil
}

// splitHostPort is net.SplitHostPort with an optional, checked port.
func splitHostPort(s string) (string, uint16, error) {
	if strings.HasSuffix(s, "]") || !strings.Contains(s, ":") {
		s += ":"
	}
	host, text, err := net.SplitHostPort(s)
	if err != nil {
		return "", 0, errors.New("want host:port, with an IPv6 address in brackets")
	}
	if text == "" {
		return host, DefaultPort, nil
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || port == 0 || strconv.FormatUint(port, 10) != text {
		return "", 0, errors.New("a port is a number from 1 to 65535")
	}
	return host, uint16(port), nil
}

// setHost takes an IP address of the scheme's family, or a name.
func (a *Address) setHost(host string) error {
	if host == "" {
		return nil
	}
	ip, err := netip.ParseAddr(strings.Replace(host, "%25", "%", 1))
	if err != nil {
		a.name = strings.ToLower(host)
		return checkName(host)
	}
	a.ip = ip.Unmap()
	if only := family[a.scheme]; only == 4 && !a.ip.Is4() || only == 6 && !a.ip.Is6() {
		return fmt.Errorf("an address of the other family than %s://", a.scheme)
	}
	return checkZone(a.ip.Zone())
}

// checkZone allows what names a network interface.
func checkZone(zone string) error {
	if len(zone) > 64 || strings.ContainsFunc(zone, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune("%/?#@[]:", r)
	}) {
		return errors.New("the zone after % is not the name of a network interface")
	}
	return nil
}

// checkName allows what DNS and local name services resolve: labels of
// letters, digits, "-" and "_", with dots between.
func checkName(name string) error {
	if len(name) > 253 {
		return errors.New("the host name is longer than 253 characters")
	}
	numeric := true
	for label := range strings.SplitSeq(strings.TrimSuffix(name, "."), ".") {
		if label == "" || len(label) > 63 {
			return errors.New("each part of a host name has 1 to 63 characters")
		}
		for _, r := range label {
			letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-' || r == '_'
			if !letter && (r < '0' || r > '9') {
				return errors.New("a host name has only letters, digits, - and _")
			}
			numeric = numeric && !letter
		}
	}
	if numeric {
		return errors.New("neither a host name nor an IP address")
	}
	return nil
}

// String gives the canonical form, with the zone escaped as in RFC 6874.
func (a Address) String() string {
	host := a.name
	if a.ip.IsValid() {
		host = strings.Replace(a.ip.String(), "%", "%25", 1)
	}
	return a.scheme + "://" + net.JoinHostPort(host, strconv.Itoa(int(a.port)))
}

// Unspecified reports whether a names no host, so that it cannot be dialed.
func (a Address) Unspecified() bool {
	return a.name == "" && (!a.ip.IsValid() || a.ip.IsUnspecified())
}

// WithHost gives a with the host ip: the sender of an announcement in place
// of its unspecified host.
func (a Address) WithHost(ip netip.Addr) Address {
	a.name, a.ip = "", ip.Unmap()
	return a
}

// overTCP reports whether a is of TCP rather than of QUIC.
func (a Address) overTCP() bool { return strings.HasPrefix(a.scheme, "tcp") }

// preference orders the addresses of equal rank: global IPv6, then IPv4 and
// names, then link-local ones, which depend on the right interface. TCP comes
// last, since a dial of QUIC tries it by itself on the own network.
func (a Address) preference() int {
	switch {
	case a.overTCP():
		return 3
	case a.ip.IsLinkLocalUnicast():
		return 2
	case a.ip.Is6():
		return 0
	default:
		return 1
	}
}

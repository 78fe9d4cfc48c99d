package transport

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"lanyard/sync/fault"
)

// DefaultPort is the port of an address that names none.
const DefaultPort = 22000

// schemes maps the scheme of a URL to the network that it is resolved in.
var schemes = map[string]string{
	"quic": "udp", "quic4": "udp4", "quic6": "udp6",
	"tcp": "tcp", "tcp4": "tcp4", "tcp6": "tcp6",
}

// endpoint is a parsed URL. An empty host means every local address.
type endpoint struct {
	scheme  string
	network string // udp or tcp, alone or with the 4 or 6 of one family
	host    string // an IP address with its zone, or a name
	port    uint16
}

// parseEndpoint reads quic:// or tcp://host:port, with a 4 or 6 behind the
// scheme for one family. A missing port is DefaultPort; port 0 means any free
// one. The zone of a link-local address may stand behind "%" or "%25".
func parseEndpoint(s string) (endpoint, error) {
	scheme, rest, ok := strings.Cut(s, "://")
	network, known := schemes[scheme]
	if !ok || !known {
		return endpoint{}, fmt.Errorf("address %q: must begin with quic:// or tcp://", s)
	}
	if strings.ContainsAny(rest, "/?#@ \x00") {
		return endpoint{}, fmt.Errorf("address %q: only a host and a port may follow %s://", s, scheme)
	}
	host, port, err := splitHostPort(rest)
	if err != nil {
		return endpoint{}, fmt.Errorf("address %q: %w", s, err)
	}
	return endpoint{scheme: scheme, network: network, host: strings.Replace(host, "%25", "%", 1), port: port}, nil
}

// splitHostPort is net.SplitHostPort with an optional, checked port.
func splitHostPort(s string) (string, uint16, error) {
	if strings.HasSuffix(s, "]") || !strings.Contains(s, ":") {
		s += ":"
	}
	host, text, err := net.SplitHostPort(s)
	if err != nil {
		return "", 0, fmt.Errorf("want host:port, with an IPv6 address in brackets")
	}
	if text == "" {
		return host, DefaultPort, nil
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("port %q is not a number up to 65535", text)
	}
	return host, uint16(port), nil
}

// tcp reports whether e is of TCP rather than of QUIC.
func (e endpoint) tcp() bool { return strings.HasPrefix(e.network, "tcp") }

// family is what follows the name of a network of e's family: 4, 6, or nothing
// where it is of both.
func (e endpoint) family() string { return e.network[len("tcp"):] }

// overTCP gives the same place and family in TCP, on a port.
func (e endpoint) overTCP(port uint16) endpoint {
	e.scheme, e.network, e.port = "tcp"+e.family(), "tcp"+e.family(), port
	return e
}

// wildcard reports whether e listens on every local address.
func (e endpoint) wildcard() bool {
	ip, err := netip.ParseAddr(e.host)
	return e.host == "" || err == nil && ip.IsUnspecified()
}

// resolve gives the socket addresses of e in the resolver's order.
func (e endpoint) resolve(ctx context.Context) ([]netip.AddrPort, error) {
	if e.wildcard() || e.port == 0 {
		return nil, fault.New(fault.Retry, "", "dial %s: an address to dial needs a host and a port", e.url(e.host, e.port))
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip"+e.family(), e.host)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fault.Wrap(fault.Retry, "", "look up", e.host, err)
	}
	found := make([]netip.AddrPort, len(ips))
	for i, ip := range ips {
		found[i] = netip.AddrPortFrom(ip.Unmap(), e.port)
	}
	return found, nil
}

// url gives the canonical form, with the zone escaped as in RFC 6874.
func (e endpoint) url(host string, port uint16) string {
	host = strings.Replace(host, "%", "%25", 1)
	return e.scheme + "://" + net.JoinHostPort(host, strconv.Itoa(int(port)))
}

// addressURL gives the canonical URL of a socket address. One that is not of
// TCP is QUIC's.
func addressURL(a net.Addr) string {
	e := endpoint{scheme: "quic"}
	if a.Network() == "tcp" {
		e.scheme = "tcp"
	}
	at := addrPort(a)
	return e.url(at.Addr().Unmap().String(), at.Port())
}

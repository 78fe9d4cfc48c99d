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
var schemes = map[string]string{"quic": "udp", "quic4": "udp4", "quic6": "udp6"}

// endpoint is a parsed QUIC URL. An empty host means every local address.
type endpoint struct {
	scheme  string
	network string // udp, udp4 or udp6
	host    string // an IP address with its zone, or a name
	port    uint16
}

// parseEndpoint reads quic://host:port, quic4:// and quic6://. A missing port
// is DefaultPort; port 0 means any free one. The zone of a link-local address
// may stand behind "%" or "%25".
func parseEndpoint(s string) (endpoint, error) {
	scheme, rest, ok := strings.Cut(s, "://")
	network, known := schemes[scheme]
	if !ok || !known {
		return endpoint{}, fmt.Errorf("address %q: must begin with quic://, quic4:// or quic6://", s)
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
	ips, err := net.DefaultResolver.LookupNetIP(ctx, strings.Replace(e.network, "udp", "ip", 1), e.host)
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

// addressURL gives the canonical quic:// URL of a socket address.
func addressURL(a net.Addr) string {
	udp, ok := a.(*net.UDPAddr)
	if !ok {
		return "quic://" + a.String()
	}
	ap := udp.AddrPort()
	return endpoint{scheme: "quic"}.url(ap.Addr().Unmap().String(), ap.Port())
}

package mdns

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"net"
	"net/netip"
	"regexp"
	"strings"

	"github.com/grandcat/zeroconf"
)

// The names of the service (RFC 6763).
const (
	service = "_lanyard._udp"
	domain  = "local."
)

// answer is a service that was found.
type answer struct {
	instance string
	text     []string
	port     int
	addrs    []netip.Addr
}

// network is what a Source needs of the library.
type network interface {
	// register announces until stop is called, which may block.
	register(instance string, port int, text []string) (stop func(), err error)
	// browse asks for services until ctx ends, and then closes found. Nobody
	// needs to read what comes after ctx ended.
	browse(ctx context.Context, found chan<- answer) error
	// interfaces tells the network interfaces apart from what they were.
	interfaces() (fingerprint string, linkLocal []string)
}

// zeroconfNetwork is the real one.
type zeroconfNetwork struct{}

func (zeroconfNetwork) register(instance string, port int, text []string) (func(), error) {
	s, err := zeroconf.RegisterProxy(instance, service, domain, port, instance, nil, text, nil)
	if err != nil {
		return nil, err
	}
	return s.Shutdown, nil
}

// browse uses a resolver for each family: one that cannot be had, such as IPv6
// where it is switched off, would take the other with it and leave its socket
// open.
func (zeroconfNetwork) browse(ctx context.Context, found chan<- answer) error {
	var failed error
	entries := make(chan (<-chan *zeroconf.ServiceEntry), 2)
	begun := 0
	for _, family := range []zeroconf.IPType{zeroconf.IPv4, zeroconf.IPv6} {
		r, err := zeroconf.NewResolver(zeroconf.SelectIPTraffic(family))
		if err != nil {
			failed = err
			continue
		}
		ch := make(chan *zeroconf.ServiceEntry, 64)
		// An error ends the query, and the channel is closed all the same.
		if err := r.Browse(ctx, service, domain, ch); err != nil {
			failed = err
		}
		entries <- ch
		begun++
	}
	if begun == 0 {
		close(found)
		return failed
	}
	go forward(entries, begun, found)
	return nil
}

// forward passes answers of several channels on, and closes found when all are
// closed.
func forward(entries <-chan (<-chan *zeroconf.ServiceEntry), n int, found chan<- answer) {
	defer close(found)
	done := make(chan struct{}, n)
	for range n {
		ch := <-entries
		go func() {
			for e := range ch {
				if a, ok := answerOf(e); ok {
					found <- a
				}
			}
			done <- struct{}{}
		}()
	}
	for range n {
		<-done
	}
}

// instanceName is what our own announcements are called.
var instanceName = regexp.MustCompile(`^[a-z2-7]{13}$`)

func answerOf(e *zeroconf.ServiceEntry) (answer, bool) {
	a := answer{instance: strings.ToLower(e.Instance), text: e.Text, port: e.Port}
	if !instanceName.MatchString(a.instance) || e.Port < 1 || e.Port > 65535 {
		return a, false
	}
	for _, ips := range [][]net.IP{e.AddrIPv4, e.AddrIPv6} {
		for _, ip := range ips {
			if addr, ok := netip.AddrFromSlice(ip); ok && len(a.addrs) < maxAddrs {
				a.addrs = append(a.addrs, addr.Unmap())
			}
		}
	}
	return a, true
}

// maxAddrs is how many addresses of one announcement are looked at.
const maxAddrs = 16

// newInstance draws a name.
func newInstance() string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:]))
}

func (zeroconfNetwork) interfaces() (string, []string) {
	list, err := net.Interfaces()
	if err != nil {
		return "", nil
	}
	var all strings.Builder
	var zones []string
	for _, i := range list {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagMulticast == 0 {
			continue
		}
		zones = append(zones, i.Name)
		all.WriteString(i.Name)
		addrs, err := i.Addrs()
		if err != nil {
			continue // it went away meanwhile
		}
		for _, a := range addrs {
			all.WriteString(" " + a.String())
		}
		all.WriteByte('\n')
	}
	return all.String(), zones
}

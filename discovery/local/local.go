// Package local finds devices by Syncthing's local discovery, version 4: each
// announces its ID and addresses to its network, by IPv4 broadcast and IPv6
// multicast, every half minute and as soon as it hears of a newcomer.
//
// An announcement carries the whole device ID for everybody on the network to
// read. So a Source announces only where Options.Announce allows it, and
// listens always. What it hears is a hint: nobody proves anything by it.
package local

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"lanyard/sync/device"
	"lanyard/sync/fault"
)

// Port is where announcements are sent to.
const Port = 21027

// Times of the protocol.
const (
	Interval = 30 * time.Second // between announcements
	Life     = 90 * time.Second // of what was heard
	// answerPause is the least time between two answers to newcomers.
	answerPause = time.Second
)

// Limits of what is heard.
const (
	maxDevices = 1024
	packets    = 50 // parsed in each second
)

// Sighting is a device that was heard of.
type Sighting struct {
	ID        device.ID
	Addresses []string // with the sender's address where they had none
	// Fresh is set where the device was not known, or has been started anew.
	Fresh bool
}

// Options of a Source. ID, Addresses and Seen are required.
type Options struct {
	ID device.ID
	// Addresses gives what is to be announced, as listener URLs.
	Addresses func() []string
	// Announce reports whether the network behind an interface may be told that
	// this device is there; nil means on none.
	Announce func(Interface) bool
	// Seen takes sightings. It must not block.
	Seen func(Sighting)
	// Limited is told that announcements cannot be heard as they should be, and
	// nil once they can.
	Limited func(error)
	// Taken is told, with each announcement, whether another program of this
	// machine has the port for IPv4 to itself: a Syncthing, as a rule.
	Taken func(bool)
	// Interfaces lists where to send to; nil asks the system.
	Interfaces func() ([]Interface, error)
	// Port and Interval are those of the protocol where they are 0.
	Port     uint16
	Interval time.Duration
	Log      *slog.Logger
}

// Interface is a network interface that is up and not loopback.
type Interface struct {
	Name         string
	Index        int
	Multicast    bool
	PointToPoint bool           // one device at the other end, as tunnels have
	Prefixes     []netip.Prefix // its addresses with their networks
}

// Source announces and listens. Methods may be called concurrently.
type Source struct {
	o        Options
	instance int64
	hurry    chan struct{} // of capacity 1: announce now

	mu      sync.Mutex
	heard   map[device.ID]heard
	second  time.Time // in which packets are counted
	counted int
}

type heard struct {
	instance int64
	at       time.Time
}

// New returns a Source. It starts nothing: call Run.
func New(o Options) *Source {
	o.Port = cmp.Or(o.Port, Port)
	o.Interval = cmp.Or(o.Interval, Interval)
	if o.Interfaces == nil {
		o.Interfaces = Interfaces
	}
	if o.Announce == nil {
		o.Announce = func(Interface) bool { return false }
	}
	if o.Limited == nil {
		o.Limited = func(error) {}
	}
	if o.Taken == nil {
		o.Taken = func(bool) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Log = o.Log.With("component", "local discovery")
	return &Source{o: o, instance: rand.Int64(), hurry: make(chan struct{}, 1), heard: map[device.ID]heard{}}
}

// Refresh announces now and looks at the interfaces anew: call it when the
// network, the addresses or the permission changed.
func (s *Source) Refresh() {
	select {
	case s.hurry <- struct{}{}:
	default:
	}
}

// Run announces and listens until ctx ends, and returns the cause. Sockets that
// cannot be had are tried again with each announcement.
func (s *Source) Run(ctx context.Context) error {
	four, six := &socket{network: "udp4"}, &socket{network: "udp6"}
	var readers sync.WaitGroup
	defer readers.Wait()
	defer four.close()
	defer six.close()
	timer := time.NewTimer(0)
	defer timer.Stop()
	var last time.Time
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-s.hurry:
			// Newcomers that come together are answered together.
			timer.Reset(max(0, answerPause-time.Since(last)))
			continue
		case <-timer.C:
		}
		for _, sock := range []*socket{four, six} {
			if conn := sock.open(ctx, s.o.Port, s.o.Log); conn != nil {
				readers.Go(func() { s.listen(conn) })
			}
		}
		s.o.Limited(limited(four, six))
		s.o.Taken(Taken(four.failed))
		s.round(four, six)
		last = time.Now()
		timer.Reset(s.o.Interval)
	}
}

// limited says what is amiss with the sockets.
func limited(four, six *socket) error {
	if four.failed == nil {
		return nil
	}
	return fault.Wrap(fault.Retry, "announce-limited", "listen for devices on this network", "", errors.Join(four.failed, six.failed))
}

// round announces once on every interface that may be told.
func (s *Source) round(four, six *socket) {
	interfaces, err := s.o.Interfaces()
	if err != nil {
		s.o.Log.Warn("interfaces cannot be listed", "error", err)
		return
	}
	packet := Announcement{ID: s.o.ID, Addresses: s.o.Addresses(), Instance: s.instance}.Append(nil)
	for _, i := range interfaces {
		six.join(i)
		if !s.o.Announce(i) {
			continue
		}
		for _, to := range i.Broadcasts() {
			four.send(packet, netip.AddrPortFrom(to, s.o.Port), s.o.Log)
		}
		if i.Multicast {
			six.send(packet, netip.AddrPortFrom(Group.WithZone(i.Name), s.o.Port), s.o.Log)
		}
	}
}

// Group is where announcements go by IPv6.
var Group = netip.MustParseAddr("ff12::8384")

// Broadcasts gives the broadcast address of each of the interface's IPv4
// networks.
func (i Interface) Broadcasts() []netip.Addr {
	var out []netip.Addr
	for _, p := range i.Prefixes {
		if !p.Addr().Is4() || p.Bits() > 30 {
			continue
		}
		a := p.Addr().As4()
		for bit := p.Bits(); bit < 32; bit++ {
			a[bit/8] |= 0x80 >> (bit % 8)
		}
		out = append(out, netip.AddrFrom4(a))
	}
	return out
}

// listen takes packets until the socket is closed.
func (s *Source) listen(conn *net.UDPConn) {
	buf := make([]byte, maxPacket+1)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil && s.allowed() {
			s.take(buf[:n], from)
		}
	}
}

// allowed counts packets: more in a second than any network needs are dropped
// unread.
func (s *Source) allowed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := time.Now(); now.Sub(s.second) >= time.Second {
		s.second, s.counted = now, 0
	}
	s.counted++
	return s.counted <= packets
}

// take takes one packet.
func (s *Source) take(packet []byte, from netip.AddrPort) {
	a, err := Parse(packet)
	if err != nil || a.ID == s.o.ID {
		return
	}
	fresh, known := s.note(a)
	if !known {
		return
	}
	if fresh {
		s.Refresh()
	}
	s.o.Seen(Sighting{ID: a.ID, Addresses: resolve(a.Addresses, from.Addr().Unmap()), Fresh: fresh})
}

// note remembers a device. known is false where there are too many.
func (s *Source) note(a Announcement) (fresh, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	before, was := s.heard[a.ID]
	if !was && len(s.heard) >= maxDevices {
		for id, h := range s.heard {
			if now.Sub(h.at) > Life {
				delete(s.heard, id)
			}
		}
		if len(s.heard) >= maxDevices {
			return false, false
		}
	}
	s.heard[a.ID] = heard{a.Instance, now}
	return !was || before.instance != a.Instance || now.Sub(before.at) > Life, true
}

// resolve puts the sender's address where an address has no host.
func resolve(addresses []string, from netip.Addr) []string {
	out := make([]string, 0, len(addresses))
	for _, s := range addresses {
		scheme, rest, ok := strings.Cut(s, "://")
		if !ok {
			continue
		}
		host, port, err := net.SplitHostPort(rest)
		if err != nil {
			continue
		}
		if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
			host = from.String()
		}
		out = append(out, scheme+"://"+net.JoinHostPort(host, port))
	}
	return out
}

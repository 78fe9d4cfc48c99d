package transport

import (
	"errors"
	"net"
	"net/netip"
	"sync"
)

// The limits on what a stranger can hold open. Half-open handshakes have a
// pool of their own, so that strangers who completed theirs do not shut out
// the devices that we know. Those of TCP have another than those of QUIC, which
// can come from a source address that is made up. Several known devices may share one address (a
// router's, or one machine's), so it may have more half-open handshakes than
// unpaired connections.
const (
	maxHalfOpen         = 16
	maxHalfOpenPerHost  = 8
	maxUnpaired         = 16
	maxUnpairedPerHost  = 4
	maxPairing          = 8
	maxPairingPerHost   = 4
	maxWaiting          = 64 // of known devices, until Accept takes them
	crowdedFromHalfOpen = 8  // from here on source addresses are validated
)

var (
	errTooManyHandshakes = errors.New("too many handshakes are under way")
	errTooManyUnpaired   = errors.New("too many connections of unknown devices")
	errTooManyPairing    = errors.New("too many devices want to be paired")
	errTooManyWaiting    = errors.New("too many connections wait to be accepted")
)

// gate counts incoming connections until their device is known or admitted.
// It is safe for concurrent use.
type gate struct {
	mu          sync.Mutex
	halfOpen    pool
	halfOpenTCP pool
	unpaired    pool
	pairing     pool
	waiting     pool
}

func newGate() *gate {
	return &gate{
		halfOpen:    newPool(maxHalfOpen, maxHalfOpenPerHost),
		halfOpenTCP: newPool(maxHalfOpen, maxHalfOpenPerHost),
		unpaired:    newPool(maxUnpaired, maxUnpairedPerHost),
		pairing:     newPool(maxPairing, maxPairingPerHost),
		waiting:     newPool(maxWaiting, maxWaiting),
	}
}

// enter counts a new handshake from a host, or refuses it.
func (g *gate) enter(from net.Addr) (*slot, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	host, in := hostOf(from), &g.halfOpen
	if from.Network() == "tcp" {
		in = &g.halfOpenTCP
	}
	if !in.take(host) {
		return nil, errTooManyHandshakes
	}
	return &slot{gate: g, host: host, in: in}, nil
}

// crowded reports whether so many handshakes of QUIC are half-open that a new
// one must first prove its source address (QUIC Retry, one more round trip).
func (g *gate) crowded() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.halfOpen.total >= crowdedFromHalfOpen
}

// slot is the place of one incoming connection in a gate.
type slot struct {
	gate *gate
	host netip.Prefix
	in   *pool // nil once it has left; guarded by gate.mu
}

// identified moves a connection whose handshake is complete to the pool of
// its kind, or refuses it.
func (s *slot) identified(known bool) error {
	if known {
		return s.move(&s.gate.waiting, errTooManyWaiting)
	}
	return s.move(&s.gate.unpaired, errTooManyUnpaired)
}

// pairs is identified for a connection on which devices are paired. It has its
// own place, so that strangers who want to talk do not shut it out.
func (s *slot) pairs() error { return s.move(&s.gate.pairing, errTooManyPairing) }

func (s *slot) move(to *pool, full error) error {
	s.gate.mu.Lock()
	defer s.gate.mu.Unlock()
	if s.in == nil {
		return net.ErrClosed
	}
	s.in.give(s.host)
	s.in = nil
	if !to.take(s.host) {
		return full
	}
	s.in = to
	return nil
}

// leave frees the place. Further calls do nothing.
func (s *slot) leave() {
	s.gate.mu.Lock()
	defer s.gate.mu.Unlock()
	if s.in != nil {
		s.in.give(s.host)
		s.in = nil
	}
}

// pool counts places in total and per host.
type pool struct {
	limit, perHost int
	total          int
	hosts          map[netip.Prefix]int
}

func newPool(limit, perHost int) pool {
	return pool{limit: limit, perHost: perHost, hosts: map[netip.Prefix]int{}}
}

func (p *pool) take(host netip.Prefix) bool {
	if p.total >= p.limit || p.hosts[host] >= p.perHost {
		return false
	}
	p.total++
	p.hosts[host]++
	return true
}

func (p *pool) give(host netip.Prefix) {
	p.total--
	if p.hosts[host]--; p.hosts[host] == 0 {
		delete(p.hosts, host)
	}
}

// hostOf gives what counts as one host: an IPv4 or link-local address, or the
// /64 of another IPv6 address, since one host has all of that to choose from.
func hostOf(a net.Addr) netip.Prefix {
	ip := addrPort(a).Addr().Unmap().WithZone("")
	bits := ip.BitLen()
	if ip.Is6() && !ip.IsLinkLocalUnicast() && !ip.IsLoopback() {
		bits = 64
	}
	host, err := ip.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return host
}

package transport

import (
	"errors"
	"fmt"
	"net"
	"testing"

	"pgregory.net/rapid"
)

func udp(ip string) net.Addr { return &net.UDPAddr{IP: net.ParseIP(ip), Port: 22000} }

// enterUnpaired takes a slot for an unknown device.
func enterUnpaired(g *gate, ip string) (*slot, error) {
	s, err := g.enter(udp(ip))
	if err != nil {
		return nil, err
	}
	return s, s.identified(false)
}

func TestTheGateAdmitsFourUnknownDevicesFromOneAddress(t *testing.T) {
	g := newGate()
	var first *slot
	for i := range maxUnpairedPerHost {
		s, err := enterUnpaired(g, "192.0.2.1")
		if err != nil {
			t.Fatalf("connection %d: %v", i+1, err)
		}
		if first == nil {
			first = s
		}
	}
	if _, err := enterUnpaired(g, "192.0.2.1"); !errors.Is(err, errTooManyUnpaired) {
		t.Errorf("connection 5: got %v, want errTooManyUnpaired", err)
	}
	if _, err := enterUnpaired(g, "192.0.2.2"); err != nil {
		t.Errorf("from another address: %v", err)
	}
	first.leave()
	first.leave()
	if _, err := enterUnpaired(g, "192.0.2.1"); err != nil {
		t.Errorf("after one has left: %v", err)
	}
}

func TestTheGateAdmitsSixteenUnknownDevices(t *testing.T) {
	g := newGate()
	for i := range maxUnpaired {
		if _, err := enterUnpaired(g, fmt.Sprintf("192.0.2.%d", i)); err != nil {
			t.Fatalf("connection %d: %v", i+1, err)
		}
	}
	if _, err := enterUnpaired(g, "192.0.2.99"); !errors.Is(err, errTooManyUnpaired) {
		t.Errorf("connection 17: got %v, want errTooManyUnpaired", err)
	}
	s, err := g.enter(udp("192.0.2.99"))
	if err != nil || s.identified(true) != nil {
		t.Errorf("a known device was shut out by strangers: %v", err)
	}
}

func TestSourceAddressesAreValidatedFromEightHandshakesOn(t *testing.T) {
	g := newGate()
	for i := range crowdedFromHalfOpen {
		if g.crowded() {
			t.Errorf("crowded with %d handshakes", i)
		}
		if _, err := g.enter(udp(fmt.Sprintf("192.0.2.%d", i))); err != nil {
			t.Fatal(err)
		}
	}
	if !g.crowded() {
		t.Errorf("not crowded with %d handshakes", crowdedFromHalfOpen)
	}
}

func TestOneHostIsAnIPv4AddressOrAnIPv6Network(t *testing.T) {
	tests := []struct {
		a, b string
		same bool
	}{
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"2001:db8::1", "2001:db8::2", true},
		{"2001:db8::1", "2001:db8:0:1::1", false},
		{"fe80::1", "fe80::2", false},
	}
	for _, test := range tests {
		if got := hostOf(udp(test.a)) == hostOf(udp(test.b)); got != test.same {
			t.Errorf("%s and %s: got same %v, want %v", test.a, test.b, got, test.same)
		}
	}
}

func TestTheGateIsEmptyOnceAllHaveLeft(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := newGate()
		var slots []*slot
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 2).Draw(t, "step") {
			case 0:
				ip := fmt.Sprintf("192.0.2.%d", rapid.IntRange(1, 5).Draw(t, "host"))
				if s, err := g.enter(udp(ip)); err == nil {
					slots = append(slots, s)
				}
			case 1:
				if len(slots) > 0 {
					_ = rapid.SampledFrom(slots).Draw(t, "slot").identified(rapid.Bool().Draw(t, "known"))
				}
			case 2:
				if len(slots) > 0 {
					rapid.SampledFrom(slots).Draw(t, "slot").leave()
				}
			}
		}
		for _, s := range slots {
			s.leave()
		}
		for name, p := range map[string]pool{"half-open": g.halfOpen, "unpaired": g.unpaired, "waiting": g.waiting} {
			if p.total != 0 || len(p.hosts) != 0 {
				t.Errorf("%s: %d left, by host %v", name, p.total, p.hosts)
			}
		}
	})
}

func TestHandshakesOfQUICDoNotShutOutThoseOfTCP(t *testing.T) {
	g := newGate()
	for range maxHalfOpenPerHost {
		if _, err := g.enter(udp("192.0.2.1")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := g.enter(udp("192.0.2.1")); !errors.Is(err, errTooManyHandshakes) {
		t.Errorf("one more of QUIC: got %v, want errTooManyHandshakes", err)
	}
	tcp := &net.TCPAddr{IP: net.ParseIP("192.0.2.1"), Port: 5}
	for i := range maxHalfOpenPerHost + 1 {
		if _, err := g.enter(tcp); (err == nil) != (i < maxHalfOpenPerHost) {
			t.Errorf("handshake %d of TCP: got %v", i+1, err)
		}
	}
}

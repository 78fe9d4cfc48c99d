package local

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"lanyard/sync/device"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	idA = device.ID{1, 2, 3}
	idB = device.ID{4, 5, 6}
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestAnnouncementBytes(t *testing.T) {
	a := Announcement{ID: idA, Addresses: []string{"quic://0.0.0.0:22000", "tcp://:1"}, Instance: -2}
	got := hex.EncodeToString(a.Append(nil))
	want := "2ea7d90b" + "0a20" + "010203" + strings.Repeat("00", 29) +
		"1214" + hex.EncodeToString([]byte("quic://0.0.0.0:22000")) + "1208" + hex.EncodeToString([]byte("tcp://:1")) +
		"18feffffffffffffffff01"
	if got != want {
		t.Errorf("packet\n%s, want\n%s", got, want)
	}
	b, err := hex.DecodeString(want)
	must(t, err)
	back, err := Parse(append(b, 0x22, 1, 'x', 0x28, 7)) // fields of a later version
	if err != nil || back.ID != a.ID || back.Instance != a.Instance || !slices.Equal(back.Addresses, a.Addresses) {
		t.Errorf("read back %+v, %v", back, err)
	}
}

func TestPacketsThatAreRefused(t *testing.T) {
	good := Announcement{ID: idA, Addresses: []string{"quic://:1"}}.Append(nil)
	for name, b := range map[string][]byte{
		"empty":               nil,
		"cut":                 good[:20],
		"old magic":           append([]byte{0x7D, 0x79, 0xBC, 0x40}, good[4:]...),
		"no ID":               good[:4],
		"a zero ID":           Announcement{}.Append(nil),
		"a short ID":          append(bytes.Clone(good[:4]), 0x0a, 3, 1, 2, 3),
		"too large":           append(bytes.Clone(good), append([]byte{0x22, 0x80, 0x10}, make([]byte, 2048)...)...),
		"control characters":  Announcement{ID: idA, Addresses: []string{"quic://\x1b[2J:1"}}.Append(nil),
		"a long address":      Announcement{ID: idA, Addresses: []string{strings.Repeat("a", 256)}}.Append(nil),
		"seventeen addresses": append(Announcement{ID: idA, Addresses: slices.Repeat([]string{"quic://:1"}, 16)}.Append(nil), 0x12, 1, 'x'),
		"a group":             append(bytes.Clone(good), 0x23),
	} {
		if a, err := Parse(b); !errors.Is(err, ErrNoAnnouncement) {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(Announcement{ID: idA, Addresses: []string{"quic://:22000"}, Instance: 7}.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := Parse(b)
		if err != nil {
			return
		}
		again, err := Parse(a.Append(nil))
		if err != nil || again.ID != a.ID || !slices.Equal(again.Addresses, a.Addresses) || again.Instance != a.Instance {
			t.Errorf("%+v, and once more %+v, %v", a, again, err)
		}
	})
}

func TestBroadcastAddresses(t *testing.T) {
	i := Interface{Prefixes: []netip.Prefix{
		netip.MustParsePrefix("192.168.1.7/24"), netip.MustParsePrefix("10.99.0.1/20"), netip.MustParsePrefix("10.0.0.1/31"),
		netip.MustParsePrefix("10.0.0.2/32"), netip.MustParsePrefix("fe80::1/64"),
	}}
	if got := fmt.Sprint(i.Broadcasts()); got != "[192.168.1.255 10.99.15.255]" {
		t.Error(got)
	}
}

func TestTheSendersAddressStandsIn(t *testing.T) {
	from := netip.MustParseAddr("fe80::1%eth0")
	got := resolve([]string{"quic://:22000", "quic://0.0.0.0:1", "tcp://[::]:2", "quic://10.1.1.1:3", "relay://x.org:443", "nonsense", "quic://a"}, from)
	want := []string{"quic://[fe80::1%eth0]:22000", "quic://[fe80::1%eth0]:1", "tcp://[fe80::1%eth0]:2", "quic://10.1.1.1:3", "relay://x.org:443"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// freePort gives a UDP port that nobody uses.
func freePort(t *testing.T) uint16 {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{})
	must(t, err)
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Port()
}

// loopback is the one interface of these tests; its broadcasts reach every
// program of this machine that listens on their port.
func loopback() ([]Interface, error) {
	return []Interface{{Name: "lo", Index: 1, Prefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/8")}}}, nil
}

// start runs a Source until the test ends; it announces if asked to. It listens
// when start returns.
func start(t *testing.T, id device.ID, port uint16, announce bool) (seen chan Sighting, stop func()) {
	t.Helper()
	seen = make(chan Sighting, 64)
	open := make(chan struct{})
	listens := sync.OnceFunc(func() { close(open) })
	s := New(Options{
		ID: id, Addresses: func() []string { return []string{"quic://:22000"} },
		Announce: func(Interface) bool { return announce }, Interfaces: loopback, Port: port, Interval: time.Hour,
		Limited: func(error) { listens() },
		Seen: func(s Sighting) {
			select {
			case seen <- s:
			default:
			}
		},
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	<-open
	stop = func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run ended with %v", err)
		}
	}
	return seen, stop
}

func await(t *testing.T, seen chan Sighting, id device.ID) Sighting {
	t.Helper()
	late := time.NewTimer(30 * time.Second)
	defer late.Stop()
	for {
		select {
		case s := <-seen:
			if s.ID == id {
				return s
			}
		case <-late.C:
			t.Fatalf("%v is never seen", id.Short())
		}
	}
}

func TestANewcomerIsSeenAndAnswered(t *testing.T) {
	port := freePort(t)
	seenA, stopA := start(t, idA, port, true)
	defer stopA()
	seenB, stopB := start(t, idB, port, true)
	got := await(t, seenA, idB)
	if !got.Fresh || !slices.Equal(got.Addresses, []string{"quic://127.0.0.1:22000"}) {
		t.Errorf("sighting %+v", got)
	}
	await(t, seenB, idA) // long before the next round
	stopB()
	// A program that was started anew is fresh once more.
	_, stopB = start(t, idB, port, true)
	defer stopB()
	for !await(t, seenA, idB).Fresh { // until then: what it answered before
	}
}

func TestOneThatMayNotAnnounceListens(t *testing.T) {
	port := freePort(t)
	seenA, stopA := start(t, idA, port, false)
	defer stopA()
	seenB, stopB := start(t, idB, port, true)
	defer stopB()
	await(t, seenA, idB)
	// idA must have been silent, though it heard of a newcomer: a third device
	// is heard by both, idA by none.
	idC := device.ID{7}
	_, stopC := start(t, idC, port, true)
	defer stopC()
	await(t, seenB, idC)
	for len(seenB) > 0 {
		if s := <-seenB; s.ID == idA {
			t.Errorf("one that may not announce was heard: %+v", s)
		}
	}
}

func TestWhatIsHeardIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var last Sighting
		n := 0
		s := New(Options{ID: idA, Seen: func(got Sighting) { last = got; n++ }})
		from := netip.MustParseAddrPort("192.168.1.2:5")
		id := func(i int) device.ID { return device.ID{9, byte(i), byte(i >> 8)} }
		for i := range 2 * maxDevices {
			s.take(Announcement{ID: id(i), Addresses: []string{"quic://:1"}}.Append(nil), from)
		}
		if len(s.heard) != maxDevices || n != maxDevices {
			t.Errorf("%d devices are remembered, %d told of; want %d", len(s.heard), n, maxDevices)
		}
		<-time.After(Life + time.Second)
		s.take(Announcement{ID: idB, Addresses: []string{"quic://:1"}}.Append(nil), from)
		if last.ID != idB {
			t.Error("when the others are forgotten, a new one is not told of")
		}
		s.take(Announcement{ID: idA}.Append(nil), from)
		if last.ID != idB {
			t.Error("it hears itself")
		}
		allowed := 0
		for range 10 * packets {
			if s.allowed() {
				allowed++
			}
		}
		if allowed != packets {
			t.Errorf("%d packets of one second are parsed, want %d", allowed, packets)
		}
		<-time.After(time.Second)
		if !s.allowed() {
			t.Error("a second later packets are still refused")
		}
	})
}

func TestATakenPortIsToldAndDoesNotEndIt(t *testing.T) {
	taken, err := net.ListenUDP("udp4", &net.UDPAddr{}) // without sharing
	must(t, err)
	told, had := make(chan error, 8), make(chan bool, 8)
	s := New(Options{
		ID: idA, Addresses: func() []string { return nil }, Seen: func(Sighting) {}, Interfaces: loopback,
		Port: taken.LocalAddr().(*net.UDPAddr).AddrPort().Port(), Interval: time.Hour,
		Limited: func(err error) { told <- err }, Taken: func(yes bool) { had <- yes },
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	if err := <-told; err == nil {
		t.Error("a taken port is no problem")
	}
	if !<-had {
		t.Error("nobody has the port")
	}
	must(t, taken.Close())
	for s.Refresh(); ; s.Refresh() {
		err := <-told
		if yes := <-had; yes != (err != nil) {
			t.Errorf("somebody has the port: %v, with the error %v", yes, err)
		}
		if err == nil {
			break
		}
	}
	cancel()
	<-done
}

package transport_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"

	"lanyard/sync/device"
	"lanyard/sync/fault"
	"lanyard/sync/transport"
	"lanyard/sync/transport/transporttest"
)

// listenLAN opens a transport of both protocols with a new identity.
func listenLAN(t testing.TB, o transport.Options) (transport.Transport, device.ID) {
	t.Helper()
	return listenBy(t, transport.Listen, "quic://127.0.0.1:0", o)
}

func TestBothProtocolsTogetherAreATransport(t *testing.T) {
	transporttest.Run(t, func(t *testing.T) transporttest.Pair {
		a, aID := listenLAN(t, transport.Options{Known: everyone})
		b, bID := listenLAN(t, transport.Options{Known: everyone})
		return transporttest.Pair{A: a, B: b, AID: aID, BID: bID, OverTCP: true}
	})
}

func TestBothProtocolsWithoutTCPAreATransport(t *testing.T) {
	transporttest.Run(t, func(t *testing.T) transporttest.Pair {
		a, aID := listenLAN(t, transport.Options{Known: everyone, NoTCP: true})
		b, bID := listenLAN(t, transport.Options{Known: everyone, NoTCP: true})
		return transporttest.Pair{A: a, B: b, AID: aID, BID: bID}
	})
}

func TestOnePortNumberServesBothProtocols(t *testing.T) {
	for _, at := range []string{"quic://127.0.0.1:0", "quic4://0.0.0.0:0", "quic://0.0.0.0:0"} {
		tr, _ := listenLAN(t, transport.Options{Listen: at})
		got := tr.Addresses()
		if len(got) != 2 || got[1] != strings.Replace(got[0], "quic", "tcp", 1) {
			t.Errorf("%s: listens on %v, want QUIC and TCP on one port", at, got)
		}
	}
	tr, _ := listenLAN(t, transport.Options{Listen: "tcp://127.0.0.1:0"})
	if got := tr.Addresses(); len(got) != 1 || !strings.HasPrefix(got[0], "tcp://127.0.0.1:") {
		t.Errorf("listens on %v, want TCP alone", got)
	}
}

// takenTCP gives a QUIC URL whose UDP port is free, and a listener that has the
// TCP port of the same number.
func takenTCP(t *testing.T) (address string, l net.Listener) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return "quic://" + l.Addr().String(), l
}

func TestATCPPortOfAnotherProgramLeavesQUIC(t *testing.T) {
	address, _ := takenTCP(t)
	alone, id := listenLAN(t, transport.Options{Listen: address, Known: everyone})
	if got := alone.Addresses(); !slices.Equal(got, []string{address}) {
		t.Fatalf("listens on %v, want %s alone", got, address)
	}
	other, otherID := listenLAN(t, transport.Options{Known: everyone})
	// What has the TCP port accepts and says nothing: QUIC follows after a while.
	wantProtocol(t, other, alone, id, "quic")
	wantProtocol(t, alone, other, otherID, "tcp") // it still dials with TCP
}

// wantProtocol dials the first address of a transport and checks what both
// sides run over.
func wantProtocol(t *testing.T, from, at transport.Transport, id device.ID, want string) {
	t.Helper()
	accepted, dialed := meet(t, at, from, id)
	for _, c := range []transport.Conn{accepted, dialed} {
		if got, _, _ := strings.Cut(c.RemoteAddress(), "://"); got != want {
			t.Errorf("the connection with %s runs over %s, want %s", c.RemoteAddress(), got, want)
		}
	}
}

func TestTCPIsForTheOwnNetwork(t *testing.T) {
	at, id := listenLAN(t, transport.Options{Known: everyone})
	from, _ := listenLAN(t, transport.Options{})
	wantProtocol(t, from, at, id, "tcp")
	transport.SetFar(from)
	wantProtocol(t, from, at, id, "quic")
}

func TestQUICIsThereWhereTCPIsNot(t *testing.T) {
	at, id := listen(t, transport.Options{Known: everyone})
	from, _ := listenLAN(t, transport.Options{})
	wantProtocol(t, from, at, id, "quic")
}

// TestADeviceThatIsJustStartingIsReachedOverTCP dials a port that refuses TCP
// until QUIC is tried there too.
func TestADeviceThatIsJustStartingIsReachedOverTCP(t *testing.T) {
	silent, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	address := "quic://" + silent.LocalAddr().String()
	identity, id := newIdentity(t)
	starts := make(chan error, 1)
	go func() {
		if _, _, err := silent.ReadFrom(make([]byte, 2000)); err != nil {
			starts <- err
			return
		}
		at, err := transport.ListenTCP(transport.Options{Certificate: identity, Known: everyone, Listen: strings.Replace(address, "quic", "tcp", 1)})
		if err == nil {
			t.Cleanup(func() { at.Close() })
		}
		starts <- err
	}()
	from, _ := listenLAN(t, transport.Options{})
	c, err := from.Dial(t.Context(), address, id)
	if started := <-starts; started != nil {
		t.Fatal(started)
	}
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	if !strings.HasPrefix(c.RemoteAddress(), "tcp://") {
		t.Errorf("connected to %s, want TCP", c.RemoteAddress())
	}
}

func TestADeviceThatHasTCPAloneIsReached(t *testing.T) {
	at, id := listenTCP(t, transport.Options{Known: everyone})
	from, fromID := listenLAN(t, transport.Options{Known: everyone})
	wantProtocol(t, from, at, id, "tcp")
	asQUIC := strings.Replace(at.Addresses()[0], "tcp", "quic", 1)
	if _, err := from.Dial(t.Context(), asQUIC, id); err != nil {
		t.Errorf("dial %s: %v", asQUIC, err)
	}
	alone, _ := listenLAN(t, transport.Options{Listen: "tcp://127.0.0.1:0"})
	wantProtocol(t, alone, from, fromID, "tcp")
	transport.SetFar(alone)
	if c, err := alone.Dial(t.Context(), from.Addresses()[0], fromID); err == nil {
		t.Errorf("a device without QUIC dialed %s", c.RemoteAddress())
	}
}

func TestTCPMayBeLeftOut(t *testing.T) {
	at, id := listenLAN(t, transport.Options{Known: everyone})
	from, _ := listenLAN(t, transport.Options{NoTCP: true})
	wantProtocol(t, from, at, id, "quic")
	if got := from.Addresses(); len(got) != 1 || !strings.HasPrefix(got[0], "quic://") {
		t.Errorf("listens on %v, want QUIC alone", got)
	}
	if _, err := from.Dial(t.Context(), at.Addresses()[1], id); err == nil || fault.KindOf(err) != fault.Retry {
		t.Errorf("dial of a TCP address: got %v, want an error", err)
	}
}

func TestAnotherDeviceOnTheTCPPortIsNoHindrance(t *testing.T) {
	at, id := listen(t, transport.Options{Known: everyone})
	wrong, _ := listenTCP(t, transport.Options{Listen: strings.Replace(at.Addresses()[0], "quic", "tcp", 1)})
	from, _ := listenLAN(t, transport.Options{})
	wantProtocol(t, from, at, id, "quic")
	_, err := from.Dial(t.Context(), at.Addresses()[0], device.ID{1})
	if met, ok := errors.AsType[*transport.OtherDeviceError](err); !ok || met.Met == id {
		t.Errorf("dial: got %v, want the device on the TCP port", err)
	}
	_ = wrong
}

// TestARaceIsSeenAsOneConnection has both dials begin at once, so that now one
// wins and now the other, and often both complete.
func TestARaceIsSeenAsOneConnection(t *testing.T) {
	for range 10 { // a few each: a dial that is called off stays half-open with QUIC for a while
		at, id := listenLAN(t, transport.Options{Known: everyone})
		from, _ := listenLAN(t, transport.Options{})
		transport.SetLead(from, 0)
		for range 5 {
			accepted, dialed := meet(t, at, from, id)
			scheme, _, _ := strings.Cut(dialed.LocalAddress(), "://")
			if got := accepted.RemoteAddress(); scheme == "tcp" && got != dialed.LocalAddress() || !strings.HasPrefix(got, scheme) {
				t.Fatalf("the dialer uses %s and the other side accepted %s", dialed.LocalAddress(), got)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if c, err := at.Accept(ctx); err == nil {
			t.Errorf("a connection from %s was left over", c.RemoteAddress())
		}
	}
}

func TestBadAddressesToListenOnAreRefused(t *testing.T) {
	cert, _ := newIdentity(t)
	for _, at := range []string{"udp://127.0.0.1:0", "127.0.0.1:0", "tcp://127.0.0.1:99999"} {
		if tr, err := transport.Listen(transport.Options{Listen: at, Certificate: cert}); err == nil {
			tr.Close()
			t.Errorf("%s: got a transport", at)
		}
	}
	if tr, err := transport.Listen(transport.Options{Listen: "tcp://127.0.0.1:0", Certificate: cert, NoTCP: true}); err == nil {
		tr.Close()
		t.Error("TCP without TCP: got a transport")
	}
	if tr, err := transport.Listen(transport.Options{Listen: "quic://127.0.0.1:0"}); err == nil {
		tr.Close()
		t.Error("no identity: got a transport")
	}
}

func TestAUDPPortOfAnotherProgramIsAFault(t *testing.T) {
	first, _ := listenLAN(t, transport.Options{})
	cert, _ := newIdentity(t)
	second, err := transport.Listen(transport.Options{Certificate: cert, Listen: first.Addresses()[0]})
	if err == nil {
		second.Close()
		t.Fatal("two transports listen on one port")
	}
	if got := fault.CodeOf(err); got != transport.CodePortTaken {
		t.Errorf("listen: got code %q in %v, want %q", got, err, transport.CodePortTaken)
	}
}

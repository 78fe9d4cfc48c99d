package transport_test

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quic-go/quic-go/testutils/simnet"

	"lanyard/sync/device"
	"lanyard/sync/transport"
	"lanyard/sync/transport/transporttest"
)

// delayed is a simulated network with a delay of 10 ms each way. Its
// transports are made inside a synctest bubble.
type delayed struct {
	network *simnet.Simnet
	hosts   byte
	conns   []net.PacketConn
}

func newDelayed() *delayed { return &delayed{network: &simnet.Simnet{Router: &simnet.PerfectRouter{}}} }

// socket gives a new host's socket. It is made before start.
func (d *delayed) socket() net.PacketConn {
	d.hosts++
	c := d.network.NewEndpoint(
		&net.UDPAddr{IP: net.IPv4(192, 0, 2, d.hosts).To4(), Port: 22000},
		simnet.NodeBiDiLinkSettings{Latency: 10 * time.Millisecond})
	d.conns = append(d.conns, c)
	return c
}

func (d *delayed) start(t *testing.T) {
	t.Helper()
	if err := d.network.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, c := range d.conns {
			c.Close()
		}
		if err := d.network.Close(); err != nil {
			t.Error(err)
		}
	})
}

// listenOn runs a transport with a new identity on a socket.
func listenOn(t *testing.T, o transport.Options, conn net.PacketConn) (transport.Transport, device.ID) {
	t.Helper()
	var id device.ID
	o.Certificate, id = newIdentity(t)
	tr, err := transport.NewQUICOn(o, conn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tr.Close() })
	return tr, id
}

func everyone(device.ID) bool { return true }

func TestQUICOnASlowNetworkIsATransport(t *testing.T) {
	for _, c := range transporttest.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDelayed()
				onA, onB := d.socket(), d.socket()
				d.start(t)
				var p transporttest.Pair
				p.A, p.AID = listenOn(t, transport.Options{Known: everyone}, onA)
				p.B, p.BID = listenOn(t, transport.Options{Known: everyone}, onB)
				c.Run(t, p)
			})
		})
	}
}

// strangers gives a transport that knows nobody, and another on the same
// simulated network.
func strangers(t *testing.T) (at, from transport.Transport, atID device.ID) {
	t.Helper()
	d := newDelayed()
	onA, onB := d.socket(), d.socket()
	d.start(t)
	at, atID = listenOn(t, transport.Options{}, onA)
	from, _ = listenOn(t, transport.Options{}, onB)
	return at, from, atID
}

// meet dials and accepts, with a first byte.
func meet(t *testing.T, at, from transport.Transport, atID device.ID) (accepted, dialed transport.Conn) {
	t.Helper()
	dialed, err := from.Dial(t.Context(), at.Addresses()[0], atID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dialed.Write([]byte{1}); err != nil {
		t.Fatal(err)
	}
	accepted, err = at.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return accepted, dialed
}

// wantEnd waits for the end of a connection and its code, and gives how long
// that took.
func wantEnd(t *testing.T, c transport.Conn, code transport.Code) time.Duration {
	t.Helper()
	start := time.Now()
	<-c.Done()
	if got, ok := c.EndCode(); !ok || got != code {
		t.Errorf("the connection ended with code %d, %v, want %d", got, ok, code)
	}
	return time.Since(start).Round(time.Second)
}

func TestAStrangerThatIsNotAdmittedIsClosedAfter20Seconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at, from, id := strangers(t)
		_, dialed := meet(t, at, from, id)
		if took := wantEnd(t, dialed, transport.CodeTimeout); took != 20*time.Second {
			t.Errorf("it took %v, want 20 s", took)
		}
	})
}

func TestAnAdmittedStrangerStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at, from, id := strangers(t)
		accepted, _ := meet(t, at, from, id)
		transport.Admit(accepted)
		transport.Admit(accepted)
		select {
		case <-accepted.Done():
			t.Error("the connection ended")
		case <-time.After(time.Hour):
		}
	})
}

func TestAKnownDeviceNeedsNoAdmission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDelayed()
		onA, onB := d.socket(), d.socket()
		d.start(t)
		at, id := listenOn(t, transport.Options{Known: everyone}, onA)
		from, _ := listenOn(t, transport.Options{}, onB)
		accepted, _ := meet(t, at, from, id)
		select {
		case <-accepted.Done():
			t.Error("the connection ended")
		case <-time.After(time.Hour):
		}
	})
}

func TestTheFifthStrangerFromOneAddressIsRefusedUntilAnotherEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at, from, id := strangers(t)
		var first transport.Conn
		for i := range 4 {
			accepted, _ := meet(t, at, from, id)
			if i == 0 {
				first = accepted
			}
		}
		fifth, err := from.Dial(t.Context(), at.Addresses()[0], id)
		if err != nil {
			t.Fatal(err) // the dialer learns it a little later
		}
		if took := wantEnd(t, fifth, transport.CodeTimeout); took != 0 {
			t.Errorf("the fifth was refused after %v, want at once", took)
		}
		if err := first.CloseWith(transport.CodeNormal, ""); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		meet(t, at, from, id)
	})
}

func TestADialerThatSaysNothingIsClosedAfter10Seconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at, from, id := strangers(t)
		dialed, err := from.Dial(t.Context(), at.Addresses()[0], id)
		if err != nil {
			t.Fatal(err)
		}
		if took := wantEnd(t, dialed, transport.CodeTimeout); took != 10*time.Second {
			t.Errorf("it took %v, want 10 s", took)
		}
	})
}

func TestADialIntoTheVoidEndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDelayed()
		onA, void := d.socket(), d.socket()
		d.start(t)
		from, _ := listenOn(t, transport.Options{}, onA)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		_, err := from.Dial(ctx, "quic://"+void.LocalAddr().String(), device.ID{1})
		if took := time.Since(start); err == nil || took > 10*time.Second {
			t.Errorf("dial: got %v after %v, want an error within 10 s", err, took)
		}
	})
}

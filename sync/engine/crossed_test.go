package engine

import (
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"lanyard/sync/device"
	"lanyard/sync/index"
	"lanyard/sync/status"
	"lanyard/sync/transport"
)

// newBoth starts a device that listens as the program does.
func newBoth(t testing.TB, name string, o transport.Options) *node {
	t.Helper()
	certPEM, keyPEM, err := device.NewCertificate(time.Now())
	must(t, err)
	return startNode(t, &node{
		name: name, dir: t.TempDir(), store: index.NewMemory(index.MemoryOptions{}), key: [2][]byte{certPEM, keyPEM},
		desired: Desired{Name: name}, options: o, both: true,
	})
}

// withoutTCP gives options for a device whose TCP port another program has,
// which hangs up: that device dials with TCP and is dialed with QUIC.
func withoutTCP(t testing.TB) transport.Options {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait() })
	return transport.Options{Listen: "quic://" + l.Addr().String()}
}

// usedFor gives the connection that is talked on, if it is the only one.
func (n *node) usedFor(other *node) transport.Conn {
	answer := make(chan transport.Conn, 1)
	n.net.turn.Post(func() {
		if l := n.net.links[other.id]; l != nil && len(l.attempts) == 1 && l.used != nil {
			answer <- l.used.conn
			return
		}
		answer <- nil
	})
	return <-answer
}

// sameConnection reports whether two are the ends of one.
func sameConnection(a, b transport.Conn) bool {
	return a != nil && b != nil && a.Dialed() != b.Dialed() &&
		a.LocalAddress() == b.RemoteAddress() && a.RemoteAddress() == b.LocalAddress()
}

// TestCrossedDialsOfBothProtocolsEndWithOneConnection has two devices dial each
// other at once, a hundred times in all or, in a long test, a thousand: both with
// TCP, or one with TCP and the other with QUIC, and whichever has the smaller ID.
func TestCrossedDialsOfBothProtocolsEndWithOneConnection(t *testing.T) {
	const pairs = 10
	times := 10
	if os.Getenv("LANYARD_LONG") != "" {
		times = 100
	}
	var wg sync.WaitGroup
	var met atomic.Int64
	for i := range pairs {
		var o transport.Options
		if i%2 == 1 {
			o = withoutTCP(t)
		}
		a, b := newBoth(t, "a", transport.Options{}), newBoth(t, "b", o)
		wg.Go(func() { met.Add(int64(cross(t, a, b, times))) })
	}
	wg.Wait()
	t.Logf("of %d times two connections were seen to meet in %d", pairs*times, met.Load())
}

// cross has two devices dial each other at once, so many times, and counts how
// often they were seen with more than one connection.
func cross(t *testing.T, a, b *node, times int) (met int) {
	a.shares(photos, b)
	b.shares(photos, a)
	both := func(do func(n, other *node)) {
		var wg sync.WaitGroup
		wg.Go(func() { do(a, b) })
		wg.Go(func() { do(b, a) })
		wg.Wait()
	}
	both(func(n, other *node) { n.knows(other) })
	var before [2]transport.Conn // as a and b see it
	another := func() bool {
		nowA, nowB := a.usedFor(b), b.usedFor(a)
		return nowA != before[0] && nowB != before[1] && sameConnection(nowA, nowB)
	}
	for i := range times {
		if i > 0 {
			both(func(n, other *node) { n.hangUp(other) })
			both(func(n, other *node) {
				n.await("no connection, or already another one", func(status.Snapshot) bool {
					return n.connections(other) == 0 || another()
				})
			})
			both(func(n, _ *node) { n.net.hurry() }) // both pause by now
		}
		crossed := false
		one := func() {
			a.await("one connection, the same at both sides", func(status.Snapshot) bool { return another() })
		}
		look := time.NewTicker(time.Millisecond) // two that meet are two for a moment only
		for late := time.Now().Add(time.Second); !crossed && !another() && time.Now().Before(late); <-look.C {
			crossed = a.connections(b) > 1 || b.connections(a) > 1
		}
		look.Stop()
		one()
		a.inSync(b)
		b.inSync(a)
		one() // a dial may have arrived late, and taken over
		before = [2]transport.Conn{a.usedFor(b), b.usedFor(a)}
		if crossed {
			met++
		}
	}
	b.stop()
	a.awaitConnected(b, false)
	a.stop()
	return met
}

// hangUp ends the connection to a device.
func (n *node) hangUp(other *node) {
	n.net.turn.Post(func() {
		if l := n.net.links[other.id]; l != nil {
			for _, a := range l.attempts {
				n.net.end(a, transport.CodeResumed)
			}
		}
	})
}

func TestADeviceReachedOverTCPIsNotedUnderTheDialedAddress(t *testing.T) {
	tests := []struct{ dialed, want string }{
		{"quic://nas.example:22000", "quic://192.0.2.7:22000"},
		{"quic4://192.0.2.7", "quic4://192.0.2.7:22000"},
		{"tcp://nas.example", "tcp://192.0.2.7:22000"},
	}
	for _, test := range tests {
		if got := reached(test.dialed, remote("tcp://192.0.2.7:22000")); got != test.want {
			t.Errorf("%s: noted as %s, want %s", test.dialed, got, test.want)
		}
	}
	a, b := newBoth(t, "a", transport.Options{}), newBoth(t, "b", transport.Options{})
	a.shares(photos, b)
	b.shares(photos, a)
	b.want(func(d *Desired) { d.Devices = append(d.Devices, DeviceSpec{ID: a.id, Name: a.name}) })
	a.knows(b)
	a.inSync(b)
	if got := a.deviceOf(a.Snapshot(), b).Address; !strings.HasPrefix(got, "tcp://127.0.0.1:") {
		t.Errorf("the connection is shown with %s, want what it runs over", got)
	}
}

// remote is a connection that has nothing but the other side's address.
type remote string

func (r remote) RemoteAddress() string { return string(r) }

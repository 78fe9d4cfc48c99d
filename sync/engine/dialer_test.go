package engine

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/exec"
	"lanyard/sync/fault"
	"lanyard/sync/index"
	"lanyard/sync/status"
	"lanyard/sync/status/statustest"
	"lanyard/sync/transport"
)

// dialed is a transport that nobody dials, and whose dials do as the test says.
type dialed struct {
	dials atomic.Int64
	dial  func() (transport.Conn, error)
}

func (d *dialed) Accept(ctx context.Context) (transport.Conn, error) {
	<-ctx.Done()
	return nil, context.Cause(ctx)
}

func (d *dialed) Dial(context.Context, string, device.ID) (transport.Conn, error) {
	d.dials.Add(1)
	return d.dial()
}

func (d *dialed) Addresses() []string { return nil }
func (d *dialed) Close() error        { return nil }

// hangsUp is a connection that the other side ended at once.
type hangsUp struct{ done chan struct{} }

func newHangsUp() hangsUp {
	c := hangsUp{make(chan struct{})}
	close(c.done)
	return c
}

func (hangsUp) Read([]byte) (int, error)               { return 0, io.EOF }
func (hangsUp) Write(b []byte) (int, error)            { return len(b), nil }
func (hangsUp) PeerID() device.ID                      { return device.ID{2} }
func (hangsUp) PeerName() string                       { return device.CommonName }
func (hangsUp) Extended() bool                         { return true }
func (hangsUp) Dialed() bool                           { return true }
func (hangsUp) LocalAddress() string                   { return "quic://127.0.0.1:1" }
func (hangsUp) RemoteAddress() string                  { return "quic://127.0.0.1:2" }
func (hangsUp) SetDeadline(time.Time) error            { return nil }
func (hangsUp) CloseWith(transport.Code, string) error { return nil }
func (c hangsUp) Done() <-chan struct{}                { return c.done }
func (hangsUp) EndCode() (transport.Code, bool)        { return 0, true }

func TestADeviceThatCannotBeReachedIsDialedMoreAndMoreRarely(t *testing.T) {
	tests := []struct {
		name string
		dial func() (transport.Conn, error)
	}{
		{"it does not answer", func() (transport.Conn, error) { return nil, fault.New(fault.Retry, "", "no answer") }},
		{"it hangs up at once", func() (transport.Conn, error) { return newHangsUp(), nil }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if n := dialsInAnHour(t, tt.dial); n < 50 || n > 100 {
					t.Errorf("%d dials in an hour, want about one a minute", n)
				}
			})
		})
	}
}

func dialsInAnHour(t *testing.T, dial func() (transport.Conn, error)) int64 {
	tr, ex := &dialed{dial: dial}, &exec.Real{}
	e := New(Options{
		ID: device.ID{1}, Store: index.NewMemory(index.MemoryOptions{}), Exec: ex, Transport: tr,
		Rand: rand.New(rand.NewPCG(1, 2)),
	})
	e.Apply(Desired{Devices: []DeviceSpec{{ID: device.ID{2}, Addresses: []string{"quic://127.0.0.1:2"}}}})
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	if err := e.Run(ctx); err != context.DeadlineExceeded {
		t.Errorf("Run ended with %v", err)
	}
	ex.Close()
	return tr.dials.Load()
}

// holdsStill is a connection on which nothing ever happens until it is closed.
type holdsStill struct {
	hangsUp
	once *sync.Once
}

func newHoldsStill() holdsStill {
	return holdsStill{hangsUp{make(chan struct{})}, new(sync.Once)}
}

func (c holdsStill) Read([]byte) (int, error) {
	<-c.done
	return 0, io.EOF
}

func (c holdsStill) CloseWith(transport.Code, string) error {
	c.once.Do(func() { close(c.done) })
	return nil
}

func TestADialedDeviceCountsAsConnectedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ex := &exec.Real{}
		e := New(Options{
			ID: device.ID{1}, Store: index.NewMemory(index.MemoryOptions{}), Exec: ex, Transport: &dialed{},
		})
		e.Apply(Desired{Devices: []DeviceSpec{{ID: device.ID{2}}}})
		synctest.Wait()
		carry := e.net.begin(newHoldsStill(), "quic://127.0.0.1:2")
		if !e.net.connected(device.ID{2}) {
			t.Error("the device would be dialed again before its connection was greeted")
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		carry(ctx)
		if e.net.connected(device.ID{2}) {
			t.Error("the device counts as connected after the connection has ended")
		}
		e.Close()
		ex.Close()
	})
}

// babbles is a connection to a device that greets us well and then breaks the
// protocol.
type babbles struct {
	holdsStill
	says *bytes.Reader
}

func newBabbles() babbles {
	var hello bytes.Buffer
	_ = bep.WriteHello(&hello, bep.Hello{ClientName: "lanyard", NumConnections: 1}) // into memory
	hello.WriteString("\xff\xff")                                                   // a header longer than any
	return babbles{newHoldsStill(), bytes.NewReader(hello.Bytes())}
}

func (c babbles) Read(b []byte) (int, error) {
	if c.says.Len() > 0 {
		return c.says.Read(b)
	}
	return c.holdsStill.Read(b)
}

func TestADeviceThatBreaksTheProtocolIsRedialedAfterLongerAndLongerPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// After 30 s, 1 min, 2, 4, 8, 16 and 30 min.
		if n := dialsInAnHour(t, func() (transport.Conn, error) { return newBabbles(), nil }); n < 6 || n > 8 {
			t.Errorf("%d dials in an hour, want 7", n)
		}
	})
}

// relayed is an address book that heard of a device at relays alone.
type relayed struct{ Addresses }

func (relayed) Candidates(device.ID) []string { return nil }
func (relayed) Changed() <-chan device.ID     { return nil }
func (relayed) Undialable(device.ID) bool     { return true }

func TestADeviceAtRelaysAloneIsToldApartFromOneThatIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		statustest.Shown(t, problemsOfOneAway(t, relayed{}), "device-without-quic")
		if p := problemsOfOneAway(t, nil); len(p) != 1 || p[0].Code != "device-out-of-reach" {
			t.Errorf("one of which nothing was heard is told as %+v", p)
		}
	})
}

// problemsOfOneAway gives what is told of a device that is nowhere.
func problemsOfOneAway(t *testing.T, book Addresses) []status.Problem {
	ex := &exec.Real{}
	e := New(Options{
		ID: device.ID{1}, Store: index.NewMemory(index.MemoryOptions{}), Exec: ex, Transport: &dialed{}, Addresses: book,
	})
	e.Apply(Desired{Devices: []DeviceSpec{{ID: device.ID{2}, Name: "phone"}}})
	ctx, cancel := context.WithTimeout(t.Context(), 2*awayAfter)
	defer cancel()
	if err := e.Run(ctx); err != context.DeadlineExceeded {
		t.Errorf("Run ended with %v", err)
	}
	ex.Close()
	return e.Snapshot().Devices[0].Problems
}

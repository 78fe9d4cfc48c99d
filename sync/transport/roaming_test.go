//go:build unix

package transport_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/quic-go/quic-go"

	"lanyard/sync/fault"
	"lanyard/sync/transport"
)

var errUnreachable = &net.OpError{Op: "write", Err: os.NewSyscallError("sendmsg", syscall.ENETUNREACH)}

// listenUDP opens a plain socket on loopback.
func listenUDP(t *testing.T) *net.UDPConn {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestATransferOutlivesANetworkThatIsGoneForAMoment(t *testing.T) {
	// From the 500th packet on, each send fails until 2 s have passed.
	var sends atomic.Int64
	var until atomic.Pointer[time.Time]
	broken := func() bool {
		if sends.Add(1) == 500 {
			end := time.Now().Add(2 * time.Second)
			until.Store(&end)
		}
		end := until.Load()
		return end != nil && time.Now().Before(*end)
	}
	own, _ := newIdentity(t)
	from, err := transport.NewQUICBreaking(transport.Options{Certificate: own}, listenUDP(t), broken, errUnreachable)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	at, id := listen(t, transport.Options{Known: everyone})
	dialed, err := from.Dial(t.Context(), at.Addresses()[0], id)
	if err != nil {
		t.Fatal(err)
	}
	if !transport.UsesSegmentationOffload(dialed) {
		t.Error("quic-go does not use segmentation offload on the wrapped socket")
	}
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<20)
	go func() {
		if _, err := dialed.Write(sent); err != nil {
			t.Errorf("write: %v", err)
		}
	}()
	accepted, err := at.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.New()
	if _, err := io.CopyN(sum, accepted, int64(len(sent))); err != nil {
		t.Fatalf("read: %v", err)
	}
	if want := sha256.Sum256(sent); !bytes.Equal(sum.Sum(nil), want[:]) {
		t.Error("what arrived is not what was sent")
	}
	if until.Load() == nil {
		t.Error("the network was never gone")
	}
}

func TestAPeerThatCrashedAndRestartedIsNoticedAtOnce(t *testing.T) {
	own, id := newIdentity(t)
	var crashed atomic.Bool
	first, err := transport.NewQUICBreaking(transport.Options{Certificate: own, Known: everyone}, listenUDP(t), crashed.Load, errUnreachable)
	if err != nil {
		t.Fatal(err)
	}
	address := first.Addresses()[0]
	from, _ := listen(t, transport.Options{})
	_, dialed := meet(t, first, from, id)

	crashed.Store(true) // so that no close reaches the other side
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := transport.ListenQUIC(transport.Options{Certificate: own, Listen: address})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()

	// A stateless reset answers only packets longer than itself.
	if _, err := dialed.Write(make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	<-dialed.Done()
	var reset *quic.StatelessResetError
	if _, err := dialed.Read(make([]byte, 1)); !errors.As(err, &reset) || fault.KindOf(err) != fault.Retry {
		t.Errorf("read: got %v, want a stateless reset of kind Retry", err)
	}
	if code, ok := dialed.EndCode(); ok {
		t.Errorf("EndCode: got %d of a peer that said nothing", code)
	}
}

//go:build unix

package transport_test

import (
	"bytes"
	"crypto/sha256"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"lanyard/sync/transport"
)

func TestATransferOutlivesANetworkThatIsGoneForAMoment(t *testing.T) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
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
	unreachable := &net.OpError{Op: "write", Err: os.NewSyscallError("sendmsg", syscall.ENETUNREACH)}
	own, _ := newIdentity(t)
	from, err := transport.NewQUICBreaking(transport.Options{Certificate: own}, conn, broken, unreachable)
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

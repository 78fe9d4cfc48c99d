package transport

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

// groPair gives a socket that joins datagrams, and a plain one that sends to
// it.
func groPair(t *testing.T) (*groSocket, *net.UDPConn) {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetReadBuffer(4 << 20); err != nil {
		t.Fatal(err)
	}
	g, ok := offload(newSocket(conn)).(*groSocket)
	if !ok {
		t.Fatal("this kernel does not join datagrams")
	}
	sender, err := net.DialUDP("udp4", nil, conn.LocalAddr().(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sender.Close() })
	return g, sender
}

// messages gives buffers as quic-go passes them.
func messages(n int) []ipv4.Message {
	ms := make([]ipv4.Message, n)
	for i := range ms {
		ms[i].Buffers = [][]byte{make([]byte, 1452)}
		ms[i].OOB = make([]byte, controlLen)
	}
	return ms
}

// readAll reads datagrams in batches until it has count.
func readAll(t *testing.T, g *groSocket, count int) (got [][]byte) {
	t.Helper()
	if err := g.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for len(got) < count {
		ms := messages(batchLen)
		n, err := g.ReadBatch(ms, 0)
		if err != nil {
			t.Fatalf("after %d of %d datagrams: %v", len(got), count, err)
		}
		for _, m := range ms[:n] {
			if m.Addr == nil {
				t.Fatal("a datagram has no sender")
			}
			got = append(got, bytes.Clone(m.Buffers[0][:m.N]))
		}
	}
	return got
}

// datagram gives the i-th datagram of a test.
func datagram(i, size int) []byte {
	return bytes.Repeat([]byte{byte(i), byte(i >> 8)}, (size+1)/2)[:size]
}

func TestDatagramsArriveWholeAndInOrderHoweverManyAreSentAtOnce(t *testing.T) {
	for _, count := range []int{1, 2, 7, 8, 9, 200} {
		t.Run(fmt.Sprint(count), func(t *testing.T) {
			g, sender := groPair(t)
			var sent [][]byte
			for i := range count {
				d := datagram(i, []int{1200, 1200, 1452, 1, 700, 1452, 0}[i%7])
				sent = append(sent, d)
				if _, err := sender.Write(d); err != nil {
					t.Fatal(err)
				}
			}
			wantDatagrams(t, readAll(t, g, count), sent)
		})
	}
}

func TestAJoinedBurstIsTakenApart(t *testing.T) {
	const size = 1000
	g, sender := groPair(t)
	var sent [][]byte
	for burst := range 5 {
		var joined []byte
		for i := range 14 {
			d := datagram(burst*14+i, size)
			if i == 13 {
				d = d[:17] // the last of a burst may be shorter
			}
			sent = append(sent, d)
			joined = append(joined, d...)
		}
		if _, _, err := sender.WriteMsgUDP(joined, segmentControl(size), nil); err != nil {
			t.Fatal(err)
		}
	}
	wantDatagrams(t, readAll(t, g, len(sent)), sent)
}

// segmentControl asks the kernel to cut a write into datagrams.
func segmentControl(size uint16) []byte {
	b := make([]byte, unix.CmsgSpace(2))
	header := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
	header.Level, header.Type = unix.IPPROTO_UDP, unix.UDP_SEGMENT
	header.SetLen(unix.CmsgLen(2))
	binary.NativeEndian.PutUint16(b[unix.CmsgLen(0):], size)
	return b
}

func wantDatagrams(t *testing.T, got, want [][]byte) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d datagrams, want %d", len(got), len(want))
	}
	for i := range want {
		if !bytes.Equal(got[i], want[i]) {
			t.Errorf("datagram %d: got %d bytes %.8x, want %d bytes %.8x", i, len(got[i]), got[i], len(want[i]), want[i])
		}
	}
}

func TestADeadlineEndsAWaitingBatch(t *testing.T) {
	g, _ := groPair(t)
	if err := g.SetReadDeadline(time.Now()); err != nil {
		t.Fatal(err)
	}
	if n, err := g.ReadBatch(messages(batchLen), 0); err == nil {
		t.Errorf("got %d datagrams, want the deadline", n)
	}
}

func TestClosingEndsAWaitingBatch(t *testing.T) {
	g, _ := groPair(t)
	ended := make(chan error, 1)
	go func() {
		_, err := g.ReadBatch(messages(batchLen), 0)
		ended <- err
	}()
	g.Close()
	if err := <-ended; err == nil {
		t.Error("got datagrams from a closed socket")
	}
}

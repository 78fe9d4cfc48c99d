// Package transporttest is the conformance suite of transport.Transport. Every
// implementation passes it, so that what runs on one runs on any.
package transporttest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"lanyard/sync/device"
	"lanyard/sync/transport"
)

// Pair is two transports that know each other's device and can reach each
// other. The maker closes them when the test ends.
type Pair struct {
	A, B     transport.Transport
	AID, BID device.ID
	// OverTCP says that their connections run over TCP: then a close carries no
	// code, and nobody listens where a dialer's connection comes from.
	OverTCP bool
}

// Case is one demand on a transport. Run may be called inside a synctest
// bubble.
type Case struct {
	Name string
	Run  func(t *testing.T, p Pair)
}

// Run makes a pair for every case and runs it.
func Run(t *testing.T, newPair func(t *testing.T) Pair) {
	for _, c := range Cases() {
		t.Run(c.Name, func(t *testing.T) { c.Run(t, newPair(t)) })
	}
}

// Cases lists what every transport promises.
func Cases() []Case {
	return []Case{
		{"both sides prove who they are", identity},
		{"a dial to another device than wanted is refused", wrongPin},
		{"a dial to this device itself is refused", selfDial},
		{"large transfers run in both directions at once", transfer},
		{"a deadline ends a read and may be removed", deadline},
		{"the other side sees the code of a close", closeCode},
		{"the second close does nothing", closeTwice},
		{"a close ends a waiting read on both sides", closeUnblocks},
		{"what was written before a close arrives", delivery},
		{"a dial that is given up is not seen by the other side", silent},
		{"closing the transport ends its connections and Accept", closeTransport},
		{"a dial ends with its context", dialContext},
		{"an accept ends with its context", acceptContext},
		{"many connections stay apart", manyConnections},
		{"a dial from both sides at once gives two connections", simultaneous},
	}
}

// patience bounds what a working transport does at once; only a failing test
// waits that long.
const patience = 30 * time.Second

func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// hello is what a dialer writes first, since its stream shows only then.
var hello = []byte("hello")

// dial connects from one transport to another and says hello.
func dial(t *testing.T, from, to transport.Transport, want device.ID) transport.Conn {
	t.Helper()
	c, err := from.Dial(bounded(t), to.Addresses()[0], want)
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	if _, err := c.Write(hello); err != nil {
		t.Fatalf("write hello: %v", err)
	}
	return c
}

// accept takes the next connection and reads its hello.
func accept(t *testing.T, at transport.Transport) transport.Conn {
	t.Helper()
	c, err := at.Accept(bounded(t))
	if err != nil {
		t.Fatalf("accept: %v", err)
	}
	got := make([]byte, len(hello))
	if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, hello) {
		t.Fatalf("read hello: got %q, %v", got, err)
	}
	return c
}

// connect gives both ends of a connection that A dialed.
func connect(t *testing.T, p Pair) (a, b transport.Conn) {
	t.Helper()
	a = dial(t, p.A, p.B, p.BID)
	return a, accept(t, p.B)
}

// done waits for the end of a connection, and reads meanwhile as its user would.
func done(t *testing.T, c transport.Conn) {
	t.Helper()
	go func() { _, _ = io.Copy(io.Discard, c) }()
	select {
	case <-c.Done():
	case <-bounded(t).Done():
		t.Fatal("the connection has not ended")
	}
}

func identity(t *testing.T, p Pair) {
	a, b := connect(t, p)
	if a.PeerID() != p.BID || b.PeerID() != p.AID {
		t.Errorf("PeerID: a has %s, b has %s; want %s and %s", a.PeerID(), b.PeerID(), p.BID, p.AID)
	}
	if !a.Dialed() || b.Dialed() {
		t.Errorf("Dialed: got %v and %v, want true and false", a.Dialed(), b.Dialed())
	}
	if !a.Extended() || !b.Extended() {
		t.Error("Extended: two Lanyard transports did not agree on the extension")
	}
	if got, want := a.RemoteAddress(), p.B.Addresses(); !slices.Contains(want, got) {
		t.Errorf("RemoteAddress of the dialer: got %s, want one of %s", got, want)
	}
	if got, want := b.RemoteAddress(), a.LocalAddress(); got != want {
		t.Errorf("RemoteAddress of the acceptor: got %s, want the dialer's LocalAddress %s", got, want)
	}
	if p.OverTCP {
		return
	}
	if _, err := p.B.Dial(bounded(t), b.RemoteAddress(), p.AID); err != nil {
		t.Errorf("the dialer cannot be dialed at the address that the acceptor saw: %v", err)
	}
}

func wrongPin(t *testing.T, p Pair) {
	_, err := p.A.Dial(bounded(t), p.B.Addresses()[0], device.ID{1})
	if !errors.Is(err, transport.ErrOtherDevice) {
		t.Errorf("dial: got %v, want ErrOtherDevice", err)
	}
}

func selfDial(t *testing.T, p Pair) {
	if c, err := p.A.Dial(bounded(t), p.A.Addresses()[0], p.AID); err == nil {
		t.Errorf("dial of ourselves: got a connection to %s", c.PeerID())
	}
}

func transfer(t *testing.T, p Pair) {
	const size = 4 << 20
	a, b := connect(t, p)
	var wg sync.WaitGroup
	for _, way := range []struct {
		seed     uint64
		from, to transport.Conn
	}{{1, a, b}, {2, b, a}} {
		sent := make([]byte, size)
		fill(sent, way.seed)
		wg.Go(func() {
			if _, err := way.from.Write(sent); err != nil {
				t.Errorf("write: %v", err)
			}
		})
		wg.Go(func() {
			sum := sha256.New()
			if _, err := io.CopyN(sum, way.to, size); err != nil {
				t.Errorf("read: %v", err)
			}
			if want := sha256.Sum256(sent); !bytes.Equal(sum.Sum(nil), want[:]) {
				t.Error("what arrived is not what was sent")
			}
		})
	}
	wg.Wait()
}

func fill(b []byte, seed uint64) {
	var key [32]byte
	key[0] = byte(seed)
	_, _ = rand.NewChaCha8(key).Read(b) // always nil
}

func deadline(t *testing.T, p Pair) {
	a, b := connect(t, p)
	if err := b.SetDeadline(time.Now()); err != nil {
		t.Fatalf("set deadline: %v", err)
	}
	if _, err := b.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read after the deadline: got %v, want os.ErrDeadlineExceeded", err)
	}
	if _, err := b.Write([]byte{1}); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("write after the deadline: got %v, want os.ErrDeadlineExceeded", err)
	}
	if err := b.SetDeadline(time.Time{}); err != nil {
		t.Fatalf("remove deadline: %v", err)
	}
	if _, err := a.Write([]byte{7}); err != nil {
		t.Fatalf("write: %v", err)
	}
	got := []byte{0}
	if _, err := io.ReadFull(b, got); err != nil || got[0] != 7 {
		t.Errorf("read without a deadline: got %v, %v", got, err)
	}
}

// closeCode: who reads knows the other side's code as soon as that fails.
func closeCode(t *testing.T, p Pair) {
	for round := range 40 {
		byDialer := round%2 == 0
		a, b := connect(t, p)
		closer, other := a, b
		if !byDialer {
			closer, other = b, a
		}
		if err := closer.CloseWith(transport.CodeDuplicate, "one is enough"); err != nil {
			t.Errorf("close: %v", err)
		}
		if n, err := other.Read(make([]byte, 1)); err == nil {
			t.Fatalf("read gives %d bytes and no error", n)
		}
		wantCode(t, p, other, transport.CodeDuplicate)
		done(t, closer)
		done(t, other)
		if code, ok := closer.EndCode(); ok {
			t.Errorf("code at the closing side: got %d, want none", code)
		}
	}
}

func closeTwice(t *testing.T, p Pair) {
	a, b := connect(t, p)
	for _, code := range []transport.Code{transport.CodeResumed, transport.CodeRemoved} {
		if err := a.CloseWith(code, ""); err != nil {
			t.Errorf("close with %d: %v", code, err)
		}
	}
	done(t, b)
	wantCode(t, p, b, transport.CodeResumed)
}

// wantCode checks what the side that did not close knows of the close: the code
// of the first one.
func wantCode(t *testing.T, p Pair, c transport.Conn, want transport.Code) {
	t.Helper()
	if p.OverTCP {
		want = 0
	}
	if code, ok := c.EndCode(); ok == p.OverTCP || code != want {
		t.Errorf("code at the other side: got %d, %v, want %d", code, ok, want)
	}
}

// delivery: what stands written when a connection is closed in order arrives,
// also where the closing side has left something unread.
func delivery(t *testing.T, p Pair) {
	if !p.OverTCP {
		return // a close of QUIC overtakes what was not acknowledged
	}
	const size = 1 << 20
	a, b := connect(t, p)
	if _, err := b.Write([]byte("never read")); err != nil {
		t.Fatalf("write: %v", err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if n, err := io.CopyN(io.Discard, b, size); err != nil {
			t.Errorf("read: %v after %d bytes", err, n)
		}
		done(t, b)
	})
	if _, err := a.Write(make([]byte, size)); err != nil {
		t.Errorf("write: %v", err)
	}
	if err := a.CloseWith(transport.CodeNormal, ""); err != nil {
		t.Errorf("close: %v", err)
	}
	wg.Wait()
}

// silent: a connection that its dialer gives up before it wrote anything never
// comes out of Accept.
func silent(t *testing.T, p Pair) {
	given, err := p.A.Dial(bounded(t), p.B.Addresses()[0], p.BID)
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	if err := given.CloseWith(transport.CodeLostRace, ""); err != nil {
		t.Errorf("close: %v", err)
	}
	done(t, given)
	kept := dial(t, p.A, p.B, p.BID)
	if c := accept(t, p.B); c.RemoteAddress() != kept.LocalAddress() {
		t.Errorf("accepted the connection from %s, want that from %s", c.RemoteAddress(), kept.LocalAddress())
	}
}

func closeUnblocks(t *testing.T, p Pair) {
	a, b := connect(t, p)
	var wg sync.WaitGroup
	for _, c := range []transport.Conn{a, b} {
		wg.Go(func() {
			if _, err := c.Read(make([]byte, 1)); err == nil || err == io.EOF {
				t.Errorf("read on a closed connection: got %v, want an error that is not the end of the stream", err)
			}
		})
	}
	if err := a.CloseWith(transport.CodeNormal, ""); err != nil {
		t.Errorf("close: %v", err)
	}
	wg.Wait()
}

func closeTransport(t *testing.T, p Pair) {
	a, b := connect(t, p)
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := p.A.Accept(bounded(t)); err == nil {
			t.Error("accept on a closed transport: got a connection")
		}
	})
	if err := p.A.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if err := p.A.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
	wg.Wait()
	done(t, a)
	done(t, b)
	wantCode(t, p, b, transport.CodeShuttingDown)
	if _, err := p.A.Dial(bounded(t), p.B.Addresses()[0], p.BID); err == nil {
		t.Error("dial on a closed transport: got a connection")
	}
}

func dialContext(t *testing.T, p Pair) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := p.A.Dial(ctx, p.B.Addresses()[0], p.BID); !errors.Is(err, context.Canceled) {
		t.Errorf("dial: got %v, want context.Canceled", err)
	}
}

func acceptContext(t *testing.T, p Pair) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := p.A.Accept(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("accept: got %v, want context.Canceled", err)
	}
}

func manyConnections(t *testing.T, p Pair) {
	const count = 20
	for i := range byte(count) {
		a, b := connect(t, p)
		if _, err := a.Write([]byte{i}); err != nil {
			t.Fatalf("connection %d: write: %v", i, err)
		}
		defer func() {
			got := []byte{0}
			if _, err := io.ReadFull(b, got); err != nil || got[0] != i {
				t.Errorf("connection %d: got %v, %v", i, got, err)
			}
		}()
	}
}

func simultaneous(t *testing.T, p Pair) {
	var wg sync.WaitGroup
	var dialedA, dialedB transport.Conn
	wg.Go(func() { dialedA = dial(t, p.A, p.B, p.BID) })
	wg.Go(func() { dialedB = dial(t, p.B, p.A, p.AID) })
	acceptedA, acceptedB := accept(t, p.A), accept(t, p.B)
	wg.Wait()
	for name, c := range map[string]transport.Conn{"a dialed": dialedA, "b dialed": dialedB, "a accepted": acceptedA, "b accepted": acceptedB} {
		select {
		case <-c.Done():
			t.Errorf("the connection that %s has ended", name)
		default:
		}
	}
}

package transport_test

import (
	"context"
	"crypto/elliptic"
	"crypto/tls"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go"

	"lanyard/sync/device"
	"lanyard/sync/transport"
)

func always() bool { return true }

// pairs gives both ends of a connection that pairs b, which dialed, with a.
func pairs(t *testing.T, a, b transport.Transport, idA device.ID) (atA, atB *transport.PairConn) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	atB, err := b.(transport.Pairer).DialPair(ctx, a.Addresses()[0], idA)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := atB.Write([]byte("hi")); err != nil {
		t.Fatal(err)
	}
	atA, err = a.(transport.Pairer).AcceptPair(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return atA, atB
}

func TestAPairingConnectionIsBoundToItself(t *testing.T) {
	a, idA := listenLAN(t, transport.Options{Pairing: always})
	b, idB := listenLAN(t, transport.Options{})
	seen := map[[32]byte]bool{}
	for range 2 {
		atA, atB := pairs(t, a, b, idA)
		if atA.PeerID() != idB || atB.PeerID() != idA {
			t.Errorf("the ends see %s and %s", atA.PeerID().Short(), atB.PeerID().Short())
		}
		for _, label := range []string{"EXPORTER-one", "EXPORTER-two"} {
			keyA, errA := atA.Binding(label)
			keyB, errB := atB.Binding(label)
			if errA != nil || errB != nil || keyA != keyB {
				t.Errorf("%s: the ends have %x (%v) and %x (%v)", label, keyA, errA, keyB, errB)
			}
			if seen[keyA] {
				t.Errorf("%s: another connection or label has the same key", label)
			}
			seen[keyA] = true
		}
		atA.End()
		atB.End()
	}
}

func TestTheLastWordOfAPairingArrives(t *testing.T) {
	a, idA := listenLAN(t, transport.Options{Pairing: always})
	b, _ := listenLAN(t, transport.Options{})
	atA, atB := pairs(t, a, b, idA)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = atB.Write([]byte(" and done"))
		_ = atB.Close()
		_, _ = io.ReadAll(atB) // until the other side has read it all
		atB.End()
	}()
	got, err := io.ReadAll(atA)
	if err != nil || string(got) != "hi and done" {
		t.Errorf("read %q, %v", got, err)
	}
	if err := atA.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	<-ended
	atA.End()
}

func TestNobodyPairsWhileItIsNotWanted(t *testing.T) {
	a, idA := listenLAN(t, transport.Options{Pairing: func() bool { return false }})
	b, _ := listenLAN(t, transport.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := b.(transport.Pairer).DialPair(ctx, a.Addresses()[0], idA); !errors.Is(err, transport.ErrNotPairing) {
		t.Errorf("the dial gives %v", err)
	}
	// The refusal comes before our certificate is shown.
	shown := 0
	config := &tls.Config{
		Certificates:       []tls.Certificate{certificate(t, ecdsaKey(t, elliptic.P256()))},
		NextProtos:         []string{"lanyard-pair/1"},
		InsecureSkipVerify: true,
		VerifyConnection:   func(tls.ConnectionState) error { shown++; return nil },
	}
	if conn, err := quic.DialAddr(ctx, strings.TrimPrefix(a.Addresses()[0], "quic://"), config, nil); err == nil {
		t.Error("a connection that pairs came about")
		_ = conn.CloseWithError(0, "")
	}
	if shown != 0 {
		t.Error("the certificate was shown to somebody who may not pair")
	}
}

func TestPairingNeedsACertificateAndTLS13(t *testing.T) {
	a, _ := listenLAN(t, transport.Options{Pairing: always})
	if err := rawDial(t, a, &tls.Config{NextProtos: []string{"lanyard-pair/1"}}); err == nil {
		t.Error("a device without a certificate may pair")
	}
}

func TestAPairingDialMeetsTheWantedDeviceAlone(t *testing.T) {
	a, _ := listenLAN(t, transport.Options{Pairing: always})
	_, other := newIdentity(t)
	b, idB := listenLAN(t, transport.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := b.(transport.Pairer).DialPair(ctx, a.Addresses()[0], other); !errors.Is(err, transport.ErrOtherDevice) {
		t.Errorf("dialing another device gives %v", err)
	}
	if _, err := b.(transport.Pairer).DialPair(ctx, a.Addresses()[0], idB); err == nil {
		t.Error("a device dials itself")
	}
	anyone, err := b.(transport.Pairer).DialPair(ctx, a.Addresses()[0], device.ID{})
	if err != nil {
		t.Fatal(err)
	}
	anyone.End()
}

func TestPairingAndTalkingDoNotMix(t *testing.T) {
	a, idA := listenLAN(t, transport.Options{Pairing: always, Known: everyone})
	b, _ := listenLAN(t, transport.Options{})
	atA, atB := pairs(t, a, b, idA)
	defer atA.End()
	defer atB.End()
	// What pairs is not given to those who talk: their next one is the BEP dial.
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	conn, err := b.Dial(ctx, a.Addresses()[0], idA)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("bep")); err != nil {
		t.Fatal(err)
	}
	got, err := a.Accept(ctx)
	if err != nil {
		t.Fatal(err)
	}
	text := make([]byte, 3)
	if _, err := io.ReadFull(got, text); err != nil || string(text) != "bep" {
		t.Errorf("the first connection that talks said %q, %v", text, err)
	}
}

func TestAFloodOfPairingConnectionsIsBounded(t *testing.T) {
	a, idA := listenLAN(t, transport.Options{Pairing: always})
	b, _ := listenLAN(t, transport.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	open := 0
	for range 10 {
		c, err := b.(transport.Pairer).DialPair(ctx, a.Addresses()[0], idA)
		if err != nil {
			continue
		}
		defer c.End()
		if _, err := c.Write([]byte("x")); err != nil {
			continue
		}
		got, err := a.(transport.Pairer).AcceptPair(until(t, c))
		if err != nil {
			continue // refused: its dialer saw the end
		}
		defer got.End()
		open++
	}
	if open != 4 {
		t.Errorf("%d connections of one address are open at once, want 4", open)
	}
}

// until gives a context that ends with a connection.
func until(t *testing.T, c *transport.PairConn) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_, _ = c.Read(make([]byte, 1))
		cancel()
	}()
	return ctx
}

package transport_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"lanyard/sync/device"
	"lanyard/sync/transport"
)

// pipes is a listener in memory, for a synctest bubble.
type pipes struct {
	dialed chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.dialed:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return host(1) }

func host(n byte) net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, n), Port: 22000} }

// piped is one end of a connection in memory, with addresses.
type piped struct {
	net.Conn
	local, remote net.Addr
}

func (p piped) LocalAddr() net.Addr  { return p.local }
func (p piped) RemoteAddr() net.Addr { return p.remote }

// dial gives a connection of a host to the listener.
func (p *pipes) dial(from byte) net.Conn {
	ours, theirs := net.Pipe()
	p.dialed <- piped{theirs, host(1), host(from)}
	return ours
}

// tcpStrangers gives a TCP transport that knows the devices that known names.
func tcpStrangers(t *testing.T, known func(device.ID) bool) (transport.Transport, *pipes) {
	t.Helper()
	l := &pipes{dialed: make(chan net.Conn), closed: make(chan struct{})}
	own, _ := newIdentity(t)
	tr, err := transport.NewTCPOn(transport.Options{Certificate: own, Known: known}, l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tr.Close() })
	return tr, l
}

// knock dials with a new identity up to the end of the handshake.
func knock(t *testing.T, l *pipes, from byte) *tls.Conn {
	t.Helper()
	own, _ := newIdentity(t)
	c := tls.Client(l.dial(from), &tls.Config{Certificates: []tls.Certificate{own}, InsecureSkipVerify: true})
	if err := c.HandshakeContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.NetConn().Close() })
	return c
}

// knockAndTalk is knock with a first byte, which the transport accepts.
func knockAndTalk(t *testing.T, at transport.Transport, l *pipes, from byte) (accepted transport.Conn, dialed *tls.Conn) {
	t.Helper()
	dialed = knock(t, l, from)
	if _, err := dialed.Write([]byte{1}); err != nil {
		t.Fatal(err)
	}
	accepted, err := at.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return accepted, dialed
}

// wantCut reads until the connection ends, and checks how long that took.
func wantCut(t *testing.T, c net.Conn, want time.Duration) {
	t.Helper()
	start := time.Now()
	if err := c.SetReadDeadline(start.Add(time.Hour)); err != nil && !errors.Is(err, io.ErrClosedPipe) {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) || err == nil {
		t.Errorf("the connection did not end: %v", err)
	}
	if took := time.Since(start).Round(time.Second); took != want {
		t.Errorf("the connection ended after %v, want %v", took, want)
	}
}

func TestTCPLimitsWhatAStrangerMayHold(t *testing.T) {
	tests := []struct {
		name string
		run  func(t *testing.T, at transport.Transport, l *pipes)
	}{
		{"one that does not begin the handshake", func(t *testing.T, _ transport.Transport, l *pipes) {
			wantCut(t, l.dial(2), 10*time.Second)
		}},
		{"one that says nothing after it", func(t *testing.T, _ transport.Transport, l *pipes) {
			wantCut(t, knock(t, l, 2), 10*time.Second)
		}},
		{"one that is not admitted", func(t *testing.T, at transport.Transport, l *pipes) {
			accepted, dialed := knockAndTalk(t, at, l, 2)
			wantCut(t, dialed, 20*time.Second)
			<-accepted.Done()
		}},
		{"the ninth handshake of one address", func(t *testing.T, _ transport.Transport, l *pipes) {
			for range 8 {
				defer l.dial(2).Close()
			}
			wantCut(t, l.dial(2), 0)
			knock(t, l, 3)
		}},
		{"the fifth stranger of one address, until another ends", func(t *testing.T, at transport.Transport, l *pipes) {
			first, _ := knockAndTalk(t, at, l, 2)
			for range 3 {
				knockAndTalk(t, at, l, 2)
			}
			wantCut(t, knock(t, l, 2), 0)
			if err := first.CloseWith(transport.CodeNormal, ""); err != nil {
				t.Error(err)
			}
			knockAndTalk(t, at, l, 2)
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				at, l := tcpStrangers(t, nil)
				test.run(t, at, l)
			})
		})
	}
}

func TestTCPLetsOursAndTheAdmittedStay(t *testing.T) {
	for name, known := range map[string]bool{"one of ours": true, "a stranger that was admitted": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				at, l := tcpStrangers(t, func(device.ID) bool { return known })
				accepted, _ := knockAndTalk(t, at, l, 2)
				if !known {
					transport.Admit(accepted)
					transport.Admit(accepted)
				}
				select {
				case <-accepted.Done():
					t.Error("the connection ended")
				case <-time.After(time.Hour):
				}
			})
		})
	}
}

func TestAPeerThatNeverReadsHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at, l := tcpStrangers(t, everyone)
		// A pipe has no room: a Write waits for the peer.
		stuck, _ := knockAndTalk(t, at, l, 2)
		wrote := make(chan error)
		go func() {
			_, err := stuck.Write([]byte("hello"))
			wrote <- err
		}()
		synctest.Wait()
		if err := stuck.CloseWith(transport.CodeTimeout, ""); err != nil {
			t.Error(err)
		}
		if err := <-wrote; err == nil {
			t.Error("the write on a closed connection succeeded")
		}
		if _, err := stuck.Read(make([]byte, 1)); err == nil || err == io.EOF {
			t.Errorf("read on a closed connection: got %v", err)
		}
		knockAndTalk(t, at, l, 2)
		start := time.Now()
		if err := at.Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("closing the transport took %v, want at most a second", took)
		}
	})
}

func TestTCPEndsWhenThisDeviceHasMovedToAnotherNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at, l := tcpStrangers(t, everyone)
		var moved atomic.Bool
		transport.SetInterfaces(at, func() ([]net.Addr, error) {
			ip := net.IPv4(192, 0, 2, 1)
			if moved.Load() {
				ip = net.IPv4(198, 51, 100, 1)
			}
			return []net.Addr{&net.IPNet{IP: ip, Mask: net.CIDRMask(24, 32)}}, nil
		})
		c, _ := knockAndTalk(t, at, l, 2)
		<-time.After(57 * time.Second) // of the bubble: it is looked at every five
		moved.Store(true)
		<-time.After(6 * time.Second)
		moved.Store(false) // it was given the same address again
		<-time.After(time.Minute)
		select {
		case <-c.Done():
			t.Fatal("the connection ended while this device had its address")
		default:
		}
		moved.Store(true)
		start := time.Now()
		<-c.Done()
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("the connection ended %v after the move, want at most 10 s", took)
		}
	})
}

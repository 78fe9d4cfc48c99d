package transport_test

import (
	"crypto/elliptic"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"lanyard/sync/device"
	"lanyard/sync/fault"
	"lanyard/sync/transport"
	"lanyard/sync/transport/transporttest"
)

func TestTCPOnLoopbackIsATransport(t *testing.T) {
	transporttest.Run(t, func(t *testing.T) transporttest.Pair {
		a, aID := listenTCP(t, transport.Options{Known: everyone})
		b, bID := listenTCP(t, transport.Options{Known: everyone})
		return transporttest.Pair{A: a, B: b, AID: aID, BID: bID, OverTCP: true}
	})
}

// listenTCP opens a TCP transport with a new identity on loopback.
func listenTCP(t testing.TB, o transport.Options) (transport.Transport, device.ID) {
	t.Helper()
	return listenBy(t, transport.ListenTCP, "tcp://127.0.0.1:0", o)
}

// rawTCP connects with plain crypto/tls, says hello and gives the connection's
// end, nil if the other side answers.
func rawTCP(to transport.Transport, config *tls.Config) error {
	config.InsecureSkipVerify = true
	dialer := &net.Dialer{Timeout: 20 * time.Second}
	conn, err := tls.DialWithDialer(dialer, "tcp", strings.TrimPrefix(to.Addresses()[0], "tcp://"), config)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return err
	}
	if _, err := conn.Write([]byte("hello")); err != nil {
		return err
	}
	_, err = io.ReadFull(conn, make([]byte, 5))
	return err
}

func TestTCPClientsWithAProperIdentityAreAccepted(t *testing.T) {
	tr, _ := listenTCP(t, transport.Options{Known: everyone})
	echo(t, tr)
	tests := map[string][]string{"bep/1.0": {"bep/1.0"}, "as an old Syncthing, no protocol named": nil, "lanyard/1": {"lanyard/1"}}
	for name, protocols := range tests {
		cert := certificate(t, ecdsaKey(t, elliptic.P384()))
		if err := rawTCP(tr, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: protocols}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTCPClientsWithoutAProperIdentityAreRefused(t *testing.T) {
	own := certificate(t, ecdsaKey(t, elliptic.P256()))
	good := certificate(t, ecdsaKey(t, elliptic.P256()))
	second := certificate(t, ecdsaKey(t, elliptic.P256()))
	two := tls.Certificate{Certificate: append(good.Certificate[:1:1], second.Certificate[0]), PrivateKey: good.PrivateKey}
	tr, err := transport.ListenTCP(transport.Options{Certificate: own, Listen: "tcp://127.0.0.1:0", Known: everyone})
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	echo(t, tr)
	tests := map[string]*tls.Config{
		"no certificate":       {},
		"two certificates":     {Certificates: []tls.Certificate{two}},
		"our own certificate":  {Certificates: []tls.Certificate{own}},
		"another name":         {Certificates: []tls.Certificate{certificateFor(t, ecdsaKey(t, elliptic.P256()), "lanyard")}},
		"another protocol":     {Certificates: []tls.Certificate{good}, NextProtos: []string{"h2"}},
		"TLS 1.2":              {Certificates: []tls.Certificate{good}, MaxVersion: tls.VersionTLS12},
		"certificate, not key": {Certificates: []tls.Certificate{{Certificate: good.Certificate, PrivateKey: second.PrivateKey}}},
	}
	for name, config := range tests {
		if err := rawTCP(tr, config); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: got %v, want a refused handshake", name, err)
		}
	}
}

func TestAPeerWithoutNamedProtocolGetsNoExtension(t *testing.T) {
	tr, _ := listenTCP(t, transport.Options{Known: everyone})
	ended := make(chan error, 1)
	go func() {
		ended <- rawTCP(tr, &tls.Config{Certificates: []tls.Certificate{certificate(t, ecdsaKey(t, elliptic.P256()))}})
	}()
	c, err := tr.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if c.Extended() {
		t.Error("Extended: got true for a peer that names no protocol")
	}
	if _, err := io.ReadFull(c, make([]byte, 5)); err != nil {
		t.Error(err)
	}
	if err := c.CloseWith(transport.CodeNormal, ""); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != io.EOF {
		t.Errorf("the peer saw %v, want an orderly end", err)
	}
}

func TestATCPDialSaysWhoseFaultItsFailureIs(t *testing.T) {
	from, _ := listenTCP(t, transport.Options{})
	at, _ := listenTCP(t, transport.Options{})
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		c, err := other.Accept()
		if err != nil {
			return
		}
		_, _ = c.Write([]byte("220 mail.example ready\r\n")) // the dialer judges
		_, _ = io.Copy(io.Discard, c)
		c.Close()
	}()
	defer other.Close()
	nobody := closedPort(t)
	tests := []struct {
		name, address string
		kind          fault.Kind
		is            error
	}{
		{"another device", at.Addresses()[0], fault.Peer, transport.ErrOtherDevice},
		{"something that is not TLS", "tcp://" + other.Addr().String(), fault.Peer, nil},
		{"nobody", nobody, fault.Retry, nil},
		{"an address of QUIC", strings.Replace(at.Addresses()[0], "tcp", "quic", 1), fault.Retry, nil},
		{"an address without a host", "tcp://:22000", fault.Retry, nil},
	}
	for _, test := range tests {
		_, err := from.Dial(t.Context(), test.address, device.ID{1})
		if got := fault.KindOf(err); err == nil || got != test.kind || test.is != nil && !errors.Is(err, test.is) {
			t.Errorf("%s: got %v of kind %v, want %v", test.name, err, got, test.kind)
		}
	}
}

// closedPort gives a TCP URL where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "tcp://" + l.Addr().String()
}

func TestATCPPortThatIsTakenIsAFaultOfItsOwn(t *testing.T) {
	first, _ := listenTCP(t, transport.Options{})
	wantPortTaken(t, transport.ListenTCP, first.Addresses()[0])
}

func TestATCPWildcardListensOnBothFamilies(t *testing.T) {
	tr, id := listenTCP(t, transport.Options{Listen: "tcp://0.0.0.0:0", Known: everyone})
	from, _ := listenTCP(t, transport.Options{})
	_, port, ok := strings.Cut(tr.Addresses()[0], "tcp://0.0.0.0:")
	if !ok || port == "0" {
		t.Fatalf("listens on %v, want tcp://0.0.0.0 and a real port", tr.Addresses())
	}
	hosts := []string{"127.0.0.1", "localhost"}
	if haveIPv6(t) {
		hosts = append(hosts, "[::1]")
	}
	for _, host := range hosts {
		if _, err := from.Dial(t.Context(), "tcp://"+host+":"+port, id); err != nil {
			t.Errorf("dial %s: %v", host, err)
		}
	}
}

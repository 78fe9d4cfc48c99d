package transport_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go"

	"lanyard/sync/device"
	"lanyard/sync/fault"
	"lanyard/sync/transport"
)

// certificate makes a self-signed certificate for a key of any type.
func certificate(t *testing.T, key crypto.Signer) tls.Certificate {
	t.Helper()
	return certificateFor(t, key, device.CommonName)
}

// certificateFor is certificate with a common name and host names.
func certificateFor(t *testing.T, key crypto.Signer, name string, hosts ...string) tls.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: name},
		DNSNames:     hosts,
		NotBefore:    time.Unix(0, 0),
		NotAfter:     time.Unix(1, 0), // long over: the hash is the check, not the date
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func ecdsaKey(t *testing.T, curve elliptic.Curve) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// rawDial connects with plain quic-go and gives the connection's end, nil if
// the other side answers on a stream.
func rawDial(t *testing.T, to transport.Transport, config *tls.Config) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	config.InsecureSkipVerify = true
	if config.NextProtos == nil {
		config.NextProtos = []string{"bep/1.0"}
	}
	conn, err := quic.DialAddr(ctx, strings.TrimPrefix(to.Addresses()[0], "quic://"), config, nil)
	if err != nil {
		return err
	}
	defer func() { _ = conn.CloseWithError(0, "") }() // always nil
	stream, err := conn.OpenStreamSync(ctx)
	if err != nil {
		return err
	}
	if _, err := stream.Write([]byte("hello")); err != nil {
		return err
	}
	_, err = stream.Read(make([]byte, 5))
	return err
}

// echo accepts connections and answers their first bytes, until the test ends.
func echo(t *testing.T, at transport.Transport) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			c, err := at.Accept(ctx)
			if err != nil {
				return
			}
			b := make([]byte, 5)
			if _, err := c.Read(b); err == nil {
				_, _ = c.Write(b) // the other side judges
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-stopped })
}

func TestClientsOfEveryKeyTypeAreAccepted(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	tr, _ := listen(t, transport.Options{Known: func(device.ID) bool { return true }})
	echo(t, tr)
	keys := map[string]crypto.Signer{
		"RSA":         rsaKey,
		"ECDSA P-256": ecdsaKey(t, elliptic.P256()),
		"ECDSA P-384": ecdsaKey(t, elliptic.P384()),
	}
	for name, key := range keys {
		if err := rawDial(t, tr, &tls.Config{Certificates: []tls.Certificate{certificate(t, key)}}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheNameMayBeAHostName(t *testing.T) {
	tr, _ := listen(t, transport.Options{Known: func(device.ID) bool { return true }})
	echo(t, tr)
	cert := certificateFor(t, ecdsaKey(t, elliptic.P256()), "my phone", device.CommonName)
	if err := rawDial(t, tr, &tls.Config{Certificates: []tls.Certificate{cert}}); err != nil {
		t.Error(err)
	}
}

func TestClientsWithoutAProperIdentityAreRefused(t *testing.T) {
	own := certificate(t, ecdsaKey(t, elliptic.P256()))
	good := certificate(t, ecdsaKey(t, elliptic.P256()))
	second := certificate(t, ecdsaKey(t, elliptic.P256()))
	two := tls.Certificate{Certificate: append(good.Certificate[:1:1], second.Certificate[0]), PrivateKey: good.PrivateKey}
	tr, err := transport.ListenQUIC(transport.Options{Certificate: own, Listen: "quic://127.0.0.1:0", Known: func(device.ID) bool { return true }})
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
		"another protocol":     {Certificates: []tls.Certificate{good}, NextProtos: []string{"h3"}},
		"certificate, not key": {Certificates: []tls.Certificate{{Certificate: good.Certificate, PrivateKey: second.PrivateKey}}},
	}
	for name, config := range tests {
		err := rawDial(t, tr, config)
		if _, ok := errors.AsType[*quic.TransportError](err); !ok {
			t.Errorf("%s: got %v, want a refused handshake", name, err)
		}
	}
}

func TestAPlainBEPPeerGetsNoExtension(t *testing.T) {
	tr, _ := listen(t, transport.Options{Known: func(device.ID) bool { return true }})
	ended := make(chan error, 1)
	go func() {
		ended <- rawDial(t, tr, &tls.Config{Certificates: []tls.Certificate{certificate(t, ecdsaKey(t, elliptic.P256()))}})
	}()
	c, err := tr.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if c.Extended() {
		t.Error("Extended: got true for a peer that offers bep/1.0 alone")
	}
	if err := c.CloseWith(transport.CodeNormal, ""); err != nil {
		t.Error(err)
	}
	if end, ok := errors.AsType[*quic.ApplicationError](<-ended); !ok || end.ErrorCode != 0 {
		t.Errorf("the peer saw %v, want application error 0", end)
	}
}

func TestAPortThatIsTakenIsAFaultOfItsOwn(t *testing.T) {
	first, _ := listen(t, transport.Options{})
	wantPortTaken(t, transport.ListenQUIC, first.Addresses()[0])
}

// wantPortTaken wants a second transport on an address to be refused.
func wantPortTaken(t *testing.T, open func(transport.Options) (transport.Transport, error), at string) {
	t.Helper()
	cert, _ := newIdentity(t)
	second, err := open(transport.Options{Certificate: cert, Listen: at})
	if err == nil {
		second.Close()
		t.Fatal("two transports listen on one port")
	}
	if got := fault.CodeOf(err); got != transport.CodePortTaken {
		t.Errorf("listen: got code %q in %v, want %q", got, err, transport.CodePortTaken)
	}
}

func TestAWildcardListensOnBothFamilies(t *testing.T) {
	for _, at := range []string{"quic://0.0.0.0:0", "quic://:0", "quic://[::]:0"} {
		tr, id := listen(t, transport.Options{Listen: at, Known: func(device.ID) bool { return true }})
		from, _ := listen(t, transport.Options{Listen: "quic://:0"})
		_, port, ok := strings.Cut(tr.Addresses()[0], "quic://0.0.0.0:")
		if !ok || port == "0" {
			t.Fatalf("%s: listens on %v, want quic://0.0.0.0 and a real port", at, tr.Addresses())
		}
		hosts := []string{"127.0.0.1", "localhost"}
		if haveIPv6(t) {
			hosts = append(hosts, "[::1]")
		}
		for _, host := range hosts {
			if _, err := from.Dial(t.Context(), "quic://"+host+":"+port, id); err != nil {
				t.Errorf("%s: dial %s: %v", at, host, err)
			}
		}
	}
}

// haveIPv6 reports whether this host has an IPv6 loopback.
func haveIPv6(t *testing.T) bool {
	t.Helper()
	c, err := net.ListenPacket("udp6", "[::1]:0")
	if err != nil {
		return false
	}
	c.Close()
	return true
}

func TestBadListenAddressesAreRefused(t *testing.T) {
	for _, at := range []string{"tcp://127.0.0.1:0", "127.0.0.1:0", "quic://127.0.0.1:99999"} {
		if tr, err := transport.ListenQUIC(transport.Options{Listen: at}); err == nil {
			tr.Close()
			t.Errorf("%s: got a transport", at)
		}
	}
}

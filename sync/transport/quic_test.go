package transport_test

import (
	"crypto/tls"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lanyard/sync/device"
	"lanyard/sync/transport"
	"lanyard/sync/transport/transporttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestQUICOnLoopbackIsATransport(t *testing.T) {
	transporttest.Run(t, func(t *testing.T) transporttest.Pair {
		known := func(device.ID) bool { return true }
		a, aID := listen(t, transport.Options{Known: known})
		b, bID := listen(t, transport.Options{Known: known})
		return transporttest.Pair{A: a, B: b, AID: aID, BID: bID}
	})
}

// listen opens a transport with a new identity on loopback.
func listen(t testing.TB, o transport.Options) (transport.Transport, device.ID) {
	t.Helper()
	return listenBy(t, transport.ListenQUIC, "quic://127.0.0.1:0", o)
}

// listenBy opens a transport with a new identity, at an address unless the
// options name one. It is closed when the test ends.
func listenBy(t testing.TB, open func(transport.Options) (transport.Transport, error), at string, o transport.Options) (transport.Transport, device.ID) {
	t.Helper()
	var id device.ID
	o.Certificate, id = newIdentity(t)
	if o.Listen == "" {
		o.Listen = at
	}
	tr, err := open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tr.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return tr, id
}

// newIdentity makes a certificate, valid from now on.
func newIdentity(t testing.TB) (tls.Certificate, device.ID) {
	t.Helper()
	certPEM, keyPEM, err := device.NewCertificate(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	cert, id, err := device.LoadCertificate(certPEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	return cert, id
}

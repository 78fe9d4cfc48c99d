package transport

import (
	"crypto"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/quic-go/quic-go"

	"lanyard/sync/device"
)

// The application protocols, in the order of preference. Between two of our
// own, protoExtended is chosen and allows extension messages; Syncthing picks
// protoBEP.
const (
	protoExtended = "lanyard/1"
	protoBEP      = "bep/1.0"
)

const (
	connectionIDLength = 8
	resetKeyLabel      = "lanyard quic reset v1"

	// windowBytes bounds what all receive windows may grow by.
	windowBytes = 256 << 20
)

var (
	// ErrOtherDevice is wrapped by Dial when the address belongs to another
	// device than the one that was wanted.
	ErrOtherDevice = errors.New("another device answers at this address")

	errOwnIdentity     = errors.New("the other side presented this device's own certificate")
	errCertificateList = errors.New("the other side must present exactly one certificate")
	errCertificateName = errors.New("the other side's certificate must bear the name " + device.CommonName)
)

// tlsConfig is the same at both ends. There is no authority: the hash of the
// one certificate is the identity, and admit decides on it during the
// handshake. What admit says stays local; the peer sees only a TLS alert.
func tlsConfig(own tls.Certificate, admit func(device.ID) error) *tls.Config {
	return &tls.Config{
		Certificates:           []tls.Certificate{own},
		MinVersion:             tls.VersionTLS13,
		NextProtos:             []string{protoExtended, protoBEP},
		ClientAuth:             tls.RequireAnyClientCert, // demanded; no chain is verified
		InsecureSkipVerify:     true,                     //nolint:gosec // admit is the check
		SessionTicketsDisabled: true,
		// Unlike VerifyPeerCertificate it would run on a resumed session too.
		VerifyConnection: func(cs tls.ConnectionState) error {
			if len(cs.PeerCertificates) != 1 {
				return errCertificateList
			}
			if !named(cs.PeerCertificates[0]) {
				return errCertificateName
			}
			return admit(device.FromCertificate(cs.PeerCertificates[0].Raw))
		},
	}
}

// named reports whether a certificate bears the name that BEP demands, as its
// common name or as one of its host names.
func named(leaf *x509.Certificate) bool {
	return leaf.Subject.CommonName == device.CommonName || leaf.VerifyHostname(device.CommonName) == nil
}

// notSelf admits every device but own.
func notSelf(own device.ID) func(device.ID) error {
	return func(id device.ID) error {
		if id == own {
			return errOwnIdentity
		}
		return nil
	}
}

// OtherDeviceError tells which device answered in place of the one wanted. It
// wraps ErrOtherDevice.
type OtherDeviceError struct{ Met device.ID }

// Error names the device that answered.
func (e *OtherDeviceError) Error() string {
	return ErrOtherDevice.Error() + ": " + e.Met.Short().String()
}

// Unwrap gives ErrOtherDevice.
func (e *OtherDeviceError) Unwrap() error { return ErrOtherDevice }

// only admits one device.
func only(want device.ID) func(device.ID) error {
	return func(id device.ID) error {
		if id != want {
			return &OtherDeviceError{Met: id}
		}
		return nil
	}
}

// quicConfig is the configuration of a connection that we dial: the windows
// let one stream fill 1 Gbit/s over a round trip of 100 ms.
func quicConfig(windows *windowBudget) *quic.Config {
	return &quic.Config{
		HandshakeIdleTimeout:           5 * time.Second,
		MaxIdleTimeout:                 30 * time.Second,
		KeepAlivePeriod:                10 * time.Second,
		InitialStreamReceiveWindow:     2 << 20,
		MaxStreamReceiveWindow:         32 << 20,
		InitialConnectionReceiveWindow: 3 << 20,
		MaxConnectionReceiveWindow:     48 << 20,
		AllowConnectionWindowIncrease:  windows.grow,
		MaxIncomingStreams:             4,
		MaxIncomingUniStreams:          -1,
	}
}

// incomingConfig is the configuration of a connection that a peer dials. The
// peer is unknown when the windows are first announced, so they begin small:
// a stranger cannot make us hold more than 192 KiB. They grow like the others
// once the device is known.
func incomingConfig(windows *windowBudget) *quic.Config {
	c := quicConfig(windows)
	c.InitialStreamReceiveWindow = 128 << 10
	c.InitialConnectionReceiveWindow = 192 << 10
	return c
}

// resetKey derives the key of stateless resets from the private key, so that
// it outlives a restart: then a peer learns at once, from the answer to its
// next packet, that our side of the connection is gone.
func resetKey(private crypto.PrivateKey) (*quic.StatelessResetKey, error) {
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("encode private key: %w", err)
	}
	secret, err := hkdf.Key(sha256.New, der, nil, resetKeyLabel, len(quic.StatelessResetKey{}))
	if err != nil {
		return nil, fmt.Errorf("derive reset key: %w", err)
	}
	key := quic.StatelessResetKey(secret)
	return &key, nil
}

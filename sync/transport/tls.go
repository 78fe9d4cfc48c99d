package transport

import (
	"crypto/tls"
	"crypto/x509"
	"errors"

	"lanyard/sync/device"
	"lanyard/sync/fault"
)

// The application protocols, in the order of preference. Between two of our
// own, protoExtended is chosen and allows extension messages; Syncthing picks
// protoBEP.
const (
	protoExtended = "lanyard/1"
	protoBEP      = "bep/1.0"
)

var (
	// ErrOtherDevice is wrapped by Dial when the address belongs to another
	// device than the one that was wanted.
	ErrOtherDevice = errors.New("another device answers at this address")

	errOwnIdentity     = errors.New("the other side presented this device's own certificate")
	errCertificateList = errors.New("the other side must present exactly one certificate")
	errCertificateName = errors.New("the other side's certificate must bear the name " + device.CommonName)
)

// identityOf gives the device that a certificate makes us.
func identityOf(own tls.Certificate) (device.ID, error) {
	if len(own.Certificate) != 1 {
		return device.ID{}, fault.New(fault.Node, "", "listen: the identity has %d certificates and must have one", len(own.Certificate))
	}
	return device.FromCertificate(own.Certificate[0]), nil
}

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

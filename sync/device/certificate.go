package device

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"
)

// CommonName is the name that Syncthing demands of a peer's certificate.
const CommonName = "syncthing"

// NewCertificate makes an identity: a fresh Ed25519 key and its self-signed
// certificate, both PEM (BEP section 1.1). now sets the start of the 20 years
// of validity, which no peer checks.
func NewCertificate(now time.Time) (certPEM, keyPEM []byte, err error) {
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("make key: %w", err)
	}
	var serial [8]byte
	if _, err := rand.Read(serial[:]); err != nil {
		return nil, nil, fmt.Errorf("make serial: %w", err)
	}
	start := now.UTC().Truncate(24 * time.Hour)
	name := pkix.Name{
		Organization:       []string{"Syncthing"},
		OrganizationalUnit: []string{"Automatically Generated"},
		CommonName:         CommonName,
	}
	tmpl := &x509.Certificate{
		SerialNumber:          new(big.Int).SetUint64(binary.BigEndian.Uint64(serial[:])),
		Subject:               name,
		Issuer:                name,
		DNSNames:              []string{CommonName},
		NotBefore:             start,
		NotAfter:              start.Add(20 * 365 * 24 * time.Hour),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
		SignatureAlgorithm:    x509.PureEd25519,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, pub, key)
	if err != nil {
		return nil, nil, fmt.Errorf("sign certificate: %w", err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, fmt.Errorf("encode key: %w", err)
	}
	certPEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
	return certPEM, keyPEM, nil
}

// LoadCertificate reads an identity from PEM and gives its ID.
func LoadCertificate(certPEM, keyPEM []byte) (tls.Certificate, ID, error) {
	cert, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return tls.Certificate{}, ID{}, fmt.Errorf("read identity: %w", err)
	}
	if len(cert.Certificate) != 1 {
		return tls.Certificate{}, ID{}, fmt.Errorf("read identity: %d certificates in the file, want one", len(cert.Certificate))
	}
	return cert, FromCertificate(cert.Certificate[0]), nil
}

package config

import (
	"crypto/tls"
	"errors"
	"io/fs"
	"os"
	"time"

	"lanyard/sync/device"
	"lanyard/sync/fault"
)

// Identity is this device's certificate with its key, and the ID that follows
// from it.
type Identity struct {
	ID          device.ID
	Certificate tls.Certificate
}

// identity reads the home's identity. A home in which nothing was configured
// and that has neither certificate nor key gets a new one; in any other case
// an identity is never made in place of one that cannot be read, because the
// other devices would not know this one any more.
func (h Home) identity(c Config, now time.Time) (Identity, error) {
	cert, certErr := os.ReadFile(h.certFile())
	key, keyErr := os.ReadFile(h.keyFile())
	if errors.Is(certErr, fs.ErrNotExist) && errors.Is(keyErr, fs.ErrNotExist) && c.IsNew() {
		return h.makeIdentity(now)
	}
	if err := errors.Join(certErr, keyErr); err != nil {
		return Identity{}, unreadable(err)
	}
	pair, id, err := device.LoadCertificate(cert, key)
	if err != nil {
		return Identity{}, unreadable(err)
	}
	return Identity{ID: id, Certificate: pair}, nil
}

func unreadable(cause error) error {
	return fault.New(fault.Node, "key-unreadable",
		"this computer's identity cannot be read (%w): put cert.pem and key.pem back from a copy, or start as a new device with another --home",
		cause)
}

// makeIdentity makes an identity. The key is written first: a certificate
// without its key would be worth nothing.
func (h Home) makeIdentity(now time.Time) (Identity, error) {
	cert, key, err := device.NewCertificate(now)
	if err != nil {
		return Identity{}, fault.Wrap(fault.Node, "", "make identity", "", err)
	}
	pair, id, err := device.LoadCertificate(cert, key)
	if err != nil {
		return Identity{}, fault.Wrap(fault.Node, "", "make identity", "", err)
	}
	for _, file := range []struct {
		name string
		data []byte
	}{{h.keyFile(), key}, {h.certFile(), cert}} {
		temp, err := writeTemp(h.dir, file.data)
		if err == nil {
			err = os.Rename(temp, file.name)
		}
		if err != nil {
			return Identity{}, fault.Wrap(fault.Node, "", "write identity", "", err)
		}
	}
	if err := syncDirectory(h.dir); err != nil {
		return Identity{}, fault.Wrap(fault.Node, "", "write identity", "", err)
	}
	return Identity{ID: id, Certificate: pair}, nil
}

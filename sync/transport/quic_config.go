package transport

import (
	"crypto"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/quic-go/quic-go"
)

const (
	connectionIDLength = 8
	resetKeyLabel      = "lanyard quic reset v1"

	// windowBytes bounds what all receive windows may grow by.
	windowBytes = 256 << 20
)

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

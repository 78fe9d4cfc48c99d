package pairing

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"fmt"

	"lanyard/sync/device"
)

// Binding is exported key material of the connection that a run is bound to.
type Binding [32]byte

// Channel is the connection of a run: who is at its ends, by certificate, and
// what binds a run to it.
type Channel struct {
	Self, Peer device.ID
	Binding    Binding
}

// derive gives 32 bytes by HKDF-SHA256 (RFC 5869).
func derive(secret, salt []byte, info ...[]byte) []byte {
	var all []byte
	for _, part := range info {
		all = append(all, part...)
	}
	key, err := hkdf.Key(sha256.New, secret, salt, string(all), sha256.Size)
	if err != nil {
		panic(err) // 32 bytes can always be had
	}
	return key
}

// expand gives a key for one purpose from a derived key.
func expand(key []byte, purpose string) []byte {
	out, err := hkdf.Expand(sha256.New, key, purpose, sha256.Size)
	if err != nil {
		panic(err)
	}
	return out
}

func tag(key []byte, parts ...[]byte) []byte {
	mac := hmac.New(sha256.New, key)
	for _, p := range parts {
		mac.Write(p)
	}
	return mac.Sum(nil)
}

// equal compares in constant time.
func equal(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }

// digits is a code for people: six digits, as "123 456".
func digits(key []byte, modulus uint64) string {
	n := binary.BigEndian.Uint64(key[:8]) % modulus
	return fmt.Sprintf("%03d %03d", n/1000, n%1000)
}

// sixDigits is how many codes there are.
const sixDigits = 1_000_000

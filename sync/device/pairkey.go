package device

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"log/slog"
)

// PairKey is what two paired devices share so that each recognises the other's
// anonymous announcements. It opens nothing. It prints as [key].
type PairKey [32]byte

// NewPairKey draws a key.
func NewPairKey() (k PairKey) {
	rand.Read(k[:]) // never fails
	return k
}

// IsZero reports whether there is no key.
func (k PairKey) IsZero() bool { return k == PairKey{} }

// String keeps the key out of logs, as GoString and LogValue do.
func (k PairKey) String() string { return "[key]" }

// GoString is String.
func (k PairKey) GoString() string { return "[key]" }

// LogValue is String.
func (k PairKey) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalText gives the key for the configuration file.
func (k PairKey) MarshalText() ([]byte, error) {
	return base64.RawURLEncoding.AppendEncode(nil, k[:]), nil
}

// UnmarshalText reads what MarshalText gave.
func (k *PairKey) UnmarshalText(text []byte) error {
	b, err := base64.RawURLEncoding.DecodeString(string(text))
	if err != nil || len(b) != len(k) {
		return fmt.Errorf("a pair key has %d bytes in base64", len(k))
	}
	*k = PairKey(b)
	return nil
}

// Package device holds a device's identity: the hash of its certificate, its
// text form with check characters, and its short form (BEP section 1).
package device

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// ID is the SHA-256 of a device's certificate in DER form. It is public.
type ID [32]byte

// ShortID is the first eight bytes of an ID, big-endian: the key of version
// vectors, and the mark in the names of conflict copies.
type ShortID uint64

// FromCertificate gives the ID of a certificate's DER bytes.
func FromCertificate(der []byte) ID { return sha256.Sum256(der) }

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

var encoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// String gives the ID as eight groups of seven characters, with a check
// character at the end of every second group.
func (id ID) String() string {
	plain := encoding.EncodeToString(id[:]) // 52 characters
	var checked strings.Builder
	for i := 0; i < len(plain); i += 13 {
		checked.WriteString(plain[i : i+13])
		c, _ := checkChar(plain[i : i+13])
		checked.WriteByte(c)
	}
	s := checked.String() // 56 characters
	groups := make([]string, 0, 8)
	for i := 0; i < len(s); i += 7 {
		groups = append(groups, s[i:i+7])
	}
	return strings.Join(groups, "-")
}

// Short gives the short form.
func (id ID) Short() ShortID { return ShortID(binary.BigEndian.Uint64(id[:8])) }

// IsZero reports whether id is the empty ID.
func (id ID) IsZero() bool { return id == ID{} }

// Compare orders IDs by their bytes.
func (id ID) Compare(other ID) int { return bytes.Compare(id[:], other[:]) }

// MarshalText gives the text form, empty for the empty ID.
func (id ID) MarshalText() ([]byte, error) {
	if id.IsZero() {
		return nil, nil
	}
	return []byte(id.String()), nil
}

// UnmarshalText is Parse, and takes the empty text as the empty ID.
func (id *ID) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*id = ID{}
		return nil
	}
	p, err := Parse(string(b))
	if err != nil {
		return err
	}
	*id = p
	return nil
}

// String gives the first seven characters of the device ID.
func (s ShortID) String() string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(s))
	return encoding.EncodeToString(b[:])[:7]
}

// ErrSyntax is wrapped by every error of Parse.
var ErrSyntax = errors.New("not a device ID")

// Parse reads the text form: any case, dashes and spaces anywhere, trailing
// or leading "=", and the digits 0, 1 and 8 in place of O, I and B. The form
// of 52 characters has no check characters.
func Parse(s string) (ID, error) {
	clean := strings.NewReplacer("-", "", " ", "", "0", "O", "1", "I", "8", "B").
		Replace(strings.ToUpper(strings.Trim(s, "=")))
	switch len(clean) {
	case 52:
	case 56:
		var plain strings.Builder
		for i := 0; i < len(clean); i += 14 {
			group := clean[i : i+13]
			c, ok := checkChar(group)
			if !ok {
				return ID{}, fmt.Errorf("%w: a character is outside A-Z and 2-7", ErrSyntax)
			}
			if c != clean[i+13] {
				return ID{}, fmt.Errorf("%w: the check character of group %d is wrong, so a character was mistyped", ErrSyntax, i/14+1)
			}
			plain.WriteString(group)
		}
		clean = plain.String()
	default:
		return ID{}, fmt.Errorf("%w: it has %d characters and must have 56", ErrSyntax, len(clean))
	}
	b, err := encoding.DecodeString(clean)
	if err != nil || len(b) != len(ID{}) {
		return ID{}, fmt.Errorf("%w: a character is outside A-Z and 2-7", ErrSyntax)
	}
	return ID(b), nil
}

// checkChar is Syncthing's variant of Luhn mod 32: from left to right, with
// factor 1 first (BEP section 1.2).
func checkChar(s string) (byte, bool) {
	factor, sum := 1, 0
	for i := range len(s) {
		v := strings.IndexByte(alphabet, s[i])
		if v < 0 {
			return 0, false
		}
		a := factor * v
		sum += a/32 + a%32
		factor = 3 - factor
	}
	return alphabet[(32-sum%32)%32], true
}

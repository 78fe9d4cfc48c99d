package local

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"lanyard/sync/device"
)

// Limits of an announcement that is believed.
const (
	maxPacket    = 2 << 10
	maxAddresses = 16
	maxAddress   = 255 // bytes
)

// magic begins every announcement of version 4; older ones began otherwise.
const magic = 0x2EA7D90B

// Announcement is one device's word of where it listens.
type Announcement struct {
	ID device.ID
	// Addresses are URLs of listeners. One without a host, or with an
	// unspecified one, means the address that the packet came from.
	Addresses []string
	// Instance is drawn at each start of the program.
	Instance int64
}

// Fields of the message.
const (
	fieldID       = 1
	fieldAddress  = 2
	fieldInstance = 3
)

// Append appends the packet.
func (a Announcement) Append(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, magic)
	b = protowire.AppendTag(b, fieldID, protowire.BytesType)
	b = protowire.AppendBytes(b, a.ID[:])
	for _, addr := range a.Addresses[:min(len(a.Addresses), maxAddresses)] {
		b = protowire.AppendTag(b, fieldAddress, protowire.BytesType)
		b = protowire.AppendString(b, addr)
	}
	b = protowire.AppendTag(b, fieldInstance, protowire.VarintType)
	return protowire.AppendVarint(b, uint64(a.Instance))
}

// ErrNoAnnouncement is wrapped by every error of Parse.
var ErrNoAnnouncement = errors.New("no announcement of a device")

func wrong(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrNoAnnouncement}, args...)...)
}

// Parse reads a packet. Fields that it does not know are skipped; a packet that
// is larger, or has more or longer addresses than a device needs, is refused.
func Parse(b []byte) (Announcement, error) {
	var a Announcement
	switch {
	case len(b) > maxPacket:
		return a, wrong("%d bytes", len(b))
	case len(b) < 4 || binary.BigEndian.Uint32(b) != magic:
		return a, wrong("it begins otherwise")
	}
	seen := false
	for b = b[4:]; len(b) > 0; {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return a, wrong("%w", protowire.ParseError(n))
		}
		b = b[n:]
		n, err := a.field(num, typ, b)
		if err != nil {
			return a, err
		}
		if n < 0 {
			return a, wrong("%w", protowire.ParseError(n))
		}
		seen = seen || num == fieldID
		b = b[n:]
	}
	if !seen || a.ID.IsZero() {
		return a, wrong("it names no device")
	}
	return a, nil
}

// field takes one field and gives its length, negative where it is cut off.
func (a *Announcement) field(num protowire.Number, typ protowire.Type, b []byte) (int, error) {
	switch {
	case num == fieldID && typ == protowire.BytesType:
		v, n := protowire.ConsumeBytes(b)
		if n >= 0 && len(v) != len(a.ID) {
			return n, wrong("an ID of %d bytes", len(v))
		}
		copy(a.ID[:], v)
		return n, nil
	case num == fieldAddress && typ == protowire.BytesType:
		v, n := protowire.ConsumeBytes(b)
		switch {
		case n < 0:
		case len(a.Addresses) == maxAddresses:
			return n, wrong("more than %d addresses", maxAddresses)
		case len(v) > maxAddress || !utf8.Valid(v) || bytes.ContainsFunc(v, func(r rune) bool { return r < ' ' || r == 0x7f }):
			return n, wrong("an address that is none")
		default:
			a.Addresses = append(a.Addresses, string(v))
		}
		return n, nil
	case num == fieldInstance && typ == protowire.VarintType:
		v, n := protowire.ConsumeVarint(b)
		a.Instance = int64(v)
		return n, nil
	}
	return protowire.ConsumeFieldValue(num, typ, b), nil
}

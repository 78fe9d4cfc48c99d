package bep

import (
	"errors"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// The append functions leave out zero values, as proto3 does; a repeated
// field's elements are never left out.

func appendUint(dst []byte, tag, v uint64) []byte {
	if v == 0 {
		return dst
	}
	return protowire.AppendVarint(protowire.AppendVarint(dst, tag), v)
}

// appendInt writes a negative number as ten bytes, as proto3 does for int32
// as well as int64.
func appendInt[T ~int32 | ~int64](dst []byte, tag uint64, v T) []byte {
	return appendUint(dst, tag, uint64(int64(v)))
}

func appendBool(dst []byte, tag uint64, v bool) []byte {
	if !v {
		return dst
	}
	return appendUint(dst, tag, 1)
}

func appendBytes(dst []byte, tag uint64, v []byte) []byte {
	if len(v) == 0 {
		return dst
	}
	return protowire.AppendBytes(protowire.AppendVarint(dst, tag), v)
}

func appendString(dst []byte, tag uint64, v string) []byte {
	if v == "" {
		return dst
	}
	return appendElement(dst, tag, v)
}

// appendElement writes a string even if it is empty. What is not UTF-8 is
// replaced, because a protobuf library that reads it refuses the whole
// message.
func appendElement(dst []byte, tag uint64, v string) []byte {
	v = strings.ToValidUTF8(v, "\uFFFD")
	return protowire.AppendString(protowire.AppendVarint(dst, tag), v)
}

// begin starts a nested message: what is appended until end is its body. It
// leaves one byte for the length.
func begin(dst []byte, tag uint64) (_ []byte, start int) {
	dst = append(protowire.AppendVarint(dst, tag), 0)
	return dst, len(dst)
}

// end writes the length of the nested message that begins at start, and moves
// the body where that takes more than the one byte left for it.
func end(dst []byte, start int) []byte {
	n := uint64(len(dst) - start)
	if more := protowire.SizeVarint(n) - 1; more > 0 {
		dst = slices.Grow(dst, more)[:len(dst)+more]
		copy(dst[start+more:], dst[start:len(dst)-more])
	}
	protowire.AppendVarint(dst[:start-1], n)
	return dst
}

// field is one field of a body: its tag, and its value as a number or as
// bytes, which alias the body.
type field struct {
	tag    uint64
	number uint64
	bytes  []byte
}

var errMalformed = errors.New("the protobuf form is broken")

// nextField takes the first field off b. A field that is neither a number nor
// bytes gets the tag 0, which no field has: nothing in BEP is written so.
func nextField(b []byte) (f field, rest []byte, err error) {
	num, typ, n := protowire.ConsumeTag(b)
	if n < 0 {
		return field{}, nil, errMalformed
	}
	b = b[n:]
	switch typ {
	case protowire.VarintType:
		f.number, n = protowire.ConsumeVarint(b)
	case protowire.BytesType:
		f.bytes, n = protowire.ConsumeBytes(b)
	default:
		if n = protowire.ConsumeFieldValue(num, typ, b); n < 0 {
			return field{}, nil, errMalformed
		}
		return field{}, b[n:], nil
	}
	if n < 0 {
		return field{}, nil, errMalformed
	}
	f.tag = protowire.EncodeTag(num, typ)
	return f, b[n:], nil
}

// countFields gives how often a tag occurs in b with at least minLen bytes of
// value, so that a list can be made in one piece that is no larger than what
// the bytes there can fill. It stops at the first broken field.
func countFields(b []byte, tag uint64, minLen int) (n int) {
	for len(b) > 0 {
		f, rest, err := nextField(b)
		if err != nil {
			return n
		}
		if f.tag == tag && len(f.bytes) >= minLen {
			n++
		}
		b = rest
	}
	return n
}

func (f field) bool() bool     { return f.number != 0 }
func (f field) int32() int32   { return int32(f.number) }
func (f field) int64() int64   { return int64(f.number) }
func (f field) string() string { return string(f.bytes) }

// copied gives the value as bytes of its own, nil where it is empty.
func (f field) copied() []byte {
	if len(f.bytes) == 0 {
		return nil
	}
	return slices.Clone(f.bytes)
}

package bep

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// ErrTooLarge is wrapped by AppendMessage's error about a message that the
// receiver would refuse for its size. Send it in parts.
var ErrTooLarge = errors.New("message is too large to send")

// The values of a header's compression field.
const (
	bodyPlain = 0
	bodyLZ4   = 1
)

// AppendMessage appends the whole frame of a message, its body compressed if c
// says so and it pays. On an error dst is returned as it was. It may be called
// concurrently.
//
// What a message holds is not checked: an Index of names from relpath and
// blocks from this device's own scan is right by how it was made.
func AppendMessage(dst []byte, m Message, c Compression) ([]byte, error) {
	t := m.messageType()
	if x, ok := m.(*Extension); ok && !x.Type.IsExtension() {
		return dst, fmt.Errorf("encode extension: type %d is not one of %d to %d", x.Type, TypeExtensionFirst, TypeExtensionLast)
	}
	start := len(dst)
	dst = slices.Grow(dst, bodyHint(m))
	dst = appendHeader(dst, t, bodyPlain)
	dst = append(dst, 0, 0, 0, 0) // length of the body, known below
	body := len(dst)
	dst = appendBody(dst, m)
	n := len(dst) - body
	if limit := bodyLimit(t); n > limit {
		return dst[:start], fmt.Errorf("encode %v of %d bytes (at most %d): %w", t, n, limit, ErrTooLarge)
	}
	binary.BigEndian.PutUint32(dst[body-4:], uint32(n))
	if c.applies(t, n) {
		dst = compressFrame(dst, start, body, t)
	}
	return dst, nil
}

// AppendResponseHeader appends the frame of an uncompressed Response but for
// its data: append exactly size bytes of data to complete it. So a server can
// read a block straight to its place in the send buffer. size is at most
// MaxRequestSize.
func AppendResponseHeader(dst []byte, id int32, code ErrorCode, size int) []byte {
	if size < 0 || size > MaxRequestSize {
		panic(fmt.Sprintf("bep: response of %d bytes", size))
	}
	dst = appendHeader(dst, TypeResponse, bodyPlain)
	dst = append(dst, 0, 0, 0, 0)
	body := len(dst)
	dst = appendResponseFields(dst, id, code, size)
	binary.BigEndian.PutUint32(dst[body-4:], uint32(len(dst)-body+size))
	return dst
}

// MaxResponseOverhead is the most bytes that AppendResponseHeader appends.
const MaxResponseOverhead = 2 + 4 + 4 + maxResponseFields

// appendHeader appends a header with its length. The header of a plain
// ClusterConfig is empty.
func appendHeader(dst []byte, t MessageType, compression uint64) []byte {
	start := len(dst)
	dst = append(dst, 0, 0)
	dst = appendInt(dst, tagHeaderType, t)
	dst = appendUint(dst, tagHeaderCompression, compression)
	binary.BigEndian.PutUint16(dst[start:], uint16(len(dst)-start-2))
	return dst
}

// bodyHint guesses a frame's size, to spare growing step by step.
func bodyHint(m Message) int {
	const small, perFile, perBlock = 128, 128, 48
	switch m := m.(type) {
	case *Index:
		n := small
		for i := range m.Files {
			n += perFile + perBlock*len(m.Files[i].Blocks)
		}
		return n
	case *Response:
		return small + len(m.Data)
	case *Extension:
		return small + len(m.Body)
	default:
		return small
	}
}

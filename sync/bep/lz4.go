package bep

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/pierrec/lz4/v4"
)

// Compression says which messages a sender compresses. It is the sender's
// own choice: a receiver takes any message in either form.
type Compression int32

// The choices, numbered as in Device.Compression.
const (
	CompressMetadata Compression = 0 // all but Responses
	CompressNever    Compression = 1
	CompressAlways   Compression = 2
)

// Bodies of these sizes in bytes are worth compressing. What is larger is the
// hashes of one very large file, which do not get smaller; to find that out
// would hold the body three times over.
const (
	minCompressed = 128
	maxCompressed = 8 << 20
)

// applies reports whether a body of n bytes is to be compressed.
func (c Compression) applies(t MessageType, n int) bool {
	return n >= minCompressed && n <= maxCompressed && (c == CompressAlways || c == CompressMetadata && t != TypeResponse)
}

// rawSizeLen is the length of the uncompressed size in front of an LZ4 block.
const rawSizeLen = 4

// compressFrame replaces the plain frame that starts at start, and its body at
// body, by a compressed one if that saves at least one part in 32.
func compressFrame(dst []byte, start, body int, t MessageType) []byte {
	n := len(dst) - body
	room := n - n/32 - rawSizeLen
	dst = slices.Grow(dst, room)
	packed := dst[len(dst) : len(dst)+room]
	size, err := lz4.CompressBlock(dst[body:], packed, nil)
	if err != nil || size == 0 { // does not fit into room
		return dst
	}
	packed = packed[:size]
	dst = appendHeader(dst[:start], t, bodyLZ4)
	dst = binary.BigEndian.AppendUint32(dst, uint32(rawSizeLen+size))
	dst = binary.BigEndian.AppendUint32(dst, uint32(n))
	// packed lies behind, in the same array: append moves it forward.
	return append(dst, packed...)
}

// maxLZ4Ratio bounds how much an LZ4 block can hold: each byte of it stands
// for at most 255 bytes.
const maxLZ4Ratio = 255

// rawSize checks the size that a compressed body of n bytes claims, before any
// memory is made for it.
func rawSize(claimed uint32, n int, t MessageType) (int, error) {
	switch limit := bodyLimit(t); {
	case uint64(claimed) > uint64(limit):
		return 0, fmt.Errorf("the uncompressed size %d is over the limit of %d bytes", claimed, limit)
	case uint64(claimed) > maxLZ4Ratio*uint64(n-rawSizeLen):
		return 0, fmt.Errorf("%d bytes cannot hold the uncompressed size %d", n-rawSizeLen, claimed)
	}
	return int(claimed), nil
}

var errLZ4 = errors.New("the LZ4 block is broken or not of the size it claims")

// decompress fills dst, which has exactly the claimed size, from an LZ4 block.
// A block of nothing never reaches the library, whose assembly takes a dst
// without memory for one with room and writes to address zero.
func decompress(dst, src []byte) error {
	if len(dst) == 0 {
		if len(src) == 0 || len(src) == 1 && src[0] == 0 {
			return nil
		}
		return errLZ4
	}
	n, err := lz4.UncompressBlock(src, dst)
	if err != nil || n != len(dst) {
		return errLZ4
	}
	return nil
}

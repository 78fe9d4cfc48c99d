package bep

import (
	"encoding/binary"
	"fmt"
	"io"

	"lanyard/sync/fault"
)

// helloMagic begins every Hello of BEP 1.
const helloMagic = 0x2EA7D90B

// isOldMagic knows the first words of the protocols before BEP 1.
func isOldMagic(word uint32) bool {
	return word == 0x00010001 || word == 0x00010000 || word == 0x9F79BC40
}

// WriteHello writes h with one call of Write.
func WriteHello(w io.Writer, h Hello) error {
	b := make([]byte, 6, 128)
	b = appendHello(b, &h)
	if n := len(b) - 6; n > maxHello {
		return fmt.Errorf("write hello of %d bytes (at most %d): %w", n, maxHello, ErrTooLarge)
	}
	binary.BigEndian.PutUint32(b, helloMagic)
	binary.BigEndian.PutUint16(b[4:], uint16(len(b)-6))
	if _, err := w.Write(b); err != nil {
		return connectionError("write hello", err)
	}
	return nil
}

// ReadHello reads a Hello, and not one byte behind it. Its strings are as the
// peer sent them: see CleanName. A peer that speaks something older than BEP 1
// gives an error with the code device-too-old.
func ReadHello(r io.Reader) (Hello, error) {
	const op = "read hello"
	var head [6]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return Hello{}, connectionError(op, err)
	}
	switch word := binary.BigEndian.Uint32(head[:]); {
	case isOldMagic(word):
		return Hello{}, fault.Wrap(fault.Peer, CodeTooOld, op, "", fmt.Errorf(
			"the device speaks a protocol that is too old (it begins with %#08x); update its program", word))
	case word != helloMagic:
		return Hello{}, peerError(op, fmt.Errorf("the device does not speak BEP (it begins with %#08x)", word))
	}
	n := int(binary.BigEndian.Uint16(head[4:]))
	if n > maxHello {
		return Hello{}, peerError(op, fmt.Errorf("the length %d is over the limit of %d bytes", n, maxHello))
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(r, body); err != nil {
		return Hello{}, connectionError(op, unexpected(err))
	}
	h, err := decodeHello(body)
	if err != nil {
		return Hello{}, peerError(op, err)
	}
	return h, nil
}

func decodeHello(b []byte) (h Hello, err error) {
	var f field
	for len(b) > 0 {
		if f, b, err = nextField(b); err != nil {
			return Hello{}, err
		}
		switch f.tag {
		case tagHelloDeviceName:
			h.DeviceName = f.string()
		case tagHelloClientName:
			h.ClientName = f.string()
		case tagHelloClientVersion:
			h.ClientVersion = f.string()
		case tagHelloNumConnections:
			h.NumConnections = f.int32()
		case tagHelloTimestamp:
			h.Timestamp = f.int64()
		}
	}
	return h, nil
}

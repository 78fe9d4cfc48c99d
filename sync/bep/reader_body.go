package bep

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// peek gives the next n bytes without taking them, fewer with an error.
func (r *Reader) peek(n int) ([]byte, error) { return r.in.Peek(n) }

// discard takes n bytes.
func (r *Reader) discard(n int) error {
	_, err := r.in.Discard(n)
	return err
}

// readBody reads n bytes of a body into the scratch memory, which grows with
// what arrives and not by what n claims.
func (r *Reader) readBody(in io.Reader, n int) ([]byte, error) {
	b := r.body[:0]
	for len(b) < n {
		have := len(b)
		step := min(n-have, max(have, cap(b)-have, growStep))
		b = slices.Grow(b, step)[:have+step]
		if _, err := io.ReadFull(in, b[have:]); err != nil {
			return nil, unexpected(err)
		}
	}
	r.body = b
	return b, nil
}

// readSize reads the size that a compressed body claims.
func (r *Reader) readSize(h frameHeader) (int, error) {
	if h.length < rawSizeLen {
		return 0, peerError(readOp(h.kind), fmt.Errorf("a compressed body of %d bytes is too short", h.length))
	}
	b, err := r.peek(rawSizeLen)
	if err != nil {
		return 0, connectionError(readOp(h.kind), unexpected(err))
	}
	size, err := rawSize(binary.BigEndian.Uint32(b), h.length, h.kind)
	if err != nil {
		return 0, peerError(readOp(h.kind), err)
	}
	return size, connectionError(readOp(h.kind), r.discard(rawSizeLen))
}

// readCompressed reads a compressed body and decodes what it holds.
func (r *Reader) readCompressed(h frameHeader) (Message, error) {
	b, err := r.readBody(r.in, h.length)
	if err != nil {
		return nil, connectionError(readOp(h.kind), err)
	}
	r.plain = slices.Grow(r.plain[:0], h.size)[:h.size]
	if err := decompress(r.plain, b); err != nil {
		return nil, peerError(readOp(h.kind), err)
	}
	return r.decode(h.kind, r.plain)
}

// decode decodes a body that lies in the scratch memory.
func (r *Reader) decode(t MessageType, body []byte) (m Message, err error) {
	defer r.trim()
	if t == TypeResponse {
		m, err = r.decodeResponse(body)
	} else {
		m, err = decodeBody(t, body)
	}
	if err != nil {
		return nil, peerError(readOp(t), err)
	}
	return m, nil
}

// trim gives back scratch memory that one large message needed.
func (r *Reader) trim() {
	if cap(r.body) > keepScratch {
		r.body = nil
	}
	if cap(r.plain) > keepScratch {
		r.plain = nil
	}
}

// decodeResponse decodes a Response that lies in memory.
func (r *Reader) decodeResponse(b []byte) (_ *Response, err error) {
	m := r.buffers.response()
	var f field
	for len(b) > 0 {
		if f, b, err = nextField(b); err != nil {
			r.buffers.Release(m)
			return nil, err
		}
		if f.tag == tagResponseData {
			r.lendData(m, len(f.bytes))
			copy(m.Data, f.bytes)
			continue
		}
		m.setNumber(f.tag, f.number)
	}
	return m, nil
}

// lendData gives m room for size bytes of data, in place of what it had.
func (r *Reader) lendData(m *Response, size int) {
	r.buffers.Put(m.Data)
	m.Data = nil
	if size > 0 {
		m.Data = r.buffers.Get(size)
	}
}

// readResponse reads a Response of n bytes, its data straight from the input
// to where it stays.
func (r *Reader) readResponse(n int) (Message, error) {
	m := r.buffers.response()
	for n > 0 {
		used, err := r.readResponseField(m, n)
		if err != nil {
			r.buffers.Release(m)
			if errors.Is(err, errMalformed) {
				return nil, peerError(readOp(TypeResponse), err)
			}
			return nil, connectionError(readOp(TypeResponse), unexpected(err))
		}
		n -= used
	}
	return m, nil
}

// maxFieldStart is the most bytes of a tag and the number or length behind it.
const maxFieldStart = 10 + 10

// readResponseField reads the next of the n bytes that are left of a Response,
// and gives how many it took. What is wrong with the bytes is errMalformed.
func (r *Reader) readResponseField(m *Response, n int) (used int, err error) {
	b, err := r.peek(min(n, maxFieldStart))
	if err != nil {
		return 0, err
	}
	num, typ, tagLen := protowire.ConsumeTag(b)
	if tagLen < 0 {
		return 0, errMalformed
	}
	switch typ {
	case protowire.VarintType:
		v, valueLen := protowire.ConsumeVarint(b[tagLen:])
		if valueLen < 0 {
			return 0, errMalformed
		}
		m.setNumber(protowire.EncodeTag(num, typ), v)
		return tagLen + valueLen, r.discard(tagLen + valueLen)
	case protowire.BytesType:
		v, valueLen := protowire.ConsumeVarint(b[tagLen:])
		start := tagLen + valueLen
		if valueLen < 0 || v > uint64(n-start) {
			return 0, errMalformed
		}
		if err := r.discard(start); err != nil {
			return 0, err
		}
		return start + int(v), r.readResponseBytes(m, protowire.EncodeTag(num, typ), int(v))
	default:
		valueLen := protowire.ConsumeFieldValue(num, typ, b[tagLen:])
		if valueLen < 0 {
			return 0, errMalformed
		}
		return tagLen + valueLen, r.discard(tagLen + valueLen)
	}
}

// setNumber takes over a numeric field. A code that BEP does not have counts
// as CodeGeneric.
func (m *Response) setNumber(tag, v uint64) {
	switch tag {
	case tagResponseID:
		m.ID = int32(v)
	case tagResponseCode:
		m.Code = ErrorCode(int32(v))
		if m.Code < CodeOK || m.Code > CodeInvalidFile {
			m.Code = CodeGeneric
		}
	}
}

// readResponseBytes reads the size bytes of a field, or skips them where the
// field is not the data.
func (r *Reader) readResponseBytes(m *Response, tag uint64, size int) error {
	if tag != tagResponseData {
		return r.discard(size)
	}
	r.lendData(m, size)
	_, err := io.ReadFull(r.in, m.Data)
	return err
}

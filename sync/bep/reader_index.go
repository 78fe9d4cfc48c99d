package bep

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"google.golang.org/protobuf/encoding/protowire"
)

// streamBuffer is the piece in which a large compressed body is unpacked.
const streamBuffer = 64 << 10

// unpackIndex decodes a large compressed Index.
func (r *Reader) unpackIndex(h frameHeader) (Message, error) {
	plain := newLZ4Reader(r.in, h.length, h.size)
	m, err := r.readIndex(h.kind, bufio.NewReaderSize(plain, streamBuffer), h.size)
	if err != nil {
		return nil, err
	}
	return m, bodyError(h.kind, plain.finish())
}

// readIndex decodes a large Index from the n bytes of its plain body that come
// from in, one entry at a time, so that only what is kept of them is held.
func (r *Reader) readIndex(t MessageType, in *bufio.Reader, n int) (Message, error) {
	defer r.trim()
	d := indexDecoder{m: &Index{Update: t == TypeIndexUpdate}, names: map[string]struct{}{}}
	for n > 0 {
		used, err := r.readIndexField(&d, in, n)
		if err != nil {
			return nil, bodyError(t, err)
		}
		n -= used
	}
	m, err := d.end()
	if err != nil {
		return nil, peerError(readOp(t), err)
	}
	return m, nil
}

// readIndexField decodes the next of the n bytes that are left, and gives how
// many it took. An error of the input is an inputError.
func (r *Reader) readIndexField(d *indexDecoder, in *bufio.Reader, n int) (used int, err error) {
	b, err := in.Peek(min(n, maxFieldStart))
	if err != nil {
		return 0, inputError{err}
	}
	num, typ, used := protowire.ConsumeTag(b)
	if used < 0 {
		return 0, errMalformed
	}
	f := field{tag: protowire.EncodeTag(num, typ)}
	if typ != protowire.BytesType {
		k := protowire.ConsumeFieldValue(num, typ, b[used:])
		if k < 0 {
			return 0, errMalformed
		}
		if typ == protowire.VarintType {
			f.number, _ = protowire.ConsumeVarint(b[used:])
		}
		if _, err := in.Discard(used + k); err != nil {
			return 0, inputError{err}
		}
		return used + k, d.set(f)
	}
	v, k := protowire.ConsumeVarint(b[used:])
	used += k
	if k < 0 || v > uint64(n-used) {
		return 0, errMalformed
	}
	size := int(v)
	if _, err := in.Discard(used); err != nil {
		return 0, inputError{err}
	}
	if f.tag != tagIndexFiles && f.tag != tagIndexFolder {
		if _, err := in.Discard(size); err != nil {
			return 0, inputError{err}
		}
		return used + size, nil
	}
	if size > maxEntryBody {
		return 0, fmt.Errorf("a field of %d bytes is over the limit of %d", size, maxEntryBody)
	}
	if f.bytes, err = r.readBody(in, size); err != nil {
		return 0, inputError{err}
	}
	return used + size, d.set(f)
}

// inputError is an error of what a body is read from.
type inputError struct{ error }

func (e inputError) Unwrap() error { return e.error }

// bodyError says whose fault an error is that came while a body was decoded:
// the connection's, or, like a broken LZ4 block, the peer's.
func bodyError(t MessageType, err error) error {
	var input inputError
	switch {
	case err == nil || err == io.EOF:
		return nil
	case errors.As(err, &input) && !errors.Is(err, errLZ4):
		return connectionError(readOp(t), unexpected(input.error))
	}
	return peerError(readOp(t), err)
}

package bep

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// ReaderOptions are the choices for a Reader.
type ReaderOptions struct {
	// Buffers lends the memory for the data of Responses. Share one among all
	// connections; nil means one of its own.
	Buffers *Buffers
	// Extensions is set where the connection has agreed on Lanyard's own
	// messages; else they are skipped like all unknown ones.
	Extensions bool
}

// Reader reads the messages that follow the Hello. It is not safe for
// concurrent use.
type Reader struct {
	in         *bufio.Reader
	buffers    *Buffers
	extensions bool
	head       frameHeader // of the message that Body reads next
	// body and plain hold a message's body as it came and uncompressed. They
	// are kept for the next message unless they grew over keepScratch.
	body, plain []byte
}

const (
	readBuffer = 256 << 10
	// growStep is how far the memory for a body may run ahead of the bytes
	// that have arrived.
	growStep    = 256 << 10
	keepScratch = 1 << 20
)

// NewReader makes a Reader on r, which it reads in pieces of 256 KiB and
// therefore further than the message that it returns.
func NewReader(r io.Reader, o ReaderOptions) *Reader {
	if o.Buffers == nil {
		o.Buffers = NewBuffers(0)
	}
	return &Reader{
		in:         bufio.NewReaderSize(r, readBuffer),
		buffers:    o.Buffers,
		extensions: o.Extensions,
	}
}

// Next reads one message and skips those of unknown types before it. What it
// returns is the caller's and holds nothing of the Reader; a *Response should
// go back to Buffers.Release when its data has been used.
//
// It returns io.EOF, as it is, where the input ends between messages. After
// any error the Reader is of no more use.
func (r *Reader) Next() (Message, error) {
	for {
		if _, known, err := r.Head(); err != nil {
			return nil, err
		} else if known {
			return r.Body()
		}
	}
}

// Wait returns once the next message has begun to arrive. It returns io.EOF,
// as it is, where the input ends before.
func (r *Reader) Wait() error {
	_, err := r.peek(1)
	if err == io.EOF {
		return err
	}
	return connectionError("wait for message", err)
}

// Head is what a message says of itself before its body.
type Head struct {
	Type MessageType
	Size int // bytes of the uncompressed body, as claimed and within the limit
}

// Head reads up to the body of the next message, which Body reads. It is in
// two parts for a caller that makes room for a message before it is read. A
// message of an unknown type is read to its end and gives false.
func (r *Reader) Head() (Head, bool, error) {
	h, err := r.readHeader()
	if err != nil {
		return Head{}, false, err
	}
	if !h.known(r.extensions) {
		return Head{}, false, r.skip(h)
	}
	if limit := bodyLimit(h.kind); h.length > limit {
		return Head{}, false, peerError(readOp(h.kind), fmt.Errorf("its length %d is over the limit of %d bytes", h.length, limit))
	}
	h.size = h.length
	if h.compressed {
		if h.size, err = r.readSize(h); err != nil {
			return Head{}, false, err
		}
		h.length -= rawSizeLen
	}
	r.head = h
	return Head{h.kind, h.size}, true, nil
}

// Body reads the message that Head announced.
func (r *Reader) Body() (Message, error) {
	h := r.head
	switch {
	case h.compressed && h.large():
		return r.unpackIndex(h)
	case h.compressed:
		return r.readCompressed(h)
	case h.kind == TypeResponse:
		return r.readResponse(h.length)
	case h.large():
		return r.readIndex(h.kind, r.in, h.length)
	}
	body, err := r.readBody(r.in, h.length)
	if err != nil {
		return nil, connectionError(readOp(h.kind), err)
	}
	return r.decode(h.kind, body)
}

// frameHeader is what stands before a body.
type frameHeader struct {
	kind       MessageType
	compressed bool
	length     int // of the body on the wire, bytes
	size       int // of the body uncompressed, once that was read
}

// known reports whether the message is one to decode.
func (h frameHeader) known(extensions bool) bool {
	return h.kind >= TypeClusterConfig && h.kind <= TypeClose || extensions && h.kind.IsExtension()
}

// large reports whether a body is decoded as it arrives instead of being held
// whole.
func (h frameHeader) large() bool {
	return h.size > keepScratch && (h.kind == TypeIndex || h.kind == TypeIndexUpdate)
}

// readHeader reads up to the body. It checks everything but the body's length,
// whose limit depends on what is done with it.
func (r *Reader) readHeader() (h frameHeader, err error) {
	const op = "read message header"
	b, err := r.peek(2)
	if err == io.EOF && len(b) == 0 {
		return h, io.EOF
	}
	if err != nil {
		return h, connectionError(op, unexpected(err))
	}
	n := int(binary.BigEndian.Uint16(b))
	if n > maxHeader {
		return h, peerError(op, fmt.Errorf("its length %d is over the limit of %d bytes", n, maxHeader))
	}
	b, err = r.peek(2 + n + 4)
	if err != nil {
		return h, connectionError(op, unexpected(err))
	}
	h, err = decodeHeader(b[2 : 2+n])
	if err != nil {
		return h, peerError(op, err)
	}
	length := binary.BigEndian.Uint32(b[2+n:])
	if length > maxSkippedBody {
		return h, peerError(op, fmt.Errorf("the length %d of the message is over the limit of %d bytes", length, maxSkippedBody))
	}
	h.length = int(length)
	return h, r.discard(len(b))
}

func decodeHeader(b []byte) (h frameHeader, err error) {
	var f field
	compression := int32(bodyPlain)
	for len(b) > 0 {
		if f, b, err = nextField(b); err != nil {
			return h, err
		}
		switch f.tag {
		case tagHeaderType:
			h.kind = MessageType(f.int32())
		case tagHeaderCompression:
			compression = f.int32()
		}
	}
	if compression != bodyPlain && compression != bodyLZ4 {
		return h, fmt.Errorf("the compression %d is unknown", compression)
	}
	h.compressed = compression == bodyLZ4
	return h, nil
}

// skip reads a body and throws it away.
func (r *Reader) skip(h frameHeader) error {
	if err := r.discard(h.length); err != nil {
		return connectionError("skip message", unexpected(err))
	}
	return nil
}

// readOp names the operation for an error.
func readOp(t MessageType) string { return "read " + t.String() }

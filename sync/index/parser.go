package index

import (
	"encoding/binary"
	"errors"
)

var errShort = errors.New("data ends early")

// parser reads fields from b. After the first error all it gives is zeros.
type parser struct {
	b   []byte
	err error
}

func (p *parser) fail() {
	p.err = errShort
	p.b = nil
}

// take gives the next n bytes, which stay part of the input.
func (p *parser) take(n int) []byte {
	if n < 0 || n > len(p.b) {
		p.fail()
		return nil
	}
	out := p.b[:n:n]
	p.b = p.b[n:]
	return out
}

func (p *parser) byte() byte { return firstByte(p.take(1)) }

func (p *parser) uint64() uint64 {
	b := p.take(8)
	if len(b) < 8 {
		return 0
	}
	return binary.LittleEndian.Uint64(b)
}

func (p *parser) uvarint() uint64 {
	v, n := binary.Uvarint(p.b)
	if n <= 0 {
		p.fail()
		return 0
	}
	p.b = p.b[n:]
	return v
}

func (p *parser) varint() int64 {
	v, n := binary.Varint(p.b)
	if n <= 0 {
		p.fail()
		return 0
	}
	p.b = p.b[n:]
	return v
}

// count reads a number of things that take at least each bytes; a number that
// cannot be is an error, so that nobody allocates for it.
func (p *parser) count(each int) int {
	n := p.uvarint()
	if n > maxCount || each > 0 && n > uint64(len(p.b)/each) {
		p.fail()
		return 0
	}
	return int(n)
}

// maxCount is far above the number of blocks that one message can carry.
const maxCount = 1 << 26

// bytes reads a length and that many bytes, which stay part of the input.
func (p *parser) bytes() []byte {
	return p.take(p.count(1))
}

// clone is bytes as a copy, nil where there are none.
func (p *parser) clone() []byte {
	return append([]byte(nil), p.bytes()...)
}

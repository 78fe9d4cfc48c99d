package bep

import (
	"bufio"
	"io"
)

// lz4Window is how far back an LZ4 match reaches, in bytes.
const lz4Window = 64 << 10

// lz4Reader decompresses an LZ4 block as it arrives, so that a large message
// is never held whole, neither compressed nor plain. It is slower than the
// library, which wants both in memory, and serves large messages alone.
//
// It gives exactly the size that was claimed, then checks that the block ends
// there and gives io.EOF. A broken block is errLZ4; every other error is the
// input's.
type lz4Reader struct {
	in   *bufio.Reader
	left int // bytes of the block not read yet
	size int // bytes claimed and not given yet

	literals, match int  // of the sequence that is being given
	offset          int  // of the match
	short           int  // what the token says of the match's length
	pending         bool // a match follows the literals, or the end
	produced        int
	window          [lz4Window]byte // the bytes given last, by their position
}

// newLZ4Reader reads a block of n bytes from in that claims to hold size.
func newLZ4Reader(in *bufio.Reader, n, size int) *lz4Reader {
	return &lz4Reader{in: in, left: n, size: size}
}

// Read decompresses into p.
func (z *lz4Reader) Read(p []byte) (int, error) {
	p = p[:min(len(p), z.size)]
	n := 0
	for n < len(p) {
		k, err := z.give(p[n:])
		z.size -= k
		n += k
		if err != nil {
			return n, err
		}
	}
	if z.size > 0 || n > 0 {
		return n, nil
	}
	return 0, z.finish()
}

// give gives bytes of the sequence at hand, or begins the next one.
func (z *lz4Reader) give(p []byte) (int, error) {
	switch {
	case z.literals > 0:
		return z.giveLiterals(p)
	case z.match > 0:
		k := min(z.match, len(p))
		for i := range k {
			b := z.window[(z.produced-z.offset)&(lz4Window-1)]
			p[i] = b
			z.window[z.produced&(lz4Window-1)] = b
			z.produced++
		}
		z.match -= k
		return k, nil
	case z.pending:
		return 0, z.beginMatch()
	}
	return 0, z.beginSequence()
}

func (z *lz4Reader) giveLiterals(p []byte) (int, error) {
	k := min(z.literals, len(p))
	if k > z.left {
		return 0, errLZ4
	}
	k, err := io.ReadFull(z.in, p[:k])
	for _, b := range p[:k] {
		z.window[z.produced&(lz4Window-1)] = b
		z.produced++
	}
	z.left -= k
	z.literals -= k
	return k, unexpected(err)
}

// beginSequence reads a token: so many literals, then a match.
func (z *lz4Reader) beginSequence() error {
	token, err := z.next()
	if err != nil {
		return err
	}
	z.short = int(token & 15)
	z.literals, err = z.length(int(token >> 4))
	z.pending = true
	return err
}

// beginMatch reads where a match stands and how long it is, after the literals.
func (z *lz4Reader) beginMatch() error {
	low, err := z.next()
	if err != nil {
		return err
	}
	high, err := z.next()
	if err != nil {
		return err
	}
	z.pending = false
	z.offset = int(low) | int(high)<<8
	if z.offset == 0 || z.offset > z.produced {
		return errLZ4
	}
	n, err := z.length(z.short)
	z.match = n + 4 // the shortest match
	return err
}

// length gives a length whose first four bits are n.
func (z *lz4Reader) length(n int) (int, error) {
	if n < 15 {
		return n, nil
	}
	for {
		b, err := z.next()
		if err != nil {
			return 0, err
		}
		n += int(b)
		if n > maxIndexBody {
			return 0, errLZ4
		}
		if b < 255 {
			return n, nil
		}
	}
}

func (z *lz4Reader) next() (byte, error) {
	if z.left == 0 {
		return 0, errLZ4
	}
	z.left--
	b, err := z.in.ReadByte()
	return b, unexpected(err)
}

// finish checks that the block ends where its claim does. It may end with a
// sequence of nothing.
func (z *lz4Reader) finish() error {
	if z.left > 0 && z.literals == 0 && z.match == 0 && !z.pending {
		if err := z.beginSequence(); err != nil {
			return err
		}
	}
	if z.left > 0 || z.literals > 0 || z.match > 0 || z.pending && z.short > 0 {
		return errLZ4
	}
	return io.EOF
}

package bep

import (
	"math/bits"
	"sync/atomic"
)

// The classes of buffers: one for small answers, then the powers of two from
// 64 KiB to the largest block, then one for the largest answer.
const (
	smallBuffer  = 16 << 10
	firstPower   = 16 // 64 KiB
	lastPower    = 24 // 16 MiB
	numClasses   = 1 + (lastPower - firstPower + 1) + 1
	perClass     = 256 // free buffers
	perResponses = 1024
)

// defaultIdle is the bytes that Buffers keeps for reuse unless told otherwise.
const defaultIdle = 64 << 20

// Buffers lends the memory for the data of Responses, and takes it back for
// the next one. It keeps at most a fixed number of bytes that nobody uses;
// what is returned beyond that goes to the garbage collector. It does not
// limit what is lent: that follows from how much is asked of peers at a time.
//
// A Buffers may serve many connections and be used concurrently.
type Buffers struct {
	maxIdle int64
	idle    atomic.Int64
	// The free lists. Nobody closes them; a full list drops what comes.
	free      [numClasses]chan []byte
	responses chan *Response
}

// NewBuffers makes a Buffers that keeps at most maxIdle bytes; 0 means
// 64 MiB.
func NewBuffers(maxIdle int64) *Buffers {
	if maxIdle == 0 {
		maxIdle = defaultIdle
	}
	b := &Buffers{maxIdle: maxIdle, responses: make(chan *Response, perResponses)}
	for i := range b.free {
		b.free[i] = make(chan []byte, perClass)
	}
	return b
}

// Get lends size bytes of any content, 0 ≤ size ≤ MaxRequestSize. Give them
// back with Put, or leave them to the garbage collector.
func (b *Buffers) Get(size int) []byte {
	class := classFor(size)
	select {
	case p := <-b.free[class]:
		b.idle.Add(-int64(cap(p)))
		return p[:size]
	default:
		return make([]byte, size, classSize(class))
	}
}

// Put takes back what Get lent, cut or not, but starting where it started.
// Nobody may use the bytes from then on. Slices that did not come from Get are
// ignored.
func (b *Buffers) Put(p []byte) {
	size := cap(p)
	if size == 0 || size > MaxRequestSize {
		return
	}
	class := classFor(size)
	if classSize(class) != size {
		return
	}
	if b.idle.Add(int64(size)) > b.maxIdle {
		b.idle.Add(-int64(size))
		return
	}
	select {
	case b.free[class] <- p[:0]:
	default:
		b.idle.Add(-int64(size))
	}
}

// Release takes back a Response that a Reader made, with its data. Neither may
// be used from then on. A Response that is never released costs nothing but
// the reuse. To keep the data longer, take it out and set Data to nil first,
// and Put it later.
//
// Releasing twice would give the same memory to two blocks at once; where that
// is seen, Release panics.
func (b *Buffers) Release(m *Response) {
	if m.Code == codeReleased {
		panic("bep: response released twice")
	}
	b.Put(m.Data)
	*m = Response{Code: codeReleased}
	select {
	case b.responses <- m:
	default:
	}
}

// codeReleased marks a Response that lies in the free list.
const codeReleased ErrorCode = -1 << 31

// response lends an empty Response.
func (b *Buffers) response() *Response {
	select {
	case m := <-b.responses:
		*m = Response{}
		return m
	default:
		return &Response{}
	}
}

// Idle gives the bytes that wait for reuse.
func (b *Buffers) Idle() int64 { return b.idle.Load() }

// classFor gives the smallest class that holds size bytes.
func classFor(size int) int {
	switch {
	case size <= smallBuffer:
		return 0
	case size > 1<<lastPower:
		return numClasses - 1
	}
	return 1 + max(0, bits.Len(uint(size-1))-firstPower)
}

// classSize gives the capacity of a class's buffers.
func classSize(class int) int {
	switch class {
	case 0:
		return smallBuffer
	case numClasses - 1:
		return MaxRequestSize
	}
	return 1 << (firstPower + class - 1)
}

package bep

import (
	"io"
	"runtime"
	"testing"
)

// allocatedBy gives the bytes that f allocates, freed or not.
func allocatedBy(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// loop repeats its bytes without end.
type loop struct {
	b   []byte
	pos int
}

func (l *loop) Read(p []byte) (int, error) {
	n := copy(p, l.b[l.pos:])
	l.pos = (l.pos + n) % len(l.b)
	return n, nil
}

func TestABlockPassesWithoutAllocation(t *testing.T) {
	b := AppendResponseHeader(nil, 7, CodeOK, 1<<17)
	b = append(b, make([]byte, 1<<17)...)
	buffers := NewBuffers(0)
	r := NewReader(&loop{b: b}, ReaderOptions{Buffers: buffers})
	out := make([]byte, 0, 1<<18)
	n := testing.AllocsPerRun(100, func() {
		m, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		buffers.Release(m.(*Response))
		out = AppendResponseHeader(out[:0], 7, CodeOK, 1<<17)
	})
	if n != 0 {
		t.Errorf("%v allocations per block, want 0", n)
	}
}

func BenchmarkResponse(b *testing.B) {
	const size = 1 << 17
	one := append(AppendResponseHeader(nil, 7, CodeOK, size), make([]byte, size)...)
	b.Run("read", func(b *testing.B) {
		buffers := NewBuffers(0)
		r := NewReader(&loop{b: one}, ReaderOptions{Buffers: buffers})
		b.SetBytes(size)
		b.ReportAllocs()
		for b.Loop() {
			m, err := r.Next()
			if err != nil {
				b.Fatal(err)
			}
			buffers.Release(m.(*Response))
		}
	})
	b.Run("serve", func(b *testing.B) {
		out, disk := make([]byte, 0, 2*size), &loop{b: make([]byte, size)}
		b.SetBytes(size)
		b.ReportAllocs()
		for b.Loop() {
			out = AppendResponseHeader(out[:0], 7, CodeOK, size)
			data := out[len(out) : len(out)+size]
			if _, err := io.ReadFull(disk, data); err != nil {
				b.Fatal(err)
			}
			out = out[:len(out)+size]
		}
	})
}

func BenchmarkIndex(b *testing.B) {
	m := &Index{Folder: "f"}
	for i := range 1000 {
		m.Files = append(m.Files, numbered(i))
	}
	for name, c := range map[string]Compression{"plain": CompressNever, "lz4": CompressMetadata} {
		frame := mustFrame(b, m, c)
		b.Run("encode/"+name, func(b *testing.B) {
			var out []byte
			b.SetBytes(int64(len(frame)))
			b.ReportAllocs()
			for b.Loop() {
				out, _ = AppendMessage(out[:0], m, c)
			}
		})
		b.Run("decode/"+name, func(b *testing.B) {
			r := NewReader(&loop{b: frame}, ReaderOptions{})
			b.SetBytes(int64(len(frame)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Next(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

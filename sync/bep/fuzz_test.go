package bep

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lanyard/sync/fault"
)

// FuzzReadMessage reads any bytes: nothing panics, every error has a kind, and
// a message that was taken is one that can be sent and read again.
func FuzzReadMessage(f *testing.F) {
	for _, m := range sampleMessages() {
		for _, c := range []Compression{CompressNever, CompressAlways} {
			f.Add(mustFrame(f, m, c))
		}
	}
	f.Add(frame("\x08\x63", []byte("unknown")))
	f.Add(claim("\x08\x01\x10\x01", 500_000_000))
	buffers := NewBuffers(0)
	f.Fuzz(func(t *testing.T, b []byte) {
		r := NewReader(bytes.NewReader(b), ReaderOptions{Buffers: buffers, Extensions: true})
		for {
			m, err := r.Next()
			if err != nil {
				if err != io.EOF && fault.KindOf(err) == fault.Unknown {
					t.Fatalf("error without a kind: %v", err)
				}
				return
			}
			checkAgain(t, m)
			if m, ok := m.(*Response); ok {
				buffers.Release(m)
			}
		}
	})
}

// checkAgain writes what was read and reads that: it must be the same. What
// was replaced while writing, such as text that is not UTF-8, settles then.
func checkAgain(t *testing.T, m Message) {
	if m, ok := m.(*Request); ok && m.Name.IsRoot() {
		return // a name that is not supported has no form to send
	}
	if m, ok := m.(*Index); ok {
		m.Refused = nil // these are not sent
	}
	sent, err := AppendMessage(nil, m, CompressNever)
	if errors.Is(err, ErrTooLarge) {
		return // the marks for broken text are longer than what they replace
	}
	if err != nil {
		t.Fatal(err)
	}
	once := mustNext(t, sent)
	twice := mustNext(t, mustFrame(t, once, CompressAlways))
	if diff := cmp.Diff(once, twice, paths); diff != "" {
		t.Fatalf("a message changes when sent again (-once +twice):\n%s", diff)
	}
}

// FuzzHello reads any bytes as a Hello.
func FuzzHello(f *testing.F) {
	var out bytes.Buffer
	if err := WriteHello(&out, Hello{DeviceName: "a", ClientName: "b", NumConnections: -1, Timestamp: 1}); err != nil {
		f.Fatal(err)
	}
	f.Add(out.Bytes())
	f.Add([]byte("\x9f\x79\xbc\x40\x00\x00"))
	f.Add([]byte("\x2e\xa7\xd9\x0b\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := ReadHello(bytes.NewReader(b)); err != nil && fault.KindOf(err) == fault.Unknown {
			t.Fatalf("error without a kind: %v", err)
		}
	})
}

// FuzzFileInfo decodes any bytes as an entry. What is taken keeps its form,
// and what its fields promise.
func FuzzFileInfo(f *testing.F) {
	for _, file := range sampleFiles() {
		f.Add(MarshalFileInfo(&file))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := UnmarshalFileInfo(b)
		if err != nil {
			return
		}
		if !got.Version.Valid() || got.Name.IsRoot() || got.Size < 0 || got.IsFile() && !got.Invalid && len(got.Blocks) == 0 {
			t.Fatalf("took %+v", got)
		}
		var sum int64
		for _, b := range got.Blocks {
			if b.Offset != sum {
				t.Fatalf("block at %d, want at %d", b.Offset, sum)
			}
			sum += int64(b.Size)
		}
		if len(got.Blocks) > 0 && sum != got.Size {
			t.Fatalf("blocks of %d bytes in a file of %d", sum, got.Size)
		}
		again, err := UnmarshalFileInfo(MarshalFileInfo(&got))
		if diff := cmp.Diff(got, again, paths); err != nil || diff != "" {
			t.Fatalf("changes when written (%v; -got +again):\n%s", err, diff)
		}
	})
}

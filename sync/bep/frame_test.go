package bep

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pierrec/lz4/v4"

	"lanyard/sync/fault"
)

// frame makes a frame of any header and body, right or wrong.
func frame(header string, body []byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, uint16(len(header)))
	b = append(b, header...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(body)))
	return append(b, body...)
}

// claim makes a frame whose body is not there in the length it claims.
func claim(header string, length uint32, body ...byte) []byte {
	b := frame(header, body)
	binary.BigEndian.PutUint32(b[2+len(header):], length)
	return b
}

// lz4Body makes a compressed body that claims a size.
func lz4Body(claimed uint32, packed ...byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, claimed), packed...)
}

func next(b []byte) (Message, error) {
	return NewReader(bytes.NewReader(b), ReaderOptions{}).Next()
}

// isCompressed reports whether the header of a frame says LZ4.
func isCompressed(t *testing.T, b []byte) bool {
	t.Helper()
	h, err := decodeHeader(b[2 : 2+binary.BigEndian.Uint16(b)])
	if err != nil {
		t.Fatal(err)
	}
	return h.compressed
}

func TestCompressionFollowsTheSendersRule(t *testing.T) {
	// The body of a Close is its reason and two or three bytes around it.
	closing := func(body int) Message { return &Close{Reason: strings.Repeat("a", body-2)} }
	noise := make([]byte, 1000)
	random := rand.NewChaCha8([32]byte{})
	_, _ = random.Read(noise)
	block := &Response{ID: 1, Data: make([]byte, 1000)}
	tests := []struct {
		name string
		m    Message
		c    Compression
		want bool
	}{
		{"127 bytes are too few", closing(127), CompressAlways, false},
		{"128 bytes are enough", closing(129), CompressMetadata, true},
		{"never means never", closing(129), CompressNever, false},
		{"a Response is not metadata", block, CompressMetadata, false},
		{"always includes a Response", block, CompressAlways, true},
		{"8 MiB are not too many", &Response{ID: 1, Data: make([]byte, maxCompressed-100)}, CompressAlways, true},
		{"more is not tried", &Response{ID: 1, Data: make([]byte, maxCompressed)}, CompressAlways, false},
		{"noise saves nothing", &Extension{Type: 64, Body: noise}, CompressAlways, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := mustFrame(t, tt.m, tt.c)
			if got := isCompressed(t, b); got != tt.want {
				t.Errorf("compressed = %v, want %v", got, tt.want)
			}
			// Element by element, 8 MiB would take a minute.
			if diff := cmp.Diff(tt.m, mustNext(t, b), paths, cmp.Comparer(bytes.Equal)); diff != "" {
				t.Errorf("read back (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCompressionBeginsAt128Bytes(t *testing.T) {
	for _, n := range []int{127, 128} {
		b := mustFrame(t, &Extension{Type: 64, Body: make([]byte, n)}, CompressMetadata)
		if got, want := isCompressed(t, b), n >= 128; got != want {
			t.Errorf("a body of %d bytes is compressed: %v, want %v", n, got, want)
		}
	}
}

func TestACompressedBodySavesAtLeastOnePartIn32(t *testing.T) {
	random := rand.NewChaCha8([32]byte{1})
	for zeros := range 200 { // from noise to a little less than noise
		body := make([]byte, 2000)
		_, _ = random.Read(body[zeros:])
		b := mustFrame(t, &Extension{Type: 64, Body: body}, CompressAlways)
		if !isCompressed(t, b) {
			continue
		}
		length := len(b) - 2 - 4 - 4 // header of 4 bytes
		if most := len(body) - len(body)/32; length > most {
			t.Errorf("%d zeros: compressed body of %d bytes, want at most %d", zeros, length, most)
		}
	}
}

func TestAppendMessageKeepsWhatIsInFront(t *testing.T) {
	for _, c := range []Compression{CompressNever, CompressAlways} {
		dst := []byte("in front")
		m := &Close{Reason: strings.Repeat("why ", 100)}
		b, err := AppendMessage(dst, m, c)
		if err != nil {
			t.Fatal(err)
		}
		rest, ok := bytes.CutPrefix(b, dst)
		if !ok {
			t.Fatalf("the start became %q", b[:len(dst)])
		}
		if diff := cmp.Diff(Message(m), mustNext(t, rest)); diff != "" {
			t.Errorf("read back (-want +got):\n%s", diff)
		}
	}
}

func TestAMessageThatTheReceiverWouldRefuseIsNotMade(t *testing.T) {
	dst := []byte("in front")
	b, err := AppendMessage(dst, &Close{Reason: strings.Repeat("a", maxOtherBody)}, CompressAlways)
	if !errors.Is(err, ErrTooLarge) || string(b) != string(dst) {
		t.Errorf("AppendMessage = %d bytes, %v; want what was there and ErrTooLarge", len(b), err)
	}
	if _, err := AppendMessage(nil, &Extension{Type: 63}, CompressNever); err == nil {
		t.Error("an extension of type 63 was encoded, want an error")
	}
}

func TestAResponseHeaderIsCompletedByItsData(t *testing.T) {
	for _, size := range []int{0, 1, 127, 128, 1 << 17, MaxRequestSize} {
		data := bytes.Repeat([]byte{'x'}, size)
		b := AppendResponseHeader(nil, -1, CodeGeneric, size)
		if len(b) > MaxResponseOverhead {
			t.Errorf("size %d: header of %d bytes, want at most %d", size, len(b), MaxResponseOverhead)
		}
		m, ok := mustNext(t, append(b, data...)).(*Response)
		if !ok || m.ID != -1 || m.Code != CodeGeneric || !bytes.Equal(m.Data, data) {
			t.Errorf("size %d: read back %v bytes, id %d, code %d", size, len(m.Data), m.ID, m.Code)
		}
	}
}

// lengths are the values at which a length field goes wrong.
func lengths(limit uint32) map[string]uint32 {
	return map[string]uint32{
		"minus one": 1<<32 - 1, "2^31": 1 << 31, "max plus one": limit + 1, "no end": 1<<31 - 1,
	}
}

func TestALengthOverTheLimitOfItsTypeIsRefused(t *testing.T) {
	types := map[string]MessageType{
		"\x08\x00": TypeClusterConfig, "\x08\x01": TypeIndex, "\x08\x02": TypeIndexUpdate, "\x08\x03": TypeRequest,
		"\x08\x04": TypeResponse, "\x08\x05": TypeDownloadProgress, "\x08\x06": TypePing, "\x08\x07": TypeClose,
	}
	for header, kind := range types {
		for name, n := range lengths(uint32(bodyLimit(kind))) {
			if _, err := next(claim(header, n)); fault.KindOf(err) != fault.Peer {
				t.Errorf("%v of length %s: error %v, want of kind peer", kind, name, err)
			}
			body := lz4Body(n, make([]byte, 16)...)
			if _, err := next(frame(header+"\x10\x01", body)); fault.KindOf(err) != fault.Peer {
				t.Errorf("%v of uncompressed length %s: error %v, want of kind peer", kind, name, err)
			}
		}
	}
}

func TestALengthAtTheLimitWaitsForItsBytes(t *testing.T) {
	for _, header := range []string{"", "\x08\x01", "\x08\x03", "\x08\x04"} {
		limit := uint32(bodyLimit(MessageType(append([]byte(header), 0, 0)[1])))
		_, err := next(claim(header, limit))
		if fault.KindOf(err) != fault.Retry || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("header %q: error %v, want an unexpected end of kind retry", header, err)
		}
	}
}

func TestAHeaderOverItsLimitIsRefused(t *testing.T) {
	for _, n := range []uint16{maxHeader + 1, 1 << 15, 1<<16 - 1} {
		b := binary.BigEndian.AppendUint16(nil, n)
		if _, err := next(append(b, make([]byte, 2000)...)); fault.KindOf(err) != fault.Peer {
			t.Errorf("header of length %d: error %v, want of kind peer", n, err)
		}
	}
	// A field of an unknown number fills the header up to the limit.
	header := "\x08\x06\x7a\xfb\x07" + strings.Repeat("x", maxHeader-5)
	if m, err := next(frame(header, nil)); err != nil {
		t.Errorf("header of %d bytes: %v, %v; want a Ping", len(header), m, err)
	}
}

func TestTheEndBetweenMessagesIsEOF(t *testing.T) {
	if _, err := next(nil); err != io.EOF {
		t.Errorf("error at the end: %v, want io.EOF itself", err)
	}
	whole := mustFrame(t, &Response{ID: 300, Data: []byte("some data"), Code: 1}, CompressNever)
	for n := 1; n < len(whole); n++ {
		_, err := next(whole[:n])
		if !errors.Is(err, io.ErrUnexpectedEOF) || fault.KindOf(err) != fault.Retry {
			t.Errorf("error after %d of %d bytes: %v, want an unexpected end of kind retry", n, len(whole), err)
		}
	}
}

func TestErrorsOfTheConnectionKeepTheirKind(t *testing.T) {
	gone := fault.New(fault.Node, "some-code", "the socket is gone")
	in := io.MultiReader(strings.NewReader("\x00"), errorReader{gone})
	_, err := NewReader(in, ReaderOptions{}).Next()
	if fault.KindOf(err) != fault.Node || fault.CodeOf(err) != "some-code" {
		t.Errorf("error %v of kind %v, want kind and code of its cause", err, fault.KindOf(err))
	}
}

type errorReader struct{ err error }

func (r errorReader) Read([]byte) (int, error) { return 0, r.err }

// zeros is n bytes without memory.
func zeros(n int64) io.Reader { return io.LimitReader(zeroReader{}, n) }

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestUnknownMessagesAreSkippedWithoutHoldingThem(t *testing.T) {
	ping := string(mustFrame(t, &Ping{}, CompressNever))
	in := io.MultiReader(
		bytes.NewReader(claim("\x08\x63", maxSkippedBody)), zeros(maxSkippedBody),
		bytes.NewReader(claim("\x08\x09\x10\x01", 3)), zeros(3),
		bytes.NewReader(frame("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", nil)), // type -1
		strings.NewReader(ping),
	)
	r := NewReader(in, ReaderOptions{})
	var m Message
	var err error
	allocated := allocatedBy(func() { m, err = r.Next() })
	if _, ok := m.(*Ping); !ok || err != nil {
		t.Fatalf("Next = %T, %v; want the Ping behind them", m, err)
	}
	if allocated > 64<<10 {
		t.Errorf("skipping allocated %d bytes, want less than 64 KiB", allocated)
	}
	for name, n := range lengths(maxSkippedBody) {
		if _, err := next(claim("\x08\x63", n)); fault.KindOf(err) != fault.Peer {
			t.Errorf("unknown message of length %s: error %v, want of kind peer", name, err)
		}
	}
}

func TestExtensionsAreReadOnlyWhereAgreed(t *testing.T) {
	b := append(mustFrame(t, &Extension{Type: 64, Body: []byte("x")}, CompressNever),
		mustFrame(t, &Ping{}, CompressNever)...)
	for _, agreed := range []bool{true, false} {
		m, err := NewReader(bytes.NewReader(b), ReaderOptions{Extensions: agreed}).Next()
		if err != nil {
			t.Fatal(err)
		}
		if _, got := m.(*Extension); got != agreed {
			t.Errorf("agreed %v: read %T", agreed, m)
		}
	}
}

func TestUnknownFieldsAreIgnored(t *testing.T) {
	unknown := []byte("\x98\x06\x05" + "\x92\x3f\x02hi" + "\xa5\x06abcd" + "\xa1\x06abcdefgh" + "\xa3\x06\x08\x01\xa4\x06")
	for name, m := range sampleMessages() {
		if name == "extension" {
			continue // its body is not ours to read
		}
		t.Run(name, func(t *testing.T) {
			body := appendBody(nil, m)
			body = append(append(bytes.Clone(unknown), body...), unknown...)
			header := appendInt(nil, tagHeaderType, m.messageType())
			if diff := cmp.Diff(m, mustNext(t, frame(string(header), body)), paths); diff != "" {
				t.Errorf("read back (-want +got):\n%s", diff)
			}
		})
	}
}

func TestABrokenMessageIsThePeersFault(t *testing.T) {
	tests := map[string][]byte{
		"a header that is no protobuf":       frame("\xff", nil),
		"an unknown compression":             frame("\x08\x06\x10\x02", nil),
		"a body that is no protobuf":         frame("\x08\x07", []byte{0xff}),
		"a field longer than its body":       frame("\x08\x07", []byte{0x0a, 5, 'x'}),
		"data longer than its Response":      frame("\x08\x04", []byte{0x12, 5, 'x'}),
		"a Response that is no protobuf":     frame("\x08\x04", []byte{0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}),
		"a Response that ends in a tag":      frame("\x08\x04", []byte{0x08}),
		"a compressed body of no bytes":      frame("\x08\x07\x10\x01", nil),
		"a compressed body of three bytes":   frame("\x08\x07\x10\x01", []byte{0, 0, 0}),
		"an LZ4 block of garbage":            frame("\x08\x07\x10\x01", lz4Body(4, 0xff, 0xff, 1)),
		"an LZ4 block shorter than it says":  frame("\x08\x07\x10\x01", lz4Body(9, 0x40, 0x0a, 2, 'h', 'i')),
		"an LZ4 block longer than it says":   frame("\x08\x07\x10\x01", lz4Body(3, 0x40, 0x0a, 2, 'h', 'i')),
		"an LZ4 block with a match too far":  frame("\x08\x07\x10\x01", lz4Body(9, 0x10, 'a', 9, 0, 0)),
		"an LZ4 block that cannot be enough": frame("\x08\x04\x10\x01", lz4Body(maxResponseBody, 1, 2, 3)),
	}
	for name, b := range tests {
		t.Run(name, func(t *testing.T) {
			if m, err := next(b); fault.KindOf(err) != fault.Peer {
				t.Errorf("Next = %v, %v; want an error of kind peer", m, err)
			}
		})
	}
}

func TestACorruptedLZ4BlockNeverPanics(t *testing.T) {
	good := mustFrame(t, &Index{Folder: "f", Files: sampleFiles()}, CompressAlways)
	if !isCompressed(t, good) {
		t.Fatal("the sample is not compressed")
	}
	for i := range good {
		for _, flip := range []byte{1, 0x80, 0xff} {
			bad := bytes.Clone(good)
			bad[i] ^= flip
			if _, err := next(bad); err != nil && err != io.EOF && fault.KindOf(err) == fault.Unknown {
				t.Fatalf("byte %d changed: error %v has no kind", i, err)
			}
		}
	}
}

func TestAnEmptyCompressedBodyIsAnEmptyMessage(t *testing.T) {
	for name, body := range map[string][]byte{"no block": lz4Body(0), "an empty block": lz4Body(0, 0)} {
		m, err := next(frame("\x08\x06\x10\x01", body))
		if _, ok := m.(*Ping); !ok {
			t.Errorf("%s: Next = %v, %v; want a Ping", name, m, err)
		}
	}
}

func TestAnLZ4BlockThatClaimsNothingAndHoldsSomethingIsRefused(t *testing.T) {
	for _, n := range []int{2, 16, 44, 4096} {
		body := append(lz4Body(0), bytes.Repeat([]byte{'0'}, n)...)
		if m, err := next(frame("\x10\x01", body)); fault.KindOf(err) != fault.Peer {
			t.Errorf("%d bytes for nothing: Next = %v, %v; want a fault of the peer's", n, m, err)
		}
	}
}

func TestALargeLZ4BlockIsReadWhole(t *testing.T) {
	plain := appendBody(nil, &Response{ID: 5, Data: bytes.Repeat([]byte("block "), 1<<20)})
	packed := make([]byte, lz4.CompressBlockBound(len(plain)))
	n, err := lz4.CompressBlock(plain, packed, nil)
	if err != nil {
		t.Fatal(err)
	}
	m, ok := mustNext(t, frame("\x08\x04\x10\x01", lz4Body(uint32(len(plain)), packed[:n]...))).(*Response)
	if !ok || m.ID != 5 || len(m.Data) != 6<<20 {
		t.Errorf("read %T with %d bytes, want 6 MiB", m, len(m.Data))
	}
}

// A claim costs its sender no bytes, so it must cost the receiver little.
func TestAClaimedLengthAllocatesLittle(t *testing.T) {
	tests := map[string][]byte{
		"a message of 500 MB":              append(claim("\x08\x01", 500_000_000), "0123456789ab"...),
		"an Index at its limit":            append(claim("\x08\x01", maxIndexBody), "0123456789ab"...),
		"LZ4 of 500 MB":                    append(claim("\x08\x01\x10\x01", 10), lz4Body(500_000_000, 1, 2, 3, 4, 5, 6)...),
		"LZ4 of an Index at its limit":     append(claim("\x08\x01\x10\x01", 10), lz4Body(maxIndexBody, 1, 2, 3, 4, 5, 6)...),
		"LZ4 in a message at its limit":    append(claim("\x08\x01\x10\x01", maxIndexBody), lz4Body(maxIndexBody, 1, 2, 3, 4)...),
		"data longer than its own message": append(claim("\x08\x04", 9), 0x12, 0x80, 0x80, 0x80, 8, 1, 2, 3, 4),
	}
	for name, b := range tests {
		t.Run(name, func(t *testing.T) {
			var err error
			allocated := allocatedBy(func() { _, err = next(b) })
			if err == nil || allocated > 1<<20 {
				t.Errorf("allocated %d bytes (error %v), want an error and less than 1 MiB", allocated, err)
			}
		})
	}
}

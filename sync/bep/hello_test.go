package bep

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"

	"lanyard/sync/fault"
)

func TestHelloIsWrittenAtOnceAndReadToItsLastByte(t *testing.T) {
	h := Hello{
		DeviceName: "laptop", ClientName: "lanyard", ClientVersion: "v1.0.0",
		NumConnections: 1, Timestamp: 1_770_000_000_000_000_000,
	}
	w := &countingWriter{}
	if err := WriteHello(w, h); err != nil {
		t.Fatal(err)
	}
	if w.calls != 1 {
		t.Errorf("%d writes, want one: the peer may learn of the stream by the first", w.calls)
	}
	in := bytes.NewReader(append(w.b, "behind"...))
	got, err := ReadHello(in)
	if err != nil || got != h {
		t.Errorf("ReadHello = %+v, %v; want %+v", got, err, h)
	}
	if in.Len() != len("behind") {
		t.Errorf("%d bytes left behind the hello, want %d", in.Len(), len("behind"))
	}
}

type countingWriter struct {
	calls int
	b     []byte
}

func (w *countingWriter) Write(p []byte) (int, error) {
	w.calls++
	w.b = append(w.b, p...)
	return len(p), nil
}

func TestHelloKeepsItsGoldenBytes(t *testing.T) {
	tests := map[string]Hello{
		"2ea7d90b0000": {},
		"2ea7d90b000e" + "0a0161" + "120162" + "1a0163" + "2003" + "28ac02": {
			DeviceName: "a", ClientName: "b", ClientVersion: "c", NumConnections: 3, Timestamp: 300,
		},
	}
	for want, h := range tests {
		var out bytes.Buffer
		if err := WriteHello(&out, h); err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(out.Bytes()); got != want {
			t.Errorf("hello %+v = %s, want %s", h, got, want)
		}
	}
}

func TestAHelloThatIsNotBEPIsRefused(t *testing.T) {
	tests := []struct {
		name, hex string
		code      fault.Code
		want      string
	}{
		{"protocol 0.12", "9f79bc400000", CodeTooOld, "too old"},
		{"protocol 0.11", "000100010000", CodeTooOld, "too old"},
		{"protocol 0.10", "000100000000", CodeTooOld, "too old"},
		{"something else", "474554202f20", "", "0x47455420"},
		{"a length of 32768", "2ea7d90b8000", "", "32768"},
		{"a length of 65535", "2ea7d90bffff", "", "65535"},
		{"no protobuf", "2ea7d90b0001ff", "", "broken"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := hex.DecodeString(tt.hex)
			if err != nil {
				t.Fatal(err)
			}
			_, err = ReadHello(bytes.NewReader(b))
			if fault.KindOf(err) != fault.Peer || fault.CodeOf(err) != tt.code || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, code %q; want kind peer, code %q and %q in the text", err, fault.CodeOf(err), tt.code, tt.want)
			}
		})
	}
}

func TestAHelloMayBe32767BytesLong(t *testing.T) {
	const around = 1 + 3 // tag and length of the name
	h := Hello{DeviceName: strings.Repeat("a", maxHello-around)}
	var out bytes.Buffer
	if err := WriteHello(&out, h); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadHello(&out); err != nil || got != h {
		t.Errorf("a hello of the largest size: %v", err)
	}
	h.DeviceName += "a"
	if err := WriteHello(&out, h); !errors.Is(err, ErrTooLarge) || out.Len() != 0 {
		t.Errorf("one byte more: %v, %d bytes written; want ErrTooLarge and nothing", err, out.Len())
	}
}

func TestAHelloThatEndsEarlyIsTriedAgain(t *testing.T) {
	var out bytes.Buffer
	if err := WriteHello(&out, Hello{DeviceName: "a"}); err != nil {
		t.Fatal(err)
	}
	for n := range out.Len() {
		_, err := ReadHello(bytes.NewReader(out.Bytes()[:n]))
		if fault.KindOf(err) != fault.Retry || n > 0 && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("after %d bytes: %v, want an unexpected end of kind retry", n, err)
		}
	}
}

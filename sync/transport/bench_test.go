package transport_test

import (
	"io"
	"testing"

	"lanyard/sync/device"
	"lanyard/sync/transport"
)

// BenchmarkTransfer moves 64 MiB an iteration over loopback in messages of
// 1 MiB.
func BenchmarkTransfer(b *testing.B) {
	b.Run("quic", func(b *testing.B) { benchmarkTransfer(b, listen) })
	b.Run("tcp", func(b *testing.B) { benchmarkTransfer(b, listenTCP) })
}

func benchmarkTransfer(b *testing.B, listen func(testing.TB, transport.Options) (transport.Transport, device.ID)) {
	const message, count = 1 << 20, 64
	at, id := listen(b, transport.Options{Known: everyone})
	from, _ := listen(b, transport.Options{})
	dialed, err := from.Dial(b.Context(), at.Addresses()[0], id)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := dialed.Write([]byte{0}); err != nil {
		b.Fatal(err)
	}
	accepted, err := at.Accept(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	if _, err := io.ReadFull(accepted, make([]byte, 1)); err != nil {
		b.Fatal(err)
	}
	out, in := make([]byte, message), make([]byte, message)
	b.SetBytes(message * count)
	for b.Loop() {
		go func() {
			for range count {
				if _, err := dialed.Write(out); err != nil {
					b.Error(err)
					return
				}
			}
		}()
		for range count {
			if _, err := io.ReadFull(accepted, in); err != nil {
				b.Fatal(err)
			}
		}
	}
}

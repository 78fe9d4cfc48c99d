package engine

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/device"
	"lanyard/sync/relpath"
	"lanyard/sync/transport"
)

// BenchmarkBlocks asks one device for blocks of its files over loopback, and
// verifies them: blocks of a large file, and whole small files with many
// requests on their way or one. "raw stream" is the same connection without
// requests, for comparison.
func BenchmarkBlocks(b *testing.B) {
	const size, small = 64 << 20, 500
	b.Run("raw stream", rawStream)
	a, c := connectedPair(b)
	rng := rand.NewChaCha8([32]byte{1})
	write := func(name string, n int) {
		data := make([]byte, n)
		if _, err := rng.Read(data); err != nil {
			b.Fatal(err)
		}
		a.write(name, string(data))
	}
	write("large", size)
	for i := range small {
		write(fmt.Sprintf("small%03d", i), 4500)
	}
	a.scanned()
	a.inSync(c)
	asker := &asker{b: b, from: c, id: a.id}
	large, little := asker.requests("large"), []*bep.Request(nil)
	for i := range small {
		little = append(little, asker.requests(fmt.Sprintf("small%03d", i))...)
	}
	for _, bench := range []struct {
		name     string
		requests []*bep.Request
		inFlight int
	}{
		{"large file", large, 64}, {"small files, 256 in flight", little, 256}, {"small files, one in flight", little, 1},
	} {
		b.Run(bench.name, func(b *testing.B) {
			bytes := int64(0)
			for _, r := range bench.requests {
				bytes += int64(r.Size)
			}
			b.SetBytes(bytes)
			b.ReportAllocs()
			for b.Loop() {
				asker.ask(bench.requests, bench.inFlight)
			}
			b.ReportMetric(float64(b.N*len(bench.requests))/b.Elapsed().Seconds(), "requests/s")
		})
	}
}

// asker asks another device for blocks without writing them anywhere.
type asker struct {
	b    *testing.B
	from *node
	id   device.ID
}

// requests are those for every block of a file.
func (a *asker) requests(name string) []*bep.Request {
	rec, ok, err := a.from.folder(photos).index.Local(relpath.MustParse(name))
	if err != nil || !ok {
		a.b.Fatalf("%s is not recorded (error %v)", name, err)
	}
	var out []*bep.Request
	for i, blk := range rec.Blocks {
		out = append(out, &bep.Request{
			Folder: photos, Name: rec.Name, Offset: blk.Offset, Size: blk.Size, Hash: blk.Hash[:], BlockNo: int32(i),
		})
	}
	return out
}

// ask keeps so many requests on their way until all are answered.
func (a *asker) ask(requests []*bep.Request, inFlight int) {
	p := a.from.peer(a.id)
	if p == nil {
		a.b.Fatal("not connected")
	}
	slots := make(chan struct{}, inFlight)
	answers := make(chan func() error, inFlight)
	var verify sync.WaitGroup
	for range 2 {
		verify.Go(func() {
			for check := range answers {
				if err := check(); err != nil {
					a.b.Error(err)
				}
				<-slots
			}
		})
	}
	var sent sync.WaitGroup
	for _, r := range requests {
		slots <- struct{}{}
		sent.Add(1)
		req := *r
		p.Request(&req, func(resp *bep.Response, err error) {
			answers <- func() error {
				if err != nil {
					return err
				}
				defer a.from.buffers.Release(resp)
				if sha256.Sum256(resp.Data) != block.Hash(req.Hash) {
					return errors.New("an answer has the wrong bytes")
				}
				return nil
			}
			sent.Done()
		})
	}
	sent.Wait()
	close(answers)
	verify.Wait()
}

// rawStream moves the bytes of the large file in messages of its block size.
func rawStream(b *testing.B) {
	const message, count = 128 << 10, 512
	in, out := rawConnection(b)
	buf, got := make([]byte, message), make([]byte, message)
	b.SetBytes(message * count)
	for b.Loop() {
		var sent sync.WaitGroup
		sent.Go(func() {
			for range count {
				if _, err := out.Write(buf); err != nil {
					b.Error(err)
					return
				}
			}
		})
		for range count {
			if _, err := io.ReadFull(in, got); err != nil {
				b.Fatal(err)
			}
		}
		sent.Wait()
	}
}

// rawConnection gives both ends of a connection that nobody else uses.
func rawConnection(b *testing.B) (in, out transport.Conn) {
	listen := func() (transport.Transport, device.ID) {
		certPEM, keyPEM, err := device.NewCertificate(time.Now())
		must(b, err)
		cert, id, err := device.LoadCertificate(certPEM, keyPEM)
		must(b, err)
		t, err := transport.ListenQUIC(transport.Options{
			Certificate: cert, Listen: "quic://127.0.0.1:0", Known: func(device.ID) bool { return true },
		})
		must(b, err)
		b.Cleanup(func() { must(b, t.Close()) })
		return t, id
	}
	at, id := listen()
	from, _ := listen()
	out, err := from.Dial(b.Context(), at.Addresses()[0], id)
	must(b, err)
	_, err = out.Write([]byte{0})
	must(b, err)
	in, err = at.Accept(b.Context())
	must(b, err)
	_, err = io.ReadFull(in, make([]byte, 1))
	must(b, err)
	return in, out
}

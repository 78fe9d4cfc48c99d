package block

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func randomBytes(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	r.Read(b)
	return b
}

// plain is the obvious way to hash a file: what a Pool must agree with.
func plain(b []byte, blockSize int) []Info {
	if len(b) == 0 {
		return []Info{{Hash: EmptyHash}}
	}
	var infos []Info
	for off := 0; off < len(b); off += blockSize {
		part := b[off:min(off+blockSize, len(b))]
		infos = append(infos, Info{int64(off), int32(len(part)), sha256.Sum256(part)})
	}
	return infos
}

func TestPoolAgreesWithHashingEachBlockByItself(t *testing.T) {
	data := randomBytes(3 << 20)
	pools := []*Pool{NewPool(1), NewPool(2), NewPool(5)}
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.OneOf(
			rapid.IntRange(0, len(data)),
			rapid.SampledFrom([]int{0, 1, MinSize - 1, MinSize, MinSize + 1, 2 * MinSize}),
		).Draw(t, "size")
		blockSize := rapid.SampledFrom([]int{MinSize, 2 * MinSize, 8 * MinSize, 1000}).Draw(t, "block size")
		pool := rapid.SampledFrom(pools).Draw(t, "pool")
		got, err := pool.HashFile(context.Background(), bytes.NewReader(data[:size]), int64(size), int32(blockSize))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(plain(data[:size], blockSize), got); d != "" {
			t.Fatal(d)
		}
	})
}

func TestAFileShorterThanItsStatIsAnError(t *testing.T) {
	for _, workers := range []int{1, 3} {
		for _, have := range []int{0, MinSize - 1, MinSize, 5*MinSize + 7} {
			_, err := NewPool(workers).HashFile(context.Background(), bytes.NewReader(randomBytes(have)), int64(have)+1, MinSize)
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%d workers, %d bytes of %d: error %v, want io.ErrUnexpectedEOF", workers, have, have+1, err)
			}
		}
	}
}

// readerFunc makes a function an io.ReaderAt.
type readerFunc func(p []byte, off int64) (int, error)

func (f readerFunc) ReadAt(p []byte, off int64) (int, error) { return f(p, off) }

func TestAReadErrorEndsTheFileAndFreesAllWorkers(t *testing.T) {
	boom := errors.New("boom")
	pool := NewPool(4)
	failing := readerFunc(func(p []byte, off int64) (int, error) {
		if off >= 3*MinSize {
			return 0, boom
		}
		return len(p), nil
	})
	if _, err := pool.HashFile(context.Background(), failing, 100*MinSize, MinSize); !errors.Is(err, boom) {
		t.Fatalf("error %v, want %v", err, boom)
	}
	if len(pool.free) != 4 {
		t.Fatalf("%d workers free, want 4", len(pool.free))
	}
}

func TestTheEndOfTheContextEndsAFileBetweenTwoPieces(t *testing.T) {
	pool := NewPool(2)
	ctx, cancel := context.WithCancelCause(context.Background())
	enough := errors.New("enough")
	var reads atomic.Int32
	r := readerFunc(func(p []byte, _ int64) (int, error) {
		if reads.Add(1) == 3 {
			cancel(enough)
		}
		return len(p), nil
	})
	if _, err := pool.HashFile(ctx, r, 1<<40, MaxSize); !errors.Is(err, enough) {
		t.Fatalf("error %v, want the cause", err)
	}
	if n := reads.Load(); n > 6 {
		t.Fatalf("%d reads after the end of the context", n)
	}
	if _, err := pool.HashFile(ctx, r, 10, MinSize); !errors.Is(err, enough) {
		t.Fatalf("error %v with an ended context, want the cause", err)
	}
	if len(pool.free) != 2 {
		t.Fatalf("%d workers free, want 2", len(pool.free))
	}
}

func TestABigFileSpreadsOverAllWorkers(t *testing.T) {
	const workers = 3
	pool := NewPool(workers)
	var together sync.WaitGroup // every worker must be inside a read at once
	together.Add(workers)
	var seen atomic.Int32
	r := readerFunc(func(p []byte, _ int64) (int, error) {
		if seen.Add(1) <= workers {
			together.Done()
			together.Wait()
		}
		return len(p), nil
	})
	if _, err := pool.HashFile(context.Background(), r, 10*MinSize, MinSize); err != nil {
		t.Fatal(err)
	}
}

func TestASmallFileWaitsForABlockOfABigOneAndNotForItsEnd(t *testing.T) {
	for _, workers := range []int{1, 2} {
		pool := NewPool(workers)
		small := make(chan error, 1)
		var started, smallDone atomic.Bool
		big := readerFunc(func(p []byte, off int64) (int, error) {
			if started.CompareAndSwap(false, true) {
				go func() {
					_, err := pool.HashFile(context.Background(), bytes.NewReader([]byte("x")), 1, MinSize)
					smallDone.Store(true)
					small <- err
				}()
			}
			for pool.waiting.Load() == 0 && !smallDone.Load() {
				runtime.Gosched()
			}
			return len(p), nil
		})
		if _, err := pool.HashFile(context.Background(), big, 64*MinSize, MinSize); err != nil {
			t.Fatal(err)
		}
		if !smallDone.Load() {
			t.Errorf("%d workers: the big file ended before the small one", workers)
		}
		if err := <-small; err != nil {
			t.Fatal(err)
		}
	}
}

func TestOneWorkerHashesOnTheCallersGoroutine(t *testing.T) {
	pool := NewPool(1)
	before := runtime.NumGoroutine()
	r := readerFunc(func(p []byte, _ int64) (int, error) {
		if n := runtime.NumGoroutine(); n > before {
			t.Errorf("%d goroutines while hashing, %d before", n, before)
		}
		return len(p), nil
	})
	if _, err := pool.HashFile(context.Background(), r, 20*MinSize, MinSize); err != nil {
		t.Fatal(err)
	}
}

func TestASmallFileCostsOneAllocation(t *testing.T) {
	pool := NewPool(1)
	r := bytes.NewReader(randomBytes(5000))
	ctx := context.Background()
	hashSmall := func() {
		if _, err := pool.HashFile(ctx, r, 5000, MinSize); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(100, hashSmall); n > 1 {
		t.Errorf("%v allocations for a file, want 1: its list of blocks", n)
	}
}

func BenchmarkHashFile(b *testing.B) {
	const size = 256 << 20
	data := randomBytes(size)
	for _, workers := range []int{1, runtime.GOMAXPROCS(0)} {
		b.Run(map[bool]string{true: "one worker", false: "all cores"}[workers == 1], func(b *testing.B) {
			pool := NewPool(workers)
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := pool.HashFile(context.Background(), bytes.NewReader(data), size, SizeFor(size)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkHashSmallFile(b *testing.B) {
	pool := NewPool(1)
	data := randomBytes(4096)
	r := bytes.NewReader(data)
	b.SetBytes(4096)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := pool.HashFile(context.Background(), r, 4096, MinSize); err != nil {
			b.Fatal(err)
		}
	}
}

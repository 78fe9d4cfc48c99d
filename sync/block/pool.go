package block

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
)

// pieceSize is how much a worker reads at a time: it stays in a core's cache
// between the read and the hash.
const pieceSize = 128 << 10

// Pool bounds the hashing of all folders to a number of workers. The unit of
// work is one block, so that a big file spreads over the workers while a small
// file is a single unit.
//
// A Pool owns no goroutine of its own: HashFile hashes on its caller's
// goroutine and starts helpers only where workers are free, and every helper
// has ended when HashFile returns. With one worker there are never helpers,
// which is what a simulation wants. Methods may be called concurrently.
type Pool struct {
	// free holds the workers nobody uses. It is never closed; its capacity is
	// their number.
	free    chan *worker
	waiting atomic.Int32 // callers that wait for a worker
}

// worker is what one hasher needs, made once and reused.
type worker struct {
	sum hash.Hash
	buf []byte
}

// NewPool returns a Pool of the given number of workers; 0 or less means
// GOMAXPROCS.
func NewPool(workers int) *Pool {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	p := &Pool{free: make(chan *worker, workers)}
	for range workers {
		p.free <- &worker{sum: sha256.New()}
	}
	return p
}

// Workers gives the number of workers.
func (p *Pool) Workers() int { return cap(p.free) }

// HashFile gives the blocks of the first size bytes of r. A file that ends
// before that is an error that wraps io.ErrUnexpectedEOF; the end of ctx is
// noticed within one piece of 128 KiB. When HashFile returns, nothing reads r
// any more.
func (p *Pool) HashFile(ctx context.Context, r io.ReaderAt, size int64, blockSize int32) ([]Info, error) {
	if size < 0 || blockSize <= 0 {
		return nil, fmt.Errorf("hash %d bytes in blocks of %d: not a size", size, blockSize)
	}
	infos := layout(size, blockSize)
	w, err := p.acquire(ctx)
	if err != nil {
		return nil, err
	}
	if len(infos) == 1 {
		err = w.hash(ctx, r, &infos[0])
		p.free <- w
	} else {
		err = p.run(ctx, w, &work{count: len(infos), do: func(ctx context.Context, w *worker, i int) error {
			return w.hash(ctx, r, &infos[i])
		}})
	}
	if err != nil {
		return nil, err
	}
	return infos, nil
}

// SumFile fills in sums, which has one for each block in infos, for the blocks
// whose numbers are in todo. It ends early as HashFile does.
func (p *Pool) SumFile(ctx context.Context, r io.ReaderAt, infos []Info, todo []int, sums []Sum) error {
	w, err := p.acquire(ctx)
	if err != nil {
		return err
	}
	return p.run(ctx, w, &work{count: len(todo), do: func(ctx context.Context, w *worker, k int) error {
		i := todo[k]
		sum := Sum(0)
		err := w.read(ctx, r, &infos[i], func(piece []byte) { sum = AddSum(sum, piece) })
		sums[i] = sum
		return err
	}})
}

// layout gives the blocks of a file without their hashes.
func layout(size int64, blockSize int32) []Info {
	infos := make([]Info, Count(size, blockSize))
	for i := range infos {
		off := int64(i) * int64(blockSize)
		infos[i].Offset = off
		infos[i].Size = int32(min(int64(blockSize), size-off))
	}
	return infos
}

// acquire waits for a free worker. Waiters are served in order.
func (p *Pool) acquire(ctx context.Context) (*worker, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	select {
	case w := <-p.free:
		return w, nil
	default:
	}
	p.waiting.Add(1)
	defer p.waiting.Add(-1)
	select {
	case w := <-p.free:
		return w, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// work is units of it while they are done, each by one worker.
type work struct {
	count int
	do    func(ctx context.Context, w *worker, i int) error
	next  atomic.Int64 // the first unit that nobody has claimed

	once sync.Once
	err  error // the first failure; read after wg.Wait
	wg   sync.WaitGroup
}

// claim gives the number of the next unit to do, -1 when there is none.
func (u *work) claim() int {
	i := u.next.Add(1) - 1
	if i >= int64(u.count) {
		return -1
	}
	return int(i)
}

// fail keeps the first error and leaves nothing to claim.
func (u *work) fail(err error) {
	u.once.Do(func() { u.err = err })
	u.next.Store(int64(u.count))
}

// run works on the caller's goroutine with w, which it gives back, and with
// as many helpers as there are free workers. Between two blocks it takes
// in helpers that became free, and lets others that wait have their turn, so
// that a huge file holds nobody up for longer than a block.
func (p *Pool) run(ctx context.Context, w *worker, u *work) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	fail := func(err error) {
		u.fail(err)
		cancel(err) // ends the helpers' current blocks as well
	}
	for i := u.claim(); i >= 0; i = u.claim() {
		p.recruit(ctx, u, fail)
		if err := u.do(ctx, w, i); err != nil {
			fail(err)
			break
		}
		if p.waiting.Load() == 0 {
			continue
		}
		p.free <- w
		var err error
		if w, err = p.acquire(ctx); err != nil {
			fail(err)
			break
		}
	}
	if w != nil {
		p.free <- w
	}
	u.wg.Wait()
	return u.err
}

// recruit starts a helper for every free worker that u has a unit for.
func (p *Pool) recruit(ctx context.Context, u *work, fail func(error)) {
	for p.waiting.Load() == 0 && u.next.Load() < int64(u.count) {
		select {
		case w := <-p.free:
			u.wg.Go(func() { p.help(ctx, w, u, fail) })
		default:
			return
		}
	}
}

// help does units of u until none is left or somebody waits for a worker.
func (p *Pool) help(ctx context.Context, w *worker, u *work, fail func(error)) {
	defer func() { p.free <- w }()
	for p.waiting.Load() == 0 {
		i := u.claim()
		if i < 0 {
			return
		}
		if err := u.do(ctx, w, i); err != nil {
			fail(err)
			return
		}
	}
}

// hash fills in a block's hash.
func (w *worker) hash(ctx context.Context, r io.ReaderAt, info *Info) error {
	w.sum.Reset()
	err := w.read(ctx, r, info, func(piece []byte) { w.sum.Write(piece) })
	w.sum.Sum(info.Hash[:0])
	return err
}

// read gives a block's bytes to take, piece by piece.
func (w *worker) read(ctx context.Context, r io.ReaderAt, info *Info, take func(piece []byte)) error {
	if w.buf == nil {
		w.buf = make([]byte, pieceSize)
	}
	for done := int64(0); done < int64(info.Size); {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		piece := w.buf[:min(int64(pieceSize), int64(info.Size)-done)]
		n, err := r.ReadAt(piece, info.Offset+done)
		if n < len(piece) {
			if err == nil || err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return fmt.Errorf("read at %d: %w", info.Offset+done+int64(n), err)
		}
		take(piece)
		done += int64(n)
	}
	return nil
}

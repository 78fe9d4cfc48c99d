package pull

import (
	"crypto/sha256"
	"hash"
	"io"
	"sync"
	"sync/atomic"

	"lanyard/sync/block"
	"lanyard/sync/exec"
	"lanyard/sync/fsys"
)

// pieceSize is how much of a block is read, hashed and written at a time: it
// stays in a core's cache.
const pieceSize = 256 << 10

// shareSize is how much one worker does of a pass before others have their
// turn, so that a huge file does not keep small ones waiting.
const shareSize = 16 << 20

// pass goes through a local file, or the temporary file itself, with several
// workers side by side, and brings an item blocks.
type pass struct {
	it    *item
	src   fsys.File // closed at the end, unless it is the temporary file
	count int       // jobs
	// do does one job, which one worker claimed, and gives the bytes that it
	// was about.
	do func(w *copier, job int) int64
	// took notes what came of it, when all workers have ended.
	took func()

	next    atomic.Int64 // the first job that nobody has claimed
	running atomic.Int64 // workers that have not ended
	then    func()

	mu  sync.Mutex
	err error // of the temporary file: fatal for the item
}

func newPass(it *item, src fsys.File) *pass { return &pass{it: it, src: src} }

// copyJob is one block that stands in src.
type copyJob struct {
	block int   // in the item's list
	from  int64 // offset in src
	got   bool
}

// copyPass is a pass that copies blocks from src to where they belong. Where
// src is the temporary file they stand there, and are only checked.
func copyPass(it *item, src fsys.File, jobs []copyJob) *pass {
	p := newPass(it, src)
	p.count = len(jobs)
	p.do = func(w *copier, i int) int64 {
		j := &jobs[i]
		b := it.want.Blocks[j.block]
		if hash, ok := w.copy(src, j.from, j.block); ok && hash == b.Hash {
			j.got = true
			p.kept(j.block)
		}
		return int64(b.Size)
	}
	p.took = func() {
		for _, j := range jobs {
			if j.got {
				it.steps.Have(j.block)
			}
		}
	}
	return p
}

// run does the jobs on a pool and calls then, once, when all have ended.
func (p *pass) run(pool *exec.Pool, workers int, then func()) {
	workers = max(1, min(workers, p.count))
	p.running.Store(int64(workers))
	p.then = then
	for range workers {
		w := &copier{p: p, pool: pool, sum: sha256.New(), buf: make([]byte, pieceSize)}
		pool.Go(w.work)
	}
}

// fail keeps the first error and leaves nothing to claim.
func (p *pass) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		p.err = err
	}
	p.next.Store(int64(p.count))
}

// claim gives the next job, -1 when there is none or the round is to end.
func (p *pass) claim() int {
	i := p.next.Add(1) - 1
	if i >= int64(p.count) || p.it.r.halted.Load() {
		return -1
	}
	return int(i)
}

// kept tells of a block that is in its place now.
func (p *pass) kept(i int) {
	b := p.it.want.Blocks[i]
	if p.src != p.it.file {
		p.it.file.Flush(b.Offset, int64(b.Size))
	}
	p.it.r.w.progress.wrote(p.it, int64(b.Size))
}

// end is called by each worker; the last one closes the pass.
func (p *pass) end() {
	if p.running.Add(-1) > 0 {
		return
	}
	if p.src != p.it.file {
		p.src.Close() // only read from: nothing is lost with the error
	}
	p.took()
	if p.err != nil {
		p.it.fail(p.err)
	}
	p.then()
}

// copier is one worker of a pass.
type copier struct {
	p       *pass
	pool    *exec.Pool
	sum     hash.Hash
	buf     []byte
	out, in []byte // of a search
}

// work does a share of the jobs and gets in line again, or ends.
func (w *copier) work() {
	for did := int64(0); did < shareSize; {
		j := w.p.claim()
		if j < 0 {
			w.p.end()
			return
		}
		did += w.p.do(w, j)
	}
	w.pool.Go(w.work)
}

// copy copies the bytes at from in src to where block i belongs, unless they
// stand there, and gives their hash; false where they cannot be read. Bytes
// are written before it is known that they are right: a block that does not
// count is missing, and is written over.
func (w *copier) copy(src io.ReaderAt, from int64, i int) (got block.Hash, ok bool) {
	it := w.p.it
	b := it.want.Blocks[i]
	inPlace := w.p.src == it.file
	w.sum.Reset()
	for off := int64(0); off < int64(b.Size); {
		piece := w.buf[:min(int64(len(w.buf)), int64(b.Size)-off)]
		if n, _ := src.ReadAt(piece, from+off); n < len(piece) {
			return got, false // shorter than recorded, or not to be read: it is fetched
		}
		w.sum.Write(piece)
		if !inPlace {
			if _, err := it.file.WriteAt(piece, b.Offset+off); err != nil {
				w.p.fail(err)
				return got, false
			}
		}
		off += int64(len(piece))
	}
	w.sum.Sum(got[:0])
	return got, true
}

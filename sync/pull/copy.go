package pull

import (
	"crypto/sha256"
	"hash"
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

// pass copies blocks from one local file into an item's temporary file, or
// checks those that stand in it, with several workers side by side.
type pass struct {
	it      *item
	src     fsys.File // closed at the end, unless it is the temporary file
	inPlace bool      // src is the temporary file: check, write nothing
	jobs    []copyJob

	next    atomic.Int64 // the first job that nobody has claimed
	running atomic.Int64 // workers that have not ended
	then    func()

	mu  sync.Mutex
	err error // of the temporary file: fatal for the item
}

// copyJob is one block of a pass. A job is claimed by one worker.
type copyJob struct {
	block int   // in the item's list
	from  int64 // offset in src
	got   bool
}

func newPass(it *item, src fsys.File) *pass { return &pass{it: it, src: src} }

func (p *pass) add(block int, from int64) {
	p.jobs = append(p.jobs, copyJob{block: block, from: from})
}

// run does the jobs on a pool and calls then, once, when all have ended.
func (p *pass) run(pool *exec.Pool, workers int, then func()) {
	workers = max(1, min(workers, len(p.jobs)))
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
	p.next.Store(int64(len(p.jobs)))
}

// claim gives the next job, nil when there is none or the round is to end.
func (p *pass) claim() *copyJob {
	i := p.next.Add(1) - 1
	if i >= int64(len(p.jobs)) || p.it.r.halted.Load() {
		return nil
	}
	return &p.jobs[i]
}

// end is called by each worker; the last one closes the pass.
func (p *pass) end() {
	if p.running.Add(-1) > 0 {
		return
	}
	if !p.inPlace {
		p.src.Close() // only read from: nothing is lost with the error
	}
	p.then()
}

// copier is one worker of a pass.
type copier struct {
	p    *pass
	pool *exec.Pool
	sum  hash.Hash
	buf  []byte
}

// work does a share of the jobs and gets in line again, or ends.
func (w *copier) work() {
	for did := int64(0); did < shareSize; {
		j := w.p.claim()
		if j == nil {
			w.p.end()
			return
		}
		w.do(j)
		did += int64(w.p.it.want.Blocks[j.block].Size)
	}
	w.pool.Go(w.work)
}

// do copies one block. Bytes are written before the whole block has proved to
// be right: one that is not counts as missing and is written over.
func (w *copier) do(j *copyJob) {
	it, b := w.p.it, w.p.it.want.Blocks[j.block]
	w.sum.Reset()
	for off := int64(0); off < int64(b.Size); {
		piece := w.buf[:min(int64(len(w.buf)), int64(b.Size)-off)]
		if n, _ := w.p.src.ReadAt(piece, j.from+off); n < len(piece) {
			return // shorter than recorded, or not to be read: it is fetched
		}
		w.sum.Write(piece)
		if !w.p.inPlace {
			if _, err := it.file.WriteAt(piece, b.Offset+off); err != nil {
				w.p.fail(err)
				return
			}
		}
		off += int64(len(piece))
	}
	var got block.Hash
	if w.sum.Sum(got[:0]); got != b.Hash {
		return
	}
	if !w.p.inPlace {
		it.file.Flush(b.Offset, int64(b.Size))
	}
	j.got = true
	it.r.w.progress.wrote(it, int64(b.Size))
}

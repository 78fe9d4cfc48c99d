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

// How much of a block is read and hashed at a time, so that it stays in a
// core's cache meanwhile, and how much is written, which is a wait for the disk
// where it goes past the page cache.
const (
	readSize  = 256 << 10
	pieceSize = 1 << 20
)

// copiersEach is how many copies there are for each worker: a copy waits for
// the disk half of its time.
const copiersEach = 2

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

// run does the jobs on the Worker's pool for copies and calls then, once, when
// all have ended.
func (p *pass) run(w *Worker, then func()) {
	copiers := max(1, min(copiersEach*w.o.Workers, p.count))
	p.running.Store(int64(copiers))
	p.then = then
	for range copiers {
		c := &copier{p: p, pool: w.copies, pieces: w.pieces, sum: sha256.New()}
		w.copies.Go(c.work)
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

// pieces are buffers that copiers leave to each other. Its capacity is the
// number of copiers.
type pieces chan []byte

// take gives a buffer of at least so many bytes.
func (p pieces) take(size int) []byte {
	select {
	case b := <-p:
		if len(b) >= size {
			return b
		}
	default:
	}
	return make([]byte, size)
}

func (p pieces) give(b []byte) {
	select {
	case p <- b:
	default:
	}
}

// clear lets go of the memory.
func (p pieces) clear() {
	for {
		select {
		case <-p:
		default:
			return
		}
	}
}

// copier is one worker of a pass.
type copier struct {
	p       *pass
	pool    *exec.Pool
	pieces  pieces
	sum     hash.Hash
	buf     []byte // while it works
	out, in []byte // of a search
}

// work does a share of the jobs and gets in line again, or ends.
func (w *copier) work() {
	w.buf = w.pieces.take(int(min(pieceSize, max(w.p.it.want.BlockSize, block.MinSize))))
	more := w.share()
	w.pieces.give(w.buf)
	w.buf = nil
	if more {
		w.pool.Go(w.work)
	} else {
		w.p.end()
	}
}

// share does a share of the jobs, and reports whether there may be more.
func (w *copier) share() bool {
	for did := int64(0); did < shareSize; {
		j := w.p.claim()
		if j < 0 {
			return false
		}
		did += w.p.do(w, j)
	}
	return true
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
		for done := 0; done < len(piece); {
			part := piece[done:min(len(piece), done+readSize)]
			if n, _ := src.ReadAt(part, from+off+int64(done)); n < len(part) {
				return got, false // shorter than recorded, or not to be read: it is fetched
			}
			w.sum.Write(part)
			done += len(part)
		}
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

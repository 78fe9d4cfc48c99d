package pull

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"sync"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
)

// errStale means that local content is not what the index says; it is fetched
// instead.
var errStale = errors.New("local content is not what was recorded")

// claims is a set of names that a round's workers share: the files that it
// renames, each of which serves one name, and the directories that it made.
type claims struct {
	mu    sync.Mutex
	taken map[relpath.Path]bool
}

func (c *claims) take(p relpath.Path) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.taken[p] {
		return false
	}
	if c.taken == nil {
		c.taken = map[relpath.Path]bool{}
	}
	c.taken[p] = true
	return true
}

// smallFile is the size up to which a file of one block is written in one go
// when its bytes come.
const smallFile = block.MinSize

func (c *claims) has(p relpath.Path) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.taken[p]
}

// blockSize gives the block size of an entry; 0 means the smallest.
func blockSize(f *bep.FileInfo) int32 { return max(f.BlockSize, block.MinSize) }

// gatherer fills a temporary file with blocks that are on this disk. Every
// byte that it copies is hashed on the way: a record only says where to look.
type gatherer struct {
	it  *item
	buf []byte
	err error // of the temporary file: fatal for the item
}

// keepOwn keeps the blocks that an earlier round wrote.
func (g *gatherer) keepOwn() {
	for i, b := range g.it.want.Blocks {
		if g.read(g.it.file, b) == nil {
			g.it.steps.Have(i)
			g.it.r.w.progress.wrote(g.it, int64(b.Size))
		}
	}
}

// skipZeros takes blocks of zeros as done: the file was made longer with
// zeros, which stay holes.
func (g *gatherer) skipZeros(fresh bool) {
	if !fresh {
		return
	}
	zeros := map[int32]block.Hash{}
	for i, b := range g.it.want.Blocks {
		h, ok := zeros[b.Size]
		if !ok {
			clear(g.buf)
			h = sha256.Sum256(g.buf[:b.Size])
			zeros[b.Size] = h
		}
		if h == b.Hash {
			g.it.steps.Have(i)
			g.it.r.w.progress.wrote(g.it, int64(b.Size))
		}
	}
}

// copyFrom copies what a local file has, whatever the offset.
func (g *gatherer) copyFrom(rec *index.Record) {
	if g.err != nil || g.it.steps.Done() {
		return
	}
	at := make(map[block.Hash]block.Info, len(rec.Blocks))
	for _, b := range rec.Blocks {
		at[b.Hash] = b
	}
	file, err := openRecorded(g.it.r.o.FS, rec)
	if err != nil {
		return
	}
	defer file.Close()
	for i, b := range g.it.want.Blocks {
		src, ok := at[b.Hash]
		if !ok || src.Size != b.Size || g.it.steps.Has(i) {
			continue
		}
		if g.read(file, src) != nil {
			continue
		}
		if _, err := g.it.file.WriteAt(g.buf[:b.Size], b.Offset); err != nil {
			g.err = err
			return
		}
		g.it.file.Flush(b.Offset, int64(b.Size))
		g.it.steps.Have(i)
		g.it.r.w.progress.wrote(g.it, int64(b.Size))
	}
}

// read reads and verifies one block into the buffer.
func (g *gatherer) read(r io.ReaderAt, b block.Info) error {
	return readVerified(r, g.buf[:b.Size], b)
}

func readVerified(r io.ReaderAt, buf []byte, b block.Info) error {
	if n, err := r.ReadAt(buf, b.Offset); n < len(buf) {
		return fmt.Errorf("%w: %w", errStale, err)
	}
	if sha256.Sum256(buf) != b.Hash {
		return errStale
	}
	return nil
}

// openRecorded opens a local file if it still is what its record describes.
func openRecorded(f fsys.FS, rec *index.Record) (fsys.File, error) {
	file, err := f.Open(rec.Name)
	if err != nil {
		return nil, err
	}
	if info, err := file.Stat(); err != nil || index.StampOf(info) != rec.Stamp {
		file.Close()
		return nil, errStale
	}
	return file, nil
}

// readBlock reads one verified block of a local file.
func readBlock(f fsys.FS, rec *index.Record, b *block.Info) ([]byte, error) {
	file, err := openRecorded(f, rec)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	buf := make([]byte, b.Size)
	return buf, readVerified(file, buf, *b)
}

package pull

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"sync"

	"lanyard/sync/block"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
)

// errStale means that local content is not what the index says; it is fetched
// instead.
var errStale = errors.New("local content is not what was recorded")

// claims is a set of names that workers share: the files that a round renames,
// each of which serves one name, the directories that it made, the temporary
// files that are there.
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

// set makes these names the taken ones.
func (c *claims) set(names []relpath.Path) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.taken = nil
	for _, p := range names {
		if c.taken == nil {
			c.taken = make(map[relpath.Path]bool, len(names))
		}
		c.taken[p] = true
	}
}

// give undoes take, and reports whether the name was taken.
func (c *claims) give(p relpath.Path) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.taken[p]
	delete(c.taken, p)
	return was
}

// smallFile is the size up to which a file of one block is written in one go
// when its bytes come.
const smallFile = block.MinSize

func (c *claims) has(p relpath.Path) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.taken[p]
}

// gatherer fills a big file's temporary file with blocks that are on this
// disk, in passes: over what the temporary file holds itself, over the old
// version, over other files with the same content, and over the old version
// once more for what stands there at other offsets. Each pass is shared by the
// copiers.
//
// Every byte that is kept is hashed on the way, also where the file system let
// the temporary file share the old version's content: a record only says where
// to look, and what went bad on the disk must not travel on under a hash that
// it no longer has.
type gatherer struct {
	it     *item
	fresh  bool // the temporary file was made just now, and holds nothing
	passes []func() (*pass, error)
	done   func() // called once, when there is no pass left or the item failed
}

// gatherLocal opens the temporary file, and keeps or copies every block that
// is here; then it calls done.
func (it *item) gatherLocal(done func()) {
	g := &gatherer{it: it, done: done}
	g.passes = []func() (*pass, error){g.open, g.settleZeros}
	if rec := it.need.Local; rec != nil && it.present && rec.IsFile() {
		g.passes = append(g.passes, func() (*pass, error) { return g.copyFrom(rec), nil })
	}
	for i := range it.same {
		g.passes = append(g.passes, func() (*pass, error) { return g.copyFrom(&it.same[i]), nil })
	}
	if rec := it.need.Local; rec != nil && it.present && rec.IsFile() {
		g.passes = append(g.passes, func() (*pass, error) { return g.searchOld(rec), nil })
	}
	g.next()
}

// next begins the next pass that has something to do.
func (g *gatherer) next() {
	for len(g.passes) > 0 && g.it.err == nil && !g.it.stale && !g.it.steps.Done() && !g.it.r.halted.Load() {
		begin := g.passes[0]
		g.passes = g.passes[1:]
		p, err := begin()
		if err != nil {
			g.it.fail(err)
			break
		}
		if p == nil {
			continue
		}
		p.run(g.it.r.w, g.next)
		return
	}
	g.done()
}

// open makes or finds the temporary file, and checks what it holds already.
func (g *gatherer) open() (*pass, error) {
	cloned, err := g.clone()
	if err != nil {
		return nil, err
	}
	if !cloned {
		if g.fresh, err = g.it.openTemp(); err != nil || g.fresh {
			return nil, err
		}
	}
	jobs := make([]copyJob, len(g.it.want.Blocks))
	for i, b := range g.it.want.Blocks {
		jobs[i] = copyJob{block: i, from: b.Offset}
	}
	return copyPass(g.it, g.it.file, jobs), nil
}

// clone makes the temporary file share the old version's content where the
// file system can and most of it stays. A block that is zeros now and was not
// speaks against it, for in a new file it needs no room.
func (g *gatherer) clone() (bool, error) {
	it := g.it
	old := it.need.Local
	if old == nil || !it.present || !old.IsFile() {
		return false, nil
	}
	equal := 0
	zeros := zeroHashes{}
	for i, b := range it.want.Blocks {
		switch {
		case i < len(old.Blocks) && old.Blocks[i] == b:
			equal++
		case zeros.are(b):
			return false, nil
		}
	}
	if 2*equal < len(it.want.Blocks) {
		return false, nil
	}
	file, err := it.r.o.FS.Clone(old.Name, it.temp)
	if err != nil {
		return false, nil //nolint:nilerr // the ordinary way says what is wrong, if anything is
	}
	it.file, it.tempMade = file, true
	return true, file.Truncate(it.want.Size)
}

// zeroHashes gives the hashes of blocks of zeros.
type zeroHashes map[int32]block.Hash

func (z zeroHashes) are(b block.Info) bool {
	h, ok := z[b.Size]
	if !ok {
		sum := sha256.New()
		piece := make([]byte, min(b.Size, pieceSize))
		for left := int(b.Size); left > 0; left -= len(piece) {
			sum.Write(piece[:min(left, len(piece))])
		}
		h = block.Hash(sum.Sum(nil))
		z[b.Size] = h
	}
	return h == b.Hash
}

// settleZeros takes blocks of zeros in a new file as done, for it was made
// longer with zeros, which stay holes; and it meets a disk that is too full.
func (g *gatherer) settleZeros() (*pass, error) {
	if g.fresh {
		zeros := zeroHashes{}
		for i, b := range g.it.want.Blocks {
			if zeros.are(b) {
				g.it.steps.Have(i)
				g.it.r.w.progress.wrote(g.it, int64(b.Size))
			}
		}
	}
	return nil, g.it.checkSpace()
}

// copyFrom copies what a local file has, whatever the offset.
func (g *gatherer) copyFrom(rec *index.Record) *pass {
	at := make(map[block.Hash]block.Info, len(rec.Blocks))
	for _, b := range rec.Blocks {
		at[b.Hash] = b
	}
	file, err := openRecorded(g.it.r.o.FS, rec)
	if err != nil {
		return nil
	}
	file.Uncached()
	var jobs []copyJob
	for i, b := range g.it.want.Blocks {
		if src, ok := at[b.Hash]; ok && src.Size == b.Size && !g.it.steps.Has(i) {
			jobs = append(jobs, copyJob{block: i, from: src.Offset})
		}
	}
	return copyPass(g.it, file, jobs)
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

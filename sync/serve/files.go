package serve

import (
	"slices"
	"sync"

	"lanyard/sync/bep"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
)

// maxOpen is the number of big files that stay open between two requests.
const maxOpen = 32

// entry is a record of ours as a request found it and, for a file of several
// blocks, the file itself, kept open for the next block.
type entry struct {
	rec index.Record
	seq int64 // of the index, just before rec was read

	// Guarded by files.mu.
	file    fsys.File
	users   int  // answers that use file
	dropped bool // no longer in files: the last user closes
}

// files keeps entries of files that are read block by block, the latest used
// last. Small files are one request each and are never kept.
type files struct {
	fs fsys.FS

	mu     sync.Mutex
	kept   []*entry
	closed bool
}

func newFiles(f fsys.FS) *files { return &files{fs: f} }

// record gives our record of a name: the kept one while the index says the
// same, which saves decoding a long list of blocks for each of them.
func (s *Server) record(p relpath.Path) (*entry, bep.ErrorCode) {
	seq := s.opts.Index.Sequence() // before the record: at worst it is read once more
	if e := s.files.get(p, seq); e != nil {
		return e, bep.CodeOK
	}
	rec, ok, err := s.opts.Index.Local(p)
	switch {
	case err != nil:
		return nil, bep.CodeGeneric
	case !ok:
		return nil, bep.CodeNoSuchFile
	}
	e := &entry{rec: rec, seq: seq}
	if len(rec.Blocks) > 1 {
		e = s.files.keep(e)
	}
	return e, bep.CodeOK
}

// get gives the kept entry of a name if the index is as it was.
func (f *files) get(p relpath.Path, seq int64) *entry {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := f.find(p)
	if i < 0 || f.kept[i].seq != seq {
		return nil
	}
	e := f.kept[i]
	f.kept = append(slices.Delete(f.kept, i, i+1), e)
	return e
}

// find gives the place of a name's entry, -1 for none. Needs mu.
func (f *files) find(p relpath.Path) int {
	return slices.IndexFunc(f.kept, func(e *entry) bool { return e.rec.Name == p })
}

// keep takes an entry in and gives the one to use: the old one where the index
// moved for another name's sake.
func (f *files) keep(e *entry) *entry {
	var closing []fsys.File
	f.mu.Lock()
	if i := f.find(e.rec.Name); i >= 0 {
		old := f.kept[i]
		if old.rec.Sequence == e.rec.Sequence {
			old.seq = e.seq
			f.mu.Unlock()
			return old
		}
		closing = append(closing, f.drop(i))
	}
	if !f.closed {
		if len(f.kept) == maxOpen {
			closing = append(closing, f.drop(0))
		}
		f.kept = append(f.kept, e)
	}
	f.mu.Unlock()
	closeAll(closing)
	return e
}

// drop removes an entry and gives the file to close, if nobody reads it. Needs
// mu.
func (f *files) drop(i int) fsys.File {
	e := f.kept[i]
	f.kept = slices.Delete(f.kept, i, i+1)
	e.dropped = true
	if e.users > 0 {
		return nil
	}
	file := e.file
	e.file = nil
	return file
}

// open gives an entry's file. The caller calls done when it has read.
func (f *files) open(e *entry) (file fsys.File, done func(), err error) {
	f.mu.Lock()
	if e.file != nil {
		e.users++
		f.mu.Unlock()
		return e.file, func() { f.release(e) }, nil
	}
	f.mu.Unlock()
	file, err = f.fs.Open(e.rec.Name)
	if err != nil {
		return nil, nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if e.file != nil || e.dropped || !slices.Contains(f.kept, e) {
		return file, func() { closeFile(file) }, nil // for this answer alone
	}
	e.file, e.users = file, 1
	return file, func() { f.release(e) }, nil
}

func (f *files) release(e *entry) {
	f.mu.Lock()
	e.users--
	var file fsys.File
	if e.dropped && e.users == 0 {
		file, e.file = e.file, nil
	}
	f.mu.Unlock()
	closeFile(file)
}

// forget drops an entry, whose file is closed when the last answer is read.
func (f *files) forget(e *entry) {
	f.mu.Lock()
	var file fsys.File
	if i := slices.Index(f.kept, e); i >= 0 {
		file = f.drop(i)
	}
	f.mu.Unlock()
	closeFile(file)
}

func (f *files) closeIdle() {
	var closing []fsys.File
	f.mu.Lock()
	for len(f.kept) > 0 {
		closing = append(closing, f.drop(len(f.kept)-1))
	}
	f.mu.Unlock()
	closeAll(closing)
}

func (f *files) close() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.closeIdle()
}

func closeAll(files []fsys.File) {
	for _, file := range files {
		closeFile(file)
	}
}

// closeFile closes what was only read from: nothing is lost with an error.
func closeFile(file fsys.File) {
	if file != nil {
		_ = file.Close()
	}
}

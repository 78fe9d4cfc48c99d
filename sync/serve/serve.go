// Package serve answers a peer's request for a range of a file, or refuses it.
//
// A block is served only if our index announces exactly these bytes: the hash
// that the peer asks for is the one of our record at that place, and the file
// looks before and after the read as it did when the record was made. A peer
// can therefore neither fish for content by naming hashes nor be given a
// mixture of two versions. The receiver checks the hash as well.
package serve

import (
	"crypto/sha256"
	"errors"
	"io/fs"
	"math"
	"slices"
	"sort"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
)

// maxSize is the largest range that is served, in bytes. An encrypted block is
// a little longer than the largest plain one.
const maxSize = block.MaxSize + 64<<10

// Options says what is served. FS and Index are required.
type Options struct {
	FS    fsys.FS
	Index index.Folder
	// Ignored reports whether the folder's rules leave a name alone; nil
	// ignores nothing.
	Ignored func(relpath.Path) bool
	// Dirty is told of names whose file is not the recorded one: they want a
	// scan. It must not block, and may be called concurrently. nil is fine.
	Dirty func(relpath.Path)
}

func (o Options) withDefaults() Options {
	if o.Ignored == nil {
		o.Ignored = func(relpath.Path) bool { return false }
	}
	if o.Dirty == nil {
		o.Dirty = func(relpath.Path) {}
	}
	return o
}

// Server serves the files of one folder. Methods may be called concurrently.
type Server struct {
	opts  Options
	files *files
}

// New returns a Server. It starts nothing; Close it when the folder stops.
func New(o Options) *Server {
	o = o.withDefaults()
	return &Server{opts: o, files: newFiles(o.FS)}
}

// CloseIdle closes the files that are kept open for the next request. The
// owner calls it after rest, because an open file holds up others: its disk
// cannot be unmounted, and on Windows nobody can replace it.
func (s *Server) CloseIdle() { s.files.closeIdle() }

// Close is CloseIdle, after which no file is kept.
func (s *Server) Close() { s.files.close() }

// Answer appends what req asks for to dst and gives CodeOK, or gives dst as it
// was and the reason for refusing. The bytes are read directly into dst's
// spare capacity if there is room. Whether the peer may see the folder at all,
// and which folder is meant, is the caller's to decide.
//
// FromTemporary is answered from the finished file like any other request.
func (s *Server) Answer(dst []byte, req *bep.Request) ([]byte, bep.ErrorCode) {
	if code := s.permitted(req); code != bep.CodeOK {
		return dst, code
	}
	kept, code := s.record(req.Name)
	if code != bep.CodeOK {
		return dst, code
	}
	rec := &kept.rec
	if code := rangeOf(rec, req); code != bep.CodeOK || req.Size == 0 {
		return dst, code
	}
	proven, possible := announced(rec, req)
	if !possible {
		return dst, bep.CodeNoSuchFile
	}
	out := slices.Grow(dst, int(req.Size))[:len(dst)+int(req.Size)]
	data := out[len(dst):]
	if err := s.read(kept, data, req.Offset); err != nil {
		if !errors.Is(err, fs.ErrPermission) {
			s.opts.Dirty(req.Name)
		}
		return dst, bep.CodeNoSuchFile
	}
	if !proven && sha256.Sum256(data) != block.Hash(req.Hash) {
		if exactBlock(rec, req) {
			s.opts.Dirty(req.Name) // the file is not what we announce
		}
		return dst, bep.CodeNoSuchFile
	}
	return out, bep.CodeOK
}

// permitted judges a request by its own words.
func (s *Server) permitted(req *bep.Request) bep.ErrorCode {
	switch {
	case req.Name.IsRoot(), req.Offset < 0, req.Size < 0, req.Size > maxSize,
		req.Offset > math.MaxInt64-int64(req.Size):
		return bep.CodeGeneric
	case req.Size > 0 && len(req.Hash) != sha256.Size:
		return bep.CodeGeneric
	case req.Name.Internal(), s.opts.Ignored(req.Name):
		return bep.CodeInvalidFile
	}
	return bep.CodeOK
}

// rangeOf judges a request against what we announce.
func rangeOf(rec *index.Record, req *bep.Request) bep.ErrorCode {
	switch {
	case rec.Flags&(index.Ignored|index.ReceiveOnly|index.Unsupported) != 0:
		return bep.CodeInvalidFile
	case !rec.IsFile(), req.Offset+int64(req.Size) > rec.Size:
		return bep.CodeNoSuchFile
	}
	return bep.CodeOK
}

// announced reports whether the hash asked for is that of our record for the
// range, so that an unchanged file proves the bytes; and otherwise whether the
// bytes may still turn out to have it: the range is not one of our blocks, or
// the stamp proves nothing.
func announced(rec *index.Record, req *bep.Request) (proven, possible bool) {
	b := blockAt(rec, req)
	if b == nil {
		return false, true
	}
	if b.Hash != block.Hash(req.Hash) {
		return false, false
	}
	trusted := rec.Stamp != index.Stamp{} && rec.Flags&index.MustRescan == 0
	return trusted, true
}

func exactBlock(rec *index.Record, req *bep.Request) bool { return blockAt(rec, req) != nil }

// blockAt gives our block with exactly the range of a request, or nil.
func blockAt(rec *index.Record, req *bep.Request) *block.Info {
	i := sort.Search(len(rec.Blocks), func(i int) bool { return rec.Blocks[i].Offset >= req.Offset })
	if i < len(rec.Blocks) && rec.Blocks[i].Offset == req.Offset && rec.Blocks[i].Size == req.Size {
		return &rec.Blocks[i]
	}
	return nil
}

// errChanged says that a file is not the recorded one.
var errChanged = errors.New("file changed since it was scanned")

// read fills data from the file, which must look as recorded before and after.
func (s *Server) read(kept *entry, data []byte, offset int64) error {
	f, done, err := s.files.open(kept)
	if err != nil {
		return err
	}
	last := offset+int64(len(data)) >= kept.rec.Size
	if err = readBetweenLooks(f, &kept.rec, data, offset); err != nil || last {
		s.files.forget(kept) // nobody reads on after the end, as a rule
	}
	done()
	return err
}

func readBetweenLooks(f fsys.File, rec *index.Record, data []byte, offset int64) error {
	if err := look(f, rec); err != nil {
		return err
	}
	if n, err := f.ReadAt(data, offset); n < len(data) {
		return errors.Join(errChanged, err)
	}
	return look(f, rec)
}

// look compares an open file with its record. A record without a stamp, as
// after a repair of the index, is held to its size alone; the bytes are then
// hashed.
func look(f fsys.File, rec *index.Record) error {
	now, err := f.Stat()
	switch {
	case err != nil:
		return err
	case rec.Stamp == index.Stamp{} && now.Size == rec.Size:
		return nil
	case index.StampOf(now) != rec.Stamp:
		return errChanged
	}
	return nil
}

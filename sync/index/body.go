package index

import (
	"encoding/binary"
	"hash/crc32"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/device"
	"lanyard/sync/relpath"
	"lanyard/sync/vector"
)

// A body is the length of the identity, the identity, the rest, and a
// CRC-32C over the name and all of that. The rest holds what may differ
// between two announcements of one version:
//
//	rest flags (1 byte), permissions, modified by, blocks hash unless it is
//	the list hash, previous blocks hash, platform, the stamp if present, the
//	sums of the blocks if present, 8 bytes each, the block hashes if the list is
//	long and stands here
type restFlags byte

const (
	restNoPermissions restFlags = 1 << iota
	restHashIsList              // BlocksHash equals the list hash
	restHasHash
	restHasPrevious
	restHasPlatform
	restStamp
	restList // a long list that blist has no place for
	restSums
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// entry is one announced version on its way into the index.
type entry struct {
	info  *bep.FileInfo
	stamp *Stamp // nil on entries of other devices
	flags int64  // of the row, without rowGlobal and rowNeed
	list  block.Hash
	ident []byte
}

// makeEntry computes the identity into buf.
func makeEntry(buf []byte, f *bep.FileInfo, local *Record) entry {
	e := entry{info: f, list: listHashOf(f), flags: typeFlags(f)}
	if local != nil {
		e.stamp = &local.Stamp
		e.flags |= int64(local.Flags) << rowLocalShift
	}
	e.ident = appendIdentity(buf, f, &e.list)
	return e
}

// typeFlags are the bits of a row that follow from its identity.
func typeFlags(f *bep.FileInfo) int64 {
	var flags int64
	switch f.Type {
	case bep.TypeDirectory:
		flags = rowDir
	case bep.TypeSymlink:
		flags = rowLink
	}
	if f.Deleted {
		flags |= rowDeleted
	}
	if f.Invalid {
		flags |= rowInvalid
	}
	return flags
}

// restOf says what a body for e would hold beyond the identity.
func (e *entry) restOf() restFlags {
	var r restFlags
	f := e.info
	if f.NoPermissions {
		r |= restNoPermissions
	}
	if len(f.BlocksHash) > 0 {
		r |= restHasHash
		if len(f.Blocks) > 0 && string(f.BlocksHash) == string(e.list[:]) {
			r |= restHashIsList
		}
	}
	if len(f.PreviousBlocksHash) > 0 {
		r |= restHasPrevious
	}
	if len(f.Platform) > 0 {
		r |= restHasPlatform
	}
	if e.stamp != nil && *e.stamp != (Stamp{}) {
		r |= restStamp
	}
	if hasSums(f) {
		r |= restSums
	}
	return r
}

// richness counts what a body knows beyond the identity.
func (r restFlags) richness() int {
	n := 0
	for _, bit := range []restFlags{restHasHash, restHasPrevious, restHasPlatform, restSums} {
		if r&bit != 0 {
			n++
		}
	}
	if r&restNoPermissions == 0 {
		n++
	}
	return n
}

// appendBody appends the body of e; inlineList puts a long block list into
// it.
func (e *entry) appendBody(b []byte, inlineList bool) []byte {
	start := len(b)
	f := e.info
	rest := e.restOf()
	if inlineList {
		rest |= restList
	}
	b = binary.AppendUvarint(b, uint64(len(e.ident)))
	b = append(b, e.ident...)
	b = append(b, byte(rest))
	b = binary.AppendUvarint(b, uint64(f.Permissions))
	b = binary.LittleEndian.AppendUint64(b, uint64(f.ModifiedBy))
	if rest&restHashIsList == 0 {
		b = appendBytes(b, f.BlocksHash)
	}
	b = appendBytes(b, f.PreviousBlocksHash)
	b = appendBytes(b, f.Platform)
	if rest&restStamp != 0 {
		b = appendStamp(b, e.stamp)
	}
	if rest&restSums != 0 {
		for _, sum := range f.Sums {
			b = binary.LittleEndian.AppendUint64(b, sum)
		}
	}
	if inlineList {
		b = appendHashes(b, f.Blocks)
	}
	return binary.LittleEndian.AppendUint32(b, checksum(f.Name.String(), b[start:]))
}

func appendStamp(b []byte, s *Stamp) []byte {
	b = binary.AppendUvarint(b, s.Inode)
	b = binary.AppendVarint(b, s.Ctime)
	b = binary.AppendVarint(b, s.Mtime)
	b = binary.AppendVarint(b, s.Size)
	return binary.AppendUvarint(b, uint64(s.Mode))
}

func checksum(name string, body []byte) uint32 {
	var buf [512]byte
	return crc32.Update(crc32.Checksum(append(buf[:0], name...), castagnoli), castagnoli, body)
}

// splitBody checks a body and gives its identity and its rest.
func splitBody(name string, body []byte) (ident, rest []byte, err error) {
	if len(body) < 4 {
		return nil, nil, damaged("the entry for %q is cut short", name)
	}
	data := body[:len(body)-4]
	if checksum(name, data) != binary.LittleEndian.Uint32(body[len(data):]) {
		return nil, nil, damaged("the checksum of the entry for %q is wrong", name)
	}
	n, used := binary.Uvarint(data)
	if used <= 0 || n > uint64(len(data)-used) || int(n) == len(data)-used {
		return nil, nil, damaged("the entry for %q is malformed", name)
	}
	data = data[used:]
	return data[:n:n], data[n:], nil
}

// head is what the choice of a winner and the counts look at.
type head struct {
	info   bep.FileInfo // only type, size, time, deleted, invalid and version
	after  parser       // the identity behind the version
	uneven bool
}

// parseHead reads the first part of an identity, appending counters to
// space.
func parseHead(ident []byte, space vector.Vector) (head, vector.Vector, error) {
	p := parser{b: ident}
	first := p.byte()
	h := head{uneven: first&idUneven != 0}
	f := &h.info
	f.Type = bep.FileType(first & idTypes)
	f.Deleted = first&idDeleted != 0
	f.Invalid = first&idInvalid != 0
	f.Size = p.varint()
	f.ModifiedS = p.varint()
	f.ModifiedNs = int32(p.varint())
	n := p.count(9)
	at := len(space)
	for range n {
		space = append(space, vector.Counter{ID: p.uint64(), Value: p.uvarint()})
	}
	if n > 0 {
		f.Version = space[at:len(space):len(space)]
	}
	h.after = p
	return h, space, p.err
}

// longList gives blocks the hashes of a list that stands in blist.
type longList func([]block.Info) error

// decodeBody gives the whole entry, and the stamp if it holds one. lists
// gives the hashes of a long list.
func decodeBody(path relpath.Path, body []byte, lists longList) (f bep.FileInfo, s Stamp, err error) {
	ident, rest, err := splitBody(path.String(), body)
	if err != nil {
		return f, s, err
	}
	h, _, err := parseHead(ident, nil)
	if err != nil {
		return f, s, damaged("the entry for %q is malformed", path)
	}
	f = h.info
	f.Name = path
	p := h.after
	f.SymlinkTarget = string(p.bytes())
	f.Encrypted = p.clone()
	f.BlockSize = int32(p.varint())
	blocks := p.count(0)
	r := parser{b: rest}
	inline := restFlags(firstByte(rest))&restList != 0
	list := parseBlocks(&p, &f, int(blocks), h.uneven)
	parseRest(&r, &f, &s, list)
	if inline {
		fillHashes(f.Blocks, r.take(len(f.Blocks)*len(block.Hash{})))
	}
	if p.err != nil || r.err != nil || len(p.b) > 0 {
		return f, s, damaged("the entry for %q is malformed", path)
	}
	if len(f.Blocks) <= inlineBlocks || inline {
		finishHash(&f, rest)
		return f, s, nil
	}
	return f, s, lists(f.Blocks)
}

// parseBlocks reads the geometry of the list, and the hashes of a short one;
// of a long one it returns the list hash.
func parseBlocks(p *parser, f *bep.FileInfo, n int, uneven bool) []byte {
	hashLen := len(block.Hash{})
	if n == 0 {
		return nil
	}
	f.Blocks = make([]block.Info, n)
	offset, left := int64(0), f.Size
	for i := range f.Blocks {
		size := min(left, int64(f.BlockSize))
		switch {
		case uneven:
			size = p.varint()
		case i == n-1:
			size = left
		}
		f.Blocks[i] = block.Info{Offset: offset, Size: int32(size)}
		offset += size
		left -= size
	}
	if n > inlineBlocks {
		return p.take(hashLen)
	}
	fillHashes(f.Blocks, p.take(n*hashLen))
	return nil
}

func parseRest(r *parser, f *bep.FileInfo, s *Stamp, list []byte) {
	flags := restFlags(r.byte())
	f.NoPermissions = flags&restNoPermissions != 0
	f.Permissions = uint32(r.uvarint())
	f.ModifiedBy = device.ShortID(r.uint64())
	if flags&restHashIsList == 0 {
		f.BlocksHash = r.clone()
	} else if list != nil {
		f.BlocksHash = append([]byte(nil), list...)
	}
	f.PreviousBlocksHash = r.clone()
	f.Platform = r.clone()
	if flags&restStamp != 0 {
		s.Inode = r.uvarint()
		s.Ctime = r.varint()
		s.Mtime = r.varint()
		s.Size = r.varint()
		s.Mode = uint32(r.uvarint())
	}
	if flags&restSums != 0 {
		sums := parser{b: r.take(sumLen * len(f.Blocks))}
		f.Sums = make([]block.Sum, len(f.Blocks))
		for i := range f.Sums {
			f.Sums[i] = sums.uint64()
		}
	}
}

const sumLen = 8

// finishHash computes a blocks hash that was left out of a body because it
// follows from a short list.
func finishHash(f *bep.FileInfo, rest []byte) {
	if restFlags(firstByte(rest))&restHashIsList != 0 && len(f.Blocks) <= inlineBlocks {
		h := block.ListHash(f.Blocks)
		f.BlocksHash = h[:]
	}
}

func fillHashes(blocks []block.Info, hashes []byte) {
	for i := range blocks {
		if len(hashes) < len(block.Hash{}) {
			return
		}
		hashes = hashes[copy(blocks[i].Hash[:], hashes):]
	}
}

func firstByte(b []byte) byte {
	if len(b) == 0 {
		return 0
	}
	return b[0]
}

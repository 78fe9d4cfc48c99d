package bep

import (
	"encoding/binary"
	"errors"
	"fmt"

	"lanyard/sync/block"
	"lanyard/sync/device"
	"lanyard/sync/relpath"
)

// refusal is an entry that is left out while the rest of the message is good.
type refusal struct{ reason error }

func (r *refusal) Error() string { return r.reason.Error() }
func (r *refusal) Unwrap() error { return r.reason }

func refuse(format string, args ...any) error {
	return &refusal{fmt.Errorf(format, args...)}
}

// minFileField is the fewest bytes in which an entry can give its name.
const minFileField = 3

// decodeIndex decodes an Index that lies in memory.
func decodeIndex(b []byte, update bool) (_ *Index, err error) {
	n := min(countFields(b, tagIndexFiles, minFileField), maxIndexEntries)
	d := indexDecoder{m: &Index{Update: update, Files: make([]FileInfo, 0, n)}, names: make(map[string]struct{}, n)}
	var f field
	for len(b) > 0 {
		if f, b, err = nextField(b); err != nil {
			return nil, err
		}
		if err := d.set(f); err != nil {
			return nil, err
		}
	}
	return d.end()
}

// indexDecoder gathers the fields of an Index.
type indexDecoder struct {
	m     *Index
	names map[string]struct{}
}

// set takes over one field.
func (d *indexDecoder) set(f field) error {
	switch f.tag {
	case tagIndexFolder:
		d.m.Folder = FolderID(f.bytes)
	case tagIndexFiles:
		return d.m.addEntry(d.names, f.bytes)
	case tagIndexLastSequence:
		d.m.LastSequence = f.int64()
	case tagIndexPrevSequence:
		d.m.PrevSequence = f.int64()
	}
	return nil
}

// end gives the message once all fields are set.
func (d *indexDecoder) end() (*Index, error) {
	switch {
	case d.m.Folder == "":
		return nil, errNoFolderID
	case d.m.LastSequence < 0 || d.m.PrevSequence < 0:
		return nil, fmt.Errorf("sequence: %w", errNegative)
	case len(d.m.Files) == 0:
		d.m.Files = nil
	}
	return d.m, nil
}

// addEntry decodes one entry and puts it among the files or the refused.
func (m *Index) addEntry(names map[string]struct{}, b []byte) error {
	if len(m.Files)+len(m.Refused) == maxIndexEntries {
		return fmt.Errorf("there are more than %d entries", maxIndexEntries)
	}
	m.Files = append(m.Files, FileInfo{})
	name, err := decodeFileInfo(&m.Files[len(m.Files)-1], b)
	if _, again := names[name]; again && err == nil {
		err = errors.New("the name stands in the message twice")
	}
	if err == nil {
		names[name] = struct{}{}
		return nil
	}
	var r *refusal
	if !errors.As(err, &r) {
		return fmt.Errorf("entry %s: %w", quote(name), err)
	}
	m.Files = m.Files[:len(m.Files)-1]
	m.Refused = append(m.Refused, Refused{name[:min(len(name), relpath.MaxTotal)], r.reason})
	return nil
}

// UnmarshalFileInfo decodes and checks one entry, which then aliases nothing
// of b. The error has no kind: the caller knows whose bytes these are.
func UnmarshalFileInfo(b []byte) (FileInfo, error) {
	var f FileInfo
	if name, err := decodeFileInfo(&f, b); err != nil {
		return FileInfo{}, fmt.Errorf("decode entry %s: %w", quote(name), err)
	}
	return f, nil
}

// entry is a FileInfo while it is decoded: what must be complete before it
// can be checked.
type entry struct {
	*FileInfo
	name    string
	version counters
	// blocks is the number of blocks on the wire; sealed is set when one has
	// the hash of an untrusted folder, and then Blocks is not complete.
	blocks int
	sealed bool
	sums   []byte // as sent
}

// decodeFileInfo fills a zero f and checks it. It gives the name as sent even
// with an error. A *refusal means that only this entry is not usable.
func decodeFileInfo(f *FileInfo, b []byte) (name string, err error) {
	e := entry{FileInfo: f}
	var fd field
	for rest := b; len(rest) > 0; {
		if fd, rest, err = nextField(rest); err != nil {
			return e.name, err
		}
		if err := e.set(fd, rest); err != nil {
			return e.name, err
		}
	}
	if e.Version, err = e.version.vector(); err != nil {
		return e.name, err
	}
	if err := e.check(); err != nil {
		return e.name, err
	}
	e.takeSums()
	return e.name, nil
}

// takeSums takes over the sums if there is one for each block: they only ever
// say where to look.
func (e *entry) takeSums() {
	if len(e.sums) == 0 || len(e.sums) != sumLen*len(e.Blocks) {
		return
	}
	e.Sums = make([]block.Sum, len(e.Blocks))
	for i := range e.Sums {
		e.Sums[i] = binary.LittleEndian.Uint64(e.sums[i*sumLen:])
	}
}

// set takes over one field; rest is what follows it.
func (e *entry) set(f field, rest []byte) error {
	switch f.tag {
	case tagFileName:
		e.name = f.string()
	case tagFileType:
		e.Type = FileType(f.int32())
	case tagFileSize:
		e.Size = f.int64()
	case tagFilePermissions:
		e.Permissions = uint32(f.number) & 0o777
	case tagFileModifiedS:
		e.ModifiedS = f.int64()
	case tagFileDeleted:
		e.Deleted = f.bool()
	case tagFileInvalid:
		e.Invalid = f.bool()
	case tagFileNoPermissions:
		e.NoPermissions = f.bool()
	case tagFileVersion:
		return e.version.decode(f.bytes)
	case tagFileSequence:
		e.Sequence = f.int64()
	case tagFileModifiedNs:
		e.ModifiedNs = f.int32()
	case tagFileModifiedBy:
		e.ModifiedBy = device.ShortID(f.number)
	case tagFileBlockSize:
		e.BlockSize = f.int32()
	case tagFileBlocks:
		return e.addBlock(f.bytes, rest)
	default:
		e.setBytes(f)
	}
	return nil
}

// setBytes takes over the fields that few entries have.
func (e *entry) setBytes(f field) {
	switch f.tag {
	case tagFilePlatform:
		// A nested message in several parts is their concatenation.
		e.Platform = append(e.Platform, f.bytes...)
	case tagFileSymlinkTarget:
		e.SymlinkTarget = f.string()
	case tagFileBlocksHash:
		e.BlocksHash = wholeHash(f)
	case tagFilePreviousBlocks:
		e.PreviousBlocksHash = wholeHash(f)
	case tagFileEncrypted:
		e.Encrypted = f.copied()
	case tagFileSums:
		e.sums = f.bytes
	}
}

// wholeHash gives a hash over a list of blocks, nil where it is no SHA-256:
// it only ever shows equality, so that none is as good as a strange one.
func wholeHash(f field) []byte {
	if len(f.bytes) != len(block.Hash{}) {
		return nil
	}
	return f.copied()
}

const (
	sealedHashLen = 48 // of a block in an untrusted folder
	// minBlockField is the fewest bytes of a block with its hash.
	minBlockField = 2 + len(block.Hash{})
)

// addBlock decodes a block; rest is what follows it in the entry.
func (e *entry) addBlock(b, rest []byte) (err error) {
	e.blocks++
	if e.blocks > maxEntryBlocks {
		return &refusal{ErrBlocks}
	}
	if e.Blocks == nil {
		n := 1 + countFields(rest, tagFileBlocks, minBlockField)
		e.Blocks = make([]block.Info, 0, min(n, maxEntryBlocks))
	}
	var info block.Info
	var hash []byte
	var f field
	for len(b) > 0 {
		if f, b, err = nextField(b); err != nil {
			return err
		}
		switch f.tag {
		case tagBlockOffset:
			info.Offset = f.int64()
		case tagBlockSize:
			info.Size = f.int32()
		case tagBlockHash:
			hash = f.bytes
		}
	}
	switch len(hash) {
	case sealedHashLen:
		e.sealed = true
	case len(block.Hash{}):
		info.Hash = block.Hash(hash)
		e.Blocks = append(e.Blocks, info)
	default:
		return fmt.Errorf("the hash of block %d has %d bytes, not 32", e.blocks-1, len(hash))
	}
	return nil
}

package bep

import (
	"encoding/binary"

	"lanyard/sync/block"
)

// MarshalFileInfo gives an entry's protobuf form, as it stands in an Index.
func MarshalFileInfo(f *FileInfo) []byte { return AppendFileInfo(nil, f) }

// AppendFileInfo appends an entry's protobuf form to dst.
func AppendFileInfo(dst []byte, f *FileInfo) []byte {
	dst = appendString(dst, tagFileName, f.Name.String())
	dst = appendInt(dst, tagFileType, f.Type)
	dst = appendInt(dst, tagFileSize, f.Size)
	dst = appendUint(dst, tagFilePermissions, uint64(f.Permissions))
	dst = appendInt(dst, tagFileModifiedS, f.ModifiedS)
	dst = appendBool(dst, tagFileDeleted, f.Deleted)
	dst = appendBool(dst, tagFileInvalid, f.Invalid)
	dst = appendBool(dst, tagFileNoPermissions, f.NoPermissions)
	dst = appendVector(dst, tagFileVersion, f.Version)
	dst = appendInt(dst, tagFileSequence, f.Sequence)
	dst = appendInt(dst, tagFileModifiedNs, f.ModifiedNs)
	dst = appendUint(dst, tagFileModifiedBy, uint64(f.ModifiedBy))
	dst = appendInt(dst, tagFileBlockSize, f.BlockSize)
	dst = appendBytes(dst, tagFilePlatform, f.Platform)
	for i := range f.Blocks {
		dst = appendBlock(dst, &f.Blocks[i])
	}
	// The target is bytes: a link may point at a name that is not UTF-8.
	dst = appendBytes(dst, tagFileSymlinkTarget, []byte(f.SymlinkTarget))
	dst = appendBytes(dst, tagFileBlocksHash, f.BlocksHash)
	dst = appendBytes(dst, tagFileEncrypted, f.Encrypted)
	dst = appendBytes(dst, tagFilePreviousBlocks, f.PreviousBlocksHash)
	return appendSums(dst, f.Sums)
}

// sumLen is the length of a sum, which stands with its lowest byte first.
const sumLen = 8

func appendSums(dst []byte, sums []block.Sum) []byte {
	if len(sums) == 0 {
		return dst
	}
	dst, start := begin(dst, tagFileSums)
	for _, s := range sums {
		dst = binary.LittleEndian.AppendUint64(dst, s)
	}
	return end(dst, start)
}

func appendBlock(dst []byte, b *block.Info) []byte {
	dst, start := begin(dst, tagFileBlocks)
	dst = appendInt(dst, tagBlockOffset, b.Offset)
	dst = appendInt(dst, tagBlockSize, b.Size)
	dst = appendBytes(dst, tagBlockHash, b.Hash[:])
	return end(dst, start)
}

func appendIndex(dst []byte, m *Index) []byte {
	dst = appendString(dst, tagIndexFolder, string(m.Folder))
	var start int
	for i := range m.Files {
		dst, start = begin(dst, tagIndexFiles)
		dst = end(AppendFileInfo(dst, &m.Files[i]), start)
	}
	dst = appendInt(dst, tagIndexLastSequence, m.LastSequence)
	return appendInt(dst, tagIndexPrevSequence, m.PrevSequence)
}

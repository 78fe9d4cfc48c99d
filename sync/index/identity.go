package index

import (
	"encoding/binary"

	"lanyard/sync/bep"
	"lanyard/sync/block"
)

// inlineBlocks is the longest block list that an identity spells out; a
// longer one stands in it as its ListHash.
const inlineBlocks = 4

// Bits of an identity's first byte; the low three hold the type.
const (
	idDeleted = 1 << (3 + iota)
	idInvalid
	idUneven // block sizes do not follow from BlockSize and Size
	idTypes  = 1<<3 - 1
)

// appendIdentity appends the bytes that make f this version and no other: two
// entries for one name are the same exactly when these are equal. What a
// device may announce differently for one version (permissions, platform
// data, who modified it, the sender's own blocks hash) is left out. hash is
// f's ListHash, looked at only for lists longer than inlineBlocks.
func appendIdentity(b []byte, f *bep.FileInfo, hash *block.Hash) []byte {
	uneven := !evenBlocks(f)
	b = append(b, identityHead(f, uneven))
	b = binary.AppendVarint(b, f.Size)
	b = binary.AppendVarint(b, f.ModifiedS)
	b = binary.AppendVarint(b, int64(f.ModifiedNs))
	b = binary.AppendUvarint(b, uint64(len(f.Version)))
	for _, c := range f.Version {
		b = binary.LittleEndian.AppendUint64(b, c.ID)
		b = binary.AppendUvarint(b, c.Value)
	}
	b = appendBytes(b, f.SymlinkTarget)
	b = appendBytes(b, f.Encrypted)
	b = binary.AppendVarint(b, int64(f.BlockSize))
	b = binary.AppendUvarint(b, uint64(len(f.Blocks)))
	if uneven {
		for i := range f.Blocks {
			b = binary.AppendVarint(b, int64(f.Blocks[i].Size))
		}
	}
	if len(f.Blocks) > inlineBlocks {
		return append(b, hash[:]...)
	}
	return appendHashes(b, f.Blocks)
}

func identityHead(f *bep.FileInfo, uneven bool) byte {
	head := byte(f.Type) & idTypes
	if f.Deleted {
		head |= idDeleted
	}
	if f.Invalid {
		head |= idInvalid
	}
	if uneven {
		head |= idUneven
	}
	return head
}

// evenBlocks reports whether every block but the last has BlockSize bytes and
// the last has the rest, as in every list that a scan makes.
func evenBlocks(f *bep.FileInfo) bool {
	left := f.Size
	for i := range f.Blocks {
		want := min(left, int64(f.BlockSize))
		if i == len(f.Blocks)-1 {
			want = left
		}
		if int64(f.Blocks[i].Size) != want {
			return false
		}
		left -= want
	}
	return true
}

func appendHashes(b []byte, blocks []block.Info) []byte {
	for i := range blocks {
		b = append(b, blocks[i].Hash[:]...)
	}
	return b
}

func appendBytes[T string | []byte](b []byte, s T) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// Package block holds the blocks of a file: their sizes, their hashes, and
// the pool of workers that hashes files (BEP section 5.1).
package block

import (
	"crypto/sha256"
)

// Hash is the SHA-256 of a block's bytes.
type Hash = [32]byte

// Info is one block of a file. Blocks lie without gaps in ascending order;
// the last may be short; an empty file has one block of size 0.
type Info struct {
	Offset int64
	Size   int32
	Hash   Hash
}

// Block sizes are powers of two in this range.
const (
	MinSize = 128 << 10
	MaxSize = 16 << 20
)

// maxBlocks is the number of blocks that a size aims to stay below.
const maxBlocks = 2000

// SizeFor gives the block size for a file of size bytes: the smallest power
// of two with fewer than 2,000 blocks, between MinSize and MaxSize.
func SizeFor(size int64) int32 {
	for b := int64(MinSize); b < MaxSize; b *= 2 {
		if size < maxBlocks*b {
			return int32(b)
		}
	}
	return MaxSize
}

// SizeKeeping is SizeFor with hysteresis: the size that the file had before
// stays if it is within a factor of two, so that a file that grows a little
// is not hashed into new blocks. before 0 means there was none.
func SizeKeeping(size int64, before int32) int32 {
	want := SizeFor(size)
	if before >= MinSize && before <= MaxSize && before&(before-1) == 0 &&
		(before == want || before == want*2 || want == before*2) {
		return before
	}
	return want
}

// Count gives the number of blocks of a file: at least one.
func Count(size int64, blockSize int32) int {
	if size <= 0 {
		return 1
	}
	return int((size + int64(blockSize) - 1) / int64(blockSize))
}

// EmptyHash is the hash of no bytes.
var EmptyHash = sha256.Sum256(nil)

// ListHash gives the hash over the hashes of all blocks: equal hashes mean
// equal content and equal block size; unequal hashes prove nothing towards a
// peer older than 2.0 (BEP trap 14).
func ListHash(blocks []Info) Hash {
	h := sha256.New()
	for i := range blocks {
		h.Write(blocks[i].Hash[:])
	}
	return Hash(h.Sum(nil))
}

// EqualLists reports whether two lists describe the same content in the same
// blocks.
func EqualLists(a, b []Info) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Size != b[i].Size || a[i].Hash != b[i].Hash {
			return false
		}
	}
	return true
}

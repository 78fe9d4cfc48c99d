package index

import (
	"slices"

	"lanyard/sync/bep"
	"lanyard/sync/block"
)

// hiding are the flags that make our entry invalid for peers.
const hiding = Ignored | ReceiveOnly | Unsupported

// hasStoredBlocks reports whether LocalByContent finds f: a valid file with
// content. An empty file is quicker made than looked for.
func hasStoredBlocks(f *bep.FileInfo) bool {
	return f.IsFile() && !f.Invalid && f.Size > 0 && len(f.Blocks) > 0
}

// hasSums reports whether there is a sum for each block.
func hasSums(f *bep.FileInfo) bool { return len(f.Sums) > 0 && len(f.Sums) == len(f.Blocks) }

// fileBytes is what f adds to a sum of bytes.
func fileBytes(f *bep.FileInfo) int64 {
	if f.IsFile() {
		return f.Size
	}
	return 0
}

// cloneInfo gives a copy that shares nothing with f that can be written to.
func cloneInfo(f *bep.FileInfo) bep.FileInfo {
	g := *f
	g.Version = slices.Clone(f.Version)
	g.Blocks = slices.Clone(f.Blocks)
	g.Sums = slices.Clone(f.Sums)
	g.BlocksHash = slices.Clone(f.BlocksHash)
	g.PreviousBlocksHash = slices.Clone(f.PreviousBlocksHash)
	g.Platform = slices.Clone(f.Platform)
	g.Encrypted = slices.Clone(f.Encrypted)
	return g
}

func cloneRecord(r *Record) Record {
	return Record{FileInfo: cloneInfo(&r.FileInfo), Flags: r.Flags, Stamp: r.Stamp}
}

// listHashOf is block.ListHash, zero where f has no blocks.
func listHashOf(f *bep.FileInfo) block.Hash {
	if len(f.Blocks) == 0 {
		return block.Hash{}
	}
	return block.ListHash(f.Blocks)
}

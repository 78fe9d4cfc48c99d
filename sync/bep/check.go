package bep

import (
	"errors"
	"fmt"

	"lanyard/sync/block"
	"lanyard/sync/relpath"
)

// Reasons why an entry is left out. They are found in Refused.Reason.
var (
	// ErrInternal: the name is a program's own and never synced.
	ErrInternal = errors.New("the name is kept for the program's own use")
	// ErrSealed: the entry belongs to an untrusted folder.
	ErrSealed = errors.New("the entry is encrypted for an untrusted folder")
	// ErrType: the entry is of a type that this program does not know.
	ErrType = errors.New("the type of the entry is unknown")
	// ErrBlocks: a file has more blocks than any that a device should announce.
	ErrBlocks = errors.New("the file has more than 262,144 blocks")
	// ErrTarget: a symlink's target is too long.
	ErrTarget = errors.New("the target of the symlink is longer than 4096 bytes")
)

// check makes sure of what the fields' comments promise and brings what older
// programs send into that form. What no correct peer sends comes before what
// is only not supported, so that a refusal never hides a broken message.
func (e *entry) check() error {
	path, nameErr := relpath.Parse(e.name)
	if errors.Is(nameErr, relpath.ErrNotCanonical) {
		return nameErr
	}
	if err := e.checkNumbers(); err != nil {
		return err
	}
	if err := e.checkKind(); err != nil {
		return err
	}
	switch {
	case nameErr != nil:
		return &refusal{nameErr}
	case path.Internal():
		return &refusal{ErrInternal}
	case e.sealed || len(e.Encrypted) > 0:
		return &refusal{ErrSealed}
	case !e.knownType():
		return refuse("%w (%d)", ErrType, e.Type)
	case len(e.SymlinkTarget) > maxSymlinkTarget:
		return &refusal{ErrTarget}
	}
	e.Name = path
	return e.checkContent()
}

// checkNumbers checks what holds for entries of every type.
func (e *entry) checkNumbers() error {
	switch {
	case e.Size < 0:
		return fmt.Errorf("the size %d is negative", e.Size)
	case e.Sequence < 0:
		return fmt.Errorf("the sequence %d is negative", e.Sequence)
	case e.BlockSize < 0:
		return fmt.Errorf("the block size %d is negative", e.BlockSize)
	case e.ModifiedNs < 0 || e.ModifiedNs > 999_999_999:
		return fmt.Errorf("the nanoseconds %d are not within a second", e.ModifiedNs)
	}
	return nil
}

func (e *entry) knownType() bool { return e.Type >= TypeFile && e.Type <= TypeSymlink }

// checkKind checks that only what can have blocks has them.
func (e *entry) checkKind() error {
	switch {
	case e.Deleted && e.blocks > 0:
		return errors.New("it is deleted but has blocks")
	case e.Type != TypeFile && e.knownType() && e.blocks > 0:
		return errors.New("it is no file but has blocks")
	case e.Type == TypeFile && !e.Deleted && !e.Invalid && e.blocks == 0:
		return errors.New("it is a valid file but has no blocks")
	}
	return nil
}

// oldDirectorySize is what old programs announce as a directory's size.
const oldDirectorySize = 128

// checkContent checks size, block size and blocks of a supported entry.
func (e *entry) checkContent() error {
	if e.Type == TypeFile && !e.Deleted {
		return e.checkFile()
	}
	if e.Type == TypeDirectory && !e.Deleted && e.Size != 0 && e.Size != oldDirectorySize {
		return fmt.Errorf("it is a directory of size %d", e.Size)
	}
	if e.Type != TypeFile && e.Type != TypeDirectory {
		e.Type = TypeSymlink // 2 and 3 are older forms
	}
	e.Size, e.BlockSize = 0, 0
	return nil
}

func (e *entry) checkFile() error {
	if e.blocks == 0 {
		e.BlockSize = 0
		return nil
	}
	if e.BlockSize < block.MinSize {
		e.BlockSize = block.MinSize
	}
	err := checkBlocks(e.Blocks, e.Size, e.BlockSize)
	if err != nil && e.Invalid {
		// The sender cannot serve it, so its blocks need not be right; without
		// them the entry says all that counts.
		e.Blocks, e.BlockSize = nil, 0
		return nil
	}
	return err
}

// checkBlocks checks that blocks cover exactly size bytes in steps of
// blockSize.
func checkBlocks(blocks []block.Info, size int64, blockSize int32) error {
	if blockSize > block.MaxSize || blockSize&(blockSize-1) != 0 {
		return fmt.Errorf("the block size %d is not a power of two up to %d", blockSize, block.MaxSize)
	}
	step := int64(blockSize)
	want := size / step
	if size%step != 0 || size == 0 {
		want++
	}
	if int64(len(blocks)) != want {
		return fmt.Errorf("it has %d blocks where its size %d needs %d", len(blocks), size, want)
	}
	for i := range blocks {
		offset := int64(i) * step
		length := min(step, size-offset)
		if blocks[i].Offset != offset || int64(blocks[i].Size) != length {
			return fmt.Errorf("block %d is %d bytes at %d where %d bytes at %d are due",
				i, blocks[i].Size, blocks[i].Offset, length, offset)
		}
	}
	return nil
}

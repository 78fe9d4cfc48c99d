package block

import (
	"encoding/hex"
	"testing"

	"pgregory.net/rapid"
)

func TestSizeForFollowsTheTable(t *testing.T) {
	tests := []struct {
		size int64
		want int32
	}{
		{0, 128 << 10},
		{262_143_999, 128 << 10},
		{262_144_000, 256 << 10},
		{524_288_000, 512 << 10},
		{1_048_576_000, 1 << 20},
		{2_097_152_000, 2 << 20},
		{4_194_304_000, 4 << 20},
		{8_388_608_000, 8 << 20},
		{16_777_215_999, 8 << 20},
		{16_777_216_000, 16 << 20},
		{1 << 50, 16 << 20},
	}
	for _, tt := range tests {
		if got := SizeFor(tt.size); got != tt.want {
			t.Errorf("SizeFor(%d) = %d, want %d", tt.size, got, tt.want)
		}
	}
}

func TestSizeKeepingKeepsTheOldSizeWithinAFactorOfTwo(t *testing.T) {
	tests := []struct {
		name   string
		size   int64
		before int32
		want   int32
	}{
		{"a new file gets the size of the table", 300_000_000, 0, 256 << 10},
		{"a file that grew a little keeps its size", 300_000_000, 128 << 10, 128 << 10},
		{"a file that shrank a little keeps its size", 300_000_000, 512 << 10, 512 << 10},
		{"a file that grew a lot does not", 600_000_000, 128 << 10, 512 << 10},
		{"a file that shrank a lot does not", 1, 512 << 10, 128 << 10},
		{"a size that is no power of two is not kept", 1, 200_000, 128 << 10},
		{"a size below the smallest is not kept", 1, 64 << 10, 128 << 10},
	}
	for _, tt := range tests {
		if got := SizeKeeping(tt.size, tt.before); got != tt.want {
			t.Errorf("%s: SizeKeeping(%d, %d) = %d, want %d", tt.name, tt.size, tt.before, got, tt.want)
		}
	}
}

func TestCountIsTheLengthOfTheLayout(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Int64Range(0, 1<<28).Draw(t, "size")
		blockSize := rapid.Int32Range(MinSize, MaxSize).Draw(t, "block size")
		infos := layout(size, blockSize)
		end := int64(0)
		for _, b := range infos {
			if b.Offset != end {
				t.Fatalf("block at %d, want %d: no gaps", b.Offset, end)
			}
			end += int64(b.Size)
		}
		if end != size || len(infos) != Count(size, blockSize) {
			t.Fatalf("%d blocks end at %d, want %d to %d", len(infos), end, Count(size, blockSize), size)
		}
	})
}

func TestListHashOfAnEmptyFileIsSyncthings(t *testing.T) {
	const want = "5df6e0e2761359d30a8275058e299fcc0381534545f55cf43e41983f5d4c9456"
	got := ListHash([]Info{{Hash: EmptyHash}})
	if hex.EncodeToString(got[:]) != want {
		t.Errorf("got %x, want %s", got, want)
	}
}

func TestEqualListsWantsEqualSizesAndHashes(t *testing.T) {
	a := []Info{{0, 10, Hash{1}}, {10, 5, Hash{2}}}
	tests := []struct {
		name string
		b    []Info
		want bool
	}{
		{"itself", a, true},
		{"offsets do not count, for they follow from the sizes", []Info{{3, 10, Hash{1}}, {4, 5, Hash{2}}}, true},
		{"fewer blocks", a[:1], false},
		{"another hash", []Info{{0, 10, Hash{1}}, {10, 5, Hash{3}}}, false},
		{"another size", []Info{{0, 10, Hash{1}}, {10, 6, Hash{2}}}, false},
	}
	for _, tt := range tests {
		if got := EqualLists(a, tt.b); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

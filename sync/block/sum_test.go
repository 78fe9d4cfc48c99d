package block_test

import (
	"bytes"
	"errors"
	"io"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"lanyard/sync/block"
)

func randomBytes(seed uint64, n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	_, _ = r.Read(b)
	return b
}

// reference computes a sum by its definition, in whole numbers.
func reference(p []byte) block.Sum {
	m, mod := new(big.Int).SetUint64(0x9e3779b97f4a7c15), new(big.Int).Lsh(big.NewInt(1), 64)
	s := new(big.Int)
	for _, c := range p {
		s.Mul(s, m).Add(s, big.NewInt(int64(c))).Mod(s, mod)
	}
	return s.Uint64()
}

func TestASumIsWhatItsDefinitionSays(t *testing.T) {
	data := randomBytes(1, 100)
	for n := range data {
		if got, want := block.AddSum(0, data[:n]), reference(data[:n]); got != want {
			t.Errorf("sum of %d bytes is %#x, want %#x", n, got, want)
		}
	}
	// Sums travel between devices: they never change.
	if got, want := block.AddSum(0, []byte("The quick brown fox")), block.Sum(0x583239f6db42d353); got != want {
		t.Errorf("the sum of a known text is %#x, want %#x", got, want)
	}
}

func TestASumIsAddedUpInAnyPieces(t *testing.T) {
	data := randomBytes(2, 1000)
	want := block.AddSum(0, data)
	for _, cut := range []int{0, 1, 7, 8, 9, 500, 999, 1000} {
		if got := block.AddSum(block.AddSum(0, data[:cut]), data[cut:]); got != want {
			t.Errorf("cut at %d the sum is %#x, want %#x", cut, got, want)
		}
	}
}

// found rolls along data and gives every position at which a wanted block of
// size bytes may stand, and its number.
func found(f *block.Finder, data []byte) map[int]int {
	out := map[int]int{}
	s := block.AddSum(0, data[:f.Size()])
	for _, i := range f.Wanted(s) {
		out[0] = i
	}
	for at := 0; ; {
		n, sum, hit := f.Roll(s, data[at:len(data)-f.Size()], data[at+f.Size():])
		if !hit {
			return out
		}
		at, s = at+n, sum
		for _, i := range f.Wanted(s) {
			out[at] = i
		}
	}
}

func TestAFinderFindsBlocksAtAnyOffset(t *testing.T) {
	const size = 4096
	for _, shift := range []int{0, 1, 2, 3, 4, 5, 63, 64, 4095} {
		content := randomBytes(uint64(shift), 20*size)
		sums := make([]block.Sum, 20)
		for i := range sums {
			sums[i] = block.AddSum(0, content[i*size:(i+1)*size])
		}
		wanted := []int{0, 3, 7, 19}
		old := slices.Concat(randomBytes(99, shift), content)
		got := found(block.NewFinder(size, sums, wanted), old)
		if len(got) != len(wanted) {
			t.Errorf("shift %d: found at %v, want the places of %v", shift, got, wanted)
		}
		for _, i := range wanted {
			if n, ok := got[shift+i*size]; !ok || n != i {
				t.Errorf("shift %d: block %d was not found at %d: %v", shift, i, shift+i*size, got)
			}
		}
	}
}

func TestEqualBlocksAreFoundTogether(t *testing.T) {
	data := randomBytes(5, 256)
	s := block.AddSum(0, data)
	f := block.NewFinder(256, []block.Sum{s, 1, s, s}, []int{0, 1, 3})
	if got, want := f.Wanted(s), []int{0, 3}; !slices.Equal(got, want) {
		t.Errorf("wanted with this sum are %v, want %v", got, want)
	}
}

// A filter that lets much pass halves the speed or worse, whatever the data.
func TestFewPositionsGetPastTheFilter(t *testing.T) {
	const size, blocks = 128 << 10, 1024
	sums := make([]block.Sum, blocks)
	all := make([]int, blocks)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range sums {
		sums[i], all[i] = r.Uint64(), i
	}
	text := bytes.Repeat([]byte("It was the best of times, it was the worst of times.\n"), 20_000)
	for i := range text {
		if i%97 == 0 {
			text[i] = byte('a' + r.IntN(26))
		}
	}
	f := block.NewFinder(size, sums, all)
	for name, data := range map[string][]byte{"random": randomBytes(3, 1<<20), "text": text} {
		passed := f.Passed(data)
		if limit := len(data) / 128; passed > limit {
			t.Errorf("%s: %d of %d positions got past the filter, want at most %d", name, passed, len(data), limit)
		}
	}
}

func BenchmarkSum(b *testing.B) {
	data := randomBytes(1, 1<<20)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		block.AddSum(0, data)
	}
}

func BenchmarkRoll(b *testing.B) {
	const size, blocks = 128 << 10, 1024
	sums := make([]block.Sum, blocks)
	all := make([]int, blocks)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range sums {
		sums[i], all[i] = r.Uint64(), i
	}
	f := block.NewFinder(size, sums, all)
	data := randomBytes(1, 1<<20+size)
	s := block.AddSum(0, data[:size])
	b.SetBytes(1 << 20)
	for b.Loop() {
		if _, _, hit := f.Roll(s, data[:1<<20], data[size:]); hit {
			b.Fatal("found what is not there")
		}
	}
}

func TestTheWantedBlocksOfAFileAreSummed(t *testing.T) {
	data := randomBytes(7, 10*block.MinSize+17)
	for _, workers := range []int{1, 3} {
		pool := block.NewPool(workers)
		infos, err := pool.HashFile(t.Context(), bytes.NewReader(data), int64(len(data)), block.MinSize)
		if err != nil {
			t.Fatal(err)
		}
		for _, todo := range [][]int{nil, {4}, {0, 3, 9, 10}} {
			sums := make([]block.Sum, len(infos))
			if err := pool.SumFile(t.Context(), bytes.NewReader(data), infos, todo, sums); err != nil {
				t.Fatal(err)
			}
			for i, b := range infos {
				want := block.Sum(0)
				if slices.Contains(todo, i) {
					want = block.AddSum(0, data[b.Offset:b.Offset+int64(b.Size)])
				}
				if sums[i] != want {
					t.Errorf("%d workers, of %v: block %d has the sum %#x, want %#x", workers, todo, i, sums[i], want)
				}
			}
		}
		if err := pool.SumFile(t.Context(), bytes.NewReader(data[:len(data)-1]), infos, []int{1, 10}, make([]block.Sum, len(infos))); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%d workers: a file that ends too soon gave the error %v", workers, err)
		}
	}
}

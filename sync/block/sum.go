package block

import "math/bits"

// A Sum of bytes b[0] … b[n-1] is b[0]·m^(n-1) + … + b[n-1] modulo 2^64, with
// m = sumFactor. It says where a block may stand among other bytes, at any
// offset, for it is quick to roll along them; only a block's hash says that it
// does. The factor is part of the protocol (docs/extensions.md).
type Sum = uint64

// sumFactor is odd, so that no byte ever loses its influence.
const sumFactor = 0x9e3779b97f4a7c15

// Powers of the factor, for steps of several bytes.
const (
	factor2 = sumFactor * sumFactor & (1<<64 - 1)
	factor3 = factor2 * sumFactor & (1<<64 - 1)
	factor4 = factor3 * sumFactor & (1<<64 - 1)
	factor5 = factor4 * sumFactor & (1<<64 - 1)
	factor6 = factor5 * sumFactor & (1<<64 - 1)
	factor7 = factor6 * sumFactor & (1<<64 - 1)
	factor8 = factor7 * sumFactor & (1<<64 - 1)
)

// MinSummed is the number of blocks from which on a file has sums: below that
// there is little to save.
const MinSummed = 8

// WorthSearching reports whether a file of that many blocks, of which some
// with so many bytes are missing, is worth reading its old version through for
// what stands there at other offsets: where more than a quarter of the blocks
// and more than 4 MiB is missing.
func WorthSearching(blocks, missing int, bytes int64) bool {
	return 4*missing > blocks && bytes > 4<<20
}

// AddSum gives the sum of the bytes that s is the sum of, followed by p.
func AddSum(s Sum, p []byte) Sum {
	for len(p) >= 8 {
		b := p[:8:8]
		s = s*factor8 +
			uint64(b[0])*factor7 + uint64(b[1])*factor6 + uint64(b[2])*factor5 + uint64(b[3])*factor4 +
			uint64(b[4])*factor3 + uint64(b[5])*factor2 + uint64(b[6])*sumFactor + uint64(b[7])
		p = p[8:]
	}
	for _, c := range p {
		s = s*sumFactor + uint64(c)
	}
	return s
}

// Finder looks for blocks of one size by their sums. It does not change once
// it is made, so that any number of goroutines may use it.
type Finder struct {
	size  int
	leave [256]uint64 // what a byte adds as it leaves the window
	// filter has a bit for the highest bits of every wanted sum, and at least
	// 256 bits for each of them, so that few positions get past it.
	filter []uint64
	shift  uint
	table  map[Sum][]int
}

// filterBits is the size of a filter for each sum, and the least size of all.
const (
	filterBits    = 256
	minFilterBits = 1 << 16
)

// NewFinder makes a Finder of blocks of size bytes: wanted are the numbers of
// the blocks that are looked for, sums those of all blocks of a file.
func NewFinder(size int, sums []Sum, wanted []int) *Finder {
	n := max(bits.Len(uint(len(wanted)*filterBits-1)), bits.Len(minFilterBits-1))
	f := &Finder{size: size, filter: make([]uint64, 1<<n/64), shift: uint(64 - n), table: make(map[Sum][]int, len(wanted))}
	power := uint64(1) // sumFactor^size
	for range size {
		power *= sumFactor
	}
	for c := range f.leave {
		f.leave[c] = uint64(c) * power
	}
	for _, i := range wanted {
		s := sums[i]
		f.filter[s>>f.shift>>6] |= 1 << (s >> f.shift & 63)
		f.table[s] = append(f.table[s], i)
	}
	return f
}

// Size gives the size of the blocks.
func (f *Finder) Size() int { return f.size }

// Wanted gives the numbers of the wanted blocks with a sum. The slice is not
// to be changed.
func (f *Finder) Wanted(s Sum) []int {
	if f.filter[s>>f.shift>>6]>>(s>>f.shift&63)&1 == 0 {
		return nil
	}
	return f.table[s]
}

// Roll moves a window of the Finder's size along, whose sum is s: bytes leave
// it as in out and enter it as in in, which has as many. It stops behind the
// first move after which the sum is a wanted one, and gives the number of
// moves and the sum then.
func (f *Finder) Roll(s Sum, out, in []byte) (moves int, sum Sum, found bool) {
	in = in[:len(out)]
	filter, shift := f.filter, f.shift&63
	i := 0
	for ; i+4 <= len(out); i += 4 {
		// The four sums do not wait for each other: each follows from s.
		o, n := out[i:i+4:i+4], in[i:i+4:i+4]
		t := uint64(n[0]) - f.leave[o[0]]
		s1 := s*sumFactor + t
		t = t*sumFactor + uint64(n[1]) - f.leave[o[1]]
		s2 := s*factor2 + t
		t = t*sumFactor + uint64(n[2]) - f.leave[o[2]]
		s3 := s*factor3 + t
		t = t*sumFactor + uint64(n[3]) - f.leave[o[3]]
		s4 := s*factor4 + t
		a, b, c, d := s1>>shift, s2>>shift, s3>>shift, s4>>shift
		hit := filter[a>>6]>>(a&63) | filter[b>>6]>>(b&63) | filter[c>>6]>>(c&63) | filter[d>>6]>>(d&63)
		if hit&1 != 0 {
			for k, x := range [4]Sum{s1, s2, s3, s4} {
				if len(f.Wanted(x)) > 0 {
					return i + k + 1, x, true
				}
			}
		}
		s = s4
	}
	for ; i < len(out); i++ {
		s = s*sumFactor + uint64(in[i]) - f.leave[out[i]]
		if len(f.Wanted(s)) > 0 {
			return i + 1, s, true
		}
	}
	return len(out), s, false
}

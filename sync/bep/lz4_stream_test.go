package bep

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pierrec/lz4/v4"

	"lanyard/sync/block"
	"lanyard/sync/fault"
	"lanyard/sync/relpath"
	"lanyard/sync/vector"
)

// unpackStream decompresses by pieces of a size.
func unpackStream(packed []byte, size, piece int) ([]byte, error) {
	z := newLZ4Reader(bufio.NewReader(bytes.NewReader(packed)), len(packed), size)
	var out []byte
	buf := make([]byte, piece)
	for {
		n, err := z.Read(buf)
		out = append(out, buf[:n]...)
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// FuzzLZ4Stream unpacks any bytes in pieces: what the library takes comes out
// the same, and what it refuses is refused.
func FuzzLZ4Stream(f *testing.F) {
	for _, plain := range []string{"", "a", "abcabcabcabcabcabcabcabc", strings.Repeat("x", 5000), string(random(3000))} {
		packed := make([]byte, lz4.CompressBlockBound(len(plain)))
		n, err := lz4.CompressBlock([]byte(plain), packed, nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(packed[:n], len(plain), 7)
	}
	f.Add([]byte{0x10, 'a', 1, 0, 0}, 5, 1)
	f.Fuzz(func(t *testing.T, packed []byte, size, piece int) {
		size, piece = size&(1<<17-1), 1+piece&0xfff
		if len(packed) == 0 || size == 0 {
			return // these are never large
		}
		want := make([]byte, size)
		wantErr := decompress(want, packed)
		got, err := unpackStream(packed, size, piece)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%x for %d bytes: %v, want %v", packed, size, err, wantErr)
		}
		if err == nil && !bytes.Equal(got, want) {
			t.Fatalf("%x: got %x, want %x", packed, got, want)
		}
		if err != nil && !errors.Is(err, errLZ4) {
			t.Fatalf("%x: %v", packed, err)
		}
	})
}

// random gives bytes that do not compress.
func random(n int) []byte {
	b := make([]byte, n)
	x := uint32(1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}

// largeIndex is over what is decoded in memory, in both forms on the wire.
func largeIndex() *Index {
	m := &Index{Folder: "f", LastSequence: 9, PrevSequence: 2, Update: true}
	for i := range 5000 {
		name := relpath.MustParse(fmt.Sprintf("dir/%d/%x", i, random(40 + i%60)[i%40:]))
		m.Files = append(m.Files, FileInfo{
			Name: name, Sequence: int64(i + 1), Size: 131072 + 1, BlockSize: block.MinSize, Version: vector.Vector{{ID: uint64(i + 1), Value: 3}},
			Blocks: []block.Info{{Size: 131072, Hash: block.Hash(random(32 + i%99)[i%99:])}, {Offset: 131072, Size: 1}},
		})
	}
	return m
}

func TestALargeIndexIsDecodedAsItArrives(t *testing.T) {
	want := largeIndex()
	for _, c := range []Compression{CompressNever, CompressAlways} {
		sent := mustFrame(t, want, c)
		if isCompressed(t, sent) != (c == CompressAlways) {
			t.Fatalf("compression %d: the sample is not in the wanted form", c)
		}
		if len(appendBody(nil, want)) <= keepScratch {
			t.Fatal("the sample is not large")
		}
		got := mustNext(t, sent)
		if diff := cmp.Diff(want, got, paths); diff != "" {
			t.Errorf("compression %d (-sent +read):\n%s", c, diff)
		}
		for cut := 7; cut < len(sent); cut += len(sent) / 12 {
			if _, err := next(sent[:cut]); fault.KindOf(err) != fault.Retry {
				t.Fatalf("cut after %d bytes of %d: %v, want the connection's fault", cut, len(sent), err)
			}
		}
		for at := 20; at < len(sent); at += len(sent) / 20 {
			bad := bytes.Clone(sent)
			bad[at] ^= 0x55
			if _, err := next(bad); err != nil && fault.KindOf(err) == fault.Unknown {
				t.Fatalf("byte %d changed: %v has no kind", at, err)
			}
		}
	}
}

// allocated gives the bytes that f allocates.
func allocated(f func()) int64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

func TestALargeIndexOfNothingTakesLittleMemory(t *testing.T) {
	body := appendString(nil, tagIndexFolder, "f")
	body = appendBytes(body, 1000<<3|lengthType, make([]byte, maxIndexBody-100))
	packed := make([]byte, lz4.CompressBlockBound(len(body)))
	n, err := lz4.CompressBlock(body, packed, nil)
	if err != nil {
		t.Fatal(err)
	}
	frames := map[string][]byte{
		"plain":  frame("\x08\x01", body),
		"packed": frame("\x08\x01\x10\x01", lz4Body(uint32(len(body)), packed[:n]...)),
	}
	for name, raw := range frames {
		if got := allocated(func() { mustNext(t, raw) }); got > 1<<20 {
			t.Errorf("%s: a message of 32 MiB that says nothing took %d bytes", name, got)
		}
	}
}

func TestAnEntryOfTooManyBlocksIsLeftOutAlone(t *testing.T) {
	many := FileInfo{
		Name: relpath.MustParse("many"), Size: (maxEntryBlocks + 1) * block.MinSize, BlockSize: block.MinSize,
		Blocks: make([]block.Info, maxEntryBlocks+1), Version: vector.Vector{{ID: 1, Value: 1}},
	}
	for i := range many.Blocks {
		many.Blocks[i] = block.Info{Offset: int64(i) * block.MinSize, Size: block.MinSize}
	}
	fine := many
	fine.Name, fine.Blocks, fine.Size = relpath.MustParse("fine"), many.Blocks[1:], maxEntryBlocks*block.MinSize
	for i := range fine.Blocks {
		fine.Blocks[i].Offset = int64(i) * block.MinSize
	}
	for name, c := range map[string]Compression{"plain": CompressNever, "packed": CompressAlways} {
		many.Blocks = append([]block.Info{{Size: block.MinSize}}, fine.Blocks...)
		got, ok := mustNext(t, mustFrame(t, &Index{Folder: "f", Files: []FileInfo{many, fine}}, c)).(*Index)
		if !ok || len(got.Files) != 1 || got.Files[0].Name != fine.Name || len(got.Refused) != 1 {
			t.Fatalf("%s: got %d files and %d refused", name, len(got.Files), len(got.Refused))
		}
		if r := got.Refused[0]; r.Name != "many" || !errors.Is(r.Reason, ErrBlocks) {
			t.Errorf("%s: refused %q for %v", name, r.Name, r.Reason)
		}
	}
}

func TestAnEntryLongerThanAnyIsRefused(t *testing.T) {
	body := appendString(nil, tagIndexFolder, "f")
	body = appendBytes(body, tagIndexFiles, make([]byte, maxEntryBody+1))
	if _, err := next(frame("\x08\x01", body)); fault.KindOf(err) != fault.Peer {
		t.Errorf("got %v, want the peer's fault", err)
	}
}

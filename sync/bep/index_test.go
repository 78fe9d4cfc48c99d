package bep

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lanyard/sync/block"
	"lanyard/sync/fault"
	"lanyard/sync/relpath"
	"lanyard/sync/vector"
)

// numbered gives a file of one block, another name for each i.
func numbered(i int) FileInfo {
	f := sampleFile()
	f.Name = relpath.MustParse(fmt.Sprintf("some/directory/file-%06d.jpg", i))
	f.Sequence = int64(i + 1)
	f.Size, f.Blocks = 9, []block.Info{{Size: 9, Hash: block.Hash{byte(i), byte(i >> 8)}}}
	f.PreviousBlocksHash, f.Platform = nil, nil
	return f
}

// wireEntry is an entry as a peer may send it: f, under any name, and with
// fields appended, which replace those of f.
type wireEntry struct {
	name string
	f    FileInfo
	more []byte
}

func (e wireEntry) bytes() []byte {
	b := AppendFileInfo(nil, &e.f)
	if e.name != "" {
		b = appendElement(b, tagFileName, e.name)
		if strings.ContainsRune(e.name, 0xFFFD) { // it was not UTF-8
			b = appendBytes(AppendFileInfo(nil, &e.f), tagFileName, []byte(e.name))
		}
	}
	return append(b, e.more...)
}

// indexOf makes the body of an Index.
func indexOf(entries ...[]byte) []byte {
	b := appendString(nil, tagIndexFolder, "f")
	for _, e := range entries {
		b = appendBytes(b, tagIndexFiles, e)
	}
	return b
}

func nextIndex(t *testing.T, entries ...[]byte) (*Index, error) {
	t.Helper()
	m, err := next(frame("\x08\x01", indexOf(entries...)))
	if err != nil {
		return nil, err
	}
	return m.(*Index), nil
}

// change gives the sample file with something changed.
func change(edit func(*FileInfo)) FileInfo {
	f := sampleFile()
	f.Blocks = append([]block.Info(nil), f.Blocks...)
	edit(&f)
	return f
}

func field64(tag uint64, v int64) []byte { return appendInt(nil, tag, v) }

func TestAnEntryThatNoCorrectPeerSendsBreaksTheMessage(t *testing.T) {
	good := wireEntry{f: sampleFile()}
	directory := FileInfo{Name: relpath.MustParse("d"), Type: TypeDirectory}
	badVector := func(v ...vector.Counter) wireEntry {
		return wireEntry{f: change(func(f *FileInfo) { f.Version = v })}
	}
	many := make(vector.Vector, vector.MaxCounters+1)
	for i := range many {
		many[i] = vector.Counter{ID: uint64(i), Value: 1}
	}
	tests := []struct {
		name  string
		entry wireEntry
		want  string // in the error
	}{
		{"a name with dots", wireEntry{name: "a/../b", f: sampleFile()}, `"a/../b"`},
		{"an absolute name", wireEntry{name: "/a", f: sampleFile()}, "absolute"},
		{"the name of the root", wireEntry{name: ".", f: sampleFile()}, "dot"},
		{"a name with a slash at its end", wireEntry{name: "a/", f: sampleFile()}, "empty component"},
		{"no name", wireEntry{f: FileInfo{Type: TypeDirectory}}, "empty"},
		{"deleted with blocks", wireEntry{f: change(func(f *FileInfo) { f.Deleted = true })}, "deleted but has blocks"},
		{"a directory with blocks", wireEntry{f: change(func(f *FileInfo) { f.Type = TypeDirectory })}, "no file but has blocks"},
		{"a symlink with blocks", wireEntry{f: change(func(f *FileInfo) { f.Type = 2 })}, "no file but has blocks"},
		{"a valid file without blocks", wireEntry{f: change(func(f *FileInfo) { f.Blocks = nil })}, "no blocks"},
		{"an empty file without blocks", wireEntry{f: FileInfo{Name: relpath.MustParse("e")}}, "no blocks"},
		{"a directory of another size", wireEntry{f: directory, more: field64(tagFileSize, 4096)}, "size 4096"},
		{"a negative size", wireEntry{f: directory, more: field64(tagFileSize, -1)}, "negative"},
		{"the smallest size", wireEntry{f: good.f, more: field64(tagFileSize, math.MinInt64)}, "negative"},
		{"the largest size", wireEntry{f: good.f, more: field64(tagFileSize, math.MaxInt64)}, "blocks where its size"},
		{"a block too many", wireEntry{f: change(func(f *FileInfo) { f.Size = block.MinSize })}, "blocks where its size"},
		{"a block too few", wireEntry{f: change(func(f *FileInfo) { f.Size += block.MinSize })}, "blocks where its size"},
		{"a last block too short", wireEntry{f: change(func(f *FileInfo) { f.Blocks[1].Size-- })}, "block 1"},
		{"a negative block", wireEntry{f: change(func(f *FileInfo) { f.Blocks[1].Size = -5 })}, "block 1"},
		{"a first block too short", wireEntry{f: change(func(f *FileInfo) { f.Blocks[0].Size--; f.Size-- })}, "block 0"},
		{"a gap", wireEntry{f: change(func(f *FileInfo) { f.Blocks[1].Offset++ })}, "block 1"},
		{"a block size that is odd", wireEntry{f: change(func(f *FileInfo) { f.BlockSize++ })}, "power of two"},
		{"a block size over 16 MiB", wireEntry{f: change(func(f *FileInfo) { f.BlockSize = 32 << 20 })}, "power of two"},
		{"a negative block size", wireEntry{f: change(func(f *FileInfo) { f.BlockSize = -1 })}, "negative"},
		{"a block without a hash", wireEntry{f: good.f, more: appendBytes(nil, tagFileBlocks, []byte{0x10, 1})}, "0 bytes, not 32"},
		{"a short hash", wireEntry{f: good.f, more: appendBytes(nil, tagFileBlocks, []byte{0x1a, 1, 1})}, "1 bytes, not 32"},
		{"nanoseconds of a second", wireEntry{f: change(func(f *FileInfo) { f.ModifiedNs = 1e9 })}, "nanoseconds"},
		{"negative nanoseconds", wireEntry{f: change(func(f *FileInfo) { f.ModifiedNs = -1 })}, "nanoseconds"},
		{"a negative sequence", wireEntry{f: change(func(f *FileInfo) { f.Sequence = -1 })}, "sequence"},
		{"counters out of order", badVector(vector.Counter{ID: 2, Value: 1}, vector.Counter{ID: 1, Value: 1}), "ascending"},
		{"a counter twice", badVector(vector.Counter{ID: 2, Value: 1}, vector.Counter{ID: 2, Value: 1}), "ascending"},
		{"too many counters", badVector(many...), "more than 128"},
		{"a counter too large", badVector(vector.Counter{ID: 2, Value: vector.MaxValue + 1}), "limit"},
		{"a version that is no protobuf", wireEntry{f: good.f, more: appendBytes(nil, tagFileVersion, []byte{0xff})}, "broken"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := nextIndex(t, AppendFileInfo(nil, &sampleFiles()[1]), tt.entry.bytes())
			if fault.KindOf(err) != fault.Peer {
				t.Fatalf("error %v of kind %v, want of kind peer", err, fault.KindOf(err))
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %q, want it to hold %q", err, tt.want)
			}
		})
	}
}

func TestAnEntryThatIsNotSupportedIsLeftOutAlone(t *testing.T) {
	sealedBlock := append([]byte{0x1a, 48}, make([]byte, 48)...)
	tests := []struct {
		name  string
		entry wireEntry
		want  error
	}{
		{"a name in normal form D", wireEntry{name: "u\u0308", f: sampleFile()}, relpath.ErrRefused},
		{"a name with a NUL", wireEntry{name: "a\x00b", f: sampleFile()}, relpath.ErrRefused},
		{"a name that is not UTF-8", wireEntry{name: "a\xff", f: sampleFile()}, relpath.ErrRefused},
		{"a name too long", wireEntry{name: strings.Repeat("a", 256), f: sampleFile()}, relpath.ErrRefused},
		{"the marker", wireEntry{name: ".stfolder/x", f: sampleFile()}, ErrInternal},
		{"a temporary file", wireEntry{name: "a/.syncthing.b.tmp", f: sampleFile()}, ErrInternal},
		{"a sealed entry", wireEntry{f: change(func(f *FileInfo) { f.Encrypted = []byte{1} })}, ErrSealed},
		{
			"a sealed block",
			wireEntry{f: FileInfo{Name: relpath.MustParse("s")}, more: appendBytes(nil, tagFileBlocks, sealedBlock)},
			ErrSealed,
		},
		{"an unknown type", wireEntry{f: FileInfo{Name: relpath.MustParse("t"), Type: 5}}, ErrType},
		{
			"a target too long",
			wireEntry{f: FileInfo{Name: relpath.MustParse("l"), Type: TypeSymlink, SymlinkTarget: strings.Repeat("x", 4097)}},
			ErrTarget,
		},
	}
	before, after := sampleFiles()[1], sampleFiles()[2]
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := nextIndex(t, AppendFileInfo(nil, &before), tt.entry.bytes(), AppendFileInfo(nil, &after))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]FileInfo{before, after}, m.Files, paths); diff != "" {
				t.Errorf("the other entries (-want +got):\n%s", diff)
			}
			name := tt.entry.name
			if name == "" {
				name = tt.entry.f.Name.String()
			}
			if len(m.Refused) != 1 || m.Refused[0].Name != name || !errors.Is(m.Refused[0].Reason, tt.want) {
				t.Errorf("Refused = %v, want %q because %v", m.Refused, name, tt.want)
			}
		})
	}
}

func TestWhatOlderProgramsSendIsBroughtIntoForm(t *testing.T) {
	name := relpath.MustParse("x")
	hole := block.Info{Hash: block.EmptyHash}
	tests := []struct {
		name       string
		sent, want FileInfo
	}{
		{
			"a directory of size 128",
			FileInfo{Name: name, Type: TypeDirectory, Size: 128},
			FileInfo{Name: name, Type: TypeDirectory},
		},
		{
			"a symlink with a size",
			FileInfo{Name: name, Type: TypeSymlink, Size: 7},
			FileInfo{Name: name, Type: TypeSymlink},
		},
		{"a symlink to a file", FileInfo{Name: name, Type: 2}, FileInfo{Name: name, Type: TypeSymlink}},
		{"a symlink to a directory", FileInfo{Name: name, Type: 3}, FileInfo{Name: name, Type: TypeSymlink}},
		{
			"a deleted file with a size",
			FileInfo{Name: name, Deleted: true, Size: 7, BlockSize: 3},
			FileInfo{Name: name, Deleted: true},
		},
		{
			"no block size",
			FileInfo{Name: name, Blocks: []block.Info{hole}},
			FileInfo{Name: name, Blocks: []block.Info{hole}, BlockSize: block.MinSize},
		},
		{
			"a small block size",
			FileInfo{Name: name, Blocks: []block.Info{hole}, BlockSize: 1},
			FileInfo{Name: name, Blocks: []block.Info{hole}, BlockSize: block.MinSize},
		},
		{
			"an invalid file without blocks",
			FileInfo{Name: name, Invalid: true, Size: 9, BlockSize: block.MinSize},
			FileInfo{Name: name, Invalid: true, Size: 9},
		},
		{
			"an invalid file whose blocks do not fit",
			FileInfo{Name: name, Invalid: true, Size: 9, Blocks: []block.Info{hole}},
			FileInfo{Name: name, Invalid: true, Size: 9},
		},
		{
			"permissions beyond nine bits",
			FileInfo{Name: name, Type: TypeDirectory, Permissions: 0o100755},
			FileInfo{Name: name, Type: TypeDirectory, Permissions: 0o755},
		},
		{
			"a counter of zero",
			FileInfo{Name: name, Deleted: true, Version: vector.Vector{{ID: 1}, {ID: 2, Value: 3}}},
			FileInfo{Name: name, Deleted: true, Version: vector.Vector{{ID: 2, Value: 3}}},
		},
		{
			"a hash over blocks of a strange length",
			FileInfo{Name: name, Deleted: true, BlocksHash: []byte{1}},
			FileInfo{Name: name, Deleted: true},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := UnmarshalFileInfo(MarshalFileInfo(&tt.sent))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, paths); diff != "" {
				t.Errorf("decoded (-want +got):\n%s", diff)
			}
		})
	}
}

func TestANameStandsInAMessageOnce(t *testing.T) {
	one := MarshalFileInfo(&sampleFiles()[1])
	if _, err := nextIndex(t, one, one); fault.KindOf(err) != fault.Peer || !strings.Contains(err.Error(), `"empty"`) {
		t.Errorf("error %v, want one of kind peer that names the entry", err)
	}
}

func TestAnIndexHoldsAtMost20000Entries(t *testing.T) {
	entries := make([][]byte, maxIndexEntries+1)
	for i := range entries {
		entries[i] = MarshalFileInfo(&FileInfo{Name: relpath.MustParse(fmt.Sprint(i)), Deleted: true})
	}
	if m, err := nextIndex(t, entries[1:]...); err != nil || len(m.Files) != maxIndexEntries {
		t.Errorf("20,000 entries: %v", err)
	}
	if _, err := nextIndex(t, entries...); fault.KindOf(err) != fault.Peer {
		t.Errorf("20,001 entries: error %v, want of kind peer", err)
	}
}

func TestTheErrorAboutANameIsSafeToShow(t *testing.T) {
	entry := wireEntry{name: "../\x1b[31m\n" + strings.Repeat("é", 10_000), f: sampleFile()}
	_, err := nextIndex(t, entry.bytes())
	if err == nil {
		t.Fatal("no error")
	}
	text := err.Error()
	if len(text) > 300 || strings.ContainsAny(text, "\x1b\n") || strings.Contains(text, `\x`+"c3") {
		t.Errorf("error text %q", text)
	}
}

func TestBlocksThatAreNotThereTakeNoMemory(t *testing.T) {
	// Each claims to be a block and has no room for a hash.
	entry := bytes.Repeat(appendBytes(nil, tagFileBlocks, []byte{0x10, 1}), 1<<20)
	b := frame("\x08\x01", indexOf(entry))
	var err error
	if n := allocatedBy(func() { _, err = next(b) }); err == nil || n > 4*uint64(len(b)) {
		t.Errorf("a message of %d bytes allocated %d (error %v)", len(b), n, err)
	}
}

func TestTheErrorOfUnmarshalLeavesTheKindToTheCaller(t *testing.T) {
	_, err := UnmarshalFileInfo(wireEntry{name: "a\x00", f: sampleFile()}.bytes())
	if fault.KindOf(err) != fault.Unknown || !errors.Is(err, relpath.ErrRefused) {
		t.Errorf("error %v of kind %v, want none and the reason", err, fault.KindOf(err))
	}
	if _, err := UnmarshalFileInfo([]byte{0xff}); !errors.Is(err, errMalformed) {
		t.Errorf("error %v, want that the form is broken", err)
	}
}

func TestADecodedIndexKeepsNothingOfItsBytes(t *testing.T) {
	b := mustFrame(t, &Index{Folder: "f", Files: sampleFiles()}, CompressNever)
	r := NewReader(bytes.NewReader(append(bytes.Clone(b), mustFrame(t, &Close{Reason: strings.Repeat("x", 2000)}, CompressNever)...)), ReaderOptions{})
	m, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); err != nil { // writes over the scratch memory
		t.Fatal(err)
	}
	if diff := cmp.Diff(sampleFiles(), m.(*Index).Files, paths); diff != "" {
		t.Errorf("after the next message (-want +got):\n%s", diff)
	}
}

func TestSumsThatDoNotFitTheBlocksAreLeftOut(t *testing.T) {
	for _, n := range []int{1, 7, 8, 15, 24} {
		e := sampleFile() // of two blocks
		m, err := nextIndex(t, wireEntry{f: e, more: appendBytes(nil, tagFileSums, make([]byte, n))}.bytes())
		if err != nil {
			t.Errorf("%d bytes of sums: %v", n, err)
			continue
		}
		if diff := cmp.Diff([]FileInfo{e}, m.Files, paths); diff != "" {
			t.Errorf("%d bytes of sums (-want +got):\n%s", n, diff)
		}
	}
}

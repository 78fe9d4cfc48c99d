package bep

import (
	"bytes"
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lanyard/sync/block"
	"lanyard/sync/device"
	"lanyard/sync/relpath"
	"lanyard/sync/vector"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// paths lets cmp compare relpath.Path, whose field is its own.
var paths = cmp.Comparer(func(a, b relpath.Path) bool { return a == b })

func mustFrame(t testing.TB, m Message, c Compression) []byte {
	t.Helper()
	b, err := AppendMessage(nil, m, c)
	if err != nil {
		t.Fatalf("AppendMessage(%T): %v", m, err)
	}
	return b
}

func mustNext(t testing.TB, frame []byte) Message {
	t.Helper()
	m, err := NewReader(bytes.NewReader(frame), ReaderOptions{Extensions: true}).Next()
	if err != nil {
		t.Fatalf("Next on %x: %v", frame[:min(len(frame), 64)], err)
	}
	return m
}

func TestZeroValuesAreLeftOutOnTheWire(t *testing.T) {
	tests := []struct {
		name string
		m    Message
		want string
	}{
		{"an empty ClusterConfig is six zero bytes", &ClusterConfig{}, "000000000000"},
		{"a secondary ClusterConfig has no header fields", &ClusterConfig{Secondary: true}, "0000000000021001"},
		{"a Ping has a type and no body", &Ping{}, "0002080600000000"},
		{"a Close without a reason has no body", &Close{}, "0002080700000000"},
		{
			"the first Request has no id field",
			&Request{Folder: "f", Name: relpath.MustParse("a"), Size: 5},
			"0002080300000008" + "120166" + "1a0161" + "2805",
		},
		{"the Response to it has no id field", &Response{Data: []byte("hi")}, "0002080400000004" + "12026869"},
		{"a Response without data has only its code", &Response{ID: 7, Code: CodeNoSuchFile}, "0002080400000004" + "08071802"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := mustFrame(t, tt.m, CompressMetadata)
			if hex.EncodeToString(got) != tt.want {
				t.Errorf("frame = %x, want %s", got, tt.want)
			}
			if diff := cmp.Diff(tt.m, mustNext(t, got), paths); diff != "" {
				t.Errorf("read back (-want +got):\n%s", diff)
			}
		})
	}
}

// sampleFile has every field that a file can have.
func sampleFile() FileInfo {
	hash := func(b byte) (h block.Hash) { h[0], h[31] = b, b; return h }
	return FileInfo{
		Name:        relpath.MustParse("docs/Übersicht.txt"),
		Size:        block.MinSize + 5,
		Permissions: 0o644,
		ModifiedS:   1_770_000_000, ModifiedNs: 123_456_789,
		Version:    vector.Vector{{ID: 3, Value: 1_770_000_000}, {ID: 1 << 63, Value: 9}},
		Sequence:   42,
		ModifiedBy: 1 << 63,
		BlockSize:  block.MinSize,
		Blocks: []block.Info{
			{Offset: 0, Size: block.MinSize, Hash: hash(1)},
			{Offset: block.MinSize, Size: 5, Hash: hash(2)},
		},
		BlocksHash:         bytes.Repeat([]byte{7}, 32),
		PreviousBlocksHash: bytes.Repeat([]byte{8}, 32),
		Platform:           []byte{0x0a, 0x04, 0x0a, 0x02, 'm', 'e'},
	}
}

// summedFile is sampleFile with the sums of its blocks, which Lanyards tell
// each other.
func summedFile() FileInfo {
	f := sampleFile()
	f.Sums = []block.Sum{0x0102030405060708, 0}
	return f
}

// sampleFiles has one entry of every kind.
func sampleFiles() []FileInfo {
	return []FileInfo{
		sampleFile(),
		{
			Name: relpath.MustParse("empty"), BlockSize: block.MinSize, Sequence: 43,
			Blocks: []block.Info{{Hash: block.EmptyHash}}, Version: vector.Vector{{ID: 3, Value: 1}},
		},
		{Name: relpath.MustParse("docs"), Type: TypeDirectory, Permissions: 0o755, ModifiedS: -1, Sequence: 44},
		{Name: relpath.MustParse("link"), Type: TypeSymlink, SymlinkTarget: "../\xff", NoPermissions: true, Sequence: 45},
		{Name: relpath.MustParse("gone"), Deleted: true, Sequence: 46},
		{Name: relpath.MustParse("ignored"), Invalid: true, Size: 3, Sequence: 47},
	}
}

func sampleMessages() map[string]Message {
	id := device.ID{1, 2, 3}
	return map[string]Message{
		"cluster_config": &ClusterConfig{Folders: []Folder{{
			ID: "abcde-fghij", Label: "Photos", Type: ReceiveOnly, Stopped: true,
			Devices: []Device{
				{
					ID: id, Name: "laptop", Addresses: []string{"dynamic", ""}, Compression: 1, CertName: "c",
					MaxSequence: 9, Introducer: true, IndexID: 1 << 63, SkipIntroductionRemovals: true,
					PasswordToken: []byte{1, 0},
				},
				{},
			},
		}}},
		"index":        &Index{Folder: "f", Files: sampleFiles(), LastSequence: 47},
		"index_sums":   &Index{Folder: "f", Files: []FileInfo{summedFile()}, Update: true, LastSequence: 42, PrevSequence: 41},
		"index_update": &Index{Folder: "f", Files: sampleFiles()[:1], Update: true, LastSequence: 42, PrevSequence: 41},
		"request": &Request{
			ID: -1, Folder: "f", Name: relpath.MustParse("a/b"), Offset: 1 << 40, Size: MaxRequestSize,
			Hash: bytes.Repeat([]byte{1}, 32), FromTemporary: true, BlockNo: 3,
		},
		"response": &Response{ID: 1 << 30, Data: []byte("data"), Code: CodeGeneric},
		"download_progress": &DownloadProgress{Folder: "f", Updates: []ProgressUpdate{
			{Name: "a", Version: vector.Vector{{ID: 1, Value: 2}}, BlockIndexes: []int32{0, 1, 300}, BlockSize: block.MinSize},
			{Name: "b", Forget: true},
		}},
		"close":     &Close{Reason: "replacing connection"},
		"extension": &Extension{Type: 67, Body: []byte{8, 1}},
	}
}

func TestMessagesKeepTheirGoldenBytes(t *testing.T) {
	for name, m := range sampleMessages() {
		t.Run(name, func(t *testing.T) {
			got := mustFrame(t, m, CompressNever)
			file := filepath.Join("testdata", "golden", name+".hex")
			if *update {
				writeGolden(t, file, got)
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatalf("%v (run with -update to make it)", err)
			}
			want, err := hex.DecodeString(string(bytes.Join(bytes.Fields(text), nil)))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("frame of %s =\n%x, want\n%x", name, got, want)
			}
			if diff := cmp.Diff(m, mustNext(t, want), paths); diff != "" {
				t.Errorf("%s read back (-want +got):\n%s", name, diff)
			}
		})
	}
}

// writeGolden writes bytes as lines of hexadecimal, for diffs that say where.
func writeGolden(t *testing.T, file string, b []byte) {
	t.Helper()
	var text bytes.Buffer
	for line := range slices.Chunk(b, 32) {
		text.WriteString(hex.EncodeToString(line) + "\n")
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

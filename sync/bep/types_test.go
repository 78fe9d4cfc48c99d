package bep

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"lanyard/sync/block"
)

func TestAModificationTimeSurvivesNanoseconds(t *testing.T) {
	// The outermost two seconds on each side are held to the ends of int64.
	const most = math.MaxInt64 - 2*int64(time.Second)
	rapid.Check(t, func(t *rapid.T) {
		ns := rapid.Int64Range(-most, most).Draw(t, "ns")
		var f FileInfo
		f.SetModUnixNano(ns)
		if f.ModifiedNs < 0 || f.ModifiedNs > 999_999_999 {
			t.Fatalf("nanoseconds %d are not within a second", f.ModifiedNs)
		}
		if got := f.ModUnixNano(); got != ns {
			t.Fatalf("%d came back as %d", ns, got)
		}
		if !f.ModTime().Equal(time.Unix(0, ns)) {
			t.Fatalf("%d is the time %v, want %v", ns, f.ModTime(), time.Unix(0, ns))
		}
	})
}

func TestATimeBeyondNanosecondsIsHeldToTheirRange(t *testing.T) {
	if got := (&FileInfo{ModifiedS: math.MaxInt64, ModifiedNs: 5}).ModUnixNano(); got != math.MaxInt64 {
		t.Errorf("the latest time is %d", got)
	}
	if got := (&FileInfo{ModifiedS: math.MinInt64, ModifiedNs: 5}).ModUnixNano(); got != math.MinInt64 {
		t.Errorf("the earliest time is %d", got)
	}
}

func TestSameContent(t *testing.T) {
	one, other := sampleFile(), change(func(f *FileInfo) { f.Blocks[0].Hash = block.Hash{9} })
	touched := change(func(f *FileInfo) { f.ModifiedS, f.Permissions, f.Version = 1, 0o600, nil })
	link := func(target string) FileInfo { return FileInfo{Type: TypeSymlink, SymlinkTarget: target} }
	tests := []struct {
		name string
		a, b FileInfo
		want bool
	}{
		{"the same blocks", one, one, true},
		{"only touched", one, touched, true},
		{"another block", one, other, false},
		{"another size", one, change(func(f *FileInfo) { f.Size++ }), false},
		{"a file and a directory", one, FileInfo{Type: TypeDirectory}, false},
		{"a file and its deletion", one, FileInfo{Deleted: true}, false},
		{"two deletions", FileInfo{Deleted: true, Size: 1}, FileInfo{Deleted: true}, true},
		{"two directories", FileInfo{Type: TypeDirectory}, FileInfo{Type: TypeDirectory, Permissions: 7}, true},
		{"links to one place", link("a"), link("a"), true},
		{"links to two places", link("a"), link("b"), false},
	}
	for _, tt := range tests {
		if got := tt.a.SameContent(&tt.b); got != tt.want || tt.b.SameContent(&tt.a) != got {
			t.Errorf("%s: SameContent = %v, want %v both ways", tt.name, got, tt.want)
		}
	}
}

func TestWhatIsDeletedIsNoneOfTheKinds(t *testing.T) {
	for _, kind := range []FileType{TypeFile, TypeDirectory, TypeSymlink} {
		there, gone := FileInfo{Type: kind}, FileInfo{Type: kind, Deleted: true}
		got := [3]bool{there.IsFile(), there.IsDirectory(), there.IsSymlink()}
		if want := [3]bool{kind == TypeFile, kind == TypeDirectory, kind == TypeSymlink}; got != want {
			t.Errorf("type %d is file, directory, link: %v, want %v", kind, got, want)
		}
		if gone.IsFile() || gone.IsDirectory() || gone.IsSymlink() {
			t.Errorf("a deleted entry of type %d counts as there", kind)
		}
	}
}

func TestMessageTypesHaveNames(t *testing.T) {
	tests := map[MessageType]string{
		TypeClusterConfig: "ClusterConfig", TypeClose: "Close", TypeExtensionFirst: "Extension",
		TypeExtensionLast: "Extension", 8: "unknown message", -1: "unknown message",
	}
	for kind, want := range tests {
		if got := kind.String(); got != want {
			t.Errorf("type %d is called %q, want %q", kind, got, want)
		}
	}
}

package relpath

import (
	"errors"
	"path"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func TestParse(t *testing.T) {
	long := strings.Repeat("x", MaxComponent)
	tests := []struct {
		name, in string
		want     error
	}{
		{"a name", "a", nil},
		{"a nested name", "a/b c/d.txt", nil},
		{"dots inside", "..a/b../...", nil},
		{"a backslash is a letter", `a\b`, nil},
		{"normal form C", "\u00fcber", nil},
		{"the longest component", long, nil},
		{"the deepest", strings.Repeat("a/", MaxDepth-1) + "a", nil},
		{"empty", "", ErrNotCanonical},
		{"absolute", "/a", ErrNotCanonical},
		{"an empty component", "a//b", ErrNotCanonical},
		{"a slash at the end", "a/", ErrNotCanonical},
		{"a dot", ".", ErrNotCanonical},
		{"a dot inside", "a/./b", ErrNotCanonical},
		{"the parent", "..", ErrNotCanonical},
		{"a parent inside", "a/../b", ErrNotCanonical},
		{"a parent at the end", "a/..", ErrNotCanonical},
		{"a NUL", "a\x00b", ErrRefused},
		{"no UTF-8", "a\xff", ErrRefused},
		{"normal form D", "u\u0308ber", ErrRefused},
		{"a component too long", long + "x", ErrRefused},
		{"too long in all", strings.Repeat(long+"/", 16) + "x", ErrRefused},
		{"too deep", strings.Repeat("a/", MaxDepth) + "a", ErrRefused},
	}
	for _, tt := range tests {
		p, err := Parse(tt.in)
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: Parse(%.20q) error %v, want %v", tt.name, tt.in, err, tt.want)
		}
		if err == nil && p.String() != tt.in {
			t.Errorf("%s: Parse(%q) = %q", tt.name, tt.in, p)
		}
	}
}

func FuzzParseTakesOnlyCanonicalNames(f *testing.F) {
	for _, s := range []string{"", "a", "a/b", "../a", "a//b", "u\u0308", "\xff", "a\x00", ".stfolder"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := Parse(s)
		if err != nil {
			if !errors.Is(err, ErrNotCanonical) && !errors.Is(err, ErrRefused) {
				t.Fatalf("Parse(%q): %v is of no kind", s, err)
			}
			return
		}
		if path.Clean(s) != s || path.IsAbs(s) || s == "." || s == ".." || strings.HasPrefix(s, "../") {
			t.Fatalf("Parse took %q, which is not canonical", s)
		}
		if !utf8.ValidString(s) || !norm.NFC.IsNormalString(s) || strings.Contains(s, "\x00") {
			t.Fatalf("Parse took %q", s)
		}
		back, err := p.Dir().Join(p.Base())
		if err != nil || back != p {
			t.Fatalf("%q split and joined is %q, %v", p, back, err)
		}
		if !p.Under(p.Dir()) || p.Depth() != strings.Count(s, "/")+1 {
			t.Fatalf("%q: under its parent %v, depth %d", p, p.Under(p.Dir()), p.Depth())
		}
	})
}

func TestParts(t *testing.T) {
	p := MustParse("a/b/c")
	if p.Base() != "c" || p.Dir().String() != "a/b" || p.Depth() != 3 {
		t.Errorf("base %q, dir %q, depth %d", p.Base(), p.Dir(), p.Depth())
	}
	if top := MustParse("a"); !top.Dir().IsRoot() || top.Depth() != 1 {
		t.Errorf("the parent of a top name is %q", top.Dir())
	}
	if !Root.IsRoot() || Root.Dir() != Root || Root.Base() != "" || Root.Depth() != 0 {
		t.Errorf("the root is not its own parent")
	}
	for _, base := range []string{"", ".", "..", "a/b", "a\x00"} {
		if _, err := p.Join(base); err == nil {
			t.Errorf("Join(%q) is no error", base)
		}
	}
}

func TestUnder(t *testing.T) {
	tests := []struct {
		p, dir string
		want   bool
	}{
		{"a", "", true},
		{"", "", true},
		{"a", "a", true},
		{"a/b", "a", true},
		{"a/b/c", "a", true},
		{"ab", "a", false},
		{"a-b", "a", false},
		{"a", "a/b", false},
		{"", "a", false},
	}
	parse := func(s string) Path {
		if s == "" {
			return Root
		}
		return MustParse(s)
	}
	for _, tt := range tests {
		if got := parse(tt.p).Under(parse(tt.dir)); got != tt.want {
			t.Errorf("%q under %q: %v, want %v", tt.p, tt.dir, got, tt.want)
		}
	}
}

func TestCompareSortsByBytesNotByTree(t *testing.T) {
	var paths []Path
	for _, s := range []string{"a/x", "b", "a.txt", "a", "a-b", "B"} {
		paths = append(paths, MustParse(s))
	}
	slices.SortFunc(paths, Path.Compare)
	var got []string
	for _, p := range paths {
		got = append(got, p.String())
	}
	if want := "B a a-b a.txt a/x b"; strings.Join(got, " ") != want {
		t.Errorf("order %v, want %s", got, want)
	}
}

func TestInternalNames(t *testing.T) {
	tests := []struct {
		name string
		want bool
	}{
		{".stfolder", true},
		{".stfolder/x", true},
		{".stignore", true},
		{".stversions/a/b", true},
		{"a/.stfolder", false},
		{"a/.stignore", false},
		{".stfolder2", false},
		{".syncthing.x.tmp", true},
		{"a/.syncthing.x.tmp", true},
		{"a/~syncthing~x.tmp/b", true},
		{"a.syncthing.x.tmp", false},
		{"syncthing", false},
	}
	for _, tt := range tests {
		if got := MustParse(tt.name).Internal(); got != tt.want {
			t.Errorf("%q: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestNormalGivesFormC(t *testing.T) {
	if got := Normal("u\u0308"); got != "\u00fc" {
		t.Errorf("got %q", got)
	}
}

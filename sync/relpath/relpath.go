// Package relpath holds the name of something inside a folder.
//
// A Path is slash-separated, relative, canonical UTF-8 in normal form C, with
// the limits of the limits table in docs/extensions.md. It is made only by
// Parse and by joining, so whoever holds one need not check it again. The
// zero Path is the folder's root.
package relpath

import (
	"errors"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Limits on a name (BEP has none; Linux file systems have the first).
const (
	MaxComponent = 255  // bytes
	MaxTotal     = 4096 // bytes
	MaxDepth     = 1024 // components
)

// ErrNotCanonical is wrapped by every error about a name that no correct peer
// sends: empty, absolute, or not what path.Clean gives (BEP section 4.6).
var ErrNotCanonical = errors.New("name is not canonical")

// ErrRefused is wrapped by every error about a canonical name that this
// program does not handle: not UTF-8, NUL, not in normal form C, too long.
var ErrRefused = errors.New("name is not supported")

// Path is a name inside a folder. Paths are comparable; the zero Path is the
// root.
type Path struct{ s string }

// Root is the folder itself.
var Root = Path{}

// Parse checks s and makes it a Path. The root has no text form: Parse("")
// is an error.
func Parse(s string) (Path, error) {
	if err := check(s); err != nil {
		return Path{}, err
	}
	return Path{s}, nil
}

// MustParse is Parse for constants in tests and tables; it panics on error.
func MustParse(s string) Path {
	p, err := Parse(s)
	if err != nil {
		panic("relpath: " + s + ": " + err.Error())
	}
	return p
}

// parseError says which rule a name breaks.
type parseError struct {
	kind error
	text string
}

func (e *parseError) Error() string { return e.text }
func (e *parseError) Unwrap() error { return e.kind }

func check(s string) error {
	if s == "" {
		return &parseError{ErrNotCanonical, "name is empty"}
	}
	if s[0] == '/' {
		return &parseError{ErrNotCanonical, "name is absolute"}
	}
	depth, start, ascii := 0, 0, true
	for i := 0; i <= len(s); i++ {
		if i < len(s) && s[i] != '/' {
			if s[i] >= utf8.RuneSelf {
				ascii = false
			}
			if s[i] == 0 {
				return &parseError{ErrRefused, "name holds a NUL"}
			}
			continue
		}
		switch c := s[start:i]; {
		case c == "":
			return &parseError{ErrNotCanonical, "name has an empty component"}
		case c == "." || c == "..":
			return &parseError{ErrNotCanonical, "name has a dot component"}
		case len(c) > MaxComponent:
			return &parseError{ErrRefused, "a component is longer than 255 bytes"}
		}
		depth++
		start = i + 1
	}
	switch {
	case len(s) > MaxTotal:
		return &parseError{ErrRefused, "name is longer than 4096 bytes"}
	case depth > MaxDepth:
		return &parseError{ErrRefused, "name is nested deeper than 1024"}
	case ascii:
		return nil
	case !utf8.ValidString(s):
		return &parseError{ErrRefused, "name is not UTF-8"}
	case !norm.NFC.IsNormalString(s):
		return &parseError{ErrRefused, "name is not in normal form C"}
	}
	return nil
}

// Normal gives s in normal form C, as names travel (BEP section 5.9).
func Normal(s string) string { return norm.NFC.String(s) }

// String gives the slash-separated text, "" for the root.
func (p Path) String() string { return p.s }

// IsRoot reports whether p is the folder itself.
func (p Path) IsRoot() bool { return p.s == "" }

// Base gives the last component, "" for the root.
func (p Path) Base() string { return p.s[strings.LastIndexByte(p.s, '/')+1:] }

// Dir gives the parent; the root is its own parent.
func (p Path) Dir() Path {
	i := strings.LastIndexByte(p.s, '/')
	if i < 0 {
		return Root
	}
	return Path{p.s[:i]}
}

// Join adds one component.
func (p Path) Join(base string) (Path, error) {
	if strings.IndexByte(base, '/') >= 0 {
		return Path{}, &parseError{ErrNotCanonical, "component holds a slash"}
	}
	s := base
	if p.s != "" {
		s = p.s + "/" + base
	}
	return Parse(s)
}

// Depth counts the components: 0 for the root.
func (p Path) Depth() int {
	if p.s == "" {
		return 0
	}
	return strings.Count(p.s, "/") + 1
}

// Under reports whether p is dir or lies below it. Everything is under the
// root.
func (p Path) Under(dir Path) bool {
	if dir.s == "" || p == dir {
		return true
	}
	return len(p.s) > len(dir.s) && p.s[len(dir.s)] == '/' && strings.HasPrefix(p.s, dir.s)
}

// Compare orders by the bytes of the text, as the index does.
func (p Path) Compare(q Path) int { return strings.Compare(p.s, q.s) }

// Names that stay on one device (BEP section 5.10).
const (
	MarkerName   = ".stfolder"
	IgnoreName   = ".stignore"
	VersionsName = ".stversions"
	TempPrefix   = ".syncthing."
	TempPrefixW  = "~syncthing~"
	TempSuffix   = ".tmp"
)

// Internal reports whether p is the engine's own or another Syncthing's own:
// marker, ignore file or version store at the root, with what is below, or a
// name with a temporary component (BEP section 5.10). Such names are never
// synced.
func (p Path) Internal() bool {
	first, rest, _ := strings.Cut(p.s, "/")
	if first == MarkerName || first == IgnoreName || first == VersionsName {
		return true
	}
	for c := first; ; {
		if TempBase(c) {
			return true
		}
		if rest == "" {
			return false
		}
		c, rest, _ = strings.Cut(rest, "/")
	}
}

// TempBase reports whether a component is the name of a temporary file.
func TempBase(c string) bool {
	return strings.HasPrefix(c, TempPrefix) || strings.HasPrefix(c, TempPrefixW)
}

// Printable makes a name that is no Path fit for showing: bytes that are no
// text become the replacement character, and it is cut to what a Path may
// hold.
func Printable(s string) string {
	s = norm.NFC.String(strings.ToValidUTF8(s, "\uFFFD"))
	s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	if len(s) > MaxComponent {
		s = strings.ToValidUTF8(s[:MaxComponent], "")
	}
	return s
}

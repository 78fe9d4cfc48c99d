// Package conflict makes and recognises the names of conflict copies.
//
// Where two devices changed a file without knowing of each other, one version
// wins the name and the other is kept beside it, as a conflict copy:
//
//	plan.txt  →  plan.sync-conflict-20261121-013104-ABCDEFG.txt
//
// The time is the modification time of the version that lost, in UTC; the
// seven letters are the short ID of the device whose version won. Nothing else
// enters the name, so every device that keeps one loser makes one name.
// Syncthing writes the same form (with its local time of day) and is
// recognised as it is.
package conflict

import (
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"lanyard/sync/device"
	"lanyard/sync/relpath"
)

const (
	mark      = ".sync-conflict-"
	timeForm  = "20060102-150405"
	idLetters = 7
	// maxCutExt is the longest extension, in bytes, that survives in a name
	// that must be cut. What stays of the stem is then always longer than any
	// device name that Windows reserves (CON, LPT1), so that cutting never
	// makes a name that another platform refuses.
	maxCutExt = 64
)

// Make gives the name of the conflict copy of the file called name: the
// version that lost was last modified at losingModTime, and winner made the
// one that won. n numbers the copies when that name is taken by other
// content: 0 and 1 add nothing, 2 adds "-2" and so on.
//
// The result stands in the same directory, differs from name, and is legal on
// every platform on which name is; its last component has at most 255 bytes
// (the stem is cut at a character). The copy of a conflict copy is named after
// the original, so names do not grow. Years outside 0 to 9999 become the
// nearest representable instant. The only errors are a root name and a path
// that would grow longer than relpath allows.
func Make(name relpath.Path, losingModTime time.Time, winner device.ShortID, n int) (relpath.Path, error) {
	if name.IsRoot() {
		return relpath.Path{}, fmt.Errorf("name conflict copy: the folder itself has none")
	}
	if c, ok := Parse(name); ok {
		name = c.Original
	}
	suffix := mark + clamp(losingModTime.UTC()).Format(timeForm) + "-" + winner.String()
	if n > 1 {
		suffix += "-" + strconv.Itoa(n)
	}
	copied, err := name.Dir().Join(insert(name.Base(), suffix))
	if err != nil {
		return relpath.Path{}, fmt.Errorf("name conflict copy of %s: %w", name, err)
	}
	return copied, nil
}

// clamp brings t into the years that four digits can show.
func clamp(t time.Time) time.Time {
	switch year := t.Year(); {
	case year < 0:
		return time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)
	case year > 9999:
		return time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	}
	return t
}

// insert puts suffix before the extension of base, and cuts the stem to keep
// the whole within the limit.
func insert(base, suffix string) string {
	stem, ext := split(base)
	if len(base)+len(suffix) > relpath.MaxComponent && len(ext) > maxCutExt {
		stem, ext = base, ""
	}
	room := relpath.MaxComponent - len(suffix) - len(ext)
	return cut(stem, room) + suffix + ext
}

// split divides base at the last dot, as path.Ext does: the extension of
// ".profile" is ".profile". A dot at the very end starts no extension, because
// Windows refuses a name that ends so.
func split(base string) (stem, ext string) {
	ext = path.Ext(base)
	if ext == "." {
		ext = ""
	}
	return strings.TrimSuffix(base, ext), ext
}

// cut shortens s to at most n bytes, never within a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// Name is what the name of a conflict copy says.
type Name struct {
	// Original is the file that it is a copy of. Where the name had to be cut,
	// so is the original.
	Original relpath.Path
	// Time is the time in the name as it is written there, read as UTC; zero
	// where it is no valid date. Syncthing writes its local time.
	Time time.Time
	// Winner is the short ID of the device whose version won, empty in names
	// that old Syncthing versions wrote.
	Winner string
	// N is the number of the copy, 1 for the first.
	N int
}

// Is reports whether name is that of a conflict copy, and of which file.
func Is(name relpath.Path) (original relpath.Path, ok bool) {
	c, ok := Parse(name)
	return c.Original, ok
}

// Parse reads the name of a conflict copy; ok is false for any other name.
func Parse(name relpath.Path) (c Name, ok bool) {
	base := name.Base()
	for end := len(base); ; {
		i := strings.LastIndex(base[:end], mark)
		if i < 0 {
			return Name{}, false
		}
		c, ext, ok := parseTag(base[i+len(mark):])
		if ok {
			c.Original, ok = join(name.Dir(), base[:i]+ext)
			if ok {
				return c, true
			}
		}
		end = i + len(mark) - 1 // the last byte of mark is in no earlier one
	}
}

func join(dir relpath.Path, base string) (relpath.Path, bool) {
	p, err := dir.Join(base)
	return p, err == nil
}

// parseTag reads "20060102-150405[-ABCDEFG][-2][.ext]".
func parseTag(s string) (c Name, ext string, ok bool) {
	s, ext = split(s)
	if len(s) < len(timeForm) || !isTime(s[:len(timeForm)]) {
		return Name{}, "", false
	}
	c.N = 1
	if t, err := time.Parse(timeForm, s[:len(timeForm)]); err == nil {
		c.Time = t
	}
	s = s[len(timeForm):]
	if len(s) > idLetters && s[0] == '-' && isShortID(s[1:1+idLetters]) {
		c.Winner, s = s[1:1+idLetters], s[1+idLetters:]
	}
	if s == "" {
		return c, ext, true
	}
	n, err := strconv.Atoi(strings.TrimPrefix(s, "-"))
	if err != nil || n < 2 || s != "-"+strconv.Itoa(n) {
		return Name{}, "", false
	}
	c.N = n
	return c, ext, true
}

// isTime reports whether s has the shape "20060102-150405".
func isTime(s string) bool {
	for i := range len(timeForm) {
		if i == 8 {
			if s[i] != '-' {
				return false
			}
		} else if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func isShortID(s string) bool {
	for i := range len(s) {
		if (s[i] < 'A' || s[i] > 'Z') && (s[i] < '2' || s[i] > '7') {
			return false
		}
	}
	return true
}

// Beside gives a name for the n-th of several versions of a file that are kept
// as files of their own: "plan (2).txt". It is in the same directory, and no
// name of a conflict copy where name is none.
func Beside(name relpath.Path, n int) (relpath.Path, error) {
	p, err := name.Dir().Join(insert(name.Base(), " ("+strconv.Itoa(n)+")"))
	if err != nil {
		return relpath.Path{}, fmt.Errorf("name a version beside %s: %w", name, err)
	}
	return p, nil
}

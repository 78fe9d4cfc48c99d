package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"lanyard/sync/relpath"
)

const (
	tagMark = "~"
	tagForm = "20060102-150405"
	tagLen  = len(tagMark) + len(tagForm)
)

// tagged puts a tag before the extension of base. A base that is too long for
// that is cut and marked with a hash of the whole, so that no two files share
// names in the store.
func tagged(base, tag string) string {
	ext := path.Ext(base)
	stem := strings.TrimSuffix(base, ext)
	if len(base)+tagLen <= relpath.MaxComponent {
		return stem + tagMark + tag + ext
	}
	sum := sha256.Sum256([]byte(base))
	hash := "#" + hex.EncodeToString(sum[:8])
	if len(ext) > 64 {
		stem, ext = base, "" // no extension that anybody would miss
	}
	stem = cut(stem, relpath.MaxComponent-len(hash)-tagLen-len(ext))
	return stem + hash + tagMark + tag + ext
}

// around gives what stands before and after the tag in the names of a file's
// versions.
func around(base string) (before, after string) {
	blank := strings.Repeat("/", len(tagForm)) // in no name
	before, after, _ = strings.Cut(tagged(base, blank), blank)
	return before, after
}

// cut shortens s to at most n bytes, never within a character.
func cut(s string, n int) string {
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// untag takes the tag off the name of a version; ok is false where there is
// none.
func untag(name string, loc *time.Location) (base string, at time.Time, ok bool) {
	ext := path.Ext(name)
	stem := strings.TrimSuffix(name, ext)
	i := len(stem) - tagLen
	if i < 0 || stem[i:i+len(tagMark)] != tagMark {
		return "", time.Time{}, false
	}
	at, err := time.ParseInLocation(tagForm, stem[i+len(tagMark):], loc)
	if base = stem[:i] + ext; err != nil || base == "" {
		return "", time.Time{}, false
	}
	return base, at, true
}

package bep

import (
	"strings"
	"unicode"
)

// maxNameRunes is the most runes of a device name or folder label.
const maxNameRunes = 64

// CleanName makes a device name or folder label from a peer fit to show: valid
// UTF-8 of at most 64 runes on one line, without control characters and
// without marks that change the direction of text, with single spaces. It may
// give "". What it gives it leaves as it is when applied again.
func CleanName(s string) string {
	var out strings.Builder
	runes, space := 0, false
	for _, r := range s {
		if unicode.IsSpace(r) {
			space = out.Len() > 0
			continue
		}
		if unicode.IsControl(r) || isBidiControl(r) {
			continue
		}
		needed := 1
		if space {
			needed = 2
		}
		if runes+needed > maxNameRunes {
			break
		}
		if space {
			out.WriteByte(' ')
			space = false
		}
		out.WriteRune(r) // U+FFFD for a byte that is not UTF-8
		runes += needed
	}
	return out.String()
}

// isBidiControl reports whether r is invisible and turns the direction of the
// text around it.
func isBidiControl(r rune) bool { return unicode.Is(unicode.Bidi_Control, r) }

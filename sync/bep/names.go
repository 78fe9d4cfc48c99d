package bep

import (
	"strings"
	"unicode"
)

// maxNameRunes is the most runes of a device name or folder label.
const maxNameRunes = 64

// CleanName makes a device name or folder label from a peer fit to show: valid
// UTF-8 of at most 64 runes on one line, with single spaces, without control
// characters and without what cannot be seen: marks that change the direction of
// text, and those that make a name look like another one. The joiner of emoji
// stays. It may give "". What it gives it leaves as it is when applied again.
func CleanName(s string) string {
	var out strings.Builder
	runes, space := 0, false
	for _, r := range s {
		if unicode.IsSpace(r) {
			space = out.Len() > 0
			continue
		}
		if unicode.IsControl(r) || isUnseen(r) {
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

// joiner makes one emoji of several.
const joiner = '\u200d'

// isUnseen reports whether r stands for nothing that can be seen, or for
// nothing that everybody sees alike.
func isUnseen(r rune) bool {
	return r != joiner && unicode.In(r, unicode.Cf, unicode.Co, unicode.Other_Default_Ignorable_Code_Point)
}

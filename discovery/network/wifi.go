package network

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// clean makes text of a Wi-Fi's name, which may be any 32 bytes.
func clean(name []byte) string {
	if !utf8.Valid(name) {
		return ""
	}
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, string(name)))
}

package desktop

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Opened is what someone asked the window to show. It comes from outside, so
// that nothing is done with it before a person has seen what it says.
type Opened struct {
	Link string `json:"link,omitempty"` // a lanyard:// link, as plainLink has it
	Path string `json:"path,omitempty"` // a directory
	File string `json:"file,omitempty"` // the name of what was dropped, where that lies in the directory
	Page string `json:"page,omitempty"` // a place of the pages, as plainPage has it
}

// empty reports whether there is nothing but the window to show.
func (o Opened) empty() bool { return o == Opened{} }

const linkScheme = "lanyard:"

// longestLink is in bytes: an invitation with its addresses has under 250.
const longestLink = 512

// isLink reports whether an argument is meant as a link.
func isLink(s string) bool {
	return len(s) >= len(linkScheme) && strings.EqualFold(s[:len(linkScheme)], linkScheme)
}

// plainLink reports whether a link has the form of one of ours: short, and of
// visible ASCII alone. What it says is read by the engine.
func plainLink(s string) bool {
	if !isLink(s) || len(s) > longestLink {
		return false
	}
	for _, c := range []byte(s) {
		if c <= ' ' || c >= utf8.RuneSelf-1 || c == '"' || c == '\\' || c == '<' || c == '>' {
			return false
		}
	}
	return true
}

// plainPage reports whether a string has the form of a place of the pages: what
// stands behind the address of the page, short and of the signs of addresses
// alone. It leads somewhere and does nothing.
func plainPage(s string) bool {
	if !strings.HasPrefix(s, "#/") || len(s) > longestLink {
		return false
	}
	return strings.Trim(s[1:], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/%-_.~?=") == ""
}

func quoted(s string) string { return strconv.Quote(s) }

//go:build unix

package text

import (
	"cmp"
	"os"
	"strings"
)

// preferred lists the languages of the person, as gettext reads them from the
// environment: LANGUAGE counts only where messages are translated at all.
func preferred() []string {
	locale := cmp.Or(os.Getenv("LC_ALL"), os.Getenv("LC_MESSAGES"), os.Getenv("LANG"))
	if list := os.Getenv("LANGUAGE"); list != "" && locale != "" && locale != "C" && locale != "POSIX" {
		return append(strings.Split(list, ":"), locale)
	}
	return []string{locale}
}

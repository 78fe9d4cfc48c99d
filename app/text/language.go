package text

import "strings"

// Mine gives the catalogue in the language of the person at this computer, the
// English one where there is none in it.
func Mine() *Catalogue {
	c, err := Load(choose(preferred()))
	if err != nil {
		panic("text: embedded catalogue: " + err.Error()) // a test loads both
	}
	return c
}

// choose gives the first of the wanted languages that there is.
func choose(wanted []string) string {
	for _, w := range wanted {
		for _, there := range []string{"de", "en"} {
			if len(w) >= 2 && strings.EqualFold(w[:2], there) && !(len(w) > 2 && isLetter(w[2])) {
				return there
			}
		}
	}
	return "en"
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

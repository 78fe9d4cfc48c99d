package cli

import (
	"cmp"
	"os"
	"strings"

	"lanyard/app/text"
)

// words gives the sentences in the language of the person at the terminal, as
// the environment names it.
func (a *app) words() *text.Catalogue {
	language := "en"
	if strings.HasPrefix(cmp.Or(os.Getenv("LC_ALL"), os.Getenv("LC_MESSAGES"), os.Getenv("LANG")), "de") {
		language = "de"
	}
	c, err := text.Load(language)
	if err != nil {
		panic("cli: embedded catalogue: " + err.Error()) // a test loads both
	}
	return c
}

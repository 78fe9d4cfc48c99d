// Package text holds the sentences that people read about named conditions,
// one catalogue per language, keyed by fault.Code. The same files are imported
// by the frontend. A Catalogue is immutable and may be shared.
package text

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"lanyard/sync/fault"
)

//go:embed en.json
var english []byte

//go:embed de.json
var german []byte

// Severity decides the icon and the place of a condition, nothing else.
type Severity string

// The severities, from "goes away by itself" to "does not go on".
const (
	Wait Severity = "wait"
	Some Severity = "some"
	Ask  Severity = "ask"
	Stop Severity = "stop"
)

// Scope is what a condition is about.
type Scope string

// The scopes.
const (
	Program Scope = "program"
	Network Scope = "network"
	Device  Scope = "device"
	Folder  Scope = "folder"
	File    Scope = "file"
)

// Entry is what one catalogue says of one condition. Parameters stand in
// braces, such as {device}.
type Entry struct {
	Severity Severity `json:"severity"`
	Scope    Scope    `json:"scope"`
	Notify   string   `json:"notify"`  // kind of system notification, "" for none
	Title    string   `json:"title"`   // a sentence without a full stop
	Text     string   `json:"text"`    // the rest, may be empty
	Buttons  []string `json:"buttons"` // labels, the first is the one drawn
}

// Catalogue is the texts of one language.
type Catalogue struct {
	Language string `json:"language"`
	// NothingLost is the fixed line that follows every text of severity Stop.
	NothingLost string               `json:"nothing_lost"`
	Problems    map[fault.Code]Entry `json:"problems"`
}

// Load gives the catalogue of a language: "en" or "de".
func Load(language string) (*Catalogue, error) {
	source, ok := map[string][]byte{"en": english, "de": german}[language]
	if !ok {
		return nil, fmt.Errorf("there is no catalogue for language %q", language)
	}
	c := new(Catalogue)
	if err := json.Unmarshal(source, c); err != nil {
		return nil, fmt.Errorf("read catalogue %s: %w", language, err)
	}
	return c, nil
}

// Codes lists the conditions in order.
func (c *Catalogue) Codes() []fault.Code {
	return slices.Sorted(maps.Keys(c.Problems))
}

var parameter = regexp.MustCompile(`\{[a-z]+\}`)

// Sentence gives title and text of a condition with the parameters filled in.
// It reports false where the code is unknown or a parameter is lacking: half a
// sentence is never shown.
func (c *Catalogue) Sentence(code fault.Code, params map[string]string) (string, bool) {
	e, ok := c.Problems[code]
	if !ok {
		return "", false
	}
	s := e.Title
	switch {
	case e.Text == "":
	case strings.HasSuffix(s, "?"):
		s += " " + e.Text
	default:
		s += ". " + e.Text
	}
	complete := true
	s = parameter.ReplaceAllStringFunc(s, func(p string) string {
		value, ok := params[p[1:len(p)-1]]
		complete = complete && ok
		return value
	})
	return s, complete
}

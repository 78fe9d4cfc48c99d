// Package text holds the sentences that people read about named conditions,
// one catalogue per language, keyed by fault.Code. The same files are imported
// by the frontend. A Catalogue is immutable and may be shared.
package text

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"lanyard/sync/fault"
	"lanyard/sync/status"
)

//go:embed en.json
var english []byte

//go:embed de.json
var german []byte

// Entry is what one catalogue says of one condition. Title, text and remedy
// have marks for parameters, such as {device}.
type Entry struct {
	Severity status.Severity `json:"severity"`
	Scope    status.Scope    `json:"scope"`
	Notify   string          `json:"notify"` // kind of system notification, "" for none
	Title    string          `json:"title"`  // a sentence without a full stop
	Text     string          `json:"text"`   // the rest, may be empty
	// Remedy is what to do at the command line, may be empty.
	Remedy  string   `json:"remedy,omitempty"`
	Buttons []string `json:"buttons"` // labels, the first is the one drawn
}

// Catalogue is the texts of one language.
type Catalogue struct {
	Language string `json:"language"`
	// NothingLost is the fixed line that follows every text of severity Stop.
	NothingLost string               `json:"nothing_lost"`
	Problems    map[fault.Code]Entry `json:"problems"`
	// Answers says what there is to say where nothing is wrong.
	Answers map[status.Answer]string `json:"answers"`
	// Held says which deletions the brake holds, and what was decided on them.
	Held map[HeldText]string `json:"held"`
	// Well says of each check of the doctor that nothing is wrong.
	Well map[string]string `json:"well"`
	// Offers says what other devices offer and what joining does.
	Offers map[OfferText]string `json:"offers"`
	// Pair says what goes on while devices are connected with each other.
	Pair map[PairText]string `json:"pair"`
	// Desktop says what stands outside of the pages: in menus, in the tray and in
	// notifications.
	Desktop map[DesktopText]string `json:"desktop"`
	// Window is what the pages say, which the tray says in the same words.
	Window map[string]string `json:"window"`
}

// HeldText names a sentence about deletions that are held.
type HeldText string

// Sentences about deletions that are held, with their values.
const (
	HeldNone            HeldText = "none"             // folder
	HeldIncoming        HeldText = "incoming"         // n, total, size, devices
	HeldOutgoing        HeldText = "outgoing"         // n, total, size
	HeldMore            HeldText = "more"             // n
	HeldDecide          HeldText = "decide"           //
	HeldIncomingApply   HeldText = "incoming-apply"   // n, size, devices
	HeldIncomingRestore HeldText = "incoming-restore" // n, size, devices
	HeldOutgoingApply   HeldText = "outgoing-apply"   // n, size
	HeldOutgoingRestore HeldText = "outgoing-restore" // n, size
)

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

// Sentence gives title and text of a condition with the parameters filled in,
// and the fixed line where the condition stops something. It reports false
// where the code is unknown or a parameter is lacking: half a sentence is never
// shown.
func (c *Catalogue) Sentence(code fault.Code, params map[string]string) (string, bool) {
	return c.SentenceAt(time.Now(), code, params)
}

// SentenceAt is Sentence as it reads at a given time, in that time's zone.
func (c *Catalogue) SentenceAt(now time.Time, code fault.Code, params map[string]string) (string, bool) {
	e, ok := c.Problems[code]
	if !ok {
		return "", false
	}
	f := filler{params: params, language: c.Language, now: now}
	title, ok := f.fill(e.Title)
	text, complete := f.fill(e.Text)
	s := sentences(title, text)
	if e.Severity == status.Stop {
		s = sentences(s, c.NothingLost)
	}
	return s, ok && complete
}

// Remedy gives what can be done about a condition, "" where nothing is known
// or a parameter is lacking.
func (c *Catalogue) Remedy(code fault.Code, params map[string]string) string {
	s, ok := filler{params: params, language: c.Language, now: time.Now()}.fill(c.Problems[code].Remedy)
	if !ok {
		return ""
	}
	return s
}

// Answer gives the sentence of an answer. It reports false as Sentence does.
func (c *Catalogue) Answer(answer status.Answer, params map[string]string) (string, bool) {
	s, ok := c.Answers[answer]
	if !ok {
		return "", false
	}
	return filler{params: params, language: c.Language, now: time.Now()}.fill(s)
}

// SayHeld gives a sentence about deletions that are held. It reports false as
// Sentence does.
func (c *Catalogue) SayHeld(t HeldText, params map[string]string) (string, bool) {
	s, ok := c.Held[t]
	if !ok {
		return "", false
	}
	return filler{params: params, language: c.Language, now: time.Now()}.fill(s)
}

// SayOffer gives a sentence about an offer, with what is lacking left out.
func (c *Catalogue) SayOffer(t OfferText, params map[string]string) string {
	s, _ := filler{params: params, language: c.Language, now: time.Now()}.fill(c.Offers[t])
	return s
}

// Word gives a problem its sentences. Where values are lacking, what it says
// stays.
func (c *Catalogue) Word(p *status.Problem) {
	if s, ok := c.Sentence(p.Code, p.Param); ok {
		p.Text = s
	}
	if s := c.Remedy(p.Code, p.Param); s != "" {
		p.Remedy = s
	}
}

// WordWhy gives an explanation its sentences.
func (c *Catalogue) WordWhy(w *status.Why) {
	for i := range w.More {
		c.Word(&w.More[i])
	}
	if s, ok := c.Answer(w.Answer, w.Param); ok {
		w.Text = s
		return
	}
	p := status.Problem{Code: w.Code, Text: w.Text, Param: w.Param}
	c.Word(&p)
	w.Text, w.Remedy = p.Text, p.Remedy
}

// sentences puts b behind a, as a sentence of its own.
func sentences(a, b string) string {
	switch {
	case a == "" || b == "":
		return a + b
	case strings.HasSuffix(a, "?"), strings.HasSuffix(a, "."):
		return a + " " + b
	}
	return a + ". " + b
}

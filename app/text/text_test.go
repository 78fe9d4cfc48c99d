package text_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lanyard/app/text"
	"lanyard/sync/fault"
	"lanyard/sync/status"
)

func load(t *testing.T, language string) *text.Catalogue {
	t.Helper()
	c, err := text.Load(language)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestBothLanguagesKnowTheSameConditions(t *testing.T) {
	en, de := load(t, "en"), load(t, "de")
	if diff := cmp.Diff(en.Codes(), de.Codes()); diff != "" {
		t.Errorf("codes differ (-en +de):\n%s", diff)
	}
	if len(en.Codes()) == 0 {
		t.Error("the catalogue is empty")
	}
}

func TestLanguagesAgreeOnSeverityScopeParametersAndButtons(t *testing.T) {
	en, de := load(t, "en"), load(t, "de")
	params := func(e text.Entry) []string {
		return append(append(marks(e.Title+" "+e.Text), "remedy:"), marks(e.Remedy)...)
	}
	for _, code := range en.Codes() {
		a, b := en.Problems[code], de.Problems[code]
		if a.Severity != b.Severity || a.Scope != b.Scope || a.Notify != b.Notify {
			t.Errorf("%s: en says %s %s %q, de says %s %s %q",
				code, a.Severity, a.Scope, a.Notify, b.Severity, b.Scope, b.Notify)
		}
		if diff := cmp.Diff(params(a), params(b)); diff != "" {
			t.Errorf("%s: parameters differ (-en +de):\n%s", code, diff)
		}
		if len(a.Buttons) != len(b.Buttons) {
			t.Errorf("%s: %d buttons in en, %d in de", code, len(a.Buttons), len(b.Buttons))
		}
	}
}

var mark = regexp.MustCompile(`\{([a-z]+)[|}]`)

// marks lists the parameters of a sentence, in order.
func marks(sentence string) []string {
	var found []string
	for _, m := range mark.FindAllStringSubmatch(sentence, -1) {
		found = append(found, m[1])
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func TestEveryEntryIsComplete(t *testing.T) {
	severities := []status.Severity{status.Wait, status.Some, status.Ask, status.Stop}
	scopes := []status.Scope{status.Program, status.Network, status.WholeDevice, status.WholeFolder, status.File}
	for _, language := range []string{"en", "de"} {
		c := load(t, language)
		if c.NothingLost == "" || c.Language != language {
			t.Errorf("%s: language %q, fixed line %q", language, c.Language, c.NothingLost)
		}
		for code, e := range c.Problems {
			if e.Title == "" || !slices.Contains(severities, e.Severity) || !slices.Contains(scopes, e.Scope) {
				t.Errorf("%s %s: incomplete: %+v", language, code, e)
			}
		}
	}
}

func TestSentenceFillsParametersOrRefuses(t *testing.T) {
	en := load(t, "en")
	got, ok := en.Sentence("device-asleep", map[string]string{"device": "nas", "time": "9:41"})
	if want := "nas is asleep. Since 9:41. Everything goes on when it wakes."; !ok || got != want {
		t.Errorf("got %q, %v; want %q", got, ok, want)
	}
	got, ok = en.Sentence("folder-missing", map[string]string{"path": "/srv"})
	if want := "The folder /srv is not there. Was it renamed, or is a disk unplugged? Nothing is lost, and nothing is deleted because of this."; !ok || got != want {
		t.Errorf("got %q, %v; want %q", got, ok, want)
	}
	got, ok = en.Sentence("network-untrusted", map[string]string{"network": "Home"})
	if want := "Is Home yours? On your own network"; !ok || !strings.HasPrefix(got, want) {
		t.Errorf("got %q, %v; want it to start with %q", got, ok, want)
	}
	if got, ok := en.Sentence("device-asleep", map[string]string{"device": "nas"}); ok {
		t.Errorf("a parameter was lacking, got %q", got)
	}
	if got, ok := en.Sentence("no-such-code", nil); ok {
		t.Errorf("unknown code gave %q", got)
	}
}

func TestUnknownLanguageIsRefused(t *testing.T) {
	if _, err := text.Load("tlh"); err == nil {
		t.Error("got no error for a language without a catalogue")
	}
}

func TestValuesArePutIntoWords(t *testing.T) {
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.FixedZone("", 3600))
	tests := []struct {
		code   fault.Code
		params map[string]string
		en, de string
	}{
		{
			"device-asleep",
			map[string]string{"device": "nas\x1b[2J", "time": "2026-03-04T08:05:00Z"},
			"nas [2J is asleep. Since 09:05. Everything goes on when it wakes.",
			"nas [2J ist im Ruhezustand. Seit 09:05. Alles geht weiter, wenn es aufwacht.",
		},
		{
			"device-asleep",
			map[string]string{"device": "nas", "time": "2026-02-04T08:05:00Z"},
			"nas is asleep. Since 2026-02-04 09:05. Everything goes on when it wakes.",
			"nas ist im Ruhezustand. Seit 04.02.2026 09:05. Alles geht weiter, wenn es aufwacht.",
		},
		{
			"device-out-of-reach",
			map[string]string{"device": "nas", "n": "1"},
			"nas is out of reach. One file goes over when it is back.",
			"nas ist nicht erreichbar. Eine Datei wird übertragen, sobald es zurück ist.",
		},
		{
			"device-out-of-reach",
			map[string]string{"device": "nas", "n": "12345", "time": "2026-03-04T08:05:00Z"},
			"nas is out of reach. Last seen 09:05. 12,345 files go over when it is back.",
			"nas ist nicht erreichbar. Zuletzt gesehen 09:05. 12.345 Dateien werden übertragen, sobald es zurück ist.",
		},
		{"device-out-of-reach", map[string]string{"device": "nas"}, "nas is out of reach", "nas ist nicht erreichbar"},
		{
			"disk-full",
			map[string]string{"folder": "Photos", "need": "1500000000", "free": "999"},
			"The disk is full. 1.5 GB more is needed for Photos, 999 B is free. Sending goes on. Nothing is lost, and nothing is deleted because of this.",
			"Der Datenträger ist voll. Für Photos fehlen 1,5 GB, frei sind 999 B. Senden geht weiter. Nichts ist verloren, und nichts wird deswegen gelöscht.",
		},
		{
			"nobody-has-it",
			map[string]string{"file": "a", "devices": "nas\nphone\ndesk"},
			"Waiting for a device that has a. nas, phone and desk had it last.",
			"Wartet auf ein Gerät, das a hat. Zuletzt hatte es nas, phone und desk.",
		},
		{
			"clock-off",
			map[string]string{"device": "nas", "span": "90061"},
			"The clocks of this computer and nas differ by 1 d 1 h. Files sync correctly; times and \"newer\" may mislead.",
			"Die Uhren von diesem Computer und nas gehen 1 T 1 h auseinander. Dateien werden richtig abgeglichen; Zeiten und „neuer“ können täuschen.",
		},
	}
	for _, test := range tests {
		for language, want := range map[string]string{"en": test.en, "de": test.de} {
			if got, ok := load(t, language).SentenceAt(now, test.code, test.params); !ok || got != want {
				t.Errorf("%s %v:\n got %q, %v\nwant %q", test.code, test.params, got, ok, want)
			}
		}
	}
}

func TestARemedyIsWholeOrNothing(t *testing.T) {
	en := load(t, "en")
	if got := en.Remedy("folder-missing", map[string]string{"id": "docs"}); !strings.HasSuffix(got, ": lanyard folder remove docs") {
		t.Errorf("remedy %q", got)
	}
	if got := en.Remedy("folder-missing", nil); got != "" {
		t.Errorf("a parameter was lacking, got %q", got)
	}
}

// given is what the engine tells of every condition of a scope.
var given = map[status.Scope][]string{
	status.Program:     {},
	status.Network:     {},
	status.WholeDevice: {"device", "ourid"},
	status.WholeFolder: {"folder", "id", "path"},
	status.File:        {"file", "path", "full", "folder", "id"},
}

var optional = regexp.MustCompile(`\[[^\]]*\]`)

// What the engine raises has a sentence and, where somebody has to act, a
// remedy in both languages, made of nothing but what the engine tells.
func TestEveryConditionOfTheEngineCanBeSaid(t *testing.T) {
	for _, language := range []string{"en", "de"} {
		c := load(t, language)
		for _, want := range status.Conditions() {
			e, ok := c.Problems[want.Code]
			if !ok {
				t.Errorf("%s has no text for %s", language, want.Code)
				continue
			}
			if e.Severity != want.Severity || e.Scope != want.Scope {
				t.Errorf("%s: %s is %s of a %s, the engine says %s of a %s", language, want.Code, e.Severity, e.Scope, want.Severity, want.Scope)
			}
			told := append(slices.Clone(given[want.Scope]), want.Data...)
			for _, m := range marks(optional.ReplaceAllString(e.Title+e.Text+e.Remedy, "")) {
				if !slices.Contains(told, m) {
					t.Errorf("%s: the text of %s needs {%s}, which nobody tells", language, want.Code, m)
				}
			}
			if want.Mend && e.Remedy == "" {
				t.Errorf("%s: somebody has to act on %s, and nothing says how", language, want.Code)
			}
		}
	}
}

func TestEveryAnswerCanBeSaidWithTheSameValues(t *testing.T) {
	en, de := load(t, "en"), load(t, "de")
	for _, a := range status.Answers() {
		if en.Answers[a] == "" || de.Answers[a] == "" {
			t.Errorf("there is no sentence for %s", a)
		}
		if diff := cmp.Diff(marks(en.Answers[a]), marks(de.Answers[a])); diff != "" {
			t.Errorf("%s: parameters differ (-en +de):\n%s", a, diff)
		}
	}
	if len(en.Answers) != len(status.Answers()) || len(de.Answers) != len(status.Answers()) {
		t.Errorf("%d answers in en, %d in de, want %d", len(en.Answers), len(de.Answers), len(status.Answers()))
	}
	if got, ok := en.Answer(status.FolderSyncing, map[string]string{"folder": "Docs", "n": "2", "size": "10"}); !ok || got != "2 items of Docs (10 B) are on the way." {
		t.Errorf("got %q, %v", got, ok)
	}
}

func TestEveryHeldDeletionCanBeSaidWithTheSameValues(t *testing.T) {
	en, de := load(t, "en"), load(t, "de")
	values := map[string]string{"folder": "docs", "n": "1200", "total": "2000", "size": "3000", "devices": "a\nb"}
	for _, h := range []text.HeldText{
		text.HeldNone, text.HeldIncoming, text.HeldOutgoing, text.HeldMore, text.HeldDecide,
		text.HeldIncomingApply, text.HeldIncomingRestore, text.HeldOutgoingApply, text.HeldOutgoingRestore,
	} {
		for _, c := range []*text.Catalogue{en, de} {
			if s, ok := c.SayHeld(h, values); !ok {
				t.Errorf("%s, %s: %q", c.Language, h, s)
			}
		}
		if diff := cmp.Diff(marks(en.Held[h]), marks(de.Held[h])); diff != "" {
			t.Errorf("%s: parameters differ (-en +de):\n%s", h, diff)
		}
	}
	delete(values, "devices") // nobody knows who
	for _, c := range []*text.Catalogue{en, de} {
		if s, ok := c.SayHeld(text.HeldIncoming, values); !ok {
			t.Errorf("%s: %q", c.Language, s)
		}
	}
	values["devices"] = "a\nb"
	if s, _ := de.SayHeld(text.HeldIncoming, values); s != "1.200 von 2.000 Dateien (3 kB) wurden auf a und b gelöscht. Hier bleiben sie, bis du entscheidest." {
		t.Errorf("it is said as %q", s)
	}
}

func TestEveryOfferCanBeSaidWithTheSameValues(t *testing.T) {
	en, de := load(t, "en"), load(t, "de")
	values := map[string]string{
		"device": "nas", "devices": "a\nb", "folder": "[{n}] <b>", "n": "1", "size": "10", "free": "5", "path": "/srv", "command": "lanyard", "need": "7",
	}
	for _, o := range text.OfferTexts() {
		for _, c := range []*text.Catalogue{en, de} {
			if s := c.SayOffer(o, values); s == "" {
				t.Errorf("%s, %s: nothing is said", c.Language, o)
			}
		}
		if diff := cmp.Diff(marks(en.Offers[o]), marks(de.Offers[o])); diff != "" {
			t.Errorf("%s: parameters differ (-en +de):\n%s", o, diff)
		}
	}
	if n := len(text.OfferTexts()); len(en.Offers) != n || len(de.Offers) != n {
		t.Errorf("%d sentences in en, %d in de, want %d", len(en.Offers), len(de.Offers), n)
	}
	if got := en.SayOffer(text.OfferFolder, values); got != "nas offers the folder [{n}] <b>: one file, 10 B" {
		t.Errorf("it is said as %q", got)
	}
}

func TestEveryStepOfPairingCanBeSaidWithTheSameValues(t *testing.T) {
	en, de := load(t, "en"), load(t, "de")
	values := map[string]string{
		"device": "nas", "name": "nas", "address": "quic://192.0.2.1:1", "digits": "123 456", "time": "2 min", "id": "ID", "self": "S", "group": "G",
	}
	for _, p := range text.PairTexts() {
		for _, c := range []*text.Catalogue{en, de} {
			if s := c.SayPair(p, values); s == "" || strings.ContainsAny(s, "{}") {
				t.Errorf("%s, %s: it is said as %q", c.Language, p, s)
			}
		}
		if diff := cmp.Diff(marks(en.Pair[p]), marks(de.Pair[p])); diff != "" {
			t.Errorf("%s: parameters differ (-en +de):\n%s", p, diff)
		}
	}
	if n := len(text.PairTexts()); len(en.Pair) != n || len(de.Pair) != n {
		t.Errorf("%d sentences in en, %d in de, want %d", len(en.Pair), len(de.Pair), n)
	}
	delete(values, "address")
	if got := en.SayPair(text.PairConnect, values); got != "Connect with device nas? (y/N)" {
		t.Errorf("without an address it is said as %q", got)
	}
}

func TestEverySentenceOutsideOfThePagesIsInBothLanguages(t *testing.T) {
	en, de := load(t, "en"), load(t, "de")
	for _, d := range text.DesktopTexts() {
		if en.Desktop[d] == "" || de.Desktop[d] == "" {
			t.Errorf("%s: %q in en, %q in de", d, en.Desktop[d], de.Desktop[d])
		}
		if diff := cmp.Diff(marks(en.Desktop[d]), marks(de.Desktop[d])); diff != "" {
			t.Errorf("%s: parameters differ (-en +de):\n%s", d, diff)
		}
	}
	if n := len(text.DesktopTexts()); len(en.Desktop) != n || len(de.Desktop) != n {
		t.Errorf("%d sentences are named, %d are in en and %d in de", n, len(en.Desktop), len(de.Desktop))
	}
}

func TestTheFirstLanguageThatThereIsIsTaken(t *testing.T) {
	for wanted, want := range map[string]string{
		"": "en", "C.UTF-8": "en", "de_DE.UTF-8": "de", "de": "de", "de-CH": "de", "den_CA": "en",
		"fr_FR de_AT en_GB": "de", "en-GB de": "en", "fr": "en",
	} {
		if got := text.Choose(strings.Fields(wanted)); got != want {
			t.Errorf("of %q %s is taken, want %s", wanted, got, want)
		}
	}
}

func TestTheTrayFindsTheWordsOfThePages(t *testing.T) {
	for _, language := range []string{"en", "de"} {
		c := load(t, language)
		if s := c.SayWindow("says.progress", map[string]string{"folder": "a{n}\u202e", "state": "b", "percent": "7"}); s != "a{n} : b, 7 %" {
			t.Errorf("%s: it is said as %q", language, s)
		}
	}
}

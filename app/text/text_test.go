package text_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lanyard/app/text"
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
	parameter := regexp.MustCompile(`\{[a-z]+\}`)
	params := func(e text.Entry) []string {
		found := parameter.FindAllString(e.Title+" "+e.Text, -1)
		slices.Sort(found)
		return slices.Compact(found)
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

func TestEveryEntryIsComplete(t *testing.T) {
	severities := []text.Severity{text.Wait, text.Some, text.Ask, text.Stop}
	scopes := []text.Scope{text.Program, text.Network, text.Device, text.Folder, text.File}
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
	if want := "The folder /srv is not there. Was it renamed, or is a disk unplugged?"; !ok || got != want {
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

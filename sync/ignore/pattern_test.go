package ignore

import (
	"errors"
	"strings"
	"testing"

	"github.com/gobwas/glob"
)

type panics struct{}

func (panics) Match(string) bool { panic("slice bounds out of range") }

func TestANameThatTheLibraryFailsAtIsLeftAlone(t *testing.T) {
	for _, ignores := range []bool{true, false} {
		p := pattern{globs: []glob.Glob{panics{}}, result: Result{Ignored: ignores}}
		if got := p.match("name"); got != ignores {
			t.Errorf("a pattern that ignores=%v matches=%v", ignores, got)
		}
	}
}

func TestBracesMustHoldSomething(t *testing.T) {
	for text, good := range map[string]bool{"a{}": false, "{a,{}}": false, "{a,}": true, "a{b}": true, `a\{\}`: true} {
		if _, err := newPattern(text, false); (err == nil) != good {
			t.Errorf("%q: %v, want accepted: %v", text, err, good)
		}
	}
}

func TestWildcardsAreBounded(t *testing.T) {
	for _, wild := range []string{"?", "a*", "[ab]", "{a,b}"} {
		if _, err := newPattern(strings.Repeat(wild, maxWildcards), false); err != nil {
			t.Errorf("%d times %q: %v", maxWildcards, wild, err)
		}
		if _, err := newPattern(strings.Repeat(wild, maxWildcards+1), false); !errors.Is(err, errWildcards) {
			t.Errorf("%d times %q: got %v, want %v", maxWildcards+1, wild, err, errWildcards)
		}
	}
	if _, err := newPattern(strings.Repeat(`\?`, 2*maxWildcards), false); err != nil {
		t.Errorf("characters that stand for themselves are no wildcards: %v", err)
	}
}

func TestARunOfStarsIsTwo(t *testing.T) {
	for text, want := range map[string]string{
		"a": "a", "*": "*", "**": "**", "***": "**", "a****b*c": "a**b*c", `\***`: `\***`, `\****`: `\***`, `\\***`: `\\**`, "*\\": "*\\",
	} {
		if got := fewerStars(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

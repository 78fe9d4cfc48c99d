package ignore

import (
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

func TestARunOfStarsIsTwo(t *testing.T) {
	for text, want := range map[string]string{
		"a": "a", "*": "*", "**": "**", "***": "**", "a****b*c": "a**b*c", `\***`: `\***`, `\****`: `\***`, `\\***`: `\\**`, "*\\": "*\\",
	} {
		if got := fewerStars(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

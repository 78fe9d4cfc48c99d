package ignore

import (
	"testing"

	"github.com/gobwas/glob"
	"pgregory.net/rapid"

	"lanyard/sync/relpath"
)

func TestALiteralSaysWhatItsGlobsSay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.StringMatching(`(/|\*\*/|\*|)[ab.é,}\]]{1,3}(/[ab]{1,2})?(/|/\*\*|)`).Draw(t, "pattern")
		name := rapid.StringMatching(`[ab.é,}\]]{1,4}(/[ab.é]{1,4}){0,3}`).Draw(t, "name")
		if _, err := relpath.Parse(name); err != nil {
			t.Skip("no name")
		}
		l, ok := newLiteral(body)
		if !ok {
			t.Skip("needs globs")
		}
		want := false
		for _, text := range expand(body) {
			want = want || glob.MustCompile(text, '/').Match(name)
		}
		if got := l.match(name); got != want {
			t.Fatalf("pattern %q on %q: the literal %+v says %v, the globs say %v", body, name, l, got, want)
		}
	})
}

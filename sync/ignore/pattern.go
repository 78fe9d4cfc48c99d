package ignore

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gobwas/glob"
	"github.com/gobwas/glob/syntax/lexer"

	"lanyard/sync/relpath"
)

// pattern is one line of rules.
type pattern struct {
	at     Rule
	text   string   // canonical: prefixes, then the pattern in glob's own escapes
	fold   bool     // names are compared in lower case
	result Result   // for the names that match
	blocks bool     // brings back names below directories that others ignore
	plain  *literal // in place of the globs, where it can be
	globs  []glob.Glob
}

func (p *pattern) match(name string) bool {
	if p.plain != nil {
		return p.plain.match(name)
	}
	for _, g := range p.globs {
		if p.matchGlob(g, name) {
			return true
		}
	}
	return false
}

// matchGlob is g.Match, which panics for a few patterns and names. Such a name
// is left alone: the pattern counts as matching if it ignores.
func (p *pattern) matchGlob(g glob.Glob, name string) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = p.result.Ignored
		}
	}()
	return g.Match(name)
}

// prefixes are what may stand before a pattern, each once and in any order.
type prefixes struct{ include, fold, deletable bool }

// String gives the prefixes in one fixed order.
func (p prefixes) String() string {
	var s string
	if p.include {
		s += "!"
	}
	if p.fold {
		s += "(?i)"
	}
	if p.deletable {
		s += "(?d)"
	}
	return s
}

// cutPrefixes takes the prefixes off a line. A prefix that comes a second time
// belongs to the pattern.
func cutPrefixes(line string) (p prefixes, rest string) {
	take := func(prefix string, seen *bool) bool {
		after, ok := strings.CutPrefix(line, prefix)
		if !ok || *seen {
			return false
		}
		*seen, line = true, after
		return true
	}
	for take("!", &p.include) || take("(?i)", &p.fold) || take("(?d)", &p.deletable) {
	}
	return p, line
}

var (
	errNoPattern   = errors.New("there is no pattern after the prefix")
	errOpenBrace   = errors.New("a brace is opened and never closed")
	errEmptyBraces = errors.New("a pair of braces holds nothing")
	errWildcards   = fmt.Errorf("the pattern has more than %d wildcards", maxWildcards)
)

// newPattern compiles one line, whose escapes are already glob's own.
func newPattern(line string, foldAlways bool) (pattern, error) {
	pre, body := cutPrefixes(relpath.Normal(line))
	body = fewerStars(body)
	if body == "" {
		return pattern{}, errNoPattern
	}
	if err := checkWildcards(body); err != nil {
		return pattern{}, err
	}
	fold := pre.fold || foldAlways
	pre.fold = fold
	if fold {
		body = strings.ToLower(body)
	}
	p := pattern{
		text:   pre.String() + body,
		fold:   fold,
		result: Result{Ignored: !pre.include, Deletable: !pre.include && pre.deletable},
		blocks: pre.include && !singleLevel(body),
	}
	if l, ok := newLiteral(body); ok {
		p.plain = &l
		return p, nil
	}
	for _, text := range expand(body) {
		g, err := compile(text)
		if err != nil {
			return pattern{}, err
		}
		p.globs = append(p.globs, g)
	}
	return p, nil
}

// fewerStars makes a run of three or more stars two, which say the same: the
// library takes a time that doubles with each.
func fewerStars(body string) string {
	var out strings.Builder
	stars := 0
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case c == '\\' && i+1 < len(body):
			out.WriteByte(c)
			i++
			stars = 0
			out.WriteByte(body[i])
		case c != '*':
			stars = 0
			out.WriteByte(c)
		default:
			if stars++; stars <= 2 {
				out.WriteByte(c)
			}
		}
	}
	return out.String()
}

// expand gives the globs that a pattern stands for: for the thing and for what
// is below it, in the root and, unless it begins with a slash, anywhere.
func expand(body string) []string {
	var below []string
	switch {
	case strings.HasSuffix(body, "/**"):
		below = []string{body}
	case strings.HasSuffix(body, "/"):
		below = []string{body + "**"} // the content, not the directory
	default:
		below = []string{body, body + "/**"}
	}
	var all []string
	for _, b := range below {
		if rooted, ok := strings.CutPrefix(b, "/"); ok {
			all = append(all, rooted)
		} else if bare, ok := strings.CutPrefix(b, "**/"); ok {
			all = append(all, b, bare)
		} else {
			all = append(all, b, "**/"+b)
		}
	}
	return all
}

// singleLevel reports whether a pattern matches only names in the root and
// what is below them, so that it brings back nothing below another directory.
func singleLevel(body string) bool {
	rooted, ok := strings.CutPrefix(body, "/")
	if !ok {
		return false
	}
	rooted = strings.TrimSuffix(strings.TrimSuffix(rooted, "/**"), "/")
	return !strings.Contains(rooted, "/") && !strings.Contains(strings.TrimSuffix(rooted, "**"), "**")
}

// maxWildcards is how many wildcards one pattern may have. The time that the
// library takes grows with the third power of their number: minutes for some
// thousands.
const maxWildcards = 64

// checkWildcards makes sure that every brace that opens alternatives is closed,
// and holds some: the library takes others and later panics in a match. And it
// bounds their number, with that of the other wildcards.
func checkWildcards(body string) error {
	depth, wildcards, last := 0, 0, lexer.EOF
	for lex := lexer.NewLexer(body); ; {
		now := lex.Next().Type
		switch now {
		case lexer.Single, lexer.Any, lexer.Super, lexer.RangeOpen:
			wildcards++
		case lexer.TermsOpen:
			depth++
			wildcards++
		case lexer.TermsClose:
			depth--
			if last == lexer.TermsOpen {
				return errEmptyBraces
			}
		case lexer.EOF, lexer.Error:
			if depth != 0 {
				return errOpenBrace
			}
			return nil
		}
		if wildcards > maxWildcards {
			return errWildcards
		}
		last = now
	}
}

// compile makes a glob. The library panics on a few malformed patterns, which
// for whoever wrote the line is an error like any other.
func compile(text string) (g glob.Glob, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the pattern cannot be understood (%v)", r)
		}
	}()
	return glob.Compile(text, '/')
}

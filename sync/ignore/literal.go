package ignore

import "strings"

// literal is a pattern that needs no glob: a plain name, or a star and a plain
// ending such as "*.tmp". Most rules are of these shapes, and a search for
// text is many times quicker than the globs that they stand for. It says the
// same as they do about every name that relpath.Parse accepts.
type literal struct {
	text    string
	rooted  bool // begins at the root
	ending  bool // the end of a component; else whole components
	content bool // only what is below it
}

// newLiteral gives the literal that a pattern amounts to; ok is false where it
// needs globs.
func newLiteral(body string) (l literal, ok bool) {
	body, l.content = cutContent(body)
	if after, ok := strings.CutPrefix(body, "/"); ok {
		body, l.rooted = after, true
	} else {
		body = strings.TrimPrefix(body, "**/")
	}
	if after, ok := strings.CutPrefix(body, "*"); ok && !l.rooted && !strings.Contains(after, "/") {
		body, l.ending = after, true
	}
	l.text = body
	return l, body != "" && !strings.HasPrefix(body, "/") && !strings.ContainsAny(body, `*?[{\`)
}

// cutContent takes off the ending that means "what is below" and tells whether
// there was one.
func cutContent(body string) (string, bool) {
	if rest, ok := strings.CutSuffix(body, "/**"); ok {
		return rest, true
	}
	return strings.CutSuffix(body, "/")
}

func (l *literal) match(name string) bool {
	if l.rooted {
		return strings.HasPrefix(name, l.text) && l.endsAt(name, len(l.text))
	}
	for from := 0; ; {
		i := strings.Index(name[from:], l.text)
		if i < 0 {
			return false
		}
		i += from
		begins := l.ending || i == 0 || name[i-1] == '/'
		if begins && l.endsAt(name, i+len(l.text)) {
			return true
		}
		from = i + 1
	}
}

// endsAt reports whether the text, which ends at i, ends a component.
func (l *literal) endsAt(name string, i int) bool {
	if i == len(name) {
		return !l.content
	}
	return name[i] == '/'
}

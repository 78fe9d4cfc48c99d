// Package ignore reads ignore rules (".stignore", the language of Syncthing)
// and tells which names they leave alone.
//
// A file of rules has one pattern on each line; the first that matches a name
// decides, and a name that none matches is synced. See Parse for the language.
package ignore

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"slices"
	"strings"

	"lanyard/sync/relpath"
)

// Result is what the rules say about a name. The zero Result is "synced".
type Result struct {
	// Ignored: the name is left alone: never read, announced or changed.
	Ignored bool
	// Deletable: the name is ignored, but may be removed when it stands in the
	// way of removing its directory.
	Deletable bool
	// CanSkip: the name is ignored and, should it be a directory, so is
	// everything below it: no rule that came first brings anything back.
	CanSkip bool
}

// Matcher holds the rules of one folder. It is immutable and safe for
// concurrent use. A nil Matcher has no rules.
type Matcher struct {
	lines    []string
	patterns []pattern
	folds    bool // some pattern ignores case
	hash     string
}

// Rule is a line of rules as it was written.
type Rule struct {
	File string // slash-separated, relative to the folder
	Line int    // counted from 1
	Text string // without space around it
}

// Explain gives the rule that makes a name ignored, false where none does.
func (m *Matcher) Explain(p relpath.Path) (Rule, bool) {
	if m == nil || len(m.patterns) == 0 || p.IsRoot() {
		return Rule{}, false
	}
	if pat := m.deciding(p.String()); pat != nil && pat.result.Ignored {
		return pat.at, true
	}
	return Rule{}, false
}

// Match tells what the rules say about a name. The root is never ignored. The
// engine's own names (relpath.Path.Internal) are not the rules' business.
func (m *Matcher) Match(p relpath.Path) Result {
	if m == nil || len(m.patterns) == 0 || p.IsRoot() {
		return Result{}
	}
	return m.match(p.String())
}

func (m *Matcher) match(exact string) Result {
	if pat := m.deciding(exact); pat != nil {
		return pat.result
	}
	return Result{}
}

// deciding gives the first pattern that matches a name, nil where none does.
func (m *Matcher) deciding(exact string) *pattern {
	folded := exact
	if m.folds {
		folded = strings.ToLower(exact)
	}
	for i := range m.patterns {
		pat := &m.patterns[i]
		name := exact
		if pat.fold {
			name = folded
		}
		if pat.match(name) {
			return pat
		}
	}
	return nil
}

// Lines gives the lines of the folder's own ignore file as they were written,
// without those of included files.
func (m *Matcher) Lines() []string {
	if m == nil {
		return nil
	}
	return slices.Clone(m.lines)
}

// Hash identifies the effective rules: two Matchers with the same hash say the
// same about every name. Comments and order of included files that change
// nothing do not count.
func (m *Matcher) Hash() string {
	if m == nil {
		return hashOf(nil)
	}
	return m.hash
}

func newMatcher(lines []string, patterns []pattern) *Matcher {
	return &Matcher{
		lines:    lines,
		patterns: patterns,
		folds:    slices.ContainsFunc(patterns, func(p pattern) bool { return p.fold }),
		hash:     hashOf(patterns),
	}
}

func hashOf(patterns []pattern) string {
	h := sha256.New()
	for i := range patterns {
		_, _ = io.WriteString(h, patterns[i].text+"\n") // a hash never fails
	}
	return hex.EncodeToString(h.Sum(nil))
}

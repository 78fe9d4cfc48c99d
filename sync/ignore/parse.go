package ignore

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"unicode/utf8"
)

// ParseError is a line of rules that cannot be read. It makes all rules void:
// the folder must wait, because syncing without them could share or remove
// what was meant to be left alone.
type ParseError struct {
	File string // slash-separated, relative to the folder
	Line int    // counted from 1
	Text string // the line, without space around it
	Err  error
}

// Error gives the place and the reason.
func (e *ParseError) Error() string {
	return fmt.Sprintf("line %d of %s cannot be read as an ignore rule, mend or remove it: %q: %v", e.Line, e.File, e.Text, e.Err)
}

// Unwrap gives the reason.
func (e *ParseError) Unwrap() error { return e.Err }

// ErrInclude is wrapped by every error about a file that cannot be included:
// it is absent, outside the folder, or included already.
var ErrInclude = errors.New("the file cannot be included")

// Reasons that a ParseError wraps.
var (
	errNotUTF8       = errors.New("the text is not UTF-8")
	errIncludeName   = errors.New(`"#include" needs the name of a file after a space`)
	errIncludeTwice  = fmt.Errorf("%w: it is included already", ErrInclude)
	errIncludeAbsent = fmt.Errorf("%w: it does not exist", ErrInclude)
	errIncludeAbroad = fmt.Errorf("%w: it is outside the folder", ErrInclude)
	errEscapeForm    = errors.New(`"#escape=" needs exactly one character`)
	errEscapeLate    = errors.New(`"#escape" must stand before the first pattern of its file`)
)

// platform is what the rules mean differently from one system to another.
type platform struct {
	foldCase  bool // all patterns ignore case
	escape    rune // the default escape character
	backslash bool // a backslash separates directories
}

// Parse reads the rules of a folder. root names the folder's ignore file; open
// gives the content of a file by its slash-separated name relative to the
// folder, and an error that wraps fs.ErrNotExist where there is none. Without
// a root file there are no rules. Every other error of open for the root is
// returned wrapped; all other errors are a *ParseError.
//
// The language is Syncthing's. Space around a line is dropped; empty lines,
// lines that begin with "//" and lines equal to an earlier one do nothing.
//
//   - any run of characters but the slash     **    any run
//     ?          one character but the slash             [a-c] [abc] [!abc]
//     {a,b}      alternatives                            \x    x itself
//     /name      only in the root                        name/ what is in it only
//     !name      not ignored                             (?i)  in any case
//     (?d)       may go with its directory
//     #include f the lines of file f, relative to this file's directory
//     #escape=x  x in place of the backslash, before this file's first pattern
//
// A pattern also matches everything below what it names. On Windows and macOS
// case never counts; on Windows the backslash separates directories and "|"
// is the escape.
func Parse(root string, open func(name string) ([]byte, error)) (*Matcher, error) {
	return parse(root, open, native())
}

func parse(root string, open func(name string) ([]byte, error), on platform) (*Matcher, error) {
	text, err := open(root)
	if errors.Is(err, fs.ErrNotExist) {
		return newMatcher(nil, nil), nil
	}
	if err != nil {
		return nil, fmt.Errorf("read ignore rules: %w", err)
	}
	r := reader{open: open, platform: on, seenLines: map[string]bool{}, seenFiles: map[string]bool{root: true}}
	lines := splitLines(text)
	if err := r.file(root, lines); err != nil {
		return nil, err
	}
	return newMatcher(lines, r.patterns), nil
}

// splitLines gives the lines of a file without their ends. A byte order mark,
// which some Windows editors write, is dropped.
func splitLines(text []byte) []string {
	s := strings.TrimPrefix(string(text), "\ufeff")
	s = strings.TrimSuffix(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	if s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}

// reader collects the patterns of a file and of those that it includes.
type reader struct {
	platform
	open      func(name string) ([]byte, error)
	seenLines map[string]bool
	seenFiles map[string]bool
	patterns  []pattern
	blocked   bool // a pattern so far brings back names below directories
}

// file reads the lines of the file called name.
func (r *reader) file(name string, lines []string) error {
	escape, patternSeen := r.escape, false
	for i, line := range lines {
		line = strings.TrimSpace(line)
		var err error
		switch {
		case line == "" || strings.HasPrefix(line, "//"):
			continue
		case isEscape(line):
			// Never skipped as a repetition: it speaks of this file alone.
			if escape, err = parseEscape(line); patternSeen {
				err = errEscapeLate
			}
		case r.seenLines[line]:
			patternSeen = true
		default:
			r.seenLines[line] = true
			patternSeen = true
			err = r.line(Rule{File: name, Line: i + 1, Text: line}, escape)
		}
		if inner := (*ParseError)(nil); errors.As(err, &inner) {
			return err // of an included file: it names the place itself
		}
		if err != nil {
			return &ParseError{File: name, Line: i + 1, Text: line, Err: err}
		}
	}
	return nil
}

func (r *reader) line(at Rule, escape rune) error {
	line := at.Text
	if !utf8.ValidString(line) {
		return errNotUTF8
	}
	if rest, ok := strings.CutPrefix(line, "#include"); ok {
		return r.include(at.File, rest)
	}
	p, err := newPattern(r.translate(line, escape), r.foldCase)
	if err != nil {
		return err
	}
	r.blocked = r.blocked || p.blocks
	p.at = at
	p.result.CanSkip = p.result.Ignored && !r.blocked
	r.patterns = append(r.patterns, p)
	return nil
}

// include reads the file that rest, the line after "#include", names.
func (r *reader) include(from, rest string) error {
	if r.backslash {
		rest = strings.ReplaceAll(rest, `\`, "/")
	}
	name := strings.TrimSpace(rest)
	if name == "" || name == rest {
		return errIncludeName
	}
	name = path.Join(path.Dir(from), name)
	switch {
	case name == ".." || strings.HasPrefix(name, "../"):
		return errIncludeAbroad
	case r.seenFiles[name]:
		return errIncludeTwice
	}
	r.seenFiles[name] = true
	text, err := r.open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return errIncludeAbsent // not wrapped: no rules at all is another thing
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInclude, err)
	}
	return r.file(name, splitLines(text))
}

func isEscape(line string) bool {
	rest, ok := strings.CutPrefix(line, "#escape")
	return ok && (rest == "" || rest[0] == '=' || rest[0] == ' ' || rest[0] == '\t')
}

func parseEscape(line string) (rune, error) {
	value, ok := strings.CutPrefix(strings.TrimSpace(strings.TrimPrefix(line, "#escape")), "=")
	value = strings.TrimSpace(value)
	c, size := utf8.DecodeRuneInString(value)
	if !ok || size == 0 || size != len(value) || c == utf8.RuneError || c == '/' {
		return 0, errEscapeForm
	}
	return c, nil
}

// translate rewrites a line's escape character to glob's own, the backslash.
// A lone one at the end means nothing, as in glob.
func (r *reader) translate(line string, escape rune) string {
	if escape == '\\' {
		return line
	}
	var b strings.Builder
	escaped := false
	for _, c := range line {
		switch {
		case escaped:
			b.WriteRune('\\')
			b.WriteRune(c)
			escaped = false
		case c == escape:
			escaped = true
		case c == '\\' && r.backslash:
			b.WriteByte('/')
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}

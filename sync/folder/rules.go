package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"lanyard/sync/fault"
	"lanyard/sync/fsys"
	"lanyard/sync/ignore"
	"lanyard/sync/relpath"
)

// metaRules is the index key under which the hash of the rules of the last
// full scan stands.
const metaRules = "rules"

// loadRules reads the folder's ignore rules. A rule that cannot be understood
// stops the folder: what it was meant to leave alone would be synced.
func loadRules(f fsys.FS) (*ignore.Matcher, error) {
	return parseWith(f, func() ([]byte, error) { return readFile(f, ownRules, maxRules) })
}

// ownRules is the folder's own file of rules.
var ownRules = relpath.MustParse(relpath.IgnoreName)

// parseWith reads rules of which own gives the folder's own; those that they
// include are read from the disk.
func parseWith(f fsys.FS, own func() ([]byte, error)) (*ignore.Matcher, error) {
	m, err := ignore.Parse(relpath.IgnoreName, func(name string) ([]byte, error) {
		if name == relpath.IgnoreName {
			return own()
		}
		p, err := relpath.Parse(name)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", fs.ErrNotExist, err)
		}
		return readFile(f, p, maxRules)
	})
	if err != nil {
		return nil, ruleFault(err)
	}
	return m, nil
}

// ruleFault says which line of which file is to be mended.
func ruleFault(err error) error {
	const op = "read the ignore rules"
	data := []string{"rules", relpath.IgnoreName}
	var line *ignore.ParseError
	if errors.As(err, &line) {
		data = []string{"rules", line.File, "line", strconv.Itoa(line.Line), "rule", line.Text}
	}
	if line == nil || !errors.Is(err, ignore.ErrInclude) {
		return fault.With(fault.Wrap(fault.Folder, "rule-broken", op, "", err), data...)
	}
	named := strings.TrimSpace(strings.TrimPrefix(line.Text, "#include"))
	return fault.With(fault.Wrap(fault.Folder, "rule-file-missing", op, "", err), append(data, "file", named)...)
}

// matcher lends the rules to the scanner.
type matcher struct{ rules *ignore.Matcher }

func (m matcher) Match(p relpath.Path, _ bool) (ignored, skipDir bool) {
	r := m.rules.Match(p)
	return r.Ignored, r.CanSkip
}

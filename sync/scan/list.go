package scan

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"lanyard/sync/fault"
	"lanyard/sync/fsys"
	"lanyard/sync/relpath"
)

// item is one name of a directory, in normal form C.
type item struct {
	name string
	info fsys.Info
	// held: something is there that cannot be scanned under this name. It and
	// what is recorded below it are neither changed nor absent.
	held bool
}

// list lists a directory in the byte order of normal-form names. Names that
// are no text are reported and left out; names in another normal form are
// renamed, or held where that is not possible.
func (s *session) list(ctx context.Context, dir relpath.Path) ([]item, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	entries, err := s.ahead.readDir(dir, s.FS)
	if err != nil {
		return nil, err
	}
	items := make([]item, 0, len(entries))
	foreign := false
	for _, e := range entries {
		if asciiOnly(e.Name) {
			items = append(items, item{name: e.Name, info: e.Info})
			continue
		}
		it, ok, err := s.normalise(dir, e, entries)
		if err != nil {
			return nil, err
		}
		if ok {
			foreign = foreign || it.name != e.Name
			items = append(items, it)
		}
	}
	if foreign { // a name in another form had another place in the order
		slices.SortFunc(items, func(a, b item) int { return strings.Compare(a.name, b.name) })
	}
	return items, nil
}

func asciiOnly(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// normalise gives a listed entry under its name in normal form C.
func (s *session) normalise(dir relpath.Path, e fsys.Entry, all []fsys.Entry) (it item, ok bool, err error) {
	name := relpath.Normal(e.Name)
	p, parseErr := dir.Join(name)
	switch {
	case parseErr != nil:
		return item{}, false, s.put(outcome{problem: nameProblem(dir, e.Name, parseErr)})
	case name == e.Name:
		return item{name: name, info: e.Info}, true, nil
	}
	if ignored, _ := s.Ignore.Match(p, e.Info.Kind == fsys.Directory); ignored || p.Internal() {
		return item{name: name, info: e.Info}, true, nil // never renamed; visit leaves it alone
	}
	listed := slices.ContainsFunc(all, func(o fsys.Entry) bool { return o.Name == name })
	_, err = s.FS.LstatRaw(dir, name)
	switch {
	case listed:
		return item{}, false, s.put(outcome{problem: twinProblem(dir, e.Name)})
	case err == nil: // the disk finds both forms: they are one name
		return item{name: name, info: e.Info}, true, nil
	case errors.Is(err, fs.ErrNotExist):
		err = s.FS.RenameRaw(dir, e.Name, name)
	}
	if err != nil {
		held := item{name: name, info: e.Info, held: true}
		return held, true, s.put(outcome{problem: &Problem{Name: join(dir, e.Name), Err: err}})
	}
	info, err := s.FS.LstatRaw(dir, name) // a rename moves the ctime
	if err != nil {
		return item{name: name, held: true}, true, s.put(outcome{moved: p})
	}
	return item{name: name, info: info}, true, s.put(outcome{renamed: &Rename{From: join(dir, e.Name), To: p}})
}

func join(dir relpath.Path, name string) string {
	if dir.IsRoot() {
		return name
	}
	return dir.String() + "/" + name
}

// nameProblem says why a listed name cannot take part.
func nameProblem(dir relpath.Path, name string, err error) *Problem {
	code := fault.Code("name-not-text")
	if strings.ToValidUTF8(name, "") == name {
		code = "name-too-long"
	}
	full := join(dir, name)
	return &Problem{Name: full, Err: fault.Wrap(fault.Item, code, "scan", full, err)}
}

func twinProblem(dir relpath.Path, name string) *Problem {
	full := join(dir, name)
	err := errors.New("another file has the same name in normal form C; rename one of them")
	return &Problem{Name: full, Err: fault.Wrap(fault.Item, "name-twin", "scan", full, err)}
}

package archive

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"lanyard/sync/fsys"
	"lanyard/sync/relpath"
)

// Version is one old version of a file.
type Version struct {
	Path  relpath.Path // of the file; as cut in the store where it was too long
	Time  time.Time    // when it went, to the second
	Store relpath.Path // where it lies
	Info  fsys.Info
}

// List gives the versions of one file, the newest first.
func (s *Store) List(p relpath.Path) ([]Version, error) {
	dir, err := storeDir(p.Dir())
	if err != nil {
		return nil, fmt.Errorf("list versions of %s: %w", p, err)
	}
	entries, err := s.o.FS.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list versions of %s: %w", p, err)
	}
	var found []Version
	for _, e := range entries {
		v, ok := s.version(dir, e)
		if ok && tagged(p.Base(), v.Time.Format(tagForm)) == e.Name {
			v.Path = p
			found = append(found, v)
		}
	}
	slices.SortFunc(found, newestFirst)
	return found, nil
}

// Part gives some of the versions of one file, at most so many from a place on,
// the newest first, and how many there are. It reads the names of all, and looks at
// those alone that it gives: one that went meanwhile is left out. What is no file
// but has the name of a version counts, and is left out too.
func (s *Store) Part(p relpath.Path, from, most int) (part []Version, total int, err error) {
	dir, err := storeDir(p.Dir())
	if err != nil {
		return nil, 0, fmt.Errorf("list versions of %s: %w", p, err)
	}
	found, err := s.named(dir, p.Base())
	if err != nil {
		return nil, 0, fmt.Errorf("list versions of %s: %w", p, err)
	}
	total = len(found)
	from = min(from, total)
	for _, n := range found[from:min(from+most, total)] {
		v := Version{Path: p, Time: n.at}
		if v.Store, err = dir.Join(n.name); err == nil {
			v.Info, err = s.o.FS.Lstat(v.Store)
		}
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, 0, fmt.Errorf("list versions of %s: %w", p, err)
		case v.Info.Kind == fsys.Regular:
			part = append(part, v)
		}
	}
	return part, total, nil
}

// named is the name of a version, and the time in it.
type named struct {
	name string
	at   time.Time
}

// named gives what has the name of a version of a file in a directory of the
// store, the newest first, without a look at it.
func (s *Store) named(dir relpath.Path, base string) ([]named, error) {
	names, err := s.o.FS.ReadNames(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	before, after := around(base)
	var found []named
	for _, name := range slices.Backward(names) {
		tag, begins := strings.CutPrefix(name, before)
		tag, ends := strings.CutSuffix(tag, after)
		if !begins || !ends {
			continue
		}
		if at, err := time.ParseInLocation(tagForm, tag, s.o.Location); err == nil {
			found = append(found, named{name, at})
		}
	}
	// Names are in the order of their times but for where a clock was put back.
	slices.SortStableFunc(found, func(a, b named) int { return b.at.Compare(a.at) })
	return found, nil
}

// ListAll gives all versions by name of the file, and the newest of each
// first.
func (s *Store) ListAll() ([]Version, error) {
	c, err := s.walk()
	if err != nil {
		return nil, fmt.Errorf("list versions: %w", err)
	}
	slices.SortFunc(c.versions, func(a, b Version) int {
		if n := a.Path.Compare(b.Path); n != 0 {
			return n
		}
		return newestFirst(a, b)
	})
	return c.versions, nil
}

func newestFirst(a, b Version) int {
	if n := b.Time.Compare(a.Time); n != 0 {
		return n
	}
	return b.Store.Compare(a.Store)
}

// version reads one entry of a directory in the store.
func (s *Store) version(dir relpath.Path, e fsys.Entry) (Version, bool) {
	base, at, ok := untag(e.Name, s.o.Location)
	if !ok || e.Info.Kind != fsys.Regular || relpath.TempBase(e.Name) {
		return Version{}, false
	}
	store, err := dir.Join(e.Name)
	if err != nil {
		return Version{}, false
	}
	original, err := relpath.Parse(strings.TrimPrefix(strings.TrimPrefix(dir.String()+"/", relpath.VersionsName), "/") + base)
	if err != nil {
		return Version{}, false
	}
	return Version{Path: original, Time: at, Store: store, Info: e.Info}, true
}

// content is what a walk of the store found.
type content struct {
	versions []Version
	dirs     []relpath.Path // below the store's root, parents first
	temps    []Version      // left over from restores; only Store and Info are set
}

// walk reads the whole store. No store is an empty one.
func (s *Store) walk() (content, error) {
	var c content
	top, err := storeDir(relpath.Root)
	if err != nil {
		return c, err
	}
	for queue := []relpath.Path{top}; len(queue) > 0; queue = queue[1:] {
		dir := queue[0]
		entries, err := s.o.FS.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return c, err
		}
		for _, e := range entries {
			p, err := dir.Join(e.Name)
			if err != nil {
				continue // no name of ours
			}
			if e.Info.Kind == fsys.Directory {
				c.dirs = append(c.dirs, p)
				queue = append(queue, p)
			} else if relpath.TempBase(e.Name) && e.Info.Kind == fsys.Regular {
				c.temps = append(c.temps, Version{Store: p, Info: e.Info})
			} else if v, ok := s.version(dir, e); ok {
				c.versions = append(c.versions, v)
			}
		}
	}
	return c, nil
}

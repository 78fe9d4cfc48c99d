// Package archive keeps old versions of files: what another device's change
// replaced or removed goes on in the version store, the directory
// ".stversions" in the folder.
//
//	sub/plan.txt  →  .stversions/sub/plan~20261121-013104.txt
//
// The tag is the local time at which the version went, as Syncthing writes it;
// the file keeps its modification time. Putting a version into the store is
// the puller's work, in one step with what replaces it; this package gives the
// name and the directories, lists, restores and prunes.
//
// Nothing here follows a link: fsys refuses it. Files in the store that have
// no tag are not ours, and are never listed or removed.
package archive

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"lanyard/sync/fsys"
	"lanyard/sync/relpath"
)

// Options of a Store. FS is required.
type Options struct {
	FS fsys.FS
	// MaxAge is how long versions are kept; 30 days where it is zero.
	MaxAge time.Duration
	// Location is the zone of the times in names; the local one where it is
	// nil.
	Location *time.Location
}

const defaultMaxAge = 30 * 24 * time.Hour

func (o Options) withDefaults() Options {
	if o.MaxAge <= 0 {
		o.MaxAge = defaultMaxAge
	}
	if o.Location == nil {
		o.Location = time.Local
	}
	return o
}

// Store is the version store of one folder. It keeps nothing in memory, so
// methods may be called concurrently, with each other and with a pull: the
// worst of it is that Prune takes away an empty directory that Prepare relied
// on, and that pull must be tried again.
type Store struct{ o Options }

// New returns the Store of a folder.
func New(o Options) *Store { return &Store{o.withDefaults()} }

// storeMode is the mode of directories in the store: versions are for their
// owner, whatever the directory of the original was.
const storeMode = 0o700

// Name gives a free name in the store for a version of p that goes at that
// time. Where the name is taken, later seconds are tried until one is free.
func (s *Store) Name(p relpath.Path, at time.Time) (relpath.Path, error) {
	for ; ; at = at.Add(time.Second) {
		name, err := s.nameAt(p, at)
		if err != nil {
			return relpath.Path{}, fmt.Errorf("name version of %s: %w", p, err)
		}
		_, err = s.o.FS.Lstat(name)
		if errors.Is(err, fs.ErrNotExist) {
			return name, nil
		}
		if err != nil {
			return relpath.Path{}, fmt.Errorf("name version of %s: %w", p, err)
		}
	}
}

// nameAt gives the name in the store for one time, free or not.
func (s *Store) nameAt(p relpath.Path, at time.Time) (relpath.Path, error) {
	dir, err := storeDir(p.Dir())
	if err != nil {
		return relpath.Path{}, err
	}
	return dir.Join(tagged(p.Base(), at.In(s.o.Location).Format(tagForm)))
}

// storeDir gives the directory in the store for versions of what is in dir.
func storeDir(dir relpath.Path) (relpath.Path, error) {
	if dir.IsRoot() {
		return relpath.Parse(relpath.VersionsName)
	}
	return relpath.Parse(relpath.VersionsName + "/" + dir.String())
}

// Prepare gives a free name for a version of p that goes now, and makes the
// directories that it needs. made are the new ones, parents first: whoever
// moves the version makes their names durable. The time is that of the
// deletion or replacement, not of the version.
func (s *Store) Prepare(p relpath.Path, now time.Time) (dst relpath.Path, made []relpath.Path, err error) {
	dst, err = s.nameAt(p, now)
	if err != nil {
		return relpath.Path{}, nil, fmt.Errorf("name version of %s: %w", p, err)
	}
	if made, err = s.makeDirs(dst.Dir(), storeMode); err != nil {
		return relpath.Path{}, made, fmt.Errorf("prepare version of %s: %w", p, err)
	}
	dst, err = s.Name(p, now)
	return dst, made, err
}

// makeDirs makes a directory and its missing parents, and gives the new ones,
// parents first.
func (s *Store) makeDirs(dir relpath.Path, mode uint32) (made []relpath.Path, err error) {
	if dir.IsRoot() {
		return nil, nil
	}
	info, err := s.o.FS.Lstat(dir)
	if err == nil && info.Kind == fsys.Directory {
		return nil, nil
	}
	if err == nil {
		return nil, fmt.Errorf("%s stands where a directory is needed, move it away: %w", dir, fsys.ErrNotDirectory)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if made, err = s.makeDirs(dir.Dir(), mode); err != nil {
		return made, err
	}
	switch err := s.o.FS.Mkdir(dir, mode); {
	case err == nil:
		return append(made, dir), nil
	case errors.Is(err, fs.ErrExist): // by another pull, at the same time
		return made, nil
	default:
		return made, err
	}
}

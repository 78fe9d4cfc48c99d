package archive

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"lanyard/sync/fsys"
	"lanyard/sync/relpath"
)

// Pruned is what Prune did.
type Pruned struct {
	Files int
	Bytes int64
	// Early: versions younger than MaxAge had to go for lack of space.
	Early bool
	// Since is the time of the oldest version that is left; zero where none is.
	Since time.Time
}

const (
	// share of the free space, one part in so many, that the store may fill.
	share = 10
	// tempAge is when what an interrupted restore left over goes.
	tempAge = 24 * time.Hour
)

// Prune removes versions that went longer than MaxAge ago. If the store then
// fills more than a tenth of the space that is free, it removes the oldest
// until it does not, but not the newest version of a file that does not exist
// now: until its age is over, that is the last copy here of what a person may
// miss. Directories that are empty then go as well. A zero time is that of a
// clock that cannot be trusted: nothing is over age by it.
//
// Only what was replaced or removed by a change that knew of it is in the
// store, so nothing here is the only copy of what no one superseded. One
// version that cannot be removed does not keep the others; the errors are
// joined.
func (s *Store) Prune(now time.Time) (Pruned, error) {
	c, err := s.walk()
	if err != nil {
		return Pruned{}, fmt.Errorf("prune versions: %w", err)
	}
	slices.SortFunc(c.versions, func(a, b Version) int { return newestFirst(b, a) })
	var done Pruned
	left := c.versions
	if !now.IsZero() {
		left, err = s.pruneOld(now, c.versions, &done)
		err = errors.Join(err, s.removeTemps(now, c.temps))
	}
	left, spaceErr := s.pruneForSpace(left, &done)
	if len(left) > 0 {
		done.Since = left[0].Time
	}
	err = errors.Join(err, spaceErr, s.removeEmpty(c.dirs))
	if err != nil {
		err = fmt.Errorf("prune versions: %w", err)
	}
	return done, err
}

// pruneOld removes what is over age; it takes and gives versions oldest first.
func (s *Store) pruneOld(now time.Time, versions []Version, done *Pruned) (left []Version, err error) {
	limit := now.Add(-s.o.MaxAge)
	for _, v := range versions {
		if v.Time.Before(limit) {
			e := s.remove(v, done)
			if err = errors.Join(err, e); e == nil {
				continue
			}
		}
		left = append(left, v)
	}
	return left, err
}

// pruneForSpace removes the oldest while the store is too large.
func (s *Store) pruneForSpace(versions []Version, done *Pruned) (left []Version, err error) {
	free, _, err := s.o.FS.Free()
	if err != nil {
		return versions, err
	}
	var size uint64
	newest := map[relpath.Path]relpath.Path{}
	for _, v := range versions {
		size += uint64(v.Info.Size)
		newest[v.Path] = v.Store // the last one is the newest
	}
	for _, v := range versions {
		if size > free/share && (newest[v.Path] != v.Store || s.exists(v.Path)) {
			e := s.remove(v, done)
			if err = errors.Join(err, e); e == nil {
				size -= uint64(v.Info.Size)
				free += uint64(v.Info.Size)
				done.Early = true
				continue
			}
		}
		left = append(left, v)
	}
	return left, err
}

// exists reports whether a file certainly stands at p.
func (s *Store) exists(p relpath.Path) bool {
	info, err := s.o.FS.Lstat(p)
	return err == nil && info.Kind == fsys.Regular
}

func (s *Store) remove(v Version, done *Pruned) error {
	if err := s.o.FS.Remove(v.Store); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	done.Files++
	done.Bytes += v.Info.Size
	return nil
}

func (s *Store) removeTemps(now time.Time, temps []Version) (err error) {
	limit := now.Add(-tempAge).UnixNano()
	for _, t := range temps {
		// The modification time is the version's; the other is when the copy
		// was made, where the system tells.
		if max(t.Info.Ctime, t.Info.Mtime) < limit {
			err = errors.Join(err, s.remove(t, &Pruned{}))
		}
	}
	return err
}

// removeEmpty removes directories that hold nothing, children first.
func (s *Store) removeEmpty(dirs []relpath.Path) (err error) {
	for _, dir := range slices.Backward(dirs) {
		e := s.o.FS.Remove(dir)
		if e != nil && !errors.Is(e, fsys.ErrNotEmpty) && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return err
}

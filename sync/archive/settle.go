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

// ErrMoved is wrapped where a file is not what it was when somebody decided on
// it. Nothing was done then.
var ErrMoved = errors.New("it was changed meanwhile")

// Take moves the file at p into the store, as a version of the file called of,
// as of now: look is how it was when that was decided. The file is looked at
// once more before it is moved and after, and put back where it was another.
// The result is durable.
func (s *Store) Take(p, of relpath.Path, look fsys.Info, now time.Time) error {
	if err := s.take(p, of, look, now); err != nil {
		return fmt.Errorf("keep %s as a version: %w", p, err)
	}
	return nil
}

func (s *Store) take(p, of relpath.Path, look fsys.Info, now time.Time) error {
	kept, made, err := s.Prepare(of, now)
	if err != nil {
		return err
	}
	if err := s.still(p, look); err != nil {
		return err
	}
	if err := s.o.FS.RenameNoReplace(p, kept); err != nil {
		return err
	}
	if moved, err := s.o.FS.Lstat(kept); err != nil || !moved.SameButForName(look) {
		// Where its name is taken again, it stays a version: nothing is lost.
		return errors.Join(ErrMoved, err, s.o.FS.RenameNoReplace(kept, p))
	}
	return s.syncDirs(made, kept, p)
}

// Replace puts the file at other under the name p, where it becomes what p is;
// what stood at p becomes a version of it, as of now. at and beside are how the
// two were when that was decided; a nil at says that nothing stood at p. Both are
// looked at before the step that exchanges them and after. At any moment each
// of the two contents stands whole under a name of the folder or in the store; cut
// short, the two have changed places at worst. The result is durable.
func (s *Store) Replace(p, other relpath.Path, at *fsys.Info, beside fsys.Info, now time.Time) error {
	var err error
	if at == nil {
		err = s.moveTo(p, other, beside)
	} else {
		err = s.replace(p, other, *at, beside, now)
	}
	if err != nil {
		return fmt.Errorf("put %s in the place of %s: %w", other, p, err)
	}
	return nil
}

func (s *Store) replace(p, other relpath.Path, at, beside fsys.Info, now time.Time) error {
	if err := errors.Join(s.still(p, at), s.still(other, beside)); err != nil {
		return err
	}
	err := s.o.FS.Exchange(other, p)
	if errors.Is(err, fsys.ErrUnsupported) {
		return s.replaceWithout(p, other, at, beside, now)
	}
	if err != nil {
		return err
	}
	came, err := s.o.FS.Lstat(p)
	went, errWent := s.o.FS.Lstat(other)
	switch err = errors.Join(err, errWent); {
	case err != nil:
		return errors.Join(err, s.o.FS.Exchange(other, p))
	case !went.SameButForName(at):
		// Somebody saved p just before: what he saved gets its name back.
		return errors.Join(ErrMoved, s.o.FS.Exchange(other, p))
	case !came.SameButForName(beside):
		// Somebody saved p since: that stands where he put it.
		return errors.Join(ErrMoved, s.syncDirs(nil, p, other))
	}
	if err := s.syncDirs(nil, p, other); err != nil {
		return err
	}
	return s.take(other, p, went, now)
}

// replaceWithout does what Exchange would, for systems without it: what stands
// at p becomes a version by a link, by a copy where there are no links, before
// anything is renamed over it.
func (s *Store) replaceWithout(p, other relpath.Path, at, beside fsys.Info, now time.Time) error {
	if at.Kind != fsys.Regular {
		return fmt.Errorf("%s: %w", p, ErrInTheWay)
	}
	if err := s.still(other, beside); err != nil {
		return err
	}
	if err := s.supersede(other, p, at, nil, now); err != nil {
		return err
	}
	if came, err := s.o.FS.Lstat(p); err != nil || !came.SameButForName(beside) {
		return errors.Join(ErrMoved, err) // that stands where he put it
	}
	return nil
}

// supersede renames the file at ready over the one at p, which is what old says,
// and becomes a version as of now; ErrMoved, with nothing done, where it is not.
// The result is durable, with the names of directories that were made before.
func (s *Store) supersede(ready, p relpath.Path, old fsys.Info, made []relpath.Path, now time.Time) error {
	kept, more, err := s.Prepare(p, now)
	if err != nil {
		return err
	}
	made = append(slices.Clone(made), more...)
	dirs := make([]relpath.Path, len(made))
	for i, d := range made {
		dirs[i] = d.Dir()
	}
	ok, err := fsys.Supersede(s.o.FS, ready, p, kept, dirs, old)
	if errors.Is(err, fsys.ErrUnsupported) {
		return s.supersedeCopied(ready, p, kept, made, old)
	}
	if err == nil && !ok {
		err = fmt.Errorf("%s: %w", p, ErrMoved)
	}
	if err != nil {
		return err
	}
	return s.syncDirs(nil, ready, p)
}

// supersedeCopied is supersede where the system has neither an exchange of names
// nor links: nothing tells what was saved between the last look and the rename.
func (s *Store) supersedeCopied(ready, p, kept relpath.Path, made []relpath.Path, old fsys.Info) error {
	temp, err := s.copyBeside(p, kept)
	if err != nil {
		return err
	}
	if err := s.o.FS.RenameNoReplace(temp, kept); err != nil {
		return errors.Join(err, s.o.FS.Remove(temp))
	}
	if err := s.syncDirs(made, kept); err != nil {
		return errors.Join(err, s.o.FS.Remove(kept))
	}
	if err := s.still(p, old); err != nil {
		return errors.Join(err, s.o.FS.Remove(kept))
	}
	if err := s.o.FS.Rename(ready, p); err != nil {
		return errors.Join(err, s.o.FS.Remove(kept))
	}
	return s.syncDirs(nil, ready, p)
}

// moveTo gives a file another name, which must be free.
func (s *Store) moveTo(to, from relpath.Path, look fsys.Info) error {
	if err := s.still(from, look); err != nil {
		return err
	}
	made, err := s.makeDirs(to.Dir(), parentMode)
	if err != nil {
		return err
	}
	if err := s.o.FS.RenameNoReplace(from, to); err != nil {
		return err
	}
	return s.syncDirs(made, from, to)
}

// still fails unless a file is what it was.
func (s *Store) still(p relpath.Path, look fsys.Info) error {
	now, err := s.o.FS.Lstat(p)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: %w", p, ErrMoved)
	case err != nil:
		return err
	case !now.Same(look):
		return fmt.Errorf("%s: %w", p, ErrMoved)
	}
	return nil
}

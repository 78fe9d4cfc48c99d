package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"lanyard/sync/fsys"
	"lanyard/sync/relpath"
)

// ErrNoVersion is wrapped where there is no version of that file and time.
var ErrNoVersion = errors.New("there is no such version, list the versions of the file")

// ErrInTheWay is wrapped where what stands at the target cannot be kept as a
// version: a directory, or a special file.
var ErrInTheWay = errors.New("something that is no file stands there, choose another place")

// parentMode is the mode of directories that a restore makes in the folder.
const parentMode = 0o755

// Restore copies the version of p that went at that time (to the second) to
// the name to, which may be p or any other in the folder. The version stays in
// the store. A file that stands at to becomes a version itself, as of now, in
// the same step, so that the restore can be undone and the name is never
// empty; where the system cannot exchange names, the old file becomes one by a
// link first, or by a copy. The result is an ordinary local change, durable when
// Restore returns.
func (s *Store) Restore(p relpath.Path, at time.Time, to relpath.Path, now time.Time) error {
	if err := s.restore(p, at, to, now); err != nil {
		return fmt.Errorf("restore %s: %w", p, err)
	}
	return nil
}

func (s *Store) restore(p relpath.Path, at time.Time, to relpath.Path, now time.Time) error {
	if to.IsRoot() || to.Internal() {
		return fmt.Errorf("%q is one of the folder's own names: %w", to, ErrInTheWay)
	}
	v, err := s.find(p, at)
	if err != nil {
		return err
	}
	old, err := s.o.FS.Lstat(to)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s.restoreNew(v, to)
	case err != nil:
		return err
	case old.Kind != fsys.Regular && old.Kind != fsys.Symlink:
		return fmt.Errorf("%s: %w", to, ErrInTheWay)
	}
	return s.restoreOver(v, to, old, now)
}

func (s *Store) find(p relpath.Path, at time.Time) (Version, error) {
	versions, err := s.List(p)
	if err != nil {
		return Version{}, err
	}
	for _, v := range versions {
		if v.Time.Equal(at.Truncate(time.Second)) {
			return v, nil
		}
	}
	return Version{}, ErrNoVersion
}

// restoreNew puts a version where nothing stands.
func (s *Store) restoreNew(v Version, to relpath.Path) error {
	made, err := s.makeDirs(to.Dir(), parentMode)
	if err != nil {
		return err
	}
	temp, err := s.copyBeside(v.Store, v.Store)
	if err != nil {
		return err
	}
	if err := s.o.FS.RenameNoReplace(temp, to); err != nil {
		return errors.Join(err, s.o.FS.Remove(temp))
	}
	return s.syncDirs(made, to)
}

// restoreOver puts a version in the place of a file, which becomes a version.
// The copy first takes the new version's own name, and then the two exchange
// theirs: a crash between leaves one version more, and nothing torn.
func (s *Store) restoreOver(v Version, to relpath.Path, old fsys.Info, now time.Time) error {
	kept, made, err := s.Prepare(to, now)
	if err != nil {
		return err
	}
	temp, err := s.copyBeside(v.Store, kept)
	if err != nil {
		return err
	}
	if err := s.o.FS.RenameNoReplace(temp, kept); err != nil {
		return errors.Join(err, s.o.FS.Remove(temp))
	}
	err = s.o.FS.Exchange(kept, to)
	if errors.Is(err, fsys.ErrUnsupported) {
		return s.restoreWithout(kept, to, old, made, now)
	}
	if err != nil {
		return errors.Join(err, s.o.FS.Remove(kept))
	}
	return s.syncDirs(made, kept, to)
}

// restoreWithout does what Exchange would, for systems without it: the new
// content lies at ready, and what stands at the target becomes a version before
// ready is renamed over it.
func (s *Store) restoreWithout(ready, to relpath.Path, old fsys.Info, made []relpath.Path, now time.Time) error {
	err := fmt.Errorf("%s: %w", to, ErrInTheWay)
	if old.Kind == fsys.Regular {
		err = s.supersede(ready, to, old, made, now)
	}
	if err == nil {
		return nil
	}
	if errors.Is(err, ErrMoved) {
		err = fmt.Errorf("%w, try again", err)
	}
	if gone := s.o.FS.Remove(ready); !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}

// syncDirs makes names durable: those of made directories, and of files.
func (s *Store) syncDirs(made []relpath.Path, files ...relpath.Path) error {
	var dirs []relpath.Path
	for _, p := range append(made, files...) {
		dirs = append(dirs, p.Dir())
	}
	return s.o.FS.SyncDirs(dirs)
}

// copyBeside makes a durable copy of a file under a temporary name in the
// directory of dst, with permissions and modification time.
func (s *Store) copyBeside(src, dst relpath.Path) (temp relpath.Path, err error) {
	sum := sha256.Sum256([]byte(dst.Base()))
	temp, err = dst.Dir().Join(relpath.TempPrefix + "restore." + hex.EncodeToString(sum[:8]) + relpath.TempSuffix)
	if err != nil {
		return temp, err
	}
	if err := s.o.FS.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return temp, err // of a restore that was interrupted
	}
	in, err := s.o.FS.Open(src)
	if err != nil {
		return temp, err
	}
	defer func() { _ = in.Close() }() // only read
	out, err := s.o.FS.Create(temp)
	if err != nil {
		return temp, err
	}
	err = errors.Join(s.fill(out, in), out.Close())
	if err != nil {
		err = errors.Join(err, s.o.FS.Remove(temp))
	}
	return temp, err
}

// fill copies content, permissions and time, and makes them durable.
func (s *Store) fill(out, in fsys.File) error {
	before, err := in.Stat()
	if err != nil {
		return err
	}
	if err := out.Reserve(before.Size); err != nil {
		return err
	}
	if _, err := io.Copy(io.NewOffsetWriter(out, 0), io.NewSectionReader(in, 0, before.Size)); err != nil {
		return err
	}
	if after, err := in.Stat(); err != nil || !after.Same(before) {
		return errors.Join(errors.New("the file changed while it was copied, try again"), err)
	}
	if err := out.SetMeta(before.Mode, before.Mtime); err != nil {
		return err
	}
	return s.o.FS.SyncFiles([]fsys.File{out})
}

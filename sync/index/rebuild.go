package index

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"lanyard/sync/bep"
)

// A database and what lies beside it: the journal and its memory, the last
// snapshot, and one that is being made.
var fileSuffixes = []string{"", "-wal", "-shm", snapshotSuffix, snapshotSuffix + ".tmp"}

const (
	snapshotSuffix = ".bak"
	damagedInfix   = ".damaged-"
	keepDamaged    = 3 // databases set aside that are kept
)

// Rebuild makes the index of a folder anew, in a file with another name: the
// damaged one stays in use, and useless, until the new one is whole.
func (s *sqliteStore) Rebuild(ctx context.Context, id bep.FolderID) error {
	const op = "rebuild index"
	old, err := s.beginRebuild(id)
	if err != nil || old == "" {
		return err
	}
	file, err := drawFile()
	if err != nil {
		return classify(op, err)
	}
	dst, err := s.openFolder(id, filepath.Join(s.dir, file))
	if err != nil {
		return classify(op, errors.Join(err, s.removeFiles(file)))
	}
	err = dst.salvage(ctx, filepath.Join(s.dir, old))
	if err == nil {
		err = s.endRebuild(dst, old)
	}
	if err != nil {
		return classify(op, errors.Join(err, dst.abandon(), s.removeFiles(file)))
	}
	return nil
}

// beginRebuild closes a folder's database and takes it out of use. It gives the
// name of the file, "" where there is none.
func (s *sqliteStore) beginRebuild(id bep.FolderID) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.main == nil {
		return "", errClosed("rebuild index")
	}
	if f := s.folders[id]; f != nil {
		// It is damaged; what it says when it is closed changes nothing.
		_ = f.close()
		delete(s.folders, id)
	}
	row, err := s.row(id)
	if err == nil {
		err = s.distrust(id)
	}
	return row.file, mainFault("rebuild index", err)
}

// endRebuild puts a new database in the place of the old one, unless the
// folder was dropped meanwhile.
func (s *sqliteStore) endRebuild(dst *sqliteFolder, old string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.main == nil {
		return errClosed("rebuild index")
	}
	row, err := s.row(dst.id)
	if err != nil {
		return err
	}
	if row.file != old {
		return errClosed("rebuild index") // dropped
	}
	if err := dst.close(); err != nil { // from here on main.db names the new file
		return err
	}
	// Until the new file has a snapshot of its own the old one may be of use.
	err = os.Rename(filepath.Join(s.dir, old+snapshotSuffix), dst.path+snapshotSuffix)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.opts.Log.Warn("keep snapshot of index", "error", err)
	}
	s.setAside(old)
	return nil
}

// abandon closes a database that nobody will use.
func (f *sqliteFolder) abandon() error {
	f.gate.Lock()
	defer f.gate.Unlock()
	if f.closed {
		return nil
	}
	f.closed = true
	return f.disconnect()
}

// setAside renames a database that is not used any more, for whoever wants to
// know what happened to it. It is no loss where that fails.
func (s *sqliteStore) setAside(file string) {
	date := time.Now().UTC().Format("20060102-150405")
	for _, suffix := range []string{"", "-wal"} {
		from := filepath.Join(s.dir, file+suffix)
		err := os.Rename(from, filepath.Join(s.dir, file+damagedInfix+date+suffix))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			s.opts.Log.Warn("set damaged index aside", "error", err)
		}
	}
	if err := s.removeFiles(file); err != nil {
		s.opts.Log.Warn("remove damaged index", "error", err)
	}
	s.thinDamaged()
}

// thinDamaged removes the oldest of the databases that were set aside.
func (s *sqliteStore) thinDamaged() {
	found, _ := filepath.Glob(filepath.Join(s.dir, "*"+damagedInfix+"*")) // the pattern is a good one
	date := func(path string) string { return path[strings.LastIndex(path, damagedInfix):] }
	slices.SortFunc(found, func(a, b string) int { return strings.Compare(date(b), date(a)) })
	kept := 0
	for _, path := range found {
		if !strings.HasSuffix(path, "-wal") {
			kept++
		}
		if kept > keepDamaged {
			if err := os.Remove(path); err != nil {
				s.opts.Log.Warn("remove old damaged index", "error", err)
			}
		}
	}
}

// removeFiles removes a database with everything beside it, the database last:
// while it is there, a later call finds the rest.
func (s *sqliteStore) removeFiles(file string) error {
	for _, suffix := range slices.Backward(fileSuffixes) {
		err := os.Remove(filepath.Join(s.dir, file+suffix))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// openList opens main.db. Where it is lost or damaged a new one is made from
// the databases that are there, each of which knows its folder.
func (s *sqliteStore) openList() error {
	path := filepath.Join(s.dir, "main.db")
	_, statErr := os.Stat(path)
	lost := errors.Is(statErr, fs.ErrNotExist)
	main, err := openMain(path)
	if err != nil && errors.Is(classify("", err), errDamaged) {
		s.opts.Log.Error("the list of indexes is damaged and is made anew", "error", err)
		s.setAside("main.db")
		lost = true
		main, err = openMain(path)
	}
	if err != nil {
		return err
	}
	s.main = main
	if lost {
		err = s.findFolders()
	} else {
		err = s.sweepFiles()
	}
	if err != nil {
		s.main = nil
		return errors.Join(err, main.close())
	}
	return nil
}

// databases lists the folders' databases in the directory.
func (s *sqliteStore) databases() ([]string, error) {
	found, err := filepath.Glob(filepath.Join(s.dir, "f-????????.db"))
	for i := range found {
		found[i] = filepath.Base(found[i])
	}
	return found, err
}

// findFolders lists databases anew. None of them can prove that it is the one
// that was used last. One that cannot be read is known by its snapshot.
func (s *sqliteStore) findFolders() error {
	files, err := s.databases()
	if err != nil {
		return err
	}
	newest := map[bep.FolderID]time.Time{}
	for _, file := range files {
		path := filepath.Join(s.dir, file)
		row := folderRow{file: file, mark: unproven}
		id, err := folderOf(path)
		if err != nil {
			row.mark = distrusted
			id, err = folderOf(path + snapshotSuffix)
		}
		info, statErr := os.Stat(path)
		if err != nil || statErr != nil {
			s.opts.Log.Warn("an index is of no known folder", "file", file, "error", errors.Join(err, statErr))
			s.setAside(file)
			continue
		}
		if before, twice := newest[id]; twice && before.After(info.ModTime()) {
			continue
		}
		newest[id] = info.ModTime()
		if err := s.setRow(id, row); err != nil {
			return err
		}
	}
	return s.sweepFiles()
}

// folderOf reads which folder a database is of.
func folderOf(path string) (bep.FolderID, error) {
	c, err := openDamaged(path)
	if err != nil {
		return "", err
	}
	id, err := c.meta(metaFolder)
	if err == nil && id == "" {
		err = damaged("it names no folder")
	}
	return bep.FolderID(id), errors.Join(err, c.close())
}

// sweepFiles removes databases that main.db does not name: a rebuild that was
// cut short, or what it replaced.
func (s *sqliteStore) sweepFiles() error {
	files, err := s.databases()
	if err != nil {
		return err
	}
	named := map[string]bool{}
	err = s.main.query(stFolderFiles, nil, func(st *stmt) error {
		named[st.text(0)] = true
		return nil
	})
	if err != nil {
		return err
	}
	for _, file := range files {
		if named[file] {
			continue
		}
		if err := s.removeFiles(file); err != nil {
			return fmt.Errorf("remove index that nothing names: %w", err)
		}
	}
	return nil
}

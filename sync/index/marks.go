package index

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"lanyard/sync/bep"
)

// An old copy of a database in place of the one that was used last looks as
// good as new. So each file carries a mark, drawn anew whenever it is closed,
// and main.db knows the mark of each file. The file is marked first and
// remembers the mark before: then main.db, which may have missed the last step
// of the two, knows one of them. If it knows neither, one of the two files is
// not the one that was used last.

// Marks in main.db that no file has.
const (
	distrusted = "damaged" // the file was found to be damaged
	unproven   = "lost"    // main.db was lost, and with it the mark
)

// open opens a folder's database as main.db describes it.
func (s *sqliteStore) open(id bep.FolderID, row folderRow) (*sqliteFolder, error) {
	path := filepath.Join(s.dir, row.file)
	if row.mark == distrusted {
		return nil, damaged("it was found to be before")
	}
	if row.mark != "" {
		if err := wholeFile(path); err != nil {
			return nil, s.distrustOn(err, id)
		}
	}
	f, err := s.openFolder(id, path)
	if err != nil {
		return nil, s.distrustOn(err, id)
	}
	if err := s.compareMark(f, row); err != nil {
		_ = f.disconnect() // the first error is the cause
		return nil, s.distrustOn(err, id)
	}
	return f, nil
}

// wholeFile compares the size of a database with what its head says: SQLite
// would notice that the end is gone only when it gets there. Where there is a
// journal, the end may still stand in it.
func wholeFile(path string) error {
	if wal, err := os.Stat(path + "-wal"); err == nil && wal.Size() > 0 {
		return nil
	}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return damaged("the file is gone")
	}
	if err != nil {
		return err
	}
	defer file.Close() // it is only read from
	info, err := file.Stat()
	if err != nil {
		return err
	}
	var head [32]byte // bytes 16, 17: the page size; 28 to 31: how many pages
	if _, err := io.ReadFull(file, head[:]); err != nil {
		return damaged("the file is cut short")
	}
	page, pages := int64(binary.BigEndian.Uint16(head[16:])), int64(binary.BigEndian.Uint32(head[28:]))
	if info.Size() < page*pages {
		return damaged("the file has %d bytes and should have %d", info.Size(), page*pages)
	}
	return nil
}

// compareMark compares the mark of a file that was opened with the one that
// main.db knows, and notes that the file is in use.
func (s *sqliteStore) compareMark(f *sqliteFolder, row folderRow) error {
	mark, err := f.w.meta(metaMark)
	if err != nil {
		return err
	}
	before, err := f.w.meta(metaMarkOld)
	if err != nil {
		return err
	}
	clean, err := f.w.metaInt(metaClean)
	if err != nil {
		return err
	}
	f.unclean = clean == 0
	if row.mark != "" && row.mark != mark && row.mark != before {
		if err := f.rolledBack(); err != nil {
			return err
		}
	}
	if row.mark != mark {
		if err := s.setRow(f.id, folderRow{file: row.file, mark: mark}); err != nil {
			return err
		}
	}
	return f.w.setMetaInt(metaClean, 0)
}

// newMark draws a mark and stores it in the file.
func (f *sqliteFolder) newMark() (string, error) {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", err
	}
	mark := hex.EncodeToString(b[:])
	before, err := f.w.meta(metaMark)
	if err != nil {
		return "", err
	}
	return mark, errors.Join(f.w.setMeta(metaMarkOld, before), f.w.setMeta(metaMark, mark), f.w.setMetaInt(metaClean, 1))
}

// distrust notes that a folder's file is damaged.
func (s *sqliteStore) distrust(id bep.FolderID) error {
	row, err := s.row(id)
	if err != nil || row.file == "" {
		return err
	}
	return s.setRow(id, folderRow{file: row.file, mark: distrusted})
}

// distrustOn is distrust where err says that the file is damaged. It gives err.
func (s *sqliteStore) distrustOn(err error, id bep.FolderID) error {
	if errors.Is(classify("", err), errDamaged) {
		return errors.Join(err, s.distrust(id))
	}
	return err
}

package index

import (
	"errors"
	"testing"

	"lanyard/sync/relpath"
)

// TestEveryColumnOfARowIsChecked changes one column of one row at a time, in a
// way that the database itself cannot notice: a check finds it, and so does
// whoever reads the row, except by the column that no reader is given.
func TestEveryColumnOfARowIsChecked(t *testing.T) {
	dir := t.TempDir()
	_, _, end := filled(t, dir)
	end()
	closed := readHome(t, dir)
	const name = "dir00/file005"
	tests := []struct {
		column, to string
		reads      bool // reading the row finds it as well
	}{
		{"vh", "vh + 1", true},
		{"devs", "devs | 8", true},
		{"flags", "flags | 128", true},
		{"size", "size + 1", true},
		{"mtime", "mtime + 1", true},
		{"lseq", "lseq - 1000", true},
		{"bh", "bh + 1", false},
		{"bh", "NULL", false},
		{"lh", "12345", true},
		{"ck", "ck + 1", true},
	}
	for _, tt := range tests {
		t.Run(tt.column+" "+tt.to, func(t *testing.T) {
			open := func() *sqliteFolder {
				dir := closed.write(t)
				c, err := openConn(databaseOf(t, dir))
				if err != nil {
					t.Fatal(err)
				}
				err = c.exec(`UPDATE rec SET ` + tt.column + ` = ` + tt.to + ` WHERE name = '` + name + `' AND lseq IS NOT NULL`)
				if err := errors.Join(err, c.close()); err != nil {
					t.Fatal(err)
				}
				return openTestFolder(t, openTestStore(t, dir, SQLiteOptions{}))
			}
			if err := open().Check(t.Context()); !errors.Is(err, errDamaged) {
				t.Errorf("the check gives %v, want that the index is damaged", err)
			}
			if _, _, err := open().Local(relpath.MustParse(name)); errors.Is(err, errDamaged) != tt.reads {
				t.Errorf("reading the row gives %v, want that the index is damaged: %v", err, tt.reads)
			}
		})
	}
}

package index

import (
	"testing"

	"lanyard/sync/status/statustest"
)

func TestAnIndexOfANewerProgramSaysSo(t *testing.T) {
	dir := t.TempDir()
	s := openTestStore(t, dir, SQLiteOptions{})
	openTestFolder(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	spoil(t, dir, `PRAGMA user_version=99`)
	_, err := openTestStore(t, dir, SQLiteOptions{}).Folder("docs")
	statustest.Raised(t, err, "home-newer")
}

package index_test

import (
	"testing"

	"go.uber.org/goleak"

	"lanyard/sync/index"
	"lanyard/sync/index/indextest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMemoryIsAnIndex(t *testing.T) {
	indextest.Run(t, func(t *testing.T) indextest.Open {
		m := index.NewMemory(index.MemoryOptions{Self: indextest.Self})
		return func() (index.Store, error) {
			m = m.Snapshot()
			return m, nil
		}
	})
}

func TestSQLiteIsAnIndex(t *testing.T) {
	indextest.Run(t, sqliteHome(index.SQLiteOptions{Self: indextest.Self}))
}

func TestSQLiteInExclusiveModeIsAnIndex(t *testing.T) {
	indextest.Run(t, sqliteHome(index.SQLiteOptions{Self: indextest.Self, Exclusive: true}))
}

func sqliteHome(o index.SQLiteOptions) func(t *testing.T) indextest.Open {
	return func(t *testing.T) indextest.Open {
		dir := t.TempDir()
		return func() (index.Store, error) { return index.OpenSQLite(dir, o) }
	}
}

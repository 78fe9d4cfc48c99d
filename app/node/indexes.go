package node

import (
	"context"

	"lanyard/sync/bep"
	"lanyard/sync/engine"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
)

// Indexes are the indexes of a home that no engine uses. Its methods are those
// of an Engine; a damaged index is made anew by the next engine.
type Indexes struct {
	store index.Store
	open  engine.Indexes
}

// OpenIndexes opens the indexes in a directory, whose home the caller has
// locked.
func OpenIndexes(dir string) (*Indexes, error) {
	store, err := index.OpenSQLite(dir, index.SQLiteOptions{})
	if err != nil {
		return nil, err
	}
	return &Indexes{store: store, open: store.Folder}, nil
}

// Close closes them.
func (i *Indexes) Close() error { return i.store.Close() }

// IndexStats gives figures about the index of a folder.
func (i *Indexes) IndexStats(_ context.Context, id bep.FolderID) (status.IndexStats, error) {
	return i.open.Stats(id)
}

// CheckIndex reads all of a folder's index.
func (i *Indexes) CheckIndex(ctx context.Context, id bep.FolderID) error {
	return i.open.Check(ctx, id)
}

// ShowIndex gives all that a folder's index knows of a name.
func (i *Indexes) ShowIndex(_ context.Context, id bep.FolderID, p relpath.Path) (status.IndexEntry, error) {
	return i.open.Show(id, p)
}

// ExportIndex writes a folder's index to a new SQLite file.
func (i *Indexes) ExportIndex(ctx context.Context, id bep.FolderID, file string) error {
	return i.open.Export(ctx, id, file)
}

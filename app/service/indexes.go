package service

import (
	"context"
	"path/filepath"

	"lanyard/app/config"
	"lanyard/app/node"
	"lanyard/sync/bep"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
)

// IndexExport asks to write an index to a file.
type IndexExport struct {
	File string `json:"file" doc:"absolute; must not be there yet"`
}

// lookup is who can look into indexes: a running engine, or whoever opened
// those of a home that none uses.
type lookup interface {
	IndexStats(ctx context.Context, folder bep.FolderID) (status.IndexStats, error)
	CheckIndex(ctx context.Context, folder bep.FolderID) error
	ShowIndex(ctx context.Context, folder bep.FolderID, p relpath.Path) (status.IndexEntry, error)
	ExportIndex(ctx context.Context, folder bep.FolderID, file string) error
}

// Indexes is the part of the contract that looks into the indexes of folders.
type Indexes struct {
	*Settings
	lookup lookup
}

// OpenIndexes opens the indexes of a home whose engine does not run. close has
// to be called.
func OpenIndexes(store *config.Store) (i *Indexes, close func() error, err error) {
	opened, err := node.OpenIndexes(store.Home().IndexDir())
	if err != nil {
		return nil, nil, err
	}
	return &Indexes{NewSettings(store), opened}, opened.Close, nil
}

// IndexStats gives figures about the index of a folder.
func (i *Indexes) IndexStats(ctx context.Context, folder string) (status.IndexStats, error) {
	f, err := i.store.Config().FindFolder(bep.FolderID(folder))
	if err != nil {
		return status.IndexStats{}, err
	}
	return i.lookup.IndexStats(ctx, f.ID)
}

// CheckIndex reads all of a folder's index; damage is an error.
func (i *Indexes) CheckIndex(ctx context.Context, folder string) error {
	f, err := i.store.Config().FindFolder(bep.FolderID(folder))
	if err != nil {
		return err
	}
	return i.lookup.CheckIndex(ctx, f.ID)
}

// ShowIndex gives all that a folder's index knows of a name.
func (i *Indexes) ShowIndex(ctx context.Context, folder, path string) (status.IndexEntry, error) {
	f, err := i.store.Config().FindFolder(bep.FolderID(folder))
	if err != nil {
		return status.IndexEntry{}, err
	}
	p, err := parsePath(path)
	if err != nil {
		return status.IndexEntry{}, err
	}
	return i.lookup.ShowIndex(ctx, f.ID, p)
}

// ExportIndex writes a folder's index to a new SQLite file.
func (i *Indexes) ExportIndex(ctx context.Context, folder string, req IndexExport) error {
	f, err := i.store.Config().FindFolder(bep.FolderID(folder))
	if err != nil {
		return err
	}
	if !filepath.IsAbs(req.File) {
		return &config.Refusal{Reason: config.Invalid, Item: req.File, Text: "the file to write needs an absolute path"}
	}
	return i.lookup.ExportIndex(ctx, f.ID, req.File)
}

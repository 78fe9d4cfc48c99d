package service

import (
	"context"

	"lanyard/sync/bep"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
)

// MostRows is how many rows of a list are given at once.
const MostRows = 1000

// bounded gives a window that no answer can grow beyond.
func bounded(w status.Window) status.Window {
	w.From = max(w.From, 0)
	if w.Most <= 0 || w.Most > MostRows {
		w.Most = MostRows
	}
	return w
}

// List gives a part of what a directory of a folder holds, the root where path is
// empty.
func (s *Service) List(ctx context.Context, folder, path string, w status.Window) (status.Listing, error) {
	f, err := s.store.Config().FindFolder(bep.FolderID(folder))
	if err != nil {
		return status.Listing{}, err
	}
	dir := relpath.Root
	if path != "" {
		if dir, err = parsePath(path); err != nil {
			return status.Listing{}, err
		}
	}
	out, err := s.engine.List(ctx, f.ID, dir, bounded(w))
	return out, named(err, codeNotRunning)
}

// Needed gives a part of what is still to come to a folder.
func (s *Service) Needed(ctx context.Context, folder string, w status.Window) (status.Listing, error) {
	f, err := s.store.Config().FindFolder(bep.FolderID(folder))
	if err != nil {
		return status.Listing{}, err
	}
	out, err := s.engine.Needed(ctx, f.ID, bounded(w))
	return out, named(err, codeNotRunning)
}

package service

import (
	"context"

	"lanyard/sync/bep"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
)

// List gives a part of what a directory of a folder holds, the root where path is
// empty. after is where it begins: what the part before said, or nothing.
func (s *Service) List(ctx context.Context, folder, path, after string) (status.Listing, error) {
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
	out, err := s.engine.List(ctx, f.ID, dir, after)
	return out, named(err, codeNotRunning)
}

// Needed gives a part of what is still to come to a folder. after is where it
// begins: what the part before said, or nothing.
func (s *Service) Needed(ctx context.Context, folder, after string) (status.Listing, error) {
	f, err := s.store.Config().FindFolder(bep.FolderID(folder))
	if err != nil {
		return status.Listing{}, err
	}
	out, err := s.engine.Needed(ctx, f.ID, after)
	return out, named(err, codeNotRunning)
}

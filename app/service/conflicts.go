package service

import (
	"context"

	"lanyard/app/config"
	"lanyard/sync/bep"
	"lanyard/sync/status"
)

// Settling says which of two versions is to be kept.
type Settling struct {
	Path  string `json:"path" doc:"of either version; where a file has more than two, of one beside it"`
	Keep  string `json:"keep" enum:"mine,theirs,both" doc:"the one that goes is kept as an old version"`
	Token string `json:"token,omitempty" doc:"of the two that were shown: nothing is done if they are others now"`
}

// Settled is what came of it.
type Settled struct {
	Done bool `json:"done" doc:"false: one of the two was changed meanwhile, and nothing was done"`
}

// Conflicts gives a part of the files of a folder that two devices changed at once.
func (s *Service) Conflicts(ctx context.Context, folder string, w status.Window) (status.Conflicts, error) {
	f, err := s.store.Config().FindFolder(bep.FolderID(folder))
	if err != nil {
		return status.Conflicts{}, err
	}
	out, err := s.engine.Conflicts(ctx, f.ID, bounded(w))
	return out, named(err, codeNotRunning)
}

// Conflict gives the two versions of a file, with their text where that is
// short.
func (s *Service) Conflict(ctx context.Context, folder, path string) (status.TwoVersions, error) {
	id, p, err := s.name(folder, path)
	if err != nil {
		return status.TwoVersions{}, err
	}
	out, err := s.engine.Conflict(ctx, id, p)
	return out, named(err, codeNotTwo)
}

// Settle leaves one of two versions under the name and keeps the other as an
// old version, or leaves each as a file of its own.
func (s *Service) Settle(ctx context.Context, folder string, req Settling) (Settled, error) {
	id, p, err := s.name(folder, req.Path)
	if err != nil {
		return Settled{}, err
	}
	keep, err := keeping(req.Keep)
	if err != nil {
		return Settled{}, err
	}
	done, err := s.engine.Settle(ctx, id, p, keep, req.Token)
	return Settled{done}, named(err, codeNotTwo)
}

// keeping reads which of two versions a person wants.
func keeping(said string) (status.Keep, error) {
	keep := status.Keep(said)
	if keep != status.KeepMine && keep != status.KeepTheirs && keep != status.KeepBoth {
		return "", &config.Refusal{
			Reason: config.Invalid, Item: said, Text: "one of the two versions is kept, or both",
			Remedy: `say "mine", "theirs" or "both"`,
		}
	}
	return keep, nil
}

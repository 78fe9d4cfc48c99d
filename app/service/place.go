package service

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"lanyard/app/config"
	"lanyard/sync/relpath"
)

// PlaceRequest asks what stands at a path.
type PlaceRequest struct {
	Path string `json:"path" doc:"absolute; it need not exist"`
}

// Place is what stands at a path that a person may share.
type Place struct {
	Path   string `json:"path" doc:"as it would be configured"`
	Exists bool   `json:"exists" doc:"false: sharing makes a new, empty directory"`
	Files  int64  `json:"files"`
	Bytes  int64  `json:"bytes"`
	Whole  bool   `json:"whole" doc:"false where there is more than could be counted in time, or some of it cannot be read"`
	// Refused says why the path cannot be shared, nil where it can: whoever asks is
	// in the middle of typing it, mostly.
	Refused *Error `json:"refused"`
}

// lookFor is how long a look counts: a person waits for it.
const lookFor = 2 * time.Second

// Look tells what stands at a path, so that a person sees what they are about to
// share. It changes nothing, follows no link below the path, and takes two seconds
// at most where the disk answers.
func (s *Settings) Look(ctx context.Context, req PlaceRequest) (Place, error) {
	out := Place{Path: filepath.Clean(req.Path), Whole: true}
	err := s.store.Config().CheckPlace(s.store.Home(), req.Path)
	if err == nil {
		out.Exists, err = config.CheckUsable(out.Path)
	}
	if out.Refused = Describe(err); err != nil || !out.Exists {
		return out, nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	out.count(ctx)
	return out, nil
}

// atOnce is how many names of a directory are read at a time.
const atOnce = 256

// count adds up what lies below the path, but for what syncing keeps there, until
// ctx ends.
func (p *Place) count(ctx context.Context) {
	for pending := []string{p.Path}; len(pending) > 0; {
		if ctx.Err() != nil {
			p.Whole = false
			return
		}
		last := len(pending) - 1
		below, err := p.countIn(ctx, pending[last])
		pending = append(pending[:last], below...)
		p.Whole = p.Whole && err == nil
	}
}

// countIn adds up one directory, and gives those that lie in it.
func (p *Place) countIn(ctx context.Context, dir string) (below []string, err error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close() // only read from: nothing is lost with the error
	for ctx.Err() == nil {
		entries, err := d.ReadDir(atOnce)
		for _, e := range entries {
			switch {
			case dir == p.Path && !content(e.Name()), relpath.TempBase(e.Name()):
			case e.IsDir():
				below = append(below, filepath.Join(dir, e.Name()))
			case e.Type().IsRegular():
				if info, err := e.Info(); err == nil { // else it is gone by now
					p.Files++
					p.Bytes += info.Size()
				}
			}
		}
		if errors.Is(err, io.EOF) {
			return below, nil
		}
		if err != nil {
			return below, err
		}
	}
	return below, ctx.Err()
}

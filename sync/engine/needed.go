package engine

import (
	"context"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
)

// Needed gives a part of what is still to come to a folder here, with whole paths
// for names, in their order. after is where it begins, as the part before says.
// What is held is left out: it waits for a person.
func (e *Engine) Needed(ctx context.Context, id bep.FolderID, after string) (status.Listing, error) {
	return e.needed(ctx, id, after, listedAtOnce)
}

func (e *Engine) needed(ctx context.Context, id bep.FolderID, after string, most int) (status.Listing, error) {
	out := status.Listing{Files: []status.Listed{}}
	r, err := e.running(id)
	if err != nil {
		return out, err
	}
	at := relpath.Root
	if after != "" {
		if at, err = relpath.Parse(after); err != nil {
			return out, err
		}
	}
	failed := r.View().Failed
	ix := e.folder(id).index
	for {
		page, err := ix.Needed(at, min(readAtOnce, most))
		if err != nil || len(page) == 0 {
			return out, err
		}
		if ctx.Err() != nil {
			return out, context.Cause(ctx)
		}
		for i := range page {
			n := &page[i]
			g := &n.Global
			if at = g.Name; r.Holds(n) {
				continue
			}
			stood := bep.FileInfo{Type: g.Type}
			row := status.Listed{
				Name: g.Name.String(), Kind: kindOf(&stood), Modified: time.Unix(0, g.ModUnixNano()).UTC(), State: status.FileComing, Deleted: g.Deleted,
			}
			if g.Type == bep.TypeFile && !g.Deleted {
				row.Bytes = g.Size
			}
			if failed[g.Name] != nil {
				row.State = status.FileFailed
			}
			out.Files = append(out.Files, row)
		}
		if len(out.Files) >= most {
			out.Next = at.String()
			return out, nil
		}
	}
}

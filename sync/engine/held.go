package engine

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/fault"
	"lanyard/sync/folder"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
)

// Decide says what is to become of the deletions that the brake holds in a
// folder: all, or those that token stands for. It returns what was decided on,
// once the decision is durable; carrying it out follows.
func (e *Engine) Decide(ctx context.Context, id bep.FolderID, c status.Choice, token string) ([]status.Held, error) {
	type outcome struct {
		held []status.Held
		err  error
	}
	done := make(chan outcome, 1)
	e.DecideLater(id, c, token, func(held []status.Held, err error) { done <- outcome{held, err} })
	select {
	case out := <-done:
		return out.held, out.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// DecideLater is Decide for those who cannot wait: done is called with the
// outcome, or not at all if the folder is stopped before.
func (e *Engine) DecideLater(id bep.FolderID, c status.Choice, token string, done func([]status.Held, error)) {
	r, err := e.running(id)
	if err != nil {
		done([]status.Held{}, err)
		return
	}
	r.Decide(c, token, func(held []folder.Held, err error) { done(e.heldViews(held), err) })
}

// heldIn gives what is held in a folder, never nil.
func (e *Engine) heldIn(f *folderEntry) []status.Held {
	if f == nil || f.runner == nil {
		return []status.Held{}
	}
	return e.heldViews(f.runner.Held())
}

// HeldFiles gives a part of the files whose deletion is held in a folder in one
// direction, by name.
func (e *Engine) HeldFiles(ctx context.Context, id bep.FolderID, direction status.Direction, w status.Window) (status.HeldFiles, error) {
	out := status.HeldFiles{Files: []status.HeldFile{}}
	r, err := e.running(id)
	if err != nil {
		return out, err
	}
	if direction == status.Outgoing {
		find := folded(w.Find)
		lost := slices.DeleteFunc(r.LostFiles(), func(f folder.LostFile) bool { return !strings.Contains(folded(f.Path.String()), find) })
		out.Total = len(lost)
		for _, f := range part(lost, w) {
			out.Files = append(out.Files, status.HeldFile{Path: f.Path.String(), Bytes: f.Bytes})
		}
		return out, nil
	}
	ix := e.folder(id).index
	stamp, err := stampWithHeld(ix, r)
	if err != nil {
		return out, err
	}
	key := listKey{folder: id, held: true, find: folded(w.Find)}
	spots, total, err := e.spots(key, w, stamp, heldNames(ctx, ix, r, key.find))
	if out.Total = total; err != nil {
		return out, err
	}
	for _, s := range spots {
		n, ok, err := ix.NeededOne(s.path)
		if err != nil {
			return out, err
		}
		if !ok || !heldFile(r, &n) {
			continue // decided on meanwhile
		}
		row := status.HeldFile{Path: s.name, Bytes: n.Local.Size}
		for _, name := range e.whoDeleted(folder.Held{By: []device.ShortID{n.Global.ModifiedBy}, From: n.From}) {
			row.Device = name
			break
		}
		out.Files = append(out.Files, row)
	}
	return out, nil
}

// holding gives what the brake holds that a name is part of, nil for nothing. n
// counts where the name is needed.
func (e *Engine) holding(f *folderEntry, p relpath.Path, n *index.Needed, needed bool) *status.Held {
	direction := status.Incoming
	switch {
	case f.runner.Lost(p):
		direction = status.Outgoing
	case !needed || !f.runner.Holds(n):
		return nil
	}
	for _, h := range e.heldIn(f) {
		if h.Direction == direction {
			return &h
		}
	}
	return nil // decided on, or just about to be held
}

func (e *Engine) heldViews(held []folder.Held) []status.Held {
	out := make([]status.Held, 0, len(held))
	for _, h := range held {
		v := status.Held{
			Direction: status.Incoming, Files: h.Files, Dirs: h.Dirs, Links: h.Links, Bytes: h.Bytes, Total: h.Total,
			Devices: []string{}, Names: make([]string, 0, len(h.Names)), Since: h.Since.UTC(), Token: h.Token,
		}
		if h.Outgoing {
			v.Direction = status.Outgoing
		} else {
			v.Devices = e.whoDeleted(h)
		}
		for _, p := range h.Names {
			v.Names = append(v.Names, p.String())
		}
		out = append(out, v)
	}
	return out
}

// whoDeleted names the devices that deleted what is held. One that we do not
// know deleted it through another, which is named instead.
func (e *Engine) whoDeleted(h folder.Held) []string {
	e.mu.Lock()
	specs := e.desired.Devices
	e.mu.Unlock()
	names := []string{}
	for _, spec := range specs {
		if slices.Contains(h.By, spec.ID.Short()) {
			names = append(names, e.nameOf(spec.ID))
		}
	}
	if len(names) == len(h.By) {
		return names
	}
	for _, dev := range h.From {
		if name := e.nameOf(dev); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// heldError gives what is held in one direction as the condition that it is.
func heldError(h status.Held) error {
	n, total := strconv.FormatInt(h.Files, 10), strconv.FormatInt(h.Total, 10)
	if h.Direction == status.Outgoing {
		err := fault.New(fault.Folder, "own-deletions-held",
			"%d of %d files are gone here, and the other devices are not told until you decide: see \"lanyard folder held\"", h.Files, h.Total)
		return fault.With(err, "n", n, "total", total)
	}
	err := fault.New(fault.Folder, "deletions-held",
		"%d of %d files were deleted elsewhere, and are kept here until you decide: see \"lanyard folder held\"", h.Files, h.Total)
	pairs := []string{"n", n, "total", total}
	if len(h.Devices) > 0 {
		pairs = append(pairs, "devices", strings.Join(h.Devices, "\n"))
	}
	return fault.With(err, pairs...)
}

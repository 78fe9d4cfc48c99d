package engine

import (
	"context"
	"slices"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/fault"
	"lanyard/sync/folder"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
)

// running gives a folder's runner, or why there is none.
func (e *Engine) running(id bep.FolderID) (*folder.Runner, error) {
	f := e.folder(id)
	switch {
	case f == nil:
		return nil, fault.New(fault.Item, "", "there is no folder %q here; see the list of folders", id)
	case f.err != nil:
		return nil, f.err
	case f.runner == nil:
		return nil, fault.New(fault.Item, "paused-by-you", "the folder %q is paused; resume it first", id)
	}
	return f.runner, nil
}

// Scan scans the paths of a folder, all of it where there are none, and
// returns when the result is durable.
func (e *Engine) Scan(ctx context.Context, id bep.FolderID, paths []relpath.Path) error {
	if err := e.settleTurn(ctx); err != nil {
		return err
	}
	r, err := e.running(id)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	r.Scan(paths, func(err error) { done <- err })
	select {
	case err := <-done:
		return e.named(id, err)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// named lets an error of a folder tell which one it is.
func (e *Engine) named(id bep.FolderID, err error) error {
	f := e.folder(id)
	if f == nil {
		return err
	}
	return fault.With(err, "folder", labelOf(f.spec), "id", string(id), "path", f.spec.Path)
}

// settleTurn waits until what was applied before has been carried out.
func (e *Engine) settleTurn(ctx context.Context) error {
	done := make(chan struct{})
	if !e.turn.Post(func() { close(done) }) {
		return fault.New(fault.Retry, "", "the engine is stopping")
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Wait returns nil, nil once the folders (all that are not paused where none
// are named) are in sync with the device, or with every connected one that
// shares them where dev is zero; at least one device must be connected for
// each. When ctx ends it gives what is missing.
func (e *Engine) Wait(ctx context.Context, folders []bep.FolderID, dev device.ID) ([]Waiting, error) {
	if err := e.settleTurn(ctx); err != nil {
		return nil, err
	}
	for _, id := range folders {
		if _, err := e.running(id); err != nil {
			return nil, err
		}
	}
	for {
		changed := e.Changed()
		missing := e.missing(e.Snapshot(), folders, dev)
		if len(missing) == 0 {
			return nil, nil
		}
		timer := time.NewTimer(lookAgain)
		select {
		case <-changed:
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return missing, nil
		}
		timer.Stop()
	}
}

// lookAgain is how often Wait looks although nothing was said to change.
const lookAgain = 200 * time.Millisecond

// missing lists what a Wait still lacks.
func (e *Engine) missing(s status.Snapshot, folders []bep.FolderID, dev device.ID) []Waiting {
	var out []Waiting
	for i := range s.Folders {
		f := &s.Folders[i]
		id := bep.FolderID(f.ID)
		if len(folders) > 0 && !slices.Contains(folders, id) || len(folders) == 0 && f.State == status.Paused {
			continue
		}
		switch {
		case f.State == status.Stopped && f.Problem != nil:
			out = append(out, Waiting{Folder: id, Reason: f.Problem.Text, Problem: f.Problem})
		case f.State != status.Idle:
			out = append(out, Waiting{Folder: id, Items: f.Need.Items, Bytes: f.Need.Bytes, Reason: string(f.State)})
		case !f.InSync:
			w := Waiting{Folder: id, Items: f.Need.Items, Bytes: f.Need.Bytes, Reason: "not everything is here"}
			if f.Problem != nil {
				w.Reason, w.Problem = f.Problem.Text, f.Problem
			}
			out = append(out, w)
		}
		out = append(out, missingThere(s, f, dev)...)
	}
	return out
}

// missingThere lists what the other devices lack of a folder.
func missingThere(s status.Snapshot, f *status.Folder, dev device.ID) []Waiting {
	var out []Waiting
	id := bep.FolderID(f.ID)
	any := false
	for _, d := range s.Devices {
		other, err := device.Parse(d.ID)
		need, shares := d.Folders[f.ID]
		if err != nil || !shares || !dev.IsZero() && other != dev {
			continue
		}
		if !d.Connected {
			if !dev.IsZero() {
				return []Waiting{{Folder: id, Device: other, Reason: "it is not connected"}}
			}
			continue
		}
		any = true
		switch {
		case !need.Current:
			out = append(out, Waiting{Folder: id, Device: other, Reason: "it has not told what it has yet, or does not share the folder back"})
		case need.NeedItems > 0:
			out = append(out, Waiting{Folder: id, Device: other, Items: need.NeedItems, Bytes: need.NeedBytes, Reason: "it does not have everything yet"})
		}
	}
	if !any {
		out = append(out, Waiting{Folder: id, Device: dev, Reason: "no device that shares it is connected"})
	}
	return out
}

func kindOf(f *bep.FileInfo) string {
	switch {
	case f.Deleted:
		return "deleted"
	case f.Type == bep.TypeDirectory:
		return "directory"
	case f.Type == bep.TypeSymlink:
		return "symlink"
	}
	return "file"
}

// Versions gives a part of the stored versions of a name, newest first.
func (e *Engine) Versions(_ context.Context, id bep.FolderID, p relpath.Path, w status.Window) (status.StoredVersions, error) {
	r, err := e.running(id)
	if err != nil {
		return status.StoredVersions{Versions: []status.StoredVersion{}}, err
	}
	return r.Versions(p, w)
}

// Restore brings a stored version back: the newest where at is zero, to the
// name it had where to is the root. What stands there becomes a version
// itself.
func (e *Engine) Restore(ctx context.Context, id bep.FolderID, p relpath.Path, at time.Time, to relpath.Path) error {
	r, err := e.running(id)
	if err != nil {
		return err
	}
	target, err := r.Restore(p, at, to)
	if err != nil {
		return err
	}
	return e.Scan(ctx, id, []relpath.Path{target})
}

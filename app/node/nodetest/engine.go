// Package nodetest has an engine for tests of what stands above the engine: it
// keeps what it is told, shows it in its snapshot, and does no work.
package nodetest

import (
	"context"
	"slices"
	"sync"
	"time"

	"lanyard/app/node"
	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/engine"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
)

var _ node.Engine = (*Engine)(nil)

// Engine is a node.Engine without files and without a network. Set the
// functions before use; a nil one succeeds with nothing.
type Engine struct {
	OnScan     func(ctx context.Context, folder bep.FolderID, paths []relpath.Path) error
	OnWait     func(ctx context.Context, folders []bep.FolderID, dev device.ID) ([]engine.Waiting, error)
	OnWhy      func(folder bep.FolderID, p relpath.Path) (status.Why, error)
	OnVersions func(folder bep.FolderID, p relpath.Path) ([]status.StoredVersion, error)
	OnRestore  func(folder bep.FolderID, p relpath.Path, at time.Time, to relpath.Path) error

	OnPreview func(dev device.ID, folder bep.FolderID, path string) (status.Preview, error)
	OnChoose  func(dev device.ID, folder bep.FolderID, path string, keep status.Keep, token string) (bool, error)

	OnConflicts func(folder bep.FolderID) (status.Conflicts, error)
	OnSettle    func(folder bep.FolderID, p relpath.Path, keep status.Keep, token string) (bool, error)

	OnHearings func() []engine.Hearing

	OnHeldFiles func(f bep.FolderID, d status.Direction, find string) []status.HeldFile
	OnDecide    func(id bep.FolderID, c status.Choice, token string) ([]status.Held, error)

	mu      sync.Mutex
	options node.EngineOptions
	snap    status.Snapshot
	changed chan struct{} // closed at a change, and then replaced
}

// New makes an engine.
func New() *Engine { return &Engine{changed: make(chan struct{})} }

// Make is a node.MakeEngine that gives e.
func (e *Engine) Make(o node.EngineOptions) (node.Engine, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.options = o
	e.snap = status.Snapshot{
		DeviceID: o.ID.String(), Name: o.Name, Version: o.Version, Listen: append([]string{}, o.Listen...),
		Folders: []status.Folder{}, Devices: []status.Device{},
		Offers: []status.Offer{}, Problems: []status.Problem{},
	}
	return e, nil
}

// Options gives what the engine was made from.
func (e *Engine) Options() node.EngineOptions {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.options
}

// Run waits for the end of ctx.
func (e *Engine) Run(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

// Apply shows the desired folders and devices in the snapshot.
func (e *Engine) Apply(d engine.Desired) {
	e.Change(func(s *status.Snapshot) {
		s.Name = d.Name
		s.Folders = make([]status.Folder, 0, len(d.Folders))
		for _, f := range d.Folders {
			s.Folders = append(s.Folders, folder(f))
		}
		s.Devices = make([]status.Device, 0, len(d.Devices))
		for _, dev := range d.Devices {
			s.Devices = append(s.Devices, status.Device{
				ID: dev.ID.String(), Name: dev.Name, Paused: dev.Paused, Folders: map[string]status.DeviceNeed{},
				Problems: []status.Problem{}, Sending: []status.Sending{},
			})
		}
	})
}

func folder(f engine.FolderSpec) status.Folder {
	types := []string{"send-receive", "send-only", "receive-only", "receive-encrypted"}
	out := status.Folder{
		ID: string(f.ID), Label: f.Label, Path: f.Path, Type: types[f.Type], State: status.Idle,
		Problems: []status.Problem{}, Failed: []status.Failed{}, InSync: !f.Paused, Progress: status.Progress{Files: []status.FileProgress{}}, Devices: []string{},
	}
	if f.Paused {
		out.State = status.Paused
	}
	for _, id := range f.Shared {
		out.Devices = append(out.Devices, id.String())
	}
	return out
}

// Change changes the snapshot and wakes those who wait for a change.
func (e *Engine) Change(f func(*status.Snapshot)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	f(&e.snap)
	close(e.changed)
	e.changed = make(chan struct{})
}

// Snapshot gives the state.
func (e *Engine) Snapshot() status.Snapshot {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.snap
	s.Folders, s.Devices = slices.Clone(s.Folders), slices.Clone(s.Devices)
	s.Offers, s.Problems = slices.Clone(s.Offers), slices.Clone(s.Problems)
	return s
}

// Changed gives a channel that is closed at the next change.
func (e *Engine) Changed() <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.changed
}

// Scan calls OnScan.
func (e *Engine) Scan(ctx context.Context, f bep.FolderID, paths []relpath.Path) error {
	if e.OnScan == nil {
		return nil
	}
	return e.OnScan(ctx, f, paths)
}

// Wait calls OnWait.
func (e *Engine) Wait(ctx context.Context, folders []bep.FolderID, dev device.ID) ([]engine.Waiting, error) {
	if e.OnWait == nil {
		return nil, nil
	}
	return e.OnWait(ctx, folders, dev)
}

// Why calls OnWhy.
func (e *Engine) Why(_ context.Context, f bep.FolderID, p relpath.Path) (status.Why, error) {
	if e.OnWhy == nil {
		return status.Why{}, nil
	}
	return e.OnWhy(f, p)
}

// WhyDevice says nothing.
func (e *Engine) WhyDevice(context.Context, device.ID) (status.Why, error) { return status.Why{}, nil }

// Versions gives a window of what OnVersions gives.
func (e *Engine) Versions(_ context.Context, f bep.FolderID, p relpath.Path, w status.Window) (status.StoredVersions, error) {
	out := status.StoredVersions{Versions: []status.StoredVersion{}}
	if e.OnVersions == nil {
		return out, nil
	}
	all, err := e.OnVersions(f, p)
	out.Total = len(all)
	out.Versions = append(out.Versions, all[min(w.From, len(all)):min(w.From+w.Most, len(all))]...)
	return out, err
}

// Decide calls OnDecide.
func (e *Engine) Decide(_ context.Context, id bep.FolderID, c status.Choice, token string) ([]status.Held, error) {
	if e.OnDecide == nil {
		return nil, nil
	}
	return e.OnDecide(id, c, token)
}

// HeldFiles gives a window of what OnHeldFiles gives.
func (e *Engine) HeldFiles(_ context.Context, f bep.FolderID, d status.Direction, w status.Window) (status.HeldFiles, error) {
	out := status.HeldFiles{Files: []status.HeldFile{}}
	if e.OnHeldFiles == nil {
		return out, nil
	}
	all := e.OnHeldFiles(f, d, w.Find)
	out.Total = len(all)
	out.Files = append(out.Files, all[min(w.From, len(all)):min(w.From+w.Most, len(all))]...)
	return out, nil
}

// Hearings calls OnHearings.
func (e *Engine) Hearings(context.Context) []engine.Hearing {
	if e.OnHearings == nil {
		return nil
	}
	return e.OnHearings()
}

// Preview calls OnPreview.
func (e *Engine) Preview(_ context.Context, dev device.ID, f bep.FolderID, path string) (status.Preview, error) {
	if e.OnPreview == nil {
		return status.Preview{Names: []status.Differing{}}, nil
	}
	return e.OnPreview(dev, f, path)
}

// Choose calls OnChoose.
func (e *Engine) Choose(_ context.Context, dev device.ID, f bep.FolderID, path string, keep status.Keep, token string) (bool, error) {
	if e.OnChoose == nil {
		return true, nil
	}
	return e.OnChoose(dev, f, path, keep, token)
}

// Refuse notes it in the snapshot.
func (e *Engine) Refuse(_ context.Context, dev device.ID, id bep.FolderID, refused bool) error {
	e.Change(func(s *status.Snapshot) {
		s.Offers = slices.Clone(s.Offers)
		for i := range s.Offers {
			if o := &s.Offers[i]; o.Device == dev.String() && o.Folder == string(id) {
				o.Refused = refused
			}
		}
	})
	return nil
}

// Restore calls OnRestore.
func (e *Engine) Restore(_ context.Context, f bep.FolderID, p relpath.Path, at time.Time, to relpath.Path) error {
	if e.OnRestore == nil {
		return nil
	}
	return e.OnRestore(f, p, at, to)
}

// IndexStats gives figures of an empty index.
func (e *Engine) IndexStats(_ context.Context, f bep.FolderID) (status.IndexStats, error) {
	return status.IndexStats{Folder: string(f), IndexID: "0", Sequence: "0"}, nil
}

// CheckIndex finds nothing.
func (e *Engine) CheckIndex(context.Context, bep.FolderID) error { return nil }

// ShowIndex knows of no name.
func (e *Engine) ShowIndex(_ context.Context, f bep.FolderID, p relpath.Path) (status.IndexEntry, error) {
	return status.IndexEntry{Folder: string(f), Path: p.String(), Devices: []status.IndexVersion{}}, nil
}

// ExportIndex writes nothing.
func (e *Engine) ExportIndex(context.Context, bep.FolderID, string) error { return nil }

// Conflicts calls OnConflicts.
func (e *Engine) Conflicts(_ context.Context, folder bep.FolderID, _ status.Window) (status.Conflicts, error) {
	if e.OnConflicts == nil {
		return status.Conflicts{Files: []status.TwoVersions{}}, nil
	}
	return e.OnConflicts(folder)
}

// Conflict gives the first of OnConflicts.
func (e *Engine) Conflict(ctx context.Context, folder bep.FolderID, _ relpath.Path) (status.TwoVersions, error) {
	all, err := e.Conflicts(ctx, folder, status.Window{})
	if err != nil || len(all.Files) == 0 {
		return status.TwoVersions{}, err
	}
	return all.Files[0], nil
}

// Settle calls OnSettle.
func (e *Engine) Settle(_ context.Context, folder bep.FolderID, p relpath.Path, keep status.Keep, token string) (bool, error) {
	if e.OnSettle == nil {
		return true, nil
	}
	return e.OnSettle(folder, p, keep, token)
}

// Rules gives none.
func (e *Engine) Rules(context.Context, bep.FolderID) (status.Rules, error) {
	return status.Rules{}, nil
}

// TryRules finds nothing.
func (e *Engine) TryRules(context.Context, bep.FolderID, string) (status.RulesTried, error) {
	return status.RulesTried{Names: []string{}}, nil
}

// SetRules succeeds.
func (e *Engine) SetRules(context.Context, bep.FolderID, string, string) (bool, error) {
	return true, nil
}

// List gives nothing.
func (e *Engine) List(context.Context, bep.FolderID, relpath.Path, status.Window) (status.Listing, error) {
	return status.Listing{Files: []status.Listed{}}, nil
}

// Needed gives nothing.
func (e *Engine) Needed(context.Context, bep.FolderID, status.Window) (status.Listing, error) {
	return status.Listing{Files: []status.Listed{}}, nil
}

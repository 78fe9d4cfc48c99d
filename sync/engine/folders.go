package engine

import (
	"cmp"
	"errors"
	"maps"
	"reflect"
	"slices"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/folder"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/peer"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
	"lanyard/sync/watch"
)

// Defaults of a FolderSpec.
const (
	defaultVersionsFor = 30 * 24 * time.Hour
	defaultRescanEvery = time.Hour
)

// folderEntry is one folder of the engine's.
type folderEntry struct {
	spec   FolderSpec
	index  index.Folder
	runner *folder.Runner // nil while paused
	err    error          // why there is no runner although it is not paused
	meter  *meter
	losses *losses // of what others announced, as long as the folder is ours
}

func (f *folderEntry) stop() {
	if f.runner != nil {
		f.runner.Stop()
	}
}

func sortedFolders[V any](m map[bep.FolderID]V) []bep.FolderID {
	return slices.Sorted(maps.Keys(m))
}

func sortedKeys[V any](m map[device.ID]V) []device.ID {
	return slices.SortedFunc(maps.Keys(m), device.ID.Compare)
}

// apply runs on the turn.
func (e *Engine) apply(d Desired) {
	e.mu.Lock()
	old := e.desired
	e.desired = d
	e.mu.Unlock()
	e.applyFolders(d)
	e.dropCrowds(d)
	e.applyContacts(d)
	e.applyDevices(old, d)
	e.configureAll()
	e.tellRevoked(old, d)
	e.offeredAgain()
	if e.net != nil {
		e.net.apply(d)
	}
	e.touch()
}

func (e *Engine) applyFolders(d Desired) {
	want := map[bep.FolderID]FolderSpec{}
	for _, f := range d.Folders {
		f.VersionsFor = cmp.Or(f.VersionsFor, defaultVersionsFor)
		f.RescanEvery = cmp.Or(f.RescanEvery, defaultRescanEvery)
		want[f.ID] = f
	}
	e.mu.Lock()
	have := maps.Clone(e.folders)
	e.mu.Unlock()
	for _, id := range sortedFolders(have) {
		f := have[id]
		w, keep := want[id]
		switch {
		case !keep:
			f.stop()
			e.setFolder(id, nil)
			e.setBack(id, false)
			if err := e.o.Store.Drop(id); err != nil {
				e.o.Log.Error("remove index", "folder", string(id), "error", err)
			}
		case !sameRunner(f.spec, w):
			f.stop()
			e.startFolder(w, f.index)
		default:
			// In this order: whoever stores an index looks afterwards whether the
			// folder is still shared.
			e.setFolder(id, &folderEntry{spec: w, index: f.index, runner: f.runner, err: f.err, meter: f.meter, losses: f.losses})
			e.dropUnshared(f.index, f.spec.Shared, w.Shared)
		}
	}
	for _, id := range sortedFolders(want) {
		if have[id] == nil {
			e.startFolder(want[id], nil)
		}
	}
}

// sameRunner reports whether a running folder can go on as it is.
func sameRunner(a, b FolderSpec) bool {
	a.Label, b.Label = "", ""
	a.MaxEntries, b.MaxEntries = 0, 0
	a.Shared, b.Shared = nil, nil
	return reflect.DeepEqual(a, b)
}

// dropUnshared forgets the indexes of devices that no longer share a folder:
// they start from nothing if they ever share it again.
func (e *Engine) dropUnshared(ix index.Folder, before, after []device.ID) {
	if ix == nil {
		return // it is made anew, and then knows nobody
	}
	for _, dev := range before {
		if slices.Contains(after, dev) {
			continue
		}
		if e.isBarred(dev) {
			e.forgetExtended(ix, dev)
		} else if err := noteMet(ix, dev); err != nil {
			e.o.Log.Warn("note that a device was known", "device", dev.Short().String(), "error", err)
		}
		e.dropRemote(ix, dev)
	}
}

func (e *Engine) dropRemote(ix index.Folder, dev device.ID) {
	if err := ix.DropRemote(dev); err != nil {
		e.o.Log.Error("forget device", "device", dev.Short().String(), "error", err)
	}
}

// stillShared reports whether a folder is shared with a device. What the device
// announced meanwhile is forgotten where it is not: it began to be stored when
// it still was.
func (e *Engine) stillShared(id bep.FolderID, ix index.Folder, dev device.ID) bool {
	f := e.folder(id)
	if f != nil && slices.Contains(f.spec.Shared, dev) {
		return true
	}
	if f != nil && f.index == ix {
		e.dropRemote(ix, dev)
	}
	return false
}

// setFolder notes a folder, nil for none. After Close it stops it instead:
// nobody else would.
func (e *Engine) setFolder(id bep.FolderID, f *folderEntry) {
	e.mu.Lock()
	closed := e.closed
	switch {
	case closed:
	case f == nil:
		delete(e.folders, id)
	default:
		e.folders[id] = f
	}
	e.mu.Unlock()
	if closed && f != nil {
		f.stop()
	}
}

func (e *Engine) folder(id bep.FolderID) *folderEntry {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.folders[id]
}

// startFolder opens a folder's index, unless it is open, and starts its runner
// unless it is paused.
func (e *Engine) startFolder(spec FolderSpec, ix index.Folder) {
	f := &folderEntry{spec: spec, index: ix, meter: &meter{}, losses: &losses{}}
	if before := e.folder(spec.ID); before != nil {
		f.losses = before.losses
	}
	defer e.setFolder(spec.ID, f)
	if ix == nil {
		if f.index, f.err = e.o.Store.Folder(spec.ID); f.err != nil {
			e.o.Log.Error("open index", "folder", string(spec.ID), "error", f.err)
			f.index = nil
			e.rebuildIfDamaged(spec.ID, f.err)
			return
		}
		if err := f.index.Begin(); err != nil { // whether the index went back is harder to see now, no more
			e.o.Log.Warn("begin run of index", "folder", string(spec.ID), "error", err)
		}
		ix := f.index
		ix.OnDamage(func(error) { e.turn.Post(func() { e.damaged(spec.ID, ix) }) })
	}
	if lost, ok := f.index.Recovery(); ok && lost.Cause == index.RolledBack {
		e.setBack(spec.ID, true)
	}
	e.forgetStrangers(f)
	if spec.Paused {
		return
	}
	f.runner = folder.New(folder.Options{
		ID: spec.ID, Type: spec.Type, Self: e.o.ID, Index: f.index, Exec: e.o.Exec, Hash: e.o.Hash,
		Open:       func() (fsys.FS, error) { return e.o.OpenRoot(spec) },
		NewWatcher: e.watcherOf(spec),
		Source:     source{e, spec.ID},
		Boot:       e.o.Boot,
		Brake:      spec.Brake, NoBrake: spec.NoBrake,
		VersionsFor: spec.VersionsFor, RescanEvery: spec.RescanEvery,
		Announce:  func() { e.announce(spec.ID) },
		Did:       e.didIn(spec),
		Whole:     func() (int64, bool) { return e.whole(spec.ID) },
		Recovered: func() { e.turn.Post(e.configureAll) },
		Changed:   func() { e.tellOffersSoon(); e.touch() },
		Sums:      func() bool { return e.wantsSums(spec.ID) },
		Log:       e.o.Log,
	})
	f.runner.Start()
}

// didIn gives what takes the deeds in a folder, nil where nobody wants to know.
func (e *Engine) didIn(spec FolderSpec) func(status.Deed) {
	if e.o.Did == nil {
		return nil
	}
	label := labelOf(spec)
	return func(d status.Deed) { e.o.Did(spec.ID, label, d) }
}

// watcherOf gives how a folder's watcher is made, nil where there is to be
// none.
func (e *Engine) watcherOf(spec FolderSpec) func(func(relpath.Path) bool) watch.Watcher {
	if e.o.Exec.Inline() {
		return nil
	}
	return func(skip func(relpath.Path) bool) watch.Watcher { return e.o.NewWatcher(spec, skip) }
}

// forgetStrangers drops what devices announced that do not share the folder
// any more: a removal that a crash cut short.
func (e *Engine) forgetStrangers(f *folderEntry) {
	remotes, err := f.index.Remotes()
	if err != nil {
		f.err = err
		return
	}
	e.dropUnshared(f.index, remotes, f.spec.Shared)
}

// announce tells the peers that share a folder that our index has news.
func (e *Engine) announce(id bep.FolderID) {
	for _, p := range e.sharing(id) {
		p.Changed(id)
	}
	e.tellOffersSoon()
	e.touch()
}

// sharing lists the connected peers that share a folder, in ID order.
func (e *Engine) sharing(id bep.FolderID) []*peer.Peer {
	e.mu.Lock()
	defer e.mu.Unlock()
	f := e.folders[id]
	if f == nil {
		return nil
	}
	var out []*peer.Peer
	for _, dev := range sortedKeys(e.peers) {
		if slices.Contains(f.spec.Shared, dev) && !e.barred[dev] {
			out = append(out, e.peers[dev].peer)
		}
	}
	return out
}

// localFolders is what we share with a device, as our ClusterConfig tells it.
func (e *Engine) localFolders(dev device.ID) ([]peer.LocalFolder, error) {
	e.mu.Lock()
	folders := maps.Clone(e.folders)
	names := map[device.ID]string{}
	for _, d := range e.desired.Devices {
		names[d.ID] = d.Name
	}
	e.mu.Unlock()
	out := e.lookingAt(dev)
	for _, id := range sortedFolders(folders) {
		f := folders[id]
		if !slices.Contains(f.spec.Shared, dev) {
			continue
		}
		if f.index == nil {
			out = append(out, withoutIndex(f.spec, names))
			continue
		}
		_, hold := f.index.Recovery()
		_, crowds := e.crowds(f, dev)
		lf := peer.LocalFolder{
			ID: id, Label: f.spec.Label, Type: f.spec.Type, Paused: f.spec.Paused || crowds, Hold: hold,
			IndexID: f.index.IndexID(), Sequence: f.index.Sequence(), Runs: f.index.Runs(),
		}
		var err error
		for _, other := range f.spec.Shared {
			state, e := f.index.Remote(other)
			err = errors.Join(err, e)
			lf.Devices = append(lf.Devices, bep.Device{
				ID: other, Name: names[other], Addresses: []string{"dynamic"},
				IndexID: state.IndexID, MaxSequence: state.MaxSequence,
			})
		}
		switch {
		case err == nil:
			out = append(out, lf)
		case givenUp(err):
			out = append(out, withoutIndex(f.spec, names))
		default:
			return nil, err
		}
	}
	return out, nil
}

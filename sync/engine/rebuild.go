package engine

import (
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/fault"
	"lanyard/sync/index"
	"lanyard/sync/peer"
)

// rebuildAgain is the pause after a rebuild that failed, for want of space say.
const rebuildAgain = 30 * time.Second

// codeDamaged is what an index says that cannot be trusted.
const codeDamaged fault.Code = "index-damaged"

// errMending is what is shown of a folder whose index was made anew and is not
// whole yet.
var errMending = fault.New(fault.Folder, codeDamaged, "the index was damaged and is being made anew")

// givenUp reports whether err is that of an index that is not used any more:
// what is lost with it is asked for again when there is a new one.
func givenUp(err error) bool {
	return fault.CodeOf(err) == codeDamaged || errors.Is(err, index.ErrClosed)
}

// unlessGivenUp is err where it is another one.
func unlessGivenUp(err error) error {
	if givenUp(err) {
		return nil
	}
	return err
}

// damaged runs on the turn: the index of a folder turned out not to be trusted.
// The folder alone stops.
func (e *Engine) damaged(id bep.FolderID, ix index.Folder) {
	f := e.folder(id)
	if f == nil || f.index != ix {
		return
	}
	f.stop()
	if err := ix.Close(); err != nil {
		e.o.Log.Warn("close damaged index", "folder", string(id), "error", err)
	}
	e.startFolder(f.spec, nil)
	e.configureAll() // the folder is paused for the others
	e.touch()
}

// rebuildIfDamaged runs on the turn. It has the index made anew beside
// everything else, if err says that it has to be; the folder starts afterwards.
func (e *Engine) rebuildIfDamaged(id bep.FolderID, err error) {
	if fault.CodeOf(err) != codeDamaged || e.rebuilding[id] {
		return
	}
	e.rebuilding[id] = true
	e.o.Exec.Go(func() {
		err := e.o.Store.Rebuild(e.ctx, id)
		e.turn.Post(func() { e.rebuilt(id, err) })
	})
}

// rebuilt runs on the turn. A folder that is not wanted any more, or that runs
// after all because it was removed and added, is left alone.
func (e *Engine) rebuilt(id bep.FolderID, err error) {
	delete(e.rebuilding, id)
	if err != nil {
		e.o.Log.Error("make index anew", "folder", string(id), "error", err)
		e.o.Exec.After(rebuildAgain, func() { e.turn.Post(func() { e.startAgain(id) }) })
		return
	}
	e.o.Log.Info("the index was made anew", "folder", string(id))
	e.startAgain(id)
}

func (e *Engine) startAgain(id bep.FolderID) {
	f := e.folder(id)
	if f == nil || f.index != nil || e.ctx.Err() != nil {
		return
	}
	e.startFolder(f.spec, nil)
	e.configureAll()
	e.touch()
}

// withoutIndex is what others are told of a folder whose index cannot be used
// now: it is paused here.
func withoutIndex(spec FolderSpec, names map[device.ID]string) peer.LocalFolder {
	lf := peer.LocalFolder{ID: spec.ID, Label: spec.Label, Type: spec.Type, Paused: true}
	for _, dev := range spec.Shared {
		lf.Devices = append(lf.Devices, bep.Device{ID: dev, Name: names[dev], Addresses: []string{"dynamic"}})
	}
	return lf
}

// losses follows what devices announced for a folder and is forgotten, which they
// cause at any time: whoever reads name by name what they have would take the names
// that are left for unknown.
type losses struct {
	running atomic.Int64
	begun   atomic.Int64
}

// during counts what do makes forgotten.
func (l *losses) during(do func() error) error {
	l.running.Add(1) // before begun: who finds none running has the count of all that were
	defer l.running.Add(-1)
	l.begun.Add(1)
	return do()
}

// whole reports whether all connected devices that share a folder have told us
// all that they had when they connected, and whether there is one of them. age is
// another one once something of it begins to be forgotten.
func (e *Engine) whole(id bep.FolderID) (age int64, whole bool) {
	f := e.folder(id)
	if f == nil || f.index == nil {
		return 0, false
	}
	age = f.losses.begun.Load()
	return age, f.losses.running.Load() == 0 && e.allTold(f)
}

// allTold is whole as it looks at this moment.
func (e *Engine) allTold(f *folderEntry) bool {
	id := f.spec.ID
	some := len(f.spec.Shared) == 0
	for _, p := range e.sharing(id) {
		shares := p.Shares()
		if shares == nil {
			return false // it did not say anything yet
		}
		joined := slices.ContainsFunc(shares, func(f peer.RemoteFolder) bool { return f.ID == id && f.Joined })
		if joined && (!current(f.index, p.ID(), id, shares) || f.runner != nil && f.runner.AwaitsFormer(p.ID())) {
			return false
		}
		some = some || joined
	}
	return some
}

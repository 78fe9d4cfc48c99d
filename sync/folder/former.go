package folder

import (
	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/scan"
	"lanyard/sync/vector"
)

// A device of our own kind that held an index of ours which is gone tells what
// we had announced to it: the entries that differ from its own. So it is known,
// name by name, how far we were before something was lost, also where versions do
// not tell: which of two that were in conflict had been settled, say.

// MaxFormer bounds the entries kept of one device, and MaxFormerBytes what they
// take in messages; what tells more tells nothing.
const (
	MaxFormer      = 100_000
	MaxFormerBytes = 16 << 20
)

// former is what a device says that we had.
type former struct {
	awaited bool // it has yet to begin, or to end
	done    bool // it has ended, and nothing of it is missing
	excess  bool // it tells too much, and nothing of it is kept
	entries map[relpath.Path]bep.EpochEntry
	bytes   int
}

func (f *former) take(entries []bep.EpochEntry) {
	for i := range entries {
		f.bytes += entries[i].Len()
		f.excess = f.excess || f.bytes > MaxFormerBytes || len(f.entries) >= MaxFormer
		if f.excess {
			f.entries = nil
			return
		}
		if f.entries == nil {
			f.entries = map[relpath.Path]bep.EpochEntry{}
		}
		f.entries[entries[i].Name] = entries[i]
	}
}

// AwaitFormer notes that a device will tell what we had announced to it.
func (r *Runner) AwaitFormer(dev device.ID) { r.setFormer(dev, &former{awaited: true}) }

// ForgetFormer ends waiting for a device that is gone.
func (r *Runner) ForgetFormer(dev device.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if f := r.former[dev]; f != nil && f.awaited {
		delete(r.former, dev)
	}
}

// AwaitsFormer reports whether a device has yet to tell what we had.
func (r *Runner) AwaitsFormer(dev device.ID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.former[dev]
	return f != nil && f.awaited
}

// Former takes entries of what we had announced to a device; done are the last.
// One that shows no loss is not awaited: what it had is known here.
func (r *Runner) Former(dev device.ID, entries []bep.EpochEntry, done bool) {
	r.mu.Lock()
	f := r.former[dev]
	if f == nil || !f.awaited {
		r.mu.Unlock()
		return
	}
	f.take(entries)
	if done {
		f.awaited, f.done = false, !f.excess
	}
	r.mu.Unlock()
	if done {
		r.RemoteChanged() // the index may be whole with it
	}
}

func (r *Runner) setFormer(dev device.ID, f *former) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.former[dev] = f
}

// formers gives what devices have told to the end, in the order of Remotes.
func (r *Runner) formers() (devices []device.ID, told map[device.ID]*former, err error) {
	remotes, err := r.o.Index.Remotes()
	if err != nil {
		return nil, nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	told = map[device.ID]*former{}
	for _, dev := range remotes {
		if f := r.former[dev]; f != nil && f.done {
			devices = append(devices, dev)
			told[dev] = f
		}
	}
	return devices, told, nil
}

// forgetFormers forgets what devices have told, for it was used.
func (r *Runner) forgetFormers(told map[device.ID]*former) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for dev, f := range told {
		if r.former[dev] == f {
			delete(r.former, dev)
		}
	}
}

// had gives the version of a name that we had announced to a device, by what it
// told and by what it has now.
func (r *Runner) had(dev device.ID, f *former, p relpath.Path) (vector.Vector, bool, error) {
	if e, ok := f.entries[p]; ok {
		return e.Version, len(e.Version) > 0, nil
	}
	e, ok, err := r.o.Index.RemoteEntry(dev, p)
	return e.Version, ok && !e.Invalid, err
}

// yieldStale has records from before the loss yield that we had later versions
// of, by what devices tell: they would win over those where they are in conflict
// by their versions alone. It runs on the Disk turn.
func (r *Runner) yieldStale(through int64, devices []device.ID, told map[device.ID]*former) error {
	for _, dev := range devices {
		for after := relpath.Root; r.ctx.Err() == nil; {
			need, err := r.o.Index.RemoteNeeded(dev, after, r.o.Index.Batch())
			if err != nil || len(need) == 0 {
				if err != nil {
					return err
				}
				break
			}
			after = need[len(need)-1].Name
			var recs []index.Record
			for i := range need {
				rec, stale, err := r.stale(dev, told[dev], need[i].Name, through)
				if err != nil {
					return err
				}
				if stale {
					recs = append(recs, rec)
				}
			}
			if len(recs) == 0 {
				continue
			}
			r.o.Log.Info("records that had been replaced before the loss yield", "names", len(recs))
			if _, err := r.o.Index.Update(recs); err != nil {
				return err
			}
		}
	}
	return nil
}

// stale reports whether our record of a name is from before a version that we
// had, and gives it without a version: every other one exceeds it.
func (r *Runner) stale(dev device.ID, f *former, p relpath.Path, through int64) (index.Record, bool, error) {
	rec, ok, err := r.o.Index.Local(p)
	if err != nil || !ok || rec.Sequence > through || rec.Invalid || len(rec.Version) == 0 {
		return rec, false, err
	}
	theirs, known, err := r.o.Index.RemoteEntry(dev, p)
	if err != nil || !known || theirs.Invalid || !vector.Compare(rec.Version, theirs.Version).Concurrent() {
		return rec, false, err // it yields anyway, or the device is behind
	}
	had, ok, err := r.had(dev, f, p)
	if err != nil || !ok || rec.Version.Covers(had) {
		return rec, false, err
	}
	return scan.Yield(rec, r.o.Self.Short()), true, nil
}

// lostVersions gives versions that we had of a name and that may stand nowhere
// any more.
func (f *former) lostVersions(p relpath.Path) []bep.FileInfo {
	e, ok := f.entries[p]
	if !ok || len(e.Version) == 0 {
		return nil
	}
	return []bep.FileInfo{{Name: p, Version: e.Version, Deleted: e.Deleted, BlocksHash: e.BlocksHash}}
}

package folder

import (
	"strconv"

	"lanyard/sync/bep"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/scan"
	"lanyard/sync/vector"
)

// A disk or an index that went back to an older state takes with it changes
// that others know. What is changed here from then on is made without knowledge
// of them, under versions that say otherwise: a counter may be given a second
// time, or a smaller one than was given already. Such a record gets a version
// that stands beside what others have, so that nobody takes the one for a
// later state of the other.

// metaBack holds the highest sequence from before the index last went back;
// records after it were made without knowing what was lost. Empty: it never did.
const metaBack = "back"

// WentBack notes that a device holds entries of ours that were lost, and that
// those after a sequence were made without knowing them: the index is not whole
// until it was compared with what the connected devices have. noted is called
// once that is durable, or with the error.
func (r *Runner) WentBack(through int64, noted func(error)) {
	// At once: what the device announces next must not be pulled before it was
	// compared with what was made here.
	r.losing.Add(1)
	r.post(Recovering{})
	r.disk.Post(func() {
		// A loss from before the last comparison was settled by it: what was made
		// since that one, and is known to whom it was told, is no loss again.
		if lost, pending := r.o.Index.Recovery(); pending {
			through = min(through, lost.Through)
		}
		err := r.o.Index.SetMeta(metaBack, strconv.FormatInt(through, 10))
		if err == nil {
			err = r.o.Index.Lose(index.Recovery{Cause: index.RolledBack, Through: through})
		}
		r.losing.Add(-1)
		if err == nil {
			r.o.Log.Warn("this device went back to an older state; a device knows of later changes")
			r.post(Recovering{})
		}
		noted(err)
	})
}

// back gives what metaBack holds. Where it holds nothing, and yet a device shows
// that something was lost, what was made in this run is taken to be from after
// that.
func (r *Runner) back() (through int64, err error) {
	through = lastOf(r.o.Index.Runs()).After
	text, err := r.o.Index.Meta(metaBack)
	if err != nil || text == "" {
		return through, err
	}
	if noted, err := strconv.ParseInt(text, 10, 64); err == nil {
		return noted, nil
	}
	return through, nil // what is no number says nothing
}

// Disputed takes names of ours of which a device shows that a change was lost.
func (r *Runner) Disputed(names []relpath.Path) {
	if len(names) > 0 {
		r.disk.Post(func() { r.part(names) })
	}
}

// part gives our records of names, where they claim something false of what
// other devices have, versions of their own. It runs on the Disk turn.
func (r *Runner) part(names []relpath.Path) {
	if len(names) == 0 {
		return
	}
	through, err := r.back()
	var recs []index.Record
	var remotes []*remoteEntries
	if err == nil {
		remotes, err = r.remotes()
	}
	for _, p := range names {
		if err != nil {
			break
		}
		var rec index.Record
		var ok bool
		if rec, ok, err = r.parted(p, remotes, through); ok && err == nil {
			recs = append(recs, rec)
		}
	}
	if err == nil && len(recs) > 0 {
		// Only versions are new: what the records describe is durable already.
		_, err = r.o.Index.Update(recs)
	}
	if err != nil {
		r.o.Log.Warn("tell versions apart", "error", err)
		return
	}
	if len(recs) > 0 {
		r.o.Log.Info("changes made after others were lost got versions of their own", "names", len(recs))
		r.o.Announce()
		r.RemoteChanged()
	}
}

// remoteEntries looks up what one device announced.
type remoteEntries struct {
	entry func(relpath.Path) (bep.FileInfo, bool, error)
}

func (r *Runner) remotes() ([]*remoteEntries, error) {
	devices, err := r.o.Index.Remotes()
	if err != nil {
		return nil, err
	}
	out := make([]*remoteEntries, 0, len(devices))
	for _, dev := range devices {
		out = append(out, &remoteEntries{func(p relpath.Path) (bep.FileInfo, bool, error) { return r.o.Index.RemoteEntry(dev, p) }})
	}
	return out, nil
}

// parted gives our record of a name with another version, where it needs one.
// Only who made a version tells it apart: others that have it may have what was
// lost.
func (r *Runner) parted(p relpath.Path, remotes []*remoteEntries, through int64) (index.Record, bool, error) {
	rec, ok, err := r.o.Index.Local(p)
	if err != nil || !ok || rec.ModifiedBy != r.o.Self.Short() || rec.Invalid {
		return rec, false, err
	}
	made := rec.Sequence > through && rec.Flags&index.Returned == 0
	self := r.o.Self.Short()
	for _, dev := range remotes {
		other, known, err := dev.entry(p)
		if err != nil {
			return rec, false, err
		}
		if known && (index.Twins(&rec.FileInfo, &other) || made && index.Forgotten(&rec.FileInfo, &other, self) ||
			index.Overtaken(&rec.FileInfo, &other, self) && r.unaware(&rec, &other)) {
			return r.apart(rec, &other), true, nil
		}
	}
	return rec, false, nil
}

// unaware reports whether a record is known to have been made without knowledge of
// an earlier version with a counter of ours: in this run, from something else or,
// by an index that had lost the name, from nothing. A device that is behind has
// what it was made from. While the index is not whole, all that was made is about to
// be compared with what others have, and nobody hears of it before.
func (r *Runner) unaware(rec *index.Record, other *bep.FileInfo) bool {
	if r.incomplete() || rec.Sequence <= lastOf(r.o.Index.Runs()).After || rec.Flags&index.Returned != 0 || rec.SameContent(other) {
		return false
	}
	if r.made[rec.Name] != nil {
		return r.ignorant(rec, other)
	}
	own := rec.Version.Only(uint64(r.o.Self.Short()))
	return len(r.made) < maxMade && len(rec.PreviousBlocksHash) == 0 && vector.Compare(own, rec.Version) == vector.Equal
}

// incomplete reports whether the index is known not to be whole, also where the
// Disk turn has yet to note that.
func (r *Runner) incomplete() bool {
	_, pending := r.o.Index.Recovery()
	return pending || r.losing.Load() > 0
}

// besideLost gives records that were made of older ones a version beside the one
// that another device has, where that has a counter of ours which is later than
// that of the older record, and unknown: it was made here before something was
// lost, and not fetched yet. The next counter would say that who made the record
// had seen it. While the index is not whole all that is made is compared later, by
// more than this. It runs on the Disk turn.
func (r *Runner) besideLost(old map[relpath.Path]*index.Record, recs []index.Record) error {
	if r.incomplete() {
		return nil
	}
	if counts, err := r.o.Index.Counts(); err != nil || counts.Need.Items == 0 {
		return err
	}
	self := r.o.Self.Short()
	for i := range recs {
		before := old[recs[i].Name]
		if before == nil || recs[i].ModifiedBy != self || recs[i].Flags&index.ReceiveOnly != 0 {
			continue
		}
		need, ok, err := r.o.Index.NeededOne(recs[i].Name)
		if err != nil {
			return err
		}
		if ok && index.Forgotten(&before.FileInfo, &need.Global, self) && recs[i].Version.Covers(need.Global.Version) {
			recs[i] = r.apart(recs[i], &need.Global)
		}
	}
	return nil
}

// apart gives a record a version that does not claim to know of other. Where
// nothing would be lost with other, it is simply the next version after both; a
// deletion yields.
func (r *Runner) apart(rec index.Record, other *bep.FileInfo) index.Record {
	self := uint64(r.o.Self.Short())
	if rec.Deleted && !other.Deleted {
		return scan.Yield(rec, r.o.Self.Short()) // whoever deleted the name did not see that
	}
	if other.Deleted || rec.SameContent(other) {
		rec.Version = vector.Merge(rec.Version, other.Version).Bump(self, r.exec.Wall().Unix())
	} else {
		rec.Version = rec.Version.Apart(other.Version, self, uint64(r.o.Index.IndexID()))
	}
	rec.Sequence = 0
	rec.Flags &^= index.Returned
	return rec
}

// lastOf gives this run of the program.
func lastOf(runs index.Runs) index.Run { return runs[len(runs)-1] }

package folder

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/scan"
)

// An index that lost something knows less of our own files than it did: what
// it knows nothing of is not new, and what it has an old record of was not
// necessarily changed here. Until everything was scanned and the connected
// devices have told what they have, nothing is announced and nothing is pulled;
// then records that were made meanwhile take over the versions that others have
// of the same content.

// waitForOthers is how long after the scan devices that are connected, or may
// be soon, are waited for.
const waitForOthers = 2 * time.Minute

// mending is the state of a folder whose index is not whole.
type mending struct {
	needed  bool
	running bool
	look    bool      // something happened that may have been waited for
	lateAt  time.Time // when nothing is waited for any longer; zero before the scan
}

// mend asks for a Mend when there may be reason to.
func (m *Machine) mend(now time.Time) {
	w := &m.mending
	if !w.needed || !m.scanned || w.running {
		return
	}
	if w.lateAt.IsZero() {
		w.lateAt = now.Add(waitForOthers)
	}
	late := !now.Before(w.lateAt)
	if !w.look && !late {
		return
	}
	w.look, w.running = false, true
	m.out = append(m.out, Mend{Late: late})
}

func (m *Machine) mended(now time.Time, ev Mended) {
	switch {
	case ev.Done:
		m.mending = mending{}
		m.news()
		return
	case ev.Err != nil:
		m.mending.lateAt = now.Add(checkRoot)
	}
	m.mending.running = false
}

// mend makes the index whole on the Disk turn, where no record is stored
// meanwhile.
func (r *Runner) mend(late bool) {
	whole := func() (int64, bool) {
		if late || r.o.Whole == nil {
			return 0, true
		}
		return r.o.Whole()
	}
	if _, ok := whole(); !ok {
		r.post(Mended{})
		return
	}
	r.disk.Post(func() {
		age, ok := whole()
		if !ok {
			r.post(Mended{}) // one more device shows that something was lost
			return
		}
		err := r.adoptVersions(func() bool {
			now, ok := whole()
			return ok && now == age
		})
		if err == nil {
			err = r.o.Index.Recovered()
		}
		switch {
		case errors.Is(err, errForgotten):
			r.post(Mended{}) // there are news when it is told again
		case err != nil:
			r.o.Log.Warn("make the index whole", "error", err)
			r.post(Mended{Err: err})
		default:
			r.post(Mended{Done: true})
			r.o.Recovered()
		}
	})
}

// errForgotten: what a device has was forgotten while records were compared with
// it, as where it tells its index from the start again. What was found missing of it
// says nothing.
var errForgotten = errors.New("what a device has was forgotten meanwhile")

// adoptVersions goes through the records that were made since the index lost
// something, and has each take over the version that another device has of the
// same content, or be later than what others know of us. known reports whether all
// that others have was known since before the call; once it was not, the outcome is
// errForgotten, and what was stored until then holds.
func (r *Runner) adoptVersions(known func() bool) error {
	lost, ok := r.o.Index.Recovery()
	if !ok {
		return nil
	}
	devices, told, err := r.formers()
	if err != nil {
		return err
	}
	o := scan.Options{FS: r.root(), Index: r.o.Index, Short: r.o.Self.Short(), Type: r.o.Type, Now: r.exec.Wall}
	adopted := 0
	for after, last := lost.Through, r.o.Index.Sequence(); after < last && r.ctx.Err() == nil; {
		recs, err := r.o.Index.LocalSince(after, r.o.Index.Batch())
		if err != nil {
			return err
		}
		if len(recs) == 0 {
			break
		}
		after = recs[len(recs)-1].Sequence
		recs = slices.DeleteFunc(recs, func(rec index.Record) bool { return rec.Sequence > last })
		recs, met, err := r.adopt(o, lost.Cause, told, recs)
		if err != nil {
			return err
		}
		if !known() {
			return errForgotten
		}
		adopted += len(recs)
		if len(recs) == 0 {
			continue
		}
		if _, err := r.o.Index.Update(recs); err != nil {
			return err
		}
		r.noteMet(met)
	}
	if lost.Cause == index.RolledBack {
		if err := r.yieldStale(lost.Through, devices, told); err != nil {
			return err
		}
	}
	switch {
	case r.ctx.Err() != nil:
		return fmt.Errorf("take over versions: %w", errStopped)
	case !known():
		return errForgotten
	}
	r.forgetFormers(told)
	r.o.Log.Info("the index is whole again", "cause", string(lost.Cause), "versions_taken_over", adopted)
	return nil
}

// adopt gives the records that are to be stored in place of some of recs, and which
// versions those that stand beside others were made to stand beside. A
// damaged index is that of the disk as it is now: what it says is later than all
// that we ever announced. One that went back may be that of a disk that did, and
// what was made since stands beside what others have.
func (r *Runner) adopt(o scan.Options, cause index.Cause, told map[device.ID]*former, recs []index.Record) (out []index.Record, met map[relpath.Path][]bep.FileInfo, err error) {
	met = map[relpath.Path][]bep.FileInfo{}
	for i := range recs {
		versions, err := r.o.Index.Versions(recs[i].Name)
		if err != nil {
			return nil, nil, err
		}
		var ours []bep.FileInfo // that we had
		for _, dev := range slices.SortedFunc(maps.Keys(told), device.ID.Compare) {
			ours = append(ours, told[dev].lostVersions(recs[i].Name)...)
		}
		if len(versions)+len(ours) == 0 {
			continue
		}
		global, _, _, err := r.o.Index.Global(recs[i].Name)
		if err != nil {
			return nil, nil, err
		}
		rec, verdict := scan.Adopt(o, recs[i], &global, versions)
		ok := verdict == scan.Adopted
		switch {
		case verdict != scan.Unlike:
		case cause == index.Damaged:
			rec, ok = scan.Raise(o.Short, rec, slices.Concat(versions, ours))
		default:
			rec, ok, met[rec.Name] = r.beside(rec, versions, ours)
		}
		if ok {
			rec.Sequence = 0
			out = append(out, rec)
		}
	}
	return out, met, nil
}

package folder

import (
	"fmt"
	"slices"
	"time"

	"lanyard/sync/index"
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
	if !late && r.o.Whole != nil && !r.o.Whole() {
		r.post(Mended{})
		return
	}
	r.disk.Post(func() {
		err := r.adoptVersions()
		if err == nil {
			err = r.o.Index.Recovered()
		}
		if err != nil {
			r.o.Log.Warn("make the index whole", "error", err)
			r.post(Mended{Err: err})
			return
		}
		r.post(Mended{Done: true})
		r.o.Recovered()
	})
}

// adoptVersions goes through the records that were made since the index lost
// something, and has each take over the version that another device has of the
// same content, or be later than what others know of us.
func (r *Runner) adoptVersions() error {
	lost, ok := r.o.Index.Recovery()
	if !ok {
		return nil
	}
	o := scan.Options{FS: r.root(), Index: r.o.Index, Short: r.o.Self.Short(), Type: r.o.Type, Now: r.exec.Wall}
	adopted := 0
	for after, last := lost.Through, r.o.Index.Sequence(); after < last && r.ctx.Err() == nil; {
		recs, err := r.o.Index.LocalSince(after, r.o.Index.Batch())
		if err != nil || len(recs) == 0 {
			return err
		}
		after = recs[len(recs)-1].Sequence
		recs = slices.DeleteFunc(recs, func(rec index.Record) bool { return rec.Sequence > last })
		if recs, err = r.adopt(o, recs); err != nil {
			return err
		}
		adopted += len(recs)
		if len(recs) == 0 {
			continue
		}
		if _, err := r.o.Index.Update(recs); err != nil {
			return err
		}
	}
	if r.ctx.Err() != nil {
		return fmt.Errorf("take over versions: %w", errStopped)
	}
	r.o.Log.Info("the index is whole again", "cause", string(lost.Cause), "versions_taken_over", adopted)
	return nil
}

// adopt gives the records that are to be stored in place of some of recs.
func (r *Runner) adopt(o scan.Options, recs []index.Record) ([]index.Record, error) {
	var out []index.Record
	for i := range recs {
		versions, err := r.o.Index.Versions(recs[i].Name)
		if err != nil {
			return nil, err
		}
		if len(versions) == 0 {
			continue
		}
		global, _, _, err := r.o.Index.Global(recs[i].Name)
		if err != nil {
			return nil, err
		}
		if rec, ok := scan.Adopt(o, recs[i], &global, versions); ok {
			out = append(out, rec)
		}
	}
	return out, nil
}

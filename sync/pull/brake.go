package pull

import (
	"slices"
	"time"

	"lanyard/sync/index"
	"lanyard/sync/plan"
)

// Brake holds deletions back until a person has said what is to become of
// them. Methods may be called from any goroutine.
type Brake interface {
	// Weigh looks at everything that is to be deleted now, before a pass deletes
	// anything; known is how much of it the pass would take. Where wait is not 0
	// more may follow, and it is asked again after that time. What may not go
	// is Held from then on; released tells that something was, and is no longer.
	Weigh(known int) (wait time.Duration, released bool, err error)
	// Holding reports whether anything is held, which Weigh may release.
	Holding() bool
	// Held reports whether a name is left as it is for now.
	Held(n *index.Needed) bool
	// Deleted notes deletions that were carried out. It runs on the Disk turn.
	Deleted(done []*index.Needed)
}

// weigh has the brake look at the deletions before any is carried out.
func (r *round) weigh() {
	r.exhausted = true
	if r.o.Brake == nil || len(r.deletes)+len(r.dirs) == 0 && !r.o.Brake.Holding() {
		return
	}
	r.reading = true
	known := len(r.deletes) + len(r.dirs)
	r.w.prep.Go(func() {
		wait, released, err := r.o.Brake.Weigh(known)
		r.w.turn.Post(func() { r.weighed(wait, released, err) })
	})
}

func (r *round) weighed(wait time.Duration, released bool, err error) {
	r.reading = false
	if err != nil {
		r.stop(err)
		return
	}
	r.result.Later = wait
	r.result.Again = r.result.Again || released // this pass left it out
	r.deletes = slices.DeleteFunc(r.deletes, r.held)
	r.dirs = slices.DeleteFunc(r.dirs, r.held)
	r.fill()
}

func (r *round) held(n index.Needed) bool { return r.o.Brake != nil && r.o.Brake.Held(&n) }

// noteDeleted tells the brake what a batch deleted.
func noteDeleted(o *Options, batch []*item) {
	if o.Brake == nil {
		return
	}
	var gone []*index.Needed
	for _, it := range batch {
		if it.stored && it.decision.Do == plan.Delete {
			gone = append(gone, &it.need)
		}
	}
	if len(gone) > 0 {
		o.Brake.Deleted(gone)
	}
}

package folder

import (
	"math"
	"strconv"
	"strings"

	"lanyard/sync/fault"
	"lanyard/sync/fsys"
	"lanyard/sync/pull"
)

// Conditions of a disk with which the folder goes on as far as it can.
const (
	codeDiskFull    fault.Code = "disk-full"
	codeDiskFailing fault.Code = "disk-failing"
)

// noteFailing shows whether the disk failed to read or write anything that is
// not mended yet.
func (r *Runner) noteFailing() {
	var failing error
	r.mu.Lock()
	for p, err := range r.view.Failed {
		if fault.CodeOf(err) == codeDiskFailing {
			failing = fault.Wrap(fault.Folder, codeDiskFailing, "store", p.String(), err)
			break
		}
	}
	r.mu.Unlock()
	r.note(codeDiskFailing, failing)
}

// lookForRoom tells the machine how much space is free. A disk that cannot tell
// is tried.
func (r *Runner) lookForRoom() {
	f := r.root()
	r.exec.Go(func() {
		free := uint64(math.MaxUint64)
		if f != nil {
			if n, _, err := f.Free(); err == nil {
				free = n
			}
		}
		r.post(Room{Free: free})
	})
}

// metaProbe is where the index is asked to store something, and roomProbe how
// much: about what a few hundred files need.
const (
	metaProbe = "probe"
	roomProbe = 512 << 10
)

// probeIndex fails as long as the index takes nothing, or has no room for what
// the next scan will find.
func (r *Runner) probeIndex() error {
	r.mu.Lock()
	full := fault.CodeOf(r.view.Err) == "home-full"
	r.mu.Unlock()
	if full {
		if err := r.o.Index.SetMeta(metaProbe, strings.Repeat(" ", roomProbe)); err != nil {
			return err
		}
		if err := r.o.Index.Barrier(); err != nil {
			return err
		}
	}
	if err := r.o.Index.SetMeta(metaProbe, ""); err != nil {
		return err
	}
	return r.o.Index.Barrier()
}

// noteSpace shows whether a pull left something out because the disk is full.
// The folder goes on with everything else.
func (r *Runner) noteSpace(space *pull.Space) {
	if space == nil {
		r.note(codeDiskFull, nil)
		return
	}
	err := fault.Wrap(fault.Folder, codeDiskFull, "pull", "", fsys.ErrNoSpace)
	if f := r.root(); f != nil {
		if free, _, ferr := f.Free(); ferr == nil && free < space.Need {
			err = fault.With(err, "need", strconv.FormatUint(space.Need-free, 10), "free", strconv.FormatUint(free, 10))
		}
	}
	r.note(codeDiskFull, err)
}

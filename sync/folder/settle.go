package folder

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"

	"lanyard/sync/archive"
	"lanyard/sync/bep"
	"lanyard/sync/conflict"
	"lanyard/sync/fault"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
)

// ErrMoved is wrapped where a file is not what it was when a person decided on
// it: nothing was done.
var ErrMoved = archive.ErrMoved

// Pair is a conflict copy with the file that it is a copy of, as the index has
// them.
type Pair struct {
	Name, Copy relpath.Path
	Named      *index.Record // nil where there is none, or it is deleted
	Beside     index.Record
	// Winner is the short ID of the device whose version has the name, as the
	// copy says; empty where it does not.
	Winner string
}

// PairOf gives the conflict copy called copied; ok is false where there is none.
func (r *Runner) PairOf(copied relpath.Path) (p Pair, ok bool, err error) {
	said, ok := conflict.Parse(copied)
	if !ok {
		return p, false, nil
	}
	beside, ok, err := r.o.Index.Local(copied)
	if err != nil || !ok || beside.Deleted || beside.Type == bep.TypeDirectory {
		return p, false, err
	}
	p = Pair{Name: said.Original, Copy: copied, Beside: beside, Winner: said.Winner}
	named, ok, err := r.o.Index.Local(said.Original)
	if ok && !named.Deleted {
		p.Named = &named
	}
	return p, true, err
}

// Token stands for the two versions: it is another once either is.
func (p *Pair) Token() string {
	h := sha256.New()
	part := func(rec *index.Record) {
		if rec != nil {
			fmt.Fprintf(h, "%s %v %+v\n", rec.Name, rec.Version, rec.Stamp) // a hash never fails
		}
	}
	part(&p.Beside)
	part(p.Named)
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// Settle leaves one of two versions under the name, and the other in the version
// store as a version of that name; or, with status.KeepBoth, each as a file of
// its own. token, unless empty, is that of the Pair the person saw. It gives the
// names that changed, whose scan is the caller's. ErrMoved says that the two are
// not what they were: then nothing was done. It waits for its turn on the disk.
func (r *Runner) Settle(copied relpath.Path, keep Side, token string) (changed []relpath.Path, err error) {
	if r.o.Type == bep.ReceiveOnly || r.o.Type == bep.ReceiveEncrypted {
		return nil, fault.New(fault.Item, "", "this device only receives the folder: settle it on one that sends")
	}
	store, err := r.versions()
	if err != nil {
		return nil, err
	}
	type outcome struct {
		changed []relpath.Path
		err     error
	}
	done := make(chan outcome, 1)
	posted := r.disk.Post(func() {
		changed, err := r.settle(store, copied, keep, token)
		done <- outcome{changed, err}
	})
	if !posted {
		return nil, errStopped
	}
	select {
	case out := <-done:
		return out.changed, out.err
	case <-r.ctx.Done():
		return nil, errStopped
	}
}

// Side says which of a Pair is to have the name.
type Side int

// The sides.
const (
	TheNamed Side = iota
	TheBeside
	TheTwo
)

func (r *Runner) settle(store *archive.Store, copied relpath.Path, keep Side, token string) ([]relpath.Path, error) {
	if err := r.prove(); err != nil {
		return nil, err
	}
	p, ok, err := r.PairOf(copied)
	if err != nil {
		return nil, err
	}
	if !ok || token != "" && token != p.Token() {
		return nil, fmt.Errorf("settle %s: %w", copied, ErrMoved)
	}
	beside, err := r.asRecorded(p.Copy, &p.Beside)
	if err != nil {
		return nil, err
	}
	named, err := r.asRecorded(p.Name, p.Named)
	if err != nil {
		return nil, err
	}
	now := r.exec.Wall()
	switch keep {
	case TheNamed:
		return []relpath.Path{p.Copy}, store.Take(p.Copy, p.Name, *beside, now)
	case TheBeside:
		return []relpath.Path{p.Name, p.Copy}, store.Replace(p.Name, p.Copy, named, *beside, now)
	}
	return r.keepBoth(store, &p, beside)
}

// keepBoth gives the copy a name that is no conflict copy's.
func (r *Runner) keepBoth(store *archive.Store, p *Pair, beside *fsys.Info) ([]relpath.Path, error) {
	const tries = 1000
	for n := 2; n < tries; n++ {
		name, err := conflict.Beside(p.Name, n)
		if err != nil {
			return nil, err
		}
		// A name that is deleted may come back from another device.
		if known, ok, err := r.o.Index.Local(name); err != nil || ok && !known.Deleted {
			if err != nil {
				return nil, err
			}
			continue
		}
		err = store.Replace(name, p.Copy, nil, *beside, r.exec.Wall())
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		return []relpath.Path{name, p.Copy}, err
	}
	return nil, fault.New(fault.Item, "", "settle %s: no name beside it is free", p.Copy)
}

// asRecorded looks at a name, which has to be as the index has it: nil stands
// for nothing.
func (r *Runner) asRecorded(p relpath.Path, rec *index.Record) (*fsys.Info, error) {
	look, err := r.root().Lstat(p)
	switch {
	case errors.Is(err, fs.ErrNotExist) && rec == nil:
		return nil, nil
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	case rec != nil && rec.Stamp == index.StampOf(look):
		return &look, nil
	}
	return nil, fmt.Errorf("settle %s: %w", p, ErrMoved)
}

// maxText is the most that is shown of a file.
const maxText = 200_000

// Text gives the content of a small file for showing, nil where it is large or
// not there.
func (r *Runner) Text(p relpath.Path) []byte {
	f := r.root()
	if f == nil {
		return nil
	}
	b, err := readFile(f, p, maxText)
	if err != nil {
		return nil
	}
	return b
}

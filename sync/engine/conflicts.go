package engine

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"
	"unicode/utf8"

	"lanyard/sync/bep"
	"lanyard/sync/conflict"
	"lanyard/sync/device"
	"lanyard/sync/fault"
	"lanyard/sync/folder"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
)

// Conflicts gives a part of the files of a folder that have two versions.
func (e *Engine) Conflicts(_ context.Context, id bep.FolderID, w status.Window) (status.Conflicts, error) {
	out := status.Conflicts{Files: []status.TwoVersions{}}
	r, err := e.running(id)
	if err != nil {
		return out, err
	}
	names, err := e.folder(id).index.Conflicts()
	if err != nil {
		return out, err
	}
	names = holding(names, w.Find)
	out.Total = len(names)
	for _, copied := range part(names, w) {
		p, ok, err := r.PairOf(copied)
		if err != nil {
			return out, err
		}
		if ok {
			out.Files = append(out.Files, e.twoOf(id, &p))
		}
	}
	return out, nil
}

// Conflict gives the two versions of a file with their text, where both are small
// files of text. p is the name of either; where a file has several, those
// beside it have to be named.
func (e *Engine) Conflict(_ context.Context, id bep.FolderID, p relpath.Path) (status.TwoVersions, error) {
	r, pair, err := e.pair(id, p)
	if err != nil {
		return status.TwoVersions{}, err
	}
	out := e.twoOf(id, &pair)
	if out.Named == nil {
		return out, nil
	}
	if a, b := shownText(r.Text(pair.Name)), shownText(r.Text(pair.Copy)); a != nil && b != nil {
		out.Named.Text, out.Beside.Text = a, b
	}
	return out, nil
}

// shownText gives text that can be shown, nil for anything else.
func shownText(b []byte) *string {
	if b == nil || !utf8.Valid(b) || bytes.IndexByte(b, 0) >= 0 {
		return nil
	}
	s := string(b)
	return &s
}

// Settle leaves one of two versions under the name, and the other in the
// version store; or each as a file of its own. token, unless empty, stands for
// the two that a person saw. done is false where they are not what they were:
// nothing was done then.
func (e *Engine) Settle(ctx context.Context, id bep.FolderID, p relpath.Path, keep status.Keep, token string) (done bool, err error) {
	r, pair, err := e.pair(id, p)
	if err != nil {
		return false, err
	}
	side := folder.TheTwo
	if keep != status.KeepBoth {
		side = folder.TheBeside
		if (keep == status.KeepMine) == e.mineNamed(&pair) {
			side = folder.TheNamed
		}
	}
	changed, err := r.Settle(pair.Copy, side, token)
	moved := errors.Is(err, folder.ErrMoved)
	if err != nil && !moved {
		return false, e.named(id, err)
	}
	if moved {
		changed = []relpath.Path{pair.Name, pair.Copy} // so that what they are now is seen
	}
	return !moved, e.Scan(ctx, id, changed)
}

// pair finds the two versions that a name is part of.
func (e *Engine) pair(id bep.FolderID, p relpath.Path) (*folder.Runner, folder.Pair, error) {
	none := func(err error) (*folder.Runner, folder.Pair, error) { return nil, folder.Pair{}, err }
	r, err := e.running(id)
	if err != nil {
		return none(err)
	}
	copied := p
	if _, ok := conflict.Is(p); !ok {
		names, err := e.folder(id).index.Conflicts()
		if err != nil {
			return none(err)
		}
		names = slices.DeleteFunc(names, func(c relpath.Path) bool {
			original, _ := conflict.Is(c)
			return original != p
		})
		switch {
		case len(names) > 1:
			return none(fault.New(fault.Item, "", "%s has more than two versions: name the one beside it, such as %s", p, names[0]))
		case len(names) == 1:
			copied = names[0]
		}
	}
	pair, ok, err := r.PairOf(copied)
	if err == nil && !ok {
		err = fault.New(fault.Item, "", "%s has only one version here", p)
	}
	return r, pair, err
}

// mineNamed reports whether this device's version is the one that has the name:
// by who changed each last, else by who won.
func (e *Engine) mineNamed(p *folder.Pair) bool {
	self := e.o.ID.Short()
	named := p.Named != nil && p.Named.ModifiedBy == self
	if beside := p.Beside.ModifiedBy == self; named != beside {
		return named
	}
	return p.Winner == self.String()
}

func (e *Engine) twoOf(id bep.FolderID, p *folder.Pair) status.TwoVersions {
	out := status.TwoVersions{
		Folder: string(id), Path: p.Name.String(), Copy: p.Copy.String(), MineNamed: e.mineNamed(p), Token: p.Token(),
		Beside: e.oneOf(&p.Beside, p.Beside.ModifiedBy.String()),
	}
	if p.Named != nil {
		named := e.oneOf(p.Named, p.Named.ModifiedBy.String())
		out.Named = &named
	}
	return out
}

func (e *Engine) oneOf(rec *index.Record, by string) status.OneVersion {
	out := status.OneVersion{Modified: time.Unix(0, rec.ModUnixNano()).UTC(), Bytes: rec.Size}
	id, ok := e.byShort(by)
	switch {
	case !ok:
	case id == e.o.ID:
		e.mu.Lock()
		out.Device, out.Name = id.String(), e.desired.Name
		e.mu.Unlock()
	default:
		out.Device, out.Name = id.String(), e.nameOf(id)
	}
	return out
}

// byShort finds a device that is known here by its short ID.
func (e *Engine) byShort(short string) (device.ID, bool) {
	if short == e.o.ID.Short().String() {
		return e.o.ID, true
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, d := range e.desired.Devices {
		if d.ID.Short().String() == short {
			return d.ID, true
		}
	}
	return device.ID{}, false
}

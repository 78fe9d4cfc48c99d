package folder

import (
	"errors"
	"io/fs"
	"maps"
	"slices"

	"lanyard/sync/bep"
	"lanyard/sync/fault"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
	"lanyard/sync/watch"
)

// newBrake makes the folder's brake.
func (r *Runner) newBrake() *brake {
	b := &brake{
		limits: r.o.Brake.WithDefaults(), index: r.o.Index, role: r.o.Type, ignored: r.Ignored, now: r.exec.Now,
		changed: r.o.Changed, departures: newDepartures(),
	}
	b.save = func() {
		r.disk.Post(func() {
			if err := b.store(); err != nil {
				r.o.Log.Warn("remember what the brake holds", "error", err)
			}
		})
	}
	b.restore = func() { r.disk.Post(r.restoreHeld) }
	return b
}

// Held lists the deletions that wait for a person.
func (r *Runner) Held() []Held {
	if r.brake == nil {
		return nil
	}
	return r.brake.views()
}

// Holds reports whether a needed name is left as it is until a person decides.
func (r *Runner) Holds(n *index.Needed) bool { return r.brake != nil && r.brake.Held(n) }

// Lost reports whether a name is gone here and the others are not told until a
// person decides.
func (r *Runner) Lost(p relpath.Path) bool { return r.brake != nil && r.brake.isLost(p) }

// Undecided reports whether a needed name is a deletion among those that Held
// counts: one that is being restored is held as well, and counts no more.
func (r *Runner) Undecided(n *index.Needed) bool { return r.brake != nil && r.brake.undecided(n) }

// LostFile is a file that is gone here, of which the others are not told.
type LostFile struct {
	Path  relpath.Path
	Bytes int64
}

// LostFiles lists, by name, the files that are gone here and of which the others
// are not told until a person decides.
func (r *Runner) LostFiles() []LostFile {
	if r.brake == nil {
		return nil
	}
	return r.brake.lostFiles()
}

func (b *brake) undecided(n *index.Needed) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return n.Global.Deleted && len(b.in.shown) > 0 && b.in.shown.has(printOf(false, n.Global.Name, n.Global.Version))
}

func (b *brake) lostFiles() []LostFile {
	b.mu.Lock()
	out := make([]LostFile, 0, len(b.out.lost))
	for p, l := range b.out.lost {
		if l.kind == bep.TypeFile {
			out = append(out, LostFile{p, l.bytes})
		}
	}
	b.mu.Unlock()
	slices.SortFunc(out, func(a, b LostFile) int { return a.Path.Compare(b.Path) })
	return out
}

// Decide says what is to become of the deletions that are held: all of them, or
// those that a token stands for, if these are still the ones. done is called,
// with what was decided on, when the decision is durable; it is carried out
// afterwards, each name looked at once more. What arrives later is weighed anew.
func (r *Runner) Decide(c status.Choice, token string, done func([]Held, error)) {
	if r.brake == nil {
		done(nil, errNothingHeld(r.o.ID))
		return
	}
	posted := r.disk.Post(func() {
		held, err := r.brake.decide(r.o.ID, c, token)
		if err == nil {
			r.post(Decided{})
			r.brake.restore()
		}
		done(held, err)
	})
	if !posted {
		done(nil, errStopped)
	}
}

func errNothingHeld(id bep.FolderID) error {
	return fault.New(fault.Item, "", "no deletions of the folder %q are held", string(id))
}

// decide notes a decision, which is durable when it returns. It runs on the
// Disk turn.
func (b *brake) decide(id bep.FolderID, c status.Choice, token string) ([]Held, error) {
	var held []Held
	var sides []bool
	views := b.views()
	for _, v := range views {
		if token == "" || token == v.Token {
			held, sides = append(held, v), append(sides, v.Outgoing)
		}
	}
	switch {
	case len(views) == 0:
		return nil, errNothingHeld(id)
	case len(held) == 0:
		return nil, fault.New(fault.Item, "", "other deletions of the folder %q are held by now; look at them once more", string(id))
	}
	for _, outgoing := range sides {
		if !outgoing && c == status.RestoreHeld && (b.role == bep.ReceiveOnly || b.role == bep.ReceiveEncrypted) {
			return nil, fault.New(fault.Item, "", "the folder %q only receives here, so its files cannot be put back on other devices", string(id))
		}
		if err := b.decideSide(outgoing, c, token); err != nil {
			return nil, err
		}
	}
	b.changed()
	return held, b.store()
}

func (b *brake) decideSide(outgoing bool, c status.Choice, token string) error {
	b.mu.Lock()
	s := b.side(outgoing)
	if token != "" && tokenOf(s.view) != token {
		b.mu.Unlock()
		return nil
	}
	set := maps.Clone(s.decided[c])
	if set == nil {
		set = prints{}
	}
	maps.Copy(set, s.shown)
	view := s.view
	b.mu.Unlock()
	if err := b.index.SetMeta(decidedKey(outgoing, c), set.encode()); err != nil {
		return err
	}
	if err := b.index.Barrier(); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.gen++
	s.decided[c] = set
	if s.view != view {
		return nil // more came to be held meanwhile, which nobody has seen
	}
	s.Hold, s.view, s.shown = nil, nil, nil
	if outgoing {
		s.lost = nil
	} else if c == status.ApplyHeld {
		s.back = prints{}
	}
	return nil
}

// restoreHeld brings back at others what a person wants restored. It runs on
// the Disk turn.
func (r *Runner) restoreHeld() {
	if err := r.prove(); err != nil {
		return // the folder is about to stop; the decision stays
	}
	f := r.root()
	rescan, changed, err := r.brake.restored(r.o.Self.Short(), r.exec.Wall(), func(rec *index.Record) (bool, error) { return intact(f, rec) })
	if err != nil {
		r.o.Log.Warn("restore held files", "error", err)
	}
	if changed {
		r.o.Announce()
		r.post(RemoteChanged{})
	}
	var c watch.Change
	for _, p := range rescan {
		c.Events = append(c.Events, watch.Event{Path: p})
	}
	if len(rescan) > 0 {
		r.Notice(c)
	}
}

// intact reports whether what a record describes stands on the disk.
func intact(f fsys.FS, rec *index.Record) (bool, error) {
	look, err := f.Lstat(rec.Name)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fsys.ErrNotDirectory):
		return false, nil
	case err != nil:
		return false, err
	case rec.IsDirectory():
		return look.Kind == fsys.Directory, nil
	case rec.IsSymlink():
		return look.Kind == fsys.Symlink, nil
	}
	return look.Kind == fsys.Regular && index.StampOf(look) == rec.Stamp && rec.Flags&^index.Returned == 0, nil
}

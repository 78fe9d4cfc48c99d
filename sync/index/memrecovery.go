package index

import (
	"context"
	"errors"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/fault"
)

// Damage makes a folder's index one that is found to be damaged by the next
// call that uses it; a rebuild finds those of our records that keep wants. A
// folder without an index stays without one.
func (m *Memory) Damage(id bep.FolderID, keep func(Record) bool) {
	m.mu.Lock()
	f := m.folders[id]
	m.mu.Unlock()
	if f != nil {
		f.spoil(keep)
	}
}

func (f *memFolder) spoil(keep func(Record) bool) {
	err := fault.Wrap(fault.Folder, codeDamaged, "read index", "", damaged("a test wanted it so"))
	f.mu.Lock()
	f.damage = err
	f.live.retain(keep)
	f.durable, f.log = f.live.clone(), nil
	tell := f.onDamage
	f.mu.Unlock()
	if tell != nil {
		tell(err)
	}
}

// retain leaves those of our records that keep wants, in order, and nothing of
// other devices.
func (s *memState) retain(keep func(Record) bool) {
	kept := newMemState(s.indexID, s.winner, s.self)
	for _, name := range s.sorted {
		if r := s.names[name].local; r != nil && keep(cloneRecord(r)) {
			kept.update([]Record{cloneRecord(r)})
		}
	}
	kept.meta = s.meta
	*s = *kept
}

// Rebuild makes a folder's index anew from what is left of it.
func (m *Memory) Rebuild(ctx context.Context, id bep.FolderID) error {
	if err := m.hook("rebuild"); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return errClosed("rebuild index")
	}
	f := m.folders[id]
	if f == nil {
		return nil
	}
	f.shut()
	next := f.successor(m)
	next.damage = nil
	next.live.retain(func(Record) bool { return true })
	next.live.indexID = m.drawLocked()
	next.live.recovery = &Recovery{Cause: Damaged, Through: next.live.seq}
	next.durable = next.live.clone()
	next.closed = true
	m.folders[id] = next
	return nil
}

func (f *memFolder) Recovery() (r Recovery, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.live.recovery != nil {
		return *f.live.recovery, true
	}
	return Recovery{}, false
}

func (f *memFolder) Lose(r Recovery) error {
	err := f.commit("lose", nil, func(s *memState) {
		joined := r.join(s.recovery)
		s.recovery = &joined
	})
	if err != nil {
		return err
	}
	f.hardenAll()
	return nil
}

func (f *memFolder) Recovered() error {
	if err := f.commit("recovered", nil, func(s *memState) { s.recovery = nil }); err != nil {
		return err
	}
	f.hardenAll()
	return nil
}

func (f *memFolder) OnDamage(tell func(error)) {
	f.mu.Lock()
	f.onDamage = tell
	damage := f.damage
	f.mu.Unlock()
	if damage != nil {
		tell(damage)
	}
}

func (f *memFolder) Batch() int { return sharedBatch }

// Check finds nothing: what is damaged is known.
func (f *memFolder) Check(context.Context) error { return f.read("check", func(*memState) {}) }

// Maintain has nothing to do.
func (f *memFolder) Maintain(context.Context, time.Time, bool) error {
	return f.read("maintain", func(*memState) {})
}

func (f *memFolder) Stats() (st Stats, err error) {
	err = f.read("stats", func(s *memState) {
		st = Stats{IndexID: s.indexID, Sequence: s.seq, Counts: s.sum(), Remotes: len(s.remotes()), Recovery: s.recovery}
		for _, n := range s.names {
			versions := map[string]bool{}
			if n.local != nil {
				versions[n.ident] = true
			}
			for _, e := range n.remote {
				versions[e.ident] = true
			}
			st.Rows += int64(len(versions))
		}
	})
	return st, err
}

// Export fails: there is no file to be made of it.
func (f *memFolder) Export(context.Context, string) error {
	return fault.Wrap(fault.Folder, "", "export index", "", errors.ErrUnsupported)
}

// versions gives what other devices have, the global version first.
func (n *memName) versions() []bep.FileInfo {
	var out []bep.FileInfo
	seen := map[string]bool{}
	add := func(e *memEntry, global bool) {
		isGlobal := n.global != nil && e.ident == identityOf(n.global)
		if isGlobal != global || seen[e.ident] {
			return
		}
		seen[e.ident] = true
		out = append(out, cloneInfo(&e.info))
	}
	for _, global := range []bool{true, false} {
		for _, dev := range n.devices() {
			add(n.remote[dev], global)
		}
	}
	return out
}

package index

import (
	"math/rand/v2"
	"slices"
	"sync"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/relpath"
)

// memFolder is one folder of a Memory: what readers see, what is durable, and
// the commits that lie between the two.
type memFolder struct {
	store *Memory

	mu      sync.Mutex
	closed  bool
	live    *memState
	durable *memState
	log     []memCommit

	damage   error // why it is not trusted any more, nil while it is
	onDamage func(error)
}

// memCommit is one transaction. It does the same to every state that is in
// the same condition.
type memCommit func(*memState)

// read runs f on what readers see.
func (f *memFolder) read(op string, do func(*memState)) error {
	if err := f.store.hook(op); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.usableLocked(op); err != nil {
		return err
	}
	do(f.live)
	return nil
}

// commit runs a transaction that is not durable yet, unless check refuses it.
func (f *memFolder) commit(op string, check func(*memState) error, do memCommit) error {
	if err := f.store.hook(op); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.usableLocked(op); err != nil {
		return err
	}
	if check != nil {
		if err := check(f.live); err != nil {
			return err
		}
	}
	do(f.live)
	f.log = append(f.log, do)
	return nil
}

// usableLocked says why there is nothing to be had any more.
func (f *memFolder) usableLocked(op string) error {
	if f.closed {
		return errClosed(op)
	}
	return f.damage
}

// hardenLocked makes the first n commits durable.
func (f *memFolder) hardenLocked(n int) {
	for _, do := range f.log[:n] {
		do(f.durable)
	}
	f.log = slices.Clone(f.log[n:])
}

func (f *memFolder) hardenAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hardenLocked(len(f.log))
}

func (f *memFolder) shut() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
}

func (f *memFolder) isClosed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.closed
}

// successor gives an open copy of everything so far, all of it durable.
func (f *memFolder) successor(m *Memory) *memFolder {
	f.mu.Lock()
	defer f.mu.Unlock()
	return &memFolder{store: m, live: f.live.clone(), durable: f.live.clone(), damage: f.damage}
}

// crashed gives what a power cut leaves of the folder.
func (f *memFolder) crashed(m *Memory, rng *rand.Rand) *memFolder {
	f.mu.Lock()
	defer f.mu.Unlock()
	kept := 0
	if rng != nil {
		kept = rng.IntN(len(f.log) + 1)
	}
	f.hardenLocked(kept)
	return &memFolder{store: m, live: f.durable.clone(), durable: f.durable, damage: f.damage}
}

func (f *memFolder) IndexID() bep.IndexID {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.live.indexID
}

func (f *memFolder) Sequence() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.live.seq
}

func (f *memFolder) RenewIndexID() (bep.IndexID, error) {
	id := f.store.draw()
	err := f.commit("renew_index_id", nil, func(s *memState) { s.indexID = id })
	if err != nil {
		return 0, err
	}
	f.hardenAll()
	return id, nil
}

func (f *memFolder) Update(recs []Record) (int64, error) {
	recs = cloneLocal(recs)
	var last int64
	after := func(s *memState) error {
		if last = s.seq; len(recs) > 0 {
			last = max(last, s.runs.base()) + int64(len(recs))
		}
		return nil
	}
	err := f.commit("update", after, func(s *memState) { s.update(recs) })
	return last, err
}

func (f *memFolder) Restamp(recs []Record) error {
	recs = cloneLocal(recs)
	same := func(s *memState) error {
		for i := range recs {
			if !s.restampable(&recs[i]) {
				return errNotRestamped(recs[i].Name.String())
			}
		}
		return nil
	}
	return f.commit("restamp", same, func(s *memState) { s.restamp(recs) })
}

func (f *memFolder) UpdateRemote(dev device.ID, files []bep.FileInfo) error {
	files = cloneEntries(files)
	return f.commit("update_remote", roomFor(dev), func(s *memState) { s.updateRemote(dev, files) })
}

func (f *memFolder) ResetRemote(dev device.ID, id bep.IndexID) error {
	return f.commit("reset_remote", roomFor(dev), func(s *memState) {
		s.forget(dev)
		s.peers[dev] = PeerState{IndexID: id}
	})
}

func (f *memFolder) DropRemote(dev device.ID) error {
	return f.commit("drop_remote", nil, func(s *memState) {
		s.forget(dev)
		delete(s.peers, dev)
	})
}

// roomFor refuses a device that is one too many.
func roomFor(dev device.ID) func(*memState) error {
	return func(s *memState) error {
		if _, known := s.peers[dev]; !known && len(s.peers) >= MaxRemotes {
			return errTooManyDevices("add device to index")
		}
		return nil
	}
}

func (f *memFolder) Remote(dev device.ID) (p PeerState, err error) {
	err = f.read("remote", func(s *memState) { p = s.peers[dev] })
	return p, err
}

func (f *memFolder) Announced(dev device.ID, enough int64) (n, of int64, err error) {
	f.mu.Lock() // with no word to the hook: it looks at nothing
	defer f.mu.Unlock()
	if err := f.usableLocked("announced"); err != nil || int64(len(f.live.names)) <= enough {
		return 0, 0, err
	}
	for _, name := range f.live.names {
		of += int64(len(name.remote)) + 1
		if name.remote[dev] != nil {
			n++
		}
	}
	return n, of, nil
}

func (f *memFolder) Remotes() (out []device.ID, err error) {
	err = f.read("remotes", func(s *memState) { out = s.remotes() })
	return out, err
}

func (f *memFolder) Local(p relpath.Path) (r Record, ok bool, err error) {
	err = f.read("local", func(s *memState) {
		if n := s.names[p.String()]; n != nil && n.local != nil {
			r, ok = cloneRecord(n.local), true
		}
	})
	return r, ok, err
}

func (f *memFolder) Locals(names []relpath.Path) (out []*Record, err error) {
	err = f.read("locals", func(s *memState) {
		out = make([]*Record, len(names))
		for i, p := range names {
			if n := s.names[p.String()]; n != nil && n.local != nil {
				r := cloneRecord(n.local)
				out[i] = &r
			}
		}
	})
	return out, err
}

func (f *memFolder) Global(p relpath.Path) (g bep.FileInfo, needed, ok bool, err error) {
	err = f.read("global", func(s *memState) {
		if n := s.names[p.String()]; n != nil {
			g, needed, ok = cloneInfo(n.global), n.needed, true
		}
	})
	return g, needed, ok, err
}

func (f *memFolder) RemoteEntry(dev device.ID, p relpath.Path) (e bep.FileInfo, ok bool, err error) {
	err = f.read("remote_entry", func(s *memState) {
		if n := s.names[p.String()]; n != nil && n.remote[dev] != nil {
			e, ok = cloneInfo(&n.remote[dev].info), true
		}
	})
	return e, ok, err
}

func (f *memFolder) Needed(after relpath.Path, limit int) (out []Needed, err error) {
	err = f.read("needed", func(s *memState) {
		var page fill
		s.after(after.String(), func(_ string, n *memName) bool {
			if len(out) == limit || !page.room() {
				return false
			}
			if n.needed {
				out = append(out, n.need())
				page.add(&out[len(out)-1].Global)
			}
			return true
		})
	})
	return out, err
}

func (f *memFolder) NeededOne(p relpath.Path) (need Needed, ok bool, err error) {
	err = f.read("needed_one", func(s *memState) {
		if n := s.names[p.String()]; n != nil && n.needed {
			need, ok = n.need(), true
		}
	})
	return need, ok, err
}

func (f *memFolder) LocalSince(seq int64, limit int) (out []Record, err error) {
	err = f.read("local_since", func(s *memState) { out = s.localSince(seq, limit) })
	return out, err
}

func (f *memFolder) LocalRange(dir, after relpath.Path, limit int) (out []Record, err error) {
	err = f.read("local_range", func(s *memState) { out = s.localRange(dir, after, limit) })
	return out, err
}

func (f *memFolder) Names(dir, after relpath.Path, limit int) (out []relpath.Path, err error) {
	err = f.read("names", func(s *memState) {
		out = s.namesWhere(dir, after, limit, func(n *memName) bool {
			return n.local != nil && !n.local.Deleted || n.needed && !n.global.Deleted
		})
	})
	return out, err
}

func (f *memFolder) NeededNames(after relpath.Path, limit int) (out []relpath.Path, err error) {
	err = f.read("needed_names", func(s *memState) {
		out = s.namesWhere(relpath.Root, after, limit, func(n *memName) bool { return n.needed })
	})
	return out, err
}

func (f *memFolder) LocalByContent(hash [32]byte, size int64, limit int) (out []Record, err error) {
	err = f.read("local_by_content", func(s *memState) { out = s.localByContent(hash, size, limit) })
	return out, err
}

func (f *memFolder) LocalBySize(size int64, limit int) (out []Record, err error) {
	err = f.read("local_by_size", func(s *memState) {
		s.after("", func(_ string, n *memName) bool {
			if n.local != nil && size > 0 && n.local.Size == size && n.local.IsFile() && !n.local.Invalid {
				out = append(out, cloneRecord(n.local))
			}
			return len(out) < limit
		})
	})
	return out[:min(len(out), max(limit, 0))], err
}

func (f *memFolder) Versions(p relpath.Path) (out []bep.FileInfo, err error) {
	err = f.read("versions", func(s *memState) {
		if n := s.names[p.String()]; n != nil {
			out = n.versions()
		}
	})
	return out, err
}

func (f *memFolder) Availability(p relpath.Path) (out []device.ID, err error) {
	err = f.read("availability", func(s *memState) {
		if n := s.names[p.String()]; n != nil && !n.global.Invalid {
			out = n.from()
		}
	})
	return out, err
}

func (f *memFolder) Counts() (c Counts, err error) {
	err = f.read("counts", func(s *memState) { c = s.sum() })
	return c, err
}

func (f *memFolder) RemoteNeed(dev device.ID) (c NeedCount, err error) {
	err = f.read("remote_need", func(s *memState) { c = s.remoteNeed(dev) })
	return c, err
}

func (f *memFolder) RemoteNeeded(dev device.ID, after relpath.Path, limit int) (out []bep.FileInfo, err error) {
	err = f.read("remote_needed", func(s *memState) {
		s.after(after.String(), func(_ string, n *memName) bool {
			if len(out) == limit {
				return false
			}
			if n.lacks(dev) {
				out = append(out, cloneInfo(n.global))
			}
			return true
		})
	})
	return out, err
}

func (f *memFolder) RemoteDeleted(dev device.ID, after relpath.Path, limit int) (out []relpath.Path, err error) {
	err = f.read("remote_deleted", func(s *memState) {
		s.after(after.String(), func(_ string, n *memName) bool {
			if len(out) == limit {
				return false
			}
			e := n.remote[dev]
			if e != nil && e.info.Deleted && (n.local == nil || n.ident != e.ident) {
				out = append(out, e.info.Name)
			}
			return true
		})
	})
	return out, err
}

func (f *memFolder) Meta(key string) (v string, err error) {
	err = f.read("meta", func(s *memState) { v = s.meta[key] })
	return v, err
}

func (f *memFolder) SetMeta(key, value string) error {
	return f.commit("set_meta", nil, func(s *memState) {
		if value == "" {
			delete(s.meta, key)
			return
		}
		s.meta[key] = value
	})
}

func (f *memFolder) Barrier() error {
	if err := f.read("barrier", func(*memState) {}); err != nil {
		return err
	}
	f.hardenAll()
	return nil
}

func (f *memFolder) Idle() error { return f.read("idle", func(*memState) {}) }

func (f *memFolder) Close() error {
	f.hardenAll()
	f.shut()
	return nil
}

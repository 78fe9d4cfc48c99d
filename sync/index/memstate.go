package index

import (
	"maps"
	"slices"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/plan"
	"lanyard/sync/relpath"
	"lanyard/sync/vector"
)

// memState is one folder's index as plain values. Entries in it are never
// written to, so states may share them; everything else is the state's own.
type memState struct {
	winner   func([]plan.Version) int
	indexID  bep.IndexID
	seq      int64
	runs     Runs
	self     device.ShortID
	disputed map[string]bool // names for Disputed
	peers    map[device.ID]PeerState
	meta     map[string]string
	recovery *Recovery // never written to

	names  map[string]*memName
	sorted []string   // the keys of names, by bytes
	bySeq  []memPlace // by seq; places that a later record left stay until compact
	counts *Counts    // nil after a change
}

type memPlace struct {
	seq  int64
	name string
}

// memName is what all devices say about one name.
type memName struct {
	local  *Record
	remote map[device.ID]*memEntry
	ident  string // local's identity, "" where there is none

	global *bep.FileInfo // nil only while the name is being changed
	needed bool
}

type memEntry struct {
	info  bep.FileInfo
	ident string
}

func newMemState(id bep.IndexID, winner func([]plan.Version) int, self device.ShortID) *memState {
	if winner == nil {
		winner = plan.Winner
	}
	return &memState{
		winner:  winner,
		self:    self,
		indexID: id,
		peers:   map[device.ID]PeerState{},
		meta:    map[string]string{},
		names:   map[string]*memName{},
	}
}

// clone gives a state that changes on its own.
func (s *memState) clone() *memState {
	c := *s
	c.peers = maps.Clone(s.peers)
	c.disputed = maps.Clone(s.disputed)
	c.meta = maps.Clone(s.meta)
	c.sorted = slices.Clone(s.sorted)
	c.bySeq = slices.Clone(s.bySeq)
	c.counts = nil
	c.names = make(map[string]*memName, len(s.names))
	for name, n := range s.names {
		d := *n
		d.remote = maps.Clone(n.remote)
		c.names[name] = &d
	}
	return &c
}

func identityOf(f *bep.FileInfo) string {
	hash := listHashOf(f)
	return string(appendIdentity(nil, f, &hash))
}

// update stores local records, which become the state's.
func (s *memState) update(recs []Record) {
	for i := range recs {
		r := recs[i]
		s.seq = max(s.seq, s.runs.base()) + 1
		r.Sequence = s.seq
		name := r.Name.String()
		n := s.name(name)
		n.local, n.ident = &r, identityOf(&r.FileInfo)
		s.bySeq = append(s.bySeq, memPlace{s.seq, name})
		s.settle(name)
	}
	s.compact()
}

// restampable reports whether a record says to others what the stored one
// says.
func (s *memState) restampable(r *Record) bool {
	n := s.names[r.Name.String()]
	return n != nil && n.local != nil && n.ident == identityOf(&r.FileInfo)
}

// restamp stores what only we know of records.
func (s *memState) restamp(recs []Record) {
	for i := range recs {
		r := recs[i]
		n := s.names[r.Name.String()]
		r.Sequence = n.local.Sequence
		n.local = &r
		s.settle(r.Name.String())
	}
}

// compact drops places that records left once they are the larger part.
func (s *memState) compact() {
	if len(s.bySeq) < 2*len(s.names)+64 {
		return
	}
	s.bySeq = slices.DeleteFunc(s.bySeq, func(p memPlace) bool { return s.at(p) == nil })
}

// at gives the record that is still at a place, or nil.
func (s *memState) at(p memPlace) *Record {
	n := s.names[p.name]
	if n == nil || n.local == nil || n.local.Sequence != p.seq {
		return nil
	}
	return n.local
}

// updateRemote stores a device's entries, which become the state's.
func (s *memState) updateRemote(dev device.ID, files []bep.FileInfo) {
	peer := s.peers[dev]
	for i := range files {
		f := files[i]
		peer.MaxSequence = max(peer.MaxSequence, f.Sequence)
		f.Sequence = 0
		name := f.Name.String()
		n := s.name(name)
		n.remote[dev] = &memEntry{info: f, ident: identityOf(&f)}
		s.settle(name)
		if n.local != nil && Overtaken(&n.local.FileInfo, &f, s.self) {
			note(&s.disputed, name)
		}
	}
	s.peers[dev] = peer
}

// forget drops a device's entries.
func (s *memState) forget(dev device.ID) {
	for _, name := range slices.Clone(s.sorted) {
		if n := s.names[name]; n.remote[dev] != nil {
			delete(n.remote, dev)
			s.settle(name)
		}
	}
}

func (s *memState) name(name string) *memName {
	n := s.names[name]
	if n == nil {
		n = &memName{remote: map[device.ID]*memEntry{}}
		s.names[name] = n
		i, _ := slices.BinarySearch(s.sorted, name)
		s.sorted = slices.Insert(s.sorted, i, name)
	}
	return n
}

// settle chooses a changed name's global version anew, and removes a name
// that no device has an entry for.
func (s *memState) settle(name string) {
	s.counts = nil
	n := s.names[name]
	if n.local == nil && len(n.remote) == 0 {
		delete(s.names, name)
		i, _ := slices.BinarySearch(s.sorted, name)
		s.sorted = slices.Delete(s.sorted, i, i+1)
		return
	}
	infos, versions := n.distinct()
	n.global = infos[s.winner(versions)]
	var local *bep.FileInfo
	if n.local != nil {
		local = &n.local.FileInfo
	}
	for _, f := range infos[1:] {
		if local != nil && (Twins(f, local) || Forgotten(local, f, s.self)) {
			note(&s.disputed, name)
		}
	}
	live := slices.ContainsFunc(infos, func(f *bep.FileInfo) bool { return !f.Deleted && !f.Invalid })
	n.needed = plan.Needs(n.global, local, live)
}

// distinct lists the different entries for the name: ours first, then by the
// smallest device ID.
func (n *memName) distinct() (infos []*bep.FileInfo, versions []plan.Version) {
	seen := map[string]bool{}
	if n.local != nil {
		seen[n.ident] = true
		infos = append(infos, &n.local.FileInfo)
		versions = append(versions, plan.VersionOf(&n.local.FileInfo, true))
	}
	for _, dev := range n.devices() {
		e := n.remote[dev]
		if !seen[e.ident] {
			seen[e.ident] = true
			infos = append(infos, &e.info)
			versions = append(versions, plan.VersionOf(&e.info, false))
		}
	}
	return infos, versions
}

func (n *memName) devices() []device.ID {
	return slices.SortedFunc(maps.Keys(n.remote), device.ID.Compare)
}

// from lists the devices that announce exactly the global version, valid.
func (n *memName) from() []device.ID {
	return slices.DeleteFunc(n.devices(), func(d device.ID) bool {
		f := &n.remote[d].info
		return f.Invalid || vector.Compare(f.Version, n.global.Version) != vector.Equal
	})
}

// lacks reports whether a device needs the global version (BEP section 5.16).
func (n *memName) lacks(dev device.ID) bool {
	e := n.remote[dev]
	switch {
	case n.global.Invalid:
		return false
	case n.global.Deleted:
		return e != nil && !e.info.Invalid && !e.info.Deleted
	}
	return e == nil || vector.Compare(e.info.Version, n.global.Version) != vector.Equal
}

// need gives what we need of a name.
func (n *memName) need() Needed {
	need := Needed{Global: cloneInfo(n.global), From: n.from()}
	if n.local != nil {
		r := cloneRecord(n.local)
		need.Local = &r
	}
	return need
}

// after calls yield for each name greater than after until it says no.
func (s *memState) after(after string, yield func(name string, n *memName) bool) {
	i, found := slices.BinarySearch(s.sorted, after)
	if found {
		i++
	}
	for _, name := range s.sorted[i:] {
		if !yield(name, s.names[name]) {
			return
		}
	}
}

func (s *memState) sum() Counts {
	if s.counts != nil {
		return *s.counts
	}
	var c Counts
	for _, n := range s.names {
		if n.local != nil && !n.local.Invalid {
			c.Local.add(&n.local.FileInfo)
		}
		if !n.global.Invalid {
			c.Global.add(n.global)
		}
		if n.needed {
			c.Need.add(n.global)
		}
	}
	s.counts = &c
	return c
}

func (s *memState) remoteNeed(dev device.ID) NeedCount {
	var c NeedCount
	for _, n := range s.names {
		if n.lacks(dev) {
			c.add(n.global)
		}
	}
	return c
}

func (c *Count) add(f *bep.FileInfo) {
	switch {
	case f.Deleted:
		c.Deleted++
	case f.Type == bep.TypeDirectory:
		c.Dirs++
	case f.Type == bep.TypeSymlink:
		c.Links++
	default:
		c.Files++
	}
	c.Bytes += fileBytes(f)
}

func (c *NeedCount) add(f *bep.FileInfo) {
	c.Items++
	if f.Deleted {
		c.Deletes++
	}
	c.Bytes += fileBytes(f)
}

func (s *memState) localRange(dir, after relpath.Path, limit int) []Record {
	var out []Record
	var page fill
	s.after(max(after.String(), dir.String()), func(name string, n *memName) bool {
		if len(out) == limit || !page.room() || !dir.IsRoot() && name >= dir.String()+"0" {
			return false
		}
		if n.local != nil && n.local.Name.Under(dir) {
			out = append(out, cloneRecord(n.local))
			page.add(&n.local.FileInfo)
		}
		return true
	})
	return out
}

func (s *memState) namesWhere(dir, after relpath.Path, limit int, wanted func(*memName) bool) []relpath.Path {
	var out []relpath.Path
	s.after(max(after.String(), dir.String()), func(name string, n *memName) bool {
		if len(out) == limit || !dir.IsRoot() && name >= dir.String()+"0" {
			return false
		}
		if wanted(n) && n.global.Name.Under(dir) && n.global.Name != dir {
			out = append(out, n.global.Name)
		}
		return true
	})
	return out
}

func (s *memState) localSince(seq int64, limit int) []Record {
	i, _ := slices.BinarySearchFunc(s.bySeq, seq+1, func(p memPlace, seq int64) int { return int(p.seq - seq) })
	var out []Record
	var page fill
	for _, p := range s.bySeq[i:] {
		if len(out) == limit || !page.room() {
			break
		}
		if r := s.at(p); r != nil {
			out = append(out, cloneRecord(r))
			page.add(&r.FileInfo)
		}
	}
	return out
}

func (s *memState) localByContent(hash [32]byte, size int64, limit int) []Record {
	var out []Record
	s.after("", func(_ string, n *memName) bool {
		if len(out) == limit {
			return false
		}
		if n.local != nil && n.local.Size == size && hasStoredBlocks(&n.local.FileInfo) && listHashOf(&n.local.FileInfo) == hash {
			out = append(out, cloneRecord(n.local))
		}
		return true
	})
	return out
}

func (s *memState) remotes() []device.ID {
	var out []device.ID
	for dev, p := range s.peers {
		if p.IndexID != 0 {
			out = append(out, dev)
		}
	}
	slices.SortFunc(out, device.ID.Compare)
	return out
}

// cloneEntries makes a device's entries the index's own.
func cloneEntries(files []bep.FileInfo) []bep.FileInfo {
	out := make([]bep.FileInfo, len(files))
	for i := range files {
		out[i] = cloneInfo(&files[i])
	}
	return out
}

// cloneLocal makes local records the index's own, and marks as invalid
// exactly those whose flags hide them.
func cloneLocal(recs []Record) []Record {
	out := make([]Record, len(recs))
	for i := range recs {
		out[i] = cloneRecord(&recs[i])
		out[i].Invalid = recs[i].Flags&hiding != 0
	}
	return out
}

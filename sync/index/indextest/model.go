package indextest

import (
	"maps"
	"slices"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/device"
	"lanyard/sync/index"
	"lanyard/sync/plan"
	"lanyard/sync/vector"
)

// model is a folder's index without any cleverness: what was stored, and
// every answer computed from it when it is asked for.
type model struct {
	indexID bep.IndexID
	seq     int64
	local   map[string]index.Record
	remote  map[device.ID]map[string]bep.FileInfo
	peers   map[device.ID]index.PeerState
	meta    map[string]string

	winners map[string]*bep.FileInfo // answers of global since the last change
}

func newModel(id bep.IndexID) *model {
	return &model{
		indexID: id,
		local:   map[string]index.Record{},
		remote:  map[device.ID]map[string]bep.FileInfo{},
		peers:   map[device.ID]index.PeerState{},
		meta:    map[string]string{},
		winners: map[string]*bep.FileInfo{},
	}
}

func (m *model) update(recs []index.Record) {
	clear(m.winners)
	for _, r := range recs {
		m.seq++
		r.Sequence = m.seq
		r.Invalid = r.Flags&^(index.MustRescan|index.Returned) != 0
		m.local[r.Name.String()] = r
	}
}

func (m *model) updateRemote(dev device.ID, files []bep.FileInfo) {
	clear(m.winners)
	if m.remote[dev] == nil {
		m.remote[dev] = map[string]bep.FileInfo{}
	}
	p := m.peers[dev]
	for _, f := range files {
		p.MaxSequence = max(p.MaxSequence, f.Sequence)
		f.Sequence = 0
		m.remote[dev][f.Name.String()] = f
	}
	m.peers[dev] = p
}

func (m *model) reset(dev device.ID, id bep.IndexID) {
	clear(m.winners)
	delete(m.remote, dev)
	m.peers[dev] = index.PeerState{IndexID: id}
}

func (m *model) drop(dev device.ID) {
	clear(m.winners)
	delete(m.remote, dev)
	delete(m.peers, dev)
}

// names lists all names that anyone has, in byte order.
func (m *model) names() []string {
	set := map[string]bool{}
	for name := range m.local {
		set[name] = true
	}
	for _, files := range m.remote {
		for name := range files {
			set[name] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

func (m *model) devices() []device.ID {
	return slices.SortedFunc(maps.Keys(m.remote), device.ID.Compare)
}

// ours gives our entry, or nil.
func (m *model) ours(name string) *index.Record {
	r, ok := m.local[name]
	if !ok {
		return nil
	}
	return &r
}

// global gives the version of a name that wins: of equal entries each counts
// once, ours first, then by device ID.
func (m *model) global(name string) *bep.FileInfo {
	g, known := m.winners[name]
	if !known {
		g = m.winner(name)
		m.winners[name] = g
	}
	return g
}

func (m *model) winner(name string) *bep.FileInfo {
	var all []bep.FileInfo
	var versions []plan.Version
	add := func(f bep.FileInfo, local bool) {
		if slices.ContainsFunc(all, func(g bep.FileInfo) bool { return sameVersion(&f, &g) }) {
			return
		}
		all = append(all, f)
		versions = append(versions, plan.VersionOf(&f, local))
	}
	if r := m.ours(name); r != nil {
		add(r.FileInfo, true)
	}
	for _, dev := range m.devices() {
		if f, ok := m.remote[dev][name]; ok {
			add(f, false)
		}
	}
	if i := plan.Winner(versions); i >= 0 {
		return &all[i]
	}
	return nil
}

func sameVersion(f, g *bep.FileInfo) bool {
	return f.Type == g.Type && f.Deleted == g.Deleted && f.Invalid == g.Invalid && f.Size == g.Size &&
		f.ModifiedS == g.ModifiedS && f.ModifiedNs == g.ModifiedNs && slices.Equal(f.Version, g.Version) &&
		f.SymlinkTarget == g.SymlinkTarget && f.BlockSize == g.BlockSize && slices.Equal(f.Blocks, g.Blocks)
}

func sameVector(f, g *bep.FileInfo) bool {
	return vector.Compare(f.Version, g.Version) == vector.Equal
}

func (m *model) from(name string) []device.ID {
	g := m.global(name)
	var out []device.ID
	for _, dev := range m.devices() {
		if f, ok := m.remote[dev][name]; ok && !f.Invalid && sameVector(&f, g) {
			out = append(out, dev)
		}
	}
	return out
}

// live reports whether any device has a valid entry for a name that is there.
func (m *model) live(name string) bool {
	if r := m.ours(name); r != nil && !r.Deleted && !r.Invalid {
		return true
	}
	for _, dev := range m.devices() {
		if f, ok := m.remote[dev][name]; ok && !f.Deleted && !f.Invalid {
			return true
		}
	}
	return false
}

// need gives what we need of a name, or nil.
func (m *model) need(name string) *index.Needed {
	g, r := m.global(name), m.ours(name)
	var l *bep.FileInfo
	if r != nil {
		l = &r.FileInfo
	}
	if g == nil || !plan.Needs(g, l, m.live(name)) {
		return nil
	}
	return &index.Needed{Global: *g, Local: r, From: m.from(name)}
}

// remoteNeeds is BEP section 5.16 for one name.
func (m *model) remoteNeeds(dev device.ID, name string) bool {
	g := m.global(name)
	f, has := m.remote[dev][name]
	switch {
	case g.Invalid:
		return false
	case g.Deleted:
		return has && !f.Invalid && !f.Deleted
	}
	return !has || !sameVector(&f, g)
}

func (m *model) counts() index.Counts {
	var c index.Counts
	for _, name := range m.names() {
		if r := m.ours(name); r != nil && !r.Invalid {
			count(&c.Local, &r.FileInfo)
		}
		if g := m.global(name); !g.Invalid {
			count(&c.Global, g)
		}
		if n := m.need(name); n != nil {
			countNeed(&c.Need, &n.Global)
		}
	}
	return c
}

func (m *model) remoteNeed(dev device.ID) (c index.NeedCount, list []string) {
	for _, name := range m.names() {
		if m.remoteNeeds(dev, name) {
			countNeed(&c, m.global(name))
			list = append(list, name)
		}
	}
	return c, list
}

func count(c *index.Count, f *bep.FileInfo) {
	switch {
	case f.Deleted:
		c.Deleted++
	case f.IsDirectory():
		c.Dirs++
	case f.IsSymlink():
		c.Links++
	default:
		c.Files++
		c.Bytes += f.Size
	}
}

func countNeed(c *index.NeedCount, f *bep.FileInfo) {
	c.Items++
	if f.Deleted {
		c.Deletes++
	}
	if f.IsFile() {
		c.Bytes += f.Size
	}
}

// bySequence lists our records after a sequence.
func (m *model) bySequence(after int64) []index.Record {
	var out []index.Record
	for _, r := range m.local {
		if r.Sequence > after {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b index.Record) int { return int(a.Sequence - b.Sequence) })
	return out
}

// below lists our records below a directory by name.
func (m *model) below(dir string) []index.Record {
	var out []index.Record
	for _, name := range slices.Sorted(maps.Keys(m.local)) {
		r := m.local[name]
		if r.Name.Under(path(dir)) && name != dir {
			out = append(out, r)
		}
	}
	return out
}

// byContent names our valid files with a list hash.
func (m *model) byContent(hash block.Hash, size int64) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(m.local)) {
		r := m.local[name]
		if r.IsFile() && !r.Invalid && r.Size == size && block.ListHash(r.Blocks) == hash {
			out = append(out, name)
		}
	}
	return out
}

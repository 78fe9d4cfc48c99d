package indextest

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/device"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/vector"
)

var (
	machineDevices = []device.ID{devA, devB, devC, {0x50, 3, 1}}
	machineNames   = []string{"a", "a/b", "a/b/c", "a-", "a.x", "a0", "b", "b/a", "ä"}
	contentSeeds   = []byte{1, 2}
)

// machine drives a store and the model side by side.
type machine struct {
	t     *testing.T
	open  Open
	store index.Store
	f     index.Folder
	m     *model
	life  int // folders used so far: each run has its own
}

// testModel stores random entries of several devices and wants every answer
// to be the model's.
func testModel(t *testing.T, open Open) {
	m := &machine{t: t, open: open, store: openStore(t, open)}
	defer func() { check(t, m.store.Close()) }()
	rapid.Check(t, func(rt *rapid.T) {
		m.life++
		m.f = folderOf(t, m.store, m.folder())
		m.m = newModel(m.f.IndexID())
		rt.Repeat(map[string]func(*rapid.T){
			"update":        m.update,
			"update again":  m.update,
			"update remote": m.updateRemote,
			"remote again":  m.updateRemote,
			"reset remote":  m.resetRemote,
			"drop remote":   m.dropRemote,
			"renew":         m.renew,
			"set meta":      m.setMeta,
			"reopen":        m.reopen,
			"rest":          m.rest,
			"compare":       m.compare,
			"":              m.invariants,
		})
		m.compare(rt)
		check(rt, m.store.Drop(m.folder()))
	})
}

func (m *machine) folder() bep.FolderID { return bep.FolderID(fmt.Sprint("folder", m.life)) }

// drawEntry makes an entry of a small world, in which versions and contents
// meet often. Fields that are not part of a version follow from its vector.
func drawEntry(rt *rapid.T) bep.FileInfo {
	name := rapid.SampledFrom(machineNames).Draw(rt, "name")
	var v vector.Vector
	for id := range uint64(3) {
		if n := rapid.Uint64Range(0, 2).Draw(rt, "counter"); n > 0 {
			v = append(v, vector.Counter{ID: id + 1, Value: n})
		}
	}
	seed := rapid.SampledFrom(contentSeeds).Draw(rt, "content")
	var f bep.FileInfo
	switch rapid.IntRange(0, 6).Draw(rt, "kind") {
	case 0:
		f = directory(name, v)
	case 1:
		f = bep.FileInfo{Name: relpath.MustParse(name), Type: bep.TypeSymlink, SymlinkTarget: fmt.Sprint(seed), Version: v}
	case 2:
		f = deleted(name, seed, v)
	case 3:
		f = file(name, 6, seed, v)
	default:
		f = file(name, 1, seed, v)
	}
	f.ModifiedS = int64(rapid.IntRange(0, 1).Draw(rt, "time"))
	f.Permissions, f.ModifiedBy = 0o600, 9
	return f
}

func (m *machine) update(rt *rapid.T) {
	var recs []index.Record
	for range rapid.IntRange(0, 4).Draw(rt, "records") {
		r := local(drawEntry(rt))
		if slices.ContainsFunc(recs, func(o index.Record) bool { return o.Name == r.Name }) {
			continue
		}
		r.Flags = index.Flags(rapid.SampledFrom([]uint8{0, 0, 0, 1, 2, 4, 8, 16, 3}).Draw(rt, "flags"))
		r.Stamp = index.Stamp{Inode: rapid.Uint64Range(0, 2).Draw(rt, "inode")}
		recs = append(recs, r)
	}
	m.m.update(recs)
	if seq := must(m.f.Update(recs))(rt); seq != m.m.seq {
		rt.Fatalf("Update gives sequence %d, want %d", seq, m.m.seq)
	}
}

func drawDevice(rt *rapid.T) device.ID { return rapid.SampledFrom(machineDevices).Draw(rt, "device") }

func (m *machine) updateRemote(rt *rapid.T) {
	dev := drawDevice(rt)
	var files []bep.FileInfo
	for range rapid.IntRange(0, 4).Draw(rt, "entries") {
		f := drawEntry(rt)
		f.Sequence = rapid.Int64Range(1, 100).Draw(rt, "sequence")
		f.Invalid = rapid.IntRange(0, 3).Draw(rt, "invalid") == 0
		files = append(files, f)
	}
	m.m.updateRemote(dev, files)
	check(rt, m.f.UpdateRemote(dev, files))
}

func (m *machine) resetRemote(rt *rapid.T) {
	dev, id := drawDevice(rt), bep.IndexID(rapid.Uint64Range(0, 2).Draw(rt, "index ID"))
	m.m.reset(dev, id)
	check(rt, m.f.ResetRemote(dev, id))
}

func (m *machine) dropRemote(rt *rapid.T) {
	dev := drawDevice(rt)
	m.m.drop(dev)
	check(rt, m.f.DropRemote(dev))
}

func (m *machine) renew(rt *rapid.T) {
	id := must(m.f.RenewIndexID())(rt)
	if id == m.m.indexID || id == 0 {
		rt.Fatalf("the new index ID is %v, the old one was %v", id, m.m.indexID)
	}
	m.m.indexID = id
}

func (m *machine) setMeta(rt *rapid.T) {
	key, value := rapid.SampledFrom([]string{"k", "seq"}).Draw(rt, "key"), rapid.SampledFrom([]string{"", "v", "w"}).Draw(rt, "value")
	m.m.meta[key] = value
	check(rt, m.f.SetMeta(key, value))
}

func (m *machine) reopen(rt *rapid.T) {
	if rapid.Bool().Draw(rt, "folder only") {
		check(rt, m.f.Close())
	} else {
		check(rt, m.store.Close())
		m.store = must(m.open())(rt)
	}
	m.f = must(m.store.Folder(m.folder()))(rt)
}

func (m *machine) rest(rt *rapid.T) {
	check(rt, m.f.Barrier())
	check(rt, m.f.Idle())
}

// invariants are the cheap comparisons, made after each step.
func (m *machine) invariants(rt *rapid.T) {
	if m.f.Sequence() != m.m.seq || m.f.IndexID() != m.m.indexID {
		rt.Fatalf("sequence %d and index ID %v, want %d and %v", m.f.Sequence(), m.f.IndexID(), m.m.seq, m.m.indexID)
	}
	wantSame(rt, "counts", m.m.counts(), must(m.f.Counts())(rt))
	for _, dev := range machineDevices {
		want, _ := m.m.remoteNeed(dev)
		wantSame(rt, "remote need", want, must(m.f.RemoteNeed(dev))(rt))
		wantSame(rt, "peer state", m.m.peers[dev], must(m.f.Remote(dev))(rt))
	}
}

func wantSame(rt *rapid.T, what string, want, got any) {
	if reflect.DeepEqual(want, got) {
		return // a diff takes far longer
	}
	if d := diff(want, got); d != "" {
		rt.Fatalf("%s (-want +got):\n%s", what, d)
	}
}

// compare asks for everything.
func (m *machine) compare(rt *rapid.T) {
	for _, name := range machineNames {
		m.compareName(rt, name)
	}
	m.comparePages(rt)
	for _, key := range []string{"k", "seq"} {
		wantSame(rt, "fact", m.m.meta[key], must(m.f.Meta(key))(rt))
	}
	for _, seed := range contentSeeds {
		for _, n := range []int{1, 6} {
			list := blocks(n, seed)
			size := list[n-1].Offset + int64(list[n-1].Size)
			got := names(must(m.f.LocalByContent(block.ListHash(list), size, 100))(rt))
			slices.Sort(got)
			wantSame(rt, "found by content", m.m.byContent(block.ListHash(list), size), got)
		}
	}
}

func (m *machine) compareName(rt *rapid.T, name string) {
	p := relpath.MustParse(name)
	r, ok, err := m.f.Local(p)
	check(rt, err)
	wantSame(rt, "our record of "+name, m.m.ours(name), pointer(r, ok))
	absent := relpath.MustParse("there/is/no/such/name")
	several := must(m.f.Locals([]relpath.Path{absent, p}))(rt)
	wantSame(rt, "our records of two names", []*index.Record{nil, pointer(r, ok)}, several)

	g, needed, ok, err := m.f.Global(p)
	check(rt, err)
	want := m.m.global(name)
	wantSame(rt, "global "+name, want, pointer(g, ok))
	need := m.m.need(name)
	if needed != (need != nil) {
		rt.Fatalf("%s needed: %v, want %v", name, needed, need != nil)
	}
	n, ok, err := m.f.NeededOne(p)
	check(rt, err)
	wantSame(rt, "need of "+name, need, pointer(n, ok))

	var from []device.ID
	if want != nil && !want.Invalid {
		from = m.m.from(name)
	}
	wantSame(rt, "availability of "+name, from, must(m.f.Availability(p))(rt))
	for _, dev := range machineDevices {
		e, ok, err := m.f.RemoteEntry(dev, p)
		check(rt, err)
		f, has := m.m.remote[dev][name]
		wantSame(rt, "remote entry of "+name, pointer(f, has), pointer(e, ok))
	}
}

func pointer[T any](v T, ok bool) *T {
	if !ok {
		return nil
	}
	return &v
}

// pages collects what a paged query gives, page by page.
func pages[T any](rt *rapid.T, limit int, next func(last *T) ([]T, error)) []T {
	var all []T
	var last *T
	for {
		page := must(next(last))(rt)
		if len(page) > limit {
			rt.Fatalf("a page of %d, want at most %d", len(page), limit)
		}
		all = append(all, page...)
		if len(page) < limit {
			return all
		}
		last = &page[len(page)-1]
	}
}

func (m *machine) comparePages(rt *rapid.T) {
	limit := rapid.IntRange(1, 5).Draw(rt, "page size")
	var needs []index.Needed
	for _, name := range m.m.names() {
		if n := m.m.need(name); n != nil {
			needs = append(needs, *n)
		}
	}
	wantSame(rt, "needed", needs, pages(rt, limit, func(last *index.Needed) ([]index.Needed, error) {
		if last == nil {
			return m.f.Needed(relpath.Root, limit)
		}
		return m.f.Needed(last.Global.Name, limit)
	}))
	wantSame(rt, "by sequence", m.m.bySequence(0), pages(rt, limit, func(last *index.Record) ([]index.Record, error) {
		if last == nil {
			return m.f.LocalSince(0, limit)
		}
		return m.f.LocalSince(last.Sequence, limit)
	}))
	dir := rapid.SampledFrom([]string{"", "a", "a/b", "b"}).Draw(rt, "directory")
	wantSame(rt, "below "+dir, m.m.below(dir), pages(rt, limit, func(last *index.Record) ([]index.Record, error) {
		if last == nil {
			return m.f.LocalRange(path(dir), relpath.Root, limit)
		}
		return m.f.LocalRange(path(dir), last.Name, limit)
	}))
	m.compareRemotePages(rt, limit)
}

func (m *machine) compareRemotePages(rt *rapid.T, limit int) {
	dev := drawDevice(rt)
	var want []bep.FileInfo
	_, list := m.m.remoteNeed(dev)
	for _, name := range list {
		want = append(want, *m.m.global(name))
	}
	wantSame(rt, "remote needed", want, pages(rt, limit, func(last *bep.FileInfo) ([]bep.FileInfo, error) {
		if last == nil {
			return m.f.RemoteNeeded(dev, relpath.Root, limit)
		}
		return m.f.RemoteNeeded(dev, last.Name, limit)
	}))
	var gone []relpath.Path
	for _, name := range m.m.names() {
		theirs, ours := m.m.remote[dev][name], m.m.ours(name)
		if theirs.Deleted && (ours == nil || !sameVector(&theirs, &ours.FileInfo)) {
			gone = append(gone, theirs.Name)
		}
	}
	listed := pages(rt, limit, func(last *relpath.Path) ([]relpath.Path, error) {
		if last == nil {
			return m.f.RemoteDeleted(dev, relpath.Root, limit)
		}
		return m.f.RemoteDeleted(dev, *last, limit)
	})
	listed = slices.DeleteFunc(listed, func(p relpath.Path) bool { // ours may say something else of the same version
		theirs, ours := m.m.remote[dev][p.String()], m.m.ours(p.String())
		return theirs.Deleted && ours != nil && sameVector(&theirs, &ours.FileInfo)
	})
	wantSame(rt, "remote deleted", gone, listed)
	var ids []device.ID
	for _, dev := range machineDevices {
		if m.m.peers[dev].IndexID != 0 {
			ids = append(ids, dev)
		}
	}
	slices.SortFunc(ids, device.ID.Compare)
	wantSame(rt, "remotes", ids, must(m.f.Remotes())(rt))
}

package pull_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"lanyard/sync/archive"
	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/device"
	"lanyard/sync/exec"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/pull"
	"lanyard/sync/relpath"
	"lanyard/sync/scan"
	"lanyard/sync/vector"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The other devices.
var (
	first  = device.ID{1}
	second = device.ID{2}
)

const ourShort = 7

// blocks answers requests for every content that it was given.
type blocks struct {
	mu       sync.Mutex
	data     map[block.Hash][]byte
	answer   func(dev device.ID, req *bep.Request) (*bep.Response, error) // nil: the right bytes
	away     map[device.ID]bool
	requests []string                 // "name block-number", in order
	owed     int                      // responses not released
	hold     map[string]chan struct{} // names whose answers wait until it is closed
	holdOf   map[device.ID]chan struct{}
	slow     time.Duration // each answer takes so long
}

func (b *blocks) Load(dev device.ID) (int, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return 0, !b.away[dev]
}

func (b *blocks) Request(dev device.ID, req *bep.Request, deliver func(*bep.Response, error)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.requests = append(b.requests, req.Name.String()+" "+string(rune('0'+req.BlockNo)))
	resp, err := &bep.Response{Data: b.data[block.Hash(req.Hash)]}, error(nil)
	if b.answer != nil {
		resp, err = b.answer(dev, req)
	}
	if resp != nil {
		b.owed++
	}
	hold := b.hold[req.Name.String()]
	holdOf, slow := b.holdOf[dev], b.slow
	go func() {
		if hold != nil {
			<-hold
		}
		if holdOf != nil {
			<-holdOf
		}
		if slow > 0 {
			<-time.After(slow)
		}
		deliver(resp, err)
	}()
}

func (b *blocks) Release(*bep.Response) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.owed--
}

func (b *blocks) asked() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.requests)
}

// rig is a folder with a puller and a scanner over a disk in memory.
type rig struct {
	t      testing.TB
	disk   *fsys.Mem
	user   fsys.User
	index  index.Folder
	exec   *exec.Real
	source *blocks
	worker *pull.Worker

	role      bep.FolderType
	ignored   map[string]bool
	deletable map[string]bool
	brake     pull.Brake
	proof     error
	stored    int
	maxMoved  int
	maxLists  int
	sequence  int64
}

// inRig runs a test with a rig, in virtual time.
func inRig(t *testing.T, o fsys.MemOptions, test func(*rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, o)
		test(r)
		r.exec.Close()
		if r.source.owed != 0 {
			t.Errorf("%d responses were not released", r.source.owed)
		}
	})
}

func newRig(t testing.TB, o fsys.MemOptions) *rig {
	o.Now = time.Now
	r := &rig{
		t: t, disk: fsys.NewMem(o), exec: &exec.Real{},
		source:  &blocks{data: map[block.Hash][]byte{}, away: map[device.ID]bool{}},
		ignored: map[string]bool{}, deletable: map[string]bool{},
	}
	r.user = r.disk.User()
	ix, err := index.NewMemory(index.MemoryOptions{}).Folder("f")
	r.must(err)
	r.index = ix
	return r
}

// start makes the worker, for the rig's settings as they are then.
func (r *rig) start() {
	if r.worker != nil {
		return
	}
	r.worker = pull.NewWorker(pull.Options{
		Folder: "f", Role: r.role, FS: r.disk, Index: r.index, Exec: r.exec, Disk: exec.NewSerial(r.exec), Source: r.source,
		Archive:   archive.New(archive.Options{FS: r.disk}),
		Ignored:   func(p relpath.Path) bool { return r.ignored[p.String()] },
		Deletable: func(p relpath.Path) bool { return r.deletable[p.String()] },
		Prove:     func() error { return r.proof },
		Stored:    func() { r.stored++ },
		MaxMoved:  r.maxMoved,
		MaxLists:  r.maxLists,
		Brake:     r.brake,
	})
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) write(name, content string) {
	r.t.Helper()
	if i := strings.LastIndexByte(name, '/'); i > 0 {
		r.must(r.user.MkdirAll(name[:i]))
	}
	r.must(r.user.WriteFile(name, []byte(content)))
}

// scan records what is on the disk, long after it was written.
func (r *rig) scan() {
	r.t.Helper()
	<-time.After(time.Minute)
	o := scan.Options{FS: r.disk, Index: r.index, Pool: block.NewPool(1), Short: ourShort, Now: time.Now}
	_, err := scan.Walk(context.Background(), o, nil, func(batch []scan.Candidate) error {
		recs, _, err := scan.Confirm(context.Background(), o, batch)
		if err != nil {
			return err
		}
		_, err = r.index.Update(recs)
		return err
	})
	r.must(err)
}

// pull runs one round.
func (r *rig) pull() pull.Result {
	r.t.Helper()
	r.start()
	done := make(chan pull.Result, 1)
	r.worker.Start(func(res pull.Result) { done <- res })
	return <-done
}

// pulled runs a round that must do all that is needed.
func (r *rig) pulled() {
	r.t.Helper()
	res := r.pull()
	if res.Err != nil || len(res.Failed) > 0 {
		r.t.Fatalf("the round ended with %v; failed: %v", res.Err, res.Failed)
	}
	r.wantNoNeed()
}

func (r *rig) wantNoNeed() {
	r.t.Helper()
	need, err := r.index.Needed(relpath.Root, 10)
	r.must(err)
	if len(need) > 0 {
		r.t.Errorf("%d names are still needed, the first is %s", len(need), need[0].Global.Name)
	}
}

// local gives our version of a name.
func (r *rig) local(name string) index.Record {
	r.t.Helper()
	rec, ok, err := r.index.Local(relpath.MustParse(name))
	r.must(err)
	if !ok {
		r.t.Fatalf("%s is not recorded", name)
	}
	return rec
}

// newer is a version after ours, concurrent one beside it.
func (r *rig) newer(name string) vector.Vector { return r.local(name).Version.Bump(9, 0) }

var concurrent = vector.Vector{{ID: 9, Value: 1}}

// mtime of what others announce: later than anything here, so that they win.
const later = 2_000_000_000

func file(name, content string, v vector.Vector) bep.FileInfo {
	f := bep.FileInfo{
		Name: relpath.MustParse(name), Size: int64(len(content)), Permissions: 0o644, ModifiedS: later,
		Version: v, BlockSize: block.MinSize, ModifiedBy: 9,
	}
	for off := 0; off == 0 || off < len(content); off += block.MinSize {
		part := content[off:min(len(content), off+block.MinSize)]
		f.Blocks = append(f.Blocks, block.Info{Offset: int64(off), Size: int32(len(part)), Hash: sha256.Sum256([]byte(part))})
	}
	return f
}

func dir(name string, v vector.Vector) bep.FileInfo {
	return bep.FileInfo{Name: relpath.MustParse(name), Type: bep.TypeDirectory, Permissions: 0o755, ModifiedS: later, Version: v, ModifiedBy: 9}
}

func link(name, target string, v vector.Vector) bep.FileInfo {
	return bep.FileInfo{Name: relpath.MustParse(name), Type: bep.TypeSymlink, SymlinkTarget: target, ModifiedS: later, Version: v, ModifiedBy: 9}
}

func gone(name string, v vector.Vector) bep.FileInfo {
	return bep.FileInfo{Name: relpath.MustParse(name), Deleted: true, ModifiedS: later, Version: v, ModifiedBy: 9}
}

// announce makes a device announce entries; contents are what it can serve.
func (r *rig) announce(dev device.ID, contents []string, files ...bep.FileInfo) {
	r.t.Helper()
	r.source.mu.Lock()
	for _, c := range contents {
		for off := 0; off < len(c); off += block.MinSize {
			part := []byte(c[off:min(len(c), off+block.MinSize)])
			r.source.data[sha256.Sum256(part)] = part
		}
	}
	r.source.mu.Unlock()
	for i := range files {
		r.sequence++
		files[i].Sequence = r.sequence
	}
	r.must(r.index.UpdateRemote(dev, files))
}

// random gives n bytes of text that does not repeat.
func random(n int) string {
	b := make([]byte, n)
	if _, err := rand.NewChaCha8([32]byte{byte(n)}).Read(b); err != nil {
		panic(err)
	}
	return string(b)
}

// wantFile checks what stands under a name.
func (r *rig) wantFile(name, content string) {
	r.t.Helper()
	got, err := r.user.ReadFile(name)
	if err != nil || string(got) != content {
		r.t.Errorf("%s holds %d bytes (error %v), want the %d bytes of its new content", name, len(got), err, len(content))
	}
}

func (r *rig) wantGone(name string) {
	r.t.Helper()
	if _, err := r.user.Lstat(name); err == nil {
		r.t.Errorf("%s still stands there", name)
	}
}

// places lists where a content stands, temporary files left out.
func (r *rig) places(content string) []string {
	var out []string
	for path, n := range r.user.Tree() {
		base := path[strings.LastIndexByte(path, '/')+1:]
		if n.Kind == fsys.Regular && string(n.Content) == content && !relpath.TempBase(base) {
			out = append(out, path)
		}
	}
	slices.Sort(out)
	return out
}

// temps lists the temporary files on the disk.
func (r *rig) temps() []string {
	var out []string
	for path := range r.user.Tree() {
		if relpath.TempBase(path[strings.LastIndexByte(path, '/')+1:]) {
			out = append(out, path)
		}
	}
	slices.Sort(out)
	return out
}

var errRefused = errors.New("input/output error")

// countReads counts the reads of files, each of which is at most as long as
// what a search reads at a time; it gives bytes.
func (r *rig) countReads() func() int {
	var n atomic.Int64
	r.disk.SetHook(func(op fsys.Op) error {
		if op.Name == fsys.OpRead {
			n.Add(1)
		}
		return nil
	})
	return func() int {
		r.disk.SetHook(nil)
		return int(n.Load()) * (128 << 10)
	}
}

// atomicOnce tells the first of those who ask.
type atomicOnce struct{ asked atomic.Bool }

func (o *atomicOnce) first() bool { return !o.asked.Swap(true) }

package folder

import (
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/device"
	"lanyard/sync/exec"
	"lanyard/sync/fault"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/vector"
	"lanyard/sync/watch"
)

const folderID = bep.FolderID("photos")

var (
	ourID   = device.ID{1}
	otherID = device.ID{2}
)

// contents answers every request from the one content that it holds.
type contents struct {
	mu       sync.Mutex
	data     []byte
	others   map[block.Hash][]byte // further contents of one block
	requests int
	hold     bool // answers are kept back
}

func (c *contents) Load(device.ID) (int, bool) { return 0, true }

func (c *contents) Request(_ device.ID, req *bep.Request, deliver func(*bep.Response, error)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests++
	data := c.data
	if other, ok := c.others[block.Hash(req.Hash)]; ok {
		data = other
	}
	if !c.hold {
		go deliver(&bep.Response{Data: data[req.Offset:][:req.Size]}, nil)
	}
}

// add gives it one more content, of one block.
func (c *contents) add(data []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.others == nil {
		c.others = map[block.Hash][]byte{}
	}
	c.others[sha256.Sum256(data)] = data
}

func (c *contents) Release(*bep.Response) {}

// rig is a folder that runs on a disk in memory.
type rig struct {
	t      *testing.T
	disk   *fsys.Mem
	user   fsys.User
	index  index.Folder
	exec   *exec.Real
	source *contents
	runner *Runner

	options Options

	mu        sync.Mutex
	opens     func() (fsys.FS, error)
	announced int

	sequence int64 // the last that the other device gave
}

// inRig runs a test with a folder that holds the files, marked and not yet
// started, in virtual time, and stops it at the end.
func inRig(t *testing.T, files map[string]string, test func(*rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, files)
		test(r)
		r.runner.Stop()
		r.exec.Close()
	})
}

// inRigOn is inRig on another disk than usual.
func inRigOn(t *testing.T, disk fsys.MemOptions, files map[string]string, test func(*rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		disk.Now = time.Now
		r := newRigOn(t, fsys.NewMem(disk), files)
		test(r)
		r.runner.Stop()
		r.exec.Close()
	})
}

func newRig(t *testing.T, files map[string]string) *rig {
	return newRigOn(t, fsys.NewMem(fsys.MemOptions{Now: time.Now}), files)
}

func newRigOn(t *testing.T, disk *fsys.Mem, files map[string]string) *rig {
	r := &rig{t: t, exec: &exec.Real{}, source: &contents{}}
	r.disk = mark(t, disk, "the marker of this folder")
	r.user = r.disk.User()
	for name, content := range files {
		if i := strings.LastIndexByte(name, '/'); i > 0 {
			r.must(r.user.MkdirAll(name[:i]))
		}
		r.must(r.user.WriteFile(name, []byte(content)))
	}
	r.opens = func() (fsys.FS, error) { return r.disk, nil }
	ix, err := index.NewMemory(index.MemoryOptions{Self: ourID.Short()}).Folder(folderID)
	r.must(err)
	r.index = ix
	r.options = Options{
		ID: folderID, Self: ourID, Open: r.open, Index: ix, Exec: r.exec,
		Hash: block.NewPool(1), Source: r.source, VersionsFor: time.Hour, RescanEvery: time.Hour,
		Announce: func() {
			r.mu.Lock()
			r.announced++
			r.mu.Unlock()
		},
	}
	r.runner = New(r.options)
	return r
}

// restart ends the folder's run, without a word, and begins another one.
func (r *rig) restart() {
	r.runner.Stop()
	r.runner = New(r.options)
	r.start()
}

func deviceIDs(ids ...device.ID) []device.ID { return ids }

// open opens the root as the test says.
func (r *rig) open() (fsys.FS, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.opens()
}

// setOpens says what opening the root gives from now on.
func (r *rig) setOpens(f func() (fsys.FS, error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.opens = f
}

func markedDisk(t *testing.T, nonce string) *fsys.Mem {
	return mark(t, fsys.NewMem(fsys.MemOptions{Now: time.Now}), nonce)
}

func mark(t *testing.T, disk *fsys.Mem, nonce string) *fsys.Mem {
	if err := disk.User().MkdirAll(relpath.MarkerName); err != nil {
		t.Fatal(err)
	}
	if err := disk.User().WriteFile(Marker(folderID).String(), []byte(nonce)); err != nil {
		t.Fatal(err)
	}
	return disk
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// start starts the folder and waits until it rests.
func (r *rig) start() {
	r.runner.Start()
	synctest.Wait()
}

// later lets time pass.
func (r *rig) later(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// scan scans everything and gives what the ticket brought.
func (r *rig) scan() error {
	done := make(chan error, 1)
	r.runner.Scan(nil, func(err error) { done <- err })
	err := <-done
	synctest.Wait()
	return err
}

// local gives "name" for what we have and "name gone" for what was deleted, in
// name order.
func (r *rig) local() []string {
	recs, err := r.index.LocalRange(relpath.Root, relpath.Root, 1000)
	r.must(err)
	var out []string
	for i := range recs {
		text := recs[i].Name.String()
		if recs[i].Deleted {
			text += " gone"
		}
		out = append(out, text)
	}
	return out
}

func (r *rig) wantLocal(want ...string) {
	r.t.Helper()
	if got := r.local(); !slices.Equal(got, want) {
		r.t.Errorf("the index holds %q, want %q", got, want)
	}
}

func (r *rig) announcements() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.announced
}

func (r *rig) wantStopped(code fault.Code) {
	r.t.Helper()
	err := r.runner.View().Err
	if fault.KindOf(err) != fault.Folder || fault.CodeOf(err) != code {
		r.t.Errorf("the folder's error is %v, want %s", err, code)
	}
}

// remoteFile is a file of one block that the other device announces.
func (r *rig) remoteFile(name, content string) {
	r.source.data = []byte(content)
	info := block.Info{Size: int32(len(content)), Hash: sha256.Sum256([]byte(content))}
	r.must(r.index.UpdateRemote(otherID, []bep.FileInfo{{
		Name: relpath.MustParse(name), Size: int64(len(content)), Permissions: 0o644, BlockSize: block.MinSize,
		ModifiedS: 1_600_000_000, Version: vector.Vector{{ID: 9, Value: 9}}, Sequence: 1, Blocks: []block.Info{info},
	}}))
	r.runner.RemoteChanged()
	synctest.Wait()
}

func TestAFolderScansAndPullsByItself(t *testing.T) {
	inRig(t, map[string]string{"mine": "1"}, func(r *rig) {
		r.start()
		r.wantLocal("mine")
		r.remoteFile("theirs", "hello")
		if got, err := r.user.ReadFile("theirs"); string(got) != "hello" || err != nil {
			t.Errorf("content %q, %v", got, err)
		}
		r.wantLocal("mine", "theirs")
		if v := r.runner.View(); !v.Settled || v.Err != nil {
			t.Errorf("at rest the view is %+v", v)
		}
	})
}

func TestAnEventIsScannedAfterItsQuietTime(t *testing.T) {
	inRig(t, nil, func(r *rig) {
		r.start()
		r.must(r.user.WriteFile("new", []byte("1")))
		r.runner.Notice(watch.Change{Events: []watch.Event{{Path: relpath.MustParse("new")}}})
		r.later(quietFirst - time.Millisecond)
		r.wantLocal()
		r.later(time.Millisecond)
		r.wantLocal("new")
	})
}

// A scan that runs while a commit is under way would find what is in place and
// not recorded yet, and hash it for nothing.
func TestAScanBeginsWhenCommitsAreRecorded(t *testing.T) {
	inRig(t, map[string]string{"mine": "1"}, func(r *rig) {
		r.start()
		recorded := make(chan struct{})
		r.runner.disk.Post(func() { <-recorded })
		var read atomic.Bool
		r.disk.SetHook(func(fsys.Op) error {
			read.Store(true)
			return nil
		})
		done := make(chan error, 1)
		r.runner.Scan(nil, func(err error) { done <- err })
		r.later(time.Second)
		if read.Load() {
			t.Error("the scan looked at the disk amid a commit")
		}
		close(recorded)
		r.must(<-done)
		if !read.Load() {
			t.Error("the scan did not look at the disk afterwards")
		}
	})
}

func TestWhatNobodyNoticedIsFoundByTheHourlyScan(t *testing.T) {
	inRig(t, nil, func(r *rig) {
		r.start()
		r.must(r.user.WriteFile("new", []byte("1")))
		r.later(time.Hour - time.Minute)
		r.wantLocal()
		r.later(time.Minute)
		r.wantLocal("new")
	})
}

// rootFaults are all ways in which a folder's root may turn out not to be the
// folder, with a way back.
var rootFaults = []struct {
	name      string
	breaks    func(*rig)
	code      fault.Code
	mend      func(*rig)
	emptiesIt bool
}{
	{
		"its marker is missing",
		func(r *rig) { r.must(r.user.RemoveAll(relpath.MarkerName)) },
		"folder-unmarked",
		func(r *rig) {
			r.must(r.user.MkdirAll(relpath.MarkerName))
			r.must(r.user.WriteFile(Marker(folderID).String(), []byte("the marker of this folder")))
		},
		true,
	},
	{
		"its marker is empty",
		func(r *rig) { r.must(r.user.WriteFile(Marker(folderID).String(), nil)) },
		"folder-unmarked",
		func(r *rig) {
			r.must(r.user.WriteFile(Marker(folderID).String(), []byte("the marker of this folder")))
		},
		true,
	},
	{
		"its marker is another folder's",
		func(r *rig) { r.must(r.user.WriteFile(Marker(folderID).String(), []byte("another"))) },
		"folder-swapped",
		func(r *rig) {
			r.must(r.user.WriteFile(Marker(folderID).String(), []byte("the marker of this folder")))
		},
		true,
	},
	{
		"another directory stands at its path",
		func(r *rig) { r.disk.SetRoot(fsys.RootReplaced) },
		"folder-swapped",
		func(r *rig) { r.disk.SetRoot(fsys.RootPresent) },
		true,
	},
	{
		"nothing stands at its path",
		func(r *rig) { r.disk.SetRoot(fsys.RootGone) },
		"folder-missing",
		func(r *rig) { r.disk.SetRoot(fsys.RootPresent) },
		false,
	},
}

func TestAFolderWhoseRootIsNotItsOwnStopsAndDeletesNothing(t *testing.T) {
	for _, tt := range rootFaults {
		t.Run(tt.name, func(t *testing.T) {
			inRig(t, map[string]string{"a": "1"}, func(r *rig) { testRootFault(r, tt.breaks, tt.mend, tt.code, tt.emptiesIt) })
		})
	}
}

func testRootFault(r *rig, breaks, mend func(*rig), code fault.Code, emptyIt bool) {
	r.must(r.user.MkdirAll("dir"))
	r.must(r.user.WriteFile("dir/b", []byte("2")))
	r.start()
	before, announced := r.local(), r.announcements()
	if emptyIt {
		// What a scan would take for deletions.
		r.must(r.user.RemoveAll("a"))
		r.must(r.user.RemoveAll("dir"))
	}
	breaks(r)
	if err := r.scan(); fault.KindOf(err) != fault.Folder {
		r.t.Errorf("the scan ended with %v, want a fault of the folder's", err)
	}
	r.wantStopped(code)
	r.wantLocal(before...)
	if r.announcements() != announced {
		r.t.Error("something was announced")
	}
	r.remoteFile("theirs", "hello")
	if _, err := r.user.Lstat("theirs"); err == nil {
		r.t.Error("something was pulled into a stopped folder")
	}
	mend(r)
	if emptyIt {
		r.must(r.user.WriteFile("a", []byte("1")))
		r.must(r.user.MkdirAll("dir"))
		r.must(r.user.WriteFile("dir/b", []byte("2")))
	}
	r.later(checkRoot)
	if v := r.runner.View(); v.Err != nil || !v.Settled {
		r.t.Errorf("mended, the view is %+v", v)
	}
	r.wantLocal(append(before, "theirs")...)
}

func TestADiskThatComesBackIsOpenedAnew(t *testing.T) {
	inRig(t, map[string]string{"a": "1"}, func(r *rig) {
		r.start()
		r.disk.SetRoot(fsys.RootGone)
		if err := r.scan(); err == nil {
			t.Error("a scan without a disk succeeded")
		}
		r.wantStopped("folder-missing")
		back := markedDisk(t, "the marker of this folder")
		r.must(back.User().WriteFile("a", []byte("1")))
		r.must(back.User().WriteFile("b", []byte("2")))
		r.disk.SetRoot(fsys.RootReplaced)
		r.setOpens(func() (fsys.FS, error) { return back, nil })
		r.later(checkRoot)
		if err := r.runner.View().Err; err != nil {
			t.Errorf("the folder does not go on: %v", err)
		}
		r.wantLocal("a", "b")
	})
}

func TestAnIndexKnowsTheRootThatItWasMadeFrom(t *testing.T) {
	inRig(t, map[string]string{"a": "1"}, func(r *rig) {
		r.must(r.index.SetMeta(metaRoot, "another root"))
		r.start()
		r.wantStopped("folder-swapped")
		r.wantLocal()
	})
}

func TestARootThatCannotBeOpenedIsTriedAgain(t *testing.T) {
	inRig(t, map[string]string{"a": "1"}, func(r *rig) {
		r.setOpens(func() (fsys.FS, error) { return nil, errors.New("no such directory") })
		r.start()
		r.wantStopped("folder-missing")
		r.setOpens(func() (fsys.FS, error) { return r.disk, nil })
		r.later(checkRoot)
		r.wantLocal("a")
	})
}

func TestRulesThatCannotBeReadStopTheFolder(t *testing.T) {
	inRig(t, map[string]string{"a": "1", "secret": "2", relpath.IgnoreName: "secret\n"}, func(r *rig) {
		r.start()
		before := r.local()
		r.must(r.user.WriteFile(relpath.IgnoreName, []byte("[\n")))
		if err := r.scan(); err == nil {
			t.Error("a scan with broken rules succeeded")
		}
		r.wantStopped("rule-broken")
		r.wantLocal(before...)
		r.must(r.user.WriteFile(relpath.IgnoreName, []byte("secret\n")))
		r.later(checkRoot)
		if err := r.runner.View().Err; err != nil {
			t.Errorf("mended: %v", err)
		}
	})
}

func TestAWishIsAnsweredWhenItsResultIsStored(t *testing.T) {
	inRig(t, nil, func(r *rig) {
		r.start()
		r.must(r.user.WriteFile("a", []byte("1")))
		done := make(chan error, 1)
		r.runner.Scan([]relpath.Path{relpath.MustParse("a")}, func(err error) { done <- err })
		r.must(<-done)
		r.wantLocal("a")
	})
}

func TestAWishOfAStoppedFolderIsRefused(t *testing.T) {
	inRig(t, nil, func(r *rig) {
		r.start()
		r.runner.Stop()
		done := make(chan error, 1)
		r.runner.Scan(nil, func(err error) { done <- err })
		synctest.Wait()
		select {
		case err := <-done:
			if fault.KindOf(err) != fault.Retry {
				t.Errorf("answer %v, want a fault that passes", err)
			}
		default:
			t.Error("no answer")
		}
	})
}

func TestStopWhileBusyLeavesNothingBehind(t *testing.T) {
	files := map[string]string{}
	for _, name := range []string{"a", "b", "c"} {
		files[name] = name
	}
	t.Run("before it is open", func(t *testing.T) {
		inRig(t, files, func(r *rig) { r.runner.Start() })
	})
	t.Run("in a scan", func(t *testing.T) {
		inRig(t, files, func(r *rig) {
			inside, leave := make(chan struct{}), make(chan struct{})
			var once sync.Once
			r.disk.SetHook(func(op fsys.Op) error {
				if op.Name == fsys.OpRead && op.Paths[0] == "b" {
					once.Do(func() { close(inside); <-leave })
				}
				return nil
			})
			r.runner.Start()
			<-inside
			answered := make(chan error, 2)
			r.runner.Scan(nil, func(err error) { answered <- err })
			synctest.Wait()
			stopped := make(chan struct{})
			go func() { r.runner.Stop(); close(stopped) }()
			synctest.Wait() // Stop has said so
			close(leave)
			<-stopped
			if err := <-answered; err == nil {
				t.Error("the wish was answered as if it had been granted")
			}
		})
	})
	t.Run("in a pull", func(t *testing.T) {
		inRig(t, files, func(r *rig) {
			r.source.hold = true
			r.start()
			r.remoteFile("theirs", "hello")
			if r.source.requests != 1 {
				t.Errorf("%d requests, want 1", r.source.requests)
			}
		})
	})
}

func TestWhatAScanFoundWrongIsShownUntilItIsMended(t *testing.T) {
	inRig(t, map[string]string{"a": "1"}, func(r *rig) {
		bad := errors.New("input/output error")
		r.disk.SetHook(func(op fsys.Op) error {
			if op.Name == fsys.OpOpen && op.Paths[0] == "a" {
				return bad
			}
			return nil
		})
		r.start()
		a := relpath.MustParse("a")
		if err := r.runner.Failure(a); !errors.Is(err, bad) {
			t.Errorf("the reason shown is %v, want %v", err, bad)
		}
		if got := r.runner.View().Failures(10); len(got) != 1 || got[0] != a {
			t.Errorf("failures %v, want a", got)
		}
		r.disk.SetHook(nil)
		r.must(r.scan())
		if err := r.runner.Failure(a); err != nil {
			t.Errorf("mended, the reason shown is %v", err)
		}
	})
}

package sim

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path"
	"sync/atomic"
	"time"

	"lanyard/sync/block"
	"lanyard/sync/device"
	"lanyard/sync/engine"
	"lanyard/sync/folder"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
	"lanyard/sync/watch"
)

// folderID is the one folder of a simulation.
const folderID = "sim"

// Device is one whole device: a disk and an index that outlive its program,
// and the engine that runs now.
type Device struct {
	c      *Cluster
	ID     device.ID
	Name   string
	FS     *fsys.Mem
	Store  *index.Memory
	engine *engine.Engine // nil while it is down
	life   *life

	pending []watch.Event // seen by the watcher, not reported yet
	shown   []string      // names whose files may show something else since the last look
	inCall  bool          // a person's edit within a call of the engine's
	crashes int
	boots   int // of the computer
	full    bool
	skew    time.Duration // of its clock
	denied  map[string]error
	removed map[*Device]bool
	copies  []copyOf
	older   map[string]string // contents that a backup brought back since the last quiet point
	absent  []string          // names at rest that it does not have
	// forgetful: its index was lost, or became an older one, since then.
	forgetful bool
	stranger  bool // another device removed it since then, and so knows nothing of what it had

	stirred  atomic.Bool       // its disk or index changed since Cluster.follow looked
	followed map[string]string // what it saw
}

// wall is what the device's clock shows.
func (d *Device) wall() time.Time { return d.c.now.Add(d.skew) }

func (c *Cluster) newDevice(n int) *Device {
	d := &Device{
		c: c, ID: c.deviceID(), Name: string(rune('A' + n)), life: &life{over: true},
		denied: map[string]error{}, removed: map[*Device]bool{},
	}
	o := c.o.Disk
	o.Now = d.wall
	d.FS = fsys.NewMem(o)
	u := d.FS.User()
	must(u.MkdirAll(relpath.MarkerName))
	must(u.WriteFile(folder.Marker(folderID).String(), []byte(d.ID.String()[:32])))
	u.Sync()
	d.Store = index.NewMemory(index.MemoryOptions{Self: d.ID.Short(), Winner: c.o.Winner, OnOp: d.storeOp, Rand: rand.New(rand.NewPCG(c.rng.Uint64(), c.rng.Uint64()))})
	return d
}

// start begins a new life.
func (d *Device) start() {
	d.life = &life{}
	d.FS.SetHook(d.hook)
	d.engine = engine.New(engine.Options{
		ID: d.ID, Name: d.Name, Version: "sim", Boot: fmt.Sprint(d.boots), Store: d.c.o.OpenStore(d.Store), Exec: executor{d.c, d, d.life},
		OpenRoot: func(engine.FolderSpec) (fsys.FS, error) { return d.c.openRoot(d), nil },
		Hash:     block.NewPool(1), Log: d.log(),
		Rand: rand.New(rand.NewPCG(d.c.rng.Uint64(), d.c.rng.Uint64())),
	})
	d.engine.Apply(d.desired())
	for _, k := range d.c.cables {
		if k.a == d || k.b == d {
			k.connect()
		}
	}
}

func (d *Device) log() *slog.Logger {
	if d.c.o.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return d.c.o.Log.With("on", d.Name)
}

// desired is the one folder, shared with every device that has a cable to
// this one.
func (d *Device) desired() engine.Desired {
	want := engine.Desired{Name: d.Name}
	f := engine.FolderSpec{ID: folderID, Path: "/sim", RescanEvery: d.c.o.RescanEvery, Brake: d.c.o.Brake, NoBrake: d.c.o.NoBrake}
	for _, k := range d.c.cables {
		other := k.other(d)
		if other == nil || d.removed[other] {
			continue
		}
		want.Devices = append(want.Devices, engine.DeviceSpec{ID: other.ID, Name: other.Name})
		f.Shared = append(f.Shared, other.ID)
	}
	want.Folders = []engine.FolderSpec{f}
	return want
}

// hook runs before every call that the engine makes: a person may edit just
// then, the disk may refuse, the power may fail.
func (d *Device) hook(op fsys.Op) error {
	c := d.c
	if lasts(op.Name) {
		d.stirred.Store(true)
	}
	if c.o.Log != nil {
		d.log().Debug("call", "at", c.now.Format("15:04:05.000"), "op", string(op.Name), "paths", op.Paths)
	}
	switch op.Name {
	case fsys.OpRename, fsys.OpRenameNoReplace, fsys.OpExchange, fsys.OpCreate, fsys.OpWrite, fsys.OpTruncate:
		d.shown = append(d.shown, op.Paths...)
	}
	if op.Name == fsys.OpRenameNoReplace && !relpath.TempBase(path.Base(op.Paths[0])) {
		if look, err := d.FS.User().Lstat(op.Paths[0]); err == nil && look.Kind == fsys.Directory {
			c.trees++
		}
	}
	if c.lasting != nil && lasts(op.Name) {
		c.lasting(d)
	}
	if d.inCall || c.calm {
		return nil
	}
	if err := d.denial(op); err != nil {
		return err
	}
	p := c.rng.Float64()
	happens := func(rate float64) bool {
		hit := p >= 0 && p < rate
		p -= rate
		return hit
	}
	switch r := c.o.Rates; {
	case happens(r.Edit):
		d.inCall = true
		c.userOp(d)
		d.inCall = false
	case happens(r.Refuse):
		return errRefused
	case happens(r.Crash) && d.crashes < c.o.MaxCrashes:
		panic(crashed{d, true})
	case happens(r.Kill) && d.crashes < c.o.MaxCrashes:
		panic(crashed{d, false})
	}
	return nil
}

// die ends the life in the midst of a call: by a power cut what was not
// durable may be lost; else the program alone is gone.
func (d *Device) die(power bool) {
	if d.engine == nil {
		return
	}
	d.crashes++
	d.stop()
	d.FS.SetHook(nil)
	if power {
		d.powerCut()
	} else {
		d.c.note("kill %s", d.Name)
		d.Store = d.Store.Kill()
	}
	d.startLater()
}

func (d *Device) powerCut() {
	before := d.FS.User().Tree()
	d.boots++
	d.FS = d.FS.Crash(d.c.rng)
	d.Store = d.Store.Crash(d.c.rng)
	d.c.note("crash %s", d.Name)
	if d.c.wrong == nil {
		d.c.wrong = d.c.oracle.powerCut(d, before)
	}
}

// startLater begins a new life after a while.
func (d *Device) startLater() {
	d.c.after(d.c.between(10*time.Millisecond, 5*time.Second), task{run: func() {
		if d.engine == nil {
			d.start()
		}
	}})
}

// stop ends the life without a word.
func (d *Device) stop() {
	d.life.over = true
	d.engine = nil
	d.pending = nil
	for _, k := range d.c.cables {
		if k.a == d || k.b == d {
			k.conn.cut()
		}
	}
}

// folder gives what the engine says of the folder.
func (d *Device) folder() status.Folder {
	if d.engine == nil {
		return status.Folder{}
	}
	s := d.engine.Snapshot()
	if len(s.Folders) == 0 {
		return status.Folder{}
	}
	return s.Folders[0]
}

// behind is how much the others lack, by this device's word.
func (d *Device) behind() int64 {
	var n int64
	for _, dev := range d.engine.Snapshot().Devices {
		if !dev.Connected {
			return 1
		}
		need := dev.Folders[folderID]
		n += need.NeedItems
		if !need.Current {
			n++
		}
	}
	return n
}

func must(err error) {
	if err != nil {
		panic("sim: " + err.Error())
	}
}

// lacking lists what the others lack, by this device's index, for a report.
func (d *Device) lacking() []string {
	var out []string
	ix, err := d.Store.Folder(folderID)
	must(err)
	for _, other := range d.c.devices {
		if other == d {
			continue
		}
		need, err := ix.RemoteNeeded(other.ID, relpath.Root, 10)
		must(err)
		for _, f := range need {
			theirs, _, err := ix.RemoteEntry(other.ID, f.Name)
			must(err)
			out = append(out, fmt.Sprintf("%s %s deleted %v %v, theirs %v", other.Name, f.Name, f.Deleted, f.Version, theirs.Version))
			for _, each := range d.c.devices {
				own, err := each.Store.Folder(folderID)
				must(err)
				rec, ok, err := own.Local(f.Name)
				must(err)
				out = append(out, fmt.Sprintf("%s itself: %v deleted %v %v seq %d of %d, %v", each.Name, ok, rec.Deleted, rec.Version, rec.Sequence, own.Sequence(), each.ID.Short()))
			}
		}
	}
	return out
}

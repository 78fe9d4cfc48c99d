package sim

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
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
	full    bool
	skew    time.Duration // of its clock
}

// wall is what the device's clock shows.
func (d *Device) wall() time.Time { return d.c.now.Add(d.skew) }

func (c *Cluster) newDevice(n int) *Device {
	d := &Device{c: c, ID: c.deviceID(), Name: string(rune('A' + n)), life: &life{over: true}}
	o := c.o.Disk
	o.Now = d.wall
	d.FS = fsys.NewMem(o)
	u := d.FS.User()
	must(u.MkdirAll(relpath.MarkerName))
	must(u.WriteFile(folder.Marker(folderID).String(), []byte(d.ID.String()[:32])))
	u.Sync()
	d.Store = index.NewMemory(index.MemoryOptions{Winner: c.o.Winner, Rand: rand.New(rand.NewPCG(c.rng.Uint64(), c.rng.Uint64()))})
	return d
}

// start begins a new life.
func (d *Device) start() {
	d.life = &life{}
	d.FS.SetHook(d.hook)
	d.engine = engine.New(engine.Options{
		ID: d.ID, Name: d.Name, Version: "sim", Store: d.Store, Exec: executor{d.c, d, d.life},
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
	f := engine.FolderSpec{ID: folderID, Path: "/sim", RescanEvery: d.c.o.RescanEvery}
	for _, k := range d.c.cables {
		var other *Device
		switch d {
		case k.a:
			other = k.b
		case k.b:
			other = k.a
		default:
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
	if c.o.Log != nil {
		d.log().Debug("call", "at", c.now.Format("15:04:05.000"), "op", string(op.Name), "paths", op.Paths)
	}
	switch op.Name {
	case fsys.OpRename, fsys.OpRenameNoReplace, fsys.OpExchange, fsys.OpCreate, fsys.OpWrite, fsys.OpTruncate:
		d.shown = append(d.shown, op.Paths...)
	}
	if d.inCall || c.calm {
		return nil
	}
	switch p := c.rng.Float64(); {
	case p < c.o.EditRate:
		d.inCall = true
		c.userOp(d)
		d.inCall = false
	case p < c.o.EditRate+c.o.RefuseRate:
		return errRefused
	case p < c.o.EditRate+c.o.RefuseRate+c.o.CrashRate && d.crashes < c.o.MaxCrashes:
		panic(crashed{d})
	}
	return nil
}

// die is a power cut: the life ends, what was not durable may be lost.
func (d *Device) die() {
	if d.engine == nil {
		return
	}
	d.crashes++
	d.stop()
	d.FS.SetHook(nil)
	before := d.FS.User().Tree()
	d.FS = d.FS.Crash(d.c.rng)
	d.Store = d.Store.Crash(d.c.rng)
	d.c.note("crash %s", d.Name)
	if d.c.wrong == nil {
		d.c.wrong = d.c.oracle.powerCut(d, before)
	}
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

// saw is the watcher: it tells of a change after a while, in batches, and now
// and then loses one.
func (d *Device) saw(paths ...string) {
	if d.engine == nil {
		return
	}
	for _, s := range paths {
		p, err := relpath.Parse(s)
		if err != nil || p.Internal() || d.c.rng.Float64() < d.c.o.DropRate && !d.c.calm {
			continue
		}
		d.pending = append(d.pending, watch.Event{Path: p, Settled: d.c.rng.IntN(2) == 0, Time: d.wall()})
	}
	x := executor{d.c, d, d.life}
	x.After(d.c.between(0, 20*time.Millisecond), func() {
		events := d.pending
		d.pending = nil
		if len(events) > 0 {
			d.engine.Notice(folderID, watch.Change{Events: events})
		}
	})
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

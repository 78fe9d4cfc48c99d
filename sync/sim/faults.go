package sim

import (
	"slices"
	"strings"
	"syscall"
	"time"

	"lanyard/sync/fault"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/watch"
)

// Rates are chances of what goes wrong: for each call of the engine's (Edit,
// Refuse, Crash, Kill), for each event of the watcher (Drop, Overflow), and for
// each step of the cluster (all others).
type Rates struct {
	Edit     float64 // a person edits in the midst of a call
	Refuse   float64 // the disk refuses one call
	Crash    float64 // the power goes
	Kill     float64 // the program is ended; what it wrote stays
	Drop     float64 // the watcher loses an event
	Overflow float64 // the watcher loses all it had, and says so

	Cut      float64 // a connection breaks, or a cable is pulled or put back
	Fill     float64 // a disk runs full, with the index on it, or has room again
	Deny     float64 // one name can neither be read nor written for a while
	Clock    float64 // a device's clock is set, by up to three years either way
	Wipe     float64 // a device loses its index
	Rollback float64 // a device's index becomes that of an earlier quiet point
	Restore  float64 // disk and index both become those of one
	Remove   float64 // a device removes another one, or adds it again
}

// copyOf is a backup of a device.
type copyOf struct {
	disk  *fsys.Mem
	store *index.Memory
}

// keptCopies is how many backups a device has.
const keptCopies = 3

// misfortunes are the things that go wrong between two steps, in the order in
// which they are drawn.
func (c *Cluster) misfortunes() []struct {
	rate float64
	do   func(*Device)
} {
	r := c.o.Rates
	return []struct {
		rate float64
		do   func(*Device)
	}{
		{r.Cut, func(*Device) { c.disturb() }},
		{r.Fill, (*Device).fill},
		{r.Deny, (*Device).deny},
		{r.Clock, (*Device).setClock},
		{r.Wipe, (*Device).wipe},
		{r.Rollback, (*Device).rollBack},
		{r.Restore, (*Device).restore},
		{r.Remove, (*Device).removeOther},
	}
}

// misfortune lets something go wrong on some device, or nothing.
func (c *Cluster) misfortune() bool {
	p := c.rng.Float64()
	for _, m := range c.misfortunes() {
		if p < m.rate {
			m.do(c.devices[c.rng.IntN(len(c.devices))])
			return true
		}
		p -= m.rate
	}
	return false
}

// disturb cuts, parts or mends a cable.
func (c *Cluster) disturb() {
	k := c.cables[c.rng.IntN(len(c.cables))]
	switch {
	case k.pulled:
		k.pulled = false
		k.connect()
	case c.rng.IntN(2) == 0:
		k.conn.cut()
	default:
		k.pulled = true
		k.conn.cut()
	}
	c.note("cable %s-%s: pulled %v", k.a.Name, k.b.Name, k.pulled)
}

// fill lets the disk run full, or makes room again.
func (d *Device) fill() {
	d.setFull(!d.full)
	d.c.note("%s: disk full %v", d.Name, d.full)
}

func (d *Device) setFull(full bool) {
	d.full = full
	if full {
		d.FS.SetCapacity(1)
	} else {
		d.FS.SetCapacity(0)
	}
}

var errIndexFull = fault.Wrap(fault.Folder, "disk-full", "write index", "", fsys.ErrNoSpace)

// storeOp refuses to write to the index while the disk is full.
func (d *Device) storeOp(op string) error {
	if lastsInIndex(op) {
		d.stirred.Store(true)
		if d.c.lasting != nil {
			d.c.lasting(d)
		}
	}
	if d.full && (op == "barrier" || op == "lose" || op == "set_meta" || op == "restamp" || strings.HasPrefix(op, "update")) {
		return errIndexFull
	}
	return nil
}

// deny lets one name, and what is below it, refuse every call for a while.
func (d *Device) deny() {
	p := d.c.drawName()
	err := []error{syscall.EACCES, syscall.EIO, syscall.EBUSY}[d.c.rng.IntN(3)]
	d.denied[p] = err
	d.c.note("%s: %s gives %v", d.Name, p, err)
	d.c.after(d.c.between(time.Second, 5*time.Minute), task{run: func() { delete(d.denied, p) }})
}

// denial gives the error of a call about a name that is denied.
func (d *Device) denial(op fsys.Op) error {
	for p, err := range sorted(d.denied) {
		if slices.ContainsFunc(op.Paths, func(q string) bool { return q == p || strings.HasPrefix(q, p+"/") }) {
			return err
		}
	}
	return nil
}

// drawName draws a name that something may stand under.
func (c *Cluster) drawName() string {
	dir := dirNames[c.rng.IntN(len(dirNames))]
	file := fileNames[c.rng.IntN(len(fileNames))]
	return []string{dir, file, dir + "/" + file}[c.rng.IntN(3)]
}

// setClock sets the device's clock.
func (d *Device) setClock() {
	const years = 3 * 365 * 24 * time.Hour
	span := []time.Duration{time.Minute, 24 * time.Hour, years}[d.c.rng.IntN(3)]
	d.skew += d.c.between(-span, span)
	if d.skew.Abs() > 3*years {
		d.skew = 0
	}
	d.c.note("%s: clock set to %s", d.Name, d.wall().Format(time.DateTime))
}

// backUp copies disk and index as they are at a quiet point. What a person had
// saved and the device had not scanned yet would be a new change after a
// restore: nothing tells it from one.
func (d *Device) backUp() {
	d.copies = append(d.copies, copyOf{d.FS.Copy(d.c.rng.IntN(2) == 0), d.Store.Snapshot()})
	d.copies = d.copies[max(0, len(d.copies)-keptCopies):]
	d.c.note("%s: backed up", d.Name)
}

// wipe takes the device's index away.
func (d *Device) wipe() {
	d.stop()
	d.Store = d.Store.Wipe()
	d.c.note("%s: index lost", d.Name)
	d.c.oracle.forgot(d, false)
	d.forgot()
}

// rollBack puts an older copy in the place of the device's index.
func (d *Device) rollBack() {
	if len(d.copies) == 0 {
		return
	}
	d.stop()
	d.Store = d.copies[d.c.rng.IntN(len(d.copies))].store.Snapshot()
	d.c.note("%s: index rolled back", d.Name)
	d.c.oracle.forgot(d, true)
	d.forgot()
}

// restore puts older copies in the place of disk and index. Later backups are
// gone with what was: an index that is newer than the disk shows as deleted by
// a person what the disk does not have yet.
func (d *Device) restore() {
	if len(d.copies) == 0 {
		return
	}
	i := d.c.rng.IntN(len(d.copies))
	old := d.copies[i]
	d.copies = d.copies[:i+1]
	d.stop()
	before := d.FS.User().Tree()
	d.FS.SetHook(nil)
	d.boots++
	d.FS, d.Store = old.disk.Copy(false), old.store.Snapshot()
	d.setFull(d.full)
	d.c.note("%s: restored from a backup", d.Name)
	d.c.oracle.wentBack(d, before)
	d.forgot()
}

// forgot starts a device again that has lost what it knew.
func (d *Device) forgot() {
	d.c.oracle.doubtAll()
	d.startLater()
}

// removeOther removes a device that this one shares with, or adds it again.
// Both halves happen on one side: the other one goes on trying.
func (d *Device) removeOther() {
	var others []*Device
	for _, k := range d.c.cables {
		if other := k.other(d); other != nil {
			others = append(others, other)
		}
	}
	other := others[d.c.rng.IntN(len(others))]
	d.setRemoved(other, !d.removed[other])
}

func (d *Device) setRemoved(other *Device, removed bool) {
	if d.removed[other] == removed {
		return
	}
	d.removed[other] = removed
	other.stranger = other.stranger || removed
	d.c.note("%s: %s removed %v", d.Name, other.Name, removed)
	if d.engine != nil {
		d.engine.Apply(d.desired())
	}
	for _, k := range d.c.cables {
		k.connect()
	}
}

// mend ends everything that is wrong with the device.
func (d *Device) mend() {
	d.setFull(false)
	clear(d.denied)
	for _, k := range d.c.cables {
		if other := k.other(d); other != nil {
			d.setRemoved(other, false)
		}
	}
	if d.engine == nil {
		d.start()
	}
}

// saw is the watcher: it tells of a change after a while, in batches, and now
// and then loses one, or all that it had.
func (d *Device) saw(paths ...string) { d.tell(false, paths...) }

// sawGo is saw for names that went, which is told where somebody wants to know.
func (d *Device) sawGo(paths ...string) { d.tell(!d.c.o.NoBrake, paths...) }

func (d *Device) tell(gone bool, paths ...string) {
	if d.engine == nil {
		return
	}
	rates, calm := d.c.o.Rates, d.c.calm
	for _, s := range paths {
		p, err := relpath.Parse(s)
		if err != nil || p.Internal() || d.c.rng.Float64() < rates.Drop && !calm {
			continue
		}
		d.pending = append(d.pending, watch.Event{Path: p, Removed: gone, Settled: d.c.rng.IntN(2) == 0 && !gone, Time: d.wall()})
	}
	overflow := !calm && d.c.rng.Float64() < rates.Overflow
	x := executor{d.c, d, d.life}
	x.After(d.c.between(0, 20*time.Millisecond), func() {
		events := d.pending
		d.pending = nil
		switch {
		case overflow:
			d.engine.Notice(folderID, watch.Change{All: true})
		case len(events) > 0:
			d.engine.Notice(folderID, watch.Change{Events: events})
		}
	})
}

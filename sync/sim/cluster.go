// Package sim runs whole devices in one goroutine, from one seed: the real
// engine with its real runners, over disks in memory that crash, fill up and
// refuse, indexes that lose what was not durable, and a network that delays,
// cuts and parts. People edit at any moment, also in the midst of the engine's
// calls. An oracle knows what they did and judges every quiet point.
//
// The same seed gives the same run, step by step: Trace tells whether it did.
package sim

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/fault"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/plan"
	"lanyard/sync/status"
)

// Options of a simulation. The zero value is two calm devices.
type Options struct {
	Seed    uint64
	Devices int  // default 2
	Line    bool // each device is joined to the next alone; else all to all
	Ops     int  // acts of people, in all
	Phases  int  // quiet points, default 4
	// Trees is the share of acts that rename a directory, besides those that do
	// anyway, and gives them more names to choose from.
	Trees float64

	Disk        fsys.MemOptions
	Delay       time.Duration // of the network, at most; default 20 ms
	RescanEvery time.Duration // default 1 minute
	Rates       Rates
	MaxCrashes  int // of each device
	// Brake is from how many deletions on people are asked; NoBrake never asks.
	Brake   plan.Brake
	NoBrake bool
	// KeepAll: people neither remove nor replace a file, they add and rename.
	KeepAll bool
	// Live: what a person wrote under a name that nobody removed, and nobody who
	// had it replaced, has to stand in a file or a conflict copy, and not in a
	// version store alone. Without power cuts, and devices that forget.
	Live bool

	// OpenRoot puts something between the engine and the disk, OpenStore between
	// the engine and the index, and Winner
	// chooses the global version: for the mutants, which the oracle must catch.
	OpenRoot  func(fs *fsys.Mem) fsys.FS
	OpenStore func(index.Store) index.Store
	Winner    func([]plan.Version) int
	Log       *slog.Logger
	// Follow is a name, or a part of a content, whose way is told in the notes.
	Follow string
}

func (o Options) withDefaults() Options {
	if o.Devices == 0 {
		o.Devices = 2
	}
	if o.Phases == 0 {
		o.Phases = 4
	}
	if o.Delay == 0 {
		o.Delay = 20 * time.Millisecond
	}
	if o.RescanEvery == 0 {
		o.RescanEvery = time.Minute
	}
	if o.OpenStore == nil {
		o.OpenStore = func(s index.Store) index.Store { return s }
	}
	if o.OpenRoot == nil {
		o.OpenRoot = func(m *fsys.Mem) fsys.FS { return m }
	}
	return o
}

// Cluster is one simulation.
type Cluster struct {
	o   Options
	rng *rand.Rand
	// acts draws what people do, apart from all else, so that the same acts can
	// be repeated in another kind of run.
	acts *rand.Rand
	now  time.Time

	ready    []task
	timers   timers
	timerSeq int
	steps    int
	bytes    int64
	trace    trace

	devices   []*Device
	cables    []*cable
	buffers   *bep.Buffers
	oracle    *oracle
	trees     int   // directories that devices renamed whole
	left      int   // acts of people that remain in this phase
	contents  int   // written so far
	decisions int   // of people, on deletions that were held
	calm      bool  // no faults and no edits now
	wrong     error // what a power cut did that it must not
	notes     []string
	noted     int // notes when follow last looked
	// lasting, if set, is called before a device makes something last.
	lasting func(*Device)
}

var errRefused = fault.New(fault.Item, "", "the disk refused")

// New returns a simulation in which nothing has happened yet.
func New(o Options) *Cluster {
	o = o.withDefaults()
	c := &Cluster{
		o: o, rng: rand.New(rand.NewPCG(o.Seed, 0x1a47a4d)),
		acts: rand.New(rand.NewPCG(o.Seed, 0xac7)), oracle: newOracle(), buffers: bep.NewBuffers(0),
		now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), trace: 14695981039346656037,
	}
	c.oracle.live = o.Live
	for i := range o.Devices {
		c.devices = append(c.devices, c.newDevice(i))
	}
	for i := range c.devices {
		for j := i + 1; j < len(c.devices); j++ {
			if !o.Line || j == i+1 {
				c.cables = append(c.cables, &cable{c: c, a: c.devices[i], b: c.devices[j]})
			}
		}
	}
	return c
}

// Trace is a hash over the whole run.
func (c *Cluster) Trace() uint64 { return uint64(c.trace) }

// Notes lists what people, power and network did, in order.
func (c *Cluster) Notes() []string { return c.notes }

func (c *Cluster) note(format string, args ...any) {
	s := fmt.Sprintf(format, args...)
	c.trace.addString(s)
	c.notes = append(c.notes, fmt.Sprintf("%s %s", c.now.Format("15:04:05.000"), s))
}

func (c *Cluster) between(a, b time.Duration) time.Duration {
	if b <= a {
		return a
	}
	return a + time.Duration(c.rng.Int64N(int64(b-a)))
}

func (c *Cluster) openRoot(d *Device) fsys.FS { return c.o.OpenRoot(d.FS) }

// Limits of a run: running out of them is a failure, for something never ends.
const (
	maxSteps = 2_000_000
	maxQuiet = 6 * time.Hour // of simulated time, from the last act to quiet
)

// Run lives through all phases and returns the first thing that the oracle
// finds wrong.
func (c *Cluster) Run() error {
	for _, d := range c.devices {
		d.start()
	}
	for phase := range c.o.Phases {
		c.left = c.o.Ops / c.o.Phases
		if err := c.turmoil(); err != nil {
			return fmt.Errorf("phase %d: %w", phase, err)
		}
		if err := c.settle(); err != nil {
			return fmt.Errorf("phase %d: %w", phase, err)
		}
		if err := c.oracle.check(c.devices); err != nil {
			return fmt.Errorf("phase %d: %w", phase, err)
		}
		for _, d := range c.devices {
			d.FS.User().Sync() // minutes have passed: the system has written back what was saved
			if c.o.Rates.Restore+c.o.Rates.Rollback > 0 {
				d.backUp()
			}
		}
	}
	return nil
}

// turmoil lets people work, and everything go wrong.
func (c *Cluster) turmoil() error {
	c.calm = false
	for c.left > 0 {
		if c.steps > maxSteps {
			return fmt.Errorf("no end after %d steps", c.steps)
		}
		switch n := c.rng.IntN(100); {
		case n < 6:
			c.userOp(c.devices[c.rng.IntN(len(c.devices))])
		case n < 7 && !c.o.NoBrake:
			c.decide(c.devices[c.rng.IntN(len(c.devices))])
		case c.misfortune():
		default:
			if !c.step(c.now.Add(time.Minute)) {
				c.now = c.now.Add(c.between(0, time.Second))
			}
		}
		if err := c.whole(); err != nil {
			return err
		}
	}
	return nil
}

// whole looks at every name that the last step may have changed.
func (c *Cluster) whole() error {
	if c.wrong != nil {
		return c.wrong
	}
	for _, d := range c.devices {
		for _, p := range d.shown {
			if err := c.oracle.whole(d, p); err != nil {
				return err
			}
		}
		d.shown = d.shown[:0]
	}
	return nil
}

// settle mends everything and runs until nothing is left to do.
func (c *Cluster) settle() error {
	c.note("all mended")
	return c.untilQuiet()
}

// untilQuiet runs, with nothing going wrong, until nothing is left to do.
func (c *Cluster) untilQuiet() error {
	c.calm = true
	for _, d := range c.devices {
		d.mend()
	}
	for _, k := range c.cables {
		k.pulled = false
		k.connect()
	}
	// What the watcher lost, the next scan finds.
	from := c.now.Add(2 * c.o.RescanEvery)
	limit := from.Add(maxQuiet)
	for {
		if c.steps > maxSteps || c.now.After(limit) {
			return fmt.Errorf("not quiet after %d steps, %v: %s", c.steps, c.now.Sub(from), c.unrest())
		}
		if !c.step(limit) {
			return fmt.Errorf("nothing is left to do, but it is not quiet: %s", c.unrest())
		}
		if len(c.ready) == 0 && c.now.After(from) {
			if c.quiet() {
				return nil
			}
			c.decideAll()
		}
		if err := c.whole(); err != nil {
			return err
		}
	}
}

func (c *Cluster) quiet() bool {
	for _, k := range c.cables {
		if !k.quiet() {
			return false
		}
	}
	return c.unrest() == ""
}

// unrest says what keeps the cluster from being quiet.
func (c *Cluster) unrest() string {
	for _, d := range c.devices {
		f := d.folder()
		if f.State != "idle" || f.Need.Items > 0 {
			return fmt.Sprintf("%s is %s, needs %d, problem %v, failed %v", d.Name, f.State, f.Need.Items, f.Problem, f.Failed)
		}
		if slices.ContainsFunc(f.Problems, func(p status.Problem) bool { return p.Code == "read-again" }) {
			return d.Name + " reads files again after a power cut"
		}
		if f.Held > 0 {
			return fmt.Sprintf("%s holds %d deletions: %v", d.Name, f.Held, f.HeldBack)
		}
		if n := d.behind(); n > 0 {
			return fmt.Sprintf("%s says that others lack %d: %v", d.Name, n, d.lacking())
		}
	}
	return ""
}

// Trees is how many directories with their content devices began to rename in
// one step, because another device did.
func (c *Cluster) Trees() int { return c.trees }

// Steps is how many pieces of work were run.
func (c *Cluster) Steps() int { return c.steps }

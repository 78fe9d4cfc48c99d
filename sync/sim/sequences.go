package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"lanyard/sync/fsys"
)

// Act is one thing that a person does on one device of a Sequences.
type Act struct {
	Device int
	Name   string
}

// sequenceActs are the acts by name: every kind of change, on a tree with the
// files a and d/b.
var sequenceActs = []struct {
	name string
	do   func(*Cluster, *Device)
}{
	{"write a", func(c *Cluster, d *Device) { c.write(d, "a") }},
	{"write new", func(c *Cluster, d *Device) { c.write(d, "c.txt") }},
	{"write d/b", func(c *Cluster, d *Device) { c.write(d, "d/b") }},
	{"remove a", func(c *Cluster, d *Device) { c.remove(d, "a") }},
	{"rename a", func(c *Cluster, d *Device) { c.rename(d, "a", "a-b") }},
	{"chmod a", func(c *Cluster, d *Device) { c.chmod(d, "a", 0o755) }},
	{"make directory", func(c *Cluster, d *Device) { c.mkdir(d, "e/deep") }},
	{"remove tree d", func(c *Cluster, d *Device) { c.removeTree(d, "d") }},
	{"rename tree d", func(c *Cluster, d *Device) { c.moveTree(d, "d", "e") }},
}

// Sequences runs short sequences of acts from one quiet state, with the power
// failing at any point at which a device makes something last.
type Sequences struct {
	o    Options
	base *Cluster // at rest; never run again
}

// NewSequences brings devices to the quiet state. Of the options, those of
// chance are not used.
func NewSequences(o Options) (*Sequences, error) {
	o.Rates, o.MaxCrashes = Rates{}, 0
	c := New(o)
	c.calm = true
	for _, d := range c.devices {
		d.start()
	}
	for _, p := range []string{"a", "d/b"} {
		c.left = 1
		d := c.devices[0]
		must(d.FS.User().MkdirAll("d"))
		c.write(d, p)
	}
	if err := c.untilQuiet(); err != nil {
		return nil, err
	}
	for _, d := range c.devices {
		d.FS.User().Sync()
		d.stop()
	}
	return &Sequences{o: o, base: c}, c.oracle.check(c.devices)
}

// Acts lists what can be done on the devices.
func (s *Sequences) Acts() []Act {
	var out []Act
	for i := range s.base.devices {
		for _, a := range sequenceActs {
			out = append(out, Act{i, a.name})
		}
	}
	return out
}

// Run does the acts, each at rest where rests is set, else all at once, and
// lets the power of a device fail just before the n-th time that it makes
// something last (1 is the first), 0 for never. It runs to the end, judges it,
// and gives how often something was made to last, and how often before the last
// act.
func (s *Sequences) Run(acts []Act, rests bool, n int) (points, before int, err error) {
	c := s.fork(uint64(n))
	c.lasting = func(d *Device) {
		points++
		if points == n {
			panic(crashed{d, true})
		}
	}
	for i, a := range acts {
		before = points
		d := c.devices[a.Device]
		at := slices.IndexFunc(sequenceActs, func(x struct {
			name string
			do   func(*Cluster, *Device)
		},
		) bool {
			return x.name == a.Name
		})
		sequenceActs[at].do(c, d)
		if rests || i == len(acts)-1 {
			if err := c.untilQuiet(); err != nil {
				return points, before, fmt.Errorf("%v, power cut at point %d: %w", acts, n, err)
			}
		}
	}
	if c.wrong != nil {
		return points, before, fmt.Errorf("%v, power cut at point %d: %w", acts, n, c.wrong)
	}
	if err := c.oracle.check(c.devices); err != nil {
		return points, before, fmt.Errorf("%v, power cut at point %d: %w", acts, n, err)
	}
	return points, before, nil
}

// fork gives a cluster in the quiet state that runs on its own.
func (s *Sequences) fork(seed uint64) *Cluster {
	c := New(s.o)
	c.rng = rand.New(rand.NewPCG(s.o.Seed, seed))
	c.now, c.calm, c.contents = s.base.now, true, s.base.contents
	c.oracle = s.base.oracle.fork()
	for i, d := range c.devices {
		from := s.base.devices[i]
		d.ID, d.FS, d.Store = from.ID, from.FS.Copy(false), from.Store.Snapshot()
		d.FS.SetClock(d.wall)
		d.Store.SetHook(d.storeOp)
		d.start()
	}
	return c
}

// lasts reports whether a call changes what a power cut leaves.
func lasts(op fsys.OpName) bool {
	switch op {
	case fsys.OpLstat, fsys.OpReadDir, fsys.OpOpen, fsys.OpReadlink, fsys.OpFree, fsys.OpCheck, fsys.OpRead, fsys.OpStat:
		return false
	}
	return true
}

// lastsInIndex is lasts for an operation of the index.
func lastsInIndex(op string) bool {
	switch op {
	case "update", "update_remote", "reset_remote", "restamp", "barrier", "set_meta", "renew_index_id", "lose", "recovered":
		return true
	}
	return false
}

package sim_test

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lanyard/sync/plan"
	"lanyard/sync/sim"
)

var (
	seedFlag  = flag.Uint64("seed", 0, "run this seed alone")
	seedsFlag = flag.Int("seeds", 25, "how many seeds to run")
	fromFlag  = flag.Uint64("from", 1, "the first of them")
	twice     = flag.Int("twice", 10, "run each n-th seed twice and compare the traces")
	follow    = flag.String("follow", "", "a name or a content whose way is told")
	verbose   = flag.Bool("simlog", false, "log what the devices do")
	tenfold   = flag.String("tenfold", "", "the name of a rate, of sim.Rates, that is ten times what it is else")
)

// A simulation holds little and makes much garbage: collecting it less often
// takes a third off the time.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}

// turbulent is a simulation in which everything goes wrong now and then.
func turbulent(seed uint64) sim.Options {
	o := sim.Options{
		Seed: seed, Devices: 3, Ops: 200, Line: seed%2 == 0,
		Rates: sim.Rates{
			Edit: 0.002, Refuse: 0.001, Crash: 0.0005, Kill: 0.0003, Drop: 0.1, Overflow: 0.02,
			Cut: 0.01, Deny: 0.002, Clock: 0.001,
			Wipe: 0.0005, Rollback: 0.0005, Restore: 0.0005, Remove: 0.001,
		},
		MaxCrashes: 6,
		NoBrake:    true, // see asking
		Follow:     *follow,
	}
	o.Disk.StrictDirSync = seed%3 == 0
	o.Disk.NoExchange = seed%5 == 0
	o.Disk.CaseInsensitive = seed%7 == 0
	o.Disk.NoCtime, o.Disk.NoInodes = seed%11 == 0, seed%11 == 0
	if seed%13 == 0 {
		o.Disk.Granularity = 2 * time.Second
	}
	if seed%4 == 1 {
		o.Rates.Fill = 0.001
	}
	if *verbose {
		o.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	return o
}

// worse is a turbulent simulation in which one kind of mishap is ten times as
// frequent.
func worse(seed uint64, rate string) sim.Options {
	o := turbulent(seed)
	switch rate {
	case "":
		return o
	case "Fill":
		o.Rates.Fill = 0.001 // whatever the seed
	case "Crash", "Kill":
		o.MaxCrashes *= 10
	}
	f := reflect.ValueOf(&o.Rates).Elem().FieldByName(rate)
	if !f.IsValid() {
		panic("no such rate: " + rate)
	}
	f.SetFloat(f.Float() * 10)
	return o
}

func run(t *testing.T, o sim.Options, again string) *sim.Cluster {
	t.Helper()
	c := sim.New(o)
	if err := c.Run(); err != nil {
		notes := c.Notes()
		if len(notes) > 60 && !*verbose && *follow == "" {
			notes = notes[len(notes)-60:]
		}
		t.Fatalf("seed %d: %v\n%s\nrepeat with: go test ./sync/sim -run %s -seed %d", o.Seed, err, strings.Join(notes, "\n"), again, o.Seed)
	}
	return c
}

// seeds gives the first and the last seed that are to be run.
func seeds() (first, last uint64) {
	if *seedFlag != 0 {
		return *seedFlag, *seedFlag
	}
	return *fromFlag, *fromFlag + uint64(*seedsFlag) - 1
}

func TestCalmDevicesAgree(t *testing.T) {
	run(t, sim.Options{Seed: 1, Devices: 2, Ops: 40}, "TestCalmDevicesAgree")
}

// With few acts between two quiet points, some devices meet a directory that
// another one renamed whole, and rename it in one step.
func TestDirectoriesAreRenamedWhole(t *testing.T) {
	seeds := uint64(8)
	if os.Getenv("LANYARD_LONG") != "" {
		seeds = 1000
	}
	calm, turmoil := 0, 0
	for seed := uint64(1); seed <= seeds; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			o := sim.Options{Seed: seed, Devices: 2, Ops: 100, Phases: 20, Trees: 0.4}
			calm += run(t, o, "TestDirectoriesAreRenamedWhole").Trees()
			o.Devices, o.Disk = 3, turbulent(seed).Disk
			o.Rates = sim.Rates{Edit: 0.004, Refuse: 0.001, Crash: 0.0005, Kill: 0.0005, Drop: 0.1, Cut: 0.01}
			o.MaxCrashes = 20
			turmoil += run(t, o, "TestDirectoriesAreRenamedWhole").Trees()
		})
	}
	t.Logf("directories renamed whole: %d in calm, %d in turmoil", calm, turmoil)
	if calm == 0 || turmoil == 0 {
		t.Error("the way of a directory in one step is not gone")
	}
}

func TestDevicesAgreeAndLoseNothing(t *testing.T) {
	first, last := seeds()
	again := "TestDevicesAgreeAndLoseNothing"
	if *tenfold != "" {
		again += " -tenfold " + *tenfold
	}
	for seed := first; seed <= last; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			c := run(t, worse(seed, *tenfold), again)
			t.Logf("%d steps in %v", c.Steps(), time.Since(start).Round(time.Millisecond))
			if seed%uint64(max(*twice, 1)) == 0 {
				second := run(t, worse(seed, *tenfold), again)
				if c.Trace() != second.Trace() {
					t.Errorf("seed %d: trace %x, then %x", seed, c.Trace(), second.Trace())
				}
			}
		})
	}
}

// In worse times than a turbulent simulation has, one kind of mishap at a time.
func TestWorseTimesLoseNothing(t *testing.T) {
	seeds := uint64(1)
	if os.Getenv("LANYARD_LONG") != "" {
		seeds = 100
	}
	for _, rate := range []string{"Edit", "Crash", "Kill", "Fill", "Clock"} {
		for seed := uint64(1); seed <= seeds; seed++ {
			t.Run(fmt.Sprintf("%s %d", rate, seed), func(t *testing.T) {
				t.Parallel()
				run(t, worse(seed, rate), "TestDevicesAgreeAndLoseNothing -tenfold "+rate)
			})
		}
	}
}

// Seeds that showed a fault where one kind of mishap is frequent, each with what
// it showed.
func TestSeedsOfWorseTimesThatFoundSomething(t *testing.T) {
	for _, tt := range []struct {
		seed  uint64
		worse string
		found string
	}{
		{375, "Edit", "a restored device that removed another one, and added it again, held on to an old content"},
		{84, "Kill", "a directory that two devices recorded with other permissions at once got one version for both"},
	} {
		t.Run(fmt.Sprintf("%d with %s", tt.seed, tt.worse), func(t *testing.T) {
			t.Parallel()
			t.Log(tt.found)
			run(t, worse(tt.seed, tt.worse), "TestDevicesAgreeAndLoseNothing -tenfold "+tt.worse)
		})
	}
}

// The concurrent runners do what the simulated ones do: the same acts end in
// the same trees.
func TestConcurrentRunnersReachTheSameTrees(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	for seed := uint64(1); seed <= 4; seed++ {
		// Without a watcher every deletion is one that nobody saw.
		o := sim.Options{Seed: seed, Devices: 3, Ops: 40, Line: seed%2 == 0, NoBrake: true}
		want, err := sim.New(o).ActByAct()
		if err != nil {
			t.Fatalf("seed %d, simulated: %v", seed, err)
		}
		got, err := sim.New(o).Concurrently(ctx)
		if err != nil {
			t.Fatalf("seed %d, concurrent: %v", seed, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("seed %d: trees differ (-simulated +concurrent):\n%s", seed, diff)
		}
	}
}

// asking is a simulation in which people are asked often about what they
// deleted. Devices that lose what they know and clocks that jump are left to the
// turbulent one, in which nobody is asked.
func asking(seed uint64) sim.Options {
	o := turbulent(seed)
	o.NoBrake, o.Brake = false, plan.Brake{Files: 4, Percent: 20, Top: 2}
	o.Rates.Wipe, o.Rates.Rollback, o.Rates.Restore, o.Rates.Remove = 0, 0, 0, 0
	o.Rates.Clock = 0
	return o
}

func TestHeldDeletionsLoseNothing(t *testing.T) {
	first, last := seeds()
	last = first + (last-first)/3 // it takes its time
	decisions := 0
	for seed := first; seed <= last; seed++ {
		decisions += run(t, asking(seed), "TestHeldDeletionsLoseNothing").Decisions()
	}
	if decisions == 0 {
		t.Error("nobody was asked")
	}
}

// A brake that asks at the first few deletions never asks about a rename.
func TestRenamesAreNeverHeld(t *testing.T) {
	for seed := uint64(1); seed <= 10; seed++ {
		o := sim.Options{Seed: seed, Devices: 3, Ops: 120, Line: seed%2 == 0, KeepAll: true, Brake: plan.Brake{Files: 1, Percent: 1, Top: 1}}
		o.Rates.Cut = 0.01
		if c := run(t, o, "TestRenamesAreNeverHeld"); c.Decisions() > 0 {
			t.Errorf("seed %d: people were asked %d times", seed, c.Decisions())
		}
	}
}

package sim_test

import (
	"errors"
	"io/fs"
	"runtime"
	"slices"
	"strings"
	"testing"

	"lanyard/sync/bep"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/plan"
	"lanyard/sync/relpath"
	"lanyard/sync/sim"
)

// A mutant is an engine with one safeguard taken away. Each must be caught by
// some seed, or the simulation would not notice its loss; and by its own fault: the
// same seed without it is green.
func TestEveryMutantIsCaught(t *testing.T) {
	tests := []struct {
		name   string
		mutate func(*sim.Options)
	}{
		{"does not look again before it replaces", func(o *sim.Options) {
			o.Rates, o.Live = sim.Rates{Edit: 0.02}, true // what it replaces is in a version store
			o.OpenRoot = func(m *fsys.Mem) fsys.FS { return &careless{Mem: m, seen: map[relpath.Path]fsys.Info{}} }
		}},
		{"does not make names durable before it records them", func(o *sim.Options) {
			o.Rates.Crash, o.MaxCrashes = 0.003, 20
			o.OpenRoot = func(m *fsys.Mem) fsys.FS { return forgetful{m} }
		}},
		{"does not make bytes durable before it records them", func(o *sim.Options) {
			o.Rates.Crash, o.MaxCrashes = 0.003, 20
			o.OpenRoot = func(m *fsys.Mem) fsys.FS { return hasty{m} }
		}},
		{"takes what it cannot look at for absent", func(o *sim.Options) {
			o.Rates.Deny = 0.02
			o.OpenRoot = func(m *fsys.Mem) fsys.FS { return credulous{m} }
		}},
		{"puts files in place in two steps", func(o *sim.Options) {
			o.Rates.Kill, o.MaxCrashes = 0.02, 100
			o.OpenRoot = func(m *fsys.Mem) fsys.FS { return torn{m} }
		}},
		{"does not remember what was deleted", func(o *sim.Options) {
			o.OpenStore = func(s index.Store) index.Store { return undead{s} }
		}},
		{"chooses a winner that depends on who asks", func(o *sim.Options) { o.Winner = selfish }},
	}
	const tries = 400
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for seed := uint64(1); seed <= tries; seed++ {
				o := turbulent(seed)
				tt.mutate(&o)
				err := sim.New(o).Run()
				if err == nil {
					continue
				}
				o.OpenRoot, o.OpenStore, o.Winner = nil, nil, nil
				if whole := sim.New(o).Run(); whole == nil {
					t.Logf("caught by seed %d: %v", seed, err)
					return
				}
			}
			t.Errorf("not caught by %d seeds", tries)
		})
	}
}

// careless answers the puller's last look before it replaces or deletes with
// what its first look said, and so takes the re-check away. Others see the
// disk as it is.
type careless struct {
	*fsys.Mem
	seen map[relpath.Path]fsys.Info
}

func (c *careless) Lstat(p relpath.Path) (fsys.Info, error) {
	info, err := c.Mem.Lstat(p)
	switch who := caller(); {
	case strings.HasSuffix(who, "pull.(*item).decide"):
		if err == nil {
			c.seen[p] = info
		} else {
			delete(c.seen, p)
		}
	case strings.HasSuffix(who, "pull.(*item).unchanged"), strings.HasSuffix(who, "pull.(*item).wasThere"):
		if old, ok := c.seen[p]; ok && err == nil {
			return old, nil
		}
	}
	return info, err
}

// What is moved is still believed to be what was seen under its old name.
func (c *careless) RenameNoReplace(from, to relpath.Path) error {
	c.follow(from, to)
	return c.Mem.RenameNoReplace(from, to)
}

func (c *careless) Exchange(a, b relpath.Path) error {
	c.follow(b, a)
	return c.Mem.Exchange(a, b)
}

func (c *careless) follow(from, to relpath.Path) {
	if info, ok := c.seen[from]; ok {
		c.seen[to] = info
	}
}

// caller gives the function that called Lstat.
func caller() string {
	pc, _, _, _ := runtime.Caller(2)
	return runtime.FuncForPC(pc).Name()
}

// forgetful never makes names durable.
type forgetful struct{ *fsys.Mem }

func (forgetful) SyncDirs([]relpath.Path) error { return nil }

// hasty never makes bytes durable.
type hasty struct{ *fsys.Mem }

func (hasty) SyncFiles([]fsys.File) error { return nil }

// credulous takes every error of a look for the word that nothing is there.
type credulous struct{ *fsys.Mem }

func (c credulous) ReadDir(p relpath.Path) ([]fsys.Entry, error) {
	entries, err := c.Mem.ReadDir(p)
	if err != nil {
		return nil, nil //nolint:nilerr // that is the mutant
	}
	return entries, nil
}

func (c credulous) Lstat(p relpath.Path) (fsys.Info, error) {
	info, err := c.Mem.Lstat(p)
	if err != nil {
		return info, &fs.PathError{Op: "lstat", Path: p.String(), Err: fs.ErrNotExist}
	}
	return info, nil
}

// torn shows a part of a file under its name before all of it.
type torn struct{ *fsys.Mem }

func (t torn) RenameNoReplace(from, to relpath.Path) error {
	if data, err := t.User().ReadFile(from.String()); err == nil && relpath.TempBase(from.Base()) {
		if _, err := t.User().Lstat(to.String()); err != nil && t.User().WriteFile(to.String(), data[:len(data)/2]) == nil {
			// Here the program may end, at a call after which the name is looked at.
			if err := t.Mem.RenameNoReplace(from, to); !errors.Is(err, fs.ErrExist) {
				return err
			}
			if err := t.User().Remove(to.String()); err != nil {
				return err
			}
		}
	}
	return t.Mem.RenameNoReplace(from, to)
}

// undead is an index that keeps no deletion of this device's own.
type undead struct{ index.Store }

func (u undead) Folder(id bep.FolderID) (index.Folder, error) {
	f, err := u.Store.Folder(id)
	return undeadFolder{f}, err
}

type undeadFolder struct{ index.Folder }

func (u undeadFolder) Update(recs []index.Record) (int64, error) {
	return u.Folder.Update(slices.DeleteFunc(slices.Clone(recs), func(r index.Record) bool { return r.Deleted }))
}

// selfish prefers this device's own version whenever there is a choice.
func selfish(versions []plan.Version) int {
	best := plan.Winner(versions)
	for i := range versions {
		if versions[i].Local && best >= 0 &&
			!versions[best].Local && !covers(versions[best], versions[i]) {
			return i
		}
	}
	return best
}

func covers(a, b plan.Version) bool { return a.Vector.Covers(b.Vector) }

func TestASeedRunsTheSameWayTwice(t *testing.T) {
	for seed := uint64(1); seed <= 10; seed++ {
		first, second := sim.New(turbulent(seed)), sim.New(turbulent(seed))
		errA, errB := first.Run(), second.Run()
		if errA != nil || errB != nil {
			t.Fatalf("seed %d: %v, %v", seed, errA, errB)
		}
		if first.Trace() != second.Trace() {
			t.Errorf("seed %d: trace %x, then %x", seed, first.Trace(), second.Trace())
		}
	}
}

package fsystest

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime/debug"
	"strings"
	"testing"

	"lanyard/sync/fsys"
)

// Trouble is what a call fails with in a Sweep.
type Trouble struct {
	Name string
	Err  error
	Once bool // it does not last
}

// Troubles are the failures that any call may meet.
var Troubles = []Trouble{
	{"no space", fsys.ErrNoSpace, false},
	{"input/output error", fsys.ErrIO, false},
	{"permission denied", fs.ErrPermission, false},
	{"short write", &fsys.ShortWrite{Err: fsys.ErrNoSpace}, true},
	{"in use", fsys.ErrInUse, true},
}

// Injector counts calls and fails the one, or all from the one on, that a
// Sweep is about. It is not safe for concurrent use.
type Injector struct {
	calls int
	at    int // 0: fails none
	lasts bool
	err   error
	names []string // of the calls, while they are counted
	hit   string   // the call that failed first
}

// Disk is a hook for Mem.SetHook.
func (i *Injector) Disk(op fsys.Op) error { return i.Call(fmt.Sprintf("%s %q", op.Name, op.Paths)) }

// Call counts a call and gives the error that it is to fail with. A nil
// Injector lets all pass.
func (i *Injector) Call(name string) error {
	if i == nil {
		return nil
	}
	i.calls++
	if i.at == 0 {
		i.names = append(i.names, name)
		return nil
	}
	if i.calls == i.at || i.lasts && i.calls > i.at {
		if i.hit == "" {
			i.hit = name
		}
		return i.err
	}
	return nil
}

// World is one run of a scenario that a Sweep disturbs.
type World struct {
	// Disk is where the calls are made; the Sweep sets its hook.
	Disk *fsys.Mem
	// Inject, where set, takes the Injector for calls that do not go to Disk.
	Inject func(*Injector)
	// Work is what meets the trouble. Its own outcome does not matter.
	Work func()
	// Check demands what holds whatever happened, while the trouble lasts.
	Check func() error
	// Again repeats the work now that the trouble is gone, and demands that it
	// comes to its end.
	Again func() error
}

// Sweep runs a scenario once to count its calls, and then again for each call
// and each Trouble: once failing that call alone, once failing it and all that
// follow. After each, no file may be open, Check must hold, and Again must
// bring the scenario to its end. make gives a fresh, equal World.
func Sweep(t *testing.T, make func(t *testing.T) World) {
	t.Helper()
	count := &Injector{}
	if err := run(t, make, count); err != nil {
		t.Fatalf("without any trouble: %v", err)
	}
	if count.calls == 0 {
		t.Fatal("the scenario makes no calls")
	}
	failed := 0
	for _, trouble := range Troubles {
		for _, lasts := range []bool{false, true} {
			if lasts && trouble.Once {
				continue
			}
			for n := 1; n <= count.calls; n++ {
				var short *fsys.ShortWrite
				if errors.As(trouble.Err, &short) && !strings.HasPrefix(count.names[n-1], string(fsys.OpWrite)) {
					continue // as any other failure
				}
				i := &Injector{at: n, lasts: lasts, err: trouble.Err}
				if err := run(t, make, i); err != nil {
					t.Errorf("%s at call %d (%s), lasting %v: %v", trouble.Name, n, i.hit, lasts, err)
					if failed++; failed == 10 {
						t.Fatal("and maybe more")
					}
				}
				if i.hit == "" {
					t.Fatalf("call %d of %d was not made again: the scenario is not repeatable", n, count.calls)
				}
			}
		}
	}
	t.Logf("%d calls", count.calls)
}

// run makes a world and lets it meet what the injector does.
func run(t *testing.T, make func(t *testing.T) World, i *Injector) (err error) {
	w := make(t)
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	w.Disk.SetHook(i.Disk)
	if w.Inject != nil {
		w.Inject(i)
	}
	w.Work()
	w.Disk.SetHook(nil)
	if w.Inject != nil {
		w.Inject(nil)
	}
	return errors.Join(handles(w.Disk, "after the trouble"), wrap("after the trouble", w.Check()),
		wrap("repeated", w.Again()), handles(w.Disk, "at the end"), wrap("at the end", w.Check()))
}

func handles(m *fsys.Mem, when string) error {
	if n := m.OpenHandles(); n > 0 {
		return fmt.Errorf("%s: %d files are left open", when, n)
	}
	return nil
}

func wrap(when string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", when, err)
}

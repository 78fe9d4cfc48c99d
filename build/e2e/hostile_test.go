//go:build unix

package e2e_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// growth is how much the daemon's resident memory may grow whatever a paired
// device does, in KiB.
const growth = 128 << 10

// siege is a Lanyard under attack: an honest device keeps syncing with it all
// the while, and beside its folder stands a tree that nothing may touch.
type siege struct {
	ours, honest *lanyard
	canary       string
	before       tree // the canary, and the names beside the folder
	memory       int  // resident before the first attack, KiB
	beats        atomic.Int64
	stop, done   chan struct{}
}

func TestAHostilePeerBreaksNothing(t *testing.T) {
	s := newSiege(t)
	attackers := make([]*hostile, 3)
	for i := range attackers {
		attackers[i] = newHostile(t, s.ours)
	}
	s.begin(t)
	began := time.Now()
	// Two that go on all the time, and one that tries everything in turn.
	loris := slowLoris(t, attackers[0])
	glutton := neverReads(t, attackers[1])
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			start := s.beats.Load()
			a.do(t, s, attackers[2])
			s.progressed(t, start)
			s.unharmed(t)
		})
	}
	glutton()
	must(t, loris())
	t.Logf("%d attacks in %v, resident memory %d MiB before and %d MiB at most",
		len(attacks), time.Since(began).Round(time.Millisecond), s.memory>>10, peakMemory(t, s.ours)>>10)
	s.end(t)
}

func newSiege(t *testing.T) *siege {
	t.Helper()
	s := &siege{
		ours: newLanyard(t, "ours"), honest: newLanyard(t, "honest"),
		stop: make(chan struct{}), done: make(chan struct{}),
	}
	s.canary = filepath.Join(filepath.Dir(s.ours.dir), "canary")
	write(t, s.canary, "secret", []byte("nobody's business\n"))
	write(t, s.canary, "sub/script", []byte("#!/bin/sh\n"))
	must(t, os.Chmod(filepath.Join(s.canary, "sub/script"), 0o751))
	must(t, os.Chmod(filepath.Join(s.canary, "sub"), 0o710))
	old := time.Date(2001, 2, 3, 4, 5, 6, 7, time.UTC)
	for _, name := range []string{"sub/script", "sub", "secret", "."} {
		dated(t, s.canary, name, old)
	}
	// What a person may have in a folder that leads elsewhere.
	write(t, s.ours.dir, "inside/kept", []byte("kept\n"))
	must(t, os.Symlink(s.canary, filepath.Join(s.ours.dir, "out")))
	must(t, os.Symlink("../canary", filepath.Join(s.ours.dir, "out-relative")))
	must(t, os.Symlink("inside", filepath.Join(s.ours.dir, "in")))
	write(t, s.ours.dir, "file", sharedFile)
	write(t, s.ours.dir, "hidden.log", []byte("ignored\n"))
	write(t, s.ours.dir, ".stignore", []byte("*.log\n"))
	return s
}

// begin connects the honest device, and has it save a file again and again.
func (s *siege) begin(t *testing.T) {
	t.Helper()
	connect(t, s.ours, s.honest, direction{"honest dials", false, true})
	s.ours.Scan(t)
	eventually(t, patience, "in sync", func() error {
		return errors.Join(holds(filepath.Join(s.honest.dir, "file"), sharedFile), s.ours.Settled(), s.honest.Settled())
	})
	s.before = s.surroundings(t)
	s.memory = memoryOf(t, s.ours, "VmRSS:")
	go func() {
		defer close(s.done)
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-s.stop:
				return
			case <-tick.C:
				n := s.beats.Load() + 1
				// A save that fails is a beat that never arrives: the test sees it.
				_ = os.WriteFile(filepath.Join(s.honest.dir, beatName(n)), []byte(strconv.FormatInt(n, 10)), 0o644)
				s.beats.Store(n)
			}
		}
	}()
	t.Cleanup(s.quiet)
}

// beatName gives the file of a beat. It is not saved again for a while: what
// changes faster than it is asked for cannot be had.
func beatName(n int64) string { return fmt.Sprintf("beat-%d", n%64) }

// lastBeat gives the latest one that has arrived.
func (s *siege) lastBeat() (last int64) {
	for i := range int64(64) {
		text, err := os.ReadFile(filepath.Join(s.ours.dir, beatName(i)))
		if err != nil {
			continue
		}
		if n, err := strconv.ParseInt(string(text), 10, 64); err == nil {
			last = max(last, n)
		}
	}
	return last
}

func (s *siege) quiet() {
	select {
	case <-s.stop:
	default:
		close(s.stop)
	}
	<-s.done
}

// progressed waits until something arrives that the honest device saved after
// a beat.
func (s *siege) progressed(t *testing.T, since int64) {
	t.Helper()
	eventually(t, patience, "the honest device goes on", func() error {
		if s.ours.proc.ended() {
			t.Fatalf("the engine ended:\n%s", tail(s.ours.log, 40))
		}
		if n := s.lastBeat(); n <= since {
			return fmt.Errorf("beat %d has arrived, want one after %d", n, since)
		}
		return nil
	})
}

// unharmed checks what an attack may never change.
func (s *siege) unharmed(t *testing.T) {
	t.Helper()
	if diff := s.before.diff(s.surroundings(t)); diff != "" {
		t.Fatalf("something outside of the folder changed:\n%s", diff)
	}
	peak := peakMemory(t, s.ours)
	t.Logf("resident memory at most %d MiB", peak>>10)
	if peak-s.memory > growth {
		t.Errorf("resident memory grew from %d to %d KiB", s.memory, peak)
	}
}

// surroundings describes everything beside the folder to the last bit: the
// names, and of the canary bytes, times and modes, directories included.
func (s *siege) surroundings(t *testing.T) tree {
	t.Helper()
	out := tree{}
	root := filepath.Dir(s.canary)
	names, err := os.ReadDir(root)
	must(t, err)
	for _, n := range names {
		out[n.Name()] = "stands here"
	}
	must(t, filepath.WalkDir(s.canary, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		what, err := describe(path)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		out[path] = what + info.ModTime().UTC().Format(" 2006-01-02T15:04:05.000000000")
		return nil
	}))
	return out
}

// end stops the beats; both devices converge, and the daemon stops in order.
func (s *siege) end(t *testing.T) {
	t.Helper()
	s.quiet()
	eventually(t, patience, "the last beat arrives", func() error {
		if n, want := s.lastBeat(), s.beats.Load(); n != want {
			return fmt.Errorf("beat %d of %d", n, want)
		}
		return nil
	})
	log, err := os.ReadFile(s.ours.log)
	must(t, err)
	for _, bad := range []string{"panic", "goroutine ", "fatal error"} {
		if strings.Contains(string(log), bad) {
			t.Errorf("the log holds %q:\n%s", bad, tail(s.ours.log, 40))
		}
	}
	s.ours.Stop(t)
	s.unharmedAtRest(t)
}

func (s *siege) unharmedAtRest(t *testing.T) {
	t.Helper()
	now := s.surroundings(t)
	if diff := s.before.diff(now); diff != "" {
		t.Errorf("something outside of the folder changed:\n%s", diff)
	}
}

// memoryOf gives a line of the engine's /proc/PID/status in KiB; 0 where the
// system has none.
func memoryOf(t *testing.T, l *lanyard, line string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(l.proc.cmd.Process.Pid), "status"))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), line)
	var kib int
	_, err = fmt.Sscan(rest, &kib)
	must(t, err)
	return kib
}

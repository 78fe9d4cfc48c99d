package desktop

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lanyard/app/cli"
	"lanyard/app/config"
	"lanyard/app/node/nodetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// engines runs engines of one home in this process, one after the other.
type engines struct {
	t    *testing.T
	home config.Home

	mu      sync.Mutex
	started int
	end     context.CancelFunc
	ended   chan struct{}
}

func newEngines(t *testing.T) *engines {
	home, err := config.NewHome(filepath.Join(t.TempDir(), "home"))
	if err != nil {
		t.Fatal(err)
	}
	s := &engines{t: t, home: home}
	t.Cleanup(func() { s.stop() })
	return s
}

// start is the start of an engine.
func (s *engines) start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.started++
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	s.end, s.ended = cancel, ended
	go func() {
		defer close(ended)
		o := cli.Options{Out: io.Discard, Err: io.Discard, Engine: nodetest.New().Make}
		if code := cli.Run(ctx, o, []string{"--home", s.home.Dir(), "serve", "--no-discovery"}); code != 0 {
			s.t.Errorf("the engine exits %d", code)
		}
	}()
	return nil
}

// stop ends the engine in order.
func (s *engines) stop() {
	s.mu.Lock()
	end, ended := s.end, s.ended
	s.mu.Unlock()
	if end != nil {
		end()
		<-ended
	}
}

// die ends the engine as a crash does: its note stays in the lock.
func (s *engines) die() {
	note, err := os.ReadFile(filepath.Join(s.home.Dir(), "lock"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.stop()
	if err := os.WriteFile(filepath.Join(s.home.Dir(), "lock"), note, 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *engines) starts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.started
}

// engine gives the window's view of the engines.
func (s *engines) engine() *engine {
	e := newEngine(s.home)
	e.start = s.start
	return e
}

func TestTheWindowFollowsOneEngineAfterTheOther(t *testing.T) {
	s := newEngines(t)
	e := s.engine()
	told := make(chan string, 1000)
	over := make(chan error, 1)
	go func() {
		over <- e.follow(t.Context(),
			func() { told <- "found" },
			func([]byte) { told <- "state" },
			func() { told <- "lost" })
	}()
	next := func(want string) {
		t.Helper()
		for {
			select {
			case got := <-told:
				if got == want {
					return
				}
				if got != "state" {
					t.Fatalf("was told %q, want %q", got, want)
				}
			case err := <-over:
				t.Fatalf("it ended: %v", err)
			case <-time.After(time.Minute):
				t.Fatalf("was not told %q", want)
			}
		}
	}
	next("found")
	next("state")
	s.die()
	next("lost")
	next("found")
	next("state")
	if n := s.starts(); n != 2 {
		t.Errorf("%d engines were started, want 2", n)
	}
	// One that is asked to end is not started again, but another may follow.
	s.stop()
	next("lost")
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	next("found")
	if n := s.starts(); n != 3 {
		t.Errorf("%d engines were started, want 3", n)
	}
	e.follows = time.Millisecond
	s.stop()
	next("lost")
	if err := <-over; !errors.Is(err, errEnded) {
		t.Errorf("it ended with %v, want %v", err, errEnded)
	}
}

func TestAnEngineIsStartedWhereNoneRunsAndOnlyThere(t *testing.T) {
	s := newEngines(t)
	for range 2 {
		e := s.engine()
		if err := e.ensure(t.Context()); err != nil {
			t.Fatal(err)
		}
		e.client.CloseIdleConnections()
	}
	if n := s.starts(); n != 1 {
		t.Errorf("%d engines were started, want 1", n)
	}
}

func TestTheEngineBesideTheProgramIsTaken(t *testing.T) {
	// This test is not called lanyard, and none lies beside it.
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if got := engineCommand(); got != self {
		t.Errorf("got %q, want this program", got)
	}
	beside := filepath.Join(filepath.Dir(self), "lanyard"+filepath.Ext(self))
	if err := os.WriteFile(beside, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(beside)
	if got := engineCommand(); got != beside {
		t.Errorf("got %q, want %q", got, beside)
	}
}

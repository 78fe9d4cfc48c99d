package desktop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lanyard/app/config"
	"lanyard/app/web"
)

// fakeShell is a window without a system.
type fakeShell struct {
	mu     sync.Mutex
	told   []any
	ups    int
	closed int
}

func (f *fakeShell) emit(_ string, data any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.told = append(f.told, data)
}
func (f *fakeShell) up()    { f.mu.Lock(); defer f.mu.Unlock(); f.ups++ }
func (f *fakeShell) close() { f.mu.Lock(); defer f.mu.Unlock(); f.closed++ }

func (f *fakeShell) size() (int, int, bool) { return 0, 0, false }

func (f *fakeShell) chooseDirectory(string) (string, error) { panic("a fault") }

func (f *fakeShell) events() []any {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.told)
}

// shown gives a window of a new home that answers other launches.
func shown(t *testing.T) (*window, *fakeShell, config.Home) {
	t.Helper()
	s := newEngines(t)
	lock, err := s.home.LockWindow()
	if err != nil {
		t.Fatal(err)
	}
	l, address, err := web.Listen(web.Place{Socket: s.home.WindowSocketFile(), Digest: s.home.Digest() + "-window"})
	if err == nil {
		err = lock.Announce(address)
	}
	if err != nil {
		t.Fatal(err)
	}
	w := newWindow(s.home, s.engine(), slog.New(slog.NewTextHandler(io.Discard, nil)), time.Now())
	shell := &fakeShell{}
	w.appears(shell)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = web.Serve(ctx, l, w.socket()) }()
	t.Cleanup(func() {
		cancel()
		<-ended
		if err := lock.Release(); err != nil {
			t.Error(err)
		}
	})
	return w, shell, s.home
}

func TestASecondLaunchHandsOverAndShowsTheWindow(t *testing.T) {
	w, shell, home := shown(t)
	if _, err := home.LockWindow(); !errors.Is(err, config.ErrLocked) {
		t.Fatalf("there can be two windows: %v", err)
	}
	before := Opened{Link: "lanyard://pair#A"}
	for _, o := range []Opened{before, {}} {
		if err := handOver(t.Context(), home, o); err != nil {
			t.Fatal(err)
		}
	}
	b := &Bridge{w}
	if got, err := b.Listening(); err != nil || len(got) != 1 || got[0] != before {
		t.Errorf("the pages get %v, %v, want %v", got, err, before)
	}
	after := Opened{Link: "lanyard://pair#B"}
	if err := handOver(t.Context(), home, after); err != nil {
		t.Fatal(err)
	}
	if got := shell.events(); len(got) != 1 || got[0] != after || shell.ups != 3 {
		t.Errorf("the pages are told %v, want %v; the window came up %d times", got, after, shell.ups)
	}
	if got, err := b.Listening(); err != nil || got == nil || len(got) != 0 {
		t.Errorf("loaded again, the pages get %v, %v", got, err)
	}
}

func TestTheWindowSaysWhetherItIsInFront(t *testing.T) {
	w, _, _ := shown(t)
	for _, front := range []bool{false, true, false} {
		if err := (&Bridge{w}).Front(front); err != nil {
			t.Fatal(err)
		}
		answer := httptest.NewRecorder()
		w.socket().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/front", nil))
		if got := answer.Code == http.StatusNoContent; got != front {
			t.Errorf("in front is %v: it answers %d", front, answer.Code)
		}
	}
}

func TestOnlyWhatHasTheFormOfOursIsHandedOver(t *testing.T) {
	_, shell, home := shown(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
	defer cancel()
	for _, bad := range []Opened{{Link: "https://example.org"}, {Link: "lanyard:a b"}, {Page: "https://example.org"}, {Page: "#/<b>"}, {Path: filepath.Join(home.Dir(), "nothing")}} {
		if err := handOver(ctx, home, bad); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
	if shell.ups > 0 {
		t.Error("the window came up")
	}
}

func TestWhatWaitsIsBounded(t *testing.T) {
	w := newWindow(config.Home{}, nil, nil, time.Now())
	for range 3 * maxOpened {
		w.open(Opened{Link: "lanyard:x"})
	}
	w.open(Opened{Link: "lanyard:last"})
	if got := w.listening(); len(got) != maxOpened || got[maxOpened-1].Link != "lanyard:last" {
		t.Errorf("%d wait: %v", len(got), got)
	}
}

func TestADirectoryThatIsDroppedIsShownElseThatOfAFile(t *testing.T) {
	dir := t.TempDir()
	file, nothing := filepath.Join(dir, "plan.txt"), filepath.Join(dir, "nothing")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		paths []string
		want  []Opened
	}{
		{"the first directory", []string{nothing, file, dir, t.TempDir()}, []Opened{{Path: dir}}},
		{"files alone", []string{nothing, file}, []Opened{{Path: dir, File: "plan.txt"}}},
		{"nothing that is there", []string{nothing}, []Opened{}},
	} {
		w := newWindow(config.Home{}, nil, nil, time.Now())
		w.dropped(tt.paths)
		if diff := cmp.Diff(tt.want, w.listening()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestAFaultOfTheWindowIsAnError(t *testing.T) {
	w, _, _ := shown(t)
	if _, err := (&Bridge{w}).ChooseDirectory("x"); err == nil {
		t.Error("no error came")
	}
	for _, path := range []string{"", "relative", "../x", filepath.Join(t.TempDir(), "a", "b")} {
		if err := (&Bridge{w}).ShowInFileManager(path); err == nil {
			t.Errorf("%q is shown", path)
		}
	}
}

func TestQuittingEndsTheEngineBeforeTheWindow(t *testing.T) {
	s := newEngines(t)
	e := s.engine()
	if err := e.ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	w := newWindow(s.home, e, nil, time.Now())
	shell := &fakeShell{}
	w.appears(shell)
	if err := (&Bridge{w}).Quit(); err != nil {
		t.Fatal(err)
	}
	if held, err := s.home.Held(); err != nil || held || shell.closed != 1 {
		t.Errorf("the engine runs: %v, %v; the window was closed %d times", held, err, shell.closed)
	}
	if err := (&Bridge{w}).Quit(); err == nil {
		t.Error("an engine that does not answer was quit")
	}
	e.client.CloseIdleConnections()
}

// teller is an engine that counts how often it is to tell that syncing goes on.
type teller struct {
	asked int
	can   bool
}

func (e *teller) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	if r.Method == http.MethodPost && r.URL.Path == web.Base+"/window/closed" {
		e.asked++
		fmt.Fprintf(answer, `{"told":%v}`, e.can)
	}
	return answer.Result(), nil
}

func TestThatSyncingGoesOnIsToldOnce(t *testing.T) {
	home := newEngines(t).home
	if err := os.MkdirAll(home.Dir(), 0o700); err != nil {
		t.Fatal(err)
	}
	e := &teller{}
	opened := func() *window {
		engine := newEngine(home)
		engine.client = &http.Client{Transport: e}
		return newWindow(home, engine, slog.New(slog.NewTextHandler(io.Discard, nil)), time.Now())
	}
	for i, step := range []struct {
		can, ended bool
		asked      int
	}{
		{false, false, 1}, // nobody shows it: another time
		{true, true, 1},   // quit, or ended by the system: nothing goes on
		{true, false, 2},
		{true, false, 2},
	} {
		e.can = step.can
		w := opened()
		w.ending = step.ended
		w.closes(&fakeShell{})
		if e.asked != step.asked {
			t.Errorf("at close %d it was to be told %d times, want %d", i, e.asked, step.asked)
		}
	}
}

package watch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"lanyard/sync/relpath"
)

// running is a Watcher whose changes arrive in a channel.
type running struct {
	*inotify
	t       *testing.T
	dir     string
	changes chan Change
	end     chan error
	cancel  context.CancelFunc
}

func run(t *testing.T, o Options, prepare func(dir string), tune ...func(*inotify)) *running {
	t.Helper()
	dir := t.TempDir()
	if prepare != nil {
		prepare(dir)
	}
	ctx, cancel := context.WithCancel(t.Context())
	r := &running{
		inotify: New(dir, o).(*inotify), t: t, dir: dir, cancel: cancel,
		changes: make(chan Change, 10_000), end: make(chan error, 1),
	}
	for _, f := range tune {
		f(r.inotify)
	}
	go func() { r.end <- r.Run(ctx, func(c Change) { r.changes <- c }) }()
	t.Cleanup(func() {
		cancel()
		<-r.end
	})
	<-r.Ready()
	return r
}

func (r *running) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *running) path(name string) string { return filepath.Join(r.dir, name) }

// until gives all events up to the batch with one that want accepts.
func (r *running) until(want func(Event) bool) []Event {
	r.t.Helper()
	var all []Event
	for {
		select {
		case c := <-r.changes:
			all = append(all, c.Events...)
			if slices.ContainsFunc(c.Events, want) {
				return all
			}
		case <-time.After(30 * time.Second): // a backstop only
			r.t.Fatalf("the event never came; came: %+v", all)
		}
	}
}

func is(name string) func(Event) bool {
	return func(e Event) bool { return e.Path.String() == name }
}

func TestAFileRenamedIntoPlaceIsSettled(t *testing.T) {
	r := run(t, Options{}, nil)
	r.must(os.WriteFile(r.path(".syncthing.f.tmp"), nil, 0o644))
	r.must(os.Rename(r.path(".syncthing.f.tmp"), r.path("f")))
	r.until(func(e Event) bool { return e.Path.String() == "f" && e.Settled })
}

func TestAnOldFileMovedInFromOutsideIsSettled(t *testing.T) {
	r := run(t, Options{}, nil)
	from := filepath.Join(t.TempDir(), "f")
	r.must(os.WriteFile(from, nil, 0o644))
	old := time.Now().Add(-time.Hour)
	r.must(os.Chtimes(from, old, old))
	r.must(os.Rename(from, r.path("f")))
	r.until(func(e Event) bool { return e.Path.String() == "f" && e.Settled })
}

// What the machine held up for longer than settledAge says nothing: it was
// written long enough ago.
func TestAFileThatIsWrittenIsNotSettled(t *testing.T) {
	r := run(t, Options{}, nil)
	for i := range 200 {
		began := time.Now()
		last := fmt.Sprint("last", i)
		r.must(os.WriteFile(r.path(fmt.Sprint("f", i)), []byte("x"), 0o644))
		r.must(os.WriteFile(r.path(last), nil, 0o644))
		events := r.until(is(last))
		if events[len(events)-1].Time.Sub(began) > settledAge {
			continue
		}
		for _, e := range events {
			if e.Settled {
				t.Errorf("event %+v is settled", e)
			}
		}
		return
	}
	t.Error("no event came in time")
}

func TestANameThatWentIsRemoved(t *testing.T) {
	r := run(t, Options{}, func(dir string) { _ = os.WriteFile(filepath.Join(dir, "f"), nil, 0o644) })
	r.must(os.Remove(r.path("f")))
	r.until(func(e Event) bool { return e.Path.String() == "f" && e.Removed })
}

func TestTheEnginesOwnNamesAndSkippedOnesAreNotReported(t *testing.T) {
	skip := relpath.MustParse("skipped")
	r := run(t, Options{Skip: func(p relpath.Path) bool { return p == skip }}, func(dir string) {
		for _, d := range []string{".stversions/d", ".stfolder", "skipped/d"} {
			_ = os.MkdirAll(filepath.Join(dir, d), 0o755)
		}
	})
	for _, name := range []string{
		".stversions/d/x", ".stfolder/x", "skipped/d/x", "skipped/x",
		".syncthing.a.tmp", "~syncthing~a.tmp", ".stignore", "last",
	} {
		r.must(os.WriteFile(r.path(name), nil, 0o644))
	}
	r.must(os.Chmod(r.path("skipped"), 0o700))
	r.must(os.WriteFile(r.path("end"), nil, 0o644))
	got := map[string]bool{}
	for _, e := range r.until(is("end")) {
		got[e.Path.String()] = true
	}
	if diff := cmp.Diff(map[string]bool{".stignore": true, "last": true, "end": true}, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

func TestANameThatCannotBeAPathIsAChangeOfItsDirectory(t *testing.T) {
	r := run(t, Options{}, func(dir string) { _ = os.Mkdir(filepath.Join(dir, "d"), 0o755) })
	r.must(os.WriteFile(r.path("d/\xff"), nil, 0o644))
	want := Change{Subtrees: []relpath.Path{relpath.MustParse("d")}}
	if diff := cmp.Diff(want, <-r.changes, cmpopts.EquateComparable(relpath.Path{})); diff != "" {
		t.Errorf("change (-want +got):\n%s", diff)
	}
}

func TestALinkToADirectoryIsNotFollowed(t *testing.T) {
	outside := t.TempDir()
	r := run(t, Options{}, nil)
	r.must(os.Symlink(outside, r.path("link")))
	r.until(is("link"))
	r.must(os.WriteFile(filepath.Join(outside, "secret"), nil, 0o644))
	r.must(os.WriteFile(r.path("end"), nil, 0o644))
	for _, e := range r.until(is("end")) {
		if e.Path.Under(relpath.MustParse("link")) && e.Path.String() != "link" {
			t.Errorf("event %+v comes from outside", e)
		}
	}
}

func TestARemovedRootEndsTheWatch(t *testing.T) {
	r := run(t, Options{}, nil)
	r.must(os.RemoveAll(r.dir))
	if err := <-r.end; !errors.Is(err, ErrRootGone) {
		t.Errorf("Run = %v, want %v", err, ErrRootGone)
	}
	r.end <- nil // for the cleanup
}

func TestAMissingRootEndsTheWatch(t *testing.T) {
	w := New(filepath.Join(t.TempDir(), "none"), Options{})
	if err := w.Run(t.Context(), func(Change) {}); !errors.Is(err, ErrRootGone) {
		t.Errorf("Run = %v, want %v", err, ErrRootGone)
	}
}

func TestWithoutEnoughWatchesSubtreesAreListedUntilOneIsFree(t *testing.T) {
	var full atomic.Bool
	full.Store(true)
	few := func(w *inotify) {
		w.add = func(n *fsnotify.Watcher, path string) error {
			if full.Load() && filepath.Base(path) == "big" {
				return syscall.ENOSPC
			}
			return n.Add(path)
		}
	}
	r := run(t, Options{}, func(dir string) {
		_ = os.MkdirAll(filepath.Join(dir, "big", "inner"), 0o755)
		_ = os.Mkdir(filepath.Join(dir, "other"), 0o755)
	}, few)
	want := []relpath.Path{relpath.MustParse("big")}
	if diff := cmp.Diff(want, r.Unwatched(), cmpopts.EquateComparable(relpath.Path{})); diff != "" {
		t.Errorf("unwatched (-want +got):\n%s", diff)
	}
	r.must(os.WriteFile(r.path("big/f"), nil, 0o644))
	full.Store(false)
	r.must(os.Remove(r.path("other"))) // its watch is free
	r.until(is("big/f"))
	if got := r.Unwatched(); len(got) != 0 {
		t.Errorf("unwatched %v, want none", got)
	}
}

func TestAfterAnOverflowEverythingIsWatchedAnewAndMayHaveChanged(t *testing.T) {
	r := run(t, Options{}, nil)
	notify, err := fsnotify.NewWatcher()
	r.must(err)
	k := newKeeper(r.inotify, notify)
	k.rootID = identity{}
	for range maxTasks {
		k.tasks.put(task{})
	}
	event := fsnotify.Event{Name: r.path("x"), Op: fsnotify.Create}
	if err := k.fold(event, false); !errors.Is(err, errOverflow) {
		t.Errorf("fold with a full queue = %v, want %v", err, errOverflow)
	}
	go func() { notify.Errors <- fsnotify.ErrEventOverflow }()
	if err := k.read(); !errors.Is(err, errOverflow) {
		t.Errorf("read = %v, want %v", err, errOverflow)
	}
	r.must(notify.Close())
	k.complete() // as a session that follows one that was ready
	for c := range r.changes {
		if c.All {
			return
		}
	}
}

func TestEveryNameOfALongRowIsTold(t *testing.T) {
	const files = 2000
	name := func(i int) string { return "d/f" + strconv.Itoa(i) }
	r := run(t, Options{}, func(dir string) {
		if err := os.Mkdir(filepath.Join(dir, "d"), 0o700); err != nil {
			t.Fatal(err)
		}
		for i := range files {
			if err := os.WriteFile(filepath.Join(dir, name(i)), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	})
	for i := range files {
		r.must(os.Remove(filepath.Join(r.dir, name(i))))
	}
	told := map[string]bool{}
	for len(told) < files {
		c := <-r.changes
		if c.All {
			t.Fatal("everything may have changed, want the names")
		}
		for _, e := range c.Events {
			if e.Removed {
				told[e.Path.String()] = true
			}
		}
	}
}

func TestARowIsManyEventsInAShortTime(t *testing.T) {
	now := time.Unix(1000, 0)
	r := row{}
	for range 3 * rowCount {
		now = now.Add(rowPause)
		r.add(now)
	}
	if r.long() {
		t.Error("events that come slowly count as a row")
	}
	for i := range rowCount {
		if r.long() && i < rowCount-4 {
			t.Errorf("%d events at once count as a row", i)
		}
		r.add(now)
	}
	if !r.long() {
		t.Errorf("%d events at once count as no row", rowCount)
	}
	now = now.Add(time.Second)
	if r.add(now); r.long() {
		t.Error("an event after rest counts as a row")
	}
}

func TestTheTreeCutsAWholeBranch(t *testing.T) {
	var tree dirTree
	for _, d := range []string{"a", "a/b", "a/b/c", "ab", "x/y"} {
		tree.insert(relpath.MustParse(d))
	}
	var got []string
	for _, p := range tree.cut(relpath.MustParse("a")) {
		got = append(got, p.String())
	}
	if diff := cmp.Diff([]string{"a", "a/b", "a/b/c"}, got); diff != "" {
		t.Errorf("cut (-want +got):\n%s", diff)
	}
	if again := tree.cut(relpath.MustParse("a")); again != nil {
		t.Errorf("cut of what is cut gives %v", again)
	}
	if x := tree.cut(relpath.MustParse("x")); len(x) != 1 || x[0].String() != "x/y" {
		t.Errorf("cut of an unwatched parent gives %v, want x/y", x)
	}
}

func TestAnOverflowStartsANewSession(t *testing.T) {
	instances := make(chan *fsnotify.Watcher, 10)
	r := run(t, Options{}, nil, func(w *inotify) {
		w.add = func(n *fsnotify.Watcher, path string) error {
			instances <- n
			return n.Add(path)
		}
	})
	(<-instances).Errors <- fsnotify.ErrEventOverflow
	for c := range r.changes {
		if c.All {
			break
		}
	}
	<-instances // the new session watches the root
	r.must(os.WriteFile(r.path("f"), nil, 0o644))
	for c := range r.changes {
		if c.All || slices.ContainsFunc(c.Events, is("f")) {
			return
		}
	}
}

// BenchmarkFold is the cost of one event to the goroutine that reads them.
func BenchmarkFold(b *testing.B) {
	k := newKeeper(New("/r", Options{}).(*inotify), nil)
	e := fsnotify.Event{Name: "/r/dir/sub/file.txt", Op: fsnotify.Write}
	b.ReportAllocs()
	for b.Loop() {
		if err := k.fold(e, false); err != nil {
			b.Fatal(err)
		}
	}
}

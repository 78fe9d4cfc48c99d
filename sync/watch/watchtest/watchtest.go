// Package watchtest is the conformance suite of watch.Watcher.
package watchtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"lanyard/sync/relpath"
	"lanyard/sync/watch"
)

// patience bounds how long a test waits for what must come; it is a backstop
// against waiting for ever, not a promise about speed.
const patience = 30 * time.Second

// Run checks that the Watchers that open makes report every change. Whatever
// a test expects of a single name is also fulfilled by a report of a subtree
// around it, or of everything: a Watcher may be vague, but never silent.
func Run(t *testing.T, open func(root string) watch.Watcher) {
	tests := []struct {
		name string
		test func(*testing.T, *fixture)
	}{
		{"a file is made, changed and removed", fileLife},
		{"files in new nested directories are seen", nestedDirectories},
		{"a directory moved in is reported with its content", movedIn},
		{"a directory moved out is reported", movedOut},
		{"a renamed directory reports under its new name", renamedDirectory},
		{"a directory made anew under an old name is watched", remade},
		{"a burst with a slow consumer is never silence", burst},
		{"a root that is removed does not go unnoticed", rootRemoved},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, start(t, open)) })
	}
	t.Run("nothing is left open at the end", func(t *testing.T) { nothingLeft(t, open) })
}

// fixture is a running Watcher and what it reported.
type fixture struct {
	t       *testing.T
	outside string // beside the root, on the same file system
	root    string
	stop    func() error // ends Run and gives its result
	ended   chan struct{}

	mu      sync.Mutex
	changes []watch.Change
	news    chan struct{} // holds a token after a change or the end
	hold    chan struct{} // while set, the sink waits until it is closed
}

// start runs a Watcher and waits until it is ready.
func start(t *testing.T, open func(root string) watch.Watcher) *fixture {
	t.Helper()
	base := t.TempDir()
	f := &fixture{
		t: t, root: filepath.Join(base, "root"), outside: filepath.Join(base, "outside"),
		ended: make(chan struct{}), news: make(chan struct{}, 1),
	}
	f.must(os.Mkdir(f.root, 0o755))
	f.must(os.Mkdir(f.outside, 0o755))
	w := open(f.root)
	ctx, cancel := context.WithCancel(t.Context())
	var result error
	go func() {
		defer close(f.ended)
		result = w.Run(ctx, f.sink)
		f.wake()
	}()
	f.stop = func() error {
		cancel()
		<-f.ended
		return result
	}
	t.Cleanup(func() { _ = f.stop() })
	select {
	case <-w.Ready():
	case <-f.ended:
		t.Fatalf("Run ended before it was ready: %v", result)
	}
	return f
}

func (f *fixture) sink(c watch.Change) {
	f.mu.Lock()
	f.changes = append(f.changes, c)
	hold := f.hold
	f.mu.Unlock()
	f.wake()
	if hold != nil {
		<-hold
	}
}

func (f *fixture) wake() {
	select {
	case f.news <- struct{}{}:
	default:
	}
}

// await waits until what was reported fulfils want.
func (f *fixture) await(what string, want func([]watch.Change) bool) {
	f.t.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		f.mu.Lock()
		ok := want(f.changes)
		f.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-f.news:
		case <-timeout.C:
			f.t.Fatalf("never reported: %s; reported: %+v", what, f.changes[max(0, len(f.changes)-5):])
		}
	}
}

// forget drops what was reported so far.
func (f *fixture) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changes = nil
}

// awaitPath waits for a report of name, relative to the root.
func (f *fixture) awaitPath(name string) {
	f.t.Helper()
	p := relpath.MustParse(name)
	f.await(name, func(cs []watch.Change) bool {
		return slices.ContainsFunc(cs, func(c watch.Change) bool { return covers(c, p) })
	})
}

// covers reports whether c says that p may have changed.
func covers(c watch.Change, p relpath.Path) bool {
	return c.All ||
		slices.ContainsFunc(c.Subtrees, p.Under) ||
		slices.ContainsFunc(c.Events, func(e watch.Event) bool { return e.Path == p })
}

func (f *fixture) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) path(name string) string { return filepath.Join(f.root, filepath.FromSlash(name)) }

func (f *fixture) write(name, text string) {
	f.t.Helper()
	f.must(os.WriteFile(f.path(name), []byte(text), 0o644))
}

func fileLife(t *testing.T, f *fixture) {
	f.write("a.txt", "one")
	f.awaitPath("a.txt")
	f.forget()
	f.write("a.txt", "two")
	f.awaitPath("a.txt")
	f.forget()
	f.must(os.Rename(f.path("a.txt"), f.path("b.txt")))
	f.awaitPath("a.txt")
	f.awaitPath("b.txt")
	f.forget()
	f.must(os.Remove(f.path("b.txt")))
	f.awaitPath("b.txt")
}

func nestedDirectories(t *testing.T, f *fixture) {
	var names []string
	for i := range 200 {
		dir := fmt.Sprintf("d%d/e/f", i)
		f.must(os.MkdirAll(f.path(dir), 0o755))
		for j := range 5 {
			names = append(names, fmt.Sprintf("%s/%d", dir, j))
			f.write(names[len(names)-1], "x")
		}
	}
	for _, name := range names {
		f.awaitPath(name)
	}
}

func movedIn(t *testing.T, f *fixture) {
	f.must(os.MkdirAll(filepath.Join(f.outside, "d", "e"), 0o755))
	f.must(os.WriteFile(filepath.Join(f.outside, "d", "e", "old"), nil, 0o644))
	f.must(os.Rename(filepath.Join(f.outside, "d"), f.path("in")))
	f.awaitPath("in/e/old")
	f.write("in/e/new", "x")
	f.awaitPath("in/e/new")
}

func movedOut(t *testing.T, f *fixture) {
	f.must(os.MkdirAll(f.path("d/e"), 0o755))
	f.awaitPath("d/e")
	f.forget()
	f.must(os.Rename(f.path("d"), filepath.Join(f.outside, "d")))
	f.awaitPath("d")
}

func renamedDirectory(t *testing.T, f *fixture) {
	f.must(os.MkdirAll(f.path("d/e"), 0o755))
	f.write("d/e/file", "x")
	f.awaitPath("d/e/file")
	f.forget()
	f.must(os.Rename(f.path("d"), f.path("z")))
	f.awaitPath("d")
	f.awaitPath("z/e/file")
	f.forget()
	f.write("z/new1", "x")
	f.write("z/e/new2", "x")
	f.awaitPath("z/new1")
	f.awaitPath("z/e/new2")
}

func remade(t *testing.T, f *fixture) {
	for i := range 20 {
		f.must(os.MkdirAll(f.path("d/e"), 0o755))
		f.write("d/e/file", fmt.Sprint(i))
		f.awaitPath("d/e/file")
		f.must(os.RemoveAll(f.path("d")))
		f.forget()
	}
	f.must(os.MkdirAll(f.path("d/e"), 0o755))
	f.awaitPath("d/e")
	f.write("d/e/last", "x")
	f.awaitPath("d/e/last")
}

func burst(t *testing.T, f *fixture) {
	const files = 10_000
	f.must(os.Mkdir(f.path("many"), 0o755))
	f.awaitPath("many")
	hold := make(chan struct{})
	release := sync.OnceFunc(func() { close(hold) })
	t.Cleanup(release) // before Run is waited for, should the test fail
	f.mu.Lock()
	f.hold = hold
	f.mu.Unlock()
	for i := range files {
		f.write(fmt.Sprintf("many/%d", i), "")
	}
	f.mu.Lock()
	f.hold = nil
	f.mu.Unlock()
	release()
	seen, done := map[relpath.Path]bool{}, 0
	f.await("all names or everything", func(cs []watch.Change) bool {
		for _, c := range cs[done:] {
			if covers(c, relpath.MustParse("many/any")) {
				return true
			}
			for _, e := range c.Events {
				seen[e.Path] = true
			}
		}
		done = len(cs)
		return len(seen) >= files
	})
}

func rootRemoved(t *testing.T, f *fixture) {
	f.must(os.RemoveAll(f.root))
	f.await("the end of Run, or everything", func(cs []watch.Change) bool {
		select {
		case <-f.ended:
			return true
		default:
			return slices.ContainsFunc(cs, func(c watch.Change) bool { return c.All })
		}
	})
}

func nothingLeft(t *testing.T, open func(root string) watch.Watcher) {
	before, countable := descriptors()
	f := start(t, open)
	f.must(os.MkdirAll(f.path("a/b/c"), 0o755))
	f.awaitPath("a/b/c")
	if err := f.stop(); !errors.Is(err, context.Canceled) {
		t.Errorf("Run returned %v after its context was cancelled, want the cause", err)
	}
	if after, _ := descriptors(); countable && after > before {
		t.Errorf("%d descriptors are open after Run, %d before", after, before)
	}
}

// descriptors counts the open descriptors of this process where the system
// tells.
func descriptors() (n int, ok bool) {
	entries, err := os.ReadDir("/proc/self/fd")
	return len(entries), err == nil
}

//go:build unix

package e2e_test

import (
	"bytes"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// copying bounds the copy of a source tree of some 10,000 files.
const copying = 5 * time.Minute

// quietBytes is what two devices at rest may send: pings, no index and no data.
const quietBytes = 1024

func TestASourceTreeAndEditsOnBothSidesArriveExactly(t *testing.T) {
	t.Parallel()
	a, b := newLanyard(t, "a"), newLanyard(t, "b")
	copyTree(t, goSource(t), a.dir)
	start := time.Now()
	connect(t, a, b, direction{"a dials", true, false})
	a.wait(t, copying.String())
	before := converge(t, copying, a, b)
	t.Logf("%d names copied in %v", len(before), time.Since(start).Round(time.Millisecond))

	// Each side edits directories of its own, so that the outcome is known:
	// nothing may become a conflict.
	const seed, edits = 1, 250
	left := func(name string) bool { return half(name) == 0 }
	right := func(name string) bool { return half(name) == 1 }
	newEditor(a.dir, before, seed, left).edit(t, edits)
	newEditor(b.dir, before, seed+1, right).edit(t, edits)
	want := union(t, a.dir, left, b.dir, right)
	start = time.Now()
	a.wait(t, copying.String())
	got := converge(t, copying, a, b)
	if diff := want.diff(got); diff != "" {
		t.Fatalf("after %d edits on each side (seed %d), - wanted, + got:\n%s", edits, seed, diff)
	}
	t.Logf("%d edits on each side in %v", edits, time.Since(start).Round(time.Millisecond))
	scanSendsNothing(t, a, b)
}

// scanSendsNothing checks that a scan without changes reaches no peer.
func scanSendsNothing(t *testing.T, nodes ...node) {
	t.Helper()
	for _, n := range nodes {
		_, before := n.Traffic(t)
		n.Scan(t)
		must(t, n.Settled())
		if _, after := n.Traffic(t); after-before > quietBytes {
			t.Errorf("%s: a scan without changes sent %d bytes, want at most %d", n.Dir(), after-before, quietBytes)
		}
	}
}

// goSource gives the sources of the Go toolchain.
func goSource(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	must(t, err)
	return filepath.Join(strings.TrimSpace(string(out)), "src")
}

// copyTree copies a directory with times and modes.
func copyTree(t *testing.T, from, to string) {
	t.Helper()
	if out, err := exec.Command("cp", "-a", from+"/.", to).CombinedOutput(); err != nil {
		t.Fatalf("copy %s: %v\n%s", from, err, out)
	}
}

// half puts every file of a directory into one of two halves.
func half(name string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(filepath.Dir(name))) // never fails
	return h.Sum32() % 2
}

// union gives the names of one tree that fit and those of another, with the
// directories of both. What does not fit is the other side's to change, and may
// be on its way already.
func union(t *testing.T, one string, inOne func(string) bool, two string, inTwo func(string) bool) tree {
	t.Helper()
	sum := tree{}
	for _, part := range []struct {
		root string
		fits func(string) bool
	}{{one, inOne}, {two, inTwo}} {
		some, err := readSome(part.root, part.fits)
		must(t, err)
		maps.Copy(sum, some)
	}
	return sum
}

func TestAReaderAlwaysFindsTheOldFileOrTheNew(t *testing.T) {
	t.Parallel()
	const versions = 1000
	a, b := newLanyard(t, "a"), newLanyard(t, "b")
	save(t, a, 0)
	connect(t, a, b, direction{"a dials", true, false})
	converge(t, patience, a, b)

	r := &reader{path: filepath.Join(b.dir, "page"), stop: make(chan struct{}), done: make(chan struct{})}
	go r.run()
	defer func() { close(r.stop); <-r.done }()
	started := time.Now()
	for v := 1; v <= versions; v++ {
		save(t, a, v)
		arrived := func() bool { return r.latest.Load() >= int64(v) || r.fault() != nil }
		until(t, patience, fmt.Sprintf("version %d", v), arrived)
		if err := r.fault(); err != nil {
			t.Fatalf("while version %d arrived: %v", v, err)
		}
	}
	t.Logf("%d versions, %d reads, %v for one version on average", versions, r.reads.Load(),
		(time.Since(started) / versions).Round(time.Microsecond))
}

// save replaces the page on a device as an editor does, from a file beside it.
func save(t *testing.T, l *lanyard, version int) {
	t.Helper()
	beside := filepath.Join(l.dir, "page~")
	must(t, os.WriteFile(beside, page(version), 0o644))
	must(t, os.Rename(beside, filepath.Join(l.dir, "page")))
}

// page gives the content of a version: its number in each of its lines, and
// last its number of lines.
func page(version int) []byte {
	lines := 1 + version*7919%9000
	text := bytes.Repeat(fmt.Appendf(nil, "version %08d ----------\n", version), lines)
	return fmt.Appendf(text, "lines %d\n", lines)
}

// until waits for a condition without a word about the time it took.
func until(t *testing.T, within time.Duration, what string, cond func() bool) {
	t.Helper()
	deadline := time.After(within)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-deadline:
			t.Fatalf("%s: not within %v", what, within)
		case <-tick.C:
		}
	}
}

// reader opens and reads a page without pause, and keeps the first thing that
// it should never have seen.
type reader struct {
	path   string
	latest atomic.Int64 // the version read last
	reads  atomic.Int64
	wrong  atomic.Pointer[error]
	stop   chan struct{} // closed by the test
	done   chan struct{} // closed when run ends
}

func (r *reader) fault() error {
	if e := r.wrong.Load(); e != nil {
		return *e
	}
	return nil
}

func (r *reader) run() {
	defer close(r.done)
	for {
		select {
		case <-r.stop:
			return
		default:
		}
		version, err := readPage(r.path)
		if err != nil {
			r.wrong.Store(&err)
			return
		}
		r.latest.Store(int64(version))
		r.reads.Add(1)
	}
}

// readPage gives the version of a page that is whole.
func readPage(path string) (int, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("the file was missing: %w", err)
	}
	if err != nil {
		return 0, err
	}
	var version int
	if _, err := fmt.Sscanf(string(content[:min(len(content), 16)]), "version %d", &version); err != nil {
		return 0, fmt.Errorf("the file of %d bytes starts with no version: %w", len(content), err)
	}
	if !bytes.Equal(content, page(version)) {
		return 0, fmt.Errorf("version %d was not whole: %d bytes", version, len(content))
	}
	return version, nil
}

func TestChangesTravelAlongALineOfThreeDevices(t *testing.T) {
	t.Parallel()
	a, b, c := newLanyard(t, "a"), newLanyard(t, "b"), newLanyard(t, "c")
	a.Know(t, b, true)
	b.Know(t, a, false)
	b.Know(t, c, true)
	c.Know(t, b, false)
	for i := range 200 {
		write(t, a.dir, fmt.Sprintf("from a/%d/file %d", i%7, i), random(i*i, uint64(i)))
		write(t, c.dir, fmt.Sprintf("from c/%d/file %d", i%5, i), random(i*i, uint64(i)+1000))
	}
	for _, l := range []*lanyard{a, b, c} {
		l.Start(t)
	}
	connected(t, a, b, c)
	all := converge(t, patience, a, b, c)

	for round := range uint64(3) {
		fromA := func(name string) bool { return half(name) == uint32(round%2) }
		fromC := func(name string) bool { return half(name) != uint32(round%2) }
		newEditor(a.dir, all, 10+round, fromA).edit(t, 60)
		newEditor(c.dir, all, 20+round, fromC).edit(t, 60)
		want := union(t, a.dir, fromA, c.dir, fromC)
		all = converge(t, patience, a, b, c)
		if diff := want.diff(all); diff != "" {
			t.Fatalf("round %d, - wanted, + got:\n%s", round, diff)
		}
	}
	must(t, os.RemoveAll(filepath.Join(c.dir, "from a")))
	must(t, os.Rename(filepath.Join(a.dir, "from c"), filepath.Join(a.dir, "moved")))
	all = converge(t, patience, a, b, c)
	if len(all.names("", func(n string) bool { return strings.HasPrefix(n, "from ") })) > 0 {
		t.Errorf("a directory that was removed or renamed at one end is still there")
	}
}

func TestAKilledReceiverGoesOnAfterItsRestart(t *testing.T) {
	t.Parallel()
	a, b := newLanyard(t, "a"), newLanyard(t, "b")
	const files, size = 12, 40 << 20
	for i := range files {
		write(t, a.dir, fmt.Sprintf("part %d", i), random(size, uint64(i)))
	}
	connect(t, a, b, direction{"a dials", true, false})
	kills := 0
	for kills < 3 {
		interrupted := false
		until(t, copying, "some data", func() bool {
			in, _ := b.Traffic(t)
			interrupted = in > size && b.Settled() != nil
			return interrupted || b.Settled() == nil && b.Connected() == nil
		})
		if !interrupted {
			break
		}
		b.Kill()
		kills++
		onlyWhole(t, b.dir, size)
		b.Start(t)
		connected(t, a, b)
	}
	if kills == 0 {
		t.Fatal("the transfer was over before it could be interrupted")
	}
	converge(t, copying, a, b)
	t.Logf("killed %d times", kills)
}

// onlyWhole checks that no file stands half-written under its name.
func onlyWhole(t *testing.T, dir string, size int64) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		info, err := e.Info()
		must(t, err)
		if !ours(e.Name()) && info.Size() != size {
			t.Errorf("%s has %d of %d bytes under its name", e.Name(), info.Size(), size)
		}
	}
}

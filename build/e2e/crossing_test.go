//go:build unix

package e2e_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// crossing looks at a directory into which files are on their way. Under each
// name there may stand only what a person put there: one of the versions, and
// that one whole.
type crossing struct {
	root     string
	names    []string
	versions []string // directories, the last one holds what is on its way

	mu   sync.Mutex // guards what follows
	seen map[string]sighting

	stop chan struct{} // closed by the test
	done chan struct{} // closed when watch ends
}

// sighting is what was found under a name.
type sighting struct {
	inode   uint64
	size    int64
	mtime   time.Time
	version int // which of the versions
}

func newCrossing(root string, names []string, versions ...string) *crossing {
	return &crossing{
		root: root, names: names, versions: versions, seen: map[string]sighting{},
		stop: make(chan struct{}), done: make(chan struct{}),
	}
}

// watch looks at all names again and again, until the test ends. What it finds
// wrong fails the test.
func (c *crossing) watch(t *testing.T) {
	go func() {
		defer close(c.done)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			if err := c.look(); err != nil {
				t.Error(err)
				return
			}
			select {
			case <-c.stop:
				return
			case <-tick.C:
			}
		}
	}()
	t.Cleanup(func() { close(c.stop); <-c.done })
}

// look looks at each name once. Content is read where something else stands
// under a name than before.
func (c *crossing) look() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range c.names {
		if err := c.lookAt(name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (c *crossing) lookAt(name string) error {
	last, known := c.seen[name]
	f, err := os.Open(filepath.Join(c.root, name))
	if errors.Is(err, fs.ErrNotExist) {
		if known {
			return errors.New("the name was empty")
		}
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	now := sighting{inode: info.Sys().(*syscall.Stat_t).Ino, size: info.Size(), mtime: info.ModTime()}
	if known && now.inode == last.inode && now.size == last.size && now.mtime.Equal(last.mtime) {
		return nil
	}
	for now.version = range c.versions {
		whole, err := sameContent(f, filepath.Join(c.versions[now.version], name), info.Size())
		if err != nil {
			return err
		}
		if whole {
			c.seen[name] = now
			return nil
		}
	}
	return fmt.Errorf("the %d bytes that stand under the name are no whole version of it", info.Size())
}

// sameContent reports whether an open file holds just what another one does.
func sameContent(f io.ReaderAt, path string, size int64) (bool, error) {
	other, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer other.Close()
	if info, err := other.Stat(); err != nil || info.Size() != size {
		return false, err
	}
	same, err := sameBytes(f, other, size)
	return same == size, err
}

// sameBytes counts the bytes that two files have in common, in whole blocks of
// the smallest size.
func sameBytes(a, b io.ReaderAt, size int64) (same int64, err error) {
	const smallest = 128 << 10
	left, right := make([]byte, smallest), make([]byte, smallest)
	for off := int64(0); off < size; off += smallest {
		n := min(smallest, size-off)
		if _, err := b.ReadAt(right[:n], off); err != nil {
			return same, err
		}
		if m, err := a.ReadAt(left[:n], off); int64(m) < n {
			return same, ignoreEOF(err)
		}
		if bytes.Equal(left[:n], right[:n]) {
			same += n
		}
	}
	return same, nil
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// arrived counts the bytes of what is on its way that are there: files under
// their names, and blocks in temporary files. Nothing may change meanwhile.
func (c *crossing) arrived() (int64, error) {
	if err := c.look(); err != nil {
		return 0, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	temps, err := temporaries(c.root)
	if err != nil {
		return 0, err
	}
	newest := len(c.versions) - 1
	total := int64(0)
	for _, name := range c.names {
		if s, ok := c.seen[name]; ok && s.version == newest {
			total += s.size
			continue
		}
		n, err := begun(temps[name], filepath.Join(c.versions[newest], name))
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

// begun counts what a temporary file holds of a file.
func begun(temp, of string) (int64, error) {
	if temp == "" {
		return 0, nil
	}
	a, err := os.Open(temp)
	if err != nil {
		return 0, err
	}
	defer a.Close()
	b, err := os.Open(of)
	if err != nil {
		return 0, err
	}
	defer b.Close()
	info, err := b.Stat()
	if err != nil {
		return 0, err
	}
	return sameBytes(a, b, info.Size())
}

// temporaries gives the temporary file of each name that has one.
func temporaries(root string) (map[string]string, error) {
	found := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		base, ok := strings.CutPrefix(d.Name(), ".syncthing.")
		base, isTemp := strings.CutSuffix(base, ".tmp")
		if err != nil || !ok || !isTemp {
			return err
		}
		rel, err := filepath.Rel(root, filepath.Join(filepath.Dir(path), base[:max(strings.LastIndexByte(base, '.'), 0)]))
		found[rel] = path
		return err
	})
	return found, err
}

func TestACrossingSeesWhatIsNotWhole(t *testing.T) {
	old, now := random(300_000, 1), random(300_000, 2)
	mixed := append(bytes.Clone(now[:200_000]), old[200_000:]...)
	for _, c := range []struct {
		name  string
		stand func(root string) // after the old version stood there
		fault bool
	}{
		{"the old version", func(string) {}, false},
		{"the new version", func(root string) { write(t, root, "f", now) }, false},
		{"no file", func(root string) { must(t, os.Remove(filepath.Join(root, "f"))) }, true},
		{"an empty file", func(root string) { write(t, root, "f", nil) }, true},
		{"a file that ends early", func(root string) { write(t, root, "f", now[:200_000]) }, true},
		{"a file of zeros", func(root string) { write(t, root, "f", make([]byte, len(now))) }, true},
		{"both versions in one", func(root string) { write(t, root, "f", mixed) }, true},
	} {
		dir := t.TempDir()
		versions := []string{filepath.Join(dir, "old"), filepath.Join(dir, "new")}
		write(t, versions[0], "f", old)
		write(t, versions[1], "f", now)
		root := filepath.Join(dir, "root")
		write(t, root, "f", old)
		dated(t, root, "f", time.Unix(1, 0))
		x := newCrossing(root, []string{"f"}, versions...)
		must(t, x.look())
		c.stand(root)
		if err := x.look(); (err != nil) != c.fault {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

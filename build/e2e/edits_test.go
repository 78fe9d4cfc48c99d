//go:build unix

package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// editor makes seeded random changes in a directory, as a person would: it
// edits, appends, replaces, creates, renames, deletes and changes modes.
type editor struct {
	root  string
	rng   *rand.Rand
	files []string // names that it may change and that exist
	made  int
}

// newEditor makes an editor of the files of a tree that fit; the same seed
// makes the same changes.
func newEditor(root string, t tree, seed uint64, fits func(name string) bool) *editor {
	return &editor{root: root, rng: rand.New(rand.NewPCG(seed, 0)), files: t.names("file", fits)}
}

func (e *editor) path(name string) string { return filepath.Join(e.root, filepath.FromSlash(name)) }

// edit makes n changes.
func (e *editor) edit(t *testing.T, n int) {
	t.Helper()
	for range n {
		if err := e.one(); err != nil {
			t.Fatalf("edit %s: %v", e.root, err)
		}
	}
}

// one makes one change.
func (e *editor) one() error {
	i := e.rng.IntN(len(e.files))
	name := e.files[i]
	switch e.rng.IntN(7) {
	case 0:
		return e.overwrite(name)
	case 1:
		return e.extend(name)
	case 2:
		return e.replace(name)
	case 3:
		e.made++
		created := fmt.Sprintf("%s/new %d.txt", path.Dir(name), e.made)
		e.files = append(e.files, created)
		return os.WriteFile(e.path(created), e.bytes(e.rng.IntN(200_000)), 0o644)
	case 4:
		e.made++
		e.files[i] = fmt.Sprintf("%s/renamed %d", path.Dir(name), e.made)
		return os.Rename(e.path(name), e.path(e.files[i]))
	case 5:
		e.files = slices.Delete(e.files, i, i+1)
		return os.Remove(e.path(name))
	default:
		modes := []os.FileMode{0o644, 0o755, 0o600, 0o700}
		return os.Chmod(e.path(name), modes[e.rng.IntN(len(modes))])
	}
}

func (e *editor) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(e.rng.Uint32())
	}
	return b
}

// overwrite changes a few bytes in place.
func (e *editor) overwrite(name string) error {
	f, err := os.OpenFile(e.path(name), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if _, err := f.WriteAt(e.bytes(64), 0); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func (e *editor) extend(name string) error {
	f, err := os.OpenFile(e.path(name), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	if _, err := f.Write(e.bytes(1000)); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// replace saves as editors do: a new file, renamed over the old.
func (e *editor) replace(name string) error {
	beside := e.path(name) + ".save"
	if err := os.WriteFile(beside, e.bytes(5000), 0o644); err != nil {
		return err
	}
	return os.Rename(beside, e.path(name))
}

// write puts a file with its directories.
func write(t *testing.T, root, name string, content []byte) {
	t.Helper()
	full := filepath.Join(root, filepath.FromSlash(name))
	must(t, os.MkdirAll(filepath.Dir(full), 0o755))
	must(t, os.WriteFile(full, content, 0o644))
}

// place is write with a rename from outside the folder: nobody sees the file
// before it is whole.
func place(t *testing.T, root, name string, content []byte) {
	t.Helper()
	beside := t.TempDir()
	write(t, beside, "whole", content)
	must(t, os.Rename(filepath.Join(beside, "whole"), filepath.Join(root, filepath.FromSlash(name))))
}

// random gives n bytes that do not compress, the same for the same seed.
func random(n int, seed uint64) []byte {
	var key [32]byte
	for i := range 8 {
		key[i] = byte(seed >> (8 * i))
	}
	b := make([]byte, n)
	_, _ = rand.NewChaCha8(key).Read(b) // never fails
	return b
}

// dated sets a file's modification time.
func dated(t *testing.T, root, name string, at time.Time) {
	t.Helper()
	must(t, os.Chtimes(filepath.Join(root, filepath.FromSlash(name)), at, at))
}

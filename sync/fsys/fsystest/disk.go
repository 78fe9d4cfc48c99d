package fsystest

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Disk makes an empty folder below dir on a real disk, with something outside
// of it that must not change, and the hands to edit it. FS is left to the
// caller, who opens the path.
func Disk(t *testing.T, dir string) (folder string, s Subject) {
	t.Helper()
	base, err := os.MkdirTemp(dir, "fsystest")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	folder, outside := filepath.Join(base, "folder"), filepath.Join(base, "outside")
	for _, err := range []error{
		os.Mkdir(folder, 0o755),
		os.MkdirAll(filepath.Join(outside, "x"), 0o755),
		os.WriteFile(filepath.Join(outside, "file"), []byte("canary"), 0o640),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return folder, Subject{
		User: disk(folder), Outside: "../outside", NoModes: noModes,
		Canary: func() string { return describe(outside) },
	}
}

// describe writes down everything below dir but access times.
func describe(dir string) string {
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		i, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s %v %d %v", path, i.Mode(), i.Size(), i.ModTime().UnixNano())
		if i.Mode().IsRegular() {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			fmt.Fprintf(&b, " %q", data)
		}
		b.WriteByte('\n')
		return nil
	})
	if err != nil {
		fmt.Fprintf(&b, "%v\n", err)
	}
	return b.String()
}

// disk is Hands by package os.
type disk string

func (d disk) at(path string) string { return filepath.Join(string(d), filepath.FromSlash(path)) }

func (d disk) WriteFile(path string, data []byte) error {
	return os.WriteFile(d.at(path), data, 0o644)
}
func (d disk) ReadFile(path string) ([]byte, error) { return os.ReadFile(d.at(path)) }
func (d disk) MkdirAll(path string) error           { return os.MkdirAll(d.at(path), 0o755) }
func (d disk) Symlink(target, path string) error    { return os.Symlink(target, d.at(path)) }
func (d disk) Link(from, to string) error           { return os.Link(d.at(from), d.at(to)) }
func (d disk) Rename(from, to string) error         { return os.Rename(d.at(from), d.at(to)) }
func (d disk) RemoveAll(path string) error          { return os.RemoveAll(d.at(path)) }
func (d disk) Special(path string) error            { return mkfifo(d.at(path)) }

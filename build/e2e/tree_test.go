//go:build unix

package e2e_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// tree describes a directory: for each name its kind, permissions, time to the
// nanosecond, size and content, as text that reads well in a diff.
type tree map[string]string

// ours reports whether a name belongs to a sync program, not to its user.
func ours(base string) bool {
	for _, prefix := range []string{".st", ".lanyard", ".syncthing.", "~syncthing~"} {
		if strings.HasPrefix(base, prefix) {
			return true
		}
	}
	return false
}

// readTree describes a directory. A file that vanishes meanwhile is an error.
func readTree(root string) (tree, error) {
	return readSome(root, func(string) bool { return true })
}

// readSome is readTree for directories and those other names that fit. What
// does not fit may come and go meanwhile.
func readSome(root string, fits func(name string) bool) (tree, error) {
	t := tree{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path == root:
			return nil
		case ours(d.Name()) && d.IsDir():
			return fs.SkipDir
		case ours(d.Name()):
			return nil
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		if !d.IsDir() && !fits(name) {
			return nil
		}
		t[name], err = describe(path)
		return err
	})
	return t, err
}

// describe gives one entry of a tree.
func describe(path string) (string, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return "", err
	}
	switch {
	case info.IsDir():
		return fmt.Sprintf("directory %03o", info.Mode().Perm()), nil
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(path)
		return "link to " + target, err
	case !info.Mode().IsRegular():
		return "", errors.New(path + " is no regular file")
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("file %03o %s %d bytes %.12x", info.Mode().Perm(),
		info.ModTime().UTC().Format("2006-01-02T15:04:05.000000000"), len(content), sha256.Sum256(content)), nil
}

// diff gives the differences between two trees a line each, "" for none; long
// ones are cut, and say so.
func (t tree) diff(other tree) string {
	if maps.Equal(t, other) {
		return ""
	}
	all := maps.Clone(t)
	maps.Copy(all, other)
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if t[name] != other[name] {
			lines = append(lines, fmt.Sprintf("- %s: %s\n+ %s: %s", name, t[name], name, other[name]))
		}
	}
	const most = 20
	if n := len(lines) - most; n > 0 {
		lines = append(lines[:most], fmt.Sprintf("… and %d names more", n))
	}
	return strings.Join(lines, "\n")
}

// names lists, in order, the names of one kind that fit.
func (t tree) names(kind string, fits func(name string) bool) []string {
	var names []string
	for name, entry := range t {
		if strings.HasPrefix(entry, kind) && fits(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

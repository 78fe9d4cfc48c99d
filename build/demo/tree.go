package main

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// tree describes the files of a directory: size, time, mode and a hash of the
// content by name.
type tree struct {
	entries map[string]string
	bytes   int64
}

// readTree reads every byte of a directory, without Lanyard's own files.
func readTree(root string) (tree, error) {
	t := tree{entries: map[string]string{}}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if path != root && strings.HasPrefix(d.Name(), ".st") {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() {
			return nil
		}
		return t.add(root, path)
	})
	return t, err
}

// add notes one file.
func (t *tree) add(root, path string) error {
	name, err := filepath.Rel(root, path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	t.bytes += int64(len(content))
	t.entries[name] = fmt.Sprint(info.Mode(), info.ModTime().UnixNano(), sha256.Sum256(content))
	return nil
}

// same says in an error which names differ between two directories.
func same(a, b string) (tree, error) {
	one, err := readTree(a)
	if err != nil {
		return tree{}, err
	}
	two, err := readTree(b)
	if err != nil {
		return tree{}, err
	}
	all := maps.Clone(one.entries)
	maps.Copy(all, two.entries)
	var differ []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if one.entries[name] != two.entries[name] {
			differ = append(differ, name)
		}
	}
	if len(differ) > 0 {
		return tree{}, fmt.Errorf("%d files differ, the first is %s", len(differ), differ[0])
	}
	return one, nil
}

// copyFiles copies the regular files of a directory, without hidden ones and
// without what a build left.
func copyFiles(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		skip := name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "bin")
		switch {
		case skip && d.IsDir():
			return fs.SkipDir
		case skip || !d.IsDir() && !d.Type().IsRegular():
			return nil
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, name), 0o755)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), content, 0o644)
	})
}

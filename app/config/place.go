package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// CheckPlace refuses a path that cannot become a folder's root: one that is
// not absolute, not a directory, or that lies inside the home or another
// folder, or contains one. Links are resolved. The path need not exist.
func (c Config) CheckPlace(h Home, path string) error {
	if !filepath.IsAbs(path) || strings.ContainsRune(path, 0) {
		return &Refusal{Reason: Invalid, Code: "place-relative", Item: path, Text: quote(path) + " is not an absolute path"}
	}
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		return &Refusal{
			Reason: Invalid, Code: "place-no-directory", Item: path,
			Text: quote(path) + " is not a directory", Remedy: "name the directory to sync",
		}
	}
	place := resolve(path)
	if home := resolve(h.dir); within(place, home) || within(home, place) {
		return &Refusal{
			Reason: Invalid, Code: "place-in-home", Item: path,
			Text:   "Lanyard's own home " + quote(h.dir) + " and the folder " + quote(path) + " overlap",
			Remedy: "choose another directory",
		}
	}
	for _, f := range c.Folders {
		if err := f.checkApart(path, place); err != nil {
			return err
		}
	}
	return nil
}

// CheckUsable refuses a place, which CheckPlace has let pass, where nothing could
// be written, as far as that can be told without writing. It reports whether the
// directory is there.
func CheckUsable(path string) (exists bool, err error) {
	at := path // what is there: the directory, or the one that it would be made in
	info, err := os.Stat(at)
	exists = err == nil
	for errors.Is(err, fs.ErrNotExist) && filepath.Dir(at) != at {
		at = filepath.Dir(at)
		info, err = os.Stat(at)
	}
	if err == nil && !info.IsDir() {
		err = syscall.ENOTDIR
	}
	if err == nil {
		err = mayWrite(at)
	}
	if err != nil {
		return exists, unusable(path, err)
	}
	return exists, nil
}

// checkApart refuses a place that is the folder's own, inside it or around it.
func (f Folder) checkApart(path, place string) error {
	root := resolve(f.Path)
	refusal := &Refusal{
		Reason: Exists, Code: "folder-inside-folder", Item: path,
		Remedy: "choose another directory, or share that folder",
	}
	switch {
	case within(place, root) && within(root, place):
		refusal.Text = quote(path) + " is already the folder " + quote(string(f.ID))
	case within(place, root):
		refusal.Text = quote(path) + " is inside the folder " + quote(string(f.ID))
	case within(root, place):
		refusal.Text = quote(path) + " contains the folder " + quote(string(f.ID))
	default:
		return nil
	}
	return refusal
}

// resolve follows the links of the longest part of path that exists.
func resolve(path string) string {
	path = filepath.Clean(path)
	rest := ""
	for {
		real, err := filepath.EvalSymlinks(path)
		if err == nil {
			return filepath.Join(real, rest)
		}
		parent := filepath.Dir(path)
		if parent == path {
			return filepath.Join(path, rest)
		}
		rest = filepath.Join(filepath.Base(path), rest)
		path = parent
	}
}

// within reports whether the resolved path inner is outer or lies below it. It
// compares directories by identity where they exist, because one directory can
// have names that differ in case or normal form.
func within(inner, outer string) bool {
	outerInfo, err := os.Stat(outer)
	known := err == nil
	for {
		if inner == outer {
			return true
		}
		if info, err := os.Stat(inner); known && err == nil && os.SameFile(info, outerInfo) {
			return true
		}
		parent := filepath.Dir(inner)
		if parent == inner {
			return false
		}
		inner = parent
	}
}

// MakeRoot makes the directory where it is missing, and its marker. It is
// called when a folder is added and never afterwards: a marker that is gone
// later means that another disk may be there.
func (f Folder) MakeRoot() error {
	err := os.MkdirAll(f.Path, 0o777)
	if err == nil {
		err = makeMarker(f.Path, f.ID)
	}
	if err == nil {
		return nil
	}
	return unusable(f.Path, err)
}

// unusable says that a folder cannot be at a path, and why.
func unusable(path string, err error) error {
	refusal := &Refusal{Reason: Invalid, Code: "place-unusable", Item: path, Text: "the folder " + quote(path) + " cannot be made ready: " + err.Error()}
	if errors.Is(err, fs.ErrPermission) {
		refusal.Code, refusal.Remedy = "folder-read-only", "let this user write there"
	}
	return refusal
}

package watch

import (
	"maps"
	"slices"
	"strings"

	"lanyard/sync/relpath"
)

// dirTree is the set of watched directories. Everything below a directory is
// found without looking at the others. A node may be unwatched itself where
// only something below it is.
type dirTree struct {
	children map[string]*dirTree
	watched  bool
}

// insert adds a directory.
func (t *dirTree) insert(dir relpath.Path) {
	node := t
	for name := range components(dir) {
		next := node.children[name]
		if next == nil {
			next = &dirTree{}
			if node.children == nil {
				node.children = map[string]*dirTree{}
			}
			node.children[name] = next
		}
		node = next
	}
	node.watched = true
}

// cut removes a directory with everything below it, and gives what was
// watched of it, parents first.
func (t *dirTree) cut(dir relpath.Path) []relpath.Path {
	var parent *dirTree
	node := t
	for name := range components(dir) {
		parent, node = node, node.children[name]
		if node == nil {
			return nil
		}
	}
	dirs := node.appendTo(nil, dir)
	if parent != nil {
		delete(parent.children, dir.Base())
	} else {
		*t = dirTree{}
	}
	return dirs
}

func (t *dirTree) appendTo(dirs []relpath.Path, at relpath.Path) []relpath.Path {
	if t.watched {
		dirs = append(dirs, at)
	}
	for _, name := range slices.Sorted(maps.Keys(t.children)) {
		if p, err := at.Join(name); err == nil {
			dirs = t.children[name].appendTo(dirs, p)
		}
	}
	return dirs
}

// components gives the parts of a path from the root down.
func components(p relpath.Path) func(yield func(string) bool) {
	if p.IsRoot() {
		return func(func(string) bool) {}
	}
	return strings.SplitSeq(p.String(), "/")
}

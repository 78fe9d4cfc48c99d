package scan

import (
	"strings"

	"lanyard/sync/index"
	"lanyard/sync/relpath"
)

// pageSize is how many records are read from the index at a time.
const pageSize = 500

// cursor reads our records in the byte order of names: all, or those of one
// name and what is below it.
type cursor struct {
	index index.Folder
	dir   relpath.Path // the root for all
	after relpath.Path
	page  []index.Record
	last  bool // page is the last one
}

// newCursor starts at the first record of top or below it.
func newCursor(f index.Folder, top relpath.Path) (*cursor, error) {
	c := &cursor{index: f, dir: top}
	if top.IsRoot() {
		return c, nil
	}
	rec, ok, err := f.Local(top)
	if ok {
		c.page = []index.Record{rec}
	}
	return c, err
}

// peek gives the next record, nil after the last. The record stays valid.
func (c *cursor) peek() (*index.Record, error) {
	if len(c.page) > 0 {
		return &c.page[0], nil
	}
	if c.last {
		return nil, nil
	}
	page, err := c.index.LocalRange(c.dir, c.after, pageSize)
	if err != nil {
		return nil, err
	}
	c.page, c.last = page, len(page) == 0
	if len(page) == 0 {
		return nil, nil
	}
	c.after = page[len(page)-1].Name
	return &c.page[0], nil
}

// next moves on.
func (c *cursor) next() { c.page = c.page[1:] }

// place is a point in the order of names: the name dir/base, or with below
// set the point just before everything under it.
type place struct {
	dir, base string
	below     bool
}

// compare tells where name stands against the place, without joining the two.
func (p place) compare(name string) int {
	rest := name
	if p.dir != "" {
		n := min(len(rest), len(p.dir))
		if c := strings.Compare(rest[:n], p.dir[:n]); c != 0 {
			return c
		}
		if len(rest) <= len(p.dir) {
			return -1
		}
		if c := int(rest[len(p.dir)]) - '/'; c != 0 {
			return c
		}
		rest = rest[len(p.dir)+1:]
	}
	if !p.below {
		return strings.Compare(rest, p.base)
	}
	return compareBelow(rest, p.base)
}

// compareBelow compares name with base + "/".
func compareBelow(name, base string) int {
	n := min(len(name), len(base))
	if c := strings.Compare(name[:n], base[:n]); c != 0 {
		return c
	}
	if len(name) <= len(base) {
		return -1
	}
	if c := int(name[len(base)]) - '/'; c != 0 {
		return c
	}
	return len(name) - len(base) - 1
}

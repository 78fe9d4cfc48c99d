package sim

import (
	"fmt"
	"slices"
	"strings"

	"lanyard/sync/conflict"
	"lanyard/sync/fsys"
	"lanyard/sync/relpath"
)

// names is the tree that people work in. No name is used for a file and a
// directory both.
var (
	fileNames = []string{"a", "b", "c.txt", "n\u00f6t\u00e9.md", "a-b"}
	dirNames  = []string{"d", "d/sub", "e", "e/deep", "e/deep/er"}
	// spareDirs are names for directories to be renamed from and to.
	spareDirs = []string{"d", "d/sub", "e", "e/deep", "e/deep/er", "f", "f/sub", "g", "h"}
)

// userOp is one act of a person on a device, drawn from the seed.
func (c *Cluster) userOp(d *Device) {
	if c.left <= 0 {
		return
	}
	c.left--
	if c.o.Trees > 0 && c.acts.Float64() < c.o.Trees {
		c.renameTree(d)
		return
	}
	p := c.drawFile()
	switch n := c.acts.IntN(100); {
	case n < 45:
		c.write(d, p)
	case n < 60:
		c.remove(d, p)
	case n < 75:
		c.rename(d, p, c.drawFile())
	case n < 82:
		c.mkdir(d, c.pick(dirNames))
	case n < 88:
		c.removeTree(d, c.pick(dirNames))
	case n < 94:
		if _, err := d.FS.User().ReadFile(p); err == nil {
			c.chmod(d, p, c.pickMode())
		}
	default:
		c.renameTree(d)
	}
}

func (c *Cluster) pick(list []string) string { return list[c.acts.IntN(len(list))] }

func (c *Cluster) pickMode() uint32 {
	return []uint32{0o644, 0o755, 0o600}[c.acts.IntN(3)]
}

func (c *Cluster) drawFile() string {
	dir := ""
	if c.acts.IntN(2) == 0 {
		dir = c.pick(dirNames) + "/"
	}
	return dir + c.pick(fileNames)
}

func (c *Cluster) mkdir(d *Device, dir string) {
	if d.FS.User().MkdirAll(dir) == nil {
		d.saw(dir)
		c.note("%s: mkdir %s", d.Name, dir)
	}
}

func (c *Cluster) chmod(d *Device, p string, mode uint32) {
	u := d.FS.User()
	if data, err := u.ReadFile(p); err == nil && u.Chmod(p, mode) == nil {
		c.oracle.changed(p, data)
		d.saw(p)
		c.note("%s: chmod %s", d.Name, p)
	}
}

// write saves a new content under a name. Every content is unique.
func (c *Cluster) write(d *Device, p string) {
	u := d.FS.User()
	if d.full {
		return // a program that saves to a full disk says so, and nothing is saved
	}
	if i := strings.LastIndexByte(p, '/'); i >= 0 {
		if _, err := u.Lstat(p[:i]); err != nil && c.acts.IntN(3) > 0 {
			return
		}
		if u.MkdirAll(p[:i]) != nil {
			return
		}
	}
	c.contents++
	data := fmt.Appendf(nil, "content %d of %s by %s\n", c.contents, p, d.Name)
	if c.acts.IntN(5) == 0 {
		data = slices.Concat(data, make([]byte, c.acts.IntN(300_000))) // several blocks
	}
	old, had := u.ReadFile(p)
	if had == nil && c.o.KeepAll {
		return
	}
	if u.WriteFile(p, data) != nil {
		return
	}
	if had == nil {
		c.oracle.superseded(old)
	}
	c.oracle.wrote(p, data)
	d.saw(p)
	c.note("%s: write %s (%d)", d.Name, p, c.contents)
}

func (c *Cluster) remove(d *Device, p string) {
	u := d.FS.User()
	old, err := u.ReadFile(p)
	if err != nil || c.o.KeepAll || u.Remove(p) != nil {
		return
	}
	c.oracle.superseded(old)
	c.oracle.removed(p)
	d.sawGo(p)
	c.note("%s: remove %s", d.Name, p)
}

func (c *Cluster) rename(d *Device, from, to string) {
	u := d.FS.User()
	data, err := u.ReadFile(from)
	if err != nil || from == to {
		return
	}
	over, had := u.ReadFile(to)
	if had == nil && c.o.KeepAll {
		return
	}
	if u.Rename(from, to) != nil {
		return
	}
	if had == nil {
		c.oracle.superseded(over)
	}
	c.oracle.removed(from)
	c.oracle.wrote(to, data)
	d.sawGo(from)
	d.saw(to)
	c.note("%s: rename %s to %s", d.Name, from, to)
}

// removeTree removes a directory with all that is in it.
func (c *Cluster) removeTree(d *Device, dir string) {
	if c.o.KeepAll {
		return
	}
	u := d.FS.User()
	for p, n := range sorted(u.Tree()) {
		if n.Kind == fsys.Regular && strings.HasPrefix(p, dir+"/") && !relpath.MustParse(p).Internal() {
			c.oracle.superseded(n.Content)
			c.oracle.removed(p)
		}
	}
	if u.RemoveAll(dir) == nil {
		d.sawGo(dir)
		c.note("%s: remove tree %s", d.Name, dir)
	}
}

// renameTree moves a directory to a name that is free.
func (c *Cluster) renameTree(d *Device) {
	from, to := c.pick(dirNames), c.pick(dirNames)
	if c.o.Trees > 0 {
		from, to = c.pick(spareDirs), c.pick(spareDirs)
	}
	c.moveTree(d, from, to)
}

func (c *Cluster) moveTree(d *Device, from, to string) {
	u := d.FS.User()
	if from == to || strings.HasPrefix(to, from+"/") || strings.HasPrefix(from, to+"/") {
		return
	}
	if _, err := u.Lstat(to); err == nil {
		return
	}
	before := u.Tree()
	if u.Rename(from, to) != nil {
		return
	}
	for p, n := range sorted(before) {
		if n.Kind != fsys.Regular || !strings.HasPrefix(p, from+"/") || relpath.MustParse(p).Internal() {
			continue
		}
		c.oracle.removed(p)
		c.oracle.wrote(to+strings.TrimPrefix(p, from), n.Content)
	}
	d.sawGo(from)
	d.saw(to)
	c.note("%s: rename tree %s to %s", d.Name, from, to)
}

// original gives the name that a conflict copy was made of, or the name
// itself.
func original(p string) string {
	path, err := relpath.Parse(p)
	if err != nil {
		return p
	}
	if o, ok := conflict.Is(path); ok {
		return o.String()
	}
	return p
}

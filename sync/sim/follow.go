package sim

import (
	"fmt"
	"strings"

	"lanyard/sync/fsys"
	"lanyard/sync/relpath"
	"lanyard/sync/vector"
)

// follow notes, after each step, what changed on any device about the name or
// the content that Options.Follow gives: the disk, the version that the device
// has recorded, and the ones that it knows of the others. It is no part of the
// run: the trace is the same without it.
func (c *Cluster) follow() {
	if c.o.Follow == "" {
		return
	}
	for _, d := range c.devices {
		if !d.stirred.Load() && c.noted == len(c.notes) {
			continue
		}
		d.stirred.Store(false)
		now := d.standing(c.o.Follow)
		for at, was := range sorted(d.followed) {
			if _, there := now[at]; !there && was != "" {
				c.notes = append(c.notes, fmt.Sprintf("    %s %s: gone", d.Name, at))
			}
		}
		for at, is := range sorted(now) {
			if is != d.followed[at] {
				c.notes = append(c.notes, fmt.Sprintf("    %s %s: %s", d.Name, at, is))
			}
		}
		d.followed = now
	}
	c.noted = len(c.notes)
}

// standing gives what the device's disk and index say of a name, and where else
// on the disk a content stands.
func (d *Device) standing(what string) map[string]string {
	out := map[string]string{}
	for p, n := range d.FS.User().Tree() {
		if p == what || n.Kind == fsys.Regular && (original(p) == what || strings.Contains(string(n.Content), what)) {
			out[p] = fmt.Sprintf("%s mode %o", brief(n), n.Mode)
		}
	}
	p, err := relpath.Parse(what)
	if err != nil {
		return out
	}
	if d.engine == nil { // to open its index might be to make one, which draws from chance
		for at, was := range d.followed {
			if strings.HasPrefix(at, "index ") {
				out[at] = was
			}
		}
		return out
	}
	d.Store.SetHook(nil) // what looks on is refused nothing, and uses up no chance
	defer d.Store.SetHook(d.storeOp)
	ix, err := d.Store.Folder(folderID)
	if err != nil {
		return out
	}
	rec, ok, err := ix.Local(p)
	if err == nil && ok {
		out["index "+what] = fmt.Sprintf("seq %d %s flags %d size %d mode %o deleted %v", rec.Sequence, d.c.vector(rec.Version), rec.Flags, rec.Size, rec.Permissions, rec.Deleted)
	}
	for _, other := range d.c.devices {
		f, ok, err := ix.RemoteEntry(other.ID, p)
		if err == nil && ok {
			out["index of "+other.Name+" "+what] = fmt.Sprintf("%s size %d mode %o deleted %v", d.c.vector(f.Version), f.Size, f.Permissions, f.Deleted)
		}
	}
	return out
}

// vector writes a version with the names of the devices.
func (c *Cluster) vector(v vector.Vector) string {
	var out []string
	for _, n := range v {
		name := fmt.Sprintf("%x", n.ID)
		for _, d := range c.devices {
			if uint64(d.ID.Short()) == n.ID {
				name = d.Name
			}
		}
		out = append(out, fmt.Sprintf("%s%d", name, n.Value))
	}
	return "{" + strings.Join(out, " ") + "}"
}

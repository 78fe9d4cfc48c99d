package fsys

import "time"

// Copy gives a file system that holds what programs see in m now, all of it
// durable: what a backup of it brings back. It has m's options and no hook.
// An image of the disk keeps identities and times of change; a backup of files
// (fresh) has new ones, and keeps modes and modification times alone.
func (m *Mem) Copy(fresh bool) *Mem {
	m.mu.Lock()
	defer m.mu.Unlock()
	next := &Mem{opts: m.opts, lastInode: m.lastInode, lastNow: m.lastNow, offset: m.offset}
	c := copying{next: next, fresh: fresh, made: map[*inode]*inode{}}
	next.root = c.copy(m.root)
	next.root.nlink = 1
	next.root.settleAll()
	return next
}

// copying builds a Copy.
type copying struct {
	next  *Mem
	fresh bool
	made  map[*inode]*inode // the copy of each inode reached so far
}

// copy goes by the order of names, so that equal trees give equal copies.
func (c *copying) copy(ino *inode) *inode {
	if made := c.made[ino]; made != nil {
		return made
	}
	made := &inode{id: ino.id, kind: ino.kind, target: ino.target, attr: ino.attr, data: ino.data.clone()}
	c.made[ino] = made
	if c.fresh {
		c.next.lastInode++
		made.id = c.next.lastInode
		made.attr.ctime = c.next.now()
	}
	c.next.used += made.allocated()
	if ino.kind != Directory {
		return made
	}
	made.names, made.stableNames = map[string]dirent{}, map[string]dirent{}
	for _, ent := range sortedEntries(ino.names) {
		child := c.copy(ent.ino)
		child.nlink++
		key := c.next.key(ent.name)
		made.names[key] = dirent{ent.name, child}
		made.stableNames[key] = made.names[key]
	}
	return made
}

// SetClock sets what tells the time of changes from now on.
func (m *Mem) SetClock(now func() time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.opts.Now = now
}

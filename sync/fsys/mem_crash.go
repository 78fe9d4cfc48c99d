package fsys

import (
	"errors"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"

	"lanyard/sync/relpath"
)

// SyncFiles makes data and metadata of the files durable. Their names are not:
// that needs SyncDirs. Where a hook makes it fail with ErrIO, what was not
// durable never becomes so, unless it is written anew.
func (m *Mem) SyncFiles(files []File) error {
	paths := make([]string, 0, len(files))
	for _, f := range files {
		if f, ok := f.(*memFile); ok {
			paths = append(paths, f.path)
		}
	}
	err := m.doPaths(OpSyncFiles, func() error {
		for _, f := range files {
			f, ok := f.(*memFile)
			switch {
			case !ok || f.m != m:
				return fs.ErrInvalid
			case f.closed:
				return fs.ErrClosed
			}
			f.ino.settle()
		}
		return nil
	}, paths...)
	if errors.Is(err, ErrIO) {
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, f := range files {
			if f, ok := f.(*memFile); ok && f.m == m {
				f.ino.lose()
			}
		}
	}
	return err
}

// settle makes what an inode holds durable, but for what was lost.
func (ino *inode) settle() {
	before := ino.stableData.pages
	ino.stable = ino.attr
	ino.stableData = ino.data.clone()
	for p, page := range ino.lost {
		switch {
		case ino.stableData.pages[p] != page:
			delete(ino.lost, p) // written anew
		case before[p] != nil:
			ino.stableData.pages[p] = before[p]
		default:
			delete(ino.stableData.pages, p)
		}
	}
}

// lose is a write-back that failed: the system takes the pages for written,
// though the disk does not have them. No later sync brings them there, only
// writing them anew.
func (ino *inode) lose() {
	if ino.lost == nil {
		ino.lost = map[int64]*[pageSize]byte{}
	}
	for p, page := range ino.data.pages {
		if ino.stableData.pages[p] != page {
			ino.lost[p] = page
		}
	}
}

// SyncDirs makes names durable: all of the file system's, or with
// StrictDirSync those in the given directories and what they depend on.
func (m *Mem) SyncDirs(dirs []relpath.Path) error {
	paths := make([]string, len(dirs))
	for i, d := range dirs {
		paths[i] = d.String()
	}
	return m.doPaths(OpSyncDirs, func() error {
		var synced []*inode
		var first error
		for _, p := range paths {
			dir, err := m.directory(p)
			switch {
			case err == nil:
				synced = append(synced, dir)
				dir.stable = dir.attr
			case first == nil:
				first = err
			}
		}
		m.commit(synced)
		return first
	}, paths...)
}

// commit applies the part of the journal that a sync of dirs makes durable.
func (m *Mem) commit(dirs []*inode) {
	if !m.opts.StrictDirSync {
		if len(dirs) > 0 {
			m.commitAll()
		}
		return
	}
	keep := make([]bool, len(m.journal))
	wanted := slices.Clone(dirs)
	for i, e := range slices.Backward(m.journal) {
		if keep[i] = e.touchesAny(wanted); keep[i] {
			wanted = append(wanted, e.touched...)
		}
	}
	var rest []entry
	for i, e := range m.journal {
		if keep[i] {
			e.settle()
		} else {
			rest = append(rest, e)
		}
	}
	m.journal = rest
}

func (m *Mem) commitAll() {
	for _, e := range m.journal {
		e.settle()
	}
	m.journal = nil
}

func (e entry) settle() {
	for _, ed := range e.edits {
		ed.apply(ed.dir.stableNames)
	}
}

func (e entry) touchesAny(dirs []*inode) bool {
	return slices.ContainsFunc(e.touched, func(d *inode) bool { return slices.Contains(dirs, d) })
}

// Crash gives what a power failure at this instant may leave, as chance
// decides; m itself stays as it is, so one instant can be crashed many times.
// The result has m's options, is durable in all, and has no hook.
//
// Names: of the operations that no SyncDirs covered, a prefix survives (with
// StrictDirSync: for each directory a prefix of what touched it); each
// operation survives as a whole or not at all. Data: a file whose latest
// content no SyncFiles covered has its last durable content, the latest, a
// prefix of it, or the latest with pages missing.
func (m *Mem) Crash(rng *rand.Rand) *Mem {
	m.mu.Lock()
	defer m.mu.Unlock()
	after := &Mem{opts: m.opts, lastInode: m.lastInode, lastNow: m.lastNow, offset: m.offset}
	c := crash{
		rng: rng, after: after,
		names: map[*inode]map[string]dirent{}, made: map[*inode]*inode{},
	}
	c.replay(m.survivors(rng))
	after.root = c.copy(m.root)
	after.root.nlink = 1
	return after
}

// survivors draws which operations of the journal reached the disk.
func (m *Mem) survivors(rng *rand.Rand) []entry {
	if !m.opts.StrictDirSync {
		return m.journal[:rng.IntN(len(m.journal)+1)]
	}
	var kept []entry
	var cut []*inode // directories that lost an operation lose all later ones
	for _, e := range m.journal {
		if e.touchesAny(cut) || rng.IntN(4) == 0 {
			cut = append(cut, e.touched...)
		} else {
			kept = append(kept, e)
		}
	}
	return kept
}

// crash builds the file system that a power failure leaves.
type crash struct {
	rng   *rand.Rand
	after *Mem
	names map[*inode]map[string]dirent // of directories with operations replayed
	made  map[*inode]*inode            // the copy of each inode reached so far
}

// replay applies the surviving operations to the durable names.
func (c *crash) replay(journal []entry) {
	for _, e := range journal {
		for _, ed := range e.edits {
			if c.names[ed.dir] == nil {
				c.names[ed.dir] = maps.Clone(ed.dir.stableNames)
			}
			ed.apply(c.names[ed.dir])
		}
	}
}

// copy makes what is left of an inode and of everything below it. It draws in
// the order of names, so that a seed gives one result.
func (c *crash) copy(ino *inode) *inode {
	if made := c.made[ino]; made != nil {
		return made
	}
	left := &inode{id: ino.id, kind: ino.kind, target: ino.target, attr: ino.stable}
	c.made[ino] = left
	if ino.attr != ino.stable && c.rng.IntN(2) == 0 {
		left.attr = ino.attr
	}
	switch ino.kind {
	case Regular:
		left.data = c.content(ino)
		c.after.used += left.allocated()
	case Directory:
		c.copyNames(ino, left)
	}
	left.settle()
	return left
}

func (c *crash) copyNames(ino, left *inode) {
	names, replayed := c.names[ino]
	if !replayed {
		names = ino.stableNames
	}
	left.names, left.stableNames = map[string]dirent{}, map[string]dirent{}
	for _, ent := range sortedEntries(names) {
		child := c.copy(ent.ino)
		child.nlink++
		key := c.after.key(ent.name)
		left.names[key] = dirent{ent.name, child}
		left.stableNames[key] = left.names[key]
	}
}

// content draws what is left of a file's bytes.
func (c *crash) content(ino *inode) content {
	if ino.data.equal(ino.stableData) {
		return ino.data.clone()
	}
	latest, durable := ino.data.clone(), ino.stableData.clone()
	switch c.rng.IntN(4) {
	case 0:
		return durable
	case 1:
		return latest
	case 2:
		latest.truncate(c.rng.Int64N(latest.size + 1))
		return latest
	}
	return c.torn(latest, durable)
}

// torn is the latest content with some of its unwritten pages missing: each is
// as it was on the disk, or zero.
func (c *crash) torn(latest, durable content) content {
	durable.truncate(latest.size)
	for _, p := range slices.Sorted(maps.Keys(latest.pages)) {
		if latest.pages[p] == durable.pages[p] || c.rng.IntN(2) == 0 {
			continue
		}
		if old := durable.pages[p]; old != nil {
			latest.pages[p] = old
		} else {
			delete(latest.pages, p)
		}
	}
	return latest
}

// equal reports whether two contents are the same pages: copies of one
// content that nobody wrote to since.
func (c content) equal(d content) bool {
	return c.size == d.size && maps.Equal(c.pages, d.pages)
}

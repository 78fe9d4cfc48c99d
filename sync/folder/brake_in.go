package folder

import (
	"slices"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/device"
	"lanyard/sync/index"
	"lanyard/sync/plan"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
	"lanyard/sync/vector"
)

// pageSize is how many names are read from the index at a time.
const pageSize = 500

// deletion is one that another device announced of something that stands here.
type deletion struct {
	name   relpath.Path
	print  print
	kind   bep.FileType
	hash   block.Hash // of a file's list of blocks
	bytes  int64
	by     device.ShortID
	from   []device.ID
	stands bool // the content stands under another name
}

func (d *deletion) counts() bool { return d.kind == bep.TypeFile && !d.stands }

// Weigh looks at what others deleted (pull.Brake).
func (b *brake) Weigh(known int) (wait time.Duration, released bool, err error) {
	for {
		b.mu.Lock()
		before := b.in.back
		b.mu.Unlock()
		wait, ok, err := b.weigh(known)
		if !ok && err == nil {
			continue
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		for p := range before {
			released = released || !b.in.back.has(p)
		}
		return wait, released, err
	}
}

// weigh is one look; ok is false where a person decided something meanwhile.
func (b *brake) weigh(known int) (wait time.Duration, ok bool, err error) {
	counts, err := b.index.Counts()
	if err != nil {
		return 0, false, err
	}
	now := b.now()
	b.mu.Lock()
	d := plan.Deletions{
		Waiting: max(counts.Need.Deletes, int64(known)), Done: b.in.recent(now, b.limits.Window), Files: counts.Local.Files,
	}
	few := b.in.Hold == nil && !b.in.undone() && b.limits.Few(d)
	gen, held, since := b.gen, b.in.back, b.checked
	decided := map[status.Choice]prints{status.ApplyHeld: b.in.decided[status.ApplyHeld], status.RestoreHeld: b.in.decided[status.RestoreHeld]}
	b.mu.Unlock()
	if few || b.role == bep.SendOnly {
		d.Waiting = 0
		wait, ok = b.weighed(gen, now, d, nil, nil)
		return wait, ok, nil
	}
	sequence := b.index.Sequence()
	all, err := b.outstanding()
	if err != nil {
		return 0, false, err
	}
	undecided, apply, restore := split(all, decided)
	if err := b.findStanding(all, undecided, held, since); err != nil {
		return 0, false, err
	}
	d.Waiting = 0
	for i := range undecided {
		if undecided[i].counts() {
			d.Waiting++
		}
	}
	if wait, ok = b.weighed(gen, now, d, undecided, restore); !ok {
		return 0, false, nil
	}
	b.mu.Lock()
	b.checked = sequence
	b.mu.Unlock()
	b.forgetDecided(gen, len(apply) == 0, len(restore) == 0)
	if len(restore) > 0 {
		b.restore()
	}
	return wait, true, nil
}

// split parts what was decided from what was not.
func split(all []deletion, decided map[status.Choice]prints) (undecided, apply, restore []deletion) {
	for i := range all {
		switch d := all[i]; {
		case decided[status.RestoreHeld].has(d.print):
			restore = append(restore, d)
		case decided[status.ApplyHeld].has(d.print):
			apply = append(apply, d)
		default:
			undecided = append(undecided, d)
		}
	}
	return undecided, apply, restore
}

// outstanding lists the deletions that others announced of what stands here,
// in name order.
func (b *brake) outstanding() ([]deletion, error) {
	var out []deletion
	for after := relpath.Root; ; {
		page, err := b.index.Needed(after, pageSize)
		if err != nil {
			return nil, err
		}
		for i := range page {
			n := &page[i]
			after = n.Global.Name
			if !n.Global.Deleted || n.Local == nil || n.Local.Deleted || n.Local.Flags&index.Ignored != 0 ||
				b.ignored(after) || b.isLost(after) {
				continue
			}
			out = append(out, deletion{
				name: after, print: printOf(false, after, n.Global.Version), kind: n.Local.Type,
				hash: contentOf(&n.Local.FileInfo), bytes: sizeOf(&n.Local.FileInfo), by: n.Global.ModifiedBy, from: n.From,
			})
		}
		if len(page) < pageSize {
			return out, nil
		}
	}
}

func (b *brake) isLost(p relpath.Path) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, lost := b.out.lost[p]
	return lost
}

// contentOf gives what two files with the same content have in common.
func contentOf(f *bep.FileInfo) block.Hash {
	if !f.IsFile() || len(f.Blocks) == 0 {
		return block.Hash{}
	}
	return block.ListHash(f.Blocks)
}

func sizeOf(f *bep.FileInfo) int64 {
	if f.IsFile() {
		return f.Size
	}
	return 0
}

// findStanding marks the deletions of files whose content stands under another
// name that stays: in our index, or among what is needed. For those that were
// looked for before (held), only what our index got since then is looked at.
func (b *brake) findStanding(all, undecided []deletion, held prints, since int64) error {
	going := make(map[relpath.Path]bool, len(all))
	for i := range all {
		going[all[i].name] = true
	}
	wanted := map[block.Hash]bool{}
	known := false
	for i := range undecided {
		if undecided[i].kind == bep.TypeFile {
			wanted[undecided[i].hash] = false
			known = known || held.has(undecided[i].print)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	if err := b.findNeeded(wanted); err != nil {
		return err
	}
	if known {
		if err := b.findSince(wanted, going, since); err != nil {
			return err
		}
	}
	looked := map[block.Hash]bool{}
	for i := range undecided {
		d := &undecided[i]
		if d.kind != bep.TypeFile {
			continue
		}
		if !wanted[d.hash] && !looked[d.hash] && !held.has(d.print) {
			looked[d.hash] = true
			found, err := b.findLocal(d, going)
			if err != nil {
				return err
			}
			wanted[d.hash] = found
		}
		d.stands = wanted[d.hash]
	}
	return nil
}

// findNeeded marks the contents that a needed file has.
func (b *brake) findNeeded(wanted map[block.Hash]bool) error {
	counts, err := b.index.Counts()
	if err != nil || counts.Need.Items == counts.Need.Deletes {
		return err
	}
	for after := relpath.Root; ; {
		page, err := b.index.Needed(after, pageSize)
		if err != nil {
			return err
		}
		for i := range page {
			g := &page[i].Global
			after = g.Name
			meet(wanted, g)
		}
		if len(page) < pageSize {
			return nil
		}
	}
}

// meet marks the content of a file that is there.
func meet(wanted map[block.Hash]bool, f *bep.FileInfo) {
	if f.Deleted || f.Invalid || !f.IsFile() {
		return
	}
	hash := contentOf(f)
	if _, ok := wanted[hash]; ok {
		wanted[hash] = true
	}
}

// findSince marks the contents that our index got since a sequence.
func (b *brake) findSince(wanted map[block.Hash]bool, going map[relpath.Path]bool, since int64) error {
	for {
		page, err := b.index.LocalSince(since, pageSize)
		if err != nil {
			return err
		}
		for i := range page {
			since = page[i].Sequence
			if !going[page[i].Name] {
				meet(wanted, &page[i].FileInfo)
			}
		}
		if len(page) < pageSize {
			return nil
		}
	}
}

// findLocal reports whether our index has a deletion's content under a name
// that stays. Any empty file is as good as another.
func (b *brake) findLocal(d *deletion, going map[relpath.Path]bool) (bool, error) {
	return standsElsewhere(b.index, d.hash, d.bytes, func(p relpath.Path) bool { return going[p] })
}

// standsElsewhere reports whether our index has a content under a name that
// does not go.
func standsElsewhere(ix index.Folder, hash block.Hash, size int64, goes func(relpath.Path) bool) (bool, error) {
	if size == 0 {
		return emptyElsewhere(ix, goes)
	}
	// As many as may go themselves would hide one that stays: the limit is
	// raised until that cannot be.
	for limit := 8; ; limit *= 4 {
		same, err := ix.LocalByContent(hash, size, limit)
		if err != nil {
			return false, err
		}
		if slices.ContainsFunc(same, func(r index.Record) bool { return !goes(r.Name) }) {
			return true, nil
		}
		if len(same) < limit {
			return false, nil
		}
	}
}

func emptyElsewhere(ix index.Folder, goes func(relpath.Path) bool) (bool, error) {
	for after := relpath.Root; ; {
		page, err := ix.LocalRange(relpath.Root, after, pageSize)
		if err != nil {
			return false, err
		}
		for i := range page {
			after = page[i].Name
			if page[i].IsFile() && !page[i].Deleted && !page[i].Invalid && page[i].Size == 0 && !goes(after) {
				return true, nil
			}
		}
		if len(page) < pageSize {
			return false, nil
		}
	}
}

// weighed takes the outcome of a look: what is held, and how long deletions
// that are not held have to wait for more of them. What is being restored stays
// back in any case. ok is false where a person decided something since the look.
func (b *brake) weighed(gen int, now time.Time, d plan.Deletions, undecided, restore []deletion) (wait time.Duration, ok bool) {
	b.mu.Lock()
	if b.gen != gen {
		b.mu.Unlock()
		return 0, false
	}
	was := b.in.Hold != nil
	held := was && d.Waiting > b.in.Hold.Room
	waiting := d.Waiting
	if held || b.limits.Few(d) && !was {
		waiting = 0
	}
	// Also what is too much waits before it counts as held: the new names of a
	// rename may be on their way.
	if wait = b.arrivals.Wait(now, waiting); wait == 0 && !held {
		held = b.limits.Holds(d)
	}
	switch {
	case held && !was:
		b.in.Hold = &hold{Since: now, All: true, Room: b.limits.Room(d)}
	case !held:
		b.in.Hold = nil
	}
	b.in.back, b.in.stands = prints{}, prints{}
	view, shown := b.holdBack(undecided, held || wait > 0, d.Files)
	b.holdBack(restore, true, 0)
	if !held {
		view, shown = nil, nil
	}
	changed := was != held || tokenOf(view) != tokenOf(b.in.view)
	b.in.view, b.in.shown = view, shown
	b.mu.Unlock()
	if was != held {
		b.save()
	}
	if changed {
		b.changed()
	}
	return wait, true
}

func tokenOf(v *Held) string {
	if v == nil {
		return ""
	}
	return v.Token
}

// holdBack notes what stays of deletions, if they are held, and describes it.
// Directories, and links beside files, stay with the files that are in them.
func (b *brake) holdBack(list []deletion, held bool, total int64) (*Held, prints) {
	dirs := map[relpath.Path]bool{}
	for i := range list {
		switch d := &list[i]; {
		case d.stands:
			b.in.stands[d.print] = struct{}{}
		case d.counts() && held:
			addAncestors(dirs, d.name)
		}
	}
	if !held {
		return nil, nil
	}
	back := prints{}
	v := &Held{Total: total}
	v.Since = b.now()
	if b.in.Hold != nil {
		v.Since = b.in.Hold.Since
	}
	by := map[device.ShortID]bool{}
	from := map[device.ID]bool{}
	for i := range list {
		d := &list[i]
		switch {
		case d.kind == bep.TypeFile && d.stands, d.kind == bep.TypeDirectory && !dirs[d.name],
			d.kind == bep.TypeSymlink && !dirs[d.name.Dir()]:
			continue
		}
		back[d.print] = struct{}{}
		b.in.back[d.print] = struct{}{}
		v.add(d.name, d.kind, d.bytes)
		by[d.by] = true
		for _, dev := range d.from {
			from[dev] = true
		}
	}
	for s := range by {
		v.By = append(v.By, s)
	}
	slices.Sort(v.By)
	for dev := range from {
		v.From = append(v.From, dev)
	}
	slices.SortFunc(v.From, device.ID.Compare)
	v.Token = back.token()
	return v, back
}

// add counts one name.
func (v *Held) add(p relpath.Path, kind bep.FileType, bytes int64) {
	switch kind {
	case bep.TypeDirectory:
		v.Dirs++
	case bep.TypeSymlink:
		v.Links++
	default:
		v.Files++
		v.Bytes += bytes
		if len(v.Names) < maxHeldNames {
			v.Names = append(v.Names, p)
		}
	}
}

// forgetDecided drops a decision of which nothing is left to be carried out.
func (b *brake) forgetDecided(gen int, applied, restored bool) {
	b.mu.Lock()
	changed := false
	if b.gen == gen {
		for c, done := range map[status.Choice]bool{status.ApplyHeld: applied, status.RestoreHeld: restored} {
			if done && len(b.in.decided[c]) > 0 {
				b.in.decided[c] = prints{}
				b.in.forgot, changed = true, true
			}
		}
	}
	b.mu.Unlock()
	if changed {
		b.save()
	}
}

// restored makes our versions of files win over deletions that a person did not
// want, so that they go back to the device that deleted them. It runs on the
// Disk turn and gives the names whose files are not as recorded: they are
// scanned first, and their turn comes with the next look.
func (b *brake) restored(self device.ShortID, wall time.Time, intact func(*index.Record) (bool, error)) (rescan []relpath.Path, changed bool, err error) {
	b.mu.Lock()
	wanted := b.in.decided[status.RestoreHeld]
	b.mu.Unlock()
	if len(wanted) == 0 {
		return nil, false, nil
	}
	for after := relpath.Root; ; {
		page, err := b.index.Needed(after, pageSize)
		if err != nil {
			return rescan, changed, err
		}
		var recs []index.Record
		for i := range page {
			n := &page[i]
			after = n.Global.Name
			if !n.Global.Deleted || n.Local == nil || n.Local.Deleted || !wanted.has(printOf(false, after, n.Global.Version)) {
				continue
			}
			ok, err := intact(n.Local)
			switch {
			case err != nil:
				return rescan, changed, err
			case !ok:
				rescan = append(rescan, after)
				continue
			}
			rec := *n.Local
			rec.Sequence, rec.ModifiedBy, rec.Flags = 0, self, rec.Flags&^index.Returned
			rec.Version = vector.Merge(rec.Version, n.Global.Version).Bump(uint64(self), wall.Unix())
			recs = append(recs, rec)
		}
		if len(recs) > 0 {
			if _, err := b.index.Update(recs); err != nil {
				return rescan, changed, err
			}
			changed = true
		}
		if len(page) < pageSize {
			return rescan, changed, nil
		}
	}
}

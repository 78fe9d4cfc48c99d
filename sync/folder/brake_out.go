package folder

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/fault"
	"lanyard/sync/index"
	"lanyard/sync/plan"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
)

// scanned is what a scan tells the brake.
type scanned struct {
	full   bool
	seen   int            // entries that are there; of a full scan, 0 means that nothing is left
	paths  []relpath.Path // what was scanned, if not all
	absent []relpath.Path // that the gate kept back, children before their parents
}

// gate lets a scan announce the names it found absent, or keeps them back until
// everything that it found has been stored: then judge decides. Few names pass
// at once, and those that were seen to go.
func (b *brake) gate(absent []relpath.Path) bool {
	b.mu.Lock()
	now := b.now()
	free := b.out.Hold == nil && len(b.out.lost) == 0 && !b.out.undone()
	recent := b.out.recent(now, b.limits.Window)
	b.mu.Unlock()
	if !free {
		return false
	}
	unseen := int64(0)
	for _, p := range absent {
		if !b.departures.seen(p) {
			unseen++
		}
	}
	if unseen > b.limits.Top || unseen > 0 && unseen+recent > b.limits.Files {
		return false
	}
	if unseen > 0 {
		b.mu.Lock()
		b.out.spend(now, b.limits.Window, unseen)
		b.mu.Unlock()
		b.save()
	}
	return true
}

// verdict is what becomes of names that a scan found absent.
type verdict struct {
	announce []relpath.Path // children before their parents
	fetch    map[relpath.Path]print
	again    []relpath.Path // to be scanned: they are held no longer
}

// absence is a name of ours that is not there.
type absence struct {
	name relpath.Path
	lostName
	counts bool // a file that would be gone with it, unseen
	hash   [32]byte
	choice status.Choice
	chosen bool
}

// judge decides about absences. It runs on the Disk turn, when what the scan
// found is stored.
func (b *brake) judge(s scanned) (verdict, error) {
	b.mu.Lock()
	idle := b.out.Hold == nil && len(b.out.lost) == 0 && !b.out.undone()
	b.mu.Unlock()
	if idle && len(s.absent) == 0 {
		return verdict{}, nil
	}
	list, err := b.absences(s)
	if err != nil {
		return verdict{}, err
	}
	counts, err := b.index.Counts()
	if err != nil {
		return verdict{}, err
	}
	kept := b.keptLost(s)
	n := int64(len(kept))
	tops := map[string]int64{}
	for p, l := range kept {
		if l.kind != bep.TypeFile {
			n--
		} else {
			tops[topOf(p)]++
		}
	}
	for i := range list {
		if list[i].counts {
			n++
			tops[topOf(list[i].name)]++
		}
	}
	now := b.now()
	b.mu.Lock()
	d := plan.Deletions{Waiting: n, Done: b.out.recent(now, b.limits.Window), Files: counts.Local.Files}
	b.mu.Unlock()
	emptied := s.full && s.seen == 0 && n > b.limits.Top
	h, err := b.holdOut(d, emptied, tops, list, now)
	if err != nil {
		return verdict{}, err
	}
	return b.judged(s, list, kept, h, d, emptied)
}

func topOf(p relpath.Path) string {
	top, _, below := strings.Cut(p.String(), "/")
	if !below {
		return ""
	}
	return top
}

// absences reads the records of what a scan found absent. Of a folder that only
// receives nothing is announced, so that nothing counts unless all is gone.
func (b *brake) absences(s scanned) ([]absence, error) {
	gone := make(map[relpath.Path]bool, len(s.absent))
	for _, p := range s.absent {
		gone[p] = true
	}
	quiet := (b.role == bep.ReceiveOnly || b.role == bep.ReceiveEncrypted) && (!s.full || s.seen > 0)
	var out []absence
	for page := range slices.Chunk(s.absent, pageSize) {
		records, err := b.index.Locals(page)
		if err != nil {
			return nil, err
		}
		for _, rec := range records {
			if rec == nil || rec.Deleted && rec.Flags&^index.Returned == 0 {
				continue
			}
			a := absence{name: rec.Name, lostName: lostName{
				print: printOf(true, rec.Name, rec.Version), bytes: sizeOf(&rec.FileInfo), kind: rec.Type,
			}, hash: contentOf(&rec.FileInfo)}
			a.choice, a.chosen = b.chosen(a.print)
			if !a.chosen && !quiet && rec.IsFile() && !rec.Deleted && rec.Flags&^(index.MustRescan|index.Returned) == 0 && !b.departures.seen(rec.Name) {
				a.counts, err = b.destroys(rec, a.hash, gone)
				if err != nil {
					return nil, err
				}
			}
			out = append(out, a)
		}
	}
	return out, nil
}

func (b *brake) chosen(p print) (status.Choice, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range []status.Choice{status.ApplyHeld, status.RestoreHeld} {
		if b.out.decided[c].has(p) {
			return c, true
		}
	}
	return "", false
}

// destroys reports whether announcing that a file is gone would destroy it
// elsewhere: it was not deleted there already, and stands here under no other
// name.
func (b *brake) destroys(rec *index.Record, hash [32]byte, gone map[relpath.Path]bool) (bool, error) {
	g, _, ok, err := b.index.Global(rec.Name)
	if err != nil || ok && g.Deleted && g.Version.Covers(rec.Version) {
		return false, err
	}
	stands, err := standsElsewhere(b.index, hash, rec.Size, func(p relpath.Path) bool { return gone[p] || b.isLost(p) })
	return !stands, err
}

// keptLost gives what stays lost because the scan did not look there.
func (b *brake) keptLost(s scanned) map[relpath.Path]lostName {
	kept := map[relpath.Path]lostName{}
	if s.full {
		return kept
	}
	looked := map[relpath.Path]bool{}
	for _, p := range s.paths {
		looked[p] = true
	}
	for _, p := range s.absent {
		looked[p] = true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for p, l := range b.out.lost {
		if !under(p, looked) && !b.out.decidedOn(l.print) {
			kept[p] = l
		}
	}
	return kept
}

func (s *side) decidedOn(p print) bool {
	return s.decided[status.ApplyHeld].has(p) || s.decided[status.RestoreHeld].has(p)
}

// holdOut decides what is held: everything, what is below some top-level
// directories, or nothing (nil).
func (b *brake) holdOut(d plan.Deletions, emptied bool, tops map[string]int64, list []absence, now time.Time) (*hold, error) {
	b.mu.Lock()
	old := b.out.Hold
	b.mu.Unlock()
	h := &hold{Since: now}
	if old != nil {
		h.Since = old.Since
	}
	switch {
	case old != nil && old.All && d.Waiting > old.Room:
		h.All, h.Room = true, old.Room
	case emptied:
		h.All, h.Room = true, b.limits.Top
	case b.limits.Holds(d):
		h.All, h.Room = true, b.limits.Room(d)
	}
	for top, files := range tops {
		held := old != nil && slices.Contains(old.Tops, top)
		if !held && top != "" && files > b.limits.Top {
			var err error
			if held, err = b.emptiedTop(top, list); err != nil {
				return nil, err
			}
		}
		if held {
			h.Tops = append(h.Tops, top)
		}
	}
	slices.Sort(h.Tops)
	if !h.All && len(h.Tops) == 0 {
		return nil, nil //nolint:nilnil // nothing is held
	}
	return h, nil
}

// emptiedTop reports whether nothing is left of a top-level directory but what
// is absent.
func (b *brake) emptiedTop(top string, list []absence) (bool, error) {
	dir, err := relpath.Parse(top)
	if err != nil {
		return false, err
	}
	gone := map[relpath.Path]bool{}
	for i := range list {
		if list[i].counts {
			gone[list[i].name] = true
		}
	}
	for after := dir; ; {
		page, err := b.index.LocalRange(dir, after, pageSize)
		if err != nil {
			return false, err
		}
		for i := range page {
			after = page[i].Name
			if page[i].IsFile() && !page[i].Deleted && !page[i].Invalid && !gone[after] && !b.isLost(after) {
				return false, nil
			}
		}
		if len(page) < pageSize {
			return true, nil
		}
	}
}

func (h *hold) holds(p relpath.Path) bool {
	return h != nil && (h.All || slices.Contains(h.Tops, topOf(p)))
}

// judged takes the outcome of judge: it notes what is held and gives the rest.
func (b *brake) judged(s scanned, list []absence, kept map[relpath.Path]lostName, h *hold, d plan.Deletions, emptied bool) (verdict, error) {
	dirs := map[relpath.Path]bool{}
	lost := kept
	for p := range kept {
		addAncestors(dirs, p)
	}
	for i := range list {
		if a := &list[i]; a.counts && h.holds(a.name) {
			lost[a.name] = a.lostName
			addAncestors(dirs, a.name)
		}
	}
	v := verdict{fetch: map[relpath.Path]print{}}
	unasked, chosen := int64(0), prints{}
	for i := range list {
		a := &list[i]
		switch {
		case a.chosen:
			chosen[a.print] = struct{}{}
			if a.choice == status.RestoreHeld {
				v.fetch[a.name] = a.print
			}
		case a.counts && h.holds(a.name):
			continue
		case a.kind == bep.TypeDirectory && dirs[a.name], a.kind == bep.TypeSymlink && dirs[a.name.Dir()]:
			lost[a.name] = a.lostName
			continue
		case a.counts:
			unasked++
		}
		v.announce = append(v.announce, a.name)
	}
	if len(lost) == 0 {
		h = nil
	}
	if h == nil { // what this scan did not look at is released with it
		for p := range kept {
			v.again = append(v.again, p)
		}
		slices.SortFunc(v.again, relpath.Path.Compare)
		lost = nil
	}
	b.noteOut(s, h, lost, chosen, unasked, d.Files, emptied)
	if emptied {
		err := fault.New(fault.Folder, codeEmptied,
			"nothing is left in the folder: %d files are gone that nobody was seen to delete", d.Waiting)
		return verdict{}, fault.With(err, "n", strconv.FormatInt(d.Waiting, 10), "time", b.lastComplete().UTC().Format(time.RFC3339))
	}
	return v, nil
}

// fetched forgets the decision to bring names back that are recorded as lost by
// now: whoever deletes one of them once it is back means it. It runs on the Disk
// turn.
func (b *brake) fetched(names []relpath.Path, fetch map[relpath.Path]print) error {
	records, err := b.index.Locals(names)
	if err != nil {
		return err
	}
	b.mu.Lock()
	forgot := false
	for _, rec := range records {
		if rec == nil || !rec.Deleted || len(rec.Version) > 0 {
			continue
		}
		if p, ok := fetch[rec.Name]; ok {
			delete(b.out.decided[status.RestoreHeld], p)
			b.out.forgot, forgot = true, true
		}
	}
	b.mu.Unlock()
	if forgot {
		b.save()
	}
	return nil
}

// noteOut takes what is held of our own deletions.
func (b *brake) noteOut(s scanned, h *hold, lost map[relpath.Path]lostName, chosen prints, unasked, total int64, emptied bool) {
	b.mu.Lock()
	o := &b.out
	was, before := o.Hold, tokenOf(o.view)
	o.Hold, o.lost = h, lost
	if unasked > 0 {
		o.spend(b.now(), b.limits.Window, unasked)
	}
	forgot := false
	if s.full {
		for c, set := range o.decided {
			if len(set) > 0 && !overlap(set, chosen) {
				o.decided[c] = prints{}
				o.forgot, forgot = true, true
			}
		}
	}
	o.view, o.shown = nil, nil
	if h != nil {
		o.view, o.shown = viewOfLost(lost, h.Since, total, emptied)
	}
	changed := before != tokenOf(o.view)
	b.mu.Unlock()
	if changed || unasked > 0 || forgot || (was == nil) != (h == nil) {
		b.save()
	}
	if changed {
		b.changed()
	}
}

func overlap(a, b prints) bool {
	for p := range b {
		if a.has(p) {
			return true
		}
	}
	return false
}

func viewOfLost(lost map[relpath.Path]lostName, since time.Time, total int64, emptied bool) (*Held, prints) {
	v := &Held{Outgoing: true, Emptied: emptied, Since: since, Total: total}
	set := make(prints, len(lost))
	names := make([]relpath.Path, 0, len(lost))
	for p, l := range lost {
		set[l.print] = struct{}{}
		names = append(names, p)
	}
	slices.SortFunc(names, relpath.Path.Compare)
	for _, p := range names {
		v.add(p, lost[p].kind, lost[p].bytes)
	}
	v.Token = set.token()
	return v, set
}

// wasComplete notes that a full scan found everything in order, or told the
// others what is gone.
func (b *brake) wasComplete() {
	b.mu.Lock()
	complete := b.out.Hold == nil && b.now().Sub(b.lastFull) >= completeEvery
	if complete {
		b.lastFull = b.now()
	}
	b.mu.Unlock()
	if complete {
		b.save()
	}
}

// lastComplete gives when a look last found everything, the time of the hold
// where that is not known.
func (b *brake) lastComplete() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lastFull.IsZero() && b.out.Hold != nil {
		return b.out.Hold.Since
	}
	return b.lastFull
}

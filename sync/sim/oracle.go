package sim

import (
	"crypto/sha256"
	"fmt"
	"iter"
	"maps"
	"path"
	"slices"
	"strings"

	"lanyard/sync/block"
	"lanyard/sync/fsys"
	"lanyard/sync/relpath"
)

// oracle knows what people did and says whether what came of it is right.
//
// Between two quiet points it notes, for each name, the contents that were
// written there and whether it was removed. At a quiet point it demands:
//   - every device holds the same tree;
//   - every content that nobody replaced or removed is live somewhere, in a
//     conflict copy or in a version store;
//   - a name that was only removed is gone, and one that nobody touched is
//     what it was;
//   - a name that was written and not removed is there, with a content that
//     was written there;
//   - no conflict copy holds what no person wrote.
type oracle struct {
	written map[string]bool // contents that must be somewhere
	ever    map[string]bool // all contents that a person ever wrote
	rest    map[string]fsys.Node
	touched map[string]*touch
	// brought are contents that a device may take for a change made there.
	brought map[string][]string
	// lacked are names whose absence a device may take for a removal.
	lacked map[string]bool
	// doubt: since the last quiet point a device lost what it knew, or its disk
	// became an older one. A deletion that it had seen, and not told, may be
	// undone by that, and a change.
	doubt bool
	live  bool // see Options
}

// touch is what people did to one name since the last quiet point.
type touch struct {
	contents []string
	removed  bool
	restored bool // a person brought back what was removed
	copies   bool // a person removed a conflict copy of it
	// cut: the power went before what was done was durable, so that it may be
	// undone, or half done. A person who just saved loses that on any computer.
	cut bool
}

// powerCut takes what a power cut left of a device's disk, and demands that
// nothing was lost that the device had already recorded, and so may have
// announced. Programs do not make durable what they save: what was not recorded
// may be gone or torn.
func (o *oracle) powerCut(d *Device, before map[string]fsys.Node) error {
	after := d.FS.User().Tree()
	ix, err := d.Store.Folder(folderID)
	must(err)
	for p, was := range sorted(before) {
		path, err := relpath.Parse(p)
		now, there := after[p]
		if err != nil || path.Internal() || was.Kind != fsys.Regular || there && string(now.Content) == string(was.Content) {
			continue
		}
		rec, ok, err := ix.Local(path)
		must(err)
		if ok && rec.IsFile() && holds(rec.Blocks, was.Content) && !stands(after, string(was.Content)) {
			return fmt.Errorf("power cut: %s had recorded %s, %s, and lost it", d.Name, p, brief(was))
		}
		o.at(p).cut = true
	}
	for p, now := range sorted(visible(after)) {
		if was, there := before[p]; now.Kind == fsys.Regular && (!there || string(was.Content) != string(now.Content)) {
			o.at(p).cut = true // an older state came back, or a torn one
			o.ever[string(now.Content)] = true
		}
	}
	o.tookBack(d, before)
	return nil
}

// tookBack takes what a device's disk showed before it went back to an older
// state: what stood there alone is gone. What another device was fetching then
// does not stand there: nobody says any more which version it is.
func (o *oracle) tookBack(d *Device, before map[string]fsys.Node) {
	after := d.FS.User().Tree()
	for data := range o.written {
		if !stands(before, data) || stands(after, data) {
			continue
		}
		delete(o.written, data)
		for _, other := range d.c.devices {
			if other != d && stands(placed(other.FS.User().Tree()), data) {
				o.written[data] = true
			}
		}
	}
}

// wentBack takes what a device's disk showed before an older copy of it was put
// in its place. What stood at rest under a name of this disk alone, because the
// others went back before, is as it never was.
func (o *oracle) wentBack(d *Device, before map[string]fsys.Node) {
	o.tookBack(d, before)
	d.forgetful = true
	for p, n := range sorted(o.rest) {
		last := n.Kind == fsys.Regular && string(before[p].Content) == string(n.Content)
		for _, each := range d.c.devices {
			data, err := each.FS.User().ReadFile(p)
			last = last && (err != nil || string(data) != string(n.Content))
		}
		if last {
			delete(o.rest, p)
		}
	}
	d.older, d.absent = map[string]string{}, nil
	for p, n := range visible(d.FS.User().Tree()) {
		if n.Kind == fsys.Regular && string(o.rest[p].Content) != string(n.Content) {
			d.older[p] = string(n.Content)
		}
	}
	for p, n := range sorted(o.rest) {
		if _, err := d.FS.User().Lstat(p); err != nil && n.Kind == fsys.Regular {
			d.absent = append(d.absent, p)
		}
	}
}

// forgot notes that a device's index is not that of its disk any more. What an
// older copy of the disk brought back is then like what a person wrote there
// while the program did not run, and what it lacks and an older index has like
// what a person removed: nothing on the device tells the one from the other, and
// by its time it may win.
func (o *oracle) forgot(d *Device, rolledBack bool) {
	d.forgetful = true
	for p, data := range d.older {
		o.brought[p] = append(o.brought[p], data)
	}
	for _, p := range d.absent {
		o.lacked[p] = o.lacked[p] || rolledBack
	}
}

// nobodyKnows notes what older copies of disks brought back while all devices lost
// their index, or went back to an older one, and what they brought back to a device
// that another one had removed: where these two meet first, neither knows that it
// went back, and a third that does may come later. Nobody can tell then which of two
// contents came after the other, and by its time the older one may win.
func (o *oracle) nobodyKnows(devices []*Device) {
	all := !slices.ContainsFunc(devices, func(d *Device) bool { return !d.forgetful })
	for _, d := range devices {
		if !all && !d.stranger {
			continue
		}
		for p, data := range d.older {
			o.brought[p] = append(o.brought[p], data)
		}
	}
}

// doubtAll notes that a device does not know any more what was done.
func (o *oracle) doubtAll() {
	o.doubt = true
	for _, t := range o.touched {
		t.cut = true
	}
}

// holds reports whether blocks are those of a content.
func holds(blocks []block.Info, content []byte) bool {
	for _, b := range blocks {
		if b.Offset+int64(b.Size) > int64(len(content)) || sha256.Sum256(content[b.Offset:][:b.Size]) != b.Hash {
			return false
		}
	}
	last := blocks[len(blocks)-1]
	return last.Offset+int64(last.Size) == int64(len(content))
}

// placed gives a tree without temporary files.
func placed(tree map[string]fsys.Node) map[string]fsys.Node {
	out := maps.Clone(tree)
	maps.DeleteFunc(out, func(p string, _ fsys.Node) bool { return relpath.TempBase(path.Base(p)) })
	return out
}

func stands(tree map[string]fsys.Node, data string) bool {
	for _, n := range tree {
		if n.Kind == fsys.Regular && string(n.Content) == data {
			return true
		}
	}
	return false
}

func newOracle() *oracle {
	return &oracle{written: map[string]bool{}, ever: map[string]bool{}, rest: map[string]fsys.Node{}, touched: map[string]*touch{}, brought: map[string][]string{}, lacked: map[string]bool{}}
}

// fork gives an oracle that goes on by itself from a quiet point.
func (o *oracle) fork() *oracle {
	f := newOracle()
	f.written, f.ever, f.rest = maps.Clone(o.written), maps.Clone(o.ever), maps.Clone(o.rest)
	return f
}

func (o *oracle) at(p string) *touch {
	t := o.touched[p]
	if t == nil {
		t = &touch{}
		o.touched[p] = t
	}
	t.cut = t.cut || o.doubt
	return t
}

func (o *oracle) wrote(p string, data []byte) {
	o.written[string(data)] = true
	o.ever[string(data)] = true
	t := o.at(p)
	t.contents = append(t.contents, string(data))
}

// changed notes that a person changed something else about a file: its content
// may win.
func (o *oracle) changed(p string, data []byte) {
	t := o.at(p)
	t.contents = append(t.contents, string(data))
}

// superseded notes that a person who had a content before them replaced or
// removed it.
func (o *oracle) superseded(data []byte) { delete(o.written, string(data)) }

func (o *oracle) removed(p string) {
	o.at(p).removed = true
	if of := original(p); of != p {
		o.at(of).copies = true
	}
}

// sorted iterates over a map in the order of its keys.
func sorted[V any](m map[string]V) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if !yield(k, m[k]) {
				return
			}
		}
	}
}

// visible gives a tree without the engine's own names.
func visible(tree map[string]fsys.Node) map[string]fsys.Node {
	out := map[string]fsys.Node{}
	for p, n := range tree {
		if path, err := relpath.Parse(p); err == nil && path.Internal() {
			continue
		}
		if n.Kind == fsys.Directory {
			n.Mtime = 0 // nobody's business
		}
		out[p] = n
	}
	return out
}

// check judges a quiet point, and takes it as the next state of rest.
func (o *oracle) check(devices []*Device) error {
	trees := make([]map[string]fsys.Node, len(devices))
	for i, d := range devices {
		trees[i] = visible(d.FS.User().Tree())
	}
	for i := 1; i < len(trees); i++ {
		if diff := differ(trees[0], trees[i]); diff != "" {
			return fmt.Errorf("%s and %s differ: %s", devices[0].Name, devices[i].Name, diff)
		}
	}
	if err := o.nothingLost(devices); err != nil {
		return err
	}
	if err := o.nothingHidden(trees[0]); err != nil {
		return err
	}
	o.nobodyKnows(devices)
	if err := o.asPeopleLeftIt(trees[0]); err != nil {
		return err
	}
	o.rest = trees[0]
	o.touched, o.doubt = map[string]*touch{}, false
	o.brought, o.lacked = map[string][]string{}, map[string]bool{}
	for _, d := range devices {
		d.older, d.absent, d.forgetful, d.stranger = nil, nil, false, false
	}
	return nil
}

func differ(a, b map[string]fsys.Node) string {
	for p, n := range sorted(a) {
		m, ok := b[p]
		switch {
		case !ok:
			return p + " is missing"
		case n.Kind != m.Kind || n.Target != m.Target || string(n.Content) != string(m.Content):
			return fmt.Sprintf("%s has another content: %s, %s", p, brief(n), brief(m))
		case n.Mode != m.Mode:
			return fmt.Sprintf("%s has mode %o, %o", p, n.Mode, m.Mode)
		case n.Mtime != m.Mtime:
			return fmt.Sprintf("%s has time %d, %d", p, n.Mtime, m.Mtime)
		}
	}
	for p := range sorted(b) {
		if _, ok := a[p]; !ok {
			return p + " is extra"
		}
	}
	return ""
}

func brief(n fsys.Node) string {
	if n.Kind != fsys.Regular {
		return fmt.Sprintf("kind %d", n.Kind)
	}
	text, _, _ := strings.Cut(string(n.Content), "\n")
	return fmt.Sprintf("%q (%d bytes)", text, len(n.Content))
}

// nothingLost looks for every content that must be somewhere, version stores
// included.
func (o *oracle) nothingLost(devices []*Device) error {
	found := map[string]bool{}
	for _, d := range devices {
		for _, n := range d.FS.User().Tree() {
			if n.Kind == fsys.Regular {
				found[string(n.Content)] = true
			}
		}
	}
	for data := range sorted(o.written) {
		if !found[data] {
			text, _, _ := strings.Cut(data, "\n")
			return fmt.Errorf("lost: %q (%d bytes) is nowhere", text, len(data))
		}
	}
	return nil
}

// nothingHidden looks for contents that stand in version stores alone.
func (o *oracle) nothingHidden(tree map[string]fsys.Node) error {
	if !o.live {
		return nil
	}
	for p, t := range sorted(o.touched) {
		if t.removed || t.cut || t.copies || original(p) != p {
			continue
		}
		for _, data := range t.contents {
			if o.written[data] && !stands(tree, data) {
				text, _, _ := strings.Cut(data, "\n")
				return fmt.Errorf("%s: %q was replaced by somebody who did not have it", p, text)
			}
		}
	}
	return nil
}

// asPeopleLeftIt compares each name with what was done to it.
func (o *oracle) asPeopleLeftIt(tree map[string]fsys.Node) error {
	for p, n := range sorted(tree) {
		if n.Kind == fsys.Regular && !o.ever[string(n.Content)] {
			return fmt.Errorf("%s holds what nobody wrote: %s", p, brief(n))
		}
		if t := o.touched[p]; t != nil && !t.cut && n.Kind == fsys.Regular && t.removed && !t.restored && len(t.contents) == 0 && original(p) == p {
			return fmt.Errorf("%s came back after it was removed: %s", p, brief(n))
		}
	}
	for p, t := range sorted(o.touched) {
		n, there := tree[p]
		if t.removed || t.cut || len(t.contents) == 0 {
			continue
		}
		if !there && (t.copies || copied(tree, p, t)) {
			continue // an older deletion, unknown where it was written, won by its time
		}
		if !there {
			return fmt.Errorf("%s is gone although nobody removed it", p)
		}
		if !slices.Contains(t.contents, string(n.Content)) {
			return fmt.Errorf("%s holds %s, which is not what was written there", p, brief(n))
		}
	}
	for p, n := range sorted(o.rest) {
		now, there := tree[p]
		switch {
		case n.Kind != fsys.Regular || o.touched[p] != nil:
		case o.doubt && original(p) != p && stands(tree, string(n.Content)):
			// A device that does not know of the copy may need the name for another.
		case !there && o.lacked[p] && stands(tree, string(n.Content)):
		case !there:
			return fmt.Errorf("%s is gone although nobody touched it", p)
		case slices.Contains(o.brought[p], string(now.Content)) && stands(tree, string(n.Content)):
		case string(now.Content) != string(n.Content):
			return fmt.Errorf("%s changed although nobody touched it: %s, was %s", p, brief(now), brief(n))
		}
	}
	return nil
}

// copied reports whether a conflict copy of a name holds what was written
// there.
func copied(tree map[string]fsys.Node, p string, t *touch) bool {
	for q, n := range tree {
		if q != p && original(q) == p && slices.Contains(t.contents, string(n.Content)) {
			return true
		}
	}
	return false
}

// whole demands that a name that can be seen shows what a person wrote, whole:
// at any instant.
func (o *oracle) whole(d *Device, p string) error {
	path, err := relpath.Parse(p)
	if err != nil || path.Internal() {
		return nil //nolint:nilerr // not a name that people see
	}
	data, err := d.FS.User().ReadFile(p)
	if err == nil && !o.ever[string(data)] {
		return fmt.Errorf("%s shows under %s what nobody wrote: %d bytes", d.Name, p, len(data))
	}
	return nil
}

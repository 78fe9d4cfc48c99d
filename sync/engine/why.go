package engine

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/conflict"
	"lanyard/sync/device"
	"lanyard/sync/fault"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
)

// Why explains the state of one name, or of the whole folder where that is the
// root.
func (e *Engine) Why(ctx context.Context, id bep.FolderID, p relpath.Path) (status.Why, error) {
	if err := e.settleTurn(ctx); err != nil {
		return status.Why{Lacking: []string{}, More: []status.Problem{}}, err
	}
	f := e.folder(id)
	if f == nil || f.index == nil {
		_, err := e.running(id)
		return status.Why{Lacking: []string{}, More: []status.Problem{}}, err
	}
	w := &why{e: e, f: f, out: status.Why{
		Folder: string(id), Path: p.String(), Local: "absent", Lacking: []string{}, More: []status.Problem{},
	}}
	if p.IsRoot() {
		w.out.Path, w.out.Local = "", "directory"
		w.folder()
		return w.out, nil
	}
	err := w.name(p)
	return w.out, err
}

// WhyDevice explains the state of another device.
func (e *Engine) WhyDevice(ctx context.Context, id device.ID) (status.Why, error) {
	if err := e.settleTurn(ctx); err != nil {
		return status.Why{Lacking: []string{}, More: []status.Problem{}}, err
	}
	s := e.Snapshot()
	i := slices.IndexFunc(s.Devices, func(d status.Device) bool { return d.ID == id.String() })
	if i < 0 {
		return status.Why{}, fault.New(fault.Item, "", "there is no device %s here; see the list of devices", id.Short())
	}
	d := &s.Devices[i]
	w := &why{e: e, out: status.Why{Device: d.ID, Lacking: []string{}, More: []status.Problem{}}}
	var items, bytes int64
	for _, need := range d.Folders {
		items += need.NeedItems
		bytes += need.NeedBytes
	}
	w.out.InSync = d.Connected && items == 0 && len(d.Problems) == 0
	values := []string{"device", e.nameOf(id), "time", d.Since.Format(time.RFC3339)}
	switch {
	case w.problems(d.Problems):
	case !d.Connected:
		w.answer(status.DeviceComing, values...)
	case items > 0:
		w.answer(status.DeviceLacks, append(values, "n", strconv.FormatInt(items, 10), "size", strconv.FormatInt(bytes, 10))...)
	default:
		w.answer(status.DeviceConnected, values...)
	}
	return w.out, nil
}

// why is one answer in the making.
type why struct {
	e   *Engine
	f   *folderEntry
	out status.Why

	first bool // the first cause was said
}

// answer says that nothing is wrong, or nothing that needs anyone.
func (w *why) answer(a status.Answer, pairs ...string) {
	w.out.Answer, w.out.Param = a, map[string]string{}
	complete(w.out.Param, pairs...)
}

// problem says what is wrong: first of all, or besides.
func (w *why) problem(p status.Problem) {
	if !w.first && w.out.Answer == "" {
		w.out.Code, w.out.Text, w.out.Param = p.Code, p.Text, p.Param
		w.first = true
		return
	}
	w.out.More = append(w.out.More, p)
}

// problems says all that is wrong, and whether anything is.
func (w *why) problems(all []status.Problem) bool {
	for _, p := range all {
		w.problem(p)
	}
	return len(all) > 0
}

// folder explains the folder as a whole.
func (w *why) folder() {
	st := w.e.folderStatus(w.f.spec, w.f)
	w.out.InSync = st.InSync
	size := strconv.FormatInt(st.Need.Bytes, 10)
	values := []string{"folder", labelOf(w.f.spec), "id", string(w.f.spec.ID), "n", strconv.FormatInt(st.Need.Items, 10), "size", size}
	if !st.InSync && w.problems(st.Problems) {
		return
	}
	switch {
	case st.State == status.Scanning:
		w.answer(status.FolderScanning, values...)
		return
	case !st.InSync:
		w.answer(status.FolderSyncing, values...)
		return
	}
	for _, dev := range w.f.spec.Shared {
		if need, err := w.f.index.RemoteNeed(dev); err == nil && need.Items > 0 {
			w.out.Lacking = append(w.out.Lacking, w.e.nameOf(dev))
		}
	}
	switch {
	case len(w.f.spec.Shared) == 0:
		w.answer(status.FolderAlone, values...)
	case len(w.out.Lacking) > 0:
		w.answer(status.FolderNotThere, append(values, "devices", strings.Join(w.out.Lacking, "\n"))...)
	default:
		w.answer(status.FolderInSync, values...)
	}
	w.problems(st.Problems)
	w.devices(w.f.spec.Shared)
}

// devices adds what keeps devices from taking part.
func (w *why) devices(ids []device.ID) {
	w.e.mu.Lock()
	folders := maps.Clone(w.e.folders)
	w.e.mu.Unlock()
	for _, id := range ids {
		spec, ok := w.e.spec(id)
		if !ok {
			continue
		}
		w.e.mu.Lock()
		entry := w.e.peers[id]
		w.e.mu.Unlock()
		d := w.e.deviceStatus(spec, entry, folders)
		if !w.problems(d.Problems) && !d.Connected {
			w.problem(justGone(&d))
		}
	}
	if w.out.Code == "" && len(w.out.More) > 0 {
		w.out.Code = w.out.More[0].Code
	}
}

// justGone is the problem that a device will be if it does not come back.
func justGone(d *status.Device) status.Problem {
	p := problemOf(fault.New(fault.Retry, "device-out-of-reach", "not connected"))
	complete(p.Param, "device", d.Name)
	if !d.LastSeen.IsZero() {
		complete(p.Param, "time", d.LastSeen.Format(time.RFC3339))
	}
	return *p
}

// name explains one name.
func (w *why) name(p relpath.Path) error {
	rec, have, err := w.f.index.Local(p)
	if err != nil {
		return err
	}
	if have {
		w.out.Local = kindOf(&rec.FileInfo)
	}
	switch {
	case w.f.spec.Paused:
		w.problem(ofFolder(w.f.spec, fault.New(fault.Folder, "paused-by-you", "the folder is paused")))
		return nil
	case w.f.runner == nil:
		w.problem(ofFolder(w.f.spec, w.f.err))
		return nil
	case p.Internal():
		w.answer(status.OwnFile)
		return nil
	}
	if rule, ignored := w.f.runner.IgnoredBy(p); ignored {
		w.out.Local = "ignored"
		w.answer(status.IgnoredByRule, "rules", rule.File, "line", strconv.Itoa(rule.Line), "rule", rule.Text)
		return nil
	}
	if err := w.f.runner.View().Err; err != nil {
		w.problem(ofFolder(w.f.spec, err))
		return nil
	}
	return w.here(p)
}

// here explains a name that takes part: first whether this device has it.
func (w *why) here(p relpath.Path) error {
	for at := p; !at.IsRoot(); at = at.Dir() { // a directory's trouble is that of all in it
		err := w.f.runner.Failure(at)
		if err != nil && (at == p || fault.CodeOf(err) == "dir-unreadable" || fault.CodeOf(err) == "other-disk-inside") {
			w.problem(w.e.ofFile(w.f, at, err, w.e.available(w.f, at, true)))
			return nil
		}
	}
	need, needed, err := w.f.index.NeededOne(p)
	if err != nil {
		return err
	}
	if h := w.e.holding(w.f, p, &need, needed); h != nil {
		w.problem(ofFolder(w.f.spec, heldError(*h)))
		return nil
	}
	if needed {
		w.needed(p, need.From)
		return nil
	}
	g, _, known, err := w.f.index.Global(p)
	switch {
	case err != nil:
		return err
	case !known && w.f.runner.Stands(p):
		w.answer(status.NotLookedAt)
		return nil
	case !known:
		w.answer(status.UnknownName)
		return nil
	}
	return w.there(&g)
}

// needed explains a name that others have newer.
func (w *why) needed(p relpath.Path, from []device.ID) {
	if !w.e.anyJoined(from, w.f.spec.ID) {
		w.problem(w.e.ofFile(w.f, p, errNobody, from))
		w.devices(from)
		return
	}
	names := make([]string, 0, len(from))
	for _, dev := range from {
		names = append(names, w.e.nameOf(dev))
	}
	values := []string{"devices", strings.Join(names, "\n")}
	for _, file := range w.f.runner.Progress().Files {
		if file.Name == p && file.Total > 0 {
			values = append(values, "percent", strconv.FormatInt(100*file.Done/file.Total, 10))
		}
	}
	w.answer(status.OnItsWay, values...)
}

// there lists the devices that lack the global version, and says why.
func (w *why) there(g *bep.FileInfo) error {
	have, err := w.f.index.Availability(g.Name)
	if err != nil {
		return err
	}
	var lacking []device.ID
	for _, dev := range w.f.spec.Shared {
		if slices.Contains(have, dev) {
			continue
		}
		if theirs, ok, err := w.f.index.RemoteEntry(dev, g.Name); err != nil {
			return err
		} else if g.Deleted && (!ok || theirs.Deleted) {
			continue
		}
		lacking = append(lacking, dev)
		w.out.Lacking = append(w.out.Lacking, w.e.nameOf(dev))
	}
	w.out.InSync = len(lacking) == 0
	copies, err := w.copiesOf(g)
	if err != nil {
		return err
	}
	if len(copies) > 0 {
		w.problem(w.e.twoVersionsOf(w.f, copies))
	}
	w.sayThere(g.Deleted)
	w.devices(lacking)
	return nil
}

// copiesOf lists the conflict copies of a file, or that which it is itself.
func (w *why) copiesOf(g *bep.FileInfo) ([]relpath.Path, error) {
	if g.Deleted {
		return nil, nil
	}
	if _, ok := conflict.Is(g.Name); ok {
		return []relpath.Path{g.Name}, nil
	}
	names, err := w.f.index.Conflicts()
	return slices.DeleteFunc(names, func(p relpath.Path) bool {
		original, _ := conflict.Is(p)
		return original != g.Name
	}), err
}

// sayThere says on which devices a name is not as it is here.
func (w *why) sayThere(deleted bool) {
	if w.out.Code != "" {
		return
	}
	values := []string{"devices", strings.Join(w.out.Lacking, "\n")}
	switch {
	case w.out.InSync && len(w.f.spec.Shared) == 0:
		w.answer(status.SharedWithNobody, "id", string(w.f.spec.ID))
	case w.out.InSync && deleted:
		w.answer(status.DeletedEverywhere)
	case w.out.InSync:
		w.answer(status.SameEverywhere)
	case deleted:
		w.answer(status.DeletedNotThere, values...)
	default:
		w.answer(status.HereNotThere, values...)
	}
}

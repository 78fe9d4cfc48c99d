package engine

import (
	"cmp"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/conflict"
	"lanyard/sync/device"
	"lanyard/sync/fault"
	"lanyard/sync/folder"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
)

// problemOf names the condition of an error, with what it tells of itself.
func problemOf(err error) *status.Problem {
	code := fault.CodeOf(err)
	c, _ := status.Find(code)
	return &status.Problem{Code: code, Severity: c.Severity, Text: err.Error(), Param: fault.DataOf(err)}
}

// complete adds values that the error itself did not tell.
func complete(params map[string]string, pairs ...string) {
	for i := 0; i+1 < len(pairs); i += 2 {
		if _, told := params[pairs[i]]; !told && pairs[i+1] != "" {
			params[pairs[i]] = pairs[i+1]
		}
	}
}

// labelOf gives what people call a folder.
func labelOf(spec FolderSpec) string { return cmp.Or(bep.CleanName(spec.Label), string(spec.ID)) }

// ofFolder names a condition of a folder.
func ofFolder(spec FolderSpec, err error) status.Problem {
	p := problemOf(err)
	complete(p.Param, "folder", labelOf(spec), "id", string(spec.ID), "path", spec.Path)
	return *p
}

// ofFile names a condition of one name in a folder, for which devices have
// another version.
func (e *Engine) ofFile(f *folderEntry, name relpath.Path, err error, have []device.ID) status.Problem {
	p := problemOf(err)
	full := filepath.Join(f.spec.Path, filepath.FromSlash(name.String()))
	complete(p.Param, "file", name.String(), "path", name.String(), "full", full,
		"folder", labelOf(f.spec), "id", string(f.spec.ID))
	names := make([]string, 0, len(have))
	for _, dev := range have {
		names = append(names, e.nameOf(dev))
	}
	complete(p.Param, "devices", strings.Join(names, "\n"))
	if len(names) > 0 {
		complete(p.Param, "device", names[0])
	}
	return *p
}

// nameOf gives what people call a device.
func (e *Engine) nameOf(id device.ID) string {
	spec, _ := e.spec(id)
	e.mu.Lock()
	defer e.mu.Unlock()
	var given string
	if c := e.contacts[id]; c != nil {
		given = c.name
	}
	return cmp.Or(bep.CleanName(spec.Name), given, id.Short().String())
}

// maxNamed is how many failed names are shown with the devices that have them.
const maxNamed = 20

// judge gives a folder's state, and everything that is to be said of it.
func (e *Engine) judge(out *status.Folder, f *folderEntry, v folder.View) {
	facts := status.Facts{
		Paused: f.spec.Paused, Stopped: v.Err != nil, Known: v.Known, Settled: v.Settled, Pulling: v.Pulling,
		Need: out.Need.Items, Held: out.Held,
	}
	found := e.folderProblems(f, v)
	groups := map[fault.Code]*status.Problem{}
	fail := func(name relpath.Path, err error) {
		code := fault.CodeOf(err)
		out.FailedCount++
		if !status.LeftOut(code) {
			facts.Failed++
		}
		p := status.Problem{Code: code, Text: err.Error()}
		if len(out.Failed) < maxFailed {
			p = e.ofFile(f, name, err, e.available(f, name, len(out.Failed) < maxNamed))
			out.Failed = append(out.Failed, status.Failed{Name: name.String(), Code: p.Code, Text: p.Text, Param: p.Param})
		}
		if g := groups[code]; g != nil {
			g.Count++
			return
		}
		p.Count = 1
		groups[code] = &p
	}
	for _, p := range v.Failures(len(v.Failed)) {
		fail(p, v.Failed[p])
	}
	out.State = facts.State()
	if v.Known && (out.State == status.Idle || out.State == status.Scanning) && out.Need.Items > 0 {
		e.lacking(f, v, fail) // a rescan does not hide it
	}
	out.InSync = facts.InSync() && !slices.ContainsFunc(f.spec.Shared, func(dev device.ID) bool {
		_, yes := e.crowds(f, dev)
		return yes // what it announces beyond that is not known
	})
	for _, g := range groups {
		// Where the folder as a whole says it, the names are counted there.
		if i := slices.IndexFunc(found, func(p status.Problem) bool { return p.Code == g.Code }); i >= 0 {
			found[i].Count = g.Count
			continue
		}
		found = append(found, *g)
	}
	for i := range found {
		missingRoom(&found[i], out.Need.Bytes)
	}
	if p, ok := e.twoVersions(f); ok {
		out.Conflicts = p.Count
		if v.Err == nil && !f.spec.Paused {
			found = append(found, p)
		}
	}
	slices.SortStableFunc(found, status.Before)
	out.Problems = append(out.Problems, found...)
	if len(out.Problems) > 0 {
		out.Problem = &out.Problems[0]
	}
}

// missingRoom has a full disk tell how much room all that is needed takes, not
// what the first of it would.
func missingRoom(p *status.Problem, needed int64) {
	if p.Code != "disk-full" || p.Param["need"] == "" {
		return
	}
	first, err := strconv.ParseInt(p.Param["need"], 10, 64)
	free, err2 := strconv.ParseInt(p.Param["free"], 10, 64)
	if err == nil && err2 == nil {
		p.Param["need"] = strconv.FormatInt(max(first, needed-free), 10)
	}
}

// available lists the devices that have the version of a name that all should
// have, if that is asked.
func (e *Engine) available(f *folderEntry, name relpath.Path, ask bool) []device.ID {
	if !ask || f.index == nil {
		return nil
	}
	have, err := f.index.Availability(name)
	if err != nil {
		return nil // the names of devices are left out of the sentence
	}
	return have
}

// lacking tells of the names that are needed and that nobody who is connected
// has, as far as they are listed.
func (e *Engine) lacking(f *folderEntry, v folder.View, fail func(relpath.Path, error)) {
	if f.spec.Type == bep.SendOnly {
		return // it takes nothing: see sender-differs
	}
	needed, err := f.index.Needed(relpath.Root, maxFailed)
	if err != nil {
		return
	}
	for i := range needed {
		n := &needed[i]
		if v.Failed[n.Global.Name] == nil && !f.runner.Holds(n) && !e.anyJoined(n.From, f.spec.ID) {
			fail(n.Global.Name, errNobody)
		}
	}
}

var errNobody = fault.New(fault.Retry, "nobody-has-it", "no connected device has this version now")

// anyJoined reports whether one of the devices is connected and runs the
// folder.
func (e *Engine) anyJoined(devices []device.ID, id bep.FolderID) bool {
	return slices.ContainsFunc(devices, func(dev device.ID) bool {
		p := e.peer(dev)
		if p == nil {
			return false
		}
		_, joined := p.Load(id)
		return joined
	})
}

// folderProblems lists what concerns a folder as a whole.
func (e *Engine) folderProblems(f *folderEntry, v folder.View) []status.Problem {
	var out []status.Problem
	if f.spec.Paused {
		out = append(out, ofFolder(f.spec, fault.New(fault.Folder, "paused-by-you", "the folder is paused")))
	}
	if v.Err != nil {
		p := ofFolder(f.spec, v.Err)
		p.Since = v.ErrSince.UTC()
		out = append(out, p)
	}
	if v.Err != nil || f.index == nil || f.spec.Paused {
		return out // the cause alone: the rest follows from it, or waits for it
	}
	for _, h := range e.heldIn(f) {
		p := ofFolder(f.spec, heldError(h))
		p.Since = h.Since
		out = append(out, p)
	}
	if err := e.building(f, v); err != nil {
		p := ofFolder(f.spec, err)
		p.Since = v.Building.UTC()
		out = append(out, p)
	}
	for _, err := range v.Noted {
		out = append(out, ofFolder(f.spec, err))
	}
	if lost, ok := f.index.Recovery(); ok && lost.Cause == index.Damaged {
		out = append(out, ofFolder(f.spec, errMending))
	}
	if c, err := f.index.Counts(); err == nil && f.spec.Type == bep.SendOnly && c.Need.Items > 0 {
		err := fault.New(fault.Folder, "sender-differs", "others changed %d items, and this device only sends", c.Need.Items)
		out = append(out, ofFolder(f.spec, fault.With(err, "n", strconv.FormatInt(c.Need.Items, 10))))
	}
	for _, dev := range f.spec.Shared {
		if n, yes := e.crowds(f, dev); yes {
			out = append(out, ofFolder(f.spec, fault.With(crowdError(n), "device", e.nameOf(dev))))
		}
		if err := e.notShared(f, dev); err != nil {
			out = append(out, ofFolder(f.spec, fault.With(err, "device", e.nameOf(dev))))
		}
	}
	return out
}

// buildingAfter is how long an index may be in the making before it is told.
const buildingAfter = 10 * time.Second

// building tells how far an index is that is made from the files, nil where
// none is or where that is a matter of moments. How many files there are is known from
// the other devices alone.
func (e *Engine) building(f *folderEntry, v folder.View) error {
	spent := e.now().Sub(v.Building)
	if v.Building.IsZero() || spent < buildingAfter {
		return nil
	}
	err := fault.New(fault.Retry, "index-rebuilding", "the index is being made from the files, of which %d were looked at", v.Looked)
	err = fault.With(err, "done", strconv.FormatInt(v.Looked, 10))
	c, countErr := f.index.Counts()
	if total := c.Global.Files; countErr == nil && v.Looked > 0 && total > v.Looked {
		left := time.Duration(float64(spent) / float64(v.Looked) * float64(total-v.Looked))
		err = fault.With(err, "total", strconv.FormatInt(total, 10), "eta", strconv.FormatInt(int64(left.Seconds()), 10))
	}
	return err
}

// twoVersions tells of the conflict copies in a folder: the first of them, and
// how many there are. ok is false where there are none.
func (e *Engine) twoVersions(f *folderEntry) (p status.Problem, ok bool) {
	if f.index == nil {
		return p, false
	}
	names, err := f.index.Conflicts()
	if err != nil || len(names) == 0 {
		return p, false
	}
	p = e.twoVersionsOf(f, names[:1])
	p.Count = int64(len(names))
	return p, true
}

// twoVersionsOf tells of conflict copies of one file.
func (e *Engine) twoVersionsOf(f *folderEntry, names []relpath.Path) status.Problem {
	original, _ := conflict.Is(names[0])
	others := make([]string, len(names))
	for i, p := range names {
		others[i] = p.String()
	}
	err := fault.New(fault.Item, "two-versions", "%s was changed on two devices; this is the other version: %s", original, others[0])
	return e.ofFile(f, original, fault.With(err, "other", strings.Join(others, ", ")), nil)
}

// notShared says why a connected device does not take part in a folder, nil if
// it does or has not had the time.
func (e *Engine) notShared(f *folderEntry, dev device.ID) error {
	p := e.peer(dev)
	e.mu.Lock()
	var said time.Time
	if c := e.contacts[dev]; c != nil && c.connected {
		said = c.said
	}
	e.mu.Unlock()
	if p == nil || said.IsZero() {
		return nil
	}
	for _, there := range p.Shares() {
		if there.ID == f.spec.ID {
			return nil
		}
	}
	state, err := f.index.Remote(dev)
	switch {
	case err == nil && state.IndexID != 0:
		return fault.New(fault.Retry, "folder-left-by", "a device does not share the folder any more")
	case e.now().Sub(said) >= notAccepted:
		return fault.New(fault.Retry, "folder-not-accepted", "a device has not accepted the folder yet")
	}
	return nil
}

// deviceProblems lists what concerns another device.
func (e *Engine) deviceProblems(spec DeviceSpec, out *status.Device, folders map[bep.FolderID]*folderEntry) []status.Problem {
	e.mu.Lock()
	c := e.contacts[spec.ID]
	if c == nil {
		e.mu.Unlock()
		return []status.Problem{}
	}
	facts := deviceFacts{contact: *c, self: e.o.ID, now: e.now(), paused: spec.Paused}
	facts.starts, facts.faults = slices.Clone(c.starts), slices.Clone(c.faults)
	e.mu.Unlock()
	facts.name = e.nameOf(spec.ID)
	if !spec.Revoked.IsZero() {
		facts.revoker = e.nameOf(spec.Revoked)
	}
	out.Since = facts.since.UTC()
	if facts.seen.IsZero() && !facts.connected {
		facts.seen = e.seenBefore(spec.ID)
	}
	if !facts.connected {
		out.LastSeen = facts.seen.UTC()
	}
	shares := map[bep.FolderID]bool{} // whether it is paused there
	if p := e.peer(spec.ID); p != nil {
		for _, there := range p.Shares() {
			shares[there.ID] = there.Stopped
		}
	}
	for _, id := range sortedFolders(folders) {
		f := folders[id]
		if f.index == nil || !slices.Contains(f.spec.Shared, spec.ID) {
			continue
		}
		paused, there := shares[id]
		facts.shares = append(facts.shares, sharedThere{there, paused})
		facts.need += out.Folders[string(id)].NeedItems
		if state, err := f.index.Remote(spec.ID); err == nil && state.IndexID != 0 {
			facts.former = true
		}
	}
	return facts.problems()
}

// seenBefore tells when a device was seen before this run, where the address
// book knows.
func (e *Engine) seenBefore(id device.ID) time.Time {
	type remembers interface{ LastSeen(device.ID) time.Time }
	if book, ok := e.o.Addresses.(remembers); ok {
		return book.LastSeen(id)
	}
	return time.Time{}
}

// met changes what is known of the connection to a device, with Engine.mu held,
// and tells those who watch; it tells again after each of the times, when something may have
// become a problem, or ended being one.
func (e *Engine) met(id device.ID, change func(*contact), again ...time.Duration) {
	e.mu.Lock()
	c := e.contacts[id]
	if c != nil {
		change(c)
	}
	e.mu.Unlock()
	if c == nil {
		return
	}
	e.touch()
	if e.net == nil {
		return // nobody waits for a snapshot
	}
	for _, d := range again {
		e.o.Exec.After(d, e.touch)
	}
}

// shunned gives until when a device is not to be dialed.
func (e *Engine) shunned(id device.ID) time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c := e.contacts[id]; c != nil {
		return c.shunned
	}
	return time.Time{}
}

// applyContacts begins to keep what is known of new devices, and forgets those
// that are gone.
func (e *Engine) applyContacts(d Desired) {
	now := e.now()
	fresh := false
	e.mu.Lock()
	for id := range e.contacts {
		if !slices.ContainsFunc(d.Devices, func(s DeviceSpec) bool { return s.ID == id }) {
			delete(e.contacts, id)
		}
	}
	for _, spec := range d.Devices {
		c := e.contacts[spec.ID]
		if c == nil {
			e.contacts[spec.ID] = &contact{since: now}
			fresh = true
		}
	}
	e.mu.Unlock()
	if fresh && e.net != nil {
		e.o.Exec.After(awayAfter, e.touch)
	}
}

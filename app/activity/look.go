package activity

import (
	"cmp"
	"maps"
	"slices"

	"lanyard/sync/device"
	"lanyard/sync/fault"
	"lanyard/sync/status"
)

// seen is what the last state showed.
type seen struct {
	devices  map[string]status.Device
	folders  map[string]status.Folder
	problems map[problemKey]entry
}

// problemKey tells problems apart: one is the same as long as its code is.
type problemKey struct {
	folder, device string
	code           fault.Code
}

// Look notes what differs from the state before. At the first one devices and
// folders are not new, and problems are. It is called by one goroutine, with each
// state or with some of them: what came and went in between is not noted.
func (l *Log) Look(s status.Snapshot) {
	now := &seen{devices: map[string]status.Device{}, folders: map[string]status.Folder{}, problems: map[problemKey]entry{}}
	for _, d := range s.Devices {
		now.devices[d.ID] = d
	}
	for _, f := range s.Folders {
		now.folders[f.ID] = f
	}
	now.note(s)
	before := l.seen
	if before == nil {
		before = &seen{devices: maps.Clone(now.devices), folders: now.folders}
		for id, d := range before.devices {
			d.Connected = false
			before.devices[id] = d
		}
	}
	now.keep(before)
	l.seen = now
	var told []entry
	told = appendFolders(told, s, before, now)
	told = appendDevices(told, s, before, now)
	told = appendProblems(told, before, now)
	if len(told) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.now().UTC()
	for i := range told {
		l.add(at, &told[i])
	}
}

// note takes the problems that somebody has to mend, or that leave something out.
func (n *seen) note(s status.Snapshot) {
	add := func(problems []status.Problem, of entry) {
		for _, p := range problems {
			if p.Severity == status.Wait || p.Severity == "" {
				continue // it is part of the state, and goes by itself
			}
			of.Code, of.Text, of.Param = p.Code, p.Text, p.Param
			n.problems[problemKey{of.Folder, of.Device, p.Code}] = of
		}
	}
	add(s.Problems, entry{})
	for _, f := range s.Folders {
		add(f.Problems, entry{Happening: status.Happening{Folder: f.ID, Label: f.Label}})
	}
	for _, d := range s.Devices {
		add(d.Problems, ofDevice("", d))
	}
}

// keep takes over problems of which nobody can tell now whether they are over:
// those of what is paused, and in a folder that has stopped what does not explain
// that.
func (n *seen) keep(before *seen) {
	for key, p := range before.problems {
		f, known := n.folders[key.folder]
		d := n.devices[key.device]
		if known && (f.State == status.Paused || f.State == status.Stopped) || d.Paused {
			if _, still := n.problems[key]; !still {
				n.problems[key] = p
			}
		}
	}
}

func ofDevice(what status.What, d status.Device) entry {
	e := entry{Happening: status.Happening{What: what, Device: d.ID, Name: d.Name}}
	if id, err := device.Parse(d.ID); err == nil {
		e.by = id.Short()
	}
	return e
}

func ofFolder(what status.What, f status.Folder) entry {
	return entry{Happening: status.Happening{What: what, Folder: f.ID, Label: f.Label}}
}

func appendFolders(told []entry, s status.Snapshot, before, now *seen) []entry {
	for _, f := range s.Folders {
		old, known := before.folders[f.ID]
		if !known {
			told = append(told, ofFolder(status.FolderAdded, f))
		}
		told = appendShares(told, status.Shared, f, f.Devices, old.Devices, now)
		told = appendShares(told, status.Unshared, f, old.Devices, f.Devices, before)
	}
	for _, id := range slices.Sorted(maps.Keys(before.folders)) {
		if _, still := now.folders[id]; !still {
			told = append(told, ofFolder(status.FolderRemoved, before.folders[id]))
		}
	}
	return told
}

// appendShares tells of the devices that share a folder and are not among others.
func appendShares(told []entry, what status.What, f status.Folder, devices, others []string, names *seen) []entry {
	for _, id := range devices {
		if slices.Contains(others, id) {
			continue
		}
		d := names.devices[id]
		d.ID = id
		e := ofDevice(what, d)
		e.Folder, e.Label = f.ID, f.Label
		told = append(told, e)
	}
	return told
}

func appendDevices(told []entry, s status.Snapshot, before, now *seen) []entry {
	for _, d := range s.Devices {
		old, known := before.devices[d.ID]
		if !known {
			told = append(told, ofDevice(status.DeviceAdded, d))
		}
		switch {
		case d.Connected && !old.Connected:
			told = append(told, ofDevice(status.CameOn, d))
		case !d.Connected && old.Connected:
			told = append(told, ofDevice(status.WentOff, d))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(before.devices)) {
		if _, still := now.devices[id]; !still {
			told = append(told, ofDevice(status.DeviceRemoved, before.devices[id]))
		}
	}
	return told
}

func appendProblems(told []entry, before, now *seen) []entry {
	for _, key := range sorted(now.problems) {
		if _, was := before.problems[key]; !was {
			e := now.problems[key]
			e.What = status.Raised
			told = append(told, e)
		}
	}
	for _, key := range sorted(before.problems) {
		if _, still := now.problems[key]; still || !now.about(key) {
			continue
		}
		e := before.problems[key]
		e.What = status.Cured
		told = append(told, e)
	}
	return told
}

// about reports whether what a problem was about is still there.
func (n *seen) about(key problemKey) bool {
	_, folder := n.folders[key.folder]
	_, device := n.devices[key.device]
	return (folder || key.folder == "") && (device || key.device == "")
}

func sorted(m map[problemKey]entry) []problemKey {
	return slices.SortedFunc(maps.Keys(m), func(a, b problemKey) int {
		return cmp.Or(cmp.Compare(a.folder, b.folder), cmp.Compare(a.device, b.device), cmp.Compare(a.code, b.code))
	})
}

package activity

import (
	"slices"
	"strconv"
	"strings"

	"lanyard/sync/device"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
)

// partSize is how many entries a part has at most.
const partSize = 200

// Kinds of entries that one may ask for.
const (
	Files    = "files"
	Devices  = "devices"
	Folders  = "folders"
	Problems = "problems"
)

// kinds says of what kind each entry is. Two versions of a file are a matter of
// files, and one that needs somebody.
var kinds = map[status.What][]string{
	status.FileAdded: {Files}, status.FileChanged: {Files}, status.FileDeleted: {Files}, status.FileRenamed: {Files},
	status.FileSplit: {Files, Problems},
	status.CameOn:    {Devices}, status.WentOff: {Devices}, status.DeviceAdded: {Devices}, status.DeviceRemoved: {Devices},
	status.FolderAdded: {Folders}, status.FolderRemoved: {Folders}, status.Shared: {Folders}, status.Unshared: {Folders},
	status.Raised: {Problems}, status.Cured: {Problems},
}

// Wanted says which entries a part is to have: all where nothing is set.
type Wanted struct {
	Before string // the Next of the part before
	Folder string // ID
	Device string // ID
	Kind   string // Files, Devices, Folders, Problems
	Search string // stands in the name of a file, a folder or a device, whatever its case
}

// Who names a device by its short ID, where it is known; ok is false otherwise.
type Who func(device.ShortID) (id, name string, ok bool)

// Part gives a part of what happened, the newest first. word gives an entry of a
// problem its sentence.
func (l *Log) Part(w Wanted, who Who, word func(*status.Happening)) status.Activity {
	search := strings.ToLower(relpath.Normal(strings.TrimSpace(w.Search)))
	out := status.Activity{Entries: []status.Happening{}, Since: l.since, Kept: Kept, Named: Named}
	l.mu.Lock()
	defer l.mu.Unlock()
	out.Dropped = l.last > Kept
	n := l.last
	if before, err := strconv.ParseUint(w.Before, 10, 64); err == nil {
		n = min(n, before-1)
	}
	for ; l.has(n); n-- {
		e := l.at(n)
		if e.What != status.FileSplit && e.Count == 0 && e.Path == "" && isFile(e.What) {
			continue // all that it counted turned out to be something else
		}
		if w.Folder != "" && e.Folder != w.Folder || w.Kind != "" && !isKind(e.What, w.Kind) {
			continue
		}
		h := e.Happening
		h.Param = nil
		named(&h, e.by, who)
		if w.Device != "" && h.Device != w.Device {
			continue
		}
		if search != "" && !found(&h, search) {
			continue
		}
		if len(out.Entries) == partSize {
			out.Next = out.Entries[partSize-1].Seq
			break
		}
		if h.Code != "" {
			h.Param = e.Param
			word(&h)
		}
		out.Entries = append(out.Entries, h)
	}
	return out
}

func isFile(w status.What) bool { return isKind(w, Files) }

func isKind(w status.What, kind string) bool { return slices.Contains(kinds[w], kind) }

// named fills in who did it, by the name that the device has now.
func named(h *status.Happening, by device.ShortID, who Who) {
	if by == 0 {
		return
	}
	id, name, ok := who(by)
	switch {
	case ok:
		h.Device, h.Name = id, name
	case h.Name == "":
		h.Name = by.String()
	}
}

// found reports whether a text, in lower case, stands in a name of an entry.
func found(h *status.Happening, text string) bool {
	for _, s := range []string{h.Path, h.From, h.Label, h.Name} {
		if strings.Contains(strings.ToLower(s), text) {
			return true
		}
	}
	return false
}

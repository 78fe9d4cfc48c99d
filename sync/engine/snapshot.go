package engine

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/fault"
	"lanyard/sync/folder"
	"lanyard/sync/index"
	"lanyard/sync/peer"
	"lanyard/sync/status"
)

// maxFailed is how many names that are not in sync a snapshot lists.
const maxFailed = 100

// Snapshot gives the whole state.
func (e *Engine) Snapshot() status.Snapshot {
	e.mu.Lock()
	d := e.desired
	folders := maps.Clone(e.folders)
	peers := maps.Clone(e.peers)
	before := maps.Clone(e.carried)
	offers := e.offersLocked()
	e.mu.Unlock()
	s := status.Snapshot{
		DeviceID: e.o.ID.String(), Name: bep.CleanName(d.Name), Version: e.o.Version, Listen: []string{},
		Folders: make([]status.Folder, 0, len(d.Folders)), Devices: make([]status.Device, 0, len(d.Devices)),
		Offers: offers, Problems: []status.Problem{},
	}
	if e.o.Transport != nil {
		s.Listen = append(s.Listen, e.o.Transport.Addresses()...)
	}
	for _, spec := range d.Folders {
		s.Folders = append(s.Folders, e.folderStatus(spec, folders[spec.ID]))
	}
	s.Problems = append(s.Problems, e.catchingUp(s.Folders)...)
	for _, spec := range d.Devices {
		dev := e.deviceStatus(spec, peers[spec.ID], folders)
		dev.InBytes += before[spec.ID].in
		dev.OutBytes += before[spec.ID].out
		s.Devices = append(s.Devices, dev)
	}
	return s
}

func (e *Engine) folderStatus(spec FolderSpec, f *folderEntry) status.Folder {
	out := status.Folder{
		ID: string(spec.ID), Label: bep.CleanName(spec.Label), Path: spec.Path, Type: typeName(spec.Type),
		Problems: []status.Problem{}, Failed: []status.Failed{}, Devices: make([]string, 0, len(spec.Shared)),
		Progress: status.Progress{Files: []status.FileProgress{}},
	}
	for _, dev := range spec.Shared {
		out.Devices = append(out.Devices, dev.String())
	}
	if f == nil {
		f = &folderEntry{spec: spec}
	}
	out.HeldBack = e.heldIn(f)
	for _, h := range out.HeldBack {
		out.Held += h.Files
	}
	var v folder.View
	if f.runner != nil && f.err == nil {
		v = f.runner.View()
		out.Progress = f.progress(e.now())
	}
	v.Err = cmp.Or(f.err, v.Err)
	if f.index != nil {
		c, err := f.index.Counts()
		v.Err = cmp.Or(v.Err, err)
		out.Global = status.Count{Files: c.Global.Files, Dirs: c.Global.Dirs, Bytes: c.Global.Bytes}
		out.Local = status.Count{Files: c.Local.Files, Dirs: c.Local.Dirs, Bytes: c.Local.Bytes}
		out.Need = status.Need{Items: c.Need.Items, Bytes: c.Need.Bytes}
	}
	e.judge(&out, f, v)
	return out
}

// typeName gives a folder type as the configuration and the API write it.
func typeName(t bep.FolderType) string {
	switch t {
	case bep.SendOnly:
		return "send-only"
	case bep.ReceiveOnly:
		return "receive-only"
	case bep.ReceiveEncrypted:
		return "receive-encrypted"
	}
	return "send-receive"
}

func (f *folderEntry) progress(now time.Time) status.Progress {
	p := f.runner.Progress()
	out := status.Progress{DoneBytes: p.Done, TotalBytes: p.Total, Files: make([]status.FileProgress, 0, len(p.Files))}
	for _, file := range p.Files {
		out.Files = append(out.Files, status.FileProgress{Name: file.Name.String(), Done: file.Done, Total: file.Total})
	}
	out.Rate, _ = f.meter.rates(now, p.Done, 0)
	c, err := f.index.Counts()
	if err == nil && out.Rate > 0 && p.Total > 0 {
		out.TotalBytes = max(p.Total, c.Need.Bytes+p.Done)
		out.SecondsLeft = float64(out.TotalBytes-p.Done) / out.Rate
	}
	return out
}

func (e *Engine) deviceStatus(spec DeviceSpec, entry *peerEntry, folders map[bep.FolderID]*folderEntry) status.Device {
	out := status.Device{
		ID: spec.ID.String(), Name: bep.CleanName(spec.Name), Paused: spec.Paused, Folders: map[string]status.DeviceNeed{},
		Sending: []status.Sending{},
	}
	var shares []peer.RemoteFolder
	var over map[bep.FolderID]int64
	if entry != nil {
		h := entry.peer.Hello()
		out.Connected, out.Address = true, entry.address
		out.Reach = e.reachOf(entry)
		out.Client = bep.CleanName(h.ClientName + " " + h.ClientVersion)
		out.InBytes, out.OutBytes = entry.counts()
		out.InRate, out.OutRate = entry.meter.rates(e.now(), out.InBytes, out.OutBytes)
		out.Sending, over = entry.sending.list(e.now(), spec.ID, folders)
		if out.Name == "" {
			out.Name = bep.CleanName(h.DeviceName)
		}
		shares = entry.peer.Shares()
	}
	for _, id := range sortedFolders(folders) {
		f := folders[id]
		if f.index == nil || !slices.Contains(f.spec.Shared, spec.ID) {
			continue
		}
		need, err := f.index.RemoteNeed(spec.ID)
		if err != nil {
			continue
		}
		out.Folders[string(id)] = status.DeviceNeed{
			NeedItems: need.Items, NeedBytes: max(0, need.Bytes-over[id]), Current: current(f.index, spec.ID, id, shares),
		}
	}
	out.Problems = e.deviceProblems(spec, &out, folders)
	if len(out.Problems) > 0 {
		out.Problem = &out.Problems[0]
	}
	e.forgetLeft(spec.ID, &out, folders)
	return out
}

// forgetLeft leaves out what a device had of folders that it has nothing to do
// with any more: what it does with its files is unknown, and none of them
// counts as another copy.
func (e *Engine) forgetLeft(dev device.ID, out *status.Device, folders map[bep.FolderID]*folderEntry) {
	if slices.ContainsFunc(out.Problems, func(p status.Problem) bool { return p.Code == "device-forgot-us" || p.Code == "removed-elsewhere" }) {
		out.Folders = map[string]status.DeviceNeed{}
		return
	}
	for id := range out.Folders {
		if fault.CodeOf(e.notShared(folders[bep.FolderID(id)], dev)) == "folder-left-by" {
			delete(out.Folders, id)
		}
	}
}

// current reports whether a connected device runs a folder and has told us all
// that it had when it connected.
func current(ix index.Folder, dev device.ID, id bep.FolderID, shares []peer.RemoteFolder) bool {
	i := slices.IndexFunc(shares, func(f peer.RemoteFolder) bool { return f.ID == id && f.Joined })
	if i < 0 {
		return false
	}
	state, err := ix.Remote(dev)
	return err == nil && state.IndexID == shares[i].IndexID && state.MaxSequence >= shares[i].MaxSequence
}

// meter turns byte counts into rates, smoothed over a few seconds.
type meter struct {
	mu        sync.Mutex
	at        time.Time
	a, b      int64
	rateA     float64
	rateB     float64
	everAsked bool
}

// meterEvery is how often a rate is taken anew.
const meterEvery = 500 * time.Millisecond

func (m *meter) rates(now time.Time, a, b int64) (rateA, rateB float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	dt := now.Sub(m.at)
	switch {
	case !m.everAsked || a < m.a || b < m.b || dt > 10*time.Second:
		m.rateA, m.rateB = 0, 0
	case dt < meterEvery:
		return m.rateA, m.rateB
	default:
		const weight = 0.4
		m.rateA += weight * (float64(a-m.a)/dt.Seconds() - m.rateA)
		m.rateB += weight * (float64(b-m.b)/dt.Seconds() - m.rateB)
	}
	m.at, m.a, m.b, m.everAsked = now, a, b, true
	return m.rateA, m.rateB
}

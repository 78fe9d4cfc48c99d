package tray

import (
	"slices"
	"strconv"
	"time"

	"lanyard/app/text"
	"lanyard/sync/bep"
	"lanyard/sync/status"
)

// Mark is which icon the tray shows.
type Mark string

// The marks, the one that matters more first: of several that hold it is shown.
const (
	Stopped Mark = "stopped" // something does not go on
	Asks    Mark = "asks"    // something waits for a person
	Working Mark = "working" // files go over, or are looked at
	Paused  Mark = "paused"  // every folder, by a person
	Away    Mark = "away"    // no device is connected
	Plain   Mark = "plain"
)

// Marks lists them.
func Marks() []Mark { return []Mark{Stopped, Asks, Working, Paused, Away, Plain} }

// MaxFolders is how many folders the menu names.
const MaxFolders = 8

// Face is what the tray shows of a state. Its sentences are of one line, fit to
// show whatever devices and folders are called.
type Face struct {
	Mark    Mark
	State   string   // what goes on
	Safe    string   // whether this computer may be closed
	Folders []string // at most MaxFolders, and one line for the rest
	Needs   string   // how many things wait for a person, "" for none
	Pausing bool     // there is a folder that is not paused
	Paused  bool     // there are folders, and all of them are
}

// Tip is the sentence that is shown over the icon.
func (f Face) Tip(words *text.Catalogue) string {
	params := map[string]string{"state": f.State}
	if f.Safe != "" {
		params["safe"] = f.Safe
	}
	return words.SayDesktop(text.TrayTip, params)
}

// Look gives the face of a state. What the pages say of a folder and of closing
// this computer is said here in the same words: the cases in testdata hold for
// both.
func Look(s status.Snapshot, words *text.Catalogue) Face {
	f := Face{Mark: Plain, Safe: words.SayWindow(safeToClose(s), nil)}
	work := progress{}
	waits := ""
	for i, folder := range s.Folders {
		state := folderState(s, folder)
		f.Pausing = f.Pausing || folder.State != status.Paused
		work.add(state, folder)
		said := state.say(words)
		line := state.line(words, folder, said)
		switch {
		case waits != "" || !state.waits:
		case len(s.Folders) == 1:
			waits = said
		default:
			waits = line
		}
		if i < MaxFolders {
			f.Folders = append(f.Folders, line)
		}
	}
	if more := len(s.Folders) - MaxFolders; more > 0 {
		f.Folders = append(f.Folders, words.SayDesktop(text.TrayMore, number(int64(more))))
	}
	f.Paused = len(s.Folders) > 0 && !f.Pausing
	n := needs(s)
	if n > 0 {
		f.Needs = words.SayDesktop(text.TrayNeeds, number(n))
	}
	switch stop := stopped(s, words); {
	case stop != "":
		f.Mark, f.State = Stopped, stop
	case n > 0:
		f.Mark, f.State = Asks, f.Needs
	case work.transfers:
		f.Mark, f.State = Working, words.SayDesktop(text.TraySyncing, map[string]string{"percent": work.percent()})
	case work.looks:
		f.Mark, f.State = Working, words.SayWindow("state.looking", nil)
	case f.Paused:
		f.Mark, f.State = Paused, words.SayWindow("state.paused", nil)
		if until := resumes(s); !until.IsZero() {
			f.State = words.SayDesktop(text.TrayPausedUntil, map[string]string{"time": until.Local().Format("15:04")})
		}
	case len(s.Devices) == 0:
		f.Mark, f.State = Away, words.SayWindow("safe.alone", nil)
	case !slices.ContainsFunc(s.Devices, func(d status.Device) bool { return d.Connected }):
		f.Mark, f.State = Away, words.SayDesktop(text.TrayAway, nil)
	case len(s.Folders) == 0:
		f.State = words.SayWindow("safe.nothing", nil)
	case waits != "":
		f.State = waits
	default:
		f.State = words.SayWindow("state.sync", nil)
	}
	return f
}

// resumes gives when the first of the folders is resumed by itself, zero where
// none is.
func resumes(s status.Snapshot) time.Time {
	var first time.Time
	for _, f := range s.Folders {
		if at := f.PausedUntil; !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}

func number(n int64) map[string]string { return map[string]string{"n": strconv.FormatInt(n, 10)} }

// stopped gives the title of the first thing that does not go on, "" for none.
func stopped(s status.Snapshot, words *text.Catalogue) string {
	for _, p := range problems(s) {
		if p.Severity != status.Stop {
			continue
		}
		if title, ok := words.Title(p); ok {
			return title
		}
		return words.SayWindow("state.stopped", nil)
	}
	for _, f := range s.Folders {
		if f.State == status.Stopped {
			return words.SayWindow("state.stopped", nil)
		}
	}
	return ""
}

// problems gives those of the program, of folders and of devices.
func problems(s status.Snapshot) []status.Problem {
	all := slices.Clone(s.Problems)
	for _, f := range s.Folders {
		all = append(all, f.Problems...)
	}
	for _, d := range s.Devices {
		all = append(all, d.Problems...)
	}
	return all
}

// needs counts what waits for a person, as the pages count it.
func needs(s status.Snapshot) int64 {
	n := len(s.Pairing.Requests)
	for _, p := range problems(s) {
		if p.Severity == status.Ask || p.Severity == status.Stop {
			n++
		}
	}
	for _, o := range s.Offers {
		if o.Folder != "" && !o.Refused {
			n++
		}
	}
	for _, r := range s.Pairing.Runs {
		if r.State == status.PairingAsks {
			n++
		}
	}
	return int64(n)
}

// state is what is said of a folder.
type state struct {
	word   string // its key among those of the pages
	params map[string]string
	// transfers and looks tell its work, and done how far that is, from 0 to 1.
	transfers, looks bool
	done             float64
	waits            bool // not in sync, though nothing goes on
}

func (s state) say(words *text.Catalogue) string { return words.SayWindow(s.word, s.params) }

// line gives the line of a folder in the menu.
func (s state) line(words *text.Catalogue, f status.Folder, said string) string {
	params := map[string]string{"folder": bep.CleanName(f.Label), "state": said}
	key := "says.folder"
	if s.transfers {
		key = "says.progress"
		params["percent"] = percent(s.done)
	}
	return words.SayWindow(key, params)
}

// folderState decides what is said of a folder: of several that hold, what
// matters most.
func folderState(s status.Snapshot, f status.Folder) state {
	sharers := slices.DeleteFunc(slices.Clone(s.Devices), func(d status.Device) bool { return !slices.Contains(f.Devices, d.ID) })
	switch {
	case f.State == status.Stopped, slices.ContainsFunc(f.Problems, func(p status.Problem) bool { return p.Severity == status.Stop }):
		return state{word: "state.stopped"}
	case f.Held > 0:
		return state{word: "state.held"}
	case f.Conflicts > 0:
		return state{word: "state.two"}
	case f.State != status.Paused && f.FailedCount > 0:
		return state{word: "state.cannot", params: number(f.FailedCount), waits: true}
	case f.State == status.Paused:
		return state{word: "state.paused", waits: true}
	}
	if work, ok := workState(f, sharers); ok {
		return work
	}
	if len(f.Devices) == 0 {
		return state{word: "state.alone", waits: true}
	}
	if d, ok := waitsFor(f, sharers); ok {
		return state{word: "state.waiting", params: map[string]string{"device": nameOf(d)}, waits: true}
	}
	if f.InSync && !slices.ContainsFunc(sharers, func(d status.Device) bool { return !hasAll(d, f.ID) }) {
		return state{word: "state.sync"}
	}
	return state{word: "state.waiting-any", waits: true}
}

func workState(f status.Folder, sharers []status.Device) (state, bool) {
	if f.State == status.Scanning {
		return state{word: "state.looking", looks: true}, true
	}
	receiving := f.State == status.Syncing
	done := 1.0
	if receiving {
		done = doneHere(f)
	}
	var to []status.Device
	for _, d := range sharers {
		if receives(d, f.ID) {
			to = append(to, d)
			done = min(done, doneThere(f, d))
		}
	}
	switch {
	case receiving && len(to) > 0:
		return state{word: "state.syncing", transfers: true, done: done}, true
	case receiving:
		return state{word: "state.receiving", transfers: true, done: done}, true
	case len(to) == 1:
		return state{word: "state.sending", params: map[string]string{"device": nameOf(to[0])}, transfers: true, done: done}, true
	case len(to) > 1:
		return state{word: "state.sending-many", params: number(int64(len(to))), transfers: true, done: done}, true
	}
	return state{}, false
}

// waitsFor gives the device that something of a folder waits for.
func waitsFor(f status.Folder, sharers []status.Device) (status.Device, bool) {
	i := slices.IndexFunc(sharers, func(d status.Device) bool {
		return !hasAll(d, f.ID) || !d.Folders[f.ID].Current && d.Connected
	})
	if i < 0 && f.Need.Items > 0 {
		i = slices.IndexFunc(sharers, func(d status.Device) bool { return !d.Connected })
	}
	if i < 0 {
		return status.Device{}, false
	}
	return sharers[i], true
}

// hasAll reports whether a device told that it has all of a folder: nothing is
// known of one that never told.
func hasAll(d status.Device, folder string) bool {
	need, told := d.Folders[folder]
	return told && need.NeedItems == 0
}

// receives reports whether a device is getting something of a folder now.
func receives(d status.Device, folder string) bool {
	need := d.Folders[folder]
	return d.Connected && !d.Paused && need.Current && need.NeedItems > 0
}

func nameOf(d status.Device) string { return bep.CleanName(d.Name) }

// doneHere tells how far a folder is here. What is done of a round counts as
// here already, but for the files that are on their way.
func doneHere(f status.Folder) float64 {
	var underWay int64
	for _, file := range f.Progress.Files {
		underWay += file.Done
	}
	return done(f, f.Need.Items, f.Need.Bytes, f.Need.Bytes-min(underWay, f.Need.Bytes))
}

// doneThere tells how far a device is with a folder.
func doneThere(f status.Folder, d status.Device) float64 {
	need := d.Folders[f.ID]
	return done(f, need.NeedItems, need.NeedBytes, need.NeedBytes)
}

func done(f status.Folder, items, bytes, left int64) float64 {
	switch {
	case items == 0:
		return 1
	case bytes == 0: // nothing but deletions, directories and the like
		return 1 - float64(items)/float64(max(f.Global.Files+f.Global.Dirs, items))
	}
	return 1 - float64(left)/float64(max(f.Global.Bytes, bytes))
}

// progress adds up the work of all folders.
type progress struct {
	transfers, looks bool
	done, whole      float64 // bytes
}

func (p *progress) add(s state, f status.Folder) {
	p.transfers = p.transfers || s.transfers
	p.looks = p.looks || s.looks
	if s.transfers {
		size := float64(max(f.Global.Bytes, 1))
		p.whole += size
		p.done += size * s.done
	}
}

func (p *progress) percent() string { return percent(p.done / p.whole) }

// percent gives whole percents of what is not done yet: never 100.
func percent(done float64) string { return strconv.Itoa(min(99, max(0, int(100*done)))) }

// safeToClose gives the key of what is said of closing this computer. In doubt
// it is not safe.
func safeToClose(s status.Snapshot) string {
	switch {
	case len(s.Devices) == 0:
		return "safe.alone"
	case len(s.Folders) == 0:
		return "safe.nothing"
	}
	longer, only := false, false
	for _, f := range s.Folders {
		if f.Type == "receive-only" || f.Type == "receive-encrypted" {
			continue
		}
		shared := func(is func(status.Device, string) bool) bool {
			return slices.ContainsFunc(s.Devices, func(d status.Device) bool { return slices.Contains(f.Devices, d.ID) && is(d, f.ID) })
		}
		switch {
		case f.State == status.Stopped, f.State == status.Paused, len(f.Devices) == 0:
			only = true
		case shared(hasAll):
			longer = longer || f.State == status.Scanning
		case shared(receives):
			longer = true
		default:
			only = true
		}
	}
	switch {
	case only:
		return "safe.only-here"
	case longer:
		return "safe.longer"
	}
	return "safe.yes"
}

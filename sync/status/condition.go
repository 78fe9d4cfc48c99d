package status

import (
	"cmp"
	"slices"

	"lanyard/sync/fault"
)

// Severity decides the icon and the place of a condition, nothing else.
type Severity string

// The severities, from "goes away by itself" to "does not go on".
const (
	Wait Severity = "wait"
	Some Severity = "some"
	Ask  Severity = "ask"
	Stop Severity = "stop"
)

// Scope is what a condition is about.
type Scope string

// The scopes.
const (
	Program     Scope = "program"
	Network     Scope = "network"
	WholeDevice Scope = "device"
	WholeFolder Scope = "folder"
	File        Scope = "file"
)

// Condition is what the engine promises of one code. Its sentences stand in
// app/text.
type Condition struct {
	Code     fault.Code
	Severity Severity
	Scope    Scope
	// Data names what whoever raises it has to tell with fault.With. What
	// follows from the scope (path, folder, device, file) the engine adds.
	Data []string
	// Mend: it stays until somebody does something. The others end by
	// themselves, with what caused them.
	Mend bool
	// Raised says when, and Where in which package.
	Raised, Where string
}

// conditions is every condition that the engine raises, causes before what
// follows from them: a folder that is not there explains whatever else is said
// of it.
var conditions = []Condition{
	// The program and its own files.
	{"home-newer", Stop, Program, nil, true, "the index was written by a newer program", "index"},
	{"home-full", Stop, Program, []string{"free", "disk"}, true, "a write of the index finds no space", "index"},
	{"restored-backup", Wait, Program, nil, false, "a device holds more of our index than we do", "engine"},
	{"network-untrusted", Ask, Network, []string{"network"}, true, "nobody said whether the network that this computer is in is trusted", "app/node"},
	{"announce-limited", Wait, Network, nil, false, "no way of finding devices works for a minute", "discovery"},
	{"port-taken", Wait, Network, []string{"port", "other"}, true, "another program has the usual port", "app/node"},

	// A folder that does not go on.
	{"folder-missing", Stop, WholeFolder, nil, true, "the path does not exist or cannot be opened", "folder"},
	{"folder-swapped", Stop, WholeFolder, nil, true, "another directory stands at the path, or its marker is another's", "folder"},
	{"folder-unmarked", Stop, WholeFolder, nil, true, "the path is there, its marker is not", "folder"},
	{"folder-emptied", Stop, WholeFolder, []string{"n", "time"}, true, "nothing is left of what was known", "folder"},
	{"index-damaged", Wait, WholeFolder, nil, false, "the index fails its checks and is built anew", "index"},
	{"index-rebuilding", Wait, WholeFolder, []string{"done"}, false, "for ten seconds the index has been built from the files", "folder, engine"},
	{"rule-file-missing", Stop, WholeFolder, []string{"file", "line", "rules"}, true, "an #include names a file that is not there", "folder"},
	{"rule-broken", Stop, WholeFolder, []string{"line", "rule", "rules"}, true, "the ignore rules cannot be read", "folder"},
	{"disk-failing", Ask, WholeFolder, nil, true, "the disk reports an error on writing", "fsys"},
	{"folder-read-only", Stop, WholeFolder, nil, true, "the file system is mounted read-only", "fsys"},
	{"disk-full", Stop, WholeFolder, nil, true, "a write finds no space, or would leave too little", "fsys, pull"},
	{"archive-unwritable", Stop, WholeFolder, nil, true, "an old version cannot be kept for a cause other than space", "pull"},
	{"paused-by-you", Wait, WholeFolder, nil, true, "a person paused it", "engine"},

	// Waiting for a person's word.
	{"own-deletions-held", Ask, WholeFolder, []string{"n", "total"}, true, "a scan finds more gone than the brake lets through", "folder"},
	{"deletions-held", Ask, WholeFolder, []string{"n", "total"}, true, "others deleted more than the brake lets through", "folder"},
	{"sender-differs", Ask, WholeFolder, []string{"n"}, true, "others changed files of a folder that only sends", "engine"},
	{"two-versions", Ask, File, []string{"other"}, true, "a file was changed on two devices at once", "engine"},

	// Other devices.
	{"device-other-identity", Stop, WholeDevice, nil, true, "three dials in a row met another certificate", "engine"},
	{"device-too-old", Stop, WholeDevice, []string{"version"}, true, "its greeting is that of a protocol before BEP 1", "engine, bep"},
	{"device-sends-nonsense", Stop, WholeDevice, nil, true, "three connections in ten minutes ended by its fault", "engine"},
	{"removed-elsewhere", Ask, WholeDevice, []string{"other"}, true, "another of our devices says that it removed this one", "engine"},
	{"device-forgot-us", Stop, WholeDevice, nil, true, "a device that shared with us greets us as a stranger", "engine"},
	{"waiting-for-their-yes", Wait, WholeDevice, []string{"self", "group"}, true, "a device that never shared with us greets us as a stranger", "engine"},
	{"device-without-quic", Stop, WholeDevice, nil, true, "it is announced at addresses alone that are not dialed, such as relays", "engine"},
	{"connection-unsteady", Wait, WholeDevice, nil, false, "more than five connections in ten minutes", "engine"},
	{"device-out-of-reach", Wait, WholeDevice, []string{"n"}, false, "no connection for ten seconds", "engine"},
	{"device-paused-there", Wait, WholeDevice, nil, false, "it runs none of the folders that it shares with us", "engine"},
	{"clock-off", Ask, WholeDevice, []string{"span"}, true, "its clock and ours differ by more than five minutes", "engine"},
	{"theirs-too-many", Stop, WholeFolder, []string{"device", "n"}, true, "a device announces more entries than it may", "engine"},
	{"folder-left-by", Ask, WholeFolder, []string{"device"}, true, "a device that had the folder does not share it any more", "engine"},
	{"folder-not-accepted", Wait, WholeFolder, []string{"device"}, false, "a connected device does not share the folder back", "engine"},

	// Noticing changes.
	{"watch-limit", Ask, WholeFolder, []string{"n"}, true, "the system watches no more directories for us", "folder"},
	{"watch-none", Wait, WholeFolder, []string{"minutes"}, false, "the disk does not report changes", "folder"},
	{"read-again", Wait, WholeFolder, []string{"percent"}, false, "the computer stopped while the program ran, and all files are read again", "folder"},
	{"archive-full", Wait, WholeFolder, []string{"date"}, false, "old versions went early for lack of space", "folder"},

	// One file or directory.
	{"other-disk-inside", Some, File, nil, true, "a directory is another mounted file system", "scan"},
	{"dir-unreadable", Some, File, nil, true, "a directory cannot be listed", "scan"},
	{"file-unreadable", Some, File, nil, true, "a file cannot be opened or read", "scan"},
	{"not-a-file", Some, File, nil, true, "it is a pipe, a socket or a device node", "scan, folder"},
	{"name-not-text", Some, File, nil, true, "a local name is not UTF-8", "scan"},
	{"name-twin", Some, File, nil, true, "two local names have the same normal form", "scan"},
	{"name-case-clash", Some, File, []string{"other"}, true, "two wanted names differ in case alone on a disk that does not tell them apart", "pull"},
	{"name-not-possible", Some, File, nil, true, "the disk or the program cannot have the name", "fsys, pull"},
	{"name-too-long", Some, File, nil, true, "the name is longer than the disk allows", "fsys, scan"},
	{"link-not-possible", Some, File, nil, true, "the disk cannot hold a symbolic link", "fsys"},
	{"file-too-large", Some, File, nil, true, "the disk cannot hold a file of this size", "fsys, pull"},
	{"file-not-writable", Some, File, nil, true, "replacing or deleting is not permitted", "fsys"},
	{"dir-not-empty", Some, File, nil, true, "a deleted directory holds what is not known elsewhere", "pull"},
	{"file-in-use", Wait, File, nil, false, "another program holds the file", "fsys"},
	{"file-keeps-changing", Wait, File, nil, false, "five scans in five minutes found it changing", "folder"},
	{"nobody-has-it", Wait, File, nil, false, "no connected device has the version", "engine"},
}

// Conditions lists what the engine can raise, causes first. The list is the
// caller's.
func Conditions() []Condition { return slices.Clone(conditions) }

// Find gives the condition of a code, false where the engine has none such.
func Find(code fault.Code) (Condition, bool) {
	i := slices.IndexFunc(conditions, func(c Condition) bool { return c.Code == code })
	if i < 0 {
		return Condition{}, false
	}
	return conditions[i], true
}

// weights orders severities: what does not go on first.
var weights = map[Severity]int{Stop: 0, Ask: 1, Some: 2, Wait: 3}

// Before orders problems for showing: the worst first, among equals the cause
// before what follows from it. What the table does not have, a bug, leads.
func Before(a, b Problem) int {
	return cmp.Or(cmp.Compare(place(a.Code), place(b.Code)), cmp.Compare(a.Text, b.Text))
}

func place(code fault.Code) int {
	i := slices.IndexFunc(conditions, func(c Condition) bool { return c.Code == code })
	if i < 0 {
		return -1
	}
	return weights[conditions[i].Severity]*len(conditions) + i
}

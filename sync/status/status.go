// Package status holds what may be shown of a running engine: snapshots,
// events and named problems, as plain values ready for JSON. Times are UTC,
// byte counts are bytes, rates are bytes a second. Lists are never nil in what
// the engine gives out; an absent object is null.
package status

import (
	"time"

	"lanyard/sync/fault"
)

// Problem is a named condition. The texts live in app/text; the engine gives
// the code, what it is about, and the cause.
type Problem struct {
	Code     fault.Code        `json:"code"`
	Severity Severity          `json:"severity,omitempty"`
	Text     string            `json:"text"`
	Remedy   string            `json:"remedy,omitempty"` // what to do, may be empty
	Param    map[string]string `json:"param,omitempty"`
	Count    int64             `json:"count,omitempty"` // of the files that it is about
	Since    time.Time         `json:"since,omitzero"`  // when it began, where that is known
}

// FolderState is what a folder is doing.
type FolderState string

// The states. Idle means: scanned since start, nothing dirty, nothing needed
// that a connected device could give.
const (
	Idle     FolderState = "idle"
	Scanning FolderState = "scanning"
	Syncing  FolderState = "syncing"
	Paused   FolderState = "paused"
	Stopped  FolderState = "stopped"
)

// Count is a number of entries.
type Count struct {
	Files int64 `json:"files"`
	Dirs  int64 `json:"dirs"`
	Bytes int64 `json:"bytes"`
}

// Need is what is missing.
type Need struct {
	Items int64 `json:"items"`
	Bytes int64 `json:"bytes"`
}

// Folder is one folder's state.
type Folder struct {
	ID    string      `json:"id"`
	Label string      `json:"label"`
	Path  string      `json:"path"`
	Type  string      `json:"type"`
	State FolderState `json:"state"`
	// PausedUntil is when a pause ends by itself; absent where a person ends it.
	PausedUntil time.Time `json:"paused_until,omitzero"`
	Problem     *Problem  `json:"problem"` // the first of Problems
	Global      Count     `json:"global"`
	Local       Count     `json:"local"`
	Need        Need      `json:"need"`
	Conflicts   int64     `json:"conflicts"`
	Held        int64     `json:"held"`
	HeldBack    []Held    `json:"held_back"` // what Held counts, for each direction
	// InSync: the root is proved, everything was looked at, and nothing is
	// needed, held back or in the way.
	InSync   bool      `json:"in_sync"`
	Problems []Problem `json:"problems"` // the worst first; files in one for each code
	Failed   []Failed  `json:"failed"`   // names that cannot be synced now, at most 100
	// FailedCount counts them all.
	FailedCount int64    `json:"failed_count"`
	Progress    Progress `json:"progress"` // of the pull that runs
	Devices     []string `json:"devices"`  // that share it
}

// Failed is a name that is not in sync, and why.
type Failed struct {
	Name string     `json:"name"`
	Code fault.Code `json:"code"`
	Text string     `json:"text"`

	Param map[string]string `json:"param,omitempty"`
}

// Progress is how far a pull or scan has come.
type Progress struct {
	DoneBytes   int64          `json:"done_bytes"`
	TotalBytes  int64          `json:"total_bytes"`
	Rate        float64        `json:"rate"`         // bytes a second, over the last seconds
	SecondsLeft float64        `json:"seconds_left"` // 0 where unknown
	Files       []FileProgress `json:"files"`        // being fetched now, at most 20
}

// FileProgress is one file on its way.
type FileProgress struct {
	Name  string `json:"name"`
	Done  int64  `json:"done"`
	Total int64  `json:"total"`
}

// Device is one other device's state.
type Device struct {
	ID        string                `json:"id"`
	Name      string                `json:"name"`
	Connected bool                  `json:"connected"`
	Paused    bool                  `json:"paused"`
	Address   string                `json:"address"`
	Reach     Reach                 `json:"reach"`
	Client    string                `json:"client"`
	Folders   map[string]DeviceNeed `json:"folders"`
	InBytes   int64                 `json:"in_bytes"`  // since the program started
	OutBytes  int64                 `json:"out_bytes"` // likewise
	InRate    float64               `json:"in_rate"`
	OutRate   float64               `json:"out_rate"`
	Sending   []Sending             `json:"sending"`            // what it fetches now, at most 20
	Problem   *Problem              `json:"problem"`            // the first of Problems
	Problems  []Problem             `json:"problems"`           // the worst first
	Since     time.Time             `json:"since,omitzero"`     // of being connected, or of not being it
	LastSeen  time.Time             `json:"last_seen,omitzero"` // where it is not connected
	// Paired says how it became a peer, and PairedAt when; absent where that is
	// not known.
	Paired   PairingMethod `json:"paired,omitempty" enum:"code,picture,link,number,id,request"`
	PairedAt time.Time     `json:"paired_at,omitzero"`
}

// Reach is how the connection with a device leaves this one, as far as that is
// certain.
type Reach struct {
	// Over is what it is sent over, absent where that is not known.
	Over Medium `json:"over,omitempty" enum:"wifi,cable"`
	// Direct: the device is in the same network, with no router between.
	Direct bool `json:"direct"`
}

// Medium is what a network interface sends over.
type Medium string

// The media.
const (
	WiFi  Medium = "wifi"
	Cable Medium = "cable"
)

// Sending is a file that a device fetches from here.
type Sending struct {
	Folder string `json:"folder"` // its ID
	Name   string `json:"name"`
	Done   int64  `json:"done"` // bytes that the device got since it began
	Total  int64  `json:"total"`
}

// DeviceNeed is what a device still lacks of a folder.
type DeviceNeed struct {
	NeedItems int64 `json:"need_items"`
	NeedBytes int64 `json:"need_bytes" doc:"without what went over already of files that are on their way"`
	// Current is set when the device has this folder running and its index
	// exchange has caught up with what we had when it connected.
	Current bool `json:"current"`
}

// Offer is a folder that a device shares and this one has not joined, or a
// device that asked to connect.
type Offer struct {
	Device  string    `json:"device"`
	Name    string    `json:"name"`    // of the device
	Address string    `json:"address"` // of the device
	Folder  string    `json:"folder"`  // "" for a device that asks to connect
	Label   string    `json:"label"`
	Time    time.Time `json:"time"`
	// What follows is of folders.
	Connected bool  `json:"connected"` // the device is there now
	Paused    bool  `json:"paused"`    // the folder is, there
	Refused   bool  `json:"refused"`   // by a person here
	Joined    bool  `json:"joined"`    // with other devices
	Counted   bool  `json:"counted"`   // Files and Bytes are known
	Files     int64 `json:"files"`
	Bytes     int64 `json:"bytes"`
	// Path is where the folder goes unless a person says otherwise, and Free the
	// bytes that may be written there.
	Path string `json:"path"`
	Free int64  `json:"free"`
}

// Snapshot is the whole state at one instant.
type Snapshot struct {
	DeviceID string    `json:"device_id"`
	Name     string    `json:"name"`
	Version  string    `json:"version"`
	Listen   []string  `json:"listen"`
	Folders  []Folder  `json:"folders"`
	Devices  []Device  `json:"devices"`
	Offers   []Offer   `json:"offers"`
	Problems []Problem `json:"problems"` // of the program and the network
	// What follows is filled in above the engine.
	Pairing Pairing         `json:"pairing"`
	Removed []RemovedDevice `json:"removed"` // the last one first
	// Activity is another text whenever there is more to be told of what happened.
	Activity string `json:"activity"`
}

// RemovedDevice is a device that a person removed. It gets nothing any more.
type RemovedDevice struct {
	ID   string    `json:"id"`
	Name string    `json:"name"`
	Time time.Time `json:"time"` // of the removal
}

// Why answers why a name, a folder or a device is, or is not, in sync.
type Why struct {
	Folder  string     `json:"folder"`
	Path    string     `json:"path"`   // empty where it is about the whole folder
	Device  string     `json:"device"` // where it is about a device
	InSync  bool       `json:"in_sync"`
	Code    fault.Code `json:"code"`             // the first cause, "" where nothing is wrong
	Answer  Answer     `json:"answer,omitempty"` // what is to be said where there is no code
	Text    string     `json:"text"`             // the same as sentences
	Remedy  string     `json:"remedy,omitempty"`
	Local   string     `json:"local"`   // what stands here: "file", "directory", "symlink", "deleted", "absent", "ignored"
	Lacking []string   `json:"lacking"` // names of devices that do not have it yet
	// Param holds the values of the sentences.
	Param map[string]string `json:"param,omitempty"`
	More  []Problem         `json:"more"` // what else is wrong, and concerns it
}

// Answer names what is to be said where nothing is wrong, or nothing that needs
// anyone. The sentences stand in app/text.
type Answer string

// The answers.
const (
	SameEverywhere    Answer = "same-everywhere"
	HereNotThere      Answer = "here-not-there" // devices
	DeletedEverywhere Answer = "deleted-everywhere"
	DeletedNotThere   Answer = "deleted-not-there" // devices
	OnItsWay          Answer = "on-its-way"        // devices, percent
	IgnoredByRule     Answer = "ignored-by-rule"   // rules, line, rule
	OwnFile           Answer = "own-file"
	NotLookedAt       Answer = "not-looked-at"
	UnknownName       Answer = "unknown-name"
	SharedWithNobody  Answer = "shared-with-nobody" // id
	FolderAlone       Answer = "folder-alone"       // folder, id
	FolderInSync      Answer = "folder-in-sync"     // folder
	FolderNotThere    Answer = "folder-not-there"   // folder, devices
	FolderScanning    Answer = "folder-scanning"    // folder
	FolderSyncing     Answer = "folder-syncing"     // folder, n, size
	DeviceConnected   Answer = "device-has-all"     // device, time
	DeviceLacks       Answer = "device-lacks"       // device, n, size
	DeviceComing      Answer = "device-connecting"  // device
)

// Answers lists them.
func Answers() []Answer {
	return []Answer{
		SameEverywhere, HereNotThere, DeletedEverywhere, DeletedNotThere, OnItsWay, IgnoredByRule, OwnFile, NotLookedAt,
		UnknownName, SharedWithNobody, FolderAlone, FolderInSync, FolderNotThere, FolderScanning, FolderSyncing, DeviceConnected, DeviceLacks, DeviceComing,
	}
}

// StoredVersion is an old version of a file, kept in the version store.
type StoredVersion struct {
	Path     string    `json:"path"`     // of the file
	Time     time.Time `json:"time"`     // when it was replaced or deleted
	Modified time.Time `json:"modified"` // its own modification time
	Bytes    int64     `json:"bytes"`
	Store    string    `json:"store"` // where it lies, relative to the folder
}

// StoredVersions are a part of the old versions of a file, the newest first.
type StoredVersions struct {
	Total    int             `json:"total" doc:"how many there are in all"`
	Versions []StoredVersion `json:"versions"`
}

// Direction says whose deletions are held.
type Direction string

// The directions.
const (
	// Incoming: other devices deleted files, which are kept here.
	Incoming Direction = "incoming"
	// Outgoing: files are gone here, which the other devices are not told.
	Outgoing Direction = "outgoing"
)

// Held is the deletions that wait for a person in one direction.
type Held struct {
	Direction Direction `json:"direction"`
	Files     int64     `json:"files"`
	Dirs      int64     `json:"dirs"`
	Links     int64     `json:"links"`
	Bytes     int64     `json:"bytes"`
	Total     int64     `json:"total"`   // files of the folder, the held ones included
	Devices   []string  `json:"devices"` // names of those that deleted them, empty for outgoing
	Names     []string  `json:"names"`   // the first of the files
	Since     time.Time `json:"since"`
	Token     string    `json:"token"` // stands for exactly these: name it to decide on nothing else
}

// HeldFiles is a part of the files whose deletion is held in one direction, by name.
type HeldFiles struct {
	Total int        `json:"total" doc:"how many there are in all, of those asked for"`
	Files []HeldFile `json:"files"`
}

// HeldFile is a file whose deletion is held.
type HeldFile struct {
	Path   string `json:"path"`
	Bytes  int64  `json:"bytes"`
	Device string `json:"device" doc:"name of the one that deleted it; empty where it is gone here"`
}

// Choice is what a person wants of deletions that are held.
type Choice string

// The choices.
const (
	// ApplyHeld deletes: here what others deleted, there what is gone here.
	ApplyHeld Choice = "apply"
	// RestoreHeld brings the files back: to whoever deleted them, or here.
	RestoreHeld Choice = "restore"
)

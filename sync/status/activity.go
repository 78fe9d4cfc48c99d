package status

import (
	"time"

	"lanyard/sync/device"
	"lanyard/sync/fault"
)

// What says what happened.
type What string

// What happens to a file of a folder, here.
const (
	FileAdded   What = "added"
	FileChanged What = "changed"
	FileDeleted What = "deleted"
	FileRenamed What = "renamed"
)

// What happens besides.
const (
	FileSplit     What = "two-versions" // a conflict copy stands beside a file
	CameOn        What = "connected"
	WentOff       What = "disconnected"
	DeviceAdded   What = "device-added"
	DeviceRemoved What = "device-removed"
	FolderAdded   What = "folder-added"
	FolderRemoved What = "folder-removed"
	Shared        What = "shared"
	Unshared      What = "unshared"
	Raised        What = "raised" // a problem
	Cured         What = "cured"
)

// Deed is what was done to one file or link of a folder on this device: by a
// person here, as a scan found it, or by a pull. Content is the hash of its list
// of blocks, or of that of the file that was deleted; nil where there is none. It
// is the caller's, and may not be kept.
type Deed struct {
	What    What
	Path    string
	From    string // of what was renamed
	Bytes   int64
	By      device.ShortID // who made this version
	Content []byte
}

// Happening is one entry of the activity.
type Happening struct {
	Seq    string            `json:"seq"`
	Time   time.Time         `json:"time"`
	What   What              `json:"what" enum:"added,changed,deleted,renamed,two-versions,connected,disconnected,device-added,device-removed,folder-added,folder-removed,shared,unshared,raised,cured"`
	Folder string            `json:"folder" doc:"ID; empty where it is about none"`
	Label  string            `json:"label" doc:"of the folder, when it happened"`
	Path   string            `json:"path" doc:"inside the folder; empty where it is about no file, or about several"`
	From   string            `json:"from" doc:"what it was called before"`
	Device string            `json:"device" doc:"ID of the device that did it, or that it is about; empty where it is not known here"`
	Name   string            `json:"name" doc:"of that device"`
	Bytes  int64             `json:"bytes"`
	Count  int64             `json:"count" doc:"how many files of a burst the entry stands for, beside those that have their own"`
	Code   fault.Code        `json:"code" doc:"of the problem"`
	Text   string            `json:"text" doc:"of the problem"`
	Param  map[string]string `json:"param,omitempty"`
}

// Activity is a part of what happened since the start, the newest first.
type Activity struct {
	Entries []Happening `json:"entries"`
	Next    string      `json:"next" doc:"where the next part begins; empty where this is the last"`
	Since   time.Time   `json:"since" doc:"when it began to be noted"`
	Kept    int         `json:"kept" doc:"how many entries are kept at most"`
	Named   int         `json:"named" doc:"how many files of one burst get an entry of their own"`
	Dropped bool        `json:"dropped" doc:"older entries had to make room"`
}

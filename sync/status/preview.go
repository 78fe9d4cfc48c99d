package status

import "time"

// Preview tells what joining a folder at a place would do, from what another
// device announces and from what is on the disk. Making one changes nothing of
// either. Files are regular files and symbolic links.
type Preview struct {
	Folder  string `json:"folder"`
	Device  string `json:"device"` // whose state it was compared with
	Path    string `json:"path"`
	Same    Amount `json:"same"`   // here and there, and equal
	Here    Amount `json:"here"`   // here alone
	There   Amount `json:"there"`  // there alone
	Differ  int64  `json:"differ"` // here and there, and different
	Choices []Keep `json:"choices" enum:"both,mine,theirs" doc:"what may be chosen for those that differ, where the folder both sends and receives: both always"`
	Token   string `json:"token" doc:"stands for what differs, as it is here and there: a choice with it does nothing once that is something else"`
	// Unread counts those of Same whose content was not read: size and time are
	// the same to the nanosecond.
	Unread int64 `json:"unread"`
	// Incoming and Outgoing are the bytes that would be transferred at most: what
	// the other side has under another name, or in another version, is not sent.
	Incoming int64 `json:"incoming"`
	Outgoing int64 `json:"outgoing"`
	// Skipped counts names here that cannot be read, or cannot be synced.
	Skipped int64 `json:"skipped"`
	// Names are the first that differ, at most 20, in order.
	Names []Differing `json:"names"`
	// Complete: the device had told all that it has. Where it had not, because it
	// fell silent, there is more than this.
	Complete bool `json:"complete"`
	// Free is what may be written at the path, in bytes.
	Free int64 `json:"free"`
}

// Amount is a number of files and their bytes.
type Amount struct {
	Files int64 `json:"files"`
	Bytes int64 `json:"bytes"`
}

// Differing is a name that is here and there with different content.
type Differing struct {
	Name  string  `json:"name"`
	Here  Version `json:"here"`
	There Version `json:"there"`
}

// Version is one of two that differ.
type Version struct {
	Bytes    int64     `json:"bytes"`
	Modified time.Time `json:"modified"`
}

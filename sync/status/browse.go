package status

import "time"

// FileState is what is to be said of one name in one word.
type FileState string

// The states, those that matter most first.
const (
	FileFailed FileState = "failed" // something keeps it from being synced
	FileHeld   FileState = "held"   // its deletion waits for a person
	FileComing FileState = "coming" // others have it newer
	FileGoing  FileState = "going"  // another device lacks it
	FileAlone  FileState = "alone"  // the folder is shared with nobody
	FileInSync FileState = "sync"
)

// Listed is one name of a directory, as the index has it. The state of a directory
// is that of what it holds.
type Listed struct {
	Name     string    `json:"name" doc:"without its directory"`
	Kind     string    `json:"kind" enum:"file,directory,symlink"`
	Bytes    int64     `json:"bytes" doc:"0 of directories"`
	Modified time.Time `json:"modified"`
	State    FileState `json:"state" enum:"failed,held,coming,going,alone,sync"`
	Deleted  bool      `json:"deleted,omitempty" doc:"what is to come is its deletion"`
}

// Listing is a part of what a directory holds, in the order of names.
type Listing struct {
	Files []Listed `json:"files"`
	Next  string   `json:"next" doc:"where the next part begins; empty where this is the last"`
}

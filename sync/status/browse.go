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

// Window is the part of a list that is asked for. Rows may come and go between
// two questions.
type Window struct {
	From int    // the place of its first row, from 0
	Most int    // how many rows at most
	Find string // only rows with this in their name, whatever its case
}

// Listing is a part of a list of names, in their order.
type Listing struct {
	Total int      `json:"total" doc:"how many rows there are in all, of those asked for"`
	Files []Listed `json:"files"`
}

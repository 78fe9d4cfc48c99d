package status

import "time"

// Keep is which of two versions a person wants under the name.
type Keep string

// The choices.
const (
	KeepMine   Keep = "mine"   // the one of this device
	KeepTheirs Keep = "theirs" // the other one
	KeepBoth   Keep = "both"   // each, as a file of its own
)

// TwoVersions is a file that two devices changed without knowing of each other.
// One of the two versions has the name, the other stands beside it.
type TwoVersions struct {
	Folder string `json:"folder"`
	Path   string `json:"path" doc:"the name that both are versions of"`
	Copy   string `json:"copy" doc:"the name under which the other version stands"`
	// Named is nil where the name was deleted since.
	Named  *OneVersion `json:"named"`
	Beside OneVersion  `json:"beside"`
	// MineNamed: this device's version is the one that has the name. Where a third
	// device only received both, the one beside counts as its own.
	MineNamed bool   `json:"mine_named"`
	Token     string `json:"token" doc:"stands for the two as they are now; a decision with it does nothing once either is another"`
}

// OneVersion is one of the two.
type OneVersion struct {
	Device   string    `json:"device" doc:"ID of the device that made it; empty where that is not known"`
	Name     string    `json:"name" doc:"of that device"`
	Modified time.Time `json:"modified"`
	Bytes    int64     `json:"bytes"`
	// Text is the content of a small file of text, where one was asked for.
	Text *string `json:"text,omitempty" doc:"left out where it is large or no text, and in lists"`
}

// Conflicts are the files with two versions.
type Conflicts struct {
	Total int           `json:"total" doc:"how many there are in all, of those asked for"`
	Files []TwoVersions `json:"files" doc:"a part of them, by name"`
}

package status

import "time"

// IndexStats are figures about the index of a folder. Numbers that may exceed
// what JavaScript holds exactly are strings.
type IndexStats struct {
	Folder     string     `json:"folder"`
	IndexID    string     `json:"index_id"`
	Sequence   string     `json:"sequence"`
	Local      IndexCount `json:"local" doc:"what this device has"`
	Global     IndexCount `json:"global" doc:"what all devices should have"`
	Need       Need       `json:"need"`
	Devices    int        `json:"devices" doc:"other devices whose index is known"`
	Versions   int64      `json:"versions" doc:"distinct versions of all names"`
	Lists      int64      `json:"lists" doc:"lists of blocks kept apart"`
	Bytes      int64      `json:"bytes" doc:"size on the disk"`
	Snapshot   *time.Time `json:"snapshot" doc:"when it was last saved; null: never"`
	Checked    *time.Time `json:"checked" doc:"when all of it was last checked"`
	Exclusive  bool       `json:"exclusive" doc:"used without shared memory, as on network drives"`
	Recovering string     `json:"recovering" doc:"why it is not whole: damaged, rolled-back; empty where it is"`
}

// IndexCount counts entries of each kind.
type IndexCount struct {
	Files   int64 `json:"files"`
	Dirs    int64 `json:"dirs"`
	Links   int64 `json:"links"`
	Deleted int64 `json:"deleted"`
	Bytes   int64 `json:"bytes"`
}

// IndexEntry is all that an index knows of one name.
type IndexEntry struct {
	Folder  string         `json:"folder"`
	Path    string         `json:"path"`
	Needed  bool           `json:"needed"`
	Local   *IndexVersion  `json:"local" doc:"null: this device knows nothing of it"`
	Global  *IndexVersion  `json:"global"`
	Devices []IndexVersion `json:"devices" doc:"what each device announced"`
}

// IndexVersion is one version of a name.
type IndexVersion struct {
	Device      string     `json:"device,omitempty"`
	Type        string     `json:"type"`
	Size        int64      `json:"size"`
	Modified    time.Time  `json:"modified"`
	Permissions string     `json:"permissions"`
	Version     string     `json:"version" doc:"counters of devices, by the first group of their IDs"`
	Sequence    string     `json:"sequence,omitempty"`
	Blocks      int        `json:"blocks"`
	Target      string     `json:"target,omitempty"`
	Flags       []string   `json:"flags"`
	Stamp       *IndexSeen `json:"stamp,omitempty" doc:"what the disk said when it was recorded"`
}

// IndexSeen is how a file looked on the disk when it was recorded.
type IndexSeen struct {
	Inode    string    `json:"inode"`
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified"`
	Changed  time.Time `json:"changed"`
	Mode     string    `json:"mode"`
}

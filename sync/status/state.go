package status

import "lanyard/sync/fault"

// Facts is what a folder's state follows from.
type Facts struct {
	Paused  bool
	Stopped bool // it does not go on
	// Known: the root is proved, and everything in it was looked at since.
	Known   bool
	Settled bool // nothing dirty, nothing on its way
	Pulling bool
	Need    int64 // names that others have newer
	Held    int64 // deletions that wait for a person
	Failed  int64 // names that cannot be synced, without those left out
}

// State gives what the folder is doing.
func (f Facts) State() FolderState {
	switch {
	case f.Paused:
		return Paused
	case f.Stopped:
		return Stopped
	case f.Pulling:
		return Syncing
	case f.Known && f.Settled:
		return Idle
	}
	return Scanning
}

// InSync reports whether all that is known of the folder is here: nothing is
// doubtful, wanted, held back or in the way.
func (f Facts) InSync() bool {
	return f.State() == Idle && f.Need == 0 && f.Held == 0 && f.Failed == 0
}

// leftOut are conditions of names that no device could take part with: there
// is nothing to wait for.
var leftOut = map[fault.Code]bool{"not-a-file": true, "other-disk-inside": true}

// LeftOut reports whether what fails with the code is no part of the folder,
// unless another device has something under its name.
func LeftOut(code fault.Code) bool { return leftOut[code] }

package plan

import (
	"bytes"

	"lanyard/sync/bep"
)

// Action is what to do about one name.
type Action uint8

// The actions. Every one that changes the disk looks at it once more
// immediately before.
const (
	// None: leave it; it stays needed where it was.
	None Action = iota
	// Rescan: the disk is not what we recorded, so a person changed it. It is
	// scanned first; the result is a version that takes part in the choice.
	Rescan
	// Adopt: the disk already holds the wanted state; only the record changes.
	Adopt
	// Metadata: the content is right; permissions or time are not.
	Metadata
	// Fetch: build the file from its blocks and put it in place.
	Fetch
	// MakeDirectory puts a directory in place.
	MakeDirectory
	// MakeSymlink puts a symlink in place.
	MakeSymlink
	// Delete: remove what stands here.
	Delete
	// Ignore: our rules leave the name alone: record the wanted version as
	// ignored, so that it is no longer needed.
	Ignore
)

// String gives the action's name.
func (a Action) String() string {
	names := [...]string{"none", "rescan", "adopt", "metadata", "fetch", "make directory", "make symlink", "delete", "ignore"}
	if int(a) < len(names) {
		return names[a]
	}
	return "unknown"
}

// Keep says what becomes of the content that an action takes away.
type Keep uint8

// The ways to keep it.
const (
	// KeepNothing: there is no content to keep.
	KeepNothing Keep = iota
	// KeepVersion: the version store takes it.
	KeepVersion
	// KeepBoth: it was made without knowledge of what replaces it, so it
	// becomes a conflict copy.
	KeepBoth
)

// String gives the way's name.
func (k Keep) String() string {
	return [...]string{"nothing", "version", "both"}[k]
}

// Disk is what stands under the name now, compared with our record.
type Disk uint8

// The states of the disk.
const (
	// Absent: nothing stands there.
	Absent Disk = iota
	// AsRecorded: exactly what our record describes stands there.
	AsRecorded
	// Changed: something else stands there.
	Changed
)

// Input is all that a decision looks at.
type Input struct {
	// Want is the global version.
	Want *bep.FileInfo
	// Have is our record, nil where there is none.
	Have *bep.FileInfo
	// Disk is what a look at the disk, taken now, says.
	Disk Disk
	// Role is how this device takes part in the folder.
	Role bep.FolderType
	// Ignored: our rules leave the name alone.
	Ignored bool
	// Diverged: Have is a change of ours that was never offered to others (a
	// receive-only folder), so that Want cannot have known of it.
	Diverged bool
}

// Decision is what to do, and what becomes of the content that goes.
type Decision struct {
	Do   Action
	Keep Keep
}

// Decide says what to do about a name whose global version we do not have.
func Decide(in Input) Decision {
	want, have := in.Want, in.Have
	live := have != nil && !have.Deleted
	switch {
	case want.Invalid:
		return Decision{Do: None}
	case in.Ignored:
		return Decision{Do: Ignore}
	case in.Disk == Changed, live && in.Disk == Absent, !live && in.Disk != Absent:
		return Decision{Do: Rescan}
	case in.Role == bep.SendOnly:
		return Decision{Do: onlySend(want, have, live)}
	case want.Deleted && !live:
		return Decision{Do: Adopt}
	case !live:
		return Decision{Do: create(want)}
	case want.SameContent(have):
		return Decision{Do: metadata(want, have)}
	}
	d := Decision{Do: create(want), Keep: keep(want, have, in.Diverged)}
	if want.Deleted {
		d.Do = Delete
	}
	return d
}

// onlySend adopts what is equal and never changes the disk.
func onlySend(want, have *bep.FileInfo, live bool) Action {
	switch {
	case want.Deleted && !live:
		return Adopt
	case live && want.SameContent(have) && metadata(want, have) == Adopt:
		return Adopt
	}
	return None
}

func create(want *bep.FileInfo) Action {
	switch want.Type {
	case bep.TypeDirectory:
		return MakeDirectory
	case bep.TypeSymlink:
		return MakeSymlink
	}
	return Fetch
}

// metadata says what equal content still lacks. Directory times and the modes
// of symlinks are nobody's business (BEP section 5.8).
func metadata(want, have *bep.FileInfo) Action {
	if want.Type == bep.TypeSymlink {
		return Adopt
	}
	if !want.NoPermissions && want.Permissions&0o777 != have.Permissions&0o777 {
		return Metadata
	}
	if want.Type == bep.TypeFile && (want.ModifiedS != have.ModifiedS || want.ModifiedNs != have.ModifiedNs) {
		return Metadata
	}
	return Adopt
}

// keep decides what becomes of our live content that want takes the place of
// (BEP section 5.5). Only files carry content; directories and symlinks never
// conflict.
func keep(want, have *bep.FileInfo, diverged bool) Keep {
	switch {
	case have.Type != bep.TypeFile:
		return KeepNothing
	case diverged:
		return KeepBoth
	case want.Version.Covers(have.Version):
		return KeepVersion
	case len(want.PreviousBlocksHash) > 0 && bytes.Equal(want.PreviousBlocksHash, have.BlocksHash):
		return KeepVersion
	}
	return KeepBoth
}

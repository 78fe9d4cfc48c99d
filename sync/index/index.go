// Package index keeps, per folder, what every device says about every name:
// records, sequence numbers, which version is the global one, what this
// device needs, and counts of all of it, in transactions.
//
// Store opens folders; Folder is one folder's index. Two implementations pass
// indextest: NewMemory (for simulations) and OpenSQLite. The choice of the
// global version is plan.Winner's alone, and need is plan.Needs'.
//
// Entries of one name are the same version when vector, type, size, time,
// blocks, link target, Deleted, Invalid and Encrypted are equal. What else an
// entry carries (permissions, platform data, who modified it, the blocks hash
// as supplied, the sums) may be returned as another device announced it for the same
// version; our own record is always returned as it was stored. Sequence is
// ours on our own entries and 0 on those of other devices.
package index

import (
	"context"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/fsys"
	"lanyard/sync/relpath"
)

// Flags are facts about a local record that do not travel; each makes the
// entry invalid for others (BEP section 4.7) except MustRescan and Returned.
type Flags uint8

// The local flags.
const (
	// Ignored: our ignore rules leave this name alone.
	Ignored Flags = 1 << iota
	// MustRescan: the next scan hashes the file whatever its times say. The
	// entry stays valid for peers.
	MustRescan
	// ReceiveOnly: a local change in a folder that only receives.
	ReceiveOnly
	// Unsupported: this system cannot hold it.
	Unsupported
	// Returned: a change of ours that was lost here and came back from another
	// device, and so was not made since. It hides nothing.
	Returned
)

// Stamp is what the disk said when the record was made: the local proof that
// a file is still the one recorded. The zero Stamp proves nothing.
type Stamp struct {
	Inode uint64
	Ctime int64  // unix nanoseconds
	Mtime int64  // as the disk gave it back, unix nanoseconds
	Size  int64  // bytes
	Mode  uint32 // low 9 bits as on disk
}

// StampOf gives the stamp of a look at the disk.
func StampOf(i fsys.Info) Stamp {
	return Stamp{Inode: i.Inode, Ctime: i.Ctime, Mtime: i.Mtime, Size: i.Size, Mode: i.Mode}
}

// Record is this device's own entry for a name: what is announced, and what
// only we know. Invalid is derived from Flags by the index.
type Record struct {
	bep.FileInfo
	Flags Flags
	Stamp Stamp
}

// Doubted reports whether a file's stamp proves nothing, where stamps from a time
// on (unix nanoseconds) do not; 0 doubts none.
func (r *Record) Doubted(from int64) bool {
	return from != 0 && r.IsFile() && max(r.Stamp.Ctime, r.Stamp.Mtime) >= from
}

// Needed is one name that this device lacks or has an older version of.
type Needed struct {
	Global bep.FileInfo
	Local  *Record     // nil where we have no entry
	From   []device.ID // devices that announce exactly this version, valid, in ID order
}

// Count is a number of entries of each kind. Bytes is the sum of file sizes.
type Count struct {
	Files, Dirs, Links, Deleted int64
	Bytes                       int64
}

// NeedCount is what is missing somewhere. Items counts everything including
// Deletes; Bytes counts files that are not deleted.
type NeedCount struct {
	Items, Deletes int64
	Bytes          int64
}

// Counts are a folder's sums. They are kept with every change, never scanned
// for.
type Counts struct {
	Local  Count // our valid entries
	Global Count // valid global versions
	Need   NeedCount
}

// PeerState is what the index knows of another device's index.
type PeerState struct {
	IndexID     bep.IndexID // 0: nothing known
	MaxSequence int64       // the highest sequence received
}

// Recovery tells that an index lost some of what it knew. Until it is whole
// again, what it says of our own files is not the whole truth: a name without
// a record may be one whose record was lost.
type Recovery struct {
	Cause Cause
	// Through is the highest sequence among the records from before. Those
	// after it were made without knowing what others already have.
	Through int64
}

// Cause is why an index lost something.
type Cause string

// The causes.
const (
	// Damaged: the file could not be trusted, and was made anew from what could
	// be read of it and of its last snapshot.
	Damaged Cause = "damaged"
	// RolledBack: it is an older one than that which was used last, or another
	// one, by its own mark or because a device holds what it never gave.
	RolledBack Cause = "rolled-back"
)

// Stats are figures about an index for support.
type Stats struct {
	IndexID   bep.IndexID
	Sequence  int64
	Counts    Counts
	Remotes   int       // other devices with an index
	Rows      int64     // distinct versions of names
	Lists     int64     // block lists kept apart
	Bytes     int64     // on the disk, 0 where there is no file
	Snapshot  time.Time // of the last snapshot, zero for none
	Checked   time.Time // when all of it was last checked, zero for never
	Exclusive bool      // without shared memory, as on network drives
	Recovery  *Recovery // nil where it is whole
}

// pageBlocks is how many blocks may be on a page before it ends, though one
// entry may have more: a page of long files is not to take a gigabyte.
const pageBlocks = 100_000

// Store opens the indexes of one home.
type Store interface {
	// Folder opens a folder's index, made empty where there is none. One that
	// cannot be trusted is the fault index-damaged, until Rebuild.
	Folder(id bep.FolderID) (Folder, error)
	// Rebuild makes the index of a folder anew, with a new index ID: our own
	// records as far as they can be read and prove to be right, nothing of other
	// devices. The damaged files are set aside. The index is not open afterwards.
	// A call that is cut short leaves the damaged index as it was.
	Rebuild(ctx context.Context, id bep.FolderID) error
	// Drop closes and deletes a folder's index.
	Drop(id bep.FolderID) error
	// Close closes everything.
	Close() error
}

// Folder is one folder's index. Methods may be called concurrently; each
// change is one transaction, seen whole or not at all. Slices and records
// given to it are not kept, and what it returns is the caller's.
type Folder interface {
	// IndexID is the ID of our own index, drawn when the index was made.
	IndexID() bep.IndexID
	// RenewIndexID draws a new one, durable before it returns, because peers
	// may hold sequences that we lost.
	RenewIndexID() (bep.IndexID, error)
	// Sequence is our highest sequence.
	Sequence() int64
	// Recovery tells what the index lost; ok is false where it is whole.
	Recovery() (r Recovery, ok bool)
	// Lose notes, durably, that the index lost something. Where it was not whole
	// before, the first cause stays, and the smaller Through.
	Lose(r Recovery) error
	// Recovered notes, durably, that it is whole again.
	Recovered() error
	// OnDamage has f called, once, by whichever call finds that the index is not
	// to be trusted; f must not block. Every call fails from then on with the
	// fault index-damaged.
	OnDamage(f func(error))

	// Begin begins a run of the program, durable before it returns: sequences
	// given from here on stand a random distance after all earlier ones. Call it
	// once, before anything else is stored.
	Begin() error
	// Runs gives the sequences that were given so far: what a peer holds beyond
	// them is from a state of this index that was lost.
	Runs() Runs

	// Update stores local records, in order, and gives each the next sequence.
	// The name may stand in recs once. It returns the highest sequence given.
	Update(recs []Record) (int64, error)
	// Restamp stores the Flags and Stamp of records whose announced part is the
	// one stored, which keep their sequences: there is nothing to tell peers. A
	// record that would say something else is an error, and nothing is stored.
	Restamp(recs []Record) error
	// UpdateRemote stores entries of another device in one transaction, and
	// raises its MaxSequence to the highest one among them. One device more
	// than MaxRemotes gives ErrTooManyDevices.
	UpdateRemote(dev device.ID, files []bep.FileInfo) error
	// ResetRemote forgets all entries of a device and notes a new index ID for
	// it with MaxSequence 0.
	ResetRemote(dev device.ID, id bep.IndexID) error
	// DropRemote forgets a device wholly.
	DropRemote(dev device.ID) error
	// Remote gives what is known of a device's index.
	Remote(dev device.ID) (PeerState, error)
	// Announced counts the entries of a device where there may be more than enough
	// entries in all: of is no less than there are. Else it gives 0 for both, and
	// costs nothing.
	Announced(dev device.ID, enough int64) (n, of int64, err error)
	// Remotes lists the devices with an index ID, in ID order.
	Remotes() ([]device.ID, error)

	// Local gives our record of a name.
	Local(p relpath.Path) (Record, bool, error)
	// Locals gives our records of names as of one moment, nil where there is
	// none, in the order of names.
	Locals(names []relpath.Path) ([]*Record, error)
	// Global gives the global version of a name, which may be deleted or
	// invalid, and whether we need it.
	Global(p relpath.Path) (g bep.FileInfo, needed, ok bool, err error)
	// RemoteEntry gives what a device announced for a name.
	RemoteEntry(dev device.ID, p relpath.Path) (bep.FileInfo, bool, error)
	// Needed pages through what we need, by name, after a name (the root: from
	// the start), at most limit. Like LocalSince and LocalRange it ends a page
	// early that holds very many blocks: only an empty page is the end.
	Needed(after relpath.Path, limit int) ([]Needed, error)
	// NeededOne gives the need for one name.
	NeededOne(p relpath.Path) (Needed, bool, error)
	// LocalSince pages through our records by sequence, after seq, at most limit.
	LocalSince(seq int64, limit int) ([]Record, error)
	// LocalRange pages through our records by the bytes of their names: those
	// greater than after and, where dir is not the root, below dir. Deleted and
	// ignored ones are included.
	LocalRange(dir, after relpath.Path, limit int) ([]Record, error)
	// Names pages through what stands below a directory, or is to come to it, by
	// the bytes of their names, after one: names of our records and of versions
	// that we need, where they are not deleted. It reads no bodies, so that many
	// can be counted; only an empty page is the end.
	Names(dir, after relpath.Path, limit int) ([]relpath.Path, error)
	// NeededNames pages likewise through what we need, deletions too.
	NeededNames(after relpath.Path, limit int) ([]relpath.Path, error)
	// LocalByContent gives our valid files whose block list has this ListHash
	// (block.ListHash; not the sender's BlocksHash), at most limit and in no
	// particular order. Files of one block are found as well; empty ones are
	// not, they are made without looking.
	LocalByContent(hash [32]byte, size int64, limit int) ([]Record, error)
	// LocalBySize gives our valid files of just this size, not 0, at most limit,
	// in no particular order. It reads the whole index: ask it rarely.
	LocalBySize(size int64, limit int) ([]Record, error)
	// Versions gives the distinct versions of a name that other devices announce,
	// deleted and invalid ones too, the global one first where it is among them.
	Versions(p relpath.Path) ([]bep.FileInfo, error)
	// Disputed gives the names of those of our records, since the last call or
	// the opening, of which another device shows that a change was lost here: it
	// announces the same version with another content, or a later one with a
	// counter of ours (Self in the store's options) that we do not know, or, when it
	// announces it, an earlier one with such a counter, which may be what ours was
	// made from.
	Disputed() []relpath.Path
	// Conflicts gives the names of our conflict copies, in the order of their
	// bytes.
	Conflicts() ([]relpath.Path, error)
	// Availability gives the devices that announce exactly the global version
	// of a name, valid, in ID order.
	Availability(p relpath.Path) ([]device.ID, error)

	// Counts gives the folder's sums.
	Counts() (Counts, error)
	// RemoteNeed gives what a device still lacks of the global state (BEP
	// section 5.16).
	RemoteNeed(dev device.ID) (NeedCount, error)
	// RemoteNeeded pages through it by name.
	RemoteNeeded(dev device.ID, after relpath.Path, limit int) ([]bep.FileInfo, error)
	// RemoteDeleted pages by name through what a device announces as deleted and
	// we have not recorded just so: names that neither of the two may lack.
	RemoteDeleted(dev device.ID, after relpath.Path, limit int) ([]relpath.Path, error)

	// Meta and SetMeta keep small facts of the folder's owner (a rules hash, a
	// time of the last full scan). A missing key gives "".
	Meta(key string) (string, error)
	SetMeta(key, value string) error

	// Barrier returns when everything up to now is durable: only then may
	// sequences up to Sequence() be announced.
	Barrier() error
	// Batch is how many entries a transaction should hold at most, so that
	// readers do not wait for long.
	Batch() int
	// Check reads everything and compares what can be compared. Damage is an
	// error as OnDamage tells it, anything else is no verdict.
	Check(ctx context.Context) error
	// Maintain does what is due beside everything else: a check after an end that
	// was not in good order. When idle also a check of everything once a week and
	// once a day, where the disk has room for it, a snapshot, from which a damaged
	// index can be made anew. It may take long; the end of ctx cuts it short.
	Maintain(ctx context.Context, now time.Time, idle bool) error
	// Stats gives figures for support.
	Stats() (Stats, error)
	// Export writes everything to a new SQLite file, for support: the view v_rec
	// in it shows every version with its flags and devices as text.
	Export(ctx context.Context, file string) error
	// Idle gives memory back and folds the journal; call it after rest.
	Idle() error
	// Close makes everything durable and closes.
	Close() error
}

package bep

import (
	"fmt"

	"lanyard/sync/relpath"
	"lanyard/sync/vector"
)

// Epoch tells a device whose index of a folder began anew what it had announced
// before: where the sender still holds entries of it, and these are not those of
// the sender itself. Of every other name the device had the sender's version. A
// telling takes as many of these messages as it needs, the last with Done set.
type Epoch struct {
	Folder  FolderID
	IndexID IndexID // the new one of the device that is told
	Entries []EpochEntry
	Done    bool
}

// EpochEntry is what a device had announced for a name.
type EpochEntry struct {
	Name    relpath.Path
	Version vector.Vector // empty: it had nothing
	Deleted bool
	// BlocksHash is that of the entry, empty where it had none.
	BlocksHash []byte
}

// EpochBody is how many bytes of entries one message should hold, which leaves
// room for one more of any length.
const EpochBody = maxOtherBody / 2

// Extension is the message that carries it.
func (m *Epoch) Extension() *Extension {
	b := appendString(nil, tagEpochFolder, string(m.Folder))
	b = appendUint(b, tagEpochIndexID, uint64(m.IndexID))
	b = appendBool(b, tagEpochDone, m.Done)
	for i := range m.Entries {
		b = m.Entries[i].append(b)
	}
	return &Extension{Type: TypeEpoch, Body: b}
}

func (e *EpochEntry) append(b []byte) []byte {
	b, start := begin(b, tagEpochEntries)
	b = appendString(b, tagEpochName, e.Name.String())
	b = appendVector(b, tagEpochVersion, e.Version)
	b = appendBool(b, tagEpochDeleted, e.Deleted)
	return end(appendBytes(b, tagEpochBlocksHash, e.BlocksHash), start)
}

// Len is how many bytes the entry takes in a message.
func (e *EpochEntry) Len() int { return len(e.append(nil)) }

// DecodeEpoch reads the body of such a message. Entries with names that this
// program does not handle are left out: it can never have announced them.
func DecodeEpoch(b []byte) (m Epoch, err error) {
	var f field
	for len(b) > 0 {
		if f, b, err = nextField(b); err != nil {
			return Epoch{}, err
		}
		switch f.tag {
		case tagEpochFolder:
			m.Folder = FolderID(f.bytes)
		case tagEpochIndexID:
			m.IndexID = IndexID(f.number)
		case tagEpochDone:
			m.Done = f.bool()
		case tagEpochEntries:
			e, err := decodeEpochEntry(f.bytes)
			if err != nil {
				return Epoch{}, fmt.Errorf("entry of an epoch: %w", err)
			}
			if !e.Name.IsRoot() {
				m.Entries = append(m.Entries, e)
			}
		}
	}
	if m.Folder == "" {
		return Epoch{}, errNoFolderID
	}
	return m, nil
}

func decodeEpochEntry(b []byte) (e EpochEntry, err error) {
	var version counters
	var f field
	for len(b) > 0 {
		if f, b, err = nextField(b); err != nil {
			return e, err
		}
		switch f.tag {
		case tagEpochName:
			if p, err := relpath.Parse(f.string()); err == nil {
				e.Name = p
			}
		case tagEpochVersion:
			err = version.decode(f.bytes)
		case tagEpochDeleted:
			e.Deleted = f.bool()
		case tagEpochBlocksHash:
			e.BlocksHash = f.copied()
		}
		if err != nil {
			return e, err
		}
	}
	e.Version, err = version.vector()
	return e, err
}

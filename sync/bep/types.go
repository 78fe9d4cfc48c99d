package bep

import (
	"math"
	"time"

	"lanyard/sync/block"
	"lanyard/sync/device"
	"lanyard/sync/relpath"
	"lanyard/sync/vector"
)

// FolderID names a folder on every device that shares it. It is never empty.
type FolderID string

// IndexID names one life of one device's index of one folder; a new one is
// drawn whenever that index may have lost entries.
type IndexID uint64

// Hello is the first message in each direction (BEP section 3.1).
type Hello struct {
	DeviceName     string
	ClientName     string
	ClientVersion  string
	NumConnections int32
	Timestamp      int64 // unix nanoseconds
}

// Message is one of *ClusterConfig, *Index, *Request, *Response,
// *DownloadProgress, *Ping, *Close and *Extension.
type Message interface{ messageType() MessageType }

// MessageType is the number of a message on the wire.
type MessageType int32

// The message types of BEP, and the range of Lanyard's own (docs/extensions.md).
const (
	TypeClusterConfig    MessageType = 0
	TypeIndex            MessageType = 1
	TypeIndexUpdate      MessageType = 2
	TypeRequest          MessageType = 3
	TypeResponse         MessageType = 4
	TypeDownloadProgress MessageType = 5
	TypePing             MessageType = 6
	TypeClose            MessageType = 7
	TypeExtensionFirst   MessageType = 64
	TypeEpoch            MessageType = 67
	TypeOffer            MessageType = 68
	TypeExtensionLast    MessageType = 127
)

// ClusterConfig lists every folder shared with the receiver.
type ClusterConfig struct {
	Folders   []Folder
	Secondary bool
}

// FolderType is how a device takes part in a folder.
type FolderType int32

// The folder types of BEP.
const (
	SendReceive FolderType = iota
	SendOnly
	ReceiveOnly
	ReceiveEncrypted
)

// Folder is one entry of a ClusterConfig.
type Folder struct {
	ID      FolderID
	Label   string
	Type    FolderType
	Stopped bool // the sender's folder is paused: stop_reason 1
	// Looking: the sender has not joined the folder, and asks for its index to
	// compare it with what it has. Lanyard's own.
	Looking bool
	Devices []Device
}

// Device is one device of a Folder, as the sender knows it.
type Device struct {
	ID                       device.ID
	Name                     string
	Addresses                []string
	Compression              int32
	CertName                 string
	MaxSequence              int64
	Introducer               bool
	IndexID                  IndexID
	SkipIntroductionRemovals bool
	PasswordToken            []byte
}

// Index carries entries of one folder: all of the sender's (a start), or with
// Update set the ones that follow.
type Index struct {
	Folder       FolderID
	Files        []FileInfo
	Update       bool
	LastSequence int64
	PrevSequence int64 // Update only
	// Refused names entries that Decode left out because this program does
	// not handle their names; the rest of the message is good.
	Refused []Refused
}

// Refused is an entry left out of an Index, and why.
type Refused struct {
	Name   string // as sent, may hold anything; cut to 4096 bytes
	Reason error
}

// FileType is what an entry is.
type FileType int32

// The file types of BEP; 2 and 3 are decoded as TypeSymlink.
const (
	TypeFile      FileType = 0
	TypeDirectory FileType = 1
	TypeSymlink   FileType = 4
)

// FileInfo is one version of one name (BEP section 4.3).
type FileInfo struct {
	Name          relpath.Path
	Type          FileType
	Size          int64  // bytes; 0 unless a file that is not deleted
	Permissions   uint32 // low 9 bits
	ModifiedS     int64  // unix seconds
	ModifiedNs    int32
	Deleted       bool
	Invalid       bool // the sender cannot serve it
	NoPermissions bool
	Version       vector.Vector
	Sequence      int64 // the sender's own
	ModifiedBy    device.ShortID
	BlockSize     int32 // 0 on entries without blocks
	Blocks        []block.Info
	SymlinkTarget string
	// BlocksHash is kept as the sender supplied it: use it to see equality,
	// never difference. 0 or 32 bytes; anything else is decoded as none.
	BlocksHash []byte
	// PreviousBlocksHash is the BlocksHash of the version that this change was
	// made from, where known.
	PreviousBlocksHash []byte
	// Platform is the undecoded PlatformData, carried forward unchanged.
	Platform []byte
	// Sums are the sums of the blocks, one for each, or none: where this
	// content may be found in an earlier version at other offsets
	// (docs/extensions.md).
	Sums []block.Sum
	// Encrypted is the sealed inner FileInfo of an untrusted folder.
	Encrypted []byte
}

// IsFile reports whether f is a regular file that is not deleted.
func (f *FileInfo) IsFile() bool { return f.Type == TypeFile && !f.Deleted }

// IsDirectory reports whether f is a directory that is not deleted.
func (f *FileInfo) IsDirectory() bool { return f.Type == TypeDirectory && !f.Deleted }

// IsSymlink reports whether f is a symlink that is not deleted.
func (f *FileInfo) IsSymlink() bool { return f.Type == TypeSymlink && !f.Deleted }

// ModTime gives the modification time.
func (f *FileInfo) ModTime() time.Time { return time.Unix(f.ModifiedS, int64(f.ModifiedNs)) }

// ModUnixNano gives the modification time in unix nanoseconds, held to what
// an int64 can hold (1677 to 2262).
func (f *FileInfo) ModUnixNano() int64 {
	const maxS = math.MaxInt64/int64(time.Second) - 1
	if f.ModifiedS > maxS {
		return math.MaxInt64
	}
	if f.ModifiedS < -maxS {
		return math.MinInt64
	}
	return f.ModifiedS*int64(time.Second) + int64(f.ModifiedNs)
}

// SetModUnixNano sets the modification time.
func (f *FileInfo) SetModUnixNano(ns int64) {
	s, rest := ns/int64(time.Second), ns%int64(time.Second)
	if rest < 0 {
		s, rest = s-1, rest+int64(time.Second)
	}
	f.ModifiedS, f.ModifiedNs = s, int32(rest)
}

// SameContent reports whether f and g are the same kind of thing with the
// same content: what a conflict needs to differ in. Times, permissions and
// versions do not count. Files compare by size and by their blocks; where the
// block sizes differ, content cannot be compared and counts as different.
func (f *FileInfo) SameContent(g *FileInfo) bool {
	if f.Type != g.Type || f.Deleted != g.Deleted {
		return false
	}
	switch {
	case f.Deleted, f.Type == TypeDirectory:
		return true
	case f.Type == TypeSymlink:
		return f.SymlinkTarget == g.SymlinkTarget
	}
	return f.Size == g.Size && block.EqualLists(f.Blocks, g.Blocks)
}

// Request asks for a range of a file (BEP section 4.4). A received one has the
// root as Name where the peer asked for a name that this program does not
// handle: answer it with CodeNoSuchFile.
type Request struct {
	ID            int32
	Folder        FolderID
	Name          relpath.Path
	Offset        int64
	Size          int32
	Hash          []byte
	FromTemporary bool
	BlockNo       int32
}

// ErrorCode is the result in a Response.
type ErrorCode int32

// The codes of a Response.
const (
	CodeOK          ErrorCode = 0
	CodeGeneric     ErrorCode = 1
	CodeNoSuchFile  ErrorCode = 2
	CodeInvalidFile ErrorCode = 3
)

// Response answers the Request with the same ID. One that a Reader made
// should go back to Buffers.Release when its data has been used.
type Response struct {
	ID   int32
	Data []byte
	Code ErrorCode
}

// DownloadProgress tells which blocks of unfinished files the sender has.
type DownloadProgress struct {
	Folder  FolderID
	Updates []ProgressUpdate
}

// ProgressUpdate is one file of a DownloadProgress.
type ProgressUpdate struct {
	Forget       bool // update_type 1
	Name         string
	Version      vector.Vector
	BlockIndexes []int32
	BlockSize    int32
}

// Ping keeps a quiet connection alive.
type Ping struct{}

// Close ends the connection; nothing follows it.
type Close struct{ Reason string }

// Extension is a message of Lanyard's own, one of types 64 to 127, as bytes.
type Extension struct {
	Type MessageType
	Body []byte
}

func (*ClusterConfig) messageType() MessageType { return TypeClusterConfig }
func (m *Index) messageType() MessageType {
	if m.Update {
		return TypeIndexUpdate
	}
	return TypeIndex
}
func (*Request) messageType() MessageType          { return TypeRequest }
func (*Response) messageType() MessageType         { return TypeResponse }
func (*DownloadProgress) messageType() MessageType { return TypeDownloadProgress }
func (*Ping) messageType() MessageType             { return TypePing }
func (*Close) messageType() MessageType            { return TypeClose }
func (m *Extension) messageType() MessageType      { return m.Type }

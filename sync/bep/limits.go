package bep

// MaxRequestSize is the most bytes that one Request may ask for: the largest
// block, with room for the sealing of untrusted folders.
const MaxRequestSize = 16<<20 + 64<<10

// Limits on the bodies of messages, in bytes, the same before and after
// decompression.
const (
	maxIndexBody         = 32 << 20
	maxClusterConfigBody = 4 << 20
	// maxResponseBody leaves room for the fields beside the data, so that
	// every Request that is accepted can be answered.
	maxResponseBody = MaxRequestSize + maxResponseFields
	// maxProgressBody is above maxOtherBody because a device tells all blocks
	// of all its unfinished files at once after each new connection. Were that
	// refused, two devices could never stay connected.
	maxProgressBody = 1 << 20
	maxOtherBody    = 64 << 10
	// maxSkippedBody is BEP's own limit. It holds for messages of unknown
	// types, which are read and thrown away piece by piece.
	maxSkippedBody = 500_000_000
	maxHeader      = 1 << 10
	maxHello       = 1<<15 - 1
)

// Limits on what messages hold.
const (
	maxFolders      = 1000
	maxDevices      = 1000 // of one folder
	maxIndexEntries = 20_000
	// maxEntryBlocks lets files be 4 TiB of the largest blocks, and bounds what
	// one entry costs whoever holds it: 12 MiB.
	maxEntryBlocks = 1 << 18
	// maxEntryBody is above what the most blocks take.
	maxEntryBody     = 16 << 20
	maxSymlinkTarget = 4096 // bytes
)

// bodyLimit gives the limit of a known message type's body.
func bodyLimit(t MessageType) int {
	switch t {
	case TypeIndex, TypeIndexUpdate:
		return maxIndexBody
	case TypeClusterConfig:
		return maxClusterConfigBody
	case TypeResponse:
		return maxResponseBody
	case TypeDownloadProgress:
		return maxProgressBody
	default:
		return maxOtherBody
	}
}

// IsExtension reports whether t is in the range of Lanyard's own messages.
func (t MessageType) IsExtension() bool {
	return t >= TypeExtensionFirst && t <= TypeExtensionLast
}

// String gives the name of the message, for logs and errors.
func (t MessageType) String() string {
	names := [...]string{
		"ClusterConfig", "Index", "IndexUpdate", "Request", "Response",
		"DownloadProgress", "Ping", "Close",
	}
	switch {
	case t >= 0 && int(t) < len(names):
		return names[t]
	case t.IsExtension():
		return "Extension"
	}
	return "unknown message"
}

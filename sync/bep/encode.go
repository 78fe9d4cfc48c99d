package bep

import (
	"google.golang.org/protobuf/encoding/protowire"

	"lanyard/sync/vector"
)

// appendBody appends the protobuf form of a message.
func appendBody(dst []byte, m Message) []byte {
	switch m := m.(type) {
	case *ClusterConfig:
		return appendClusterConfig(dst, m)
	case *Index:
		return appendIndex(dst, m)
	case *Request:
		return appendRequest(dst, m)
	case *Response:
		return append(appendResponseFields(dst, m.ID, m.Code, len(m.Data)), m.Data...)
	case *DownloadProgress:
		return appendProgress(dst, m)
	case *Close:
		return appendString(dst, tagCloseReason, m.Reason)
	case *Extension:
		return append(dst, m.Body...)
	default: // *Ping has no fields
		return dst
	}
}

func appendHello(dst []byte, h *Hello) []byte {
	dst = appendString(dst, tagHelloDeviceName, h.DeviceName)
	dst = appendString(dst, tagHelloClientName, h.ClientName)
	dst = appendString(dst, tagHelloClientVersion, h.ClientVersion)
	dst = appendInt(dst, tagHelloNumConnections, h.NumConnections)
	return appendInt(dst, tagHelloTimestamp, h.Timestamp)
}

func appendClusterConfig(dst []byte, m *ClusterConfig) []byte {
	var start int
	for i := range m.Folders {
		dst, start = begin(dst, tagConfigFolders)
		dst = end(appendFolder(dst, &m.Folders[i]), start)
	}
	return appendBool(dst, tagConfigSecondary, m.Secondary)
}

func appendFolder(dst []byte, f *Folder) []byte {
	dst = appendString(dst, tagFolderID, string(f.ID))
	dst = appendString(dst, tagFolderLabel, f.Label)
	dst = appendInt(dst, tagFolderType, f.Type)
	dst = appendBool(dst, tagFolderStopped, f.Stopped)
	var start int
	for i := range f.Devices {
		dst, start = begin(dst, tagFolderDevices)
		dst = end(appendDevice(dst, &f.Devices[i]), start)
	}
	return appendBool(dst, tagFolderLooking, f.Looking)
}

func appendDevice(dst []byte, d *Device) []byte {
	dst = appendBytes(dst, tagDeviceID, d.ID[:])
	dst = appendString(dst, tagDeviceName, d.Name)
	for _, a := range d.Addresses {
		dst = appendElement(dst, tagDeviceAddresses, a)
	}
	dst = appendInt(dst, tagDeviceCompression, d.Compression)
	dst = appendString(dst, tagDeviceCertName, d.CertName)
	dst = appendInt(dst, tagDeviceMaxSequence, d.MaxSequence)
	dst = appendBool(dst, tagDeviceIntroducer, d.Introducer)
	dst = appendUint(dst, tagDeviceIndexID, uint64(d.IndexID))
	dst = appendBool(dst, tagDeviceSkipRemovals, d.SkipIntroductionRemovals)
	return appendBytes(dst, tagDevicePasswordToken, d.PasswordToken)
}

func appendRequest(dst []byte, m *Request) []byte {
	dst = appendInt(dst, tagRequestID, m.ID)
	dst = appendString(dst, tagRequestFolder, string(m.Folder))
	dst = appendString(dst, tagRequestName, m.Name.String())
	dst = appendInt(dst, tagRequestOffset, m.Offset)
	dst = appendInt(dst, tagRequestSize, m.Size)
	dst = appendBytes(dst, tagRequestHash, m.Hash)
	dst = appendBool(dst, tagRequestFromTemporary, m.FromTemporary)
	return appendInt(dst, tagRequestBlockNo, m.BlockNo)
}

// maxResponseFields is the most bytes that appendResponseFields appends: two
// tags with a negative number each, and a tag with a length.
const maxResponseFields = 2*(1+10) + 1 + 5

// appendResponseFields appends a Response's body but for the data: the size
// bytes that follow complete it. The data is therefore the last field, not in
// the order of numbers.
func appendResponseFields(dst []byte, id int32, code ErrorCode, size int) []byte {
	dst = appendInt(dst, tagResponseID, id)
	dst = appendInt(dst, tagResponseCode, code)
	if size == 0 {
		return dst
	}
	return protowire.AppendVarint(protowire.AppendVarint(dst, tagResponseData), uint64(size))
}

func appendProgress(dst []byte, m *DownloadProgress) []byte {
	dst = appendString(dst, tagProgressFolder, string(m.Folder))
	var start int
	for i := range m.Updates {
		dst, start = begin(dst, tagProgressUpdates)
		dst = end(appendUpdate(dst, &m.Updates[i]), start)
	}
	return dst
}

func appendUpdate(dst []byte, u *ProgressUpdate) []byte {
	dst = appendBool(dst, tagUpdateType, u.Forget)
	dst = appendString(dst, tagUpdateName, u.Name)
	dst = appendVector(dst, tagUpdateVersion, u.Version)
	for _, i := range u.BlockIndexes {
		dst = protowire.AppendVarint(dst, tagUpdateBlockIndexes)
		dst = protowire.AppendVarint(dst, uint64(int64(i)))
	}
	return appendInt(dst, tagUpdateBlockSize, u.BlockSize)
}

func appendVector(dst []byte, tag uint64, v vector.Vector) []byte {
	if len(v) == 0 {
		return dst
	}
	dst, outer := begin(dst, tag)
	var start int
	for _, c := range v {
		dst, start = begin(dst, tagVectorCounters)
		dst = appendUint(dst, tagCounterID, c.ID)
		dst = appendUint(dst, tagCounterValue, c.Value)
		dst = end(dst, start)
	}
	return end(dst, outer)
}

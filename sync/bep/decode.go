package bep

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"lanyard/sync/device"
	"lanyard/sync/relpath"
	"lanyard/sync/vector"
)

// decodeBody decodes and checks a message of a known type. What it returns
// does not alias b. A Response is read by Reader itself.
func decodeBody(t MessageType, b []byte) (Message, error) {
	switch t {
	case TypeClusterConfig:
		return decodeClusterConfig(b)
	case TypeIndex, TypeIndexUpdate:
		return decodeIndex(b, t == TypeIndexUpdate)
	case TypeRequest:
		return decodeRequest(b)
	case TypeDownloadProgress:
		return decodeProgress(b)
	case TypePing:
		return &Ping{}, nil
	case TypeClose:
		return decodeClose(b)
	default:
		return &Extension{Type: t, Body: append([]byte(nil), b...)}, nil
	}
}

var (
	errNoFolderID = errors.New("the folder ID is empty")
	errNegative   = errors.New("a number that counts is negative")
)

func decodeClusterConfig(b []byte) (_ *ClusterConfig, err error) {
	m := &ClusterConfig{}
	seen := make(map[FolderID]bool)
	var f field
	for len(b) > 0 {
		if f, b, err = nextField(b); err != nil {
			return nil, err
		}
		switch f.tag {
		case tagConfigFolders:
			folder, err := decodeFolder(f.bytes)
			switch {
			case err != nil:
				return nil, fmt.Errorf("folder %s: %w", quote(string(folder.ID)), err)
			case seen[folder.ID]:
				return nil, fmt.Errorf("folder %s is listed twice", quote(string(folder.ID)))
			case len(m.Folders) == maxFolders:
				return nil, fmt.Errorf("there are more than %d folders", maxFolders)
			}
			seen[folder.ID] = true
			m.Folders = append(m.Folders, folder)
		case tagConfigSecondary:
			m.Secondary = f.bool()
		}
	}
	return m, nil
}

func decodeFolder(b []byte) (m Folder, err error) {
	var f field
	for len(b) > 0 {
		if f, b, err = nextField(b); err != nil {
			return m, err
		}
		switch f.tag {
		case tagFolderID:
			m.ID = FolderID(f.bytes)
		case tagFolderLabel:
			m.Label = f.string()
		case tagFolderType:
			m.Type = FolderType(f.int32())
		case tagFolderStopped:
			m.Stopped = f.bool()
		case tagFolderLooking:
			m.Looking = f.bool()
		case tagFolderDevices:
			d, err := decodeDevice(f.bytes)
			if err != nil {
				return m, err
			}
			if len(m.Devices) == maxDevices {
				return m, fmt.Errorf("there are more than %d devices", maxDevices)
			}
			m.Devices = append(m.Devices, d)
		}
	}
	if m.ID == "" {
		return m, errNoFolderID
	}
	return m, nil
}

func decodeDevice(b []byte) (d Device, err error) {
	idLen := 0
	var f field
	for len(b) > 0 {
		if f, b, err = nextField(b); err != nil {
			return d, err
		}
		switch f.tag {
		case tagDeviceID:
			idLen = len(f.bytes)
			copy(d.ID[:], f.bytes)
		case tagDeviceName:
			d.Name = f.string()
		case tagDeviceAddresses:
			d.Addresses = append(d.Addresses, f.string())
		case tagDeviceCompression:
			d.Compression = f.int32()
		case tagDeviceCertName:
			d.CertName = f.string()
		case tagDeviceMaxSequence:
			d.MaxSequence = f.int64()
		case tagDeviceIntroducer:
			d.Introducer = f.bool()
		case tagDeviceIndexID:
			d.IndexID = IndexID(f.number)
		case tagDeviceSkipRemovals:
			d.SkipIntroductionRemovals = f.bool()
		case tagDevicePasswordToken:
			d.PasswordToken = f.copied()
		}
	}
	if idLen != len(device.ID{}) {
		return d, fmt.Errorf("a device ID has %d bytes, not 32", idLen)
	}
	if d.MaxSequence < 0 {
		return d, fmt.Errorf("device %v: %w", d.ID.Short(), errNegative)
	}
	return d, nil
}

func decodeRequest(b []byte) (_ *Request, err error) {
	m := &Request{}
	var name string
	var f field
	for len(b) > 0 {
		if f, b, err = nextField(b); err != nil {
			return nil, err
		}
		switch f.tag {
		case tagRequestID:
			m.ID = f.int32()
		case tagRequestFolder:
			m.Folder = FolderID(f.bytes)
		case tagRequestName:
			name = f.string()
		case tagRequestOffset:
			m.Offset = f.int64()
		case tagRequestSize:
			m.Size = f.int32()
		case tagRequestHash:
			m.Hash = f.copied()
		case tagRequestFromTemporary:
			m.FromTemporary = f.bool()
		case tagRequestBlockNo:
			m.BlockNo = f.int32()
		}
	}
	// A name that is only not supported leaves the root, which is no file.
	m.Name, err = relpath.Parse(name)
	if errors.Is(err, relpath.ErrNotCanonical) {
		return nil, fmt.Errorf("request of %s: %w", quote(name), err)
	}
	if err := checkRequest(m); err != nil {
		return nil, fmt.Errorf("request of %s: %w", quote(name), err)
	}
	return m, nil
}

func checkRequest(m *Request) error {
	switch {
	case m.Folder == "":
		return errNoFolderID
	case m.Size < 0 || m.Size > MaxRequestSize:
		return fmt.Errorf("the size %d is not within 0 and %d", m.Size, MaxRequestSize)
	case m.Offset < 0:
		return fmt.Errorf("the offset %d is negative", m.Offset)
	case m.Offset+int64(m.Size) < 0:
		return fmt.Errorf("the offset %d and the size %d overflow", m.Offset, m.Size)
	case m.BlockNo < 0:
		return fmt.Errorf("the block number %d is negative", m.BlockNo)
	}
	return nil
}

func decodeProgress(b []byte) (_ *DownloadProgress, err error) {
	m := &DownloadProgress{}
	var f field
	for len(b) > 0 {
		if f, b, err = nextField(b); err != nil {
			return nil, err
		}
		switch f.tag {
		case tagProgressFolder:
			m.Folder = FolderID(f.bytes)
		case tagProgressUpdates:
			u, err := decodeUpdate(f.bytes)
			if err != nil {
				return nil, fmt.Errorf("progress of %s: %w", quote(u.Name), err)
			}
			m.Updates = append(m.Updates, u)
		}
	}
	if m.Folder == "" {
		return nil, errNoFolderID
	}
	return m, nil
}

func decodeUpdate(b []byte) (u ProgressUpdate, err error) {
	var version counters
	var f field
	for len(b) > 0 {
		if f, b, err = nextField(b); err != nil {
			return u, err
		}
		switch f.tag {
		case tagUpdateType:
			u.Forget = f.number == 1
		case tagUpdateName:
			u.Name = f.string()
		case tagUpdateVersion:
			err = version.decode(f.bytes)
		case tagUpdateBlockIndexes:
			u.BlockIndexes = append(u.BlockIndexes, f.int32())
		case tagUpdatePackedIndexes:
			u.BlockIndexes, err = appendPacked(u.BlockIndexes, f.bytes)
		case tagUpdateBlockSize:
			u.BlockSize = f.int32()
		}
		if err != nil {
			return u, err
		}
	}
	if u.BlockSize < 0 {
		return u, errNegative
	}
	for _, i := range u.BlockIndexes {
		if i < 0 {
			return u, errNegative
		}
	}
	u.Version, err = version.vector()
	return u, err
}

// appendPacked reads a list of numbers that share one tag.
func appendPacked(dst []int32, b []byte) ([]int32, error) {
	for len(b) > 0 {
		v, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return dst, errMalformed
		}
		dst, b = append(dst, int32(v)), b[n:]
	}
	return dst, nil
}

func decodeClose(b []byte) (_ *Close, err error) {
	m := &Close{}
	var f field
	for len(b) > 0 {
		if f, b, err = nextField(b); err != nil {
			return nil, err
		}
		if f.tag == tagCloseReason {
			m.Reason = f.string()
		}
	}
	return m, nil
}

// counters gathers a version vector, which may be spread over several fields.
type counters struct {
	v     vector.Vector
	count int // on the wire, zeros included
	last  uint64
}

// decode adds the counters of one vector field. It stops at the first one
// out of order, so that memory stays within the limit.
func (c *counters) decode(b []byte) (err error) {
	var f field
	for len(b) > 0 {
		if f, b, err = nextField(b); err != nil {
			return err
		}
		if f.tag != tagVectorCounters {
			continue
		}
		if c.v == nil {
			n := min(1+countFields(b, tagVectorCounters, 0), vector.MaxCounters)
			c.v = make(vector.Vector, 0, n)
		}
		if err := c.add(f.bytes); err != nil {
			return err
		}
	}
	return nil
}

func (c *counters) add(b []byte) (err error) {
	var one vector.Counter
	var f field
	for len(b) > 0 {
		if f, b, err = nextField(b); err != nil {
			return err
		}
		switch f.tag {
		case tagCounterID:
			one.ID = f.number
		case tagCounterValue:
			one.Value = f.number
		}
	}
	c.count++
	switch {
	case c.count > vector.MaxCounters:
		return fmt.Errorf("the version has more than %d counters", vector.MaxCounters)
	case c.count > 1 && one.ID <= c.last:
		return errors.New("the counters of the version are not in ascending order")
	case one.Value > vector.MaxValue:
		return fmt.Errorf("the counter %d of the version is over the limit", one.Value)
	}
	c.last = one.ID
	if one.Value != 0 { // a zero says the same as no counter
		c.v = append(c.v, one)
	}
	return nil
}

// vector gives the version, nil where it has no counters.
func (c *counters) vector() (vector.Vector, error) {
	if len(c.v) == 0 {
		return nil, nil
	}
	if !c.v.Valid() {
		return nil, errors.New("the version is not a valid vector")
	}
	return c.v, nil
}

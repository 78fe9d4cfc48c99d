package fsys

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// Layout of struct linux_dirent64: inode (8 bytes), offset (8), record length
// (2), type (1), name ending in NUL.
const (
	direntLength = 16
	direntName   = 19
)

// collectNames appends the names of one read of a directory to the arena and
// their ends to ends. The type is not looked at: some file systems do not
// know it.
func collectNames(records []byte, arena *strings.Builder, ends []int) []int {
	for len(records) > direntName {
		size := int(binary.NativeEndian.Uint16(records[direntLength:]))
		if size <= direntName || size > len(records) {
			break // the kernel does not do this
		}
		name := records[direntName:size]
		if end := bytes.IndexByte(name, 0); end >= 0 {
			name = name[:end]
		}
		records = records[size:]
		if string(name) == "." || string(name) == ".." {
			continue
		}
		arena.Write(name)
		ends = append(ends, arena.Len())
	}
	return ends
}

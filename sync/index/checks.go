package index

import (
	"encoding/binary"
	"hash/crc32"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/device"
)

// rowCheck is the checksum of a row of rec. The body's own checksum, its last
// four bytes, stands in for name and body.
func rowCheck(vh int64, devs uint64, flags, lseq, lists int64, bodySum uint32) int64 {
	var b [44]byte
	binary.LittleEndian.PutUint64(b[0:], uint64(vh))
	binary.LittleEndian.PutUint64(b[8:], devs)
	binary.LittleEndian.PutUint64(b[16:], uint64(flags))
	binary.LittleEndian.PutUint64(b[24:], uint64(lseq))
	binary.LittleEndian.PutUint64(b[32:], uint64(lists))
	binary.LittleEndian.PutUint32(b[40:], bodySum)
	return int64(crc32.Checksum(b[:], castagnoli))
}

// bodySum gives the checksum at the end of a body.
func bodySum(body []byte) uint32 {
	if len(body) < 4 {
		return 0
	}
	return binary.LittleEndian.Uint32(body[len(body)-4:])
}

// checkRow compares a row of rowColumns with its checksum.
func checkRow(s *stmt, body []byte) error {
	if s.int(8) != rowCheck(s.int(2), uint64(s.int(3)), s.int(4), s.int(5), s.int(6), bodySum(body)) {
		return damaged("the checksum of a row for %q is wrong", s.text(1))
	}
	return nil
}

// checkColumns compares the columns of a row of rowColumns that only repeat what
// stands in its body with that.
func checkColumns(s *stmt, f *bep.FileInfo) error {
	if s.int(9) != f.Size || s.int(10) != f.ModUnixNano() {
		return damaged("the size or the time of a row for %q is not that of its entry", s.text(1))
	}
	return nil
}

// contentColumn gives what stands in the column by which files are found by
// their content, ok false for none; list is the entry's list hash.
func contentColumn(f *bep.FileInfo, list block.Hash) (v int64, ok bool) {
	return short63(list), f.IsFile() && f.Size > 0 && len(f.Blocks) > 0
}

// metaCheck is the checksum of a row of meta.
func metaCheck(k, v string) int64 {
	return int64(checksum(k, append([]byte{0}, v...)))
}

// deviceCheck is the checksum of a row of device.
func deviceCheck(slot int64, id []byte, p PeerState) int64 {
	b := make([]byte, 0, 24+len(device.ID{}))
	b = binary.LittleEndian.AppendUint64(b, uint64(slot))
	b = binary.LittleEndian.AppendUint64(b, uint64(p.IndexID))
	b = binary.LittleEndian.AppendUint64(b, uint64(p.MaxSequence))
	return int64(crc32.Checksum(append(b, id...), castagnoli))
}

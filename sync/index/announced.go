package index

import (
	"lanyard/sync/bep"
	"lanyard/sync/fault"
)

func errNotRestamped(name string) error {
	return fault.New(fault.Retry, "", "restamp %s: the stored record is another one", name)
}

// Announced gives a record as it is told to other devices: one that they
// cannot have from us is invalid, and a change that only this device makes has
// no version (BEP trap 17).
func (r *Record) Announced() bep.FileInfo {
	f := r.FileInfo
	f.Invalid = r.Flags&hiding != 0
	if r.Flags&ReceiveOnly != 0 {
		f.Version = nil
	}
	if r.Flags&Ignored != 0 {
		f.Blocks, f.BlocksHash, f.PreviousBlocksHash, f.Sums = nil, nil, nil, nil
	}
	return f
}

package engine

import (
	"testing"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/index"
	"lanyard/sync/peer"
	"lanyard/sync/relpath"
)

// A device holds an index of ours that we do not know. Either we went back to one
// before it, or ours was made after it: then nothing in it is from before the
// loss, also what an earlier run of the program made.
func TestFromWhereOnAnIndexWasMadeWithoutKnowing(t *testing.T) {
	ix, err := index.NewMemory(index.MemoryOptions{}).Folder(photos)
	must(t, err)
	var last int64
	for _, name := range []string{"a", "b"} { // each in a run of its own
		must(t, ix.Begin())
		last, err = ix.Update([]index.Record{{FileInfo: bep.FileInfo{Name: relpath.MustParse(name), Deleted: true}}})
		must(t, err)
	}
	run := ix.Runs()[len(ix.Runs())-1]
	other := ix.IndexID() + 1
	stranger, removed := device.ID{1}, device.ID{2}
	must(t, ix.ResetRemote(removed, 5))
	(&Engine{}).dropUnshared(ix, []device.ID{stranger, removed}, nil)
	for _, tt := range []struct {
		name    string
		dev     device.ID
		w       peer.WentBack
		through int64
		lost    bool
	}{
		{"it holds what we gave", stranger, peer.WentBack{IndexID: ix.IndexID(), Sequence: last}, 0, false},
		{"it holds more than we gave", stranger, peer.WentBack{IndexID: ix.IndexID(), Sequence: last + 1}, run.After, true},
		{"it holds another index of ours, and we know it", stranger, peer.WentBack{IndexID: other, Sequence: 1}, run.After, true},
		{"it holds another index of ours, and we never met it", stranger, peer.WentBack{IndexID: other, Sequence: 1, Unmet: true}, 0, true},
		{"it holds another index of ours, and we knew it before it was removed here", removed, peer.WentBack{IndexID: other, Sequence: 1, Unmet: true}, run.After, true},
	} {
		through, lost, err := lostAfter(ix, tt.dev, tt.w)
		if err != nil || through != tt.through || lost != tt.lost {
			t.Errorf("%s: after %d, lost %v (%v), want %d, %v", tt.name, through, lost, err, tt.through, tt.lost)
		}
	}
}

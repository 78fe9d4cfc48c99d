package folder

import (
	"testing"
	"testing/synctest"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/vector"
)

// A device shows a later change of ours than the one that we have. What we made
// since we lost that stands beside it; what came back from another device is an
// older state of it.
func TestWhatCameBackIsNotTakenForMadeSince(t *testing.T) {
	for _, tt := range []struct {
		name  string
		flags index.Flags
		apart bool
	}{
		{"made here since", 0, true},
		{"came back from another device", index.Returned, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inRig(t, nil, func(r *rig) {
				r.start()
				self := uint64(ourID.Short())
				entry := func(content byte, counter uint64) bep.FileInfo {
					return bep.FileInfo{
						Name: relpath.MustParse("a"), Size: 1, Permissions: 0o644, BlockSize: block.MinSize, ModifiedBy: ourID.Short(),
						Blocks: []block.Info{{Size: 1, Hash: block.Hash{content}}}, Version: vector.Vector{{ID: self, Value: counter}},
					}
				}
				r.runner.disk.Post(func() {
					_, err := r.index.Update([]index.Record{{FileInfo: entry(1, 5), Flags: tt.flags}})
					r.must(err)
					r.must(r.index.ResetRemote(otherID, 7))
					r.must(r.index.UpdateRemote(otherID, []bep.FileInfo{entry(2, 9)}))
					r.runner.part([]relpath.Path{relpath.MustParse("a")})
					rec, _, err := r.index.Local(relpath.MustParse("a"))
					r.must(err)
					if apart := len(rec.Version) > 1; apart != tt.apart {
						t.Errorf("the version is %v, apart %v, want %v", rec.Version, apart, tt.apart)
					}
				})
				synctest.Wait()
			})
		})
	}
}

// A device that goes back once more, to a state from after the comparison that
// settled the loss before, lost what came after that state, and not all that it
// made since the first loss. While nothing was compared yet, both count.
func TestASettledLossIsNotCountedAgain(t *testing.T) {
	for _, tt := range []struct {
		name    string
		settled bool
		want    int64
	}{
		{"the first was settled", true, 9},
		{"the first is not settled yet", false, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inRig(t, nil, func(r *rig) {
				settled := false
				r.options.Whole = func() bool { return settled }
				r.runner = New(r.options)
				r.start()
				lose := func(through int64) {
					r.runner.WentBack(through, func(err error) {
						if err != nil {
							t.Error(err)
						}
					})
					synctest.Wait()
				}
				lose(2)
				settled = tt.settled
				r.runner.RemoteChanged()
				synctest.Wait()
				if _, pending := r.index.Recovery(); pending == tt.settled {
					t.Fatalf("the index is being compared: %v", pending)
				}
				settled = false
				lose(9)
				if got, err := r.runner.back(); err != nil || got != tt.want {
					t.Errorf("what was made after %d (%v) does not know what was lost, want %d", got, err, tt.want)
				}
			})
		})
	}
}

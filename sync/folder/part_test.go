package folder

import (
	"errors"
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

// A device whose index lost a name may give what it finds there a later counter
// than the version that was lost, which another device still has: the one is not
// made from the other. What others have because they are behind is what ours was
// made from.
func TestAVersionWithAnEarlierCounterMayBeOneThatWasLost(t *testing.T) {
	self := uint64(ourID.Short())
	for _, tt := range []struct {
		name  string
		work  func(r *rig) (counter uint64) // what the other device announces
		apart bool
	}{
		{"a version that was lost", func(r *rig) uint64 { return r.record("a").Version.Get(self) - 1 }, true},
		{"what ours was made from", func(r *rig) uint64 {
			counter := r.record("a").Version.Get(self)
			r.must(r.user.WriteFile("a", []byte("edited")))
			r.must(r.scan())
			return counter
		}, false},
		{"what an earlier run made", func(r *rig) uint64 {
			counter := r.record("a").Version.Get(self) - 1
			r.must(r.index.Begin())
			r.restart()
			return counter
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inRig(t, map[string]string{"a": "found"}, func(r *rig) {
				r.start()
				other := oneBlock("a", "another", vector.Vector{{ID: self, Value: tt.work(r)}})
				r.must(r.index.ResetRemote(otherID, 7))
				r.must(r.index.UpdateRemote(otherID, []bep.FileInfo{other}))
				names := r.index.Disputed()
				if len(names) != 1 {
					t.Fatalf("disputed are %v, want a", names)
				}
				r.runner.disk.Post(func() { r.runner.part(names) })
				synctest.Wait()
				rec := r.record("a")
				if apart := vector.Compare(rec.Version, other.Version).Concurrent(); apart != tt.apart {
					t.Errorf("the version is %v, that of the other device %v: apart %v, want %v", rec.Version, other.Version, apart, tt.apart)
				}
			})
		})
	}
}

// A device that went back knows of a later version of its own, and has not fetched
// it yet. A person edits the file, or removes it: nobody has seen that version, and
// it is not replaced.
func TestWhatIsEditedBeforeALostVersionWasFetchedDoesNotReplaceIt(t *testing.T) {
	self := uint64(ourID.Short())
	for _, tt := range []struct {
		name string
		lost bool
		work func(r *rig)
		want func(rec, other vector.Vector) bool
	}{
		{"edited", true, func(r *rig) { r.must(r.user.WriteFile("a", []byte("edited"))) }, func(rec, other vector.Vector) bool {
			return vector.Compare(rec, other).Concurrent()
		}},
		{"removed", true, func(r *rig) { r.must(r.user.Remove("a")) }, func(rec, other vector.Vector) bool {
			return vector.Compare(rec, other) == vector.Equal // it is fetched
		}},
		{"edited where nothing was lost", false, func(r *rig) { r.must(r.user.WriteFile("a", []byte("edited"))) }, func(rec, other vector.Vector) bool {
			return rec.Get(self) > other.Get(self)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inRig(t, map[string]string{"a": "found"}, func(r *rig) {
				r.start()
				first := r.record("a")
				v := first.Version.Bump(9, 1)
				if tt.lost {
					v = first.Version.Bump(self, 1)
				}
				other := oneBlock("a", "lost", v)
				r.source.add([]byte("lost"))
				tt.work(r)
				// At once, so that it is not fetched before the scan.
				r.must(r.index.ResetRemote(otherID, 7))
				r.must(r.index.UpdateRemote(otherID, []bep.FileInfo{other}))
				r.must(r.scan())
				if rec := r.record("a"); !tt.want(rec.Version, other.Version) {
					t.Errorf("the version is %v, that of the other device %v", rec.Version, other.Version)
				}
			})
		})
	}
}

// What is stored while a loss has yet to be noted is left to the comparison that
// comes, as what is stored after that is: it knows more.
func TestALossThatIsToBeNotedIsLeftToTheComparison(t *testing.T) {
	self := uint64(ourID.Short())
	inRig(t, map[string]string{"a": "found"}, func(r *rig) {
		r.start()
		first := r.record("a")
		other := oneBlock("a", "lost", first.Version.Bump(self, 1))
		r.source.add([]byte("lost"))
		r.runner.disk.Post(func() {
			r.must(r.index.ResetRemote(otherID, 7))
			r.must(r.index.UpdateRemote(otherID, []bep.FileInfo{other}))
			made := first
			made.Version = other.Version.Bump(self, 1)
			store := func() vector.Vector {
				recs := []index.Record{made}
				r.must(r.runner.besideLost(map[relpath.Path]*index.Record{first.Name: &first}, recs))
				return recs[0].Version
			}
			if got := store(); !vector.Compare(got, other.Version).Concurrent() {
				t.Errorf("before anything shows a loss the version is %v", got)
			}
			r.runner.WentBack(first.Sequence, func(err error) { r.must(err) })
			if got := store(); vector.Compare(got, made.Version) != vector.Equal {
				t.Errorf("while the loss is to be noted the version is %v, want %v", got, made.Version)
			}
		})
		synctest.Wait()
	})
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
				r.options.Whole = func() (int64, bool) { return 0, settled }
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

// A round that began before a device showed that something was lost puts nothing in
// place from that moment on, until all was compared.
func TestARoundThatIsOnItsWayReplacesNothingOnceSomethingWasLost(t *testing.T) {
	inRig(t, map[string]string{"a": "found"}, func(r *rig) {
		settled := false
		r.options.Whole = func() (int64, bool) { return 0, settled }
		r.runner = New(r.options)
		r.start()
		r.must(r.runner.proveAlive())
		free := make(chan struct{})
		r.runner.disk.Post(func() { <-free }) // the loss is not noted yet
		r.runner.WentBack(0, func(err error) {
			if err != nil {
				t.Error(err)
			}
		})
		if err := r.runner.proveAlive(); !errors.Is(err, errIncomplete) {
			t.Errorf("before the loss is noted: %v, want %v", err, errIncomplete)
		}
		close(free)
		synctest.Wait()
		if err := r.runner.proveAlive(); !errors.Is(err, errIncomplete) {
			t.Errorf("before all was compared: %v, want %v", err, errIncomplete)
		}
		settled = true
		r.runner.RemoteChanged()
		synctest.Wait()
		r.must(r.runner.proveAlive())
	})
}

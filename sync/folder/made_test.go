package folder

import (
	"crypto/sha256"
	"slices"
	"strconv"
	"testing"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/vector"
)

// ours is a version of this device, with what another one added to it.
func ours(own, other uint64) vector.Vector {
	var v vector.Vector
	if own > 0 {
		v = v.Bump(uint64(ourID.Short()), int64(own))
	}
	if other > 0 {
		v = v.Bump(9, int64(other))
	}
	return v
}

// oneBlock is a file of one block.
func oneBlock(name, content string, v vector.Vector) bep.FileInfo {
	blocks := []block.Info{{Size: int32(len(content)), Hash: sha256.Sum256([]byte(content))}}
	hash := block.ListHash(blocks)
	return bep.FileInfo{
		Name: relpath.MustParse(name), Size: int64(len(content)), BlockSize: block.MinSize, Blocks: blocks, BlocksHash: hash[:],
		ModifiedS: 1_600_000_000, Permissions: 0o644, Version: v, ModifiedBy: ourID.Short(),
	}
}

// TestWhatWasMadeWithoutKnowingALaterVersionDoesNotReplaceIt looks at records
// that were made in this run, of which the names tell from what: the counter of
// ours that was known, and those that were given.
func TestWhatWasMadeWithoutKnowingALaterVersionDoesNotReplaceIt(t *testing.T) {
	file := func(content string, own, other uint64) bep.FileInfo { return oneBlock("a", content, ours(own, other)) }
	gone := func(own, other uint64) bep.FileInfo {
		return bep.FileInfo{Name: relpath.MustParse("a"), Deleted: true, Version: ours(own, other), ModifiedBy: ourID.Short()}
	}
	edited := &made{known: []uint64{10}, given: []uint64{30, 40}, from: new(file("old", 10, 0))}
	fresh := &made{known: []uint64{0}, given: []uint64{30, 40}}
	touched := &made{known: []uint64{10}, given: []uint64{30, 40}, from: new(file("new", 10, 0))}
	previous := file("new", 40, 0)
	previous.PreviousBlocksHash = file("old", 1, 0).BlocksHash
	tests := []struct {
		name  string
		made  *made
		rec   bep.FileInfo
		other bep.FileInfo
		want  string // stays, beside, base, later, yields
	}{
		{"what it was made from", edited, file("new", 40, 0), file("old", 10, 0), "stays"},
		{"something older than that", edited, file("new", 40, 0), file("older", 5, 0), "stays"},
		{"what was given on the way", edited, file("new", 40, 0), file("middle", 30, 0), "stays"},
		{"what was lost", edited, file("new", 40, 0), file("lost", 20, 0), "beside"},
		{"what was lost, and has a later counter", edited, file("new", 40, 0), file("lost", 50, 7), "beside"},
		{"what was lost and given again", edited, file("new", 40, 0), file("lost", 40, 0), "beside"},
		{"what was made from ours", edited, file("new", 40, 0), file("theirs", 40, 7), "stays"},
		{"what is in conflict anyway", edited, file("new", 40, 0), file("theirs", 20, 7), "stays"},
		{"the same content", edited, file("new", 40, 0), file("new", 20, 0), "stays"},
		{"what others alone made", edited, file("new", 40, 0), file("theirs", 0, 7), "stays"},
		{"a lost version of a name that was new", fresh, file("new", 40, 0), file("lost", 5, 0), "beside"},
		{"what came from another device since", edited, file("new", 60, 0), file("lost", 20, 0), "stays"},
		{"a lost version of what was only touched", touched, file("new", 40, 0), file("lost", 20, 0), "base"},
		{"what an earlier run made it from", nil, previous, file("old", 10, 0), "stays"},
		{"what an earlier run may not have known", nil, previous, file("lost", 20, 0), "beside"},
		{"a lost deletion", edited, file("new", 40, 0), gone(20, 0), "later"},
		{"a deletion of what it was made from", edited, gone(40, 0), file("old", 10, 0), "stays"},
		{"a deletion of what was lost", edited, gone(40, 0), file("lost", 20, 0), "yields"},
		{"a deletion of what another one changed", edited, gone(40, 0), file("theirs", 10, 7), "yields"},
		{"a deletion of what was made here", edited, gone(40, 0), file("middle", 30, 0), "stays"},
		{"a deletion of what is gone", edited, gone(40, 0), gone(20, 3), "stays"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inRig(t, nil, func(r *rig) {
				if tt.made != nil {
					r.runner.made[tt.rec.Name] = &made{known: slices.Clone(tt.made.known), given: slices.Clone(tt.made.given), from: tt.made.from}
				}
				got, changed, _ := r.runner.beside(index.Record{FileInfo: tt.rec}, []bep.FileInfo{tt.other}, nil)
				order := vector.Compare(got.Version, tt.other.Version)
				switch tt.want {
				case "stays":
					if changed {
						t.Errorf("it becomes %v", got.Version)
					}
				case "beside":
					if !changed || !order.Concurrent() || tt.made != nil && tt.made.from != nil && !got.Version.Covers(tt.made.from.Version) {
						t.Errorf("%v, %v: want it beside %v and after what it was made from", changed, got.Version, tt.other.Version)
					}
					if again, twice, _ := r.runner.beside(got, []bep.FileInfo{tt.other}, nil); twice {
						t.Errorf("a second look makes it %v", again.Version)
					}
				case "base":
					if !changed || order != vector.Lesser || vector.Compare(got.Version, tt.made.from.Version) != vector.Equal {
						t.Errorf("%v, %v: want the version that it had", changed, got.Version)
					}
				case "later":
					if !changed || order != vector.Greater {
						t.Errorf("%v, %v: want it after %v", changed, got.Version, tt.other.Version)
					}
				case "yields":
					if !changed || len(got.Version) > 0 || !got.Deleted {
						t.Errorf("%v, %v: want a deletion without a version", changed, got.Version)
					}
				}
			})
		})
	}
}

// TestACounterIsNeverGivenTwice has a device show a deletion that was lost and
// that is older than what was given since: ours becomes later than both.
func TestACounterIsNeverGivenTwice(t *testing.T) {
	deleted := bep.FileInfo{Name: relpath.MustParse("a"), Deleted: true, Version: ours(20, 7), ModifiedBy: ourID.Short()}
	rec := oneBlock("a", "new", ours(1<<40, 7))
	kept := oneBlock("a", "lost too", ours(30, 7))
	inRig(t, nil, func(r *rig) {
		r.runner.made[rec.Name] = &made{known: []uint64{0}, given: []uint64{1 << 40}}
		got, changed, _ := r.runner.beside(index.Record{FileInfo: rec}, []bep.FileInfo{deleted}, nil)
		if !changed || !got.Version.Covers(deleted.Version) || vector.Compare(got.Version, rec.Version) != vector.Greater {
			t.Errorf("after %v and the lost deletion %v comes %v", rec.Version, deleted.Version, got.Version)
		}
	})
	inRig(t, nil, func(r *rig) {
		r.runner.made[rec.Name] = &made{known: []uint64{0}, given: []uint64{1 << 40}}
		got, changed, _ := r.runner.beside(index.Record{FileInfo: rec}, []bep.FileInfo{deleted, kept}, nil)
		if !changed || !vector.Compare(got.Version, kept.Version).Concurrent() {
			t.Errorf("%v does not stand beside %v, which was lost after the deletion", got.Version, kept.Version)
		}
	})
}

// TestWhatWasTouchedYieldsOnlyToWhatSomebodyHolds has the other device tell of a
// version that we had and that it never fetched. A record that took over the
// version it was made from would be that of every other device, while the disk
// shows other permissions.
func TestWhatWasTouchedYieldsOnlyToWhatSomebodyHolds(t *testing.T) {
	before, lost := oneBlock("a", "same", ours(10, 0)), oneBlock("a", "lost", ours(20, 0))
	rec := oneBlock("a", "same", ours(40, 0))
	rec.Permissions = 0o600
	for _, tt := range []struct {
		name       string
		held, lost []bep.FileInfo
		yields     bool
	}{
		{"somebody holds it", []bep.FileInfo{before, lost}, nil, true},
		{"nobody holds it", []bep.FileInfo{before}, []bep.FileInfo{lost}, false},
		{"only something earlier is held", []bep.FileInfo{oneBlock("a", "older", ours(5, 0))}, []bep.FileInfo{lost}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inRig(t, nil, func(r *rig) {
				r.runner.made[rec.Name] = &made{known: []uint64{10}, given: []uint64{40}, from: &before}
				got, changed, _ := r.runner.beside(index.Record{FileInfo: rec}, tt.held, tt.lost)
				if yields := changed && vector.Compare(got.Version, before.Version) == vector.Equal; yields != tt.yields {
					t.Errorf("changed %v, to %v", changed, got.Version)
				}
				if order := vector.Compare(got.Version, before.Version); !tt.yields && order != vector.Greater {
					t.Errorf("%v is not after what it was made from", got.Version)
				}
			})
		})
	}
}

func TestWhatWasMadeIsKeptWithItsBase(t *testing.T) {
	inRig(t, map[string]string{"a": "1"}, func(r *rig) {
		r.start()
		first, _, err := r.index.Local(relpath.MustParse("a"))
		r.must(err)
		var given []uint64
		for _, content := range []string{"second", "third one"} {
			r.must(r.user.WriteFile("a", []byte(content)))
			r.must(r.scan())
			rec, _, err := r.index.Local(relpath.MustParse("a"))
			r.must(err)
			given = append(given, rec.Version.Get(uint64(ourID.Short())))
		}
		own := first.Version.Get(uint64(ourID.Short()))
		m := r.runner.made[first.Name]
		if m == nil || !slices.Equal(m.known, []uint64{0}) || !slices.Equal(m.given, append([]uint64{own}, given...)) || m.from != nil {
			t.Errorf("of a name that was new: %+v, want nothing known and %d, %v given", m, own, given)
		}
		r.must(r.index.Begin())
		r.runner.Stop()
		r.runner = New(r.options)
		r.start()
		r.must(r.user.WriteFile("a", []byte("in another run")))
		r.must(r.scan())
		m = r.runner.made[first.Name]
		if m == nil || !slices.Equal(m.known, given[1:]) || len(m.given) != 1 || m.from == nil || !m.from.Version.Covers(first.Version) {
			t.Errorf("of one from the run before: %+v, want %d known and one given", m, given[1])
		}
	})
}

// TestARecordThatWasReplacedBeforeTheLossYields has the other device hold a
// version that is in conflict with ours, and tell what we had announced.
func TestARecordThatWasReplacedBeforeTheLossYields(t *testing.T) {
	theirs := oneBlock("a", "theirs", ours(0, 7))
	theirs.ModifiedS-- // ours would win
	told := func(v vector.Vector) bep.EpochEntry { return bep.EpochEntry{Name: theirs.Name, Version: v} }
	for _, tt := range []struct {
		name    string
		through int64
		entries []bep.EpochEntry
		yields  bool
	}{
		{"we had what it has", 1, nil, true},
		{"we had something else that we do not know", 1, []bep.EpochEntry{told(ours(20, 0))}, true},
		{"we had what we have", 1, []bep.EpochEntry{told(ours(10, 0))}, false},
		{"we had nothing", 1, []bep.EpochEntry{told(nil)}, false},
		{"it was made since", 0, nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inRig(t, nil, func(r *rig) {
				_, err := r.index.Update([]index.Record{{FileInfo: oneBlock("a", "ours", ours(10, 0))}})
				r.must(err)
				r.must(r.index.ResetRemote(otherID, 5))
				r.must(r.index.UpdateRemote(otherID, []bep.FileInfo{theirs}))
				r.runner.AwaitFormer(otherID)
				if !r.runner.AwaitsFormer(otherID) {
					t.Error("it is not waited for")
				}
				r.runner.Former(otherID, tt.entries, true)
				if r.runner.AwaitsFormer(otherID) {
					t.Error("it is waited for although it has told all")
				}
				devices, formers, err := r.runner.formers()
				r.must(err)
				r.must(r.runner.yieldStale(tt.through, devices, formers))
				rec, _, err := r.index.Local(theirs.Name)
				r.must(err)
				if yields := len(rec.Version) == 0; yields != tt.yields {
					t.Errorf("our version is %v", rec.Version)
				}
			})
		})
	}
}

func TestATellingThatIsNotAwaitedOrTooLongTellsNothing(t *testing.T) {
	entry := func(name string, size int) bep.EpochEntry {
		return bep.EpochEntry{Name: relpath.MustParse(name), Version: ours(10, 0), BlocksHash: make([]byte, size)}
	}
	inRig(t, nil, func(r *rig) {
		r.must(r.index.ResetRemote(otherID, 5))
		wants := func(what string, kept int) {
			t.Helper()
			_, told, err := r.runner.formers()
			r.must(err)
			got := 0
			if f := told[otherID]; f != nil {
				got = len(f.entries)
			}
			if got != kept || r.runner.AwaitsFormer(otherID) {
				t.Errorf("%s: %d entries are kept, want %d", what, got, kept)
			}
		}
		r.runner.Former(otherID, []bep.EpochEntry{entry("a", 32)}, true)
		wants("not awaited", 0)
		r.runner.AwaitFormer(otherID)
		r.runner.Former(otherID, []bep.EpochEntry{entry("a", 32)}, false)
		r.runner.Former(otherID, []bep.EpochEntry{entry("b", 32)}, true)
		wants("in two parts", 2)
		r.runner.AwaitFormer(otherID)
		r.runner.Former(otherID, []bep.EpochEntry{entry("a", 32), entry("b", MaxFormerBytes)}, false)
		r.runner.Former(otherID, []bep.EpochEntry{entry("c", 32)}, true)
		wants("too long", 0)
		r.runner.AwaitFormer(otherID)
		for i := range MaxFormer + 1 {
			r.runner.Former(otherID, []bep.EpochEntry{entry(strconv.Itoa(i), 0)}, i == MaxFormer)
		}
		wants("too many", 0)
	})
}

// A record that goes back to the permissions from before must not stand for those
// that the disk shows: whoever saves the file then would seem to have left them
// alone.
func TestAFileThatYieldsGetsThePermissionsOfItsRecord(t *testing.T) {
	inRig(t, map[string]string{"a": "1", "b": "1"}, func(r *rig) {
		r.start()
		r.must(r.scan())
		for _, name := range []string{"a", "b"} {
			r.must(r.user.Chmod(name, 0o600))
			r.must(r.scan())
			rec, _, err := r.index.Local(relpath.MustParse(name))
			r.must(err)
			rec.Permissions = 0o644
			before := rec.Stamp
			if name == "b" {
				r.must(r.user.WriteFile("b", []byte("saved meanwhile")))
			}
			r.runner.resetMode(&rec)
			look, err := r.user.Lstat(name)
			r.must(err)
			switch reset := look.Mode == 0o644 && rec.Stamp == index.StampOf(look); {
			case name == "a" && !reset:
				t.Errorf("a has mode %o and its record says %+v", look.Mode, rec.Stamp)
			case name == "b" && (look.Mode != 0o600 || rec.Stamp != before):
				t.Errorf("what was saved meanwhile has mode %o and its record says %+v", look.Mode, rec.Stamp)
			}
		}
	})
}

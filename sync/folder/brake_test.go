package folder

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/fault"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
	"lanyard/sync/vector"
	"lanyard/sync/watch"
)

// inKnown runs a test with a folder that began with 100 files below "d", all of
// which the other device has as well.
func inKnown(t *testing.T, test func(*rig)) {
	t.Helper()
	inRig(t, filled("d", 100), func(r *rig) {
		r.start()
		r.known()
		test(r)
	})
}

// filled gives n files below a directory, each with a content of its own.
func filled(dir string, n int) map[string]string {
	files := map[string]string{}
	for i := range n {
		files[fmt.Sprintf("%s/f%04d", dir, i)] = fmt.Sprintf("content %d of %s", i, dir)
	}
	return files
}

// both merges sets of files.
func both(sets ...map[string]string) map[string]string {
	out := map[string]string{}
	for _, s := range sets {
		for name, content := range s {
			out[name] = content
		}
	}
	return out
}

// below lists our records below a directory (all of them for ""), live ones.
func (r *rig) below(dir string) []index.Record {
	top := relpath.Root
	if dir != "" {
		top = relpath.MustParse(dir)
	}
	recs, err := r.index.LocalRange(top, top, 100_000)
	r.must(err)
	return slices.DeleteFunc(recs, func(rec index.Record) bool { return rec.Deleted })
}

// known makes the other device have all that we have, and able to give it.
func (r *rig) known() {
	r.t.Helper()
	r.later(time.Minute) // what was written just now would be read once more first
	r.must(r.scan())
	var files []bep.FileInfo
	for _, rec := range r.below("") {
		f := rec.FileInfo
		files = append(files, f)
		if f.IsFile() {
			data, err := r.user.ReadFile(f.Name.String())
			r.must(err)
			r.source.hold = false
			r.source.add(data)
		}
	}
	r.announceThere(files)
}

// announceThere makes the other device announce entries.
func (r *rig) announceThere(files []bep.FileInfo) {
	r.t.Helper()
	for i := range files {
		r.sequence++
		files[i].Sequence = r.sequence
	}
	r.must(r.index.UpdateRemote(otherID, files))
	r.runner.RemoteChanged()
}

// deletedThere gives the deletions of records by the other device.
func deletedThere(recs []index.Record) []bep.FileInfo {
	var out []bep.FileInfo
	for i := range recs {
		out = append(out, bep.FileInfo{
			Name: recs[i].Name, Type: recs[i].Type, Deleted: true, ModifiedS: time.Now().Unix(),
			Version: recs[i].Version.Bump(uint64(otherID.Short()), 0), ModifiedBy: otherID.Short(),
		})
	}
	return out
}

func fileThere(name, content string) bep.FileInfo {
	return bep.FileInfo{
		Name: relpath.MustParse(name), Size: int64(len(content)), Permissions: 0o644, BlockSize: block.MinSize,
		ModifiedS: time.Now().Unix(), Version: vector.Vector{{ID: uint64(otherID.Short()), Value: uint64(time.Now().Unix())}},
		Blocks: []block.Info{{Size: int32(len(content)), Hash: sha256.Sum256([]byte(content))}}, ModifiedBy: otherID.Short(),
	}
}

// standing counts the files on the disk below a directory.
func (r *rig) standing(dir string) int {
	n := 0
	for p := range r.user.Tree() {
		if strings.HasPrefix(p, dir+"/f") {
			n++
		}
	}
	return n
}

func (r *rig) wantStanding(dir string, want int) {
	r.t.Helper()
	if got := r.standing(dir); got != want {
		r.t.Errorf("%d files stand in %s, want %d", got, dir, want)
	}
}

// held gives what is held, nil for nothing.
func (r *rig) held() *Held {
	r.t.Helper()
	switch views := r.runner.Held(); len(views) {
	case 0:
		return nil
	case 1:
		return &views[0]
	default:
		r.t.Fatalf("held in both directions: %+v", views)
		return nil
	}
}

func (r *rig) wantHeld(files int64) *Held {
	r.t.Helper()
	h := r.held()
	if h == nil || h.Files != files {
		r.t.Fatalf("held: %+v, want %d files", h, files)
	}
	return h
}

func (r *rig) wantNothingHeld() {
	r.t.Helper()
	if h := r.held(); h != nil {
		r.t.Errorf("held: %+v, want nothing", *h)
	}
}

func (r *rig) decided(c status.Choice, token string) (held []Held, err error) {
	r.runner.Decide(c, token, func(h []Held, e error) { held, err = h, e })
	synctest.Wait()
	return held, err
}

func (r *rig) decide(c status.Choice) {
	r.t.Helper()
	if _, err := r.decided(c, ""); err != nil {
		r.t.Fatal(err)
	}
	r.later(2 * time.Second)
}

func TestAMassDeletionByAnotherDeviceIsHeld(t *testing.T) {
	inRig(t, both(filled("d", 80), filled("e", 20)), func(r *rig) {
		r.start()
		r.known()
		r.announceThere(append(deletedThere(r.below("d")), deletedThere([]index.Record{r.record("d")})...))
		r.announceThere([]bep.FileInfo{fileThere("new", "new here")})
		r.source.add([]byte("new here"))
		r.later(15 * time.Second)
		h := r.wantHeld(80)
		if h.Outgoing || h.Dirs != 1 || h.Total != 101 || len(h.Names) != maxHeldNames || h.Bytes == 0 ||
			!slices.Equal(h.From, deviceIDs(otherID)) || len(h.By) != 1 || h.By[0] != otherID.Short() {
			t.Errorf("it is shown as %+v", *h)
		}
		r.wantStanding("d", 80)
		if got, _ := r.user.ReadFile("new"); string(got) != "new here" {
			t.Errorf("what else there was to pull holds %q", got)
		}
		if v := r.runner.View(); !v.Settled || v.Err != nil || len(v.Failed) > 0 {
			t.Errorf("the folder is not at rest beside: %+v", v)
		}
		r.must(r.user.WriteFile("mine", []byte("an edit")))
		r.must(r.scan())
		if len(r.below("")) != 104 {
			t.Errorf("%d records, want the edit among 104", len(r.below("")))
		}
	})
}

// record gives our record of a name.
func (r *rig) record(name string) index.Record {
	r.t.Helper()
	rec, ok, err := r.index.Local(relpath.MustParse(name))
	r.must(err)
	if !ok {
		r.t.Fatalf("%s is not recorded", name)
	}
	return rec
}

func TestHeldDeletionsThatAreAppliedGoToTheArchive(t *testing.T) {
	inRig(t, both(filled("d", 80), filled("e", 20)), func(r *rig) {
		r.start()
		r.known()
		r.announceThere(append(deletedThere(r.below("d")), deletedThere([]index.Record{r.record("d")})...))
		r.later(15 * time.Second)
		r.wantHeld(80)
		r.decide(status.ApplyHeld)
		r.wantNothingHeld()
		r.wantStanding("d", 0)
		if n := r.standing(relpath.VersionsName + "/d"); n != 80 {
			t.Errorf("%d files are archived, want 80", n)
		}
		if _, err := r.user.Lstat("d"); err == nil {
			t.Error("the directory still stands there")
		}
		// What comes now is weighed anew, and what was consented to does not count.
		r.announceThere(deletedThere(r.below("e")[:4]))
		r.later(2 * time.Second)
		r.wantStanding("e", 16)
	})
}

func TestHeldDeletionsThatAreRestoredWinOverTheDeletion(t *testing.T) {
	inRig(t, both(filled("d", 80), filled("e", 20)), func(r *rig) {
		r.start()
		r.known()
		gone := append(deletedThere(r.below("d")), deletedThere([]index.Record{r.record("d")})...)
		r.announceThere(gone)
		r.later(15 * time.Second)
		r.wantHeld(80)
		before := r.announcements()
		r.decide(status.RestoreHeld)
		r.wantNothingHeld()
		r.wantStanding("d", 80)
		if r.announcements() == before {
			t.Error("nobody was told")
		}
		for _, g := range gone {
			rec := r.record(g.Name.String())
			if rec.Deleted || !rec.Version.Covers(g.Version) || vector.Compare(rec.Version, g.Version) == vector.Equal {
				t.Fatalf("%s has version %v, deleted %v, against the deletion's %v", g.Name, rec.Version, rec.Deleted, g.Version)
			}
		}
		if c, err := r.index.Counts(); err != nil || c.Need.Items != 0 {
			t.Errorf("still needed: %+v, error %v", c.Need, err)
		}
	})
}

func TestAFewDeletionsGoAtOnce(t *testing.T) {
	inKnown(t, func(r *rig) {
		r.announceThere(deletedThere(r.below("d")[:10]))
		r.later(200 * time.Millisecond)
		r.wantStanding("d", 90)
		r.wantNothingHeld()
	})
}

func TestAMassDeletionThatArrivesInPiecesIsHeldWhole(t *testing.T) {
	inKnown(t, func(r *rig) {
		recs := r.below("d")
		for part := range slices.Chunk(recs[:90], 15) {
			r.announceThere(deletedThere(part))
			r.later(300 * time.Millisecond)
		}
		r.later(15 * time.Second)
		r.wantHeld(90)
		r.wantStanding("d", 100)
	})
}

func TestDeletionsThatComeSlowlyAreHeldFromTheLimitOn(t *testing.T) {
	inKnown(t, func(r *rig) {
		for part := range slices.Chunk(r.below("d"), 30) {
			r.announceThere(deletedThere(part))
			r.later(2 * time.Minute)
		}
		r.wantHeld(70)
		r.wantStanding("d", 70)
		r.later(time.Hour) // time alone releases nothing
		r.wantHeld(70)
		r.wantStanding("d", 70)
	})
}

func TestARenamedDirectoryIsNeverHeld(t *testing.T) {
	const n = 600
	inRig(t, both(filled("old", n), map[string]string{"old/empty": "", "old/none": ""}), func(r *rig) {
		var ever atomic.Bool
		r.options.Changed = func() {
			if len(r.runner.Held()) > 0 {
				ever.Store(true)
			}
		}
		r.runner = New(r.options)
		r.start()
		r.known()
		old := r.below("old")
		var made []bep.FileInfo
		for i := range old {
			f := old[i].FileInfo
			f.Name = relpath.MustParse("new/" + f.Name.Base())
			f.Version = vector.Vector{{ID: uint64(otherID.Short()), Value: uint64(time.Now().Unix())}}
			made = append(made, f)
		}
		// The halves come apart, in pieces, the deletions before half of the names.
		r.announceThere(made[:n/2])
		r.later(time.Millisecond)
		for part := range slices.Chunk(deletedThere(old), 100) {
			r.announceThere(part)
			r.later(100 * time.Millisecond)
		}
		r.announceThere(made[n/2:])
		r.later(30 * time.Second)
		r.wantStanding("new", n)
		r.wantStanding("old", 0)
		if ever.Load() {
			t.Error("it was held for a while")
		}
	})
}

func TestHeldDeletionsThatTheOtherDeviceTakesBackAreHeldNoLonger(t *testing.T) {
	inKnown(t, func(r *rig) {
		recs := r.below("d")
		gone := deletedThere(recs)
		r.announceThere(gone)
		r.later(15 * time.Second)
		r.wantHeld(100)
		back := make([]bep.FileInfo, 0, len(gone))
		for i := range gone {
			f := recs[i].FileInfo
			f.Version = gone[i].Version.Bump(uint64(otherID.Short()), 0)
			back = append(back, f)
		}
		r.announceThere(back)
		r.later(2 * time.Second)
		r.wantNothingHeld()
		r.wantStanding("d", 100)
	})
}

func TestFilesThatAreAddedDoNotReleaseWhatIsHeld(t *testing.T) {
	inKnown(t, func(r *rig) {
		r.announceThere(deletedThere(r.below("d")[:60]))
		r.later(15 * time.Second)
		r.wantHeld(60)
		for name, content := range filled("e", 400) {
			r.must(r.user.MkdirAll("e"))
			r.must(r.user.WriteFile(name, []byte(content)))
		}
		r.must(r.scan())
		r.later(15 * time.Second)
		r.wantHeld(60)
		r.wantStanding("d", 100)
	})
}

func TestAnEditOfAHeldFileIsAnEditAgainstADeletion(t *testing.T) {
	inKnown(t, func(r *rig) {
		r.announceThere(deletedThere(r.below("d")))
		r.later(15 * time.Second)
		r.wantHeld(100)
		r.must(r.user.WriteFile("d/f0000", []byte("edited since")))
		r.must(r.scan())
		r.later(2 * time.Second)
		r.wantHeld(99)
		r.decide(status.ApplyHeld)
		r.wantStanding("d", 1)
		if got, _ := r.user.ReadFile("d/f0000"); string(got) != "edited since" {
			t.Errorf("the edit became %q", got)
		}
	})
}

func TestHoldAndDecisionOutliveARestart(t *testing.T) {
	for _, c := range []status.Choice{status.ApplyHeld, status.RestoreHeld} {
		t.Run(string(c), func(t *testing.T) {
			inRig(t, filled("d", 100), func(r *rig) {
				r.start()
				r.known()
				r.announceThere(deletedThere(r.below("d")[:60]))
				r.later(15 * time.Second)
				since := r.wantHeld(60).Since
				r.restart()
				r.later(time.Hour)
				if h := r.wantHeld(60); !h.Since.Equal(since) {
					t.Errorf("held since %v, before the restart since %v", h.Since, since)
				}
				r.wantStanding("d", 100)
				// The power goes between the decision and the first file.
				_, err := r.runner.brake.decide(folderID, c, "")
				r.must(err)
				r.restart()
				r.later(15 * time.Second)
				r.wantNothingHeld()
				left := 40
				if c == status.RestoreHeld {
					left = 100
				}
				r.wantStanding("d", left)
				if n := len(r.below("d")); n != left {
					t.Errorf("%d records are left, want %d", n, left)
				}
				r.runner.RemoteChanged()
				r.later(time.Second)
				if r.runner.brake.in.undone() {
					t.Error("the decision is kept for nothing")
				}
			})
		})
	}
}

func TestADecisionIsAboutWhatWasShown(t *testing.T) {
	inRig(t, filled("d", 200), func(r *rig) {
		r.start()
		r.known()
		recs := r.below("d")
		r.announceThere(deletedThere(recs[:100]))
		r.later(15 * time.Second)
		shown := r.wantHeld(100).Token
		r.announceThere(deletedThere(recs[100:160]))
		r.later(15 * time.Second)
		now := r.wantHeld(160).Token
		if _, err := r.decided(status.ApplyHeld, shown); fault.KindOf(err) != fault.Item {
			t.Errorf("a decision on what is not held any more gave %v", err)
		}
		r.wantStanding("d", 200)
		if _, err := r.decided(status.ApplyHeld, now); err != nil {
			t.Fatal(err)
		}
		r.announceThere(deletedThere(recs[160:])) // 40 of 40: weighed anew
		r.later(15 * time.Second)
		r.wantStanding("d", 0)
		if _, err := r.decided(status.ApplyHeld, ""); fault.KindOf(err) != fault.Item {
			t.Errorf("a decision on nothing gave %v", err)
		}
	})
}

func TestWithoutABrakeAllDeletionsGoAtOnce(t *testing.T) {
	inRig(t, filled("d", 100), func(r *rig) {
		r.options.NoBrake = true
		r.runner = New(r.options)
		r.start()
		r.known()
		r.announceThere(deletedThere(r.below("d")))
		r.later(200 * time.Millisecond)
		r.wantStanding("d", 0)
	})
}

// went tells what the watcher saw go.
func (r *rig) went(names ...string) {
	var c watch.Change
	for _, name := range names {
		c.Events = append(c.Events, watch.Event{Path: relpath.MustParse(name), Removed: true})
	}
	r.runner.Notice(c)
}

// removed takes files from the disk, unseen.
func (r *rig) removed(names ...string) {
	r.t.Helper()
	for _, name := range names {
		r.must(r.user.RemoveAll(name))
	}
}

func names80() []string {
	var out []string
	for i := range 80 {
		out = append(out, fmt.Sprintf("d/f%04d", i))
	}
	return out
}

func TestAMassDeletionThatNobodySawIsNotAnnounced(t *testing.T) {
	inRig(t, both(filled("d", 100), filled("e", 20)), func(r *rig) {
		r.start()
		r.known()
		r.removed(names80()...)
		r.must(r.user.WriteFile("e/f0000", []byte("an edit that goes out")))
		r.must(r.scan())
		h := r.wantHeld(80)
		if !h.Outgoing || h.Emptied || h.Total != 120 || h.LastSeen.IsZero() {
			t.Errorf("it is shown as %+v", *h)
		}
		if n := len(r.below("d")); n != 100 {
			t.Errorf("%d records are left, want 100", n)
		}
		if v := r.runner.View(); !v.Settled || v.Err != nil || len(v.Failed) > 0 {
			t.Errorf("the folder does not go on: %+v", v)
		}
		r.later(2 * time.Hour) // the hourly scans find the same
		r.wantHeld(80)
		if rec := r.record("e/f0000"); rec.Size != int64(len("an edit that goes out")) {
			t.Error("the edit was not recorded")
		}
	})
}

func TestLostFilesAreFetchedAgainOrTheirDeletionIsAnnounced(t *testing.T) {
	for _, c := range []status.Choice{status.ApplyHeld, status.RestoreHeld} {
		t.Run(string(c), func(t *testing.T) {
			inRig(t, filled("d", 100), func(r *rig) {
				r.start()
				r.known()
				r.removed(names80()...)
				r.must(r.scan())
				r.wantHeld(80)
				r.restart()
				r.later(time.Second)
				r.wantHeld(80)
				before := r.record("d/f0000").Version
				r.decide(c)
				r.later(10 * time.Second)
				r.wantNothingHeld()
				if c == status.RestoreHeld {
					r.wantStanding("d", 100)
					if got, _ := r.user.ReadFile("d/f0079"); string(got) != "content 79 of d" {
						t.Errorf("what came back is %q", got)
					}
				} else {
					r.wantStanding("d", 20)
				}
				rec := r.record("d/f0000")
				if rec.Deleted != (c == status.ApplyHeld) || !rec.Version.Covers(before) {
					t.Errorf("the record is %+v", rec)
				}
			})
		})
	}
}

func TestAFileThatWasFetchedAgainCanBeDeleted(t *testing.T) {
	inKnown(t, func(r *rig) {
		r.removed(names80()...)
		r.must(r.scan())
		r.wantHeld(80)
		r.decide(status.RestoreHeld)
		r.later(10 * time.Second)
		r.wantStanding("d", 100)
		r.removed("d/f0000")
		r.went("d/f0000")
		r.later(time.Minute)
		if rec := r.record("d/f0000"); !rec.Deleted {
			t.Error("what was decided about the file before is taken for an answer once more")
		}
	})
}

func TestADecisionThatIsMootDoesNotComeBackWithARestart(t *testing.T) {
	inRig(t, both(filled("d", 80), filled("e", 20)), func(r *rig) {
		vanish := func() {
			r.must(r.user.MkdirAll(".stversions"))
			r.must(r.user.Rename("d", ".stversions/d"))
		}
		r.start()
		r.known()
		vanish()
		r.must(r.scan())
		r.wantHeld(80)
		r.must(r.user.Rename(".stversions/d", "d")) // before the decision is carried out
		_, err := r.runner.brake.decide(folderID, status.ApplyHeld, "")
		r.must(err)
		r.must(r.scan())
		r.wantNothingHeld()
		vanish()
		r.restart()
		r.later(time.Second)
		r.wantHeld(80)
		if r.record("d/f0000").Deleted {
			t.Error("deletions that nobody was asked about are announced")
		}
	})
}

func TestWhatAPersonWasSeenToDeleteIsAnnouncedAtOnce(t *testing.T) {
	tests := []struct {
		name string
		tell func(*rig)
	}{
		{"one by one", func(r *rig) { r.went(names80()...) }},
		{"with their directory", func(r *rig) { r.removed("d"); r.went("d") }},
		{"too many to be told", func(r *rig) {
			r.runner.Notice(watch.Change{Subtrees: names([]string{"d"}), Gone: names([]string{"d"})})
		}},
		{"after a scan had found them gone", func(r *rig) {
			r.must(r.scan())
			r.wantHeld(80)
			r.went(names80()...)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inRig(t, filled("d", 100), func(r *rig) {
				r.start()
				r.known()
				r.removed(names80()...)
				tt.tell(r)
				r.later(quietMax)
				r.wantNothingHeld()
				if rec := r.record("d/f0000"); !rec.Deleted {
					t.Error("it is not announced")
				}
			})
		})
	}
}

func TestADirectoryRenamedWhileNobodyWatchedIsNotHeld(t *testing.T) {
	inRig(t, filled("old", 300), func(r *rig) {
		r.start()
		r.known()
		r.must(r.user.Rename("old", "new"))
		r.must(r.scan())
		r.wantNothingHeld()
		if n := len(r.below("old")); n != 0 {
			t.Errorf("%d old names are left", n)
		}
		if n := len(r.below("new")); n != 300 {
			t.Errorf("%d new names, want 300", n)
		}
	})
}

// A mount that is lost shows the empty directory under it.
func TestALostMountInsideIsHeldAloneAndStaysHeldWhenSomebodyWritesThere(t *testing.T) {
	inRig(t, both(filled("mount", 11), filled("rest", 500)), func(r *rig) {
		r.start()
		r.known()
		r.removed("mount", "rest/f0000")
		r.must(r.user.MkdirAll("mount"))
		r.must(r.scan())
		r.wantHeld(11)
		if !r.record("rest/f0000").Deleted {
			t.Error("a deletion elsewhere is held as well")
		}
		r.must(r.user.WriteFile("mount/stray", []byte("written into the mount point")))
		r.must(r.scan())
		r.wantHeld(11)
		for name, content := range filled("mount", 11) {
			r.must(r.user.WriteFile(name, []byte(content)))
		}
		r.must(r.scan())
		r.wantNothingHeld()
		if n := len(r.below("mount")); n != 12 {
			t.Errorf("%d names are recorded in it, want 12", n)
		}
	})
}

func TestAFolderWhoseFilesAreAllGoneStopsAndGoesOnWhenTheyAreBack(t *testing.T) {
	files := filled("d", 11)
	inRig(t, files, func(r *rig) {
		r.start()
		r.known()
		before, announced := r.local(), r.announcements()
		r.removed("d")
		if err := r.scan(); fault.KindOf(err) != fault.Folder {
			t.Errorf("the scan ended with %v", err)
		}
		r.wantStopped("folder-emptied")
		if h := r.wantHeld(11); !h.Emptied {
			t.Errorf("it is shown as %+v", *h)
		}
		r.remoteFile("theirs", "hello")
		r.later(5 * time.Minute)
		r.wantStopped("folder-emptied")
		r.wantLocal(before...)
		if r.announcements() != announced {
			t.Error("something was announced")
		}
		if _, err := r.user.Lstat("theirs"); err == nil {
			t.Error("something was pulled into a folder that stands still")
		}
		r.must(r.user.MkdirAll("d"))
		for name, content := range files {
			r.must(r.user.WriteFile(name, []byte(content)))
		}
		r.later(checkEmptied + time.Second)
		if v := r.runner.View(); v.Err != nil || !v.Settled {
			t.Errorf("with its files back the folder is %+v", v)
		}
		r.wantNothingHeld()
		r.wantStanding("d", 11)
	})
}

func TestADecisionOpensAFolderWhoseFilesAreAllGone(t *testing.T) {
	for _, c := range []status.Choice{status.ApplyHeld, status.RestoreHeld} {
		t.Run(string(c), func(t *testing.T) {
			inRig(t, filled("d", 30), func(r *rig) {
				r.start()
				r.known()
				r.removed("d")
				_ = r.scan() // tells that it stopped
				r.wantStopped("folder-emptied")
				r.decide(c)
				r.later(10 * time.Second)
				r.wantNothingHeld()
				if v := r.runner.View(); v.Err != nil || !v.Settled {
					t.Errorf("decided, the folder is %+v", v)
				}
				want := 0
				if c == status.RestoreHeld {
					want = 30
				}
				r.wantStanding("d", want)
				if n := len(r.below("d")); n != want {
					t.Errorf("%d records, want %d", n, want)
				}
			})
		})
	}
}

func TestALostFileThatChangedElsewhereWaitsWithTheOthers(t *testing.T) {
	inKnown(t, func(r *rig) {
		r.removed(names80()...)
		r.must(r.scan())
		r.wantHeld(80)
		edit := fileThere("d/f0000", "edited there")
		edit.Version = r.record("d/f0000").Version.Bump(uint64(otherID.Short()), 0)
		r.source.add([]byte("edited there"))
		r.announceThere([]bep.FileInfo{edit})
		r.later(time.Minute)
		r.wantHeld(80)
		if v := r.runner.View(); !v.Settled || len(v.Failed) > 0 {
			t.Errorf("the folder is not at rest beside: %+v", v)
		}
		r.decide(status.RestoreHeld)
		r.later(10 * time.Second)
		if got, _ := r.user.ReadFile("d/f0000"); string(got) != "edited there" {
			t.Errorf("what came back is %q", got)
		}
	})
}

func TestNamesThatTheRulesLeaveAloneAreNeverHeld(t *testing.T) {
	inKnown(t, func(r *rig) {
		recs := r.below("d")
		r.must(r.user.WriteFile(relpath.IgnoreName, []byte("/d\n")))
		r.must(r.scan())
		r.announceThere(deletedThere(recs))
		r.later(15 * time.Second)
		r.wantNothingHeld()
		r.wantStanding("d", 100)
		r.removed("d")
		r.must(r.scan())
		r.wantNothingHeld()
	})
}

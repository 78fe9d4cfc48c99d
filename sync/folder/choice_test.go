package folder

import (
	"io/fs"
	"maps"
	"slices"
	"testing"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/conflict"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
	"lanyard/sync/vector"
)

// theirVersion is that of each file which the other device has in these tests.
var theirVersion = vector.Vector{{ID: uint64(otherID.Short()), Value: 9}}

// theyHave has the other device announce files, of one block each.
func (r *rig) theyHave(version vector.Vector, files map[string]string) {
	r.t.Helper()
	state, err := r.index.Remote(otherID)
	r.must(err)
	if state.IndexID == 0 {
		r.must(r.index.ResetRemote(otherID, 7))
	}
	var entries []bep.FileInfo
	for _, name := range slices.Sorted(maps.Keys(files)) {
		r.source.add([]byte(files[name]))
		e := oneBlock(name, files[name], version)
		r.sequence++
		e.ModifiedBy, e.Sequence = otherID.Short(), r.sequence
		entries = append(entries, e)
	}
	r.must(r.index.UpdateRemote(otherID, entries))
	r.runner.RemoteChanged()
	r.later(time.Minute)
}

// chooses notes a choice for files as they are now.
func (r *rig) chooses(keep status.Keep, names ...string) {
	r.t.Helper()
	var rivals []Rival
	for _, name := range names {
		p := relpath.MustParse(name)
		look, err := r.disk.Lstat(p)
		r.must(err)
		rivals = append(rivals, Rival{p, index.StampOf(look), theirVersion})
	}
	r.must(Choose(r.index, keep, rivals))
}

func (r *rig) wantChoice(left bool) {
	r.t.Helper()
	text, err := r.index.Meta(metaChoice)
	r.must(err)
	if (text != "") != left {
		r.t.Errorf("of the choice %q is kept, want some: %v", text, left)
	}
}

func TestWhatAPersonChoseOfFilesThatDifferIsKept(t *testing.T) {
	files := map[string]string{"a": "mine a", "b": "mine b", "own": "own"}
	theirs := map[string]string{"a": "theirs a", "b": "theirs b"}
	for _, known := range []bool{true, false} {
		t.Run(map[bool]string{true: "their index is there", false: "their index comes later"}[known], func(t *testing.T) {
			t.Run("theirs", func(t *testing.T) {
				inRig(t, files, func(r *rig) {
					r.chooses(status.KeepTheirs, "a", "b")
					r.meets(known, theirs)
					r.wantContents(map[string]string{"a": "theirs a", "b": "theirs b", "own": "own", "kept/a": "mine a", "kept/b": "mine b"})
					r.wantChoice(false)
				})
			})
			t.Run("mine", func(t *testing.T) {
				inRig(t, files, func(r *rig) {
					r.chooses(status.KeepMine, "a", "b")
					r.meets(known, theirs)
					r.wantContents(files)
					for _, name := range []string{"a", "b"} {
						if v := r.record(name).Version; vector.Compare(v, theirVersion) != vector.Greater {
							t.Errorf("%s has the version %v, which does not replace %v", name, v, theirVersion)
						}
					}
					if v := r.record("own").Version; len(v) != 1 {
						t.Errorf("a file that is only here has the version %v", v)
					}
					r.wantChoice(false)
				})
			})
		})
	}
}

// meets starts the folder, before or after the other device told what it has.
func (r *rig) meets(known bool, theirs map[string]string) {
	r.t.Helper()
	if !known {
		r.start()
	}
	r.theyHave(theirVersion, theirs)
	if known {
		r.start()
		r.later(time.Minute)
	}
}

// What was changed after the person looked is not covered: both versions of it are
// kept. Theirs are the later ones here, and get the name.
func TestAFileThatWasChangedAfterTheChoiceStaysInBothVersions(t *testing.T) {
	for keep, b := range map[status.Keep][]string{status.KeepMine: {"mine"}, status.KeepTheirs: {"theirs", "mine"}} {
		t.Run(string(keep)+", changed here", func(t *testing.T) {
			inRig(t, map[string]string{"a": "mine", "b": "mine"}, func(r *rig) {
				r.chooses(keep, "a", "b")
				r.must(r.user.WriteFile("a", []byte("edited")))
				r.start()
				r.theyHave(theirVersion, map[string]string{"a": "theirs", "b": "theirs"})
				r.wantBoth("a", "theirs", "edited")
				if got := r.contentsOf(); got["b"] != b[0] || len(b) > 1 && got["kept/b"] != b[1] {
					t.Errorf("what was not changed became %v", got)
				}
			})
		})
	}
	t.Run("mine, changed there", func(t *testing.T) {
		inRig(t, map[string]string{"a": "mine"}, func(r *rig) {
			r.chooses(status.KeepMine, "a")
			r.start()
			r.theyHave(vector.Vector{{ID: theirVersion[0].ID, Value: 10}}, map[string]string{"a": "theirs, edited"})
			r.wantBoth("a", "theirs, edited", "mine")
		})
	})
}

// wantBoth wants one content under a name, and the other in the one conflict copy
// that there is.
func (r *rig) wantBoth(name, named, beside string) {
	r.t.Helper()
	got := r.contentsOf()
	var copies []string
	for n := range got {
		if original, ok := conflict.Is(relpath.MustParse(n)); ok && original.String() == name {
			copies = append(copies, got[n])
		}
	}
	if got[name] != named || !slices.Equal(copies, []string{beside}) {
		r.t.Errorf("%s holds %q, and beside it are %q; want %q and %q", name, got[name], copies, named, beside)
	}
}

// A choice is carried out for what it was made for, after a restart as well, and
// for nothing that comes later.
func TestAChoiceOutlivesARestartAndEndsWithWhatItWasMadeFor(t *testing.T) {
	inRig(t, map[string]string{"a": "mine a", "b": "mine b"}, func(r *rig) {
		r.chooses(status.KeepTheirs, "a", "b")
		r.refuse(fs.ErrPermission, "b", fsys.OpOpen)
		r.start()
		r.wantChoice(true) // b could not be read yet
		r.disk.SetHook(nil)
		r.restart()
		r.wantChoice(false)
		r.theyHave(theirVersion, map[string]string{"a": "theirs a", "b": "theirs b"})
		want := map[string]string{"a": "theirs a", "b": "theirs b", "kept/a": "mine a", "kept/b": "mine b"}
		r.wantContents(want)

		r.must(r.user.WriteFile("a", []byte("edited here")))
		r.must(r.scan())
		r.theyHave(vector.Vector{{ID: theirVersion[0].ID, Value: 11}}, map[string]string{"a": "edited there"})
		r.wantBoth("a", "edited there", "edited here")
	})
}

// A choice for a file that is gone, or ignored by now, is kept for nothing.
func TestAChoiceForWhatIsNotThereEnds(t *testing.T) {
	inRig(t, map[string]string{"a": "mine", "b.tmp": "mine", ".stignore": "*.tmp"}, func(r *rig) {
		r.chooses(status.KeepMine, "a", "b.tmp")
		r.must(r.user.Remove("a"))
		r.start()
		r.wantChoice(false)
		r.must(r.user.WriteFile("a", []byte("made anew")))
		r.must(r.scan())
		if v := r.record("a").Version; len(v) != 1 {
			t.Errorf("what was made later has the version %v", v)
		}
	})
}

// A folder that does not send could not replace anything there, and one that does
// not receive nothing here.
func TestAChoiceIsForAFolderThatSendsAndReceives(t *testing.T) {
	for _, role := range []bep.FolderType{bep.SendOnly, bep.ReceiveOnly} {
		inRig(t, map[string]string{"a": "mine"}, func(r *rig) {
			r.options.Type = role
			r.runner = New(r.options)
			r.chooses(status.KeepMine, "a")
			r.start()
			if v := r.record("a").Version; v.Covers(theirVersion) {
				t.Errorf("in role %v the version is %v", role, v)
			}
		})
	}
}

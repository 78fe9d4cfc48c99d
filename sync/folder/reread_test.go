package folder

import (
	"crypto/sha256"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"lanyard/sync/fsys"
	"lanyard/sync/relpath"
	"lanyard/sync/status/statustest"
)

// powerCut ends the folder's run as a power cut does, with the disk as want says,
// which is one of those that it may leave.
func (r *rig) powerCut(want func(fsys.User) bool) {
	r.t.Helper()
	r.killed()
	for seed := range uint64(10_000) {
		after := r.disk.Crash(rand.New(rand.NewPCG(seed, 1)))
		if want(after.User()) {
			r.disk, r.user = after, after.User()
			return
		}
	}
	r.t.Fatal("no power cut leaves the disk like that")
}

// killed ends the folder's run without its noting that.
func (r *rig) killed() {
	r.t.Helper()
	r.runner.Stop()
	r.must(r.index.SetMeta(metaRunning, "yes"))
}

// begins begins another run, in the given boot of the computer.
func (r *rig) begins(boot string) {
	r.options.Boot = boot
	r.runner = New(r.options)
	r.start()
}

// lives lets a day go by, at the end of which a file is saved: what was recorded
// before is no more in doubt by its times.
func (r *rig) lives() {
	r.t.Helper()
	r.later(24 * time.Hour)
	r.must(r.user.WriteFile(recent, []byte("recent")))
	r.must(r.scan())
	r.user.Sync()
}

const recent = "recent"

// reads gives the names of the files that are opened from now on, in order.
func (r *rig) reads() func() []string {
	var mu sync.Mutex
	var names []string
	r.disk.SetHook(func(op fsys.Op) error {
		if op.Name == fsys.OpOpen && op.Paths[0] != recent && !relpath.MustParse(op.Paths[0]).Internal() {
			mu.Lock()
			defer mu.Unlock()
			names = append(names, op.Paths[0])
		}
		return nil
	})
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(names)
	}
}

// holds reports whether our record of a name is that of a content of one block.
func (r *rig) holds(name, content string) bool {
	r.t.Helper()
	rec, ok, err := r.index.Local(relpath.MustParse(name))
	r.must(err)
	return ok && len(rec.Blocks) == 1 && rec.Blocks[0].Hash == sha256.Sum256([]byte(content))
}

// A file may be saved in place just before the power goes, and its bytes reach
// the disk and its times do not: the times are those of long ago, and tell
// nothing.
func TestAfterAPowerCutAFileThatChangedUnderItsOldTimesIsFound(t *testing.T) {
	inRig(t, map[string]string{"a": "1", "b": "saved long ago", "dir/c": "3"}, func(r *rig) {
		r.options.Boot = "first"
		r.runner = New(r.options)
		r.start()
		r.must(r.scan())
		r.lives()
		look, err := r.user.Lstat("b")
		r.must(err)
		r.must(r.user.WriteFile("b", []byte("saved just now")))
		r.powerCut(func(u fsys.User) bool {
			now, err := u.Lstat("b")
			data, _ := u.ReadFile("b")
			return err == nil && now.Same(look) && string(data) == "saved just now"
		})
		r.begins("second")
		statustest.Raised(t, r.runner.View().Noted[codeReadAgain], "read-again")
		if !r.holds("b", "saved long ago") {
			t.Error("the scan found it: nothing is left to be tested")
		}
		r.later(2 * time.Minute)
		if !r.holds("b", "saved just now") {
			t.Error("the record is still that of the old content")
		}
		if !r.holds("a", "1") || !r.holds("dir/c", "3") {
			t.Error("files that did not change have other records")
		}
		if err := r.runner.View().Noted[codeReadAgain]; err != nil {
			t.Errorf("it is still told that files are read again: %v", err)
		}
		read := r.reads()
		r.runner.Stop()
		r.begins("third")
		r.later(time.Hour)
		if names := read(); len(names) > 0 {
			t.Errorf("after a run that ended in good order %v are read", names)
		}
	})
}

func TestFilesAreReadAgainOnlyWhereTheComputerStopped(t *testing.T) {
	for _, tt := range []struct {
		name         string
		before, then string
		killed, read bool
	}{
		{"the program was killed", "1", "1", true, false},
		{"the power went", "1", "2", true, true},
		{"the system does not tell one start from the next", "", "", true, true},
		{"the program did not note starts then", "", "1", true, true},
		{"the computer was shut down", "1", "2", false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inRig(t, map[string]string{"a": "1", "dir/b": "2"}, func(r *rig) {
				r.options.Boot = tt.before
				r.runner = New(r.options)
				r.start()
				r.must(r.scan())
				r.lives()
				if tt.killed {
					r.killed()
				} else {
					r.runner.Stop()
				}
				read := r.reads()
				r.begins(tt.then)
				r.later(time.Hour)
				if names := read(); len(names) > 0 != tt.read {
					t.Errorf("files that were read again: %v", names)
				}
			})
		})
	}
}

// What was not read again before the next power cut comes first after it, and
// nothing is left out: what was read may have changed since.
func TestAfterAnotherPowerCutReadingAgainGoesOnAndComesRound(t *testing.T) {
	inRig(t, map[string]string{"a": "1", "b": "2", "c": "3", "d": "4"}, func(r *rig) {
		r.start()
		r.must(r.scan())
		r.lives()
		r.killed()
		r.must(r.runner.saveReread(rereadPlace{At: "b"}))
		read := r.reads()
		r.begins("2")
		r.later(time.Hour)
		if names := read(); !slices.Equal(names, []string{"c", "d", "a", "b"}) {
			t.Errorf("read are %v, want those after b first and then the others", names)
		}
	})
}

// The round goes on after the program was ended and started again.
func TestReadingAgainGoesOnAfterARestart(t *testing.T) {
	inRig(t, map[string]string{"a": "1", "b": "2", "c": "3"}, func(r *rig) {
		r.begins("1")
		r.must(r.scan())
		r.lives()
		for _, end := range []func(){r.runner.Stop, func() { r.killed() }} {
			end()
			r.must(r.runner.saveReread(rereadPlace{At: "a"}))
			read := r.reads()
			r.begins("1")
			r.later(time.Hour)
			if names := read(); !slices.Equal(names, []string{"b", "c"}) {
				t.Errorf("read are %v, want b and c", names)
			}
		}
	})
}

// What cannot be read is not taken for read: it is as soon as it can be.
func TestAFileThatCannotBeReadAgainStaysInDoubt(t *testing.T) {
	inRig(t, map[string]string{"a": "1", "b": "2"}, func(r *rig) {
		r.begins("1")
		r.must(r.scan())
		r.lives()
		r.killed()
		r.begins("2")
		r.refuse(fsys.ErrIO, "a", fsys.OpOpen)
		r.later(20 * time.Minute)
		if r.runner.Failure(relpath.MustParse("a")) == nil {
			t.Error("it is not told that the file cannot be read")
		}
		read := r.reads()
		r.later(2 * time.Hour)
		if names := read(); !slices.Contains(names, "a") || slices.Contains(names, "b") {
			t.Errorf("once it can be read, read are %v, want a alone", names)
		}
		if r.runner.Failure(relpath.MustParse("a")) != nil {
			t.Error("it goes on being told that the file cannot be read")
		}
	})
}

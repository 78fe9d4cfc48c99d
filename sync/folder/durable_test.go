package folder

import (
	"strconv"
	"testing"
	"time"

	"lanyard/sync/exec"
	"lanyard/sync/fsys"
	"lanyard/sync/relpath"
)

func TestAClockThatWasSetIsNotSteady(t *testing.T) {
	start := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		name           string
		after          time.Duration // of even time since the look before
		wall           time.Duration // that the clock went on meanwhile
		jumped, steady bool
	}{
		{"nothing is known of what was before", 0, 0, false, false},
		{"it goes on", time.Minute, time.Minute, false, false},
		{"it went on for long enough", time.Minute, time.Minute, false, true},
		{"it is adjusted a little", time.Hour, time.Hour + 300*time.Millisecond, false, true},
		{"it is set a year forth", time.Second, 365 * 24 * time.Hour, true, false},
		{"what was saved then may not be on the disk yet", time.Minute, time.Minute, false, false},
		{"by now it is", time.Minute, time.Minute, false, true},
		{"it is set back", time.Second, -365 * 24 * time.Hour, true, false},
	}
	var c steadyClock
	now, wall := start, start
	for _, tt := range tests {
		now, wall = now.Add(tt.after), wall.Add(tt.wall)
		if jumped, steady := c.look(now, wall); jumped != tt.jumped || steady != tt.steady {
			t.Errorf("%s: jumped %v, steady %v, want %v, %v", tt.name, jumped, steady, tt.jumped, tt.steady)
		}
	}
}

// setWrong is an executor on a computer whose clock is set.
type setWrong struct {
	*exec.Real
	by time.Duration
}

func (s *setWrong) Wall() time.Time { return s.Real.Wall().Add(s.by) }

// What stands in doubt after a power cut is counted back from the last sign of
// life. A clock that is set must not take out of it what was recorded by the
// clock before that, nor what is recorded after it.
func TestASetClockTakesNothingOutOfDoubt(t *testing.T) {
	const year = 365 * 24 * time.Hour
	for _, tt := range []struct {
		name   string
		by     time.Duration
		record func(*rig)
		later  bool // the sign of life is from after the clock was set
	}{
		{"forth, and a file is saved", year, func(r *rig) { r.must(r.user.WriteFile("saved", []byte("1"))); r.must(r.scan()) }, false},
		{"forth, and a file is pulled", year, func(r *rig) { r.remoteFile("pulled", "1"); r.later(time.Second) }, false},
		{"back, and a file is saved", -year, func(r *rig) { r.must(r.user.WriteFile("saved", []byte("1"))); r.must(r.scan()) }, true},
		{"back, and a file is pulled", -year, func(r *rig) { r.remoteFile("pulled", "1"); r.later(time.Second) }, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inRig(t, map[string]string{"a": "1"}, func(r *rig) {
				clock := &setWrong{Real: r.exec}
				r.options.Exec = clock
				r.runner = New(r.options)
				r.start()
				r.must(r.scan())
				r.later(doubtful - 2*time.Minute)
				before := r.signOfLife()
				clock.by = tt.by
				r.later(time.Second)
				tt.record(r)
				if later := !r.signOfLife().Equal(before); later != tt.later {
					t.Errorf("the sign of life was %v, is %v", before, r.signOfLife())
				}
				r.later(2 * doubtful)
				r.must(r.user.WriteFile("last", []byte("1")))
				r.must(r.scan())
				if last := r.signOfLife(); clock.Wall().Sub(last) > time.Minute {
					t.Errorf("long after the clock was set to %v the sign of life is %v", clock.Wall(), last)
				}
			})
		})
	}
}

// signOfLife reads what the index notes.
func (r *rig) signOfLife() time.Time {
	r.t.Helper()
	text, err := r.index.Meta(metaAlive)
	r.must(err)
	seconds, err := strconv.ParseInt(text, 10, 64)
	r.must(err)
	return time.Unix(seconds, 0)
}

// A directory that cannot be looked at may be one whose names changed just now:
// what is in it is not recorded before it could be made durable.
func TestNothingIsRecordedInADirectoryThatCannotBeLookedAt(t *testing.T) {
	inRig(t, map[string]string{"dir/a": "1", "b": "1"}, func(r *rig) {
		r.start()
		r.must(r.scan())
		r.later(2 * writtenBack)
		r.must(r.user.WriteFile("dir/new", []byte("1")))
		r.must(r.user.WriteFile("new", []byte("1")))
		r.refuse(fsys.ErrIO, "dir", fsys.OpLstat)
		r.must(r.scan())
		for name, want := range map[string]bool{"new": true, "dir/new": false} {
			if _, ok, err := r.index.Local(relpath.MustParse(name)); err != nil || ok != want {
				t.Errorf("%s is recorded: %v (%v), want %v", name, ok, err, want)
			}
		}
		r.disk.SetHook(nil)
		r.must(r.scan())
		if _, ok, err := r.index.Local(relpath.MustParse("dir/new")); err != nil || !ok {
			t.Errorf("dir/new is not recorded once its directory can be looked at (%v)", err)
		}
	})
}

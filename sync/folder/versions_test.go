package folder

import (
	"sync/atomic"
	"testing"
	"time"

	"lanyard/sync/exec"
)

// wrongClock is an Executor on a computer whose clock was set.
type wrongClock struct {
	*exec.Real
	ahead atomic.Int64 // nanoseconds
}

func (w *wrongClock) Wall() time.Time { return w.Real.Wall().Add(time.Duration(w.ahead.Load())) }

// A clock that is years ahead when the computer starts, or is set so by
// mistake, takes away no version that is not that old.
func TestVersionsAreNotOverAgeByAClockThatWasJustSet(t *testing.T) {
	const stored = ".stversions/plan~20000101-000000.txt"
	inRig(t, map[string]string{"plan.txt": "a plan", stored: "an older plan"}, func(r *rig) {
		clock := &wrongClock{Real: r.exec}
		clock.ahead.Store(int64(10 * 365 * 24 * time.Hour))
		r.options.Exec = clock
		r.runner = New(r.options)
		r.start()
		wantVersion := func(want bool, when string) {
			t.Helper()
			if _, err := r.user.Lstat(stored); (err == nil) != want {
				t.Errorf("%s the version is there: %v", when, err == nil)
			}
		}
		r.later(trustClock - time.Minute)
		wantVersion(true, "just after the start")
		clock.ahead.Add(int64(24 * time.Hour))
		r.later(trustClock - time.Minute)
		wantVersion(true, "just after the clock was set")
		r.later(trustClock)
		wantVersion(false, "by a clock that was steady")
	})
}

package pull_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/pull"
)

// brake holds what it is told to.
type brake struct {
	held    map[string]bool
	wait    time.Duration
	err     error
	weighed []int // what each pass would have taken
	gone    []string
}

func (b *brake) Weigh(known int) (time.Duration, bool, error) {
	b.weighed = append(b.weighed, known)
	return b.wait, false, b.err
}

func (b *brake) Holding() bool             { return len(b.held) > 0 }
func (b *brake) Held(n *index.Needed) bool { return b.held[n.Global.Name.String()] }

func (b *brake) Deleted(done []*index.Needed) {
	for _, n := range done {
		b.gone = append(b.gone, n.Local.Name.String())
	}
}

func TestWhatTheBrakeHoldsIsLeftAloneAndTheRestIsPulled(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		b := &brake{held: map[string]bool{"d": true, "d/a": true, "lost": true}, wait: time.Second}
		r.brake = b
		for _, name := range []string{"d/a", "other", "lost"} {
			r.write(name, "content of "+name)
		}
		r.scan()
		r.announce(first, []string{"new", "edited"},
			gone("d", r.newer("d")), gone("d/a", r.newer("d/a")), gone("other", r.newer("other")),
			file("new", "new", remote), file("lost", "edited", r.newer("lost")))
		res := r.pull()
		if res.Err != nil || len(res.Failed) > 0 || res.Later != time.Second {
			t.Fatalf("the round ended with %v, failed %v, later %v", res.Err, res.Failed, res.Later)
		}
		r.wantFile("d/a", "content of d/a")
		r.wantFile("lost", "content of lost")
		r.wantFile("new", "new")
		r.wantGone("other")
		if !slices.Equal(b.gone, []string{"other"}) {
			t.Errorf("the brake was told of %q, want the one that went", b.gone)
		}
		b.held, b.wait = nil, 0
		r.pulled()
		r.wantGone("d")
		r.wantFile("lost", "edited")
	})
}

func TestNothingIsDeletedBeforeItIsWeighed(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		b := &brake{err: errors.New("no answer")}
		r.brake = b
		r.have("a", "content")
		r.announce(first, nil, gone("a", r.newer("a")))
		if res := r.pull(); !errors.Is(res.Err, b.err) {
			t.Errorf("the round ended with %v, want the brake's error", res.Err)
		}
		r.wantFile("a", "content")
		if !slices.Equal(b.weighed, []int{1}) {
			t.Errorf("weighed %v, want one deletion", b.weighed)
		}
		b.err = nil
		r.pulled()
		r.wantGone("a")
	})
}

func TestARenameIsNoDeletion(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		b := &brake{held: map[string]bool{"old": true}}
		r.brake = b
		r.have("old", "content")
		r.announce(first, nil, file("new", "content", remote), gone("old", r.newer("old")))
		r.pulled()
		r.wantFile("new", "content")
		r.wantGone("old")
		if len(b.gone) > 0 {
			t.Errorf("the brake was told that %q was deleted", b.gone)
		}
	})
}

var _ pull.Brake = (*brake)(nil)

package folder

import (
	"context"
	"io/fs"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"lanyard/sync/archive"
	"lanyard/sync/exec"
	"lanyard/sync/fault"
	"lanyard/sync/fsys"
	"lanyard/sync/relpath"
	"lanyard/sync/status/statustest"
	"lanyard/sync/watch"
)

func TestAStoppedFolderSaysWhyAndGoesOnOnceMended(t *testing.T) {
	ignored := func(text string) func(*rig) {
		return func(r *rig) { r.must(r.user.WriteFile(relpath.IgnoreName, []byte(text))) }
	}
	tests := []struct {
		code        fault.Code
		cause, mend func(*rig)
		data        map[string]string // at least
	}{
		{
			"folder-missing",
			func(r *rig) { r.disk.SetRoot(fsys.RootGone) },
			func(r *rig) { r.disk.SetRoot(fsys.RootPresent) }, nil,
		},
		{
			"folder-swapped",
			func(r *rig) { r.must(r.user.WriteFile(Marker(folderID).String(), []byte("of another folder"))) },
			func(r *rig) { r.must(r.user.WriteFile(Marker(folderID).String(), []byte("the marker of this folder"))) }, nil,
		},
		{
			"folder-unmarked",
			func(r *rig) { r.must(r.user.Remove(Marker(folderID).String())) },
			func(r *rig) { r.must(r.user.WriteFile(Marker(folderID).String(), []byte("the marker of this folder"))) }, nil,
		},
		{
			"rule-broken", ignored("*.tmp\n\n[a\n"), ignored("*.tmp\n"),
			map[string]string{"rules": ".stignore", "line": "3", "rule": "[a"},
		},
		{
			"rule-file-missing", ignored("#include .stshared\n"), ignored(""),
			map[string]string{"rules": ".stignore", "line": "1", "file": ".stshared"},
		},
		{
			"rule-file-missing", ignored("// ours\n#include ../theirs\n"), ignored(""),
			map[string]string{"rules": ".stignore", "line": "2", "file": "../theirs"},
		},
	}
	for _, test := range tests {
		t.Run(string(test.code), func(t *testing.T) {
			inRig(t, map[string]string{"a": "1"}, func(r *rig) {
				r.start()
				test.cause(r)
				if err := r.scan(); err == nil {
					t.Error("a scan succeeded")
				}
				v := r.runner.View()
				statustest.Raised(t, v.Err, test.code)
				for name, want := range test.data {
					if got := fault.DataOf(v.Err)[name]; got != want {
						t.Errorf("{%s} is %q, want %q", name, got, want)
					}
				}
				if v.Settled || v.Known || !v.ErrSince.Equal(time.Now()) {
					t.Errorf("stopped, the view is %+v", v)
				}
				began := v.ErrSince
				r.later(checkRoot)
				if v := r.runner.View(); !v.ErrSince.Equal(began) {
					t.Errorf("it goes on since %v, and is said to have begun at %v", began, v.ErrSince)
				}
				test.mend(r)
				r.later(checkRoot)
				if v := r.runner.View(); v.Err != nil || !v.Settled || !v.Known {
					t.Errorf("mended, the view is %+v", v)
				}
			})
		})
	}
}

func TestAFolderThatIsNotOpenYetIsNotAtRest(t *testing.T) {
	inRig(t, nil, func(r *rig) {
		r.runner.step(ScanAsked{Ticket: 1})
		if v := r.runner.View(); v.Settled || v.Known || !v.Scanning {
			t.Errorf("before it is open the view is %+v", v)
		}
	})
}

// lookout is a watcher that the test steers.
type lookout struct {
	skip      func(relpath.Path) bool
	ready     chan struct{}
	end       chan error
	mu        sync.Mutex
	unwatched []relpath.Path
}

func (l *lookout) Ready() <-chan struct{} { return l.ready }

func (l *lookout) Run(ctx context.Context, _ func(watch.Change)) error {
	select {
	case err := <-l.end:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (l *lookout) Unwatched() []relpath.Path {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.unwatched
}

// watched gives the folder of a rig watchers, and lists those that it made.
func (r *rig) watched(unwatched ...string) func() []*lookout {
	var mu sync.Mutex
	var made []*lookout
	r.runner.o.NewWatcher = func(skip func(relpath.Path) bool) watch.Watcher {
		l := &lookout{skip: skip, ready: make(chan struct{}), end: make(chan error, 1)}
		close(l.ready)
		for _, name := range unwatched {
			l.unwatched = append(l.unwatched, relpath.MustParse(name))
		}
		mu.Lock()
		defer mu.Unlock()
		made = append(made, l)
		return l
	}
	return func() []*lookout {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(made)
	}
}

func TestTheWatcherFollowsRulesThatChangeWhileTheFolderIsStopped(t *testing.T) {
	inRig(t, map[string]string{"a": "1", relpath.IgnoreName: "build\n"}, func(r *rig) {
		made := r.watched()
		r.start()
		build, cache := relpath.MustParse("build"), relpath.MustParse("cache")
		if l := made(); len(l) != 1 || !l[0].skip(build) || l[0].skip(cache) {
			t.Fatalf("%d watchers at the start", len(l))
		}
		r.must(r.user.WriteFile(relpath.IgnoreName, []byte("[\n")))
		if err := r.scan(); err == nil {
			t.Error("a scan with broken rules succeeded")
		}
		r.must(r.user.WriteFile(relpath.IgnoreName, []byte("cache\n")))
		r.later(checkRoot)
		l := made()
		if last := l[len(l)-1]; len(l) != 2 || last.skip(build) || !last.skip(cache) {
			t.Errorf("%d watchers; the last keeps to the rules of before", len(l))
		}
	})
}

func TestAWatcherThatLostItsRootIsMadeAnewWithTheFolder(t *testing.T) {
	inRig(t, map[string]string{"a": "1"}, func(r *rig) {
		made := r.watched()
		r.start()
		r.disk.SetRoot(fsys.RootGone)
		made()[0].end <- watch.ErrRootGone
		synctest.Wait()
		if err := r.scan(); err == nil {
			t.Error("a scan succeeded")
		}
		r.disk.SetRoot(fsys.RootPresent)
		r.later(checkRoot)
		if n := len(made()); n != 2 {
			t.Errorf("%d watchers were made, want 2", n)
		}
		if v := r.runner.View(); len(v.Noted) != 0 {
			t.Errorf("watched again, there is still %v", v.Noted)
		}
	})
}

func TestAWatcherThatEndsWhileTheFolderGoesOnIsMadeAnew(t *testing.T) {
	for _, test := range []struct {
		end   error
		after time.Duration
	}{{watch.ErrRootGone, time.Second}, {fs.ErrInvalid, 2 * pollEvery}} {
		inRig(t, map[string]string{"a": "1"}, func(r *rig) {
			made := r.watched()
			r.start()
			r.must(r.user.WriteFile("b", []byte("nobody tells of it")))
			made()[0].end <- test.end
			r.later(test.after)
			if n := len(made()); n != 2 {
				t.Errorf("%v: %d watchers were made, want 2", test.end, n)
			}
			if v := r.runner.View(); len(v.Noted) != 0 {
				t.Errorf("%v: watched again, there is still %v", test.end, v.Noted)
			}
			if _, ok, err := r.index.Local(relpath.MustParse("b")); !ok || err != nil {
				t.Errorf("%v: what came meanwhile was not noticed: %v", test.end, err)
			}
		})
	}
}

func TestWhatIsNotWatchedIsNoted(t *testing.T) {
	inRig(t, nil, func(r *rig) {
		made := r.watched("x", "y/z")
		r.start()
		err := r.runner.View().Noted["watch-limit"]
		statustest.Raised(t, err, "watch-limit")
		if n := fault.DataOf(err)["n"]; n != "2" {
			t.Errorf("%s directories are not watched, want 2", n)
		}
		l := made()[0]
		l.mu.Lock()
		l.unwatched = append(l.unwatched, relpath.MustParse("more"))
		l.mu.Unlock()
		r.later(pollEvery)
		if n := fault.DataOf(r.runner.View().Noted["watch-limit"])["n"]; n != "3" {
			t.Errorf("%s directories are not watched, want 3", n)
		}
	})
	inRig(t, nil, func(r *rig) {
		made := r.watched()
		r.start()
		if noted := r.runner.View().Noted; len(noted) != 0 {
			t.Errorf("everything is watched, and there is %v", noted)
		}
		made()[0].end <- fs.ErrInvalid
		synctest.Wait()
		statustest.Raised(t, r.runner.View().Noted["watch-none"], "watch-none")
	})
	inRig(t, nil, func(r *rig) {
		made := r.watched()
		r.start()
		made()[0].end <- watch.ErrLimit
		synctest.Wait()
		statustest.Raised(t, r.runner.View().Noted["watch-limit"], "watch-limit")
	})
}

func TestAFullArchiveSaysHowFarItReachesBack(t *testing.T) {
	statustest.Raised(t, pruned(archive.Pruned{Early: true, Since: time.Now()}), "archive-full")
	if err := pruned(archive.Pruned{}); err != nil {
		t.Errorf("nothing went early, and there is %v", err)
	}
}

func TestAConditionIsToldOnceAndEnds(t *testing.T) {
	told := 0
	r := New(Options{Changed: func() { told++ }, Exec: &exec.Real{}})
	err := fault.With(fault.New(fault.Folder, "watch-limit", "too many"), "n", "1")
	r.note("watch-limit", err)
	r.note("watch-limit", err)
	if told != 1 || len(r.View().Noted) != 1 {
		t.Errorf("told %d times, noted %v", told, r.View().Noted)
	}
	r.note("watch-limit", fault.With(err, "n", "2"))
	r.note("watch-limit", nil)
	r.note("watch-limit", nil)
	if told != 3 || len(r.View().Noted) != 0 {
		t.Errorf("told %d times, noted %v", told, r.View().Noted)
	}
}

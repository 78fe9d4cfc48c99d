package scan_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"lanyard/sync/block"
	"lanyard/sync/fsys"
	"lanyard/sync/relpath"
)

// lister is a disk on which listings are counted, and fail the first time where
// failing says so.
type lister struct {
	fsys.FS
	mu      sync.Mutex
	listed  map[relpath.Path]int
	failing func(dir relpath.Path) bool
}

func (l *lister) ReadDir(dir relpath.Path) ([]fsys.Entry, error) {
	l.mu.Lock()
	l.listed[dir]++
	first := l.listed[dir] == 1
	l.mu.Unlock()
	if first && l.failing != nil && l.failing(dir) {
		return nil, errors.New("not now")
	}
	return l.FS.ReadDir(dir)
}

// listing gives a rig with five directories on each of two levels, a file in
// each, and an ignored directory beside them.
func listing(t *testing.T) (*rig, *lister) {
	t.Helper()
	r := newRig(t, fsys.MemOptions{})
	for _, top := range strings.Fields("a b c d e") {
		r.write(top+"/sno/secret", "x")
		for _, sub := range strings.Fields("p q r s t") {
			r.write(top+"/"+sub+"/file", "x")
		}
	}
	l := &lister{FS: r.disk, listed: map[relpath.Path]int{}}
	r.opts.FS, r.opts.Ignore, r.opts.Pool = l, rules{"a/sno", "b/sno", "c/sno", "d/sno", "e/sno"}, block.NewPool(2)
	return r, l
}

func TestIgnoredDirectoriesAreNotListedAhead(t *testing.T) {
	r, l := listing(t)
	if res := r.scan(); res.Seen != 5+25+25 {
		t.Errorf("%d were seen, want 55", res.Seen)
	}
	for dir := range l.listed {
		if dir.Base() == "sno" {
			t.Errorf("%s was listed", dir)
		}
	}
	if len(l.listed) != 1+5+25 {
		t.Errorf("%d directories were listed, want 31", len(l.listed))
	}
}

// The walk comes to the first directory of a level before it is listed ahead;
// the others fail before the walk is there.
func TestAListingThatFailedAheadIsMadeAgain(t *testing.T) {
	r, l := listing(t)
	l.failing = func(dir relpath.Path) bool { return !dir.IsRoot() && dir.Base() != "a" && dir.Base() != "p" }
	res := r.scan()
	if len(res.Problems) > 0 || len(res.Unlisted) > 0 || res.Seen != 55 {
		t.Errorf("%d were seen, %v could not be listed: %v", res.Seen, res.Unlisted, res.Problems)
	}
}

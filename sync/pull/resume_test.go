package pull_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/device"
	"lanyard/sync/fsys"
	"lanyard/sync/relpath"
)

// restart is a new run of the program on the same disk and index.
func (r *rig) restart() {
	r.t.Helper()
	r.worker = nil
	r.source.mu.Lock()
	r.source.requests = nil
	r.source.mu.Unlock()
	r.start()
	var temps []relpath.Path
	for _, name := range r.temps() {
		temps = append(temps, relpath.MustParse(name))
	}
	r.worker.LeftOver(temps)
}

// verified counts the blocks of a file that stand in its temporary file.
func (r *rig) verified(f bep.FileInfo, content string) (names []string) {
	r.t.Helper()
	for _, temp := range r.temps() {
		if !strings.Contains(temp, "."+f.Name.Base()+".") {
			continue
		}
		got, err := r.user.ReadFile(temp)
		r.must(err)
		for i, b := range f.Blocks {
			end := b.Offset + int64(b.Size)
			if int64(len(got)) >= end && string(got[b.Offset:end]) == content[b.Offset:end] {
				names = append(names, fmt.Sprintf("%s %d", f.Name, i))
			}
		}
	}
	return names
}

// TestNoBlockThatStandsVerifiedIsAskedForAgain ends the program at each call to
// the disk, with and without a power cut, and counts what the next run asks
// for: just what is neither in place nor in a temporary file.
func TestNoBlockThatStandsVerifiedIsAskedForAgain(t *testing.T) {
	for _, powerCut := range []bool{false, true} {
		spared := 0
		for n, ended := 1, true; ended; n++ {
			inRig(t, fsys.MemOptions{}, func(r *rig) {
				var kept int
				kept, ended = resumeAfter(r, n, powerCut)
				spared += kept
			})
		}
		if spared == 0 {
			t.Errorf("power cut %v: no temporary file ever held anything", powerCut)
		}
	}
}

// resumeAfter lets every call to the disk fail from the n-th on, and restarts
// then. It counts the blocks that the next run found in temporary files.
func resumeAfter(r *rig, n int, powerCut bool) (kept int, ended bool) {
	contents := map[string]string{"big": big, "d/small": random(1000), "one": random(block.MinSize), "tiny": "x"}
	var all []bep.FileInfo
	for _, name := range []string{"big", "d/small", "one", "tiny"} {
		all = append(all, file(name, contents[name], remote))
		r.announce(first, []string{contents[name]})
	}
	r.announce(first, nil, append([]bep.FileInfo{dir("d", remote)}, all...)...)
	var calls atomic.Int64
	r.disk.SetHook(func(fsys.Op) error {
		if calls.Add(1) >= int64(n) {
			return errRefused
		}
		return nil
	})
	r.pull()
	ended = calls.Load() >= int64(n)
	r.disk.SetHook(nil)
	if powerCut {
		r.disk = r.disk.Crash(rand.New(rand.NewPCG(uint64(n), 0)))
		r.user = r.disk.User()
	}
	var want, standing []string
	for _, f := range all {
		rec, ok, err := r.index.Local(f.Name)
		r.must(err)
		if ok && !rec.Deleted {
			continue
		}
		there := r.verified(f, contents[f.Name.String()])
		standing = append(standing, there...)
		for i := range f.Blocks {
			if block := fmt.Sprintf("%s %d", f.Name, i); !slices.Contains(there, block) {
				want = append(want, block)
			}
		}
	}
	r.restart()
	r.scan() // what was placed but not recorded
	r.pulled()
	for name, content := range contents {
		r.wantFile(name, content)
	}
	asked := r.source.asked()
	slices.Sort(asked)
	slices.Sort(want)
	for _, block := range asked {
		if !slices.Contains(want, block) {
			r.t.Errorf("ended at call %d (power cut %v): %q were asked for, of which %q stood in temporary files", n, powerCut, asked, standing)
			break
		}
	}
	if left := r.temps(); len(left) > 0 {
		r.t.Errorf("ended at call %d: temporary files %q are left", n, left)
	}
	return len(standing), ended
}

func TestATemporaryFileIsNamedAfterItsVersionAndPrivate(t *testing.T) {
	long := strings.Repeat("l", 146)
	for name, want := range map[string]string{
		"d/big":         `^d/\.syncthing\.big\.[0-9a-f]{16}\.tmp$`,
		"d/" + long[1:]: `^d/\.syncthing\.` + long[1:] + `\.[0-9a-f]{16}\.tmp$`,
		"d/" + long:     `^d/\.syncthing\.[0-9a-f]{64}\.[0-9a-f]{16}\.tmp$`,
	} {
		inRig(t, fsys.MemOptions{}, func(r *rig) {
			begin := func(f bep.FileInfo) string {
				r.announce(first, []string{big}, dir("d", remote), f)
				r.source.answer = func(_ device.ID, req *bep.Request) (*bep.Response, error) { return nil, errRefused }
				r.pull()
				for _, temp := range r.temps() {
					look, err := r.disk.Lstat(relpath.MustParse(temp))
					r.must(err)
					if !regexp.MustCompile(want).MatchString(temp) || look.Mode != 0o600 {
						t.Errorf("%s is built in %s, mode %o, want %s, mode 600", name, temp, look.Mode, want)
					}
				}
				temps := r.temps()
				return temps[len(temps)-1]
			}
			one := begin(file(name, big, remote))
			if again := begin(file(name, big, remote)); again != one || len(r.temps()) != 1 {
				t.Errorf("%s is built in %s, then in %s", name, one, again)
			}
			begin(file(name, big, remote.Bump(9, 0)))
			if temps := r.temps(); len(temps) != 2 {
				t.Errorf("two versions of %s are built in %q", name, temps)
			}
		})
	}
}

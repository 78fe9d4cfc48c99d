package pull_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/device"
	"lanyard/sync/fsys"
	"lanyard/sync/pull"
	"lanyard/sync/relpath"
)

var third = device.ID{3}

// long is a file of n blocks of eight bytes, all of them zeros but the last,
// which alone has to be asked for; and its content.
func long(name string, n int) (bep.FileInfo, string) {
	const size = 8
	f := bep.FileInfo{
		Name: relpath.MustParse(name), Size: int64(n) * size, Permissions: 0o644, ModifiedS: later,
		Version: remote, BlockSize: size, ModifiedBy: 9,
	}
	zero := sha256.Sum256(make([]byte, size))
	for i := range n {
		f.Blocks = append(f.Blocks, block.Info{Offset: int64(i) * size, Size: size, Hash: zero})
	}
	last := binary.BigEndian.AppendUint64(nil, sum64(name))
	f.Blocks[n-1].Hash = sha256.Sum256(last)
	return f, strings.Repeat("\x00", (n-1)*size) + string(last)
}

func sum64(s string) uint64 {
	sum := sha256.Sum256([]byte(s))
	return binary.BigEndian.Uint64(sum[:])
}

// announceLong makes a device announce such files, and serve them.
func (r *rig) announceLong(dev device.ID, n int, names ...string) {
	r.t.Helper()
	for _, name := range names {
		f, content := long(name, n)
		r.announce(dev, []string{content[len(content)-8:]}, f)
	}
}

func TestListsOfFilesThatWaitAreNotHeld(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		r.maxLists = 3_000
		letGo := r.silent(first)
		var names []string
		for i := range 7 {
			names = append(names, fmt.Sprintf("huge %d", i))
		}
		r.announceLong(first, 1_400, names...)
		r.announce(first, []string{big}, file("large", big, remote))
		r.start()
		done := make(chan pull.Result, 1)
		r.worker.Start(func(res pull.Result) { done <- res })
		<-time.After(time.Second)
		if n := len(r.temps()); n != 2 {
			t.Errorf("%d files are gathered side by side, want the 2 whose lists there is room for", n)
		}
		// One is another file by now, one has other bytes under the same version.
		f, content := long("huge 5", 1_300)
		f.Version = remote.Bump(9, 0)
		r.announce(first, []string{content[len(content)-8:]}, f)
		letGo()
		if res := <-done; res.Err != nil || len(res.Failed) > 0 {
			t.Errorf("the round ended with %v, failed %v", res.Err, res.Failed)
		}
		r.pulled()
		for _, name := range names {
			n := 1_400
			if name == "huge 5" {
				n = 1_300
			}
			_, content := long(name, n)
			r.wantFile(name, content)
		}
		r.wantFile("large", big)
	})
}

// Two devices offer files with very long lists and send nothing.
func TestLongListsOfDevicesThatDoNotAnswerHoldUpNobodyElse(t *testing.T) {
	inRig(t, fsys.MemOptions{}, func(r *rig) {
		r.maxLists = 3_000
		held := make(chan struct{})
		r.source.holdOf = map[device.ID]chan struct{}{first: held, second: held}
		r.announceLong(first, 2_400, "a 1", "a 2")
		r.announceLong(second, 2_400, "b 1", "b 2")
		r.start()
		done := make(chan pull.Result, 1)
		r.worker.Start(func(res pull.Result) { done <- res })
		<-time.After(10 * time.Second)
		r.announceLong(third, 1_400, "honest")
		r.worker.Refresh()
		if !until(func() bool { return r.holds("honest") }) {
			t.Error("what the third device has did not arrive")
		}
		close(held)
		if res := <-done; res.Err != nil || len(res.Failed) > 0 {
			t.Errorf("the round ended with %v, failed %v", res.Err, res.Failed)
		}
		r.pulled()
		for _, name := range []string{"a 1", "a 2", "b 1", "b 2"} {
			_, content := long(name, 2_400)
			r.wantFile(name, content)
		}
	})
}

func TestFilesOnTheirWayTakeAFifthOfTheFreeSpace(t *testing.T) {
	for _, tt := range []struct {
		capacity int64
		want     int // gathered side by side
	}{{20 << 20, 3}, {10 << 20, 1}, {8 << 20, 1}, {0, 5}} {
		inRig(t, fsys.MemOptions{}, func(r *rig) {
			r.disk.SetCapacity(tt.capacity)
			letGo := r.silent(first)
			content := map[string]string{}
			for i := range 5 {
				name, c := fmt.Sprint(i), random(10*block.MinSize+i)
				content[name] = c
				r.announce(first, []string{c}, file(name, c, remote))
			}
			r.announce(first, []string{"small"}, file("small", "small", remote))
			r.start()
			done := make(chan pull.Result, 1)
			r.worker.Start(func(res pull.Result) { done <- res })
			<-time.After(time.Second)
			if n := len(r.temps()); n != tt.want {
				t.Errorf("a disk of %d MiB: %d files are gathered side by side, want %d", tt.capacity>>20, n, tt.want)
			}
			letGo()
			if res := <-done; res.Err != nil || len(res.Failed) > 0 {
				t.Errorf("a disk of %d MiB: the round ended with %v, failed %v", tt.capacity>>20, res.Err, res.Failed)
			}
			r.pulled()
			for name, c := range content {
				r.wantFile(name, c)
			}
			r.wantFile("small", "small")
		})
	}
}

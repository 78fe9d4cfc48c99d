package activity

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"lanyard/sync/device"
	"lanyard/sync/status"
)

var (
	anna = device.ID{1}
	ben  = device.ID{2}
)

// clock is a time that a test sets.
type clock struct{ now time.Time }

func newLog() (*Log, *clock) {
	c := &clock{time.Date(2026, 11, 21, 14, 0, 0, 0, time.UTC)}
	return New(func() time.Time { return c.now }), c
}

func who(short device.ShortID) (id, name string, ok bool) {
	switch short {
	case anna.Short():
		return anna.String(), "Anna's laptop", true
	case ben.Short():
		return ben.String(), "Ben", true
	}
	return "", "", false
}

func added(path string) status.Deed {
	hash := sha256.Sum256([]byte(path))
	return status.Deed{What: status.FileAdded, Path: path, Bytes: 10, By: anna.Short(), Content: hash[:]}
}

// deleted is the deletion of what added told of.
func deleted(path, contentOf string) status.Deed {
	d := added(contentOf)
	d.What, d.Path = status.FileDeleted, path
	return d
}

// told gives all parts, the newest first, as "what path from device".
func told(l *Log, w Wanted) (out []string, parts int) {
	for {
		part := l.Part(w, who, func(h *status.Happening) { h.Text = "worded " + string(h.Code) })
		for _, h := range part.Entries {
			words := []string{string(h.What), h.Path, h.From, h.Name, h.Text}
			if h.Count > 0 {
				words = append(words, fmt.Sprintf("+%d", h.Count))
			}
			out = append(out, strings.Join(slices.DeleteFunc(words, func(s string) bool { return s == "" }), " "))
		}
		parts++
		if w.Before = part.Next; w.Before == "" {
			return out, parts
		}
	}
}

func want(t *testing.T, l *Log, w Wanted, want ...string) {
	t.Helper()
	got, _ := told(l, w)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("asked for %+v (-want +got):\n%s", w, diff)
	}
}

func TestOneFileAfterTheOther(t *testing.T) {
	l, _ := newLog()
	before := l.Moved()
	l.Did("p", "Photos", added("a.txt"))
	if l.Moved() == before {
		t.Error("nobody is told that there is more")
	}
	l.Did("p", "Photos", status.Deed{What: status.FileChanged, Path: "a.txt", Bytes: 3, By: ben.Short()})
	l.Did("d", "Docs", status.Deed{What: status.FileDeleted, Path: "ä/B.txt", By: device.ID{9}.Short()})
	l.Did("d", "Docs", added("plan.sync-conflict-20261121-013104-ABCDEFG.txt"))
	stranger := device.ID{9}.Short().String()
	want(t, l, Wanted{},
		"two-versions plan.txt plan.sync-conflict-20261121-013104-ABCDEFG.txt Anna's laptop",
		"deleted ä/B.txt "+stranger, "changed a.txt Ben", "added a.txt Anna's laptop")
	want(t, l, Wanted{Folder: "p"}, "changed a.txt Ben", "added a.txt Anna's laptop")
	want(t, l, Wanted{Device: ben.String()}, "changed a.txt Ben")
	want(t, l, Wanted{Kind: Problems}, "two-versions plan.txt plan.sync-conflict-20261121-013104-ABCDEFG.txt Anna's laptop")
	want(t, l, Wanted{Search: " Ä/b "}, "deleted ä/B.txt "+stranger)
	want(t, l, Wanted{Search: "anna", Folder: "p"}, "added a.txt Anna's laptop")
	want(t, l, Wanted{Search: "nowhere"})
}

func TestABurstIsCountedAfterItsFirstFiles(t *testing.T) {
	l, c := newLog()
	l.Did("d", "Docs", added("before"))
	for i := range 25_000 {
		l.Did("p", "Photos", added(fmt.Sprintf("%05d.jpg", i)))
	}
	got, _ := told(l, Wanted{})
	if len(got) != Named+2 || got[0] != "added Anna's laptop +24950" || got[1] != "added 00049.jpg Anna's laptop" || got[Named+1] != "added before Anna's laptop" {
		t.Errorf("%d entries, the first of them %q", len(got), got[:2])
	}
	if all := l.Part(Wanted{}, who, nil); all.Entries[0].Bytes != 249_500 {
		t.Errorf("the others have %d bytes", all.Entries[0].Bytes)
	}
	c.now = c.now.Add(burstFor)
	l.Did("p", "Photos", added("later.jpg"))
	got, _ = told(l, Wanted{})
	if got[0] != "added later.jpg Anna's laptop" {
		t.Errorf("after the burst came %q", got[0])
	}
}

// A hundred thousand files of a first sync cost no memory each.
func TestABurstAllocatesNothingForWhatItOnlyCounts(t *testing.T) {
	l, _ := newLog()
	d := added("a/file/somewhere.jpg")
	for range Named + 1 {
		l.Did("p", "Photos", d)
	}
	if n := testing.AllocsPerRun(1000, func() { l.Did("p", "Photos", d) }); n != 0 {
		t.Errorf("%v allocations for each file", n)
	}
}

// What is kept is a copy: the name may be a piece of a whole message.
func TestNamesAreCopied(t *testing.T) {
	l, _ := newLog()
	message := strings.Repeat("x", 1000) + "name.txt"
	d := added(message[1000:])
	l.Did("p", "Photos", d)
	if kept := l.at(1).Path; kept != "name.txt" || unsafe.StringData(kept) == unsafe.StringData(d.Path) {
		t.Errorf("%q is not a copy", kept)
	}
}

func TestWhoeverMakesUpDevicesFillsNoMemory(t *testing.T) {
	l, _ := newLog()
	for i := range 10_000 {
		d := added("x")
		d.By = device.ShortID(i + 1)
		l.Did("p", "Photos", d)
	}
	if len(l.bursts) > maxBursts || len(l.ring) != Kept {
		t.Errorf("%d bursts, %d entries", len(l.bursts), len(l.ring))
	}
}

func TestTheOldestMakeRoom(t *testing.T) {
	l, c := newLog()
	for i := range Kept + 10 {
		c.now = c.now.Add(2 * time.Second) // 30 in each burst
		l.Did("p", "Photos", added(fmt.Sprint(i)))
	}
	got, parts := told(l, Wanted{})
	if len(got) != Kept || parts != Kept/partSize || got[0] != fmt.Sprintf("added %d Anna's laptop", Kept+9) || got[Kept-1] != "added 10 Anna's laptop" {
		t.Errorf("%d entries in %d parts, from %q to %q", len(got), parts, got[0], got[len(got)-1])
	}
	if part := l.Part(Wanted{}, who, nil); !part.Dropped {
		t.Error("nobody is told that there was more")
	}
	// A part whose place was passed meanwhile is empty, not another one.
	if part := l.Part(Wanted{Before: "5"}, who, nil); len(part.Entries) != 0 || part.Next != "" {
		t.Errorf("before the oldest stand %d entries", len(part.Entries))
	}
}

func TestADeletionOfWhatIsNewElsewhereIsARename(t *testing.T) {
	l, _ := newLog()
	l.Did("p", "Photos", added("new/name.jpg"))
	l.Did("p", "Photos", deleted("old.jpg", "new/name.jpg"))
	want(t, l, Wanted{}, "renamed new/name.jpg old.jpg Anna's laptop")
	// The same content once more is another matter, and so is another folder.
	l.Did("d", "Docs", added("other"))
	l.Did("p", "Photos", deleted("again.jpg", "new/name.jpg"))
	l.Did("p", "Photos", deleted("third.jpg", "other"))
	want(t, l, Wanted{}, "deleted third.jpg Anna's laptop", "deleted again.jpg Anna's laptop", "added other Anna's laptop", "renamed new/name.jpg old.jpg Anna's laptop")
}

func TestManyRenamesAreToldAsRenames(t *testing.T) {
	l, _ := newLog()
	const n = 120
	for i := range n {
		l.Did("p", "Photos", added(fmt.Sprintf("new/%03d", i)))
	}
	for i := range n {
		l.Did("p", "Photos", deleted(fmt.Sprintf("old/%03d", i), fmt.Sprintf("new/%03d", i)))
	}
	sum := map[status.What]int64{}
	for _, h := range l.Part(Wanted{}, who, nil).Entries {
		sum[h.What] += max(h.Count, 1)
	}
	if diff := cmp.Diff(map[status.What]int64{status.FileRenamed: n}, sum); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

func device1(id device.ID, name string, connected bool) status.Device {
	return status.Device{ID: id.String(), Name: name, Connected: connected}
}

func TestWhatDiffersBetweenTwoStates(t *testing.T) {
	photos := status.Folder{ID: "p", Label: "Photos", State: status.Idle, Devices: []string{ben.String()}}
	stopped := photos
	stopped.State = status.Stopped
	stopped.Problems = []status.Problem{{Code: "folder-missing", Severity: status.Stop, Text: "x", Param: map[string]string{"path": "/p"}}}
	some := photos
	some.Problems = []status.Problem{{Code: "name-invalid", Severity: status.Some}, {Code: "nobody-has-it", Severity: status.Wait}}
	alone := photos
	alone.Devices = nil
	paused := photos
	paused.State = status.Paused
	start := status.Snapshot{Folders: []status.Folder{photos}, Devices: []status.Device{device1(ben, "Ben", false)}}
	with := func(change func(*status.Snapshot)) status.Snapshot {
		s := start
		change(&s)
		return s
	}
	folder := func(f status.Folder) status.Snapshot {
		return with(func(s *status.Snapshot) { s.Folders = []status.Folder{f} })
	}
	on := with(func(s *status.Snapshot) { s.Devices = []status.Device{device1(ben, "Ben", true)} })
	tests := []struct {
		name   string
		states []status.Snapshot
		want   []string // the newest first
	}{
		{"nothing", []status.Snapshot{start, start}, nil},
		{"a device comes and goes", []status.Snapshot{start, on, on, start}, []string{"disconnected Ben", "connected Ben"}},
		{"one is there from the first", []status.Snapshot{on}, []string{"connected Ben"}},
		{"a device and a folder are new", []status.Snapshot{{}, start}, []string{"device-added Ben", "shared Ben", "folder-added"}},
		{"a folder and a device go", []status.Snapshot{start, {}}, []string{"device-removed Ben", "folder-removed"}},
		{"a folder is shared no more", []status.Snapshot{start, folder(alone)}, []string{"unshared Ben"}},
		{"a folder stops and goes on", []status.Snapshot{start, folder(stopped), folder(stopped), start}, []string{"cured worded folder-missing", "raised worded folder-missing"}},
		{"a folder that had stopped at the start", []status.Snapshot{folder(stopped)}, []string{"raised worded folder-missing"}},
		{"what goes by itself is no entry", []status.Snapshot{start, folder(some)}, []string{"raised worded name-invalid"}},
		{"a pause cures nothing", []status.Snapshot{folder(some), folder(paused), folder(some)}, []string{"raised worded name-invalid"}},
		{"what was cured in a pause is told after it", []status.Snapshot{folder(some), folder(paused), start}, []string{"cured worded name-invalid", "raised worded name-invalid"}},
		{"what goes with its folder is not cured", []status.Snapshot{folder(some), {Devices: start.Devices}}, []string{"folder-removed", "raised worded name-invalid"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l, _ := newLog()
			for _, s := range test.states {
				l.Look(s)
			}
			want(t, l, Wanted{}, test.want...)
		})
	}
}

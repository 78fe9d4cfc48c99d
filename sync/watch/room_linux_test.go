package watch

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTheRoomForWatchesIsTheLimitLessWhatIsWatched(t *testing.T) {
	proc := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		name = filepath.Join(proc, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := room(proc); ok {
		t.Error("a system that tells no limit has one")
	}
	write("sys/fs/inotify/max_user_watches", "100\n")
	write("7/fdinfo/0", "pos:\t0\nflags:\t02\n")
	write("7/fdinfo/5", "pos:\t0\ninotify wd:3 ino:1 sdev:2\ninotify wd:1 ino:4 sdev:2\n")
	write("8/fdinfo/3", "inotify wd:1 ino:1 sdev:2\n")
	if free, ok := room(proc); !ok || free != 97 {
		t.Errorf("there is room for %d (%v), want 97", free, ok)
	}
	write("sys/fs/inotify/max_user_watches", "2\n")
	if free, ok := room(proc); !ok || free != 0 {
		t.Errorf("there is room for %d (%v), want 0", free, ok)
	}
	if _, ok := Room(); !ok {
		t.Error("this system tells nothing")
	}
}

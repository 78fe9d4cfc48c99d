package config_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"lanyard/app/config"
	"lanyard/sync/device"
	"lanyard/sync/fsys/fsystest"
)

func TestOnAFullDiskAChangeIsRefusedAndChangesNothing(t *testing.T) {
	dir := fsystest.Tmpfs(t, "256k")
	h, err := config.NewHome(filepath.Join(dir, "home"))
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, h)
	defer func() { closeStore(t, s) }()
	if err := s.Update(addDevice(device.ID{1}, "one")); err != nil {
		t.Fatal(err)
	}
	listing := func() []string {
		t.Helper()
		entries, err := os.ReadDir(h.Dir())
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, e := range entries {
			if e.Name() != "config.json.1" { // the previous version may be the present one
				names = append(names, e.Name())
			}
		}
		return names
	}
	before := listing()
	// The disk takes fewer and fewer bytes: first no copy of the previous file,
	// then no new one either.
	filler := filepath.Join(dir, "filler")
	for left := 0; left <= 12<<10; left += 4 << 10 {
		fill(t, dir, filler, left)
		err := s.Update(addDevice(device.ID{2}, "two"))
		if left == 0 && err == nil {
			t.Error("a full disk took the change")
		}
		if got := listing(); !slices.Equal(got, before) {
			t.Errorf("with %d bytes left the home holds %q, want %q", left, got, before)
		}
		want := 1
		if err == nil {
			want = 2
		}
		if n := len(s.Config().Devices); n != want {
			t.Errorf("with %d bytes left there are %d devices, want %d (error %v)", left, n, want, err)
		}
		if err == nil {
			break
		}
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if err := s.Update(addDevice(device.ID{3}, "three")); err != nil {
		t.Errorf("with room again: %v", err)
	}
	want := len(s.Config().Devices)
	closeStore(t, s)
	s = open(t, h)
	if n := len(s.Config().Devices); n != want || n < 2 {
		t.Errorf("opened again there are %d devices, want %d", n, want)
	}
}

// fill leaves only so much of a disk.
func fill(t *testing.T, dir, filler string, left int) {
	t.Helper()
	if err := os.Remove(filler); err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filler, make([]byte, int(st.Bavail)*int(st.Bsize)-left), 0o600); err != nil {
		t.Fatal(err)
	}
}

package node

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"lanyard/app/config"
	"lanyard/sync/device"
)

func TestFoldersWithMoreDirectoriesThanAreWatchedAreNamed(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"a/1/2", "a/3", "b", "c/1"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var c config.Config
	for _, name := range []string{"a", "b", "c", "missing"} {
		c.Folders = append(c.Folders, config.Folder{ID: "id", Label: name, Path: filepath.Join(root, name)})
	}
	if found := watches(t.Context(), c, 7); len(found) > 0 {
		t.Errorf("with just enough, %+v was found", found)
	}
	found := watches(t.Context(), c, 4) // a has 4, b 1, c 2
	if len(found) != 2 || found[0].On != "b" || found[1].On != "c" || found[1].Check != CheckWatches {
		t.Fatalf("found %+v, want b and c", found)
	}
	if p := found[1].Problem; p.Code != "watch-limit" || p.Param["n"] != "2" || p.Param["folder"] != "c" {
		t.Errorf("it is told as %+v", p)
	}
	c.Folders[2].Paused = true
	if found := watches(t.Context(), c, 5); len(found) > 0 {
		t.Errorf("a paused folder counts: %+v", found)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if found := watches(ctx, c, 0); len(found) > 0 {
		t.Errorf("when nobody waited, %+v was found", found)
	}
}

func TestDevicesAreLookedForWhereAPersonSaidTheyAre(t *testing.T) {
	c, err := config.Default().WithDevice(config.Device{
		ID: device.ID{1}, Name: "attic", Addresses: []string{"quic://192.168.7.5:22000", "tcp://[fd00::5]:22000", "quic://attic.example:22000"},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := located(c)
	if len(got) != 2 || got[0].Name != "attic" || got[0].Address.String() != "192.168.7.5" || got[1].Address.String() != "fd00::5" {
		t.Errorf("got %+v", got)
	}
}

func TestAClockThatWasSetBackIsFound(t *testing.T) {
	home, err := config.NewHome(filepath.Join(t.TempDir(), "home"))
	if err != nil {
		t.Fatal(err)
	}
	store, err := config.Open(home, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // nothing is sent
	clock := func() (found []Symptom) {
		_, all := Examine(ctx, home, store.Config(), false)
		for _, s := range all {
			if s.Check == "clock" {
				found = append(found, s)
			}
		}
		return found
	}
	if found := clock(); len(found) > 0 {
		t.Errorf("found %+v", found)
	}
	later := time.Now().Add(24 * time.Hour)
	if err := os.MkdirAll(home.IndexDir(), 0o700); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(home.IndexDir(), "written")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(name, later, later); err != nil {
		t.Fatal(err)
	}
	if found := clock(); len(found) != 1 || found[0].Problem.Code != "clock-behind" || found[0].Problem.Param["span"] == "" {
		t.Errorf("found %+v", found)
	}
}

package service_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lanyard/app/node/nodetest"
	"lanyard/app/service"
)

// plant writes a file of so many bytes, and what it lies in.
func plant(t *testing.T, size int, at ...string) {
	t.Helper()
	name := filepath.Join(at...)
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, make([]byte, size), 0o600); err != nil {
		t.Fatal(err)
	}
}

// wantRefused wants a path to be refused in the words of one of the conditions.
func wantRefused(t *testing.T, s *service.Service, path string, codes ...string) {
	t.Helper()
	got, err := s.Look(t.Context(), service.PlaceRequest{Path: path})
	if err != nil || got.Refused == nil || !slices.Contains(codes, got.Refused.Code) || got.Refused.Item != path {
		t.Errorf("%s: got %+v, %v, want it to be refused", path, got.Refused, err)
	}
}

func TestAPlaceIsLookedAtBeforeItIsShared(t *testing.T) {
	s := start(t, nodetest.New())
	dir := t.TempDir()
	plant(t, 10, dir, "Pictures", "1.jpg")
	plant(t, 20, dir, "Pictures", "2025", "May", "2.jpg")
	plant(t, 40, dir, "Pictures", "2025", ".syncthing.3.jpg.0123456789abcdef.tmp")
	plant(t, 40, dir, "Pictures", ".stversions", "old.jpg")
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o777); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		path string
		want service.Place
	}{
		{"Pictures/", service.Place{Path: filepath.Join(dir, "Pictures"), Exists: true, Files: 2, Bytes: 30, Whole: true}},
		{"empty", service.Place{Path: filepath.Join(dir, "empty"), Exists: true, Whole: true}},
		{"Picturse/2025", service.Place{Path: filepath.Join(dir, "Picturse", "2025"), Whole: true}},
	}
	for _, tt := range tests {
		got, err := s.Look(t.Context(), service.PlaceRequest{Path: dir + string(filepath.Separator) + tt.path})
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("%s (-want +got), error %v:\n%s", tt.path, err, diff)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "Picturse")); err == nil {
		t.Error("looking has made what is looked at")
	}
	for _, bad := range []string{"Pictures", filepath.Join(dir, "Pictures", "1.jpg"), filepath.Join(dir, "Pictures", "1.jpg", "x")} {
		wantRefused(t, s, bad, "place-relative", "place-no-directory", "place-unusable")
	}
	added, err := s.AddFolder(t.Context(), service.NewShare{Path: filepath.Join(dir, "empty")})
	if err != nil || added.Made {
		t.Errorf("sharing what was there: made %v, %v", added.Made, err)
	}
	wantRefused(t, s, filepath.Join(dir, "empty", "inner"), "folder-inside-folder")
	added, err = s.AddFolder(t.Context(), service.NewShare{Path: filepath.Join(dir, "Picturse")})
	if err != nil || !added.Made {
		t.Errorf("sharing what was not there: made %v, %v", added.Made, err)
	}
}

func TestALookThatTakesTooLongTellsWhatItHas(t *testing.T) {
	s := start(t, nodetest.New())
	dir := t.TempDir()
	plant(t, 10, dir, "1.jpg")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got, err := s.Look(ctx, service.PlaceRequest{Path: dir})
	if want := (service.Place{Path: dir, Exists: true}); got != want || err != nil {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

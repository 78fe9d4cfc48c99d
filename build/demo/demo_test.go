package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestSameNamesTheFirstFileThatDiffers(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	for _, dir := range []string{a, b} {
		if err := os.WriteFile(filepath.Join(dir, "equal"), []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(filepath.Join(dir, "equal"), stamp(), stamp()); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := same(a, b); err != nil || len(got.entries) != 1 || got.bytes != 1 {
		t.Fatalf("same: %v, %v", got, err)
	}
	if err := os.WriteFile(filepath.Join(b, "more"), []byte("y"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := same(a, b); err == nil || !strings.Contains(err.Error(), "more") {
		t.Errorf("same: %v, want the file called more", err)
	}
}

func TestLanyardsOwnFilesAreNotCompared(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	if err := os.MkdirAll(filepath.Join(a, ".stfolder"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(a, ".stignore"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := same(a, b); err != nil {
		t.Error(err)
	}
}

// stamp is the time of every file that the tests compare.
func stamp() time.Time { return time.Unix(1_600_000_000, 123_456_789) }

package fsys

import (
	"errors"
	"math/rand/v2"
	"testing"

	"lanyard/sync/relpath"
)

func TestAShortWriteLeavesHalf(t *testing.T) {
	m := NewMem(MemOptions{})
	f, err := m.Create(relpath.MustParse("a"))
	if err != nil {
		t.Fatal(err)
	}
	m.SetHook(FailNth(1, &ShortWrite{ErrNoSpace}))
	n, err := f.WriteAt([]byte("abcdef"), 0)
	if n != 3 || !errors.Is(err, ErrNoSpace) {
		t.Errorf("WriteAt = %d, %v; want 3 and no space", n, err)
	}
	if got, _ := m.User().ReadFile("a"); string(got) != "abc" {
		t.Errorf("the file holds %q, want the first half", got)
	}
}

func TestOpenHandlesAreCounted(t *testing.T) {
	m := NewMem(MemOptions{})
	f, err := m.Create(relpath.MustParse("a"))
	if err != nil || m.OpenHandles() != 1 {
		t.Fatalf("Create: %v, %d handles are open", err, m.OpenHandles())
	}
	if err := errors.Join(f.Close(), m.User().Remove("a")); err != nil || m.OpenHandles() != 0 {
		t.Errorf("Close: %v, %d handles are open", err, m.OpenHandles())
	}
}

// A second sync says that all is well although the first one lost the bytes.
func TestWhatAFailedSyncLostStaysLostUntilItIsWrittenAnew(t *testing.T) {
	p := relpath.MustParse("a")
	for _, rewritten := range []bool{false, true} {
		m := NewMem(MemOptions{})
		f, err := m.Create(p)
		if err != nil {
			t.Fatal(err)
		}
		write := func() {
			if _, err := f.WriteAt([]byte("content"), 0); err != nil {
				t.Fatal(err)
			}
		}
		write()
		m.SetHook(FailNth(1, ErrIO))
		if err := m.SyncFiles([]File{f}); !errors.Is(err, ErrIO) {
			t.Fatalf("the first sync = %v", err)
		}
		if rewritten {
			write()
		}
		if err := errors.Join(m.SyncFiles([]File{f}), m.SyncDirs([]relpath.Path{relpath.Root})); err != nil {
			t.Fatal(err)
		}
		torn := 0
		for seed := range uint64(50) {
			if got, _ := m.Crash(rand.New(rand.NewPCG(seed, 1))).User().ReadFile("a"); string(got) != "content" {
				torn++
			}
		}
		if rewritten != (torn == 0) {
			t.Errorf("written anew %v: %d of 50 crashes left another content", rewritten, torn)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

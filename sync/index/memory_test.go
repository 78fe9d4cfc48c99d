package index_test

import (
	"errors"
	"math/rand/v2"
	"testing"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/vector"
)

func fileRecord(name string, value uint64) index.Record {
	return index.Record{FileInfo: bep.FileInfo{
		Name: relpath.MustParse(name), Size: 5, BlockSize: 128 << 10, ModifiedS: int64(value),
		Version: vector.Vector{{ID: 1, Value: value}},
	}}
}

func mustFolder(t *testing.T, s index.Store) index.Folder {
	t.Helper()
	f, err := s.Folder("f")
	if err != nil {
		t.Fatalf("Folder: %v", err)
	}
	return f
}

func mustUpdate(t *testing.T, f index.Folder, recs ...index.Record) int64 {
	t.Helper()
	seq, err := f.Update(recs)
	if err != nil {
		t.Fatalf("Update: %v", err)
	}
	return seq
}

func TestACrashKeepsWhatABarrierMadeDurableAndAPrefixOfTheRest(t *testing.T) {
	seen := map[int64]bool{}
	for seed := range uint64(50) {
		m := index.NewMemory(index.MemoryOptions{})
		f := mustFolder(t, m)
		mustUpdate(t, f, fileRecord("a", 1))
		if err := f.Barrier(); err != nil {
			t.Fatalf("Barrier: %v", err)
		}
		for i := range uint64(3) {
			mustUpdate(t, f, fileRecord("b", 2+i))
		}
		m = m.Crash(rand.New(rand.NewPCG(seed, 0)))
		g := mustFolder(t, m)
		if g.IndexID() != f.IndexID() {
			t.Fatalf("index ID changed at a crash")
		}
		seq := g.Sequence()
		if seq < 1 || seq > 4 {
			t.Fatalf("sequence after the crash is %d, want 1 to 4", seq)
		}
		seen[seq] = true
	}
	if len(seen) != 4 {
		t.Fatalf("crashes kept %v, want every prefix at some time", seen)
	}
}

func TestACrashWithoutChanceKeepsOnlyWhatIsDurable(t *testing.T) {
	m := index.NewMemory(index.MemoryOptions{})
	f := mustFolder(t, m)
	mustUpdate(t, f, fileRecord("a", 1))
	if _, err := f.RenewIndexID(); err != nil {
		t.Fatalf("RenewIndexID: %v", err)
	}
	mustUpdate(t, f, fileRecord("b", 1))
	if got := mustFolder(t, m.Crash(nil)).Sequence(); got != 1 {
		t.Fatalf("sequence after the crash is %d, want 1", got)
	}
}

func TestACrashedStoreRefusesEverything(t *testing.T) {
	m := index.NewMemory(index.MemoryOptions{})
	f := mustFolder(t, m)
	m.Crash(nil)
	if _, err := f.Update(nil); !errors.Is(err, index.ErrClosed) {
		t.Errorf("Update after a crash gives %v, want ErrClosed", err)
	}
	if _, err := m.Folder("f"); !errors.Is(err, index.ErrClosed) {
		t.Errorf("Folder after a crash gives %v, want ErrClosed", err)
	}
}

func TestASnapshotDoesNotFollowTheOriginal(t *testing.T) {
	m := index.NewMemory(index.MemoryOptions{})
	f := mustFolder(t, m)
	mustUpdate(t, f, fileRecord("a", 1))
	backup := m.Snapshot()
	mustUpdate(t, f, fileRecord("b", 1))
	dev := device.ID{1}
	if err := f.UpdateRemote(dev, []bep.FileInfo{fileRecord("c", 1).FileInfo}); err != nil {
		t.Fatalf("UpdateRemote: %v", err)
	}
	g := mustFolder(t, backup)
	if got := g.Sequence(); got != 1 {
		t.Errorf("the backup's sequence is %d, want 1", got)
	}
	if _, ok, _ := g.RemoteEntry(dev, relpath.MustParse("c")); ok {
		t.Error("the backup holds an entry that came after it")
	}
}

func TestAWipedStoreIsEmptyWithANewIndexID(t *testing.T) {
	m := index.NewMemory(index.MemoryOptions{})
	f := mustFolder(t, m)
	mustUpdate(t, f, fileRecord("a", 1))
	g := mustFolder(t, m.Wipe())
	if g.Sequence() != 0 || g.IndexID() == f.IndexID() {
		t.Errorf("after a wipe: sequence %d, index ID %v, want 0 and a new one", g.Sequence(), g.IndexID())
	}
}

func TestTheHookFailsAnOperationBeforeItDoesAnything(t *testing.T) {
	broken := errors.New("broken")
	var fail bool
	m := index.NewMemory(index.MemoryOptions{OnOp: func(op string) error {
		if fail && op == "update" {
			return broken
		}
		return nil
	}})
	f := mustFolder(t, m)
	fail = true
	if _, err := f.Update([]index.Record{fileRecord("a", 1)}); !errors.Is(err, broken) {
		t.Errorf("Update gives %v, want the hook's error", err)
	}
	if f.Sequence() != 0 {
		t.Errorf("the failed update gave sequence %d", f.Sequence())
	}
}

func TestIndexIDsRepeatForOneSeed(t *testing.T) {
	id := func() bep.IndexID {
		return mustFolder(t, index.NewMemory(index.MemoryOptions{Rand: rand.New(rand.NewPCG(7, 7))})).IndexID()
	}
	if a, b := id(), id(); a != b {
		t.Errorf("one seed gave %v and %v", a, b)
	}
}

var _ index.Store = (*index.Memory)(nil)

package engine

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/exec"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/peer"
	"lanyard/sync/vector"
)

var us, them = device.ID{1}, device.ID{2}

// heldStore makes those wait who open a folder or store what a device
// announced.
type heldStore struct {
	index.Store
	open, update chan struct{} // closed when nobody has to wait any more
}

type heldFolder struct {
	index.Folder
	update chan struct{}
}

func (s heldStore) Folder(id bep.FolderID) (index.Folder, error) {
	<-s.open
	f, err := s.Store.Folder(id)
	return heldFolder{f, s.update}, err
}

func (f heldFolder) UpdateRemote(dev device.ID, files []bep.FileInfo) error {
	<-f.update
	return f.Folder.UpdateRemote(dev, files)
}

// countedFS counts the roots that are open.
type countedFS struct {
	fsys.FS
	open *atomic.Int32
}

func (c countedFS) Close() error {
	c.open.Add(-1)
	return c.FS.Close()
}

// held is an engine without a network, over a heldStore.
type held struct {
	*Engine
	ex    *exec.Real
	store heldStore
	roots atomic.Int32 // open ones
}

func newHeld() *held {
	h := &held{ex: &exec.Real{}, store: heldStore{
		index.NewMemory(index.MemoryOptions{}), make(chan struct{}), make(chan struct{}),
	}}
	h.Engine = New(Options{
		ID: us, Store: h.store, Exec: h.ex,
		OpenRoot: func(FolderSpec) (fsys.FS, error) {
			h.roots.Add(1)
			return countedFS{fsys.NewMem(fsys.MemOptions{}), &h.roots}, nil
		},
	})
	h.Apply(Desired{
		Folders: []FolderSpec{{ID: photos, Path: "/photos", Shared: []device.ID{them}}},
		Devices: []DeviceSpec{{ID: them}},
	})
	return h
}

func (h *held) end() {
	h.Close()
	h.ex.Close()
}

// deadWire drops what is sent.
type deadWire struct{}

func (deadWire) Send(f peer.Frame) {
	if f.Sent != nil {
		f.Sent()
	}
}
func (deadWire) Close(string) {}

func sharing(ix bep.IndexID) *bep.ClusterConfig {
	return &bep.ClusterConfig{Folders: []bep.Folder{{
		ID: photos, Devices: []bep.Device{{ID: us}, {ID: them, IndexID: ix, MaxSequence: 1}},
	}}}
}

func announcing(name string) *bep.Index {
	return &bep.Index{Folder: photos, Files: []bep.FileInfo{{
		Name: path(name), Type: bep.TypeDirectory, Sequence: 1, Version: vector.Vector{}.Bump(2, time.Now().Unix()),
	}}}
}

func TestEntriesOfAnEarlierConversationAreNotStoredAsThoseOfALaterOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeld()
		close(h.store.open)
		synctest.Wait()
		before := h.Attach(Link{ID: them, Wire: deadWire{}})
		synctest.Wait()
		before.Receive(sharing(9), nil)
		before.Receive(announcing("old"), nil)
		synctest.Wait() // the entry waits to be stored

		after := h.Attach(Link{ID: them, Wire: deadWire{}}) // restarted, with a new index
		after.Receive(sharing(10), nil)
		synctest.Wait()
		close(h.store.update)
		synctest.Wait()
		after.Receive(announcing("new"), nil)
		synctest.Wait()

		f := h.folder(photos).index
		if state, err := f.Remote(them); err != nil || state.IndexID != 10 || state.MaxSequence != 1 {
			t.Errorf("state %+v, %v; want sequence 1 of index 10", state, err)
		}
		for name, want := range map[string]bool{"old": false, "new": true} {
			if _, ok, err := f.RemoteEntry(them, path(name)); ok != want || err != nil {
				t.Errorf("entry %q of index 10: %v, %v; want %v", name, ok, err, want)
			}
		}
		h.end()
	})
}

func TestOfSeveralConversationsThatWaitTheLastOneIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeld()
		close(h.store.open)
		first := h.Attach(Link{ID: them, Wire: deadWire{}})
		synctest.Wait()
		first.Receive(sharing(9), nil)
		first.Receive(announcing("old"), nil)
		synctest.Wait()
		h.Attach(Link{ID: them, Wire: deadWire{}})
		last := h.Attach(Link{ID: them, Wire: deadWire{}})
		synctest.Wait()
		close(h.store.update)
		synctest.Wait()
		if p := h.peer(them); p != last {
			t.Errorf("talks on %p, want the last one, %p", p, last)
		}
		h.end()
	})
}

func TestCloseDoesNotWaitForAConversationThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeld()
		close(h.store.open)
		first := h.Attach(Link{ID: them, Wire: deadWire{}})
		synctest.Wait()
		first.Receive(sharing(9), nil)
		first.Receive(announcing("old"), nil)
		h.Attach(Link{ID: them, Wire: deadWire{}})
		synctest.Wait()
		h.Close()
		close(h.store.update)
		h.ex.Close()
	})
}

func TestAFolderThatStartsDuringCloseIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeld()
		synctest.Wait() // Apply is about to open the index
		h.Close()
		close(h.store.open)
		h.ex.Close()
		if h.folder(photos) != nil {
			t.Error("the engine holds a folder after Close")
		}
		if n := h.roots.Load(); n != 0 {
			t.Errorf("%d roots are open after Close", n)
		}
	})
}

func TestADeviceThatRepeatsItselfDoesNotWakeFolders(t *testing.T) {
	before := []bep.FolderID{"music", "photos"}
	tests := []struct {
		name string
		now  []bep.FolderID
		want int
	}{
		{"the same folders", before, 0},
		{"one more", []bep.FolderID{"diary", "music", "photos"}, 1},
		{"one instead of another", []bep.FolderID{"diary", "photos"}, 2},
		{"none", nil, 2},
	}
	for _, tt := range tests {
		if got := onlyInOne(before, tt.now); len(got) != tt.want {
			t.Errorf("%s: %v hear of it, want %d", tt.name, got, tt.want)
		}
	}
}

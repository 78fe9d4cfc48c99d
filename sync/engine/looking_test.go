package engine

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"lanyard/sync/fault"
	"lanyard/sync/status"
)

// preview compares a place with what another device offers. Dials that cross may
// end the first connection of two devices: then it is tried again.
func (n *node) preview(of *node, path string) (p status.Preview) {
	n.t.Helper()
	n.await("a preview", func(status.Snapshot) bool {
		var err error
		p, err = n.Preview(n.t.Context(), of.id, photos, path)
		if err != nil && fault.KindOf(err) != fault.Retry {
			n.t.Fatal(err)
		}
		return err == nil
	})
	return p
}

func TestAnOfferIsComparedAndNothingIsChanged(t *testing.T) {
	a, b := newNode(t, "a"), newNode(t, "b")
	a.shares(photos, b)
	a.write("same", "same on both")
	a.write("theirs", "12345")
	a.write("differs", "of a")
	a.scanned()
	root := filepath.Join(b.dir, "mine")
	must(t, os.Mkdir(root, 0o755))
	for name, content := range map[string]string{"same": "same on both", "differs": "here", "ours": "123"} {
		must(t, os.WriteFile(filepath.Join(root, name), []byte(content), 0o644))
	}
	a.knows(b)
	b.knows(a)
	b.await("an offer", func(s status.Snapshot) bool { return len(s.Offers) == 1 })
	for range 2 { // the first one leaves nothing that is in the way of another
		p := b.preview(a, root)
		if p.Same.Files != 1 || p.There != (status.Amount{Files: 1, Bytes: 5}) || p.Here != (status.Amount{Files: 1, Bytes: 3}) ||
			p.Differ != 1 || len(p.Names) != 1 || p.Names[0].Name != "differs" || !p.Complete || p.Device != a.id.String() || p.Path != root {
			t.Errorf("the preview is %+v", p)
		}
	}
	// One that waits for another begins the moment that one ends.
	both := make(chan status.Preview, 2)
	for range 2 {
		go func() { both <- b.preview(a, root) }()
	}
	for range 2 {
		if p := <-both; p.There.Files != 1 || p.Differ != 1 || !p.Complete {
			t.Errorf("of two previews at once one is %+v", p)
		}
	}
	entries, err := os.ReadDir(root)
	if err != nil || len(entries) != 3 {
		t.Errorf("after the previews the directory holds %v, %v", entries, err)
	}
	if s := b.Snapshot(); len(s.Folders) != 0 || len(s.Offers) != 1 {
		t.Errorf("after the previews there are the folders %+v and the offers %+v", s.Folders, s.Offers)
	}
	// The one who offers must not take a look for joining and leaving.
	a.await("it is not joined", func(s status.Snapshot) bool { return !a.deviceOf(s, b).Folders[string(photos)].Current })
	for _, p := range a.folderOf(a.Snapshot()).Problems {
		if p.Code == "folder-left-by" {
			t.Errorf("a look is told as %+v", p)
		}
	}
	b.shares(photos, a)
	b.awaitFile("theirs", "12345")
	a.inSync(b)
}

func TestAPreviewNeedsTheDeviceAndItsOffer(t *testing.T) {
	a, b := newNode(t, "a"), newNode(t, "b")
	a.shares(photos, b)
	a.knows(b)
	b.knows(a)
	b.await("an offer", func(s status.Snapshot) bool { return len(s.Offers) == 1 })
	if _, err := b.Preview(t.Context(), a.id, "music", t.TempDir()); err == nil {
		t.Error("a folder that nobody offers was compared")
	}
	// A folder without any entry: nothing comes, and that is all.
	if p := b.preview(a, filepath.Join(b.dir, "none")); !p.Complete || p.There.Files != 0 {
		t.Errorf("of an empty folder the preview is %+v", p)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Preview(ctx, a.id, photos, t.TempDir()); err == nil {
		t.Error("a preview that nobody waits for went on")
	}
	a.stop()
	b.awaitConnected(a, false)
	if _, err := b.Preview(t.Context(), a.id, photos, t.TempDir()); err == nil {
		t.Error("a device that is away was compared with")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.looking) != 0 {
		t.Errorf("what was looked at is kept: %+v", b.looking)
	}
}

// A folder may be offered before it is scanned, when it reaches nowhere yet.
func TestAFolderThatWasScannedAfterItWasOfferedIsComparedWhole(t *testing.T) {
	a, b := newNode(t, "a"), newNode(t, "b")
	a.shares(photos, b)
	a.knows(b)
	b.knows(a)
	b.await("an offer", func(s status.Snapshot) bool { return len(s.Offers) == 1 })
	for i := range 50 {
		a.write(fmt.Sprintf("file %d", i), "content")
	}
	a.scanned()
	b.await("how much it is", func(s status.Snapshot) bool { return s.Offers[0].Files == 50 })
	if p := b.preview(a, filepath.Join(b.dir, "none")); p.There.Files != 50 || !p.Complete {
		t.Errorf("the preview is %+v", p)
	}
}

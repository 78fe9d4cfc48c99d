package engine

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lanyard/sync/relpath"
	"lanyard/sync/status"
)

func TestWhatADeviceFetchesIsListedForAsLongAsItDoes(t *testing.T) {
	a, b := connectedPair(t)
	content := make([]byte, 3_000_000)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(content)
	film := string(content)
	a.write("film", film)
	a.scanned()
	want := []status.Sending{{Folder: string(photos), Name: "film", Done: int64(len(film)), Total: int64(len(film))}}
	a.await("all of it was sent", func(s status.Snapshot) bool { return cmp.Equal(want, a.deviceOf(s, b).Sending) })
	b.awaitFile("film", film)
	if got := b.deviceOf(b.Snapshot(), a).Sending; len(got) != 0 {
		t.Errorf("the receiver sends %v", got)
	}
	a.await("nothing is sent", func(s status.Snapshot) bool { return len(a.deviceOf(s, b).Sending) == 0 })
}

func TestWhatWentOverOfAFileIsNotLackedAnyMore(t *testing.T) {
	a, b := connectedPair(t)
	a.inSync(b)
	b.want(func(d *Desired) { d.Folders[0].Paused = true })
	a.write("film", "0123456789")
	a.scanned()
	lacks := func(s status.Snapshot) int64 { return a.deviceOf(s, b).Folders[string(photos)].NeedBytes }
	a.await("all of it is lacked", func(s status.Snapshot) bool { return lacks(s) == 10 })
	entry := a.entry(b.id)
	entry.sending.answered(photos, path("film"), 4, a.now().Add(-time.Hour))
	if got := lacks(a.Snapshot()); got != 6 {
		t.Errorf("long after 4 of 10 bytes went over %d are lacked, want 6", got)
	}
	entry.sending.answered(photos, path("film"), 400, a.now().Add(-time.Hour))
	if got := lacks(a.Snapshot()); got != 0 {
		t.Errorf("after more went over than there is %d are lacked, want 0", got)
	}
	b.want(func(d *Desired) { d.Folders[0].Paused = false })
	b.awaitFile("film", "0123456789")
	a.inSync(b)
	a.later(time.Hour)
	a.await("nothing is known of it any more", func(s status.Snapshot) bool {
		entry.sending.mu.Lock()
		defer entry.sending.mu.Unlock()
		return lacks(s) == 0 && len(entry.sending.files) == 0
	})
}

func TestOnlyTheFilesAskedForLastAreListed(t *testing.T) {
	now := time.Now()
	var s sending
	for i := range maxSending + 5 {
		first := s.answered(photos, relpath.MustParse(fmt.Sprintf("%02d", i)), 10, now.Add(time.Duration(i)))
		if want := i == 0; first != want {
			t.Errorf("answer %d: first is %v, want %v", i, first, want)
		}
	}
	s.answered(photos, relpath.MustParse("10"), 5, now.Add(time.Second))
	var names []string
	for _, f := range s.files {
		names = append(names, fmt.Sprintf("%v %d", f.name, f.bytes))
	}
	if len(names) != maxSending || names[0] != "05 10" || names[5] != "10 15" {
		t.Errorf("listed are %v, want 05 to 24, and 15 bytes of 10", names)
	}
	if !s.answered(photos, relpath.MustParse("99"), 10, now.Add(time.Second+sendingFor)) {
		t.Error("after a rest the first answer is not the first")
	}
}

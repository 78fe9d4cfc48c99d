package bep_test

import (
	"bytes"
	"strings"
	"testing"

	"lanyard/sync/bep"
	"lanyard/sync/relpath"
	"lanyard/sync/vector"
)

func TestAnEpochArrivesAsItWasSent(t *testing.T) {
	sent := bep.Epoch{Folder: "photos", IndexID: 1 << 63, Done: true, Entries: []bep.EpochEntry{
		{Name: relpath.MustParse("dir/a"), Version: vector.Vector{{ID: 1, Value: 5}, {ID: 9, Value: 1 << 60}}, BlocksHash: bytes.Repeat([]byte{7}, 32)},
		{Name: relpath.MustParse("gone"), Version: vector.Vector{{ID: 1, Value: 6}}, Deleted: true},
		{Name: relpath.MustParse("never")},
	}}
	m := sent.Extension()
	if m.Type != bep.TypeEpoch {
		t.Errorf("it is a message of type %d", m.Type)
	}
	got, err := bep.DecodeEpoch(m.Body)
	if err != nil {
		t.Fatal(err)
	}
	if again := got.Extension(); !bytes.Equal(again.Body, m.Body) || len(got.Entries) != 3 || !got.Done || got.IndexID != 1<<63 {
		t.Errorf("sent %+v, got %+v", sent, got)
	}
	alone := bep.Epoch{Folder: sent.Folder, IndexID: sent.IndexID, Done: true, Entries: sent.Entries[:1]}
	empty := bep.Epoch{Folder: sent.Folder, IndexID: sent.IndexID, Done: true}
	if n := len(alone.Extension().Body) - len(empty.Extension().Body); n != sent.Entries[0].Len() {
		t.Errorf("an entry takes %d bytes, and says %d", n, sent.Entries[0].Len())
	}
}

func TestAnEpochThatIsMalformedIsRefused(t *testing.T) {
	good := bep.Epoch{Folder: "photos", Entries: []bep.EpochEntry{{Name: relpath.MustParse("a"), Version: vector.Vector{{ID: 1, Value: 5}}}}}
	body := good.Extension().Body
	folder := (&bep.Epoch{Folder: "photos"}).Extension().Body
	nameless := &bep.Epoch{Entries: good.Entries}
	for what, b := range map[string][]byte{
		"cut short":         body[:len(body)-1],
		"without a folder":  nameless.Extension().Body,
		"counters in doubt": append(bytes.Clone(folder), 0x22, 10, 0x12, 8, 0x0a, 2, 8, 5, 0x0a, 2, 8, 4),
	} {
		if m, err := bep.DecodeEpoch(b); err == nil {
			t.Errorf("%s: got %+v", what, m)
		}
	}
	for _, name := range []string{"../up", "/abs", strings.Repeat("x", 5000), ""} {
		entry := append([]byte{0x0a}, byte(len(name)&0x7f))
		if len(name) > 127 {
			entry = append([]byte{0x0a, byte(len(name)&0x7f | 0x80)}, byte(len(name)>>7))
		}
		entry = append(entry, name...)
		length := []byte{byte(len(entry)&0x7f | 0x80), byte(len(entry) >> 7)}
		b := append(append(append(bytes.Clone(folder), 0x22), length...), entry...)
		if m, err := bep.DecodeEpoch(b); err != nil || len(m.Entries) != 0 {
			t.Errorf("the name %.10q is taken: %+v, %v", name, m, err)
		}
	}
}

func FuzzDecodeEpoch(f *testing.F) {
	m := bep.Epoch{Folder: "photos", IndexID: 4, Entries: []bep.EpochEntry{{Name: relpath.MustParse("a"), Version: vector.Vector{{ID: 1, Value: 5}}}}}
	f.Add(m.Extension().Body)
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := bep.DecodeEpoch(b)
		if err != nil {
			return
		}
		again, err := bep.DecodeEpoch(m.Extension().Body)
		if err != nil || len(again.Entries) != len(m.Entries) {
			t.Errorf("%+v, read again: %+v, %v", m, again, err)
		}
	})
}

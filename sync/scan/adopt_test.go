package scan_test

import (
	"testing"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/scan"
	"lanyard/sync/vector"
)

func TestAFolderCopiedByHandTakesTheVersionThatItIsACopyOf(t *testing.T) {
	other := device.ID{0, 0, 0, 0, 0, 0, 0, 5, 1}
	old, now := vector.Vector{{ID: 9, Value: 1}}, vector.Vector{{ID: 9, Value: 2}}
	tests := []struct {
		name, content string
		global        func(mtime time.Time) bep.FileInfo
		want          vector.Vector // nil: one of our own
	}{
		{"a copy of an old version is behind", "first", func(at time.Time) bep.FileInfo { return fileInfo("a", "second", at.Add(time.Hour), now) }, old},
		{"a copy of the newest version is that", "second", func(at time.Time) bep.FileInfo { return fileInfo("a", "second", at, now) }, now},
		{"anything else is a version of its own", "mine", func(at time.Time) bep.FileInfo { return fileInfo("a", "second", at, now) }, nil},
		{"what was deleted is there because somebody wants it", "first", func(time.Time) bep.FileInfo {
			return bep.FileInfo{Name: relpath.MustParse("a"), Deleted: true, Version: now}
		}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, fsys.MemOptions{})
			r.write("a", tt.content)
			look, err := r.disk.Lstat(relpath.MustParse("a"))
			r.must(err)
			mtime := time.Unix(0, look.Mtime)
			r.offer(tt.global(mtime))
			r.must(r.index.ResetRemote(other, 2))
			r.must(r.index.UpdateRemote(other, []bep.FileInfo{fileInfo("a", "first", mtime, old)}))
			r.scan()
			got := r.record("a").Version
			if tt.want == nil && got.Get(uint64(us)) == 0 || tt.want != nil && vector.Compare(got, tt.want) != vector.Equal {
				t.Errorf("version %v, want %v", got, tt.want)
			}
		})
	}
}

func TestAdopt(t *testing.T) {
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	stamp := index.Stamp{Inode: 1, Mtime: at.UnixNano(), Mode: 0o644, Size: 4}
	ours := vector.Vector{{ID: uint64(us), Value: 100}}
	theirs := vector.Vector{{ID: 9, Value: 5}}
	record := func(v vector.Vector) index.Record {
		return index.Record{FileInfo: fileInfo("a", "same", at, v), Stamp: stamp}
	}
	both := func(v vector.Vector) bep.FileInfo { return fileInfo("a", "same", at, v) }
	tests := []struct {
		name    string
		rec     index.Record
		global  bep.FileInfo
		version bep.FileInfo
		kind    bep.FolderType
		want    string // theirs, after (theirs), later (than we gave), no
	}{
		{"the same content is their version", record(ours), both(theirs), both(theirs), bep.SendReceive, "theirs"},
		{"another content is not", record(ours), both(theirs), fileInfo("a", "diff", at, theirs), bep.SendReceive, "no"},
		{"another time makes ours the next one", record(ours), both(theirs), fileInfo("a", "same", at.Add(time.Second), theirs), bep.SendReceive, "after"},
		{"a version that knows what ours was made from", record(vector.Vector{{ID: uint64(us), Value: 100}, {ID: 9, Value: 4}}), both(theirs), both(theirs), bep.SendReceive, "theirs"},
		{"a version that does not", record(vector.Vector{{ID: uint64(us), Value: 100}, {ID: 9, Value: 6}}), both(theirs), both(theirs), bep.SendReceive, "no"},
		{"what is deleted elsewhere stays ours", record(ours), bep.FileInfo{Name: relpath.MustParse("a"), Deleted: true, Version: theirs}, both(vector.Vector{{ID: 9, Value: 4}}), bep.SendReceive, "no"},
		{"a counter that we gave before is not given to another content", record(ours), fileInfo("a", "diff", at, ours), fileInfo("a", "diff", at, ours), bep.SendReceive, "later"},
		{"nor an earlier one", record(ours), both(theirs), fileInfo("a", "diff", at, vector.Vector{{ID: uint64(us), Value: 500}, {ID: 9, Value: 1}}), bep.SendReceive, "later"},
		{"not even where that was a deletion", record(ours), both(ours), bep.FileInfo{Name: relpath.MustParse("a"), Deleted: true, Version: ours}, bep.SendReceive, "later"},
		{"what we have already", record(theirs), both(theirs), both(theirs), bep.SendReceive, "no"},
		{"a change that only stands here becomes their version", func() index.Record { r := record(nil); r.Flags = index.ReceiveOnly; return r }(), both(theirs), both(theirs), bep.ReceiveOnly, "theirs"},
		{"an ignored record is none", func() index.Record { r := record(ours); r.Flags = index.Ignored; return r }(), both(theirs), both(theirs), bep.SendReceive, "no"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := scan.Options{Short: us, Type: tt.kind, Now: func() time.Time { return at }}
			got, verdict := scan.Adopt(o, tt.rec, &tt.global, []bep.FileInfo{tt.version})
			ok := verdict == scan.Adopted
			if verdict == scan.Unlike {
				got, ok = scan.Raise(us, tt.rec, []bep.FileInfo{tt.version})
			}
			order := vector.Compare(got.Version, theirs)
			switch tt.want {
			case "no":
				if ok {
					t.Errorf("it becomes %v", got.Version)
				}
			case "theirs":
				if !ok || order != vector.Equal || got.Stamp != stamp || got.Flags != 0 {
					t.Errorf("%v, %+v, want their version and our stamp", ok, got)
				}
			case "later":
				given := tt.version.Version.Get(uint64(us))
				if !ok || got.Version.Get(uint64(us)) <= given || got.Version.Get(9) != 0 {
					t.Errorf("%v, version %v, want our counter above %d and nothing else", ok, got.Version, given)
				}
			case "after":
				if !ok || order != vector.Greater || got.ModUnixNano() != at.UnixNano() {
					t.Errorf("%v, %+v, want a version after theirs with our time", ok, got)
				}
			}
		})
	}
}

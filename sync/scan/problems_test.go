package scan_test

import (
	"io/fs"
	"testing"

	"lanyard/sync/fault"
	"lanyard/sync/fsys"
	"lanyard/sync/scan"
	"lanyard/sync/status/statustest"
)

func TestEachNameThatCannotTakePartSaysWhy(t *testing.T) {
	tests := []struct {
		code  fault.Code
		name  string // as reported
		cause func(*rig)
	}{
		{"not-a-file", "fifo", func(r *rig) { r.must(r.user.Special("fifo")) }},
		{"name-not-text", "bad\xff", func(r *rig) { r.must(r.user.WriteFile("bad\xff", []byte("x"))) }},
		{"name-twin", "u\u0308", func(r *rig) { r.write("\u00fc", "x"); r.write("u\u0308", "y") }},
		{"other-disk-inside", "disk", func(r *rig) {
			r.must(r.user.Special("disk"))
			r.disk.SetListing(func(_ string, entries []fsys.Entry) ([]fsys.Entry, error) {
				for i := range entries {
					if entries[i].Name == "disk" {
						entries[i].Info.Dev++
					}
				}
				return entries, nil
			})
		}},
		{"dir-unreadable", "dir", func(r *rig) {
			r.write("dir/a", "x")
			r.disk.SetListing(func(dir string, entries []fsys.Entry) ([]fsys.Entry, error) {
				if dir == "dir" {
					return nil, fault.Wrap(fault.Item, "dir-unreadable", "list", dir, fs.ErrPermission)
				}
				return entries, nil
			})
		}},
		{"file-unreadable", "f", func(r *rig) {
			r.write("f", "x")
			r.disk.SetHook(func(op fsys.Op) error {
				if op.Name == fsys.OpRead {
					return fsys.ErrIO
				}
				return nil
			})
		}},
	}
	for _, test := range tests {
		t.Run(string(test.code), func(t *testing.T) {
			r := newRig(t, fsys.MemOptions{})
			test.cause(r)
			var found []scan.Problem
			for _, p := range r.scan().Problems {
				if p.Name == test.name {
					found = append(found, p)
				}
			}
			if len(found) != 1 {
				t.Fatalf("%d problems of %q, want 1", len(found), test.name)
			}
			statustest.Raised(t, found[0].Err, test.code)
			if kind := fault.KindOf(found[0].Err); kind != fault.Item {
				t.Errorf("it is of kind %v, want item", kind)
			}
		})
	}
}

package fsys_test

import (
	"os"
	"testing"

	"lanyard/sync/fsys"
	"lanyard/sync/fsys/fsystest"
)

func TestMemPassesTheSuite(t *testing.T) {
	for name, o := range map[string]fsys.MemOptions{
		"a good disk":             {},
		"strict and with modes":   {StrictDirSync: true, EnforceModes: true},
		"without rarer features":  {NoExchange: true, NoLinks: true, NoClone: true},
		"decomposing names":       {Decompose: true},
		"folding case, no inodes": {CaseInsensitive: true, NoInodes: true, NoCtime: true},
	} {
		t.Run(name, func(t *testing.T) {
			fsystest.Run(t, func(*testing.T) fsystest.Subject {
				m := fsys.NewMem(o)
				return fsystest.Subject{FS: m, User: m.User()}
			})
		})
	}
}

// disks are directories on as many kinds of file systems as this machine has.
func disks(t *testing.T) map[string]string {
	list := map[string]string{"temporary": t.TempDir()}
	if dir, err := os.MkdirTemp("/dev/shm", "fsys"); err == nil {
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		list["memory"] = dir
	}
	return list
}

func TestRealDisksPassTheSuite(t *testing.T) {
	for disk, dir := range disks(t) {
		for name, o := range map[string]fsys.Options{
			"best": {}, "walking": {NoOpenat2: true}, "portable": {Portable: true},
		} {
			t.Run(disk+"/"+name, func(t *testing.T) {
				fsystest.Run(t, func(t *testing.T) fsystest.Subject {
					folder, s := fsystest.Disk(t, dir)
					f, err := fsys.Open(folder, o)
					must(t, err)
					t.Cleanup(func() { must(t, f.Close()) })
					s.FS = f
					return s
				})
			})
		}
	}
}

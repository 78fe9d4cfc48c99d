package folder

import (
	"cmp"
	"crypto/sha256"
	"io/fs"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/fault"
	"lanyard/sync/fsys"
	"lanyard/sync/relpath"
	"lanyard/sync/status/statustest"
	"lanyard/sync/vector"
)

// refuse makes calls of the operations on a name, or on any where it is "",
// fail with err.
func (r *rig) refuse(err error, name string, ops ...fsys.OpName) {
	r.disk.SetHook(func(op fsys.Op) error {
		for _, o := range ops {
			if op.Name != o {
				continue
			}
			for _, p := range op.Paths {
				if name == "" || p == name {
					return err
				}
			}
		}
		return nil
	})
}

// announces has the other device announce entries with the next sequences.
func (r *rig) announces(files ...bep.FileInfo) {
	r.t.Helper()
	for i := range files {
		f := &files[i]
		r.sequence++
		f.Sequence = r.sequence
		f.Version = append(vector.Vector{{ID: 9, Value: uint64(r.sequence)}}, f.Version...)
		slices.SortFunc(f.Version, func(a, b vector.Counter) int { return cmp.Compare(a.ID, b.ID) })
		if f.IsFile() && !f.Deleted {
			r.source.data = []byte("hello")
			f.Size, f.Permissions, f.BlockSize, f.ModifiedS = 5, 0o644, block.MinSize, 1_600_000_000
			f.Blocks = []block.Info{{Size: 5, Hash: sha256.Sum256(r.source.data)}}
		}
	}
	r.must(r.index.UpdateRemote(otherID, files))
	r.runner.RemoteChanged()
	synctest.Wait()
}

// newer is what the other device made of a name that we have.
func (r *rig) newer(name string) bep.FileInfo {
	rec, _, err := r.index.Local(relpath.MustParse(name))
	r.must(err)
	return bep.FileInfo{Name: rec.Name, Type: rec.Type, Version: rec.Version, Permissions: rec.Permissions}
}

func theirFile(name string) bep.FileInfo { return bep.FileInfo{Name: relpath.MustParse(name)} }

// Each condition of one name is caused here, is told while it lasts, and ends
// when its cause has ended.
func TestWhyANameIsNotInSyncIsToldWhileItLasts(t *testing.T) {
	tests := []struct {
		code        fault.Code
		disk        fsys.MemOptions
		name        string
		cause, mend func(*rig)
	}{
		{
			code: "not-a-file", name: "pipe",
			cause: func(r *rig) { r.must(r.user.Special("pipe")) },
			mend:  func(r *rig) { r.must(r.user.Remove("pipe")) },
		},
		{
			code: "dir-unreadable", name: "dir",
			cause: func(r *rig) { r.must(r.user.MkdirAll("dir")); r.refuse(fs.ErrPermission, "dir", fsys.OpReadDir) },
			mend:  func(r *rig) { r.disk.SetHook(nil) },
		},
		{
			code: "file-unreadable", name: "f",
			cause: func(r *rig) {
				r.must(r.user.WriteFile("f", []byte("1")))
				r.refuse(fs.ErrPermission, "f", fsys.OpOpen)
			},
			mend: func(r *rig) { r.disk.SetHook(nil) },
		},
		{
			code: "file-not-writable", name: "mine",
			cause: func(r *rig) {
				r.refuse(fs.ErrPermission, "mine", fsys.OpExchange, fsys.OpRename, fsys.OpRenameNoReplace)
				r.announces(r.newer("mine"))
			},
			mend: func(r *rig) { r.disk.SetHook(nil) },
		},
		{
			code: "file-in-use", name: "mine",
			cause: func(r *rig) {
				r.refuse(fsys.ErrInUse, "mine", fsys.OpExchange, fsys.OpRename, fsys.OpRenameNoReplace)
				r.announces(r.newer("mine"))
			},
			mend: func(r *rig) { r.disk.SetHook(nil) },
		},
		{
			code: "file-too-large", name: "f",
			cause: func(r *rig) { r.refuse(fsys.ErrTooLarge, "", fsys.OpWrite); r.announces(theirFile("f")) },
			mend:  func(r *rig) { r.disk.SetHook(nil) },
		},
		{
			code: "name-too-long", name: "f",
			cause: func(r *rig) { r.refuse(fsys.ErrNameTooLong, "", fsys.OpCreate); r.announces(theirFile("f")) },
			mend:  func(r *rig) { r.disk.SetHook(nil) },
		},
		{
			code: "name-not-possible", name: "f",
			cause: func(r *rig) { r.refuse(fsys.ErrName, "", fsys.OpCreate); r.announces(theirFile("f")) },
			mend:  func(r *rig) { r.disk.SetHook(nil) },
		},
		{
			code: "link-not-possible", name: "link",
			cause: func(r *rig) {
				r.refuse(fsys.ErrUnsupported, "", fsys.OpSymlink)
				link := theirFile("link")
				link.Type, link.SymlinkTarget = bep.TypeSymlink, "mine"
				r.announces(link)
			},
			mend: func(r *rig) { r.disk.SetHook(nil) },
		},
		{
			code: "archive-unwritable", name: "mine",
			cause: func(r *rig) {
				r.refuse(fs.ErrPermission, relpath.VersionsName, fsys.OpMkdir)
				r.announces(r.newer("mine"))
			},
			mend: func(r *rig) { r.disk.SetHook(nil) },
		},
		{
			code: "name-case-clash", name: "plan", disk: fsys.MemOptions{CaseInsensitive: true},
			cause: func(r *rig) {
				r.announces(theirFile("Plan"))
				r.announces(theirFile("plan"))
			},
			mend: func(r *rig) {
				gone := theirFile("plan")
				gone.Deleted = true
				r.announces(gone)
			},
		},
		{
			code: "file-keeps-changing", name: "log",
			cause: func(r *rig) {
				r.must(r.user.WriteFile("log", []byte("a line\n")))
				grown := []byte("a line\n")
				r.disk.SetHook(func(op fsys.Op) error {
					if op.Name == fsys.OpRead && op.Paths[0] == "log" {
						grown = append(grown, "another line\n"...)
						return r.user.WriteFile("log", grown)
					}
					return nil
				})
			},
			mend: func(r *rig) { r.disk.SetHook(nil) },
		},
		{
			code: "dir-not-empty", name: "dir",
			cause: func(r *rig) {
				r.must(r.user.WriteFile(relpath.IgnoreName, []byte("secret\n")))
				r.must(r.user.MkdirAll("dir"))
				r.must(r.user.WriteFile("dir/secret", []byte("1")))
				r.must(r.scan())
				gone := r.newer("dir")
				gone.Deleted = true
				r.announces(gone)
			},
			mend: func(r *rig) { r.must(r.user.Remove("dir/secret")) },
		},
	}
	for _, test := range tests {
		t.Run(string(test.code), func(t *testing.T) {
			inRigOn(t, test.disk, map[string]string{"mine": "1"}, func(r *rig) {
				r.start()
				test.cause(r)
				r.must(r.scan())
				r.later(6 * time.Minute) // some things are tried a few times first
				name := relpath.MustParse(test.name)
				err := r.runner.Failure(name)
				statustest.Raised(t, err, test.code)
				if fault.KindOf(err) == fault.Folder || r.runner.View().Err != nil {
					t.Errorf("one name stopped the folder: %v", r.runner.View().Err)
				}
				r.later(2 * time.Hour)
				if again := r.runner.Failure(name); fault.CodeOf(again) != test.code {
					t.Errorf("while it lasts it is told as %v", again)
				}
				test.mend(r)
				r.must(r.scan())
				r.later(2 * time.Hour)
				if v := r.runner.View(); len(v.Failed) != 0 || !v.Settled {
					t.Errorf("mended, there is still %v", v.Failed)
				}
			})
		})
	}
}

// What concerns the whole disk is told of the folder until it has ended.
func TestWhyADiskStopsAFolderIsToldWhileItLasts(t *testing.T) {
	tests := []struct {
		code  fault.Code
		cause func(*rig)
		mend  func(*rig)
	}{
		{
			"disk-full",
			func(r *rig) { r.refuse(fsys.ErrNoSpace, "", fsys.OpWrite) },
			func(r *rig) { r.disk.SetHook(nil) },
		},
		{
			"folder-read-only",
			func(r *rig) { r.refuse(fsys.ErrReadOnly, "", fsys.OpCreate) },
			func(r *rig) { r.disk.SetHook(nil) },
		},
		{
			"disk-failing",
			func(r *rig) { r.refuse(fsys.ErrIO, "", fsys.OpSyncFiles, fsys.OpWrite) },
			func(r *rig) { r.disk.SetHook(nil) },
		},
	}
	for _, test := range tests {
		t.Run(string(test.code), func(t *testing.T) {
			inRig(t, nil, func(r *rig) {
				r.start()
				test.cause(r)
				r.announces(theirFile("f"))
				v := r.runner.View()
				statustest.Raised(t, cmp.Or(v.Err, v.Noted[test.code]), test.code)
				test.mend(r)
				r.later(2 * time.Hour)
				if v := r.runner.View(); v.Err != nil || len(v.Noted) != 0 || len(v.Failed) != 0 || !v.Settled {
					t.Errorf("mended, the view is %+v", v)
				}
				if got, err := r.user.ReadFile("f"); string(got) != "hello" {
					t.Errorf("the file holds %q, %v", got, err)
				}
			})
		})
	}
}

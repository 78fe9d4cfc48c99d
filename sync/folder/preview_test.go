package folder

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/device"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
	"lanyard/sync/vector"
)

// theirs is an index that holds what another device announces: files by name and
// content, directories with a slash at the end, links with an arrow, deleted
// ones with a minus sign. Their times are a second apart from those here.
func theirs(t *testing.T, at time.Time, names map[string]string) index.Folder {
	t.Helper()
	ix, err := index.NewMemory(index.MemoryOptions{}).Folder("f")
	if err != nil {
		t.Fatal(err)
	}
	other, pool := device.ID{9}, block.NewPool(1)
	if err := ix.ResetRemote(other, 5); err != nil {
		t.Fatal(err)
	}
	var files []bep.FileInfo
	for name, content := range names {
		f := bep.FileInfo{Version: vector.Vector{{ID: 9, Value: 1}}, Sequence: int64(len(files) + 1), Permissions: 0o644}
		f.SetModUnixNano(at.UnixNano())
		switch {
		case strings.HasSuffix(name, "/"):
			f.Name, f.Type = relpath.MustParse(strings.TrimSuffix(name, "/")), bep.TypeDirectory
		case strings.HasPrefix(name, "-"):
			f.Name, f.Deleted = relpath.MustParse(name[1:]), true
		case strings.HasPrefix(content, "->"):
			f.Name, f.Type, f.SymlinkTarget = relpath.MustParse(name), bep.TypeSymlink, content[2:]
		default:
			f.Name, f.Size, f.BlockSize = relpath.MustParse(name), int64(len(content)), block.MinSize
			f.Blocks, err = pool.HashFile(context.Background(), strings.NewReader(content), f.Size, f.BlockSize)
			if err != nil {
				t.Fatal(err)
			}
		}
		files = append(files, f)
	}
	if err := ix.UpdateRemote(other, files); err != nil {
		t.Fatal(err)
	}
	return ix
}

func TestAPreviewComparesADirectoryWithAnIndex(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	disk := fsys.NewMem(fsys.MemOptions{Now: func() time.Time { return now }})
	user := disk.User()
	here := map[string]string{
		"same": "equal", "dir/same": "equal too", "differs": "1234567", "longer": "123",
		"mine": "12", "dir/mine": "1", "was-deleted": "12345", "unread": "abc",
		".stignore": "*.tmp", "ours.tmp": "long, and ignored",
		".stfolder/x": "no content",
	}
	for _, dir := range []string{"dir", "kind", ".stfolder"} {
		if err := user.MkdirAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range here {
		if err := user.WriteFile(name, []byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{"link": "same", "link-differs": "same"} {
		if err := user.Symlink(target, name); err != nil {
			t.Fatal(err)
		}
	}
	if err := user.Special("pipe"); err != nil {
		t.Fatal(err)
	}
	if err := user.Chtimes("unread", now.UnixNano()); err != nil {
		t.Fatal(err)
	}
	ix := theirs(t, now.Add(time.Second), map[string]string{
		"same": "equal", "dir/": "", "dir/same": "equal too", "differs": "7654321", "longer": "12345",
		"kind": "a file there", "theirs": "123456789", "theirs-too": "1", "-was-deleted": "",
		"link": "->same", "link-differs": "->elsewhere", "theirs.tmp": "ignored here",
	})
	if err := ix.UpdateRemote(device.ID{9}, []bep.FileInfo{unread(now)}); err != nil {
		t.Fatal(err)
	}
	before := fmt.Sprint(user.Tree())
	var rivals []string
	got, err := Preview(t.Context(), disk, ix, block.NewPool(1), func(r Rival) { rivals = append(rivals, r.Name.String()) })
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"differs", "link-differs", "longer"}, rivals); diff != "" {
		t.Errorf("names of which one version can be chosen (-want +got):\n%s", diff)
	}
	var names []string
	for _, d := range got.Names {
		names = append(names, fmt.Sprintf("%s %d:%d", d.Name, d.Here.Bytes, d.There.Bytes))
	}
	if diff := cmp.Diff([]string{"differs 7:7", "kind 0:12", "link-differs 0:0", "longer 3:5"}, names); diff != "" {
		t.Errorf("names that differ (-want +got):\n%s", diff)
	}
	if got.Token == "" {
		t.Error("nothing stands for what differs")
	}
	got.Names, got.Token = nil, ""
	want := status.Preview{
		Same: status.Amount{Files: 4, Bytes: 5 + 9 + 3}, Unread: 1,
		Here:   status.Amount{Files: 3, Bytes: 2 + 1 + 5},
		There:  status.Amount{Files: 2, Bytes: 10},
		Differ: 4, Skipped: 1,
		Incoming: 10 + 7 + 12 + 5, Outgoing: 8 + 7 + 3,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("preview (-want +got):\n%s", diff)
	}
	if after := fmt.Sprint(user.Tree()); after != before {
		t.Errorf("the disk was changed:\n%s\nto\n%s", before, after)
	}
	if n := disk.OpenHandles(); n != 0 {
		t.Errorf("%d files are still open", n)
	}
}

// unread is a version that only its size and time tell to be that of a file.
func unread(at time.Time) bep.FileInfo {
	f := bep.FileInfo{
		Name: relpath.MustParse("unread"), Size: 3, BlockSize: block.MinSize, Sequence: 99, Version: vector.Vector{{ID: 9, Value: 1}},
		Blocks: []block.Info{{Size: 3}},
	}
	f.SetModUnixNano(at.UnixNano())
	return f
}

func TestAPreviewOfAPlaceThatIsNotThere(t *testing.T) {
	ix := theirs(t, time.Now(), map[string]string{"a": "12", "d/": "", "d/l": "->x", "-gone": ""})
	got, err := Preview(t.Context(), nil, ix, block.NewPool(1), nil)
	got.Token = ""
	want := status.Preview{There: status.Amount{Files: 2, Bytes: 2}, Incoming: 2, Names: []status.Differing{}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("preview (-want +got), error %v:\n%s", err, diff)
	}
}

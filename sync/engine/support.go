package engine

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/fault"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
)

// Indexes looks into the indexes of folders, for whoever wants to know what
// stands in them. It opens one by its folder's ID.
type Indexes func(bep.FolderID) (index.Folder, error)

// Indexes gives those of the running folders.
func (e *Engine) Indexes() Indexes {
	return func(id bep.FolderID) (index.Folder, error) {
		f := e.folder(id)
		switch {
		case f == nil:
			return nil, fault.New(fault.Folder, "", "there is no folder %q", id)
		case f.index == nil:
			return nil, f.err
		}
		return f.index, nil
	}
}

// IndexStats gives figures about the index of a folder.
func (e *Engine) IndexStats(_ context.Context, id bep.FolderID) (status.IndexStats, error) {
	return e.Indexes().Stats(id)
}

// CheckIndex reads all of a folder's index. Damage is the error index-damaged,
// and has the index made anew.
func (e *Engine) CheckIndex(ctx context.Context, id bep.FolderID) error {
	return e.Indexes().Check(ctx, id)
}

// ShowIndex gives all that a folder's index knows of a name.
func (e *Engine) ShowIndex(_ context.Context, id bep.FolderID, p relpath.Path) (status.IndexEntry, error) {
	return e.Indexes().Show(id, p)
}

// ExportIndex writes a folder's index to a new SQLite file, an absolute path.
func (e *Engine) ExportIndex(ctx context.Context, id bep.FolderID, file string) error {
	return e.Indexes().Export(ctx, id, file)
}

// Stats gives figures about an index.
func (open Indexes) Stats(id bep.FolderID) (status.IndexStats, error) {
	ix, err := open(id)
	if err != nil {
		return status.IndexStats{}, err
	}
	st, err := ix.Stats()
	if err != nil {
		return status.IndexStats{}, err
	}
	out := status.IndexStats{
		Folder: string(id), IndexID: fmt.Sprintf("%016x", uint64(st.IndexID)), Sequence: strconv.FormatInt(st.Sequence, 10),
		Local: countOf(st.Counts.Local), Global: countOf(st.Counts.Global),
		Need:    status.Need{Items: st.Counts.Need.Items, Bytes: st.Counts.Need.Bytes},
		Devices: st.Remotes, Versions: st.Rows, Lists: st.Lists, Bytes: st.Bytes, Exclusive: st.Exclusive,
		Snapshot: timeOrNil(st.Snapshot), Checked: timeOrNil(st.Checked),
	}
	if st.Recovery != nil {
		out.Recovering = string(st.Recovery.Cause)
	}
	return out, nil
}

func countOf(c index.Count) status.IndexCount {
	return status.IndexCount{Files: c.Files, Dirs: c.Dirs, Links: c.Links, Deleted: c.Deleted, Bytes: c.Bytes}
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// Check reads all of an index.
func (open Indexes) Check(ctx context.Context, id bep.FolderID) error {
	ix, err := open(id)
	if err != nil {
		return err
	}
	return ix.Check(ctx)
}

// Export writes an index to a new SQLite file.
func (open Indexes) Export(ctx context.Context, id bep.FolderID, file string) error {
	ix, err := open(id)
	if err != nil {
		return err
	}
	return ix.Export(ctx, file)
}

// Show gives all that an index knows of a name.
func (open Indexes) Show(id bep.FolderID, p relpath.Path) (status.IndexEntry, error) {
	out := status.IndexEntry{Folder: string(id), Path: p.String(), Devices: []status.IndexVersion{}}
	ix, err := open(id)
	if err != nil {
		return out, err
	}
	rec, ok, err := ix.Local(p)
	if err != nil {
		return out, err
	}
	if ok {
		v := versionOf(&rec.FileInfo)
		v.Sequence, v.Stamp = strconv.FormatInt(rec.Sequence, 10), seenOf(rec.Stamp)
		v.Flags = append(v.Flags, flagsOf(rec.Flags)...)
		out.Local = &v
	}
	global, needed, ok, err := ix.Global(p)
	if err != nil {
		return out, err
	}
	if ok {
		v := versionOf(&global)
		out.Global, out.Needed = &v, needed
	}
	remotes, err := ix.Remotes()
	if err != nil {
		return out, err
	}
	for _, dev := range remotes {
		theirs, ok, err := ix.RemoteEntry(dev, p)
		if err != nil {
			return out, err
		}
		if ok {
			v := versionOf(&theirs)
			v.Device = dev.String()
			out.Devices = append(out.Devices, v)
		}
	}
	return out, nil
}

func versionOf(f *bep.FileInfo) status.IndexVersion {
	v := status.IndexVersion{
		Type: "file", Size: f.Size, Modified: time.Unix(0, f.ModUnixNano()).UTC(), Permissions: strconv.FormatUint(uint64(f.Permissions), 8),
		Blocks: len(f.Blocks), Target: f.SymlinkTarget, Flags: []string{},
	}
	switch f.Type {
	case bep.TypeDirectory:
		v.Type = "directory"
	case bep.TypeSymlink:
		v.Type = "symlink"
	}
	if f.Deleted {
		v.Flags = append(v.Flags, "deleted")
	}
	if f.Invalid {
		v.Flags = append(v.Flags, "invalid")
	}
	if f.NoPermissions {
		v.Permissions = ""
	}
	counters := make([]string, 0, len(f.Version))
	for _, c := range f.Version {
		counters = append(counters, fmt.Sprintf("%s:%d", device.ShortID(c.ID), c.Value))
	}
	v.Version = strings.Join(counters, " ")
	return v
}

func flagsOf(f index.Flags) []string {
	var out []string
	for _, flag := range []struct {
		bit  index.Flags
		name string
	}{{index.Ignored, "ignored"}, {index.MustRescan, "must-rescan"}, {index.ReceiveOnly, "receive-only"}, {index.Unsupported, "unsupported"}, {index.Returned, "returned"}} {
		if f&flag.bit != 0 {
			out = append(out, flag.name)
		}
	}
	return out
}

func seenOf(s index.Stamp) *status.IndexSeen {
	if s == (index.Stamp{}) {
		return nil
	}
	return &status.IndexSeen{
		Inode: strconv.FormatUint(s.Inode, 10), Size: s.Size, Mode: strconv.FormatUint(uint64(s.Mode), 8),
		Modified: time.Unix(0, s.Mtime).UTC(), Changed: time.Unix(0, s.Ctime).UTC(),
	}
}

package bep

import (
	"fmt"
	"strings"

	"pgregory.net/rapid"

	"lanyard/sync/block"
	"lanyard/sync/device"
	"lanyard/sync/relpath"
	"lanyard/sync/vector"
)

// The generators draw messages that a correct peer sends.

func genPath() *rapid.Generator[relpath.Path] {
	component := rapid.SampledFrom([]string{"a", "b.txt", "Übersicht", "笔记", "with space", "x\\y", "CON", strings.Repeat("l", 255)})
	return rapid.Custom(func(t *rapid.T) relpath.Path {
		parts := rapid.SliceOfN(component, 1, 4).Draw(t, "components")
		return relpath.MustParse(strings.Join(parts, "/"))
	})
}

func genVector() *rapid.Generator[vector.Vector] {
	return rapid.Custom(func(t *rapid.T) vector.Vector {
		var v vector.Vector
		ids := rapid.SliceOfNDistinct(rapid.Uint64(), 0, 4, rapid.ID[uint64]).Draw(t, "ids")
		for _, id := range ids {
			v = v.Bump(id, rapid.Int64Range(0, vector.MaxValue).Draw(t, "value"))
		}
		return v
	})
}

func genHash() *rapid.Generator[[]byte] { return rapid.SliceOfN(rapid.Byte(), 32, 32) }

func maybeHash(t *rapid.T, label string) []byte {
	if rapid.Bool().Draw(t, label+" there") {
		return genHash().Draw(t, label)
	}
	return nil
}

func genFileInfo() *rapid.Generator[FileInfo] {
	return rapid.Custom(func(t *rapid.T) FileInfo {
		f := FileInfo{
			Name:          genPath().Draw(t, "name"),
			Type:          rapid.SampledFrom([]FileType{TypeFile, TypeDirectory, TypeSymlink}).Draw(t, "type"),
			Permissions:   rapid.Uint32Range(0, 0o777).Draw(t, "permissions"),
			ModifiedS:     rapid.Int64().Draw(t, "modified_s"),
			ModifiedNs:    rapid.Int32Range(0, 999_999_999).Draw(t, "modified_ns"),
			Deleted:       rapid.Bool().Draw(t, "deleted"),
			Invalid:       rapid.Bool().Draw(t, "invalid"),
			NoPermissions: rapid.Bool().Draw(t, "no_permissions"),
			Version:       genVector().Draw(t, "version"),
			Sequence:      rapid.Int64Min(0).Draw(t, "sequence"),
			ModifiedBy:    device.ShortID(rapid.Uint64().Draw(t, "modified_by")),
			BlocksHash:    maybeHash(t, "blocks_hash"), PreviousBlocksHash: maybeHash(t, "previous"),
		}
		if rapid.Bool().Draw(t, "platform") {
			f.Platform = []byte{0x0a, 0x04, 0x0a, 0x02, 'm', 'e'}
		}
		switch {
		case f.IsFile():
			genBlocks(t, &f)
		case f.IsSymlink():
			f.SymlinkTarget = string(rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "target"))
		}
		return f
	})
}

// genBlocks gives a file its blocks.
func genBlocks(t *rapid.T, f *FileInfo) {
	f.BlockSize = int32(block.MinSize) << rapid.IntRange(0, 7).Draw(t, "block size")
	f.Size = rapid.Int64Range(0, 5*int64(f.BlockSize)).Draw(t, "size")
	for i := range block.Count(f.Size, f.BlockSize) {
		offset := int64(i) * int64(f.BlockSize)
		f.Blocks = append(f.Blocks, block.Info{
			Offset: offset, Size: int32(min(int64(f.BlockSize), f.Size-offset)), Hash: block.Hash(genHash().Draw(t, "hash")),
		})
	}
	if rapid.Bool().Draw(t, "sums") {
		f.Sums = rapid.SliceOfN(rapid.Uint64(), len(f.Blocks), len(f.Blocks)).Draw(t, "sum")
	}
}

func genIndex() *rapid.Generator[*Index] {
	return rapid.Custom(func(t *rapid.T) *Index {
		m := &Index{
			Folder:       genFolderID(t),
			Update:       rapid.Bool().Draw(t, "update"),
			LastSequence: rapid.Int64Min(0).Draw(t, "last"),
			PrevSequence: rapid.Int64Min(0).Draw(t, "prev"),
		}
		name := func(f FileInfo) relpath.Path { return f.Name }
		if files := rapid.SliceOfNDistinct(genFileInfo(), 0, 4, name).Draw(t, "files"); len(files) > 0 {
			m.Files = files
		}
		return m
	})
}

func genFolderID(t *rapid.T) FolderID {
	return FolderID(rapid.StringN(1, 20, -1).Draw(t, "folder"))
}

func genClusterConfig() *rapid.Generator[*ClusterConfig] {
	return rapid.Custom(func(t *rapid.T) *ClusterConfig {
		m := &ClusterConfig{Secondary: rapid.Bool().Draw(t, "secondary")}
		for i := range rapid.IntRange(0, 3).Draw(t, "folders") {
			f := Folder{
				ID:      FolderID(fmt.Sprint(i, genFolderID(t))),
				Label:   rapid.String().Draw(t, "label"),
				Type:    FolderType(rapid.Int32().Draw(t, "type")),
				Stopped: rapid.Bool().Draw(t, "stopped"),
				Looking: rapid.Bool().Draw(t, "looking"),
			}
			for range rapid.IntRange(0, 3).Draw(t, "devices") {
				f.Devices = append(f.Devices, genDevice(t))
			}
			m.Folders = append(m.Folders, f)
		}
		return m
	})
}

func genDevice(t *rapid.T) Device {
	d := Device{
		ID:                       device.ID(genHash().Draw(t, "id")),
		Name:                     rapid.String().Draw(t, "name"),
		Compression:              rapid.Int32().Draw(t, "compression"),
		CertName:                 rapid.String().Draw(t, "cert_name"),
		MaxSequence:              rapid.Int64Min(0).Draw(t, "max_sequence"),
		Introducer:               rapid.Bool().Draw(t, "introducer"),
		IndexID:                  IndexID(rapid.Uint64().Draw(t, "index_id")),
		SkipIntroductionRemovals: rapid.Bool().Draw(t, "skip"),
		PasswordToken:            maybeHash(t, "token"),
	}
	for range rapid.IntRange(0, 3).Draw(t, "addresses") {
		d.Addresses = append(d.Addresses, rapid.String().Draw(t, "address"))
	}
	return d
}

func genRequest() *rapid.Generator[*Request] {
	return rapid.Custom(func(t *rapid.T) *Request {
		return &Request{
			ID: rapid.Int32().Draw(t, "id"), Folder: genFolderID(t), Name: genPath().Draw(t, "name"),
			Offset:        rapid.Int64Range(0, 1<<62).Draw(t, "offset"),
			Size:          rapid.Int32Range(0, MaxRequestSize).Draw(t, "size"),
			Hash:          maybeHash(t, "hash"),
			FromTemporary: rapid.Bool().Draw(t, "from_temporary"),
			BlockNo:       rapid.Int32Min(0).Draw(t, "block_no"),
		}
	})
}

func genResponse() *rapid.Generator[*Response] {
	return rapid.Custom(func(t *rapid.T) *Response {
		m := &Response{
			ID: rapid.Int32().Draw(t, "id"), Code: ErrorCode(rapid.Int32Range(0, 3).Draw(t, "code")),
		}
		if n := rapid.IntRange(0, 300).Draw(t, "size"); n > 0 {
			m.Data = rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "data")
		}
		return m
	})
}

func genProgress() *rapid.Generator[*DownloadProgress] {
	return rapid.Custom(func(t *rapid.T) *DownloadProgress {
		m := &DownloadProgress{Folder: genFolderID(t)}
		for range rapid.IntRange(0, 3).Draw(t, "updates") {
			u := ProgressUpdate{
				Forget: rapid.Bool().Draw(t, "forget"), Name: rapid.String().Draw(t, "name"),
				Version: genVector().Draw(t, "version"), BlockSize: rapid.Int32Min(0).Draw(t, "block_size"),
			}
			for range rapid.IntRange(0, 5).Draw(t, "indexes") {
				u.BlockIndexes = append(u.BlockIndexes, rapid.Int32Min(0).Draw(t, "index"))
			}
			m.Updates = append(m.Updates, u)
		}
		return m
	})
}

func genMessage() *rapid.Generator[Message] {
	return rapid.Custom(func(t *rapid.T) Message {
		switch rapid.IntRange(0, 7).Draw(t, "kind") {
		case 0:
			return genClusterConfig().Draw(t, "config")
		case 1, 2:
			return genIndex().Draw(t, "index")
		case 3:
			return genRequest().Draw(t, "request")
		case 4:
			return genResponse().Draw(t, "response")
		case 5:
			return genProgress().Draw(t, "progress")
		case 6:
			return &Close{Reason: rapid.String().Draw(t, "reason")}
		default:
			return &Ping{}
		}
	})
}

package bep

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/dynamicpb"
	"pgregory.net/rapid"

	"lanyard/sync/vector"
)

func TestEveryMessageIsReadAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sent := rapid.SliceOfN(genMessage(), 1, 4).Draw(t, "messages")
		var stream []byte
		for _, m := range sent {
			c := Compression(rapid.Int32Range(0, 2).Draw(t, "compression"))
			var err error
			if stream, err = AppendMessage(stream, m, c); err != nil {
				t.Fatal(err)
			}
		}
		r := NewReader(bytes.NewReader(stream), ReaderOptions{})
		for _, m := range sent {
			got, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(m, got, paths); diff != "" {
				t.Fatalf("(-sent +read):\n%s", diff)
			}
		}
	})
}

func TestAnEntryIsReadAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := genFileInfo().Draw(t, "entry")
		got, err := UnmarshalFileInfo(MarshalFileInfo(&f))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(f, got, paths); diff != "" {
			t.Fatalf("(-written +read):\n%s", diff)
		}
	})
}

// The two codecs share no code but the encoding of single numbers, and the
// schema names each field where the hand-written one has a tag.
func TestTheCodecAgreesWithProtobuf(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := genMessage().Draw(rt, "message")
		name, values := describe(m)
		if name == "" {
			return // a Ping has nothing to compare
		}
		want := dynamic(t, name, values)
		ours := appendBody(nil, m)
		got := dynamicpb.NewMessage(want.Descriptor())
		if err := proto.Unmarshal(ours, got); err != nil {
			rt.Fatalf("protobuf refuses our %s: %v", name, err)
		}
		if !proto.Equal(want, got) {
			rt.Fatalf("protobuf reads our %s as\n%v, want\n%v", name, got, want)
		}
		theirs, err := proto.Marshal(want)
		if err != nil {
			rt.Fatal(err)
		}
		header := appendInt(nil, tagHeaderType, m.messageType())
		back, err := next(frame(string(header), theirs))
		if err != nil {
			rt.Fatalf("we refuse protobuf's %s: %v", name, err)
		}
		if diff := cmp.Diff(m, back, paths); diff != "" {
			rt.Fatalf("we read protobuf's %s as (-want +got):\n%s", name, diff)
		}
	})
}

func TestTheHelloAgreesWithProtobuf(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := Hello{
			DeviceName: rapid.String().Draw(rt, "device"), ClientName: rapid.String().Draw(rt, "client"),
			ClientVersion: rapid.String().Draw(rt, "version"), NumConnections: rapid.Int32().Draw(rt, "connections"),
			Timestamp: rapid.Int64().Draw(rt, "timestamp"),
		}
		want := dynamic(t, "Hello", fields{
			"device_name": h.DeviceName, "client_name": h.ClientName, "client_version": h.ClientVersion,
			"num_connections": h.NumConnections, "timestamp": h.Timestamp,
		})
		got := dynamicpb.NewMessage(want.Descriptor())
		if err := proto.Unmarshal(appendHello(nil, &h), got); err != nil || !proto.Equal(want, got) {
			rt.Fatalf("protobuf reads our hello as %v (%v), want %v", got, err, want)
		}
		theirs, err := proto.Marshal(want)
		if err != nil {
			rt.Fatal(err)
		}
		if back, err := decodeHello(theirs); err != nil || back != h {
			rt.Fatalf("we read protobuf's hello as %+v (%v), want %+v", back, err, h)
		}
	})
}

// describe gives a message's name and values in the words of the schema.
func describe(m Message) (name string, values fields) {
	switch m := m.(type) {
	case *ClusterConfig:
		return "ClusterConfig", fields{"folders": list(m.Folders, describeFolder), "secondary": m.Secondary}
	case *Index:
		return "Index", fields{
			"folder": string(m.Folder), "files": list(m.Files, describeFile),
			"last_sequence": m.LastSequence, "prev_sequence": m.PrevSequence,
		}
	case *Request:
		return "Request", fields{
			"id": m.ID, "folder": string(m.Folder), "name": m.Name.String(), "offset": m.Offset, "size": m.Size,
			"hash": m.Hash, "from_temporary": m.FromTemporary, "block_no": m.BlockNo,
		}
	case *Response:
		return "Response", fields{"id": m.ID, "data": m.Data, "code": int32(m.Code)}
	case *DownloadProgress:
		return "DownloadProgress", fields{"folder": string(m.Folder), "updates": list(m.Updates, describeUpdate)}
	case *Close:
		return "Close", fields{"reason": m.Reason}
	}
	return "", nil
}

// list describes each of a list; an empty one is none.
func list[T any](all []T, describe func(T) any) []any {
	out := make([]any, len(all))
	for i := range all {
		out[i] = describe(all[i])
	}
	return out
}

func describeFolder(f Folder) any {
	stopped := int32(0)
	if f.Stopped {
		stopped = 1
	}
	return fields{
		"id": string(f.ID), "label": f.Label, "type": int32(f.Type), "stop_reason": stopped, "looking": f.Looking,
		"devices": list(f.Devices, func(d Device) any {
			return fields{
				"id": d.ID[:], "name": d.Name, "addresses": list(d.Addresses, func(a string) any { return a }),
				"compression": d.Compression, "cert_name": d.CertName, "max_sequence": d.MaxSequence,
				"introducer": d.Introducer, "index_id": uint64(d.IndexID),
				"skip_introduction_removals": d.SkipIntroductionRemovals, "encryption_password_token": d.PasswordToken,
			}
		}),
	}
}

func describeFile(f FileInfo) any {
	out := fields{
		"name": f.Name.String(), "type": int32(f.Type), "size": f.Size, "permissions": f.Permissions,
		"modified_s": f.ModifiedS, "modified_ns": f.ModifiedNs, "deleted": f.Deleted, "invalid": f.Invalid,
		"no_permissions": f.NoPermissions, "sequence": f.Sequence, "modified_by": uint64(f.ModifiedBy),
		"block_size": f.BlockSize, "symlink_target": []byte(f.SymlinkTarget), "blocks_hash": f.BlocksHash,
		"previous_blocks_hash": f.PreviousBlocksHash, "blocks": []any{}, "sums": []any{},
	}
	for _, b := range f.Blocks {
		out["blocks"] = append(out["blocks"].([]any), fields{"offset": b.Offset, "size": b.Size, "hash": b.Hash[:]})
	}
	for _, s := range f.Sums {
		out["sums"] = append(out["sums"].([]any), s)
	}
	if f.Platform != nil { // the only value that the generator draws
		out["platform"] = fields{"unix": fields{"owner_name": "me"}}
	}
	describeVersion(out, f.Version)
	return out
}

func describeUpdate(u ProgressUpdate) any {
	forget := int32(0)
	if u.Forget {
		forget = 1
	}
	out := fields{
		"update_type": forget, "name": u.Name, "block_size": u.BlockSize,
		"block_indexes": list(u.BlockIndexes, func(i int32) any { return i }),
	}
	describeVersion(out, u.Version)
	return out
}

func describeVersion(out fields, v vector.Vector) {
	if len(v) > 0 {
		out["version"] = fields{"counters": list(v, func(c vector.Counter) any {
			return fields{"id": c.ID, "value": c.Value}
		})}
	}
}

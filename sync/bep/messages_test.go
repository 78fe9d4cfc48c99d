package bep

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lanyard/sync/device"
	"lanyard/sync/fault"
	"lanyard/sync/relpath"
)

func TestARequestThatNoCorrectPeerSendsIsRefused(t *testing.T) {
	good := Request{Folder: "f", Name: relpath.MustParse("a")}
	tests := []struct {
		name   string
		fields []byte
		want   string
	}{
		{"no folder", appendString(nil, tagRequestName, "a"), "folder ID"},
		{"no name", appendString(nil, tagRequestFolder, "f"), "empty"},
		{"a way out", appendString(nil, tagRequestName, "../x"), "dot"},
		{"an absolute name", appendString(nil, tagRequestName, "/etc/passwd"), "absolute"},
		{"a negative size", field64(tagRequestSize, -65536), "size -65536"},
		{"a size of 2^31", field64(tagRequestSize, 1<<31), "size"},
		{"a size over the limit", field64(tagRequestSize, MaxRequestSize+1), "size"},
		{"a negative offset", field64(tagRequestOffset, -1), "offset"},
		{"an offset that overflows", append(field64(tagRequestOffset, math.MaxInt64), field64(tagRequestSize, 1)...), "overflow"},
		{"a negative block number", field64(tagRequestBlockNo, -1), "block number"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			body := tt.fields
			if !strings.HasPrefix(tt.name, "no ") {
				body = append(appendRequest(nil, &good), tt.fields...)
			}
			_, err := next(frame("\x08\x03", body))
			if fault.KindOf(err) != fault.Peer || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want of kind peer with %q", err, tt.want)
			}
		})
	}
}

func TestARequestOfSizeZeroOrAtTheLimitIsGood(t *testing.T) {
	for _, size := range []int32{0, 1, MaxRequestSize} {
		m := &Request{Folder: "f", Name: relpath.MustParse("a"), Offset: math.MaxInt64 - int64(size), Size: size}
		if diff := cmp.Diff(Message(m), mustNext(t, mustFrame(t, m, CompressNever)), paths); diff != "" {
			t.Errorf("size %d (-want +got):\n%s", size, diff)
		}
	}
}

func TestARequestOfANameNotSupportedHasTheRootAsName(t *testing.T) {
	body := appendRequest(nil, &Request{ID: 3, Folder: "f"})
	body = appendString(body, tagRequestName, "u\u0308")
	m, ok := mustNext(t, frame("\x08\x03", body)).(*Request)
	if !ok || m.ID != 3 || !m.Name.IsRoot() {
		t.Errorf("read %+v, want request 3 of the root", m)
	}
}

func TestAClusterConfigIsHeldToItsLimits(t *testing.T) {
	folders := func(n int) *ClusterConfig {
		m := &ClusterConfig{}
		for i := range n {
			m.Folders = append(m.Folders, Folder{ID: FolderID(fmt.Sprint("folder-", i))})
		}
		return m
	}
	devices := func(n int) *ClusterConfig {
		return &ClusterConfig{Folders: []Folder{{ID: "f", Devices: make([]Device, n)}}}
	}
	rawDevice := func(fields []byte) []byte {
		return appendBytes(nil, tagConfigFolders,
			appendBytes(appendString(nil, tagFolderID, "f"), tagFolderDevices, fields))
	}
	id := device.ID{9}
	tests := []struct {
		name string
		body []byte
		want string // in the error; "" is good
	}{
		{"1000 folders", appendBody(nil, folders(maxFolders)), ""},
		{"1001 folders", appendBody(nil, folders(maxFolders+1)), "more than 1000 folders"},
		{"1000 devices", appendBody(nil, devices(maxDevices)), ""},
		{"1001 devices", appendBody(nil, devices(maxDevices+1)), "more than 1000 devices"},
		{"a folder without an ID", appendBody(nil, &ClusterConfig{Folders: make([]Folder, 1)}), "folder ID"},
		{"a folder twice", appendBody(nil, &ClusterConfig{Folders: []Folder{{ID: "a"}, {ID: "a"}}}), "twice"},
		{"a device ID of 31 bytes", rawDevice(appendBytes(nil, tagDeviceID, id[:31])), "31 bytes"},
		{"a device ID of 33 bytes", rawDevice(appendBytes(nil, tagDeviceID, make([]byte, 33))), "33 bytes"},
		{"a device without an ID", rawDevice(appendString(nil, tagDeviceName, "x")), "0 bytes"},
		{
			"a negative sequence",
			rawDevice(append(appendBytes(nil, tagDeviceID, id[:]), field64(tagDeviceMaxSequence, -1)...)), "negative",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := next(frame("", tt.body))
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("error %v, want none", err)
			case tt.want != "" && (fault.KindOf(err) != fault.Peer || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("error %v, want of kind peer with %q", err, tt.want)
			}
		})
	}
}

func TestFolderFlagsOfOldVersionsAreUnderstood(t *testing.T) {
	// Version 1 sent bools where there are numbers now: read_only and paused.
	body := appendBytes(nil, tagConfigFolders, []byte("\x0a\x01f\x18\x01\x38\x01"))
	m := mustNext(t, frame("", body)).(*ClusterConfig)
	if f := m.Folders[0]; f.Type != SendOnly || !f.Stopped {
		t.Errorf("folder %+v, want a stopped one that only sends", f)
	}
}

func TestBlockIndexesAreReadInBothForms(t *testing.T) {
	update := []byte("\x12\x01a" + "\x20\x01" + "\x22\x03\x02\xac\x02" + "\x20\x05")
	body := appendBytes(appendString(nil, tagProgressFolder, "f"), tagProgressUpdates, update)
	m := mustNext(t, frame("\x08\x05", body)).(*DownloadProgress)
	if diff := cmp.Diff([]int32{1, 2, 300, 5}, m.Updates[0].BlockIndexes); diff != "" {
		t.Errorf("indexes (-want +got):\n%s", diff)
	}
}

func TestProgressThatCountsBackwardsIsRefused(t *testing.T) {
	for name, update := range map[string][]byte{
		"a negative index":     field64(tagUpdateBlockIndexes, -1),
		"a negative size":      field64(tagUpdateBlockSize, -1),
		"a broken packed list": appendBytes(nil, tagUpdatePackedIndexes, []byte{0xff}),
	} {
		body := appendBytes(appendString(nil, tagProgressFolder, "f"), tagProgressUpdates, update)
		if _, err := next(frame("\x08\x05", body)); fault.KindOf(err) != fault.Peer {
			t.Errorf("%s: error %v, want of kind peer", name, err)
		}
	}
}

func TestAResponseMayHaveItsFieldsInAnyOrder(t *testing.T) {
	for _, body := range []string{"\x08\x07\x12\x02hi\x18\x01", "\x12\x02hi\x18\x01\x08\x07", "\x12\x01x\x08\x07\x18\x01\x12\x02hi"} {
		got := mustNext(t, frame("\x08\x04", []byte(body)))
		if diff := cmp.Diff(Message(&Response{ID: 7, Data: []byte("hi"), Code: CodeGeneric}), got); diff != "" {
			t.Errorf("body %x (-want +got):\n%s", body, diff)
		}
	}
}

func TestAnUnknownCodeOfAResponseIsAnError(t *testing.T) {
	for _, code := range []int64{4, -1, math.MinInt32} {
		m := mustNext(t, frame("\x08\x04", field64(tagResponseCode, code))).(*Response)
		if m.Code != CodeGeneric {
			t.Errorf("code %d became %d, want %d", code, m.Code, CodeGeneric)
		}
		NewBuffers(0).Release(m) // takes it, whatever the peer sent
	}
}

func TestTextThatIsNotUTF8IsReplacedWhenSent(t *testing.T) {
	m := mustNext(t, mustFrame(t, &Close{Reason: "a\xffb"}, CompressNever)).(*Close)
	if m.Reason != "a\uFFFDb" {
		t.Errorf("reason %q, want the broken byte replaced", m.Reason)
	}
}

func TestAMessageWithoutAFolderIsRefused(t *testing.T) {
	for _, m := range []Message{&Index{}, &Index{Update: true}, &DownloadProgress{}} {
		_, err := next(mustFrame(t, m, CompressNever))
		if fault.KindOf(err) != fault.Peer || !strings.Contains(err.Error(), "folder ID") {
			t.Errorf("%T: error %v, want of kind peer", m, err)
		}
	}
}

func TestAnIndexOfNegativeSequencesIsRefused(t *testing.T) {
	for _, m := range []Message{&Index{Folder: "f", LastSequence: -1}, &Index{Folder: "f", PrevSequence: -1}} {
		if _, err := next(mustFrame(t, m, CompressNever)); fault.KindOf(err) != fault.Peer {
			t.Errorf("%+v: error %v, want of kind peer", m, err)
		}
	}
}

// A body that is cut may by chance end between two fields; then it is another
// good message.
func TestABodyCutAnywhereIsRefusedOrWhole(t *testing.T) {
	for name, m := range sampleMessages() {
		if name == "extension" {
			continue // its body is not ours to read
		}
		body := appendBody(nil, m)
		header := string(appendInt(nil, tagHeaderType, m.messageType()))
		for n := range body {
			if _, err := next(frame(header, body[:n])); err != nil && fault.KindOf(err) != fault.Peer {
				t.Errorf("%s cut to %d bytes: error %v, want of kind peer", name, n, err)
			}
			packed := frame(header+"\x10\x01", lz4Body(uint32(n), literal(body[:n])...))
			if _, err := next(packed); err != nil && fault.KindOf(err) != fault.Peer {
				t.Errorf("%s cut to %d bytes, in LZ4: error %v, want of kind peer", name, n, err)
			}
		}
	}
}

// literal makes an LZ4 block that holds b as it is.
func literal(b []byte) []byte {
	if len(b) < 15 {
		return append([]byte{byte(len(b)) << 4}, b...)
	}
	out, rest := []byte{0xf0}, len(b)-15
	for ; rest >= 255; rest -= 255 {
		out = append(out, 255)
	}
	return append(append(out, byte(rest)), b...)
}

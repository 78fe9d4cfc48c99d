package config_test

import (
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lanyard/app/config"
	"lanyard/sync/device"
)

// mustConfig applies edits to an empty configuration.
func mustConfig(t *testing.T, edits ...func(config.Config) (config.Config, error)) config.Config {
	t.Helper()
	c := config.Default()
	for _, edit := range edits {
		var err error
		if c, err = edit(c); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func addFolder(f config.Folder) func(config.Config) (config.Config, error) {
	return func(c config.Config) (config.Config, error) { return c.WithFolder(f) }
}

func wantReason(t *testing.T, err error, want config.Reason) {
	t.Helper()
	var refusal *config.Refusal
	if !errors.As(err, &refusal) || refusal.Reason != want {
		t.Errorf("got error %v, want a refusal with reason %d", err, want)
	}
}

func TestDevicesAreFoundByIDFirstGroupOrUniqueName(t *testing.T) {
	nas, phone, other := device.ID{1}, device.ID{2}, device.ID{3}
	c := mustConfig(t, addDevice(nas, "nas"), addDevice(phone, "phone"), addDevice(other, "phone"))
	group := strings.SplitN(phone.String(), "-", 2)[0]
	tests := []struct {
		name, text string
		want       device.ID
	}{
		{"by name", "nas", nas},
		{"by ID", phone.String(), phone},
		{"by ID in lower case without dashes", strings.ToLower(strings.ReplaceAll(phone.String(), "-", "")), phone},
		{"by first group", group, phone},
		{"by first group in lower case", strings.ToLower(group), phone},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := c.FindDevice(tt.text)
			if err != nil || got.ID != tt.want {
				t.Errorf("%q: got %s, %v; want %s", tt.text, got.ID, err, tt.want)
			}
		})
	}
	_, err := c.FindDevice("phone")
	wantReason(t, err, config.Invalid)
	_, err = c.FindDevice("nobody")
	wantReason(t, err, config.NotFound)
}

func TestAChangeLeavesTheOldValueAlone(t *testing.T) {
	a, b := device.ID{1}, device.ID{2}
	old := mustConfig(t, addDevice(a, "a"), addDevice(b, "b"),
		addFolder(config.Folder{ID: "f", Path: "/f", Type: config.SendReceive, Shared: []device.ID{b, a, b}}))
	snapshot := mustConfig(t, addDevice(a, "a"), addDevice(b, "b"),
		addFolder(config.Folder{ID: "f", Path: "/f", Type: config.SendReceive, Shared: []device.ID{a, b}}))

	next, err := old.WithoutDevice(a, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := old.WithFolderChanged("f", func(f config.Folder) config.Folder { return f.NotSharedWith(b) }); err != nil {
		t.Fatal(err)
	}
	if _, err := old.WithDeviceChanged(b, func(d config.Device) config.Device { d.Name = "x"; return d }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(snapshot, old); diff != "" {
		t.Errorf("the old value changed:\n%s", diff)
	}
	if diff := cmp.Diff([]device.ID{b}, next.Folders[0].Shared); diff != "" {
		t.Errorf("a removed device still shares the folder (-want +got):\n%s", diff)
	}
}

func TestAddressesMustBeURLsOfOurProtocols(t *testing.T) {
	tests := []struct {
		address string
		ok      bool
	}{
		{"quic://192.0.2.1:22000", true},
		{"quic://[2001:db8::1]:22000", true},
		{"quic4://nas.example:1", true},
		{"quic://nas.example", true},
		{"quic://:22000", true},
		{"quic://0.0.0.0:0", true},
		{"tcp://192.0.2.1:22000", true},
		{"tcp6://[2001:db8::1]:1", true},
		{"udp://192.0.2.1:22000", false},
		{"relay://192.0.2.1:22067", false},
		{"192.0.2.1:22000", false},
		{"quic://", false},
		{"quic://a:70000", false},
		{"quic://a:-1", false},
		{"quic://user@a:1", false},
		{"quic://a:1/path", false},
	}
	for _, tt := range tests {
		if err := config.CheckAddresses([]string{tt.address}); (err == nil) != tt.ok {
			t.Errorf("%s: got error %v, want accepted %v", tt.address, err, tt.ok)
		}
	}
}

func TestAnAddressOfADeviceLeadsToOne(t *testing.T) {
	tests := []struct {
		address string
		ok      bool
	}{
		{"quic://192.0.2.1:22000", true},
		{"quic://[2001:db8::1]:22000", true},
		{"quic://[fe80::1%25eth0]:22000", true},
		{"tcp4://127.0.0.1", true},
		{"quic6://nas.example:1", true},
		{"quic://:22000", false},
		{"quic://0.0.0.0:22000", false},
		{"quic://[::]:22000", false},
		{"quic://[::ffff:0.0.0.0]:22000", false},
		{"quic://224.0.0.251:22000", false},
		{"quic://[ff02::fb]:22000", false},
		{"quic://255.255.255.255:22000", false},
		{"quic://192.0.2.1:0", false},
		{"quic://nas.example:0", false},
		{"quic4://[2001:db8::1]:22000", false},
		{"tcp6://192.0.2.1:22000", false},
		{"192.0.2.1:22000", false},
	}
	for _, tt := range tests {
		if err := config.CheckDialable([]string{"quic://192.0.2.1:1", tt.address}); (err == nil) != tt.ok {
			t.Errorf("%s: got error %v, want accepted %v", tt.address, err, tt.ok)
		}
	}
}

func TestFoldersAreRefusedWhereTheyWouldOverlap(t *testing.T) {
	h := newHome(t)
	closeStore(t, open(t, h))
	dir := t.TempDir()
	docs := filepath.Join(dir, "docs")
	for _, d := range []string{filepath.Join(docs, "inner"), filepath.Join(dir, "free")} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(docs, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	gone := filepath.Join(dir, "gone")
	c := mustConfig(t,
		addFolder(config.Folder{ID: "docs", Path: docs, Type: config.SendReceive}),
		addFolder(config.Folder{ID: "gone", Path: gone, Type: config.SendReceive}))

	tests := []struct {
		name, path string
		want       string // part of the refusal, "" for accepted
	}{
		{"a free directory", filepath.Join(dir, "free"), ""},
		{"a directory that is not there yet", filepath.Join(dir, "new", "deep"), ""},
		{"a name that only starts alike", docs + "-old", ""},
		{"the same directory", docs, "is already the folder"},
		{"the same directory through a link", filepath.Join(dir, "link"), "is already the folder"},
		{"inside", filepath.Join(docs, "inner"), "is inside the folder"},
		{"inside through a link, not there yet", filepath.Join(dir, "link", "x", "y"), "is inside the folder"},
		{"around", dir, "contains the folder"},
		{"inside a folder whose disk is away", filepath.Join(gone, "x"), "is inside the folder"},
		{"the home", h.Dir(), "overlap"},
		{"inside the home", filepath.Join(h.Dir(), "x"), "overlap"},
		{"around the home", filepath.Dir(h.Dir()), "overlap"},
		{"a file", filepath.Join(dir, "file"), "is not a directory"},
		{"a relative path", "docs", "not an absolute path"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := c.CheckPlace(h, tt.path)
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("%s: refused: %v", tt.path, err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("%s: got %v, want a refusal that says %q", tt.path, err, tt.want)
			}
		})
	}
}

func TestTheMarkerIsMadeWhenAFolderIsAddedAndKeptAfterwards(t *testing.T) {
	root := filepath.Join(t.TempDir(), "new", "root")
	f := config.Folder{ID: "default", Path: root, Type: config.SendReceive}
	if err := f.MakeRoot(); err != nil {
		t.Fatal(err)
	}
	name := config.MarkerFile("default")
	// echo -n default | sha256sum starts with 37a8ee.
	if want := filepath.Join(".stfolder", "lanyard-37a8ee"); name != want {
		t.Errorf("the marker is called %s, want %s", name, want)
	}
	first, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	if raw, err := hex.DecodeString(string(first)); err != nil || len(raw) != 16 {
		t.Errorf("the marker holds %q, want 16 bytes in hexadecimal", first)
	}
	if err := f.MakeRoot(); err != nil {
		t.Fatal(err)
	}
	if second, _ := os.ReadFile(filepath.Join(root, name)); string(second) != string(first) {
		t.Errorf("adding the folder again changed its marker from %s to %s", first, second)
	}
}

func TestFolderTypesAndIDsAreChecked(t *testing.T) {
	tests := []struct {
		name   string
		folder config.Folder
		ok     bool
	}{
		{"a usual folder", config.Folder{ID: "abcde-12345", Type: config.SendOnly}, true},
		{"an ID with spaces and a slash", config.Folder{ID: "My Photos/2026", Type: config.ReceiveOnly}, true},
		{"no ID", config.Folder{Type: config.SendOnly}, false},
		{"a dot", config.Folder{ID: "..", Type: config.SendOnly}, false},
		{"an escape character", config.Folder{ID: "a\x1b[2J", Type: config.SendOnly}, false},
		{"an unknown type", config.Folder{ID: "a", Type: "both"}, false},
		{"shared with an unknown device", config.Folder{ID: "a", Type: config.SendOnly, Shared: []device.ID{{1}}}, false},
	}
	for _, tt := range tests {
		if _, err := config.Default().WithFolder(tt.folder); (err == nil) != tt.ok {
			t.Errorf("%s: got error %v, want accepted %v", tt.name, err, tt.ok)
		}
	}
}

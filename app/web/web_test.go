package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"lanyard/app/config"
	"lanyard/app/node"
	"lanyard/app/node/nodetest"
	"lanyard/app/service"
	"lanyard/app/web"
	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestMain(m *testing.M) {
	flag.Parse()
	goleak.VerifyTestMain(m)
}

var (
	_ web.Service = (*service.Service)(nil)
	_ web.Service = (*web.Client)(nil)
)

// start runs a service over e until the test ends.
func start(t *testing.T, e *nodetest.Engine, stop func()) *service.Service {
	t.Helper()
	home, err := config.NewHome(filepath.Join(t.TempDir(), "home"))
	if err != nil {
		t.Fatal(err)
	}
	n, err := node.Open(node.Options{Home: home, Engine: e.Make, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := service.New(n, stop)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- n.Run(ctx) }()
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-ended
		<-ended
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// connect gives a client of a service over e.
func connect(t *testing.T, e *nodetest.Engine, stop func()) (*web.Client, string) {
	t.Helper()
	server := httptest.NewServer(web.Handler(start(t, e, stop)))
	t.Cleanup(server.Close)
	c := web.NewClient(server.Client(), server.URL)
	return c, server.URL
}

func TestTheClientGetsWhatTheServiceGives(t *testing.T) {
	e := nodetest.New()
	when := time.Date(2026, 3, 4, 5, 6, 7, 890, time.UTC)
	version := status.StoredVersion{Path: "a b/ü?.txt", Time: when, Modified: when, Bytes: 5, Store: ".stversions/x"}
	e.OnVersions = func(_ bep.FolderID, p relpath.Path) ([]status.StoredVersion, error) {
		if p.String() != version.Path {
			t.Errorf("asked for %q, want %q", p, version.Path)
		}
		return []status.StoredVersion{{}, version, version, {}}, nil
	}
	var restored string
	e.OnRestore = func(f bep.FolderID, p relpath.Path, at time.Time, to relpath.Path) error {
		restored = string(f) + " " + p.String() + " " + at.UTC().Format(time.RFC3339Nano) + " " + to.String()
		return nil
	}
	c, _ := connect(t, e, nil)
	ctx := t.Context()

	id := device.ID{1}
	peer, err := c.AddDevice(ctx, service.NewPeer{ID: id.String(), Name: "the nas/1"})
	check(t, err)
	name := "nas?#%"
	_, err = c.ChangeDevice(ctx, "the nas/1", service.PeerChange{Name: &name})
	check(t, err)
	peer.Name = name
	peers, err := c.Devices(ctx)
	check(t, err)
	if diff := cmp.Diff([]service.Peer{peer}, peers); diff != "" {
		t.Errorf("devices (-want +got):\n%s", diff)
	}

	renamed, err := c.ChangeIdentity(ctx, service.IdentityChange{Name: " my\ndesk "})
	check(t, err)
	identity, err := c.Identity(ctx)
	check(t, err)
	if renamed != identity || identity.Name != "my desk" {
		t.Errorf("renamed to %+v, now %+v, want my desk", renamed, identity)
	}
	if _, err := c.ChangeIdentity(ctx, service.IdentityChange{Name: "\n"}); err == nil {
		t.Error("a name of nothing is taken")
	}

	share, err := c.AddFolder(ctx, service.NewShare{Path: t.TempDir(), ID: "My Photos/2026"})
	check(t, err)
	_, err = c.ShareFolder(ctx, share.ID, name)
	check(t, err)
	share, err = c.UnshareFolder(ctx, share.ID, name)
	check(t, err)
	shares, err := c.Folders(ctx)
	check(t, err)
	if diff := cmp.Diff([]service.Share{share}, shares); diff != "" {
		t.Errorf("folders (-want +got):\n%s", diff)
	}

	check(t, c.Scan(ctx, service.ScanRequest{Folder: share.ID, Path: "a"}))
	result, err := c.Wait(ctx, service.WaitRequest{Seconds: 60})
	check(t, err)
	if !result.InSync {
		t.Errorf("wait gave %+v, want in sync", result)
	}
	versions, err := c.Versions(ctx, share.ID, version.Path, status.Window{From: 1, Most: 2})
	check(t, err)
	if diff := cmp.Diff(status.StoredVersions{Total: 4, Versions: []status.StoredVersion{version, version}}, versions); diff != "" {
		t.Errorf("versions (-want +got):\n%s", diff)
	}
	check(t, c.Restore(ctx, share.ID, service.RestoreRequest{Path: version.Path, At: when, To: "b"}))
	if want := "My Photos/2026 a b/ü?.txt 2026-03-04T05:06:07.00000089Z b"; restored != want {
		t.Errorf("restored %q, want %q", restored, want)
	}
	check(t, c.RemoveFolder(ctx, share.ID))
	check(t, c.RemoveDevice(ctx, name))
	snap, err := c.Status(ctx)
	check(t, err)
	if len(snap.Devices) != 0 || len(snap.Folders) != 0 || snap.Version != "test" {
		t.Errorf("status at the end: %+v", snap)
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestStopIsPassedOn(t *testing.T) {
	stopped := make(chan struct{})
	c, _ := connect(t, nodetest.New(), func() { close(stopped) })
	check(t, c.Stop(t.Context()))
	<-stopped
}

func TestErrorsHaveOneForm(t *testing.T) {
	_, url := connect(t, nodetest.New(), nil)
	tests := []struct {
		name, method, path, body string
		status                   int
		text                     string
	}{
		{"of the service", "DELETE", "/devices/nobody", "", 404, "there is no device"},
		{"a body that is not JSON", "POST", "/devices", "{", 400, ""},
		{"a body that lacks a field", "POST", "/devices", "{}", 422, "required property id"},
		{"a body with an unknown field", "POST", "/scan", `{"x":1}`, 422, "unexpected property"},
		{"a missing parameter", "GET", "/folders/a/versions", "", 422, "required query parameter"},
		{"an unknown path", "GET", "/nothing", "", 404, "there is no"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), tt.method, url+web.Base+tt.path, strings.NewReader(tt.body))
			check(t, err)
			request.Header.Set("Content-Type", "application/json")
			response, err := http.DefaultClient.Do(request)
			check(t, err)
			defer http.DefaultClient.CloseIdleConnections()
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			check(t, err)
			var got map[string]string
			if err := json.Unmarshal(body, &got); err != nil {
				t.Fatalf("body %s: %v", body, err)
			}
			for _, key := range []string{"code", "text", "remedy", "item"} {
				if _, ok := got[key]; !ok || len(got) != 4 {
					t.Errorf("body %s lacks %q or has more than four fields", body, key)
				}
			}
			if response.StatusCode != tt.status || !strings.Contains(got["text"], tt.text) {
				t.Errorf("got %d %q, want %d and %q", response.StatusCode, got["text"], tt.status, tt.text)
			}
			if got := response.Header.Get("Content-Type"); got != "application/json" {
				t.Errorf("content type %q, want application/json", got)
			}
		})
	}
}

func TestTheClientGivesTheServiceError(t *testing.T) {
	c, _ := connect(t, nodetest.New(), nil)
	var got *service.Error
	if err := c.RemoveDevice(t.Context(), "nobody"); !errors.As(err, &got) {
		t.Fatalf("got %v, want a service error", err)
	}
	want := &service.Error{
		Status: 404, Code: "device-unknown", Text: `there is no device "nobody"`, Remedy: `see "lanyard device list"`, Item: "nobody",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
}

func TestEventsCarryTheStateAtOnceAndEachChangeAfterIt(t *testing.T) {
	e := nodetest.New()
	c, _ := connect(t, e, nil)
	enough := errors.New("enough")
	events := 0
	err := c.Follow(t.Context(), func(event service.SnapshotEvent) error {
		events++
		if event.Status.Name == "changed" {
			return enough
		}
		e.Change(func(s *status.Snapshot) { s.Name = "changed" })
		return nil
	})
	if !errors.Is(err, enough) || events < 2 {
		t.Errorf("got %d events and %v, want the first state and the change", events, err)
	}
}

func TestTheStreamEndsWithTheContext(t *testing.T) {
	c, _ := connect(t, nodetest.New(), nil)
	ctx, cancel := context.WithCancel(t.Context())
	err := c.Follow(ctx, func(service.SnapshotEvent) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the end of the context", err)
	}
}

func TestTheOpenAPIDocumentIsTheOneWeKnow(t *testing.T) {
	_, url := connect(t, nodetest.New(), nil)
	response, err := http.Get(url + web.Base + "/openapi.json")
	check(t, err)
	defer http.DefaultClient.CloseIdleConnections()
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	check(t, err)
	golden := filepath.Join("testdata", "openapi.json")
	if *update {
		check(t, os.MkdirAll("testdata", 0o755))
		check(t, os.WriteFile(golden, got, 0o644))
	}
	want, err := os.ReadFile(golden)
	check(t, err)
	if !bytes.Equal(want, got) {
		t.Errorf("the document differs from %s (review, then run with -update):\n%s",
			golden, cmp.Diff(string(want), string(got)))
	}
}

// serve opens the control socket of a service and gives its address.
func serve(t *testing.T, p web.Place) string {
	t.Helper()
	l, address, err := web.Listen(p)
	check(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	handler := web.Handler(start(t, nodetest.New(), cancel))
	go func() { ended <- web.Serve(ctx, l, handler) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Serve ended with %v, want the end of the context", err)
		}
	})
	return address
}

func TestTheControlSocketIsForThisUserAlone(t *testing.T) {
	address := serve(t, web.Place{Socket: filepath.Join(t.TempDir(), "control.sock"), Digest: "0"})
	info, err := os.Stat(address)
	check(t, err)
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("the socket has mode %o, want 600", mode)
	}
	c, err := web.Dial(t.Context(), address)
	check(t, err)
	defer c.Close()
	if _, err := c.Status(t.Context()); err != nil {
		t.Errorf("status through the socket: %v", err)
	}
}

func TestASocketLeftBehindIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "control.sock")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	check(t, err)
	l.SetUnlinkOnClose(false) // as when a program is killed
	check(t, l.Close())
	if _, err := web.Dial(t.Context(), path); !errors.Is(err, web.ErrNotRunning) {
		t.Errorf("dialing a dead socket: got %v, want %v", err, web.ErrNotRunning)
	}
	serve(t, web.Place{Socket: path, Digest: "0"})
}

func TestALongHomePathGetsItsSocketInTheRuntimeDirectory(t *testing.T) {
	runtime := t.TempDir()
	long := filepath.Join(t.TempDir(), strings.Repeat("x", 100), "control.sock")
	t.Setenv("XDG_RUNTIME_DIR", runtime)
	want := filepath.Join(runtime, "lanyard-0123456789abcdef.sock")
	if got := serve(t, web.Place{Socket: long, Digest: "0123456789abcdef"}); got != want {
		t.Errorf("the socket is at %s, want %s", got, want)
	}
	t.Setenv("XDG_RUNTIME_DIR", "")
	if _, _, err := web.Listen(web.Place{Socket: long, Digest: "0"}); err == nil || !strings.Contains(err.Error(), "XDG_RUNTIME_DIR") {
		t.Errorf("without a runtime directory: got %v, want an error that names XDG_RUNTIME_DIR", err)
	}
}

func TestOpenStreamsDoNotKeepTheServerFromEnding(t *testing.T) {
	l, address, err := web.Listen(web.Place{Socket: filepath.Join(t.TempDir(), "control.sock"), Digest: "0"})
	check(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	handler := web.Handler(start(t, nodetest.New(), cancel))
	go func() { ended <- web.Serve(ctx, l, handler) }()
	c, err := web.Dial(t.Context(), address)
	check(t, err)
	defer c.Close()
	streamed := c.Follow(t.Context(), func(service.SnapshotEvent) error { cancel(); return nil })
	if streamed == nil {
		t.Error("the stream ended without an error")
	}
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Serve ended with %v, want the end of the context", err)
	}
}

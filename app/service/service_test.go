package service_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"lanyard/app/config"
	"lanyard/app/node"
	"lanyard/app/node/nodetest"
	"lanyard/app/service"
	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/engine"
	"lanyard/sync/fault"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start gives a running service over an engine that does no work.
func start(t *testing.T, e *nodetest.Engine) *service.Service {
	t.Helper()
	home, err := config.NewHome(filepath.Join(t.TempDir(), "home"))
	if err != nil {
		t.Fatal(err)
	}
	n, err := node.Open(node.Options{Home: home, Engine: e.Make, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := service.New(n, func() {})
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

func wantStatus(t *testing.T, what string, err error, want int) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: got no error, want one with status %d", what, want)
		return
	}
	if got := service.Describe(err); got.Status != want {
		t.Errorf("%s: got status %d (%v), want %d", what, got.Status, err, want)
	}
}

var (
	nas   = device.ID{1}
	phone = device.ID{2}
)

func addPeers(t *testing.T, s *service.Service) {
	t.Helper()
	for name, id := range map[string]device.ID{"nas": nas, "phone": phone} {
		if _, err := s.AddDevice(t.Context(), service.NewPeer{ID: id.String(), Name: name}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDevicesAreAddedRenamedPausedAndRemoved(t *testing.T) {
	s := start(t, nodetest.New())
	ctx := t.Context()
	added, err := s.AddDevice(ctx, service.NewPeer{ID: nas.String(), Addresses: []string{"quic://192.0.2.1:22000"}})
	if err != nil {
		t.Fatal(err)
	}
	want := service.Peer{ID: nas.String(), Name: nas.String()[:7], Addresses: []string{"quic://192.0.2.1:22000"}, Paired: status.ByID, Since: added.Since}
	if added.Since.IsZero() {
		t.Error("the time is not noted")
	}
	if diff := cmp.Diff(want, added); diff != "" {
		t.Errorf("added (-want +got):\n%s", diff)
	}
	state, err := s.Status(ctx)
	if d := state.Devices; err != nil || len(d) != 1 || d[0].Paired != status.ByID || !d[0].PairedAt.Equal(added.Since) {
		t.Errorf("the state shows %+v, %v", d, err)
	}
	name, paused := "attic", true
	if _, err := s.ChangeDevice(ctx, nas.String()[:7], service.PeerChange{Name: &name, Paused: &paused}); err != nil {
		t.Fatal(err)
	}
	want.Name, want.Paused = "attic", true
	list, err := s.Devices(ctx)
	if diff := cmp.Diff([]service.Peer{want}, list); diff != "" || err != nil {
		t.Errorf("listed (-want +got), error %v:\n%s", err, diff)
	}
	if err := s.RemoveDevice(ctx, "attic"); err != nil {
		t.Fatal(err)
	}
	if list, _ := s.Devices(ctx); len(list) != 0 {
		t.Errorf("after removal: %+v", list)
	}
}

func TestDevicesThatCannotBeAddedAreRefused(t *testing.T) {
	s := start(t, nodetest.New())
	addPeers(t, s)
	self, _ := s.Identity(t.Context())
	tests := []struct {
		name   string
		req    service.NewPeer
		status int
		code   string
	}{
		{"this device itself", service.NewPeer{ID: self.ID}, http.StatusUnprocessableEntity, "pairing-self"},
		{"a mistyped ID", service.NewPeer{ID: "ABC"}, http.StatusUnprocessableEntity, "device-id-invalid"},
		{"an ID that is there", service.NewPeer{ID: nas.String()}, http.StatusConflict, "device-exists"},
		{"an address of a relay", service.NewPeer{ID: device.ID{9}.String(), Addresses: []string{"relay://a:1"}}, http.StatusUnprocessableEntity, "address-invalid"},
	}
	for _, tt := range tests {
		_, err := s.AddDevice(t.Context(), tt.req)
		wantStatus(t, tt.name, err, tt.status)
		if got := service.Describe(err); got != nil && got.Code != tt.code {
			t.Errorf("%s: got code %q, want %q", tt.name, got.Code, tt.code)
		}
	}
}

func TestAFolderIsAddedWithItsMarkerAndReachesTheEngine(t *testing.T) {
	e := nodetest.New()
	s := start(t, e)
	addPeers(t, s)
	root := filepath.Join(t.TempDir(), "docs")
	added, err := s.AddFolder(t.Context(), service.NewShare{Path: root, Devices: []string{"phone", "nas"}})
	if err != nil {
		t.Fatal(err)
	}
	want := service.Share{
		ID: added.ID, Label: "docs", Path: root, Type: "send-receive",
		Devices: []string{nas.String(), phone.String()}, Made: true,
	}
	if diff := cmp.Diff(want, added); diff != "" || len(added.ID) != 11 {
		t.Errorf("added (-want +got):\n%s", diff)
	}
	if _, err := os.Stat(filepath.Join(root, config.MarkerFile(bep.FolderID(added.ID)))); err != nil {
		t.Errorf("no marker: %v", err)
	}
	if got := e.Snapshot().Folders; len(got) != 1 || got[0].Path != root {
		t.Errorf("the engine has %+v, want the folder at %s", got, root)
	}
}

func TestARefusedFolderLeavesNoTraceOnDisk(t *testing.T) {
	s := start(t, nodetest.New())
	root := filepath.Join(t.TempDir(), "docs")
	_, err := s.AddFolder(t.Context(), service.NewShare{Path: root, Type: "both-ways"})
	wantStatus(t, "unknown type", err, http.StatusUnprocessableEntity)
	_, err = s.AddFolder(t.Context(), service.NewShare{Path: root, Devices: []string{"nobody"}})
	wantStatus(t, "unknown device", err, http.StatusNotFound)
	if _, err := os.Stat(root); err == nil {
		t.Error("the directory was made")
	}
}

func TestFoldersAreSharedUnsharedPausedAndRemoved(t *testing.T) {
	s := start(t, nodetest.New())
	addPeers(t, s)
	ctx := t.Context()
	root := t.TempDir()
	if _, err := s.AddFolder(ctx, service.NewShare{Path: root, ID: "docs"}); err != nil {
		t.Fatal(err)
	}
	got, err := s.ShareFolder(ctx, "docs", "nas")
	if diff := cmp.Diff([]string{nas.String()}, got.Devices); diff != "" || err != nil {
		t.Errorf("shared (-want +got), error %v:\n%s", err, diff)
	}
	got, err = s.UnshareFolder(ctx, "docs", "nas")
	if len(got.Devices) != 0 || err != nil {
		t.Errorf("unshared: %v, error %v", got.Devices, err)
	}
	_, err = s.UnshareFolder(ctx, "docs", "nas")
	wantStatus(t, "unshare twice", err, http.StatusNotFound)
	paused := true
	if got, err := s.ChangeFolder(ctx, "docs", service.ShareChange{Paused: &paused}); err != nil || !got.Paused {
		t.Errorf("pause: %+v, %v", got, err)
	}
	if err := s.RemoveFolder(ctx, "docs"); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, "remove twice", s.RemoveFolder(ctx, "docs"), http.StatusNotFound)
	if _, err := os.Stat(root); err != nil {
		t.Errorf("the directory of a removed folder is gone: %v", err)
	}
}

func TestWaitScansTheNamedFoldersFirst(t *testing.T) {
	e := nodetest.New()
	var calls []string
	e.OnScan = func(_ context.Context, f bep.FolderID, _ []relpath.Path) error {
		calls = append(calls, "scan "+string(f))
		return nil
	}
	e.OnWait = func(_ context.Context, folders []bep.FolderID, dev device.ID) ([]engine.Waiting, error) {
		calls = append(calls, "wait "+string(folders[0])+" for "+dev.String()[:7])
		return nil, nil
	}
	s := start(t, e)
	addPeers(t, s)
	for _, id := range []string{"a", "b"} {
		if _, err := s.AddFolder(t.Context(), service.NewShare{Path: t.TempDir(), ID: id}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Wait(t.Context(), service.WaitRequest{Folders: []string{"b"}, Device: "nas", Seconds: 60})
	if err != nil || !got.InSync {
		t.Errorf("got %+v, %v; want in sync", got, err)
	}
	if diff := cmp.Diff([]string{"scan b", "wait b for " + nas.String()[:7]}, calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestAWaitThatRunsOutSaysWhatIsMissing(t *testing.T) {
	e := nodetest.New()
	e.OnWait = func(ctx context.Context, _ []bep.FolderID, _ device.ID) ([]engine.Waiting, error) {
		<-ctx.Done()
		return []engine.Waiting{{Folder: "a", Device: nas, Items: 3, Bytes: 9, Reason: "nas is out of reach"}}, ctx.Err()
	}
	s := start(t, e)
	got, err := s.Wait(t.Context(), service.WaitRequest{Seconds: 0})
	want := service.WaitResult{Missing: []service.Missing{
		{Folder: "a", Device: nas.String(), Items: 3, Bytes: 9, Reason: "nas is out of reach"},
	}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("result (-want +got), error %v:\n%s", err, diff)
	}
}

func TestAScanThatFailsFailsTheWait(t *testing.T) {
	e := nodetest.New()
	e.OnScan = func(context.Context, bep.FolderID, []relpath.Path) error {
		return fault.New(fault.Folder, "folder-missing", "the folder is not there")
	}
	s := start(t, e)
	if _, err := s.AddFolder(t.Context(), service.NewShare{Path: t.TempDir(), ID: "a"}); err != nil {
		t.Fatal(err)
	}
	_, err := s.Wait(t.Context(), service.WaitRequest{Seconds: 60})
	wantStatus(t, "wait", err, http.StatusConflict)
	if code := service.Describe(err).Code; code != "folder-missing" {
		t.Errorf("got code %q, want folder-missing", code)
	}
}

func TestNamesAreReadAsPeopleWriteThem(t *testing.T) {
	e := nodetest.New()
	var got []string
	e.OnWhy = func(f bep.FolderID, p relpath.Path) (status.Why, error) {
		got = append(got, string(f)+"|"+p.String())
		return status.Why{}, nil
	}
	s := start(t, e)
	if _, err := s.AddFolder(t.Context(), service.NewShare{Path: t.TempDir(), ID: "a"}); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"docs/plan.txt", "docs/", "u\u0308ber"} {
		if why, err := s.Why(t.Context(), "a", path); err != nil || why.Lacking == nil {
			t.Errorf("%s: %+v, %v; want an answer whose list is not null", path, why, err)
		}
	}
	if diff := cmp.Diff([]string{"a|docs/plan.txt", "a|docs", "a|über"}, got); diff != "" {
		t.Errorf("asked of the engine (-want +got):\n%s", diff)
	}
	for _, path := range []string{"../x", "/etc/passwd", "a//b"} {
		_, err := s.Why(t.Context(), "a", path)
		wantStatus(t, path, err, http.StatusUnprocessableEntity)
	}
}

func TestProblemsGetTheSentenceOfTheCatalogueWhereItsParametersAreThere(t *testing.T) {
	e := nodetest.New()
	s := start(t, e)
	e.Change(func(snap *status.Snapshot) {
		snap.Folders = []status.Folder{{Problem: &status.Problem{
			Code: "folder-missing", Param: map[string]string{"path": "/srv"},
		}}}
		snap.Problems = []status.Problem{{Code: "clock-off", Text: "the clocks differ"}}
	})
	got, err := s.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if text := got.Folders[0].Problem.Text; text != "The folder /srv is not there. Was it renamed, or is a disk unplugged? Nothing is lost, and nothing is deleted because of this." {
		t.Errorf("folder's problem reads %q", text)
	}
	if text := got.Problems[0].Text; text != "the clocks differ" {
		t.Errorf("without parameters the engine's own text must stay, got %q", text)
	}
}

func TestAnExposedKeyIsShownAsAProblem(t *testing.T) {
	home, err := config.NewHome(filepath.Join(t.TempDir(), "home"))
	if err != nil {
		t.Fatal(err)
	}
	store, err := config.Open(home, time.Now())
	if err == nil {
		err = errors.Join(store.Close(), os.Chmod(filepath.Join(home.Dir(), "key.pem"), 0o644))
	}
	if err != nil {
		t.Fatal(err)
	}
	n, err := node.Open(node.Options{Home: home, Engine: nodetest.New().Make})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	s, err := service.New(n, func() {})
	if err != nil {
		t.Fatal(err)
	}
	got, _ := s.Status(t.Context())
	if len(got.Problems) != 1 || got.Problems[0].Code != "key-exposed" || got.Problems[0].Text == "" {
		t.Errorf("problems are %+v, want key-exposed with its sentence", got.Problems)
	}
}

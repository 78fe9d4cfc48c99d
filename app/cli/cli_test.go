package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"lanyard/app/node/nodetest"
	"lanyard/app/service"
	"lanyard/sync/status"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// screen is what a command printed; until is closed when it holds a text.
type screen struct {
	mu    sync.Mutex
	text  bytes.Buffer
	want  string
	until chan struct{}
}

func newScreen(want string) *screen { return &screen{want: want, until: make(chan struct{})} }

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	had := strings.Contains(s.text.String(), s.want)
	s.text.Write(p)
	if !had && strings.Contains(s.text.String(), s.want) {
		close(s.until)
	}
	return len(p), nil
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// serve runs an engine that does no work in a new home until the test ends.
func serve(t *testing.T, e *nodetest.Engine) (home string) {
	t.Helper()
	home = filepath.Join(t.TempDir(), "home")
	ctx, cancel := context.WithCancel(context.Background())
	log := newScreen("running")
	ended := make(chan int)
	go func() {
		ended <- Run(ctx, Options{Version: "test", Err: log, Engine: e.Make}, []string{"--home", home, "serve"})
	}()
	t.Cleanup(func() {
		cancel()
		if code := <-ended; code != exitOK {
			t.Errorf("serve ended with %d:\n%s", code, log)
		}
	})
	select {
	case <-log.until:
	case <-time.After(30 * time.Second):
		t.Fatalf("the engine does not run:\n%s", log)
	}
	return home
}

// follow runs a command that follows changes until it has printed want.
func follow(t *testing.T, home, want string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, errs := newScreen(want), newScreen("\x00")
	ended := make(chan int)
	go func() { ended <- Run(ctx, Options{Out: out, Err: errs}, append([]string{"--home", home}, args...)) }()
	select {
	case <-out.until:
	case <-time.After(30 * time.Second):
		t.Errorf("%v did not print %q, but:\n%s%s", args, want, out, errs)
	}
	cancel()
	if code := <-ended; code != exitOK || errs.String() != "" {
		t.Errorf("%v, interrupted, exits with %d and says %q; want success", args, code, errs)
	}
	return out.String()
}

func TestStatusWatchPrintsALineForEachChange(t *testing.T) {
	e := nodetest.New()
	home := serve(t, e)
	e.Change(func(s *status.Snapshot) { s.Folders = []status.Folder{{Label: "docs", State: status.Syncing}} })
	out := follow(t, home, "docs: syncing\n", "status", "--watch")
	if strings.Contains(out, "\x1b") {
		t.Errorf("away from a terminal, control characters are printed: %q", out)
	}
	follow(t, home, "docs: syncing\n", "events")
}

func TestFollowingInJSONPrintsOneDocumentALine(t *testing.T) {
	home := serve(t, nodetest.New())
	var event service.SnapshotEvent
	line, _, _ := strings.Cut(follow(t, home, "\n", "events", "--json"), "\n")
	if err := json.Unmarshal([]byte(line), &event); err != nil || event.Seq == "" || event.Status.Version != "test" {
		t.Errorf("events --json printed %s (%v), want seq and status", line, err)
	}
	var snap status.Snapshot
	line, _, _ = strings.Cut(follow(t, home, "\n", "status", "--watch", "--json"), "\n")
	if err := json.Unmarshal([]byte(line), &snap); err != nil || snap.Version != "test" {
		t.Errorf("status --watch --json printed %s (%v), want the status", line, err)
	}
}

func TestTheViewShowsProgressProblemsAndOffers(t *testing.T) {
	t.Setenv("LC_ALL", "C")
	got := (&app{}).view(status.Snapshot{
		Name: "desk", DeviceID: "AAA",
		Problems: []status.Problem{{Code: "clock-off"}},
		Folders: []status.Folder{{
			ID: "f-1", Label: "Photos", Path: "/srv/photos", State: status.Syncing,
			Local: status.Count{Files: 1, Bytes: 1500},
			Need:  status.Need{Items: 2000, Bytes: 5_000_000},
			Problems: []status.Problem{
				{Code: "disk-full", Param: map[string]string{"path": "/srv/photos"}},
				{Code: "name-not-possible", Count: 1, Text: "told below"},
			},
			Progress: status.Progress{DoneBytes: 1_000_000, TotalBytes: 4_000_000, Rate: 1_000_000, SecondsLeft: 3, Files: []status.FileProgress{{Name: "a\x1b[2J.jpg", Done: 1, Total: 2}}},
			Failed: []status.Failed{
				{Name: "b:c", Code: "name-not-possible", Param: map[string]string{"file": "b:c"}},
				{Name: "odd", Text: "nobody knows why"},
			},
			FailedCount: 14,
			Conflicts:   1,
		}},
		Devices: []status.Device{
			{
				Name: "nas", Connected: true, Address: "quic://192.0.2.1:22000", Reach: status.Reach{Over: status.WiFi, Direct: true}, Client: "lanyard 0.1", InRate: 1000,
				Folders: map[string]status.DeviceNeed{"f-1": {NeedItems: 1, NeedBytes: 10}},
			},
			{Name: "phone", Problems: []status.Problem{{Code: "device-out-of-reach", Param: map[string]string{"device": "phone", "n": "1"}}}},
			{Name: "old", Paused: true},
		},
		Offers: []status.Offer{
			{Device: "BBB", Name: "nas", Folder: "f-2", Label: "Music <b>\u202eoff</b>", Connected: true, Counted: true, Files: 2000, Bytes: 5_000_000},
			{Device: "BBB", Name: "nas", Folder: "f-3", Label: "Not wanted", Connected: true, Refused: true},
			{Device: "DDD", Name: "laptop", Folder: "f-1", Joined: true},
			{Device: "CCC", Name: "tablet", Address: "quic://192.0.2.9:22000"},
		},
	})
	want := `desk  AAA
! clock-off
  > Set the clock of the computer that is wrong

Photos (f-1)  /srv/photos
  syncing, 2,000 items (5.0 MB) to get, 1.0 MB/s, 3.0 MB left, 3 s, 1 conflict, 1 file, 1.5 kB
  ! The disk is full. Sending goes on. Nothing is lost, and nothing is deleted because of this.
    > Make room on the disk with /srv/photos; it goes on by itself
  a [2J.jpg  1 B of 2 B
  ! The name "b:c" is not possible here
    > Rename it on a device that has it
  ! odd: nobody knows why
  ! and 12 names more; all are listed by: lanyard status --json

nas  connected (Wi-Fi, direct), quic://192.0.2.1:22000, lanyard 0.1, in 1.0 kB/s, out 0 B/s, lacks 1 item (10 B)
phone  not connected
  ! phone is out of reach. One file goes over when it is back.
    > Start Lanyard there and check that both are on the same network
old  paused
nas offers the folder Music <b> off</b>: 2,000 files, 5 MB; accept it with: lanyard folder accept "f-2" PATH
laptop offers the folder f-1, which is here already; accept it with: lanyard folder accept "f-1" --device "laptop"; laptop is away; it syncs once it is back
tablet (quic://192.0.2.9:22000) asks to connect: lanyard device add CCC
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("view (-want +got):\n%s", diff)
	}
}

func TestAWaitThatRunsOutNamesWhatIsMissing(t *testing.T) {
	err := notInSync(time.Minute, []service.Missing{
		{Folder: "docs", Device: "ABCDEFG-HIJ", Items: 1, Bytes: 10},
		{Folder: "pics", Items: 2, Bytes: 2000, Reason: "the disk is full"},
		{Folder: "music", Reason: "no device is connected"},
	})
	want := "not in sync after 1m0s: ABCDEFG lacks 1 item (10 B) of docs; " +
		"this device lacks 2 items (2.0 kB) of pics, the disk is full; music: no device is connected"
	if err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
}

func TestSpansAreShort(t *testing.T) {
	for seconds, want := range map[float64]string{0.4: "0 s", 59: "59 s", 61: "1 min 1 s", 3600: "1 h 0 min", 90061: "25 h 1 min"} {
		if got := span(seconds); got != want {
			t.Errorf("%v seconds: got %q, want %q", seconds, got, want)
		}
	}
}

func TestTimesAreReadAsVersionsPrintsThem(t *testing.T) {
	for text, want := range map[string]time.Time{
		"2026-03-04T05:06:07.89Z": time.Date(2026, 3, 4, 5, 6, 7, 890_000_000, time.UTC),
		"2026-03-04 05:06":        time.Date(2026, 3, 4, 5, 6, 0, 0, time.Local),
		"2026-03-04":              time.Date(2026, 3, 4, 0, 0, 0, 0, time.Local),
	} {
		if got, err := parseTime(text); err != nil || !got.Equal(want) {
			t.Errorf("%s: got %s, %v; want %s", text, got, err, want)
		}
	}
	if _, err := parseTime("yesterday"); err == nil {
		t.Error("yesterday: got no error")
	}
}

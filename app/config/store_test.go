package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lanyard/app/config"
	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/fault"
)

func newHome(t *testing.T) config.Home {
	t.Helper()
	h, err := config.NewHome(filepath.Join(t.TempDir(), "home"))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func open(t *testing.T, h config.Home) *config.Store {
	t.Helper()
	s, err := config.Open(h, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func closeStore(t *testing.T, s *config.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func addDevice(id device.ID, name string) func(config.Config) (config.Config, error) {
	return func(c config.Config) (config.Config, error) {
		return c.WithDevice(config.Device{ID: id, Name: name})
	}
}

func TestIdentityIsMadeOnceAndKept(t *testing.T) {
	h := newHome(t)
	s := open(t, h)
	id := s.Identity().ID
	closeStore(t, s)
	s = open(t, h)
	defer closeStore(t, s)
	if got := s.Identity().ID; got != id {
		t.Errorf("second opening has ID %s, the first had %s", got, id)
	}
}

func TestHomeAndKeyAreForThisUserAlone(t *testing.T) {
	h := newHome(t)
	if err := os.Mkdir(h.Dir(), 0o755); err != nil { // made by hand beforehand
		t.Fatal(err)
	}
	closeStore(t, open(t, h))
	if exposed, err := h.Exposed(); exposed != "" || err != nil {
		t.Errorf("a new home exposes %q, error %v", exposed, err)
	}
}

func TestMissingIdentityIsRefusedOnceSomethingIsConfigured(t *testing.T) {
	for _, gone := range [][]string{{"key.pem"}, {"cert.pem"}, {"cert.pem", "key.pem"}} {
		t.Run(strings.Join(gone, " and ")+" missing", func(t *testing.T) {
			h := newHome(t)
			s := open(t, h)
			if err := s.Update(addDevice(device.ID{1}, "nas")); err != nil {
				t.Fatal(err)
			}
			closeStore(t, s)
			remove(t, h, gone...)
			refused(t, h)
			for _, name := range gone {
				if _, err := os.Stat(filepath.Join(h.Dir(), name)); err == nil {
					t.Errorf("%s was made anew", name)
				}
			}
		})
	}
}

func TestHalfAnIdentityIsRefusedEvenInANewHome(t *testing.T) {
	h := newHome(t)
	closeStore(t, open(t, h))
	remove(t, h, "key.pem")
	refused(t, h)
}

func remove(t *testing.T, h config.Home, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := os.Remove(filepath.Join(h.Dir(), name)); err != nil {
			t.Fatal(err)
		}
	}
}

func refused(t *testing.T, h config.Home) {
	t.Helper()
	_, err := config.Open(h, time.Now())
	if fault.KindOf(err) != fault.Node || fault.CodeOf(err) != "key-unreadable" {
		t.Errorf("got kind %s code %q error %v, want a node fault key-unreadable", fault.KindOf(err), fault.CodeOf(err), err)
	}
}

func TestOnlyOneProgramHoldsAHome(t *testing.T) {
	h := newHome(t)
	s := open(t, h)
	if err := s.Announce("/run/x.sock"); err != nil {
		t.Fatal(err)
	}
	if _, err := config.Open(h, time.Now()); !errors.Is(err, config.ErrLocked) {
		t.Errorf("second opening: got error %v, want %v", err, config.ErrLocked)
	}
	want := config.Holder{PID: os.Getpid(), Control: "/run/x.sock"}
	if got, ok := h.Holder(); !ok || got != want {
		t.Errorf("holder is %+v, %v; want %+v", got, ok, want)
	}
	closeStore(t, s)
	if got, ok := h.Holder(); ok {
		t.Errorf("after closing, the lock still names %+v", got)
	}
	closeStore(t, open(t, h))
}

func TestChangesOutliveTheProcessAndThePreviousFileIsKept(t *testing.T) {
	h := newHome(t)
	s := open(t, h)
	for i, name := range []string{"one", "two"} {
		if err := s.Update(addDevice(device.ID{byte(i + 1)}, name)); err != nil {
			t.Fatal(err)
		}
	}
	want := s.Config()
	closeStore(t, s)

	s = open(t, h)
	defer closeStore(t, s)
	if diff := cmp.Diff(want, s.Config()); diff != "" {
		t.Errorf("read back (-written +read):\n%s", diff)
	}
	previous, err := os.ReadFile(filepath.Join(h.Dir(), "config.json.1"))
	if err != nil || !strings.Contains(string(previous), `"one"`) || strings.Contains(string(previous), `"two"`) {
		t.Errorf("config.json.1 is %q, error %v; want the state with one device", previous, err)
	}
	if left, _ := filepath.Glob(filepath.Join(h.Dir(), ".lanyard-*")); len(left) > 0 {
		t.Errorf("temporary files are left: %v", left)
	}
}

func TestARefusedChangeChangesNothing(t *testing.T) {
	h := newHome(t)
	s := open(t, h)
	defer closeStore(t, s)
	if err := s.Update(addDevice(device.ID{1}, "nas")); err != nil {
		t.Fatal(err)
	}
	before := s.Config()
	var refusal *config.Refusal
	if err := s.Update(addDevice(device.ID{1}, "again")); !errors.As(err, &refusal) || refusal.Reason != config.Exists {
		t.Errorf("got error %v, want a refusal: exists", err)
	}
	if diff := cmp.Diff(before, s.Config()); diff != "" {
		t.Errorf("the refused change left a trace:\n%s", diff)
	}
}

func TestTheFollowerSeesEveryChangeBeforeUpdateReturns(t *testing.T) {
	s := open(t, newHome(t))
	defer closeStore(t, s)
	var seen []int
	s.Follow(func(c config.Config) { seen = append(seen, len(c.Devices)) })
	for i := range 3 {
		if err := s.Update(addDevice(device.ID{byte(i + 1)}, "")); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]int{0, 1, 2, 3}, seen); diff != "" {
		t.Errorf("numbers of devices seen (-want +got):\n%s", diff)
	}
}

func TestUnusableConfigurationFilesAreRefusedWithASentence(t *testing.T) {
	tests := []struct {
		name, file, text string
		code             fault.Code
	}{
		{"not JSON", `{"version": 1,`, "config.json.1", ""},
		{"from a newer program", `{"version": 99}`, "version 99", "home-newer"},
		{"a version nobody wrote", `{"version": 0}`, "version 0 is not known", ""},
		{"a relative folder path", `{"version":1,"folders":[{"id":"a","path":"x","type":"send-only"}]}`, "not absolute", ""},
		{"a mistyped device", `{"version":1,"devices":[{"id":"ABC"}]}`, "not a device ID", ""},
		{"a folder shared with nobody known", `{"version":1,"folders":[{"id":"a","path":"/x","type":"send-only","shared":["` + device.ID{7}.String() + `"]}]}`, "there is no device", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHome(t)
			closeStore(t, open(t, h))
			if err := os.WriteFile(filepath.Join(h.Dir(), "config.json"), []byte(tt.file), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := config.Open(h, time.Now())
			if fault.KindOf(err) != fault.Node || fault.CodeOf(err) != tt.code || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %v (kind %s, code %q), want a node fault with code %q that says %q",
					err, fault.KindOf(err), fault.CodeOf(err), tt.code, tt.text)
			}
		})
	}
}

func TestALostConfigurationIsNotTakenForANewHome(t *testing.T) {
	h := newHome(t)
	s := open(t, h)
	for i := range 2 {
		if err := s.Update(addDevice(device.ID{byte(i + 1)}, "")); err != nil {
			t.Fatal(err)
		}
	}
	closeStore(t, s)
	remove(t, h, "config.json")
	if _, err := config.Open(h, time.Now()); fault.KindOf(err) != fault.Node {
		t.Errorf("got error %v, want a node fault", err)
	}
}

func TestRandomFolderIDsHaveTheUsualShape(t *testing.T) {
	shape := regexp.MustCompile(`^[a-z2-7]{5}-[a-z2-7]{5}$`)
	seen := map[bep.FolderID]bool{}
	for range 100 {
		id := config.NewFolderID()
		if !shape.MatchString(string(id)) || seen[id] {
			t.Fatalf("got %q, want a new ID like abcde-23456", id)
		}
		seen[id] = true
	}
}

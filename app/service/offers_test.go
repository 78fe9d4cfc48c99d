package service_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lanyard/app/node/nodetest"
	"lanyard/app/service"
	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/status"
)

// offering gives a service whose engine shows offers.
func offering(t *testing.T, offers ...status.Offer) (*service.Service, *nodetest.Engine) {
	t.Helper()
	e := nodetest.New()
	s := start(t, e)
	addPeers(t, s)
	e.Change(func(snap *status.Snapshot) { snap.Offers = offers })
	return s, e
}

func TestAnOfferIsAcceptedWithItsLabelAndSharedWithItsDevice(t *testing.T) {
	s, _ := offering(t,
		status.Offer{Device: nas.String(), Folder: "f-1", Label: "Photos"},
		status.Offer{Device: device.ID{7}.String()}, // asks to connect
	)
	root := filepath.Join(t.TempDir(), "photos")
	got, err := s.Accept(t.Context(), "f-1", service.Acceptance{Path: root})
	want := service.Accepted{
		Folder:   service.Share{ID: "f-1", Label: "Photos", Path: root, Type: "send-receive", Devices: []string{nas.String()}, Made: true},
		Warnings: []string{}, Added: true,
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("accepted (-want +got), error %v:\n%s", err, diff)
	}
	_, err = s.Accept(t.Context(), "f-2", service.Acceptance{Path: root})
	wantStatus(t, "no such offer", err, http.StatusNotFound)
	_, err = s.Accept(t.Context(), "", service.Acceptance{Path: root})
	wantStatus(t, "a device that asks to connect", err, http.StatusNotFound)
}

// A device that names the folder of another must not be let in with it.
func TestOfferersOfOneFolderAreAcceptedByName(t *testing.T) {
	s, _ := offering(t,
		status.Offer{Device: nas.String(), Name: "nas", Folder: "f-1", Label: "Photos"},
		status.Offer{Device: phone.String(), Name: "phone", Folder: "f-1", Label: "Photos"},
	)
	root := filepath.Join(t.TempDir(), "photos")
	_, err := s.Accept(t.Context(), "f-1", service.Acceptance{Path: root})
	wantStatus(t, "which of two", err, http.StatusUnprocessableEntity)
	if _, err := os.Stat(root); err == nil {
		t.Error("the directory was made although nothing was accepted")
	}
	got, err := s.Accept(t.Context(), "f-1", service.Acceptance{Path: root, Devices: []string{"phone"}})
	if diff := cmp.Diff([]string{phone.String()}, got.Folder.Devices); diff != "" || err != nil {
		t.Errorf("shared with (-want +got), error %v:\n%s", err, diff)
	}
	_, err = s.Accept(t.Context(), "f-1", service.Acceptance{Path: root + "2", Devices: []string{"nas"}})
	wantStatus(t, "another path for a folder that is here", err, http.StatusConflict)
	got, err = s.Accept(t.Context(), "f-1", service.Acceptance{Devices: []string{"nas"}})
	if err != nil || got.Added || len(got.Folder.Devices) != 2 {
		t.Errorf("one more device: %+v, %v", got, err)
	}
}

func TestARefusedOfferIsLeftOutOfTheChoice(t *testing.T) {
	s, _ := offering(t,
		status.Offer{Device: nas.String(), Folder: "f-1"},
		status.Offer{Device: phone.String(), Folder: "f-1"},
	)
	_, err := s.AnswerOffer(t.Context(), "f-2", service.OfferAnswer{Refused: true})
	wantStatus(t, "no such offer", err, http.StatusNotFound)
	refused, err := s.AnswerOffer(t.Context(), "f-1", service.OfferAnswer{Refused: true, Devices: []string{"phone"}})
	if err != nil || len(refused) != 1 || !refused[0].Refused || refused[0].Device != phone.String() {
		t.Errorf("refused are %+v, %v", refused, err)
	}
	got, err := s.Accept(t.Context(), "f-1", service.Acceptance{Path: filepath.Join(t.TempDir(), "p")})
	if diff := cmp.Diff([]string{nas.String()}, got.Folder.Devices); diff != "" || err != nil {
		t.Errorf("shared with (-want +got), error %v:\n%s", err, diff)
	}
}

func TestADirectoryThatHoldsFilesIsJoinedOnlyWhenThatIsMeant(t *testing.T) {
	s, _ := offering(t, status.Offer{Device: nas.String(), Folder: "f-1", Label: "Photos"})
	root := t.TempDir()
	for _, name := range []string{".stfolder", ".stversions"} {
		if err := os.Mkdir(filepath.Join(root, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "mine"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := s.Accept(t.Context(), "f-1", service.Acceptance{Path: root})
	wantStatus(t, "a directory that holds a file", err, http.StatusConflict)
	if entries, _ := os.ReadDir(filepath.Join(root, ".stfolder")); len(entries) != 0 {
		t.Error("a marker was made")
	}
	if folders, _ := s.Folders(t.Context()); len(folders) != 0 {
		t.Errorf("folders %+v after a refusal", folders)
	}
	if _, err = s.Accept(t.Context(), "f-1", service.Acceptance{Path: root, Merge: true}); err != nil {
		t.Error(err)
	}
	empty := t.TempDir()
	s, _ = offering(t, status.Offer{Device: nas.String(), Folder: "f-1", Bytes: 1 << 60})
	got, err := s.Accept(t.Context(), "f-1", service.Acceptance{Path: empty})
	if err != nil || len(got.Warnings) != 1 || !strings.Contains(got.Warnings[0], empty) {
		t.Errorf("with too little space it is accepted as %+v, %v", got, err)
	}
}

// The choice is noted before the folder is there, and goes with it where it cannot
// be.
func TestAChoiceForWhatDiffersIsNotedBeforeTheFolderIsJoined(t *testing.T) {
	s, e := offering(t, status.Offer{Device: nas.String(), Folder: "f-1"}, status.Offer{Device: phone.String(), Folder: "f-1"})
	var asked []string
	moved := false
	e.OnChoose = func(dev device.ID, folder bep.FolderID, path string, keep status.Keep, token string) (bool, error) {
		folders, err := s.Folders(t.Context())
		if err != nil || len(folders) != 0 {
			t.Errorf("%s was chosen when there were the folders %+v, %v", keep, folders, err)
		}
		asked = append(asked, fmt.Sprint(dev == nas, " ", folder, " ", filepath.Base(path), " ", keep, " ", token))
		return !moved, nil
	}
	root := filepath.Join(t.TempDir(), "place")
	accept := func(change func(*service.Acceptance)) error {
		req := service.Acceptance{Path: root, Devices: []string{"nas"}, Differ: "mine", Token: "t"}
		change(&req)
		_, err := s.Accept(t.Context(), "f-1", req)
		return err
	}
	wantStatus(t, "neither version", accept(func(a *service.Acceptance) { a.Differ = "none" }), http.StatusUnprocessableEntity)
	wantStatus(t, "a folder that only receives", accept(func(a *service.Acceptance) { a.Type = "receive-only" }), http.StatusUnprocessableEntity)
	wantStatus(t, "two devices", accept(func(a *service.Acceptance) { a.Devices = append(a.Devices, "phone") }), http.StatusUnprocessableEntity)
	wantStatus(t, "no path", accept(func(a *service.Acceptance) { a.Path = "place" }), http.StatusUnprocessableEntity)
	if len(asked) != 0 {
		t.Errorf("of what is refused the engine was asked %q", asked)
	}
	moved = true
	wantStatus(t, "something else by now", accept(func(*service.Acceptance) {}), http.StatusConflict)
	if folders, _ := s.Folders(t.Context()); len(folders) != 0 {
		t.Errorf("folders %+v after a refusal", folders)
	}
	moved = false
	if err := os.WriteFile(root, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := accept(func(*service.Acceptance) {}); err == nil {
		t.Error("a file was joined as a folder")
	}
	if err := os.Remove(root); err != nil {
		t.Fatal(err)
	}
	if err := accept(func(*service.Acceptance) {}); err != nil {
		t.Fatal(err)
	}
	want := []string{"true f-1 place mine t", "true f-1 place mine t"}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("the engine was asked (-want +got):\n%s", diff)
	}
}

func TestOffersComeWithAPlaceForThem(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	t.Setenv("USERPROFILE", os.Getenv("HOME"))
	s, _ := offering(t,
		status.Offer{Device: nas.String(), Folder: "f-1", Label: "../Photos: <all>"},
		status.Offer{Device: device.ID{7}.String()},
	)
	offers, err := s.Offers(t.Context())
	if err != nil || len(offers) != 1 || offers[0].Path != filepath.Join(os.Getenv("HOME"), "Photos- -all") || offers[0].Free <= 0 {
		t.Errorf("offered are %+v, %v", offers, err)
	}
}

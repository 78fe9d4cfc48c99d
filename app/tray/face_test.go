package tray

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"lanyard/app/text"
	"lanyard/sync/status"
)

// faceCase is a case that holds for the tray and for the pages. What it leaves
// out is as in a folder of 1,000 bytes, 100 files and 2 directories that is in
// sync with one device.
type faceCase struct {
	Name    string
	Folders []json.RawMessage
	Devices []struct {
		ID, Folder         string
		Connected, Current *bool
		Need               int64
		Bytes              *int64
	}
	Safe  string
	Words []string
	Mark  Mark
	State string
	Lines []string
}

func (c faceCase) snapshot(t *testing.T) status.Snapshot {
	t.Helper()
	var s status.Snapshot
	for _, raw := range c.Folders {
		count := status.Count{Files: 100, Dirs: 2, Bytes: 1000}
		f := struct {
			status.Folder
			Done int64
		}{Folder: status.Folder{ID: "f", Label: "Photos", Type: "send-receive", State: status.Idle, Global: count, Local: count, InSync: true, Devices: []string{"B"}}}
		if err := json.Unmarshal(raw, &f); err != nil {
			t.Fatal(err)
		}
		f.Progress.DoneBytes = 500 + f.Done // of files that are here as well
		f.Progress.Files = []status.FileProgress{{Done: f.Done}}
		s.Folders = append(s.Folders, f.Folder)
	}
	for _, given := range c.Devices {
		d := status.Device{ID: "B", Name: "Ben's laptop", Connected: given.Connected == nil || *given.Connected}
		if given.ID != "" {
			d.ID = given.ID
		}
		need := status.DeviceNeed{NeedItems: given.Need, NeedBytes: 10 * given.Need, Current: given.Current == nil || *given.Current}
		if given.Bytes != nil {
			need.NeedBytes = *given.Bytes
		}
		folder := "f"
		if given.Folder != "" {
			folder = given.Folder
		}
		d.Folders = map[string]status.DeviceNeed{folder: need}
		s.Devices = append(s.Devices, d)
	}
	return s
}

func english(t *testing.T) *text.Catalogue {
	t.Helper()
	words, err := text.Load("en")
	if err != nil {
		t.Fatal(err)
	}
	return words
}

func TestTheFaceOfEachState(t *testing.T) {
	data, err := os.ReadFile("testdata/faces.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []faceCase
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	words := english(t)
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			s := c.snapshot(t)
			if got := safeToClose(s); got != c.Safe {
				t.Errorf("closing is %s, want %s", got, c.Safe)
			}
			said := []string{}
			for _, f := range s.Folders {
				said = append(said, folderState(s, f).word)
			}
			if diff := cmp.Diff(c.Words, said); diff != "" {
				t.Errorf("words of the folders (-want +got):\n%s", diff)
			}
			face := Look(s, words)
			if face.Mark != c.Mark || face.State != c.State {
				t.Errorf("it shows %s, %q, want %s, %q", face.Mark, face.State, c.Mark, c.State)
			}
			if c.Lines != nil && !cmp.Equal(c.Lines, face.Folders) {
				t.Errorf("it lists %q, want %q", face.Folders, c.Lines)
			}
		})
	}
}

func TestWhatWaitsForAPersonIsCounted(t *testing.T) {
	s := status.Snapshot{
		Problems: []status.Problem{{Code: "network-untrusted", Severity: status.Ask}, {Code: "network-none", Severity: status.Wait}},
		Offers:   []status.Offer{{Folder: "a"}, {Folder: "b", Refused: true}, {Device: "d"}},
		Devices:  []status.Device{{Problems: []status.Problem{{Code: "removed-elsewhere", Severity: status.Ask}}}},
		Folders:  []status.Folder{{Problems: []status.Problem{{Code: "watch-limit", Severity: status.Ask}, {Code: "file-in-use", Severity: status.Some}}}},
		Pairing: status.Pairing{
			Requests: []status.PairingAsked{{ID: "1"}},
			Runs:     []status.PairingRun{{State: status.PairingAsks}, {State: status.PairingWaits}},
		},
	}
	if got := Look(s, english(t)).Needs; got != "6 things need you" {
		t.Errorf("it says %q", got)
	}
}

func TestManyFoldersAreNamedInPart(t *testing.T) {
	var s status.Snapshot
	for range MaxFolders + 3 {
		s.Folders = append(s.Folders, status.Folder{ID: "f", Label: "F", State: status.Paused})
	}
	face := Look(s, english(t))
	if n := len(face.Folders); n != MaxFolders+1 || face.Folders[MaxFolders] != "and 3 more folders" {
		t.Errorf("%d lines: %q", n, face.Folders)
	}
	if !face.Paused || face.Pausing {
		t.Errorf("all are paused, and it offers otherwise: %+v", face)
	}
}

func TestAPauseSaysWhenItEnds(t *testing.T) {
	at := func(hour int) time.Time { return time.Date(2026, 11, 22, hour, 5, 0, 0, time.Local) }
	s := status.Snapshot{Folders: []status.Folder{
		{ID: "f", State: status.Paused}, {ID: "g", State: status.Paused, PausedUntil: at(15)}, {ID: "h", State: status.Paused, PausedUntil: at(14)},
	}}
	if face := Look(s, english(t)); face.State != "Paused until 14:05" || face.Mark != Paused {
		t.Errorf("it shows %s, %q", face.Mark, face.State)
	}
}

// Whatever folders and devices are called, the menu has lines of text.
func TestHostileNamesStayTextOfOneLine(t *testing.T) {
	long := strings.Repeat("x", 300)
	for _, name := range []string{"a\nb", "\u202eevil", "<b>x</b>", "{n}", "[x]", "\x1b[2J", "a\u2066b", long} {
		s := status.Snapshot{
			Folders: []status.Folder{{ID: "f", Label: name, State: status.Idle, Devices: []string{"B"}}},
			Devices: []status.Device{{ID: "B", Name: name, Connected: true, Folders: map[string]status.DeviceNeed{"f": {NeedItems: 1, Current: true}}}},
		}
		for _, language := range []string{"en", "de"} {
			words, err := text.Load(language)
			if err != nil {
				t.Fatal(err)
			}
			face := Look(s, words)
			for _, line := range append(face.Folders, face.State, face.Safe, face.Tip(words)) {
				if strings.ContainsFunc(line, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }) || len(line) > 300 {
					t.Errorf("%q is shown as %q", name, line)
				}
			}
			if strings.ContainsAny(name, "<{[") && name[0] != '\x1b' && !strings.Contains(face.Folders[0], name) {
				t.Errorf("%q is shown as %q", name, face.Folders[0])
			}
		}
	}
}

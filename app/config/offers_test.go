package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"lanyard/sync/bep"
	"lanyard/sync/device"
)

func TestOffersAreKept(t *testing.T) {
	h, err := NewHome(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if offers, err := h.LoadOffers(); len(offers) != 0 || err != nil {
		t.Errorf("a new home has the offers %+v, %v", offers, err)
	}
	want := []Offer{{Device: device.ID{1}, Folder: "f", Label: "<b>", Time: time.Unix(5, 0).UTC(), Refused: true, Counted: true, Files: 1, Bytes: 2}}
	if err := h.SaveOffers(want); err != nil {
		t.Fatal(err)
	}
	got, err := h.LoadOffers()
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("kept offers (-want +got), error %v:\n%s", err, diff)
	}
	for name, text := range map[string]string{
		"broken": "{", "of a later version": `{"version":2}`, "too large": strings.Repeat(" ", maxOffersFile+1),
	} {
		if err := os.WriteFile(h.offersFile(), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := h.LoadOffers(); err == nil {
			t.Errorf("a file that is %s was read", name)
		}
	}
}

func TestADirectoryForAnOfferHasAHarmlessName(t *testing.T) {
	tests := []struct {
		label string
		id    bep.FolderID
		want  string
	}{
		{"Photos", "f", "Photos"},
		{"../../etc/passwd", "f", "etc-passwd"},
		{`C:\Windows`, "f", "C--Windows"},
		{"..", "f-1", "f-1"},
		{"", "", "Folder"},
		{"con", "f", "_con"},
		{"LPT1.txt", "f", "_LPT1.txt"},
		{"trailing. ", "f", "trailing"},
		{".hidden", "f", "hidden"},
		{"~user", "f", "user"},
		{"a\x00b\u202ec", "f", "a-b-c"},
		{"Bücher 📚", "f", "Bücher 📚"},
	}
	for _, test := range tests {
		if got := directoryName(test.label, test.id); got != test.want {
			t.Errorf("label %q, ID %q: got %q, want %q", test.label, test.id, got, test.want)
		}
	}
	if got := directoryName(strings.Repeat("ü", 300), "f"); len(got) > 120 || !utf8.ValidString(got) {
		t.Errorf("a long label gives %d bytes: %q", len(got), got)
	}
}

func TestSuggestedPlacesDiffer(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	c := Config{Folders: []Folder{{Path: filepath.Join(home, "Photos")}}}
	if got := c.SuggestPlace("Photos", "f"); got != filepath.Join(home, "Photos 2") {
		t.Errorf("beside a folder of that name, %q is suggested", got)
	}
}

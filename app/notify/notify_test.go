package notify

import (
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"lanyard/app/config"
	"lanyard/app/text"
	"lanyard/sync/status"
)

var start = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

func words(t interface {
	Helper()
	Fatal(...any)
}, language string,
) *text.Catalogue {
	t.Helper()
	c, err := text.Load(language)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// thing makes a thing of a kind.
func thing(kind Kind, n int) Thing {
	return Thing{Kind: kind, Key: fmt.Sprint(kind, n), Amount: 1, Text: fmt.Sprint("thing ", n), Page: "#/"}
}

// Things of all kinds come at any time and last; time passes as it does while a
// program runs: whenever something changes, and when the desk asks for it.
func TestABurstIsOneNotificationAndNothingIsToldTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := NewDesk(words(t, "en"), nil, start)
		now, told := start, map[Kind][]time.Time{}
		var things []Thing
		var waits time.Time
		look := func() {
			due, next := d.Look(now, things)
			if !next.IsZero() && !next.After(now) {
				t.Fatalf("at %v it asks for %v", now, next)
			}
			waits = next
			for _, n := range due {
				told[n.Kind] = append(told[n.Kind], now)
			}
		}
		for i := range rapid.IntRange(1, 60).Draw(t, "arrivals") {
			at := now.Add(rapid.SampledFrom([]time.Duration{0, 300 * time.Millisecond, 20 * time.Second, 10 * time.Minute}).Draw(t, "after"))
			for !waits.IsZero() && waits.Before(at) {
				now = waits
				look()
			}
			now = at
			things = append(things, thing(rapid.SampledFrom(Kinds()).Draw(t, "kind"), i))
			look()
		}
		for !waits.IsZero() {
			now = waits
			look()
		}
		for kind, times := range told {
			for i := 1; i < len(times); i++ {
				if times[i].Sub(times[i-1]) < group {
					t.Fatalf("%s was told at %v", kind, times)
				}
				if i >= most && times[i].Sub(times[i-most]) < time.Hour {
					t.Fatalf("%s was told more than %d times in an hour: %v", kind, most, times)
				}
			}
		}
		// All was told, and nothing is told again: not now, not later, and not by
		// the next run.
		all, _ := d.Told()
		if len(all) != len(things) {
			t.Fatalf("%d of %d were told", len(all), len(things))
		}
		next := NewDesk(words(t, "en"), all, now)
		for _, desk := range []*Desk{d, next} {
			for range 3 {
				now = now.Add(20 * time.Minute)
				if due, _ := desk.Look(now, things); len(due) > 0 {
					t.Fatalf("it is told again: %v", due)
				}
			}
		}
	})
}

func TestWhatComesWithinAMomentIsOneNotification(t *testing.T) {
	for _, n := range []int{1, 3, 50} {
		d := NewDesk(words(t, "en"), nil, start)
		var things []Thing
		for i := range n {
			things = append(things, thing(TwoVersions, i))
			if due, next := d.Look(start.Add(time.Duration(i)*gather/100), things); len(due) > 0 || next != start.Add(gather) {
				t.Fatalf("thing %d of %d is told alone: %v, next %v", i, n, due, next)
			}
		}
		due, _ := d.Look(start.Add(gather), things)
		if len(due) != 1 {
			t.Fatalf("%d things are %d notifications", n, len(due))
		}
		want := "thing 0"
		if n > 1 {
			want = fmt.Sprintf("%d files in %d folders have two versions. All of them are safe.", n, n)
		}
		if due[0].Body != want {
			t.Errorf("%d things are told as %q, want %q", n, due[0].Body, want)
		}
	}
}

func TestWhatIsGoneBeforeItsTimeIsNotTold(t *testing.T) {
	d := NewDesk(words(t, "en"), nil, start)
	d.Look(start, []Thing{thing(Action, 1)})
	if due, next := d.Look(start.Add(gather), nil); len(due) > 0 || !next.IsZero() {
		t.Errorf("it is told: %v, %v", due, next)
	}
}

func TestMoreOfTheSameIsToldAndLessIsNot(t *testing.T) {
	d := NewDesk(words(t, "en"), nil, start)
	now := start
	tell := func(amount int64) int {
		c := thing(TwoVersions, 1)
		c.Amount = amount
		count := 0
		for range 2 {
			now = now.Add(20 * time.Minute)
			due, _ := d.Look(now, []Thing{c})
			count += len(due)
		}
		return count
	}
	for i, test := range []struct {
		amount int64
		want   int
	}{{2, 1}, {2, 0}, {3, 1}, {1, 0}, {2, 1}} {
		if got := tell(test.amount); got != test.want {
			t.Errorf("step %d: %d are told %d times, want %d", i, test.amount, got, test.want)
		}
	}
}

// An engine that starts knows little at first.
func TestWhatIsBackWithinAnHourIsTheSame(t *testing.T) {
	for gone, want := range map[time.Duration]int{59 * time.Minute: 0, time.Hour: 1} {
		d := NewDesk(words(t, "en"), map[string]int64{thing(Held, 1).Key: 1}, start)
		now := start.Add(gone)
		d.Look(now, nil)
		d.Look(now, []Thing{thing(Held, 1)})
		due, _ := d.Look(now.Add(gather), []Thing{thing(Held, 1)})
		if len(due) != want {
			t.Errorf("after %v it is told %d times, want %d", gone, len(due), want)
		}
	}
}

// hostile is a name that is to stay text.
const hostile = "<b>&amp;]]>{n}[x]$(rm)\u202e\n"

// state holds one thing of each kind that a snapshot tells, and of the last one
// two.
func state() status.Snapshot {
	f := status.Folder{
		ID: "f/1", Label: hostile, Conflicts: 3, Devices: []string{"B"},
		HeldBack: []status.Held{
			{Direction: status.Incoming, Files: 5012, Total: 18340, Devices: []string{hostile}},
			{Direction: status.Outgoing, Files: 1, Total: 2},
		},
		Problems: []status.Problem{
			{Code: "folder-missing", Severity: status.Stop, Param: map[string]string{"path": "/p"}},
			{Code: "two-versions", Severity: status.Ask, Param: map[string]string{"file": "a"}},
			{Code: "deletions-held", Severity: status.Ask, Param: map[string]string{"n": "1", "total": "2"}},
			{Code: "folder-missing", Severity: status.Stop}, // a value is lacking: half a sentence is not said
		},
	}
	return status.Snapshot{
		Folders:  []status.Folder{f},
		Devices:  []status.Device{{ID: "B-1", Problems: []status.Problem{{Code: "device-out-of-reach", Param: map[string]string{"device": "b"}}}}},
		Problems: []status.Problem{{Code: "network-untrusted", Severity: status.Ask, Param: map[string]string{"network": "n"}}},
		Offers: []status.Offer{
			{Device: "B-1", Name: hostile, Folder: "g", Label: "Photos", Counted: true, Bytes: 40_100_000_000},
			{Device: "B-1", Folder: "refused", Refused: true},
			{Device: "B-1", Folder: "joined", Joined: true},
		},
		Pairing: status.Pairing{
			Requests: []status.PairingAsked{{Device: "ABCDEFG-1"}},
			Runs:     []status.PairingRun{{ID: "1", State: status.PairingAsks, Name: "Ben"}, {ID: "2", State: status.PairingAsks, Began: true}},
		},
	}
}

func TestAnOfferIsToldOnceItIsKnownHowMuchThereIs(t *testing.T) {
	c := words(t, "en")
	o := status.Offer{Device: "B-1", Name: "Ben", Folder: "p", Label: "Photos", Connected: true, Path: "/home/a/Photos", Free: 212_000_000_000}
	counted := o
	counted.Counted, counted.Bytes = true, 40_000_000_000
	const whole = "Ben offers Photos, 40 GB. It would go to /home/a/Photos, where 212 GB are free."
	for name, tt := range map[string]struct {
		known time.Duration // when it is known, negative for never
		told  time.Duration
		want  string
	}{
		"at once":    {0, gather, whole},
		"soon":       {gather / 2, gather, whole},
		"after that": {3 * gather, 3 * gather, whole},
		"never":      {-1, learn, "Ben offers Photos. It would go to /home/a/Photos, where 212 GB are free."},
	} {
		d := NewDesk(c, nil, start)
		var due []Notification
		at := start
		for ; len(due) == 0 && at.Before(start.Add(time.Minute)); at = at.Add(gather / 2) {
			s := status.Snapshot{Offers: []status.Offer{o}}
			if tt.known >= 0 && at.Sub(start) >= tt.known {
				s.Offers[0] = counted
			}
			due, _ = d.Look(at, Things(s, c))
		}
		if len(due) != 1 || due[0].Body != tt.want || at.Sub(start)-gather/2 != tt.told {
			t.Errorf("%s: after %v it is told %+v, want %q after %v", name, at.Sub(start)-gather/2, due, tt.want, tt.told)
		}
	}
}

func TestEachKindIsWordedInBothLanguages(t *testing.T) {
	shown := "<b>&amp;]]>{n}[x]$(rm)"
	want := map[string][]string{
		"en": {
			"ABCDEFG wants to connect.", "Ben wants to connect.", shown + " offers Photos, 40.1 GB.",
			"3 files in " + shown + " have two versions. All of them are safe.",
			"5,012 of 18,340 files in " + shown + " were deleted on " + shown + ". Nothing is deleted here yet.",
			"1 of 2 files in " + shown + " are gone from this computer. The other devices keep theirs for now.",
			"The folder /p is not there",
		},
		"de": {
			"ABCDEFG möchte sich verbinden.", "Ben möchte sich verbinden.", shown + " bietet Photos an, 40,1 GB.",
			"3 Dateien in " + shown + " haben zwei Fassungen. Alle sind sicher.",
			"5.012 von 18.340 Dateien in " + shown + " wurden auf " + shown + " gelöscht. Hier ist noch nichts gelöscht.",
			"1 von 2 Dateien in " + shown + " sind auf diesem Computer verschwunden. Die anderen Geräte behalten ihre vorerst.",
			"Der Ordner /p ist nicht da",
		},
	}
	for language, want := range want {
		var got []string
		keys := map[string]bool{}
		for _, thing := range Things(state(), words(t, language)) {
			got = append(got, thing.Text)
			keys[thing.Key] = true
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", language, diff)
		}
		if len(keys) != len(want) {
			t.Errorf("%d things have %d keys", len(want), len(keys))
		}
	}
}

func TestThingsOfAKindAreJoinedInBothLanguages(t *testing.T) {
	for _, language := range []string{"en", "de"} {
		for _, kind := range Kinds() {
			d := NewDesk(words(t, language), nil, start)
			two := []Thing{thing(kind, 1), thing(kind, 2)}
			d.Look(start, two)
			due, _ := d.Look(start.Add(gather), two)
			if len(due) != 1 || due[0].Title == "" || !strings.Contains(due[0].Body, "2") || strings.ContainsAny(due[0].Body, "{}") || due[0].Page != "#/needs" {
				t.Errorf("%s %s: %+v", language, kind, due)
			}
		}
	}
}

func TestHostileNamesAreTextOnWindows(t *testing.T) {
	for _, thing := range Things(state(), words(t, "en")) {
		n := Notification{Title: hostile, Body: thing.Text, Page: thing.Page}
		var read struct {
			Launch string   `xml:"launch,attr"`
			Texts  []string `xml:"visual>binding>text"`
		}
		if err := xml.Unmarshal([]byte(toast(n)), &read); err != nil {
			t.Fatalf("%s: %v", toast(n), err)
		}
		if read.Launch != n.Page || !slices.Equal(read.Texts, []string{n.Title, n.Body}) {
			t.Errorf("%+v reads as %+v", n, read)
		}
		if strings.ContainsFunc(n.Body, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }) {
			t.Errorf("it says %q", n.Body)
		}
	}
}

func TestHostileNamesAreArgumentsOnMacOS(t *testing.T) {
	plain := scriptArgs(Notification{Title: "Done", Body: "x"})
	for _, body := range []string{hostile, `" & (do shell script "id") & "`, "-e", "--help", "end run\non run argv"} {
		args := scriptArgs(Notification{Title: "Done", Body: body})
		if last := len(args) - 1; !slices.Equal(args[:last], plain[:last]) || args[last] != body {
			t.Errorf("%q is given as %q", body, args)
		}
	}
	for i, arg := range plain[:len(plain)-2] {
		if i%2 == 0 && arg != "-e" || strings.Contains(arg, "Done") {
			t.Errorf("the script has %q", arg)
		}
	}
}

// moves gives a state in which a folder of 12,000 files goes to Ben's laptop and
// comes from somewhere.
func moves(there, here int64, connected bool) status.Snapshot {
	f := status.Folder{ID: "f", Label: "Photos", Global: status.Count{Files: 12000}, Need: status.Need{Items: here, Bytes: 10 * here}}
	if here > 0 {
		f.State = status.Syncing
	}
	d := status.Device{
		ID: "B", Name: "Ben's laptop", Connected: connected,
		Folders: map[string]status.DeviceNeed{"f": {NeedItems: there, NeedBytes: 10 * there, Current: connected}},
	}
	return status.Snapshot{Folders: []status.Folder{f}, Devices: []status.Device{d}}
}

func TestALongTransferThatIsDoneIsToldOnce(t *testing.T) {
	type step struct {
		minutes     int // since the step before
		there, here int64
		connected   bool
	}
	tests := []struct {
		name  string
		steps []step
		want  []string
	}{
		{"eleven minutes there", []step{{0, 9, 0, true}, {11, 0, 0, true}}, []string{"Photos is now on Ben's laptop: 12,000 files."}},
		{"eleven minutes here", []step{{0, 0, 9, true}, {11, 0, 0, true}}, []string{"Photos is now on this computer: 12,000 files."}},
		{"nine minutes", []step{{0, 9, 0, true}, {9, 0, 0, true}}, nil},
		{"a day of waiting does not count", []step{{0, 9, 0, true}, {5, 9, 0, false}, {1440, 9, 0, true}, {4, 0, 0, true}}, nil},
		{"two parts count together", []step{{0, 9, 0, true}, {5, 9, 0, false}, {1440, 9, 0, true}, {6, 0, 0, true}}, []string{"Photos is now on Ben's laptop: 12,000 files."}},
		{"waiting alone", []step{{0, 9, 0, false}, {60, 0, 0, false}}, nil},
	}
	for _, test := range tests {
		transfers, now := NewTransfers(words(t, "en")), start
		var got []string
		for _, s := range test.steps {
			now = now.Add(time.Duration(s.minutes) * time.Minute)
			things := transfers.Look(now, moves(s.there, s.here, s.connected))
			for _, thing := range things {
				got = append(got, thing.Text)
			}
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
		// It is remembered for as long as it may wait to be told.
		if n := len(transfers.Look(now.Add(lasts-1), moves(0, 0, true))); n != len(test.want) {
			t.Errorf("%s: later there are %d", test.name, n)
		}
		if n := len(transfers.Look(now.Add(lasts), moves(0, 0, true))); n > 0 {
			t.Errorf("%s: it stays for ever", test.name)
		}
	}
}

func TestWhatWasToldIsReadAgain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "told.json")
	if told, err := remembered(file); len(told) > 0 || err != nil {
		t.Errorf("at first there is %v, %v", told, err)
	}
	want := map[string]int64{"two f": 3}
	if err := config.Remember(file, kept{want}); err != nil {
		t.Fatal(err)
	}
	if got, err := remembered(file); err != nil || !cmp.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := remembered(file); err == nil {
		t.Error("a damaged file is read without a word")
	}
}

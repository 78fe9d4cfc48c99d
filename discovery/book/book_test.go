package book_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"lanyard/discovery/book"
	"lanyard/sync/device"
	"lanyard/sync/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	anna = device.ID{1}
	bert = device.ID{2}

	errRefused = errors.New("refused")
)

// quic gives the address of host number n.
func quic(n int) string { return fmt.Sprintf("quic://192.0.2.%d:22000", n) }

func set(t *testing.T, b *book.Book, dev device.ID, addresses ...string) {
	t.Helper()
	if err := b.Set(dev, addresses); err != nil {
		t.Fatal(err)
	}
}

func wantCandidates(t *testing.T, b *book.Book, dev device.ID, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, b.Candidates(dev)); diff != "" {
		t.Errorf("candidates (-want +got):\n%s", diff)
	}
}

func TestCandidatesAreOrderedByHowPromisingTheyAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := book.Open(book.Options{Network: "home"})
		set(t, b, anna, quic(3))
		b.SetNetwork("office")
		b.Succeeded(anna, quic(4))
		b.SetNetwork("home")
		b.Succeeded(anna, quic(1))
		b.Sighted(anna, []string{quic(5)})
		<-time.After(time.Hour) // virtual: the sighting ages
		b.Sighted(anna, []string{quic(2)})
		wantCandidates(t, b, anna, quic(1), quic(2), quic(3), quic(4), quic(5))
	})
}

func TestAmongEqualsGlobalIPv6IsFirstAndLinkLocalLast(t *testing.T) {
	b := book.Open(book.Options{})
	want := []string{"quic://[2001:db8::1]:22000", "quic://192.0.2.1:22000", "quic://[fe80::1%25eth0]:22000"}
	set(t, b, anna, want[2], want[1], want[0])
	wantCandidates(t, b, anna, want...)
}

func TestTheBestOfThoseThatWorkedHereIsTheLatest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := book.Open(book.Options{})
		b.Succeeded(anna, quic(1))
		<-time.After(time.Second) // virtual
		b.Succeeded(anna, quic(2))
		wantCandidates(t, b, anna, quic(2), quic(1))
	})
}

func TestAnAddressThatFailedThreeTimesIsTriedInEveryFifthRound(t *testing.T) {
	b := book.Open(book.Options{})
	set(t, b, anna, quic(1), quic(2))
	for range 3 {
		b.Failed(anna, quic(1), errRefused)
	}
	var tried int
	for range 20 {
		if slices.Contains(b.Candidates(anna), quic(1)) {
			tried++
		}
	}
	if tried != 4 {
		t.Errorf("the failing address was tried in %d of 20 rounds, want 4", tried)
	}
	for range 3 {
		b.Failed(anna, quic(2), errRefused)
	}
	if got := b.Candidates(anna); len(got) != 2 {
		t.Errorf("with nothing but failing addresses: got %v, want both", got)
	}
}

func TestADialThatWasCalledOffIsNoFailure(t *testing.T) {
	b := book.Open(book.Options{})
	set(t, b, anna, quic(1), quic(2))
	for range 5 {
		b.Failed(anna, quic(1), fmt.Errorf("dial: %w", context.Canceled))
	}
	wantCandidates(t, b, anna, quic(1), quic(2))
}

func TestAFailedDialDemotesASighting(t *testing.T) {
	b := book.Open(book.Options{})
	set(t, b, anna, quic(2))
	b.Sighted(anna, []string{quic(1)})
	wantCandidates(t, b, anna, quic(1), quic(2))
	b.Failed(anna, quic(1), errRefused)
	wantCandidates(t, b, anna, quic(2), quic(1))
}

func TestASightingOfAnUnknownDeviceIsNotNoted(t *testing.T) {
	b := book.Open(book.Options{})
	b.Sighted(anna, []string{quic(1)})
	wantCandidates(t, b, anna)
}

func TestADeviceThatDialedUsCanBeDialedThere(t *testing.T) {
	b := book.Open(book.Options{})
	b.Seen(anna, quic(1))
	wantCandidates(t, b, anna, quic(1))
}

func TestADeviceThatDialedUsOverTCPIsNotDialedThere(t *testing.T) {
	o := book.Options{File: filepath.Join(t.TempDir(), "book.json")}
	b := book.Open(o)
	b.Seen(anna, "tcp://192.0.2.1:51234")
	if got := b.Candidates(anna); len(got) != 0 {
		t.Errorf("it would be dialed at %v", got)
	}
	seen := b.LastSeen(anna)
	if seen.IsZero() {
		t.Error("it is not noted that the device was here")
	}
	if err := b.Save(); err != nil {
		t.Fatal(err)
	}
	if got := book.Open(o).LastSeen(anna); !got.Equal(seen) {
		t.Errorf("after a restart it was last seen %v, want %v", got, seen)
	}
}

func TestQUICStandsBeforeTCP(t *testing.T) {
	b := book.Open(book.Options{})
	set(t, b, anna, "tcp://192.0.2.1", "tcp://[2001:db8::1]", "quic://192.0.2.1", "quic://[fe80::1%eth0]")
	wantCandidates(t, b, anna, "quic://192.0.2.1:22000", "quic://[fe80::1%25eth0]:22000",
		"tcp://192.0.2.1:22000", "tcp://[2001:db8::1]:22000")
	b.Failed(anna, "quic://192.0.2.1:22000", errors.New("no answer"))
	b.Succeeded(anna, "tcp://192.0.2.1:22000")
	wantCandidates(t, b, anna, "tcp://192.0.2.1:22000", "quic://192.0.2.1:22000", "quic://[fe80::1%25eth0]:22000",
		"tcp://[2001:db8::1]:22000")
}

func TestSetReplacesTheFixedAddressesAndKeepsTheRest(t *testing.T) {
	b := book.Open(book.Options{})
	set(t, b, anna, quic(1), quic(2))
	b.Succeeded(anna, quic(2))
	set(t, b, anna, quic(3))
	wantCandidates(t, b, anna, quic(2), quic(3))
}

func TestSetRefusesWhatCannotBeUsedAndChangesNothing(t *testing.T) {
	b := book.Open(book.Options{})
	set(t, b, anna, quic(1))
	var many []string
	for n := range book.MaxAddresses + 1 {
		many = append(many, quic(n))
	}
	for _, bad := range [][]string{{quic(2), "http://192.0.2.3"}, {"quic://:22000"}, {"quic://0.0.0.0"}, many} {
		if err := b.Set(anna, bad); fault.KindOf(err) != fault.Item {
			t.Errorf("set %.60q: got %v, want a fault of kind Item", bad, err)
		}
	}
	wantCandidates(t, b, anna, quic(1))
}

func TestForgetLeavesNothing(t *testing.T) {
	b := book.Open(book.Options{})
	set(t, b, anna, quic(1))
	set(t, b, bert, quic(2))
	b.Forget(anna)
	wantCandidates(t, b, anna)
	wantCandidates(t, b, bert, quic(2))
}

func TestChangedTellsOfNewsOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := book.Open(book.Options{})
		steps := []struct {
			what string
			do   func()
			news bool
		}{
			{"a device without addresses", func() { set(t, b, anna) }, false},
			{"a fixed address", func() { set(t, b, anna, quic(1)) }, true},
			{"the same fixed address", func() { set(t, b, anna, quic(1)) }, false},
			{"a sighting", func() { b.Sighted(anna, []string{quic(2)}) }, true},
			{"the same sighting", func() { b.Sighted(anna, []string{quic(2)}) }, false},
			{"a sighting after a failure", func() { b.Failed(anna, quic(2), errRefused); b.Sighted(anna, []string{quic(2)}) }, true},
			{"a sighting after a long silence", func() { <-time.After(time.Hour); b.Sighted(anna, []string{quic(2)}) }, true},
			{"an unusable sighting", func() { b.Sighted(anna, []string{"quic://:1"}) }, false},
			{"another network", func() { b.SetNetwork("office") }, true},
			{"the same network", func() { b.SetNetwork("office") }, false},
		}
		for _, step := range steps {
			step.do()
			select {
			case dev := <-b.Changed():
				if !step.news || dev != anna {
					t.Errorf("%s: told of %s", step.what, dev.Short())
				}
			default:
				if step.news {
					t.Errorf("%s: not told", step.what)
				}
			}
		}
	})
}

func TestAFullChangedNeverBlocks(t *testing.T) {
	b := book.Open(book.Options{})
	for n := range 2000 {
		set(t, b, anna, quic(n%200+1))
	}
}

func TestAddressesThatWorkedSurviveARestart(t *testing.T) {
	o := book.Options{File: filepath.Join(t.TempDir(), "book.json"), Network: "home"}
	b := book.Open(o)
	set(t, b, anna, quic(1))
	set(t, b, bert, "quic://[fe80::1%eth0]:1")
	b.Succeeded(anna, quic(2))
	b.Succeeded(bert, "quic://[fe80::1%eth0]:1")
	b.Seen(anna, quic(3))
	b.Sighted(anna, []string{quic(4)})
	if err := b.Save(); err != nil {
		t.Fatal(err)
	}
	again := book.Open(o)
	wantCandidates(t, again, anna, quic(2), quic(3))
	wantCandidates(t, again, bert, "quic://[fe80::1%25eth0]:1")
	if !again.WorkedHere(anna) {
		t.Error("it is forgotten that an address worked on this network")
	}
	left, err := os.ReadDir(filepath.Dir(o.File))
	if err != nil || len(left) != 1 {
		t.Errorf("beside the file: got %v, %v, want nothing", left, err)
	}
}

func TestADamagedFileIsBegunAnew(t *testing.T) {
	for _, text := range []string{"", "{", `{"version":99,"devices":[]}`, `{"version":1,"devices":[{"id":"x"}]}`} {
		file := filepath.Join(t.TempDir(), "book.json")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		b := book.Open(book.Options{File: file})
		wantCandidates(t, b, anna)
		b.Succeeded(anna, quic(1))
		if err := b.Save(); err != nil {
			t.Errorf("save over %q: %v", text, err)
		}
		wantCandidates(t, book.Open(book.Options{File: file}), anna, quic(1))
	}
}

func TestRunSavesSoonAfterAChangeAndAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := book.Options{File: filepath.Join(t.TempDir(), "book.json")}
		b := book.Open(o)
		stop := errors.New("stop")
		ctx, cancel := context.WithCancelCause(t.Context())
		result := make(chan error, 1)
		go func() { result <- b.Run(ctx) }()
		b.Succeeded(anna, quic(1))
		<-time.After(time.Minute) // virtual
		wantCandidates(t, book.Open(o), anna, quic(1))
		b.Succeeded(bert, quic(2))
		cancel(stop)
		if err := <-result; !errors.Is(err, stop) {
			t.Errorf("run: got %v, want the cause", err)
		}
		wantCandidates(t, book.Open(o), bert, quic(2))
	})
}

func TestSaveNamesTheFileThatItCannotWrite(t *testing.T) {
	b := book.Open(book.Options{File: filepath.Join(t.TempDir(), "missing", "book.json")})
	if err := b.Save(); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("save: got %v, want an error that names the place", err)
	}
}

func TestTheBookKeepsItsBoundAndWhatWorked(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := book.Open(book.Options{})
		if err := b.Set(anna, []string{quic(1), quic(2)}); err != nil {
			t.Fatal(err)
		}
		b.Succeeded(anna, quic(3))
		for range rapid.IntRange(0, 120).Draw(t, "hints") {
			address := quic(rapid.IntRange(4, 250).Draw(t, "host"))
			switch rapid.IntRange(0, 2).Draw(t, "hint") {
			case 0:
				b.Sighted(anna, []string{address})
			case 1:
				b.Seen(anna, address)
			case 2:
				b.Failed(anna, address, errRefused)
			}
		}
		got := b.Candidates(anna)
		if len(got) > book.MaxAddresses {
			t.Errorf("got %d candidates, want at most %d", len(got), book.MaxAddresses)
		}
		if got[0] != quic(3) {
			t.Errorf("the first candidate is %s, want the one that worked, %s", got[0], quic(3))
		}
		if !slices.Contains(got, quic(1)) || !slices.Contains(got, quic(2)) {
			t.Errorf("a fixed address was dropped: %v", got)
		}
		if unique := slices.Compact(slices.Sorted(slices.Values(got))); len(unique) != len(got) {
			t.Errorf("an address is listed twice: %v", got)
		}
	})
}

func TestADeviceThatIsAnnouncedAtRelaysAloneIsUndialable(t *testing.T) {
	b := book.Open(book.Options{})
	relay := "relay://192.0.2.9:443"
	b.Sighted(anna, []string{relay})
	if b.Undialable(anna) {
		t.Error("a device that the book was not given is noted")
	}
	set(t, b, anna)
	for _, step := range []struct {
		announced []string
		want      bool
	}{{nil, false}, {[]string{relay}, true}, {nil, false}, {[]string{relay, quic(1)}, false}, {[]string{relay}, false}} {
		b.Sighted(anna, step.announced)
		if got := b.Undialable(anna); got != step.want {
			t.Errorf("after %q it is undialable: %v, want %v", step.announced, got, step.want)
		}
	}
	b.Forget(anna)
	set(t, b, anna)
	b.Sighted(anna, []string{relay})
	set(t, b, anna, quic(2))
	if b.Undialable(anna) {
		t.Error("a device with an address that a person set is undialable")
	}
}

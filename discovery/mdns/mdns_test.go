package mdns

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"lanyard/sync/device"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	idA = device.ID{1}
	idB = device.ID{2}
	key = device.PairKey{3, 4, 5}
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestOnlyThePairedDeviceRecognisesAnAnnouncement(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	n := newNonce()
	tags := tagsFor(idA, []Pair{{idB, key}}, n, epoch(now))
	other := key
	other[0] ^= 1
	for name, c := range map[string]struct {
		self  device.ID
		pairs []Pair
		nonce nonce
		at    time.Duration
		want  bool
	}{
		"the paired one":              {idB, []Pair{{idA, key}}, n, 0, true},
		"its clock is 15 min fast":    {idB, []Pair{{idA, key}}, n, Epoch, true},
		"its clock is 15 min slow":    {idB, []Pair{{idA, key}}, n, -Epoch, true},
		"half an hour later":          {idB, []Pair{{idA, key}}, n, 2 * Epoch, false},
		"another key":                 {idB, []Pair{{idA, other}}, n, 0, false},
		"from the other direction":    {idB, []Pair{{device.ID{9}, key}}, n, 0, false},
		"the announcer's, repeated":   {idA, []Pair{{idB, key}}, n, 0, false},
		"the tags with another nonce": {idB, []Pair{{idA, key}}, newNonce(), 0, false},
	} {
		got := recognise(c.self, c.pairs, c.nonce, tags, now.Add(c.at))
		if (len(got) == 1) != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestTagsAreOfARoundNumberAndChange(t *testing.T) {
	var pairs []Pair
	for i := range 200 {
		pairs = append(pairs, Pair{device.ID{7, byte(i)}, device.PairKey{byte(i)}})
	}
	for n, want := range map[int]int{0: 8, 1: 8, 8: 8, 9: 16, 33: 64, 64: 64, 200: 64} {
		if got := len(tagsFor(idA, pairs[:n], newNonce(), 5)); got != want {
			t.Errorf("%d pairs give %d tags, want %d", n, got, want)
		}
	}
	// Of more pairs than fit, each has its turn.
	reached := map[device.ID]bool{}
	for e := range int64(20) {
		n := newNonce()
		tags := tagsFor(idA, pairs, n, e)
		for _, p := range pairs {
			if slices.Contains(tags, tagOf(p.Key, idA, p.ID, n, e)) {
				reached[p.ID] = true
			}
		}
	}
	if len(reached) != len(pairs) {
		t.Errorf("%d of %d pairs are ever reached", len(reached), len(pairs))
	}
	if a, b := tagsFor(idA, pairs[:1], newNonce(), 1), tagsFor(idA, pairs[:1], newNonce(), 1); slices.ContainsFunc(a, func(x tag) bool { return slices.Contains(b, x) }) {
		t.Error("two announcements share a tag")
	}
}

func TestTextSurvivesTheWay(t *testing.T) {
	b := Beacon{1, 2}
	want := announcement{nonce: newNonce(), tags: tagsFor(idA, make([]Pair, 64), newNonce(), 1), name: strings.Repeat("ü", 32), beacon: &b}
	text, err := want.encode()
	must(t, err)
	for _, s := range text {
		if len(s) > maxString {
			t.Errorf("%d bytes in one string", len(s))
		}
	}
	got, err := decode(append(text, "later=x", "alone"))
	if err != nil || got.nonce != want.nonce || !slices.Equal(got.tags, want.tags) || got.name != want.name || *got.beacon != b {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := (announcement{name: strings.Repeat("x", 255)}).encode(); err == nil {
		t.Error("a string that breaks the library is sent")
	}
	if got := cutName(strings.Repeat("ü", 40)); got != strings.Repeat("ü", 32) {
		t.Errorf("a long name is cut to %q", got)
	}
}

func TestTextThatIsRefused(t *testing.T) {
	n := "n=" + text64.EncodeToString(make([]byte, 16))
	for name, text := range map[string][]string{
		"nothing":        {},
		"no version":     {n},
		"version 2":      {"v=2", n},
		"no nonce":       {"v=1"},
		"two nonces":     {"v=1", n, n},
		"a short nonce":  {"v=1", "n=AAAA"},
		"half a tag":     {"v=1", n, "t0=AAAA"},
		"too many tags":  {"v=1", n, "t0=" + text64.EncodeToString(make([]byte, 17*8))},
		"t0 five times":  slices.Concat([]string{"v=1", n}, slices.Repeat([]string{"t0=" + text64.EncodeToString(make([]byte, 16*8))}, 5)),
		"a long name":    {"v=1", n, "m=" + strings.Repeat("x", 65)},
		"a broken name":  {"v=1", n, "m=\xff"},
		"a short beacon": {"v=1", n, "p=AAAA"},
		"very much":      {"v=1", n, "x=" + strings.Repeat("x", 1024)},
	} {
		if a, err := decode(text); err == nil {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

func FuzzDecode(f *testing.F) {
	b := Beacon{1}
	text, err := announcement{nonce: newNonce(), tags: make([]tag, 8), name: "x", beacon: &b}.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(strings.Join(text, "\n"))
	f.Fuzz(func(t *testing.T, s string) {
		a, err := decode(strings.Split(s, "\n"))
		if err == nil && (len(a.tags) > maxTags || len(a.name) > maxName) {
			t.Errorf("%+v", a)
		}
	})
}

// fake is a network without the library.
type fake struct {
	mu         sync.Mutex
	instances  []string // every one that was announced
	text       []string // of the one that is announced now; nil for none
	browses    int
	found      chan answer
	links      string
	broken     error
	sticky     bool          // stop waits for stuck
	stuck      chan struct{} // made with the announcement
	closeEarly bool
}

func (f *fake) register(instance string, _ int, text []string) (func(), error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken != nil {
		return nil, f.broken
	}
	f.instances, f.text = append(f.instances, instance), text
	var stuck chan struct{}
	if f.sticky {
		stuck = make(chan struct{})
		f.stuck = stuck
	}
	return func() {
		if stuck != nil {
			<-stuck
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.text = nil
	}, nil
}

func (f *fake) browse(ctx context.Context, found chan<- answer) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.browses++
	if f.broken != nil {
		close(found)
		return f.broken
	}
	in := make(chan answer)
	f.found = in
	early := f.closeEarly
	go func() {
		defer close(found)
		for !early {
			select {
			case a := <-in:
				found <- a // whether somebody reads or not
			case <-ctx.Done():
				return
			}
		}
	}()
	return nil
}

func (f *fake) interfaces() (string, []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.links, []string{"eth0", "wlan0"}
}

func (f *fake) now() (instances int, text []string, browses int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.instances), f.text, f.browses
}

// rig is a Source over a fake, in virtual time.
type rig struct {
	t      *testing.T
	net    *fake
	source *Source
	seen   []Sighting
	nearby []Nearby
	limits []error
	pane   Pane
	mu     sync.Mutex
	stop   func()
}

func inRig(t *testing.T, f *fake, test func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{t: t, net: f}
		locked := func(f func()) { r.mu.Lock(); defer r.mu.Unlock(); f() }
		r.source = New(Options{
			Self: idA, Port: func() int { return 22000 }, Pairs: func() []Pair { return []Pair{{idB, key}} },
			Pane:    func() (p Pane) { locked(func() { p = r.pane }); return p },
			Seen:    func(s Sighting) { locked(func() { r.seen = append(r.seen, s) }) },
			Found:   func(n []Nearby) { locked(func() { r.nearby = n }) },
			Limited: func(err error) { locked(func() { r.limits = append(r.limits, err) }) },
			network: f,
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.source.Run(ctx) }()
		r.stop = sync.OnceFunc(func() {
			cancel()
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Errorf("Run ended with %v", err)
			}
		})
		synctest.Wait()
		test(r)
		r.stop()
	})
}

// near, sights and told are what came out so far.
func (r *rig) near() []Nearby {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.nearby
}

func (r *rig) sights() []Sighting {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seen
}

func (r *rig) told() []error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.limits
}

// pass lets time go by.
func (r *rig) pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// answers delivers a service to the round of now.
func (r *rig) answers(a answer) {
	r.net.mu.Lock()
	in := r.net.found
	r.net.mu.Unlock()
	in <- a
	synctest.Wait()
}

// announced is what a paired device says.
func announced(t *testing.T, instance, name string) answer {
	n := newNonce()
	text, err := announcement{nonce: n, tags: tagsFor(idB, []Pair{{idA, key}}, n, epoch(time.Now())), name: name}.encode()
	must(t, err)
	return answer{instance: instance, text: text, port: 22001, addrs: []netip.Addr{
		netip.MustParseAddr("192.168.1.2"), netip.MustParseAddr("fe80::2"), netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("224.0.0.1"),
	}}
}

func TestAPairedDeviceIsSeen(t *testing.T) {
	inRig(t, &fake{}, func(r *rig) {
		r.answers(announced(t, "bbbbbbbbbbbbb", ""))
		want := []string{"quic://192.168.1.2:22001", "quic://[fe80::2%eth0]:22001", "quic://[fe80::2%wlan0]:22001"}
		if len(r.sights()) != 1 || r.sights()[0].ID != idB || !slices.Equal(r.sights()[0].Addresses, want) {
			t.Errorf("sightings %+v, want %v at %v", r.sights(), idB.Short(), want)
		}
		if len(r.near()) != 1 || r.near()[0].Name != "" {
			t.Errorf("heard %+v, want one device without a name", r.near())
		}
	})
}

func TestBrowsingBeginsAnewEachRound(t *testing.T) {
	for name, f := range map[string]*fake{"it goes on": {}, "it ends by itself": {closeEarly: true}} {
		t.Run(name, func(t *testing.T) {
			inRig(t, f, func(r *rig) {
				r.pass(10*Round + time.Second)
				if _, _, browses := f.now(); browses != 11 {
					t.Errorf("%d rounds in ten minutes, want 11", browses)
				}
			})
		})
	}
}

func TestADeviceThatIsNotHeardAnyMoreIsGone(t *testing.T) {
	inRig(t, &fake{}, func(r *rig) {
		r.answers(announced(t, "bbbbbbbbbbbbb", "Bert's desk"))
		if len(r.near()) != 1 || r.near()[0].Name != "Bert's desk" {
			t.Fatalf("nearby: %+v", r.near())
		}
		r.pass(2 * Round)
		r.answers(announced(t, "bbbbbbbbbbbbb", "Bert's chair")) // the latest word counts
		r.pass(2 * Round)
		if len(r.near()) != 1 || r.near()[0].Name != "Bert's chair" {
			t.Errorf("after two more rounds: %+v", r.near())
		}
		r.pass(2 * Round)
		if len(r.near()) != 0 {
			t.Errorf("after four rounds of silence: %+v", r.near())
		}
	})
}

func TestAnAnnouncementChangesWithTimeAndNetwork(t *testing.T) {
	f := &fake{}
	inRig(t, f, func(r *rig) {
		r.pass(4 * Epoch)
		n, text, _ := f.now()
		if n < 4 || n > 6 {
			t.Errorf("%d names in an hour, want one a quarter", n)
		}
		f.mu.Lock()
		f.links = "another network"
		f.mu.Unlock()
		r.pass(watchEvery + time.Second)
		n2, text2, _ := f.now()
		if n2 != n+1 || slices.Equal(text, text2) {
			t.Errorf("in another network %d names and %q, before %d and %q", n2, text2, n, text)
		}
		if len(slices.Compact(slices.Sorted(slices.Values(f.instances)))) != n2 {
			t.Error("a name was used twice")
		}
	})
	if f.text != nil {
		t.Error("at the end it still announces")
	}
}

func TestANameIsToldOnlyWhileThePaneIsOpen(t *testing.T) {
	f := &fake{}
	inRig(t, f, func(r *rig) {
		told := func(want bool) {
			t.Helper()
			_, text, _ := f.now()
			if got := slices.Contains(text, "m=Anna's laptop") && slices.ContainsFunc(text, func(s string) bool { return strings.HasPrefix(s, "p=") }); got != want {
				t.Errorf("text %q, want the name in it: %v", text, want)
			}
		}
		told(false)
		r.mu.Lock()
		r.pane = Pane{Open: true, Name: "Anna's laptop", Beacon: &Beacon{1}}
		r.mu.Unlock()
		r.source.Refresh()
		r.pass(time.Second)
		told(true)
		r.mu.Lock()
		r.pane.Open = false
		r.mu.Unlock()
		r.source.Refresh()
		r.pass(time.Second)
		told(false)
	})
}

func TestItDoesNotFindItself(t *testing.T) {
	f := &fake{}
	inRig(t, f, func(r *rig) {
		r.pass(10 * time.Minute) // long after the name was drawn
		own := f.instances[len(f.instances)-1]
		r.answers(announced(t, own, "me"))
		if len(r.near())+len(r.sights()) > 0 {
			t.Errorf("it found itself: %+v %+v", r.near(), r.sights())
		}
	})
}

func TestAFloodIsBounded(t *testing.T) {
	inRig(t, &fake{}, func(r *rig) {
		for i := range 3 * perSecond {
			a := announced(t, fmt.Sprintf("b%012d", i), "x")
			a.port = 1000 + i // each of a device of its own
			r.answers(a)
		}
		// What is not read waits, so that whoever sends has to wait too.
		for second := range 3 {
			if got, want := len(r.near()), (second+1)*perSecond; got != want {
				t.Errorf("%d answers were read after %d seconds, want %d", got, second, want)
			}
			r.pass(time.Second)
		}
		r.answers(announced(t, "bbbbbbbbbbbbb", "y"))
		if len(r.near()) != 3*perSecond+1 {
			t.Error("after the flood a device is not found")
		}
	})
}

func TestWhatDoesNotWorkIsToldOnceAndTriedAgain(t *testing.T) {
	f := &fake{broken: errors.New("no interface")}
	inRig(t, f, func(r *rig) {
		r.pass(3 * Round)
		if len(r.told()) != 1 || r.told()[0] == nil {
			t.Fatalf("told %v, want one problem", r.told())
		}
		f.mu.Lock()
		f.broken = nil
		f.mu.Unlock()
		r.pass(2 * Round)
		if len(r.told()) != 2 || r.told()[1] != nil {
			t.Errorf("told %v, want that it ended", r.told())
		}
		if _, text, _ := f.now(); text == nil {
			t.Error("it does not announce")
		}
	})
}

func TestAStuckShutdownHoldsNothingUp(t *testing.T) {
	f := &fake{sticky: true}
	inRig(t, f, func(r *rig) {
		begun := time.Now()
		r.stop()
		if took := time.Since(begun); took > shutdownWait {
			t.Errorf("it waits for %v", took)
		}
		close(f.stuck)
		synctest.Wait()
	})
}

func TestAnswersThatNobodyReadsEndWithTheRound(t *testing.T) {
	inRig(t, &fake{}, func(r *rig) {
		r.net.mu.Lock()
		in := r.net.found
		r.net.mu.Unlock()
		var senders sync.WaitGroup
		for range 200 {
			senders.Go(func() {
				select {
				case in <- answer{}:
				case <-time.After(time.Hour):
				}
			})
		}
		r.stop() // goleak and the bubble see what is left behind
		senders.Wait()
	})
}

package lan

import (
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"lanyard/discovery/local"
	"lanyard/discovery/mdns"
	"lanyard/discovery/network"
	"lanyard/sync/device"
)

// notes is a book that notes what it is told.
type notes struct {
	sighted  map[device.ID][]string
	networks []string
}

func (n *notes) Sighted(id device.ID, at []string) { n.sighted[id] = at }
func (n *notes) SetNetwork(id string)              { n.networks = append(n.networks, id) }

var (
	idKnown = device.ID{1}
	idPhone = device.ID{2}
	idOther = device.ID{3}
)

func newFinder(o Options) (*Finder, *notes) {
	book := &notes{sighted: map[device.ID][]string{}}
	o.Self, o.Book = device.ID{9}, book
	o.Listen = func() []string { return nil }
	o.Known = func(id device.ID) bool { return id == idKnown }
	return New(o), book
}

func names(list []Nearby) (out []string) {
	for _, n := range list {
		out = append(out, n.Name+" "+n.ID.Short().String())
	}
	return out
}

func TestNearbyAreOpenPanesAndSyncthings(t *testing.T) {
	f, book := newFinder(Options{})
	changed := f.Changed()
	f.change(func() {
		f.lanyards = []mdns.Nearby{
			{Key: "a", Name: "Anna", Addresses: []string{"quic://10.0.0.1:22000"}},
			{Key: "b", Addresses: []string{"quic://10.0.0.2:22000"}},               // its pane is closed
			{Key: "c", Name: "Carl", Addresses: []string{"quic://10.0.0.3:22000"}}, // also announces its ID
			{Key: "d", Addresses: []string{"quic://10.0.0.4:22000"}},               // also, with its pane closed
			{Key: "e", Name: "ours", Addresses: []string{"quic://10.0.0.5:22000"}},
			{Key: "f", Addresses: []string{"quic://10.0.0.6:22000"}, Beacon: &Beacon{6}}, // shows an invitation alone
			{Key: "g", Name: "ours", Addresses: []string{"quic://10.0.0.7:22000"}, Beacon: &Beacon{7}},
		}
	})
	for id, at := range map[device.ID][]string{
		idPhone: {"quic://10.0.0.9:22000"}, idOther: {"quic://10.0.0.3:22000"}, {4}: {"quic://10.0.0.4:22000"},
		idKnown: {"quic://10.0.0.5:22000", "quic://10.0.0.7:22000"},
	} {
		f.heard(local.Sighting{ID: id, Addresses: at})
	}
	var zero device.ID
	want := []string{"Anna " + zero.Short().String(), "Carl " + idOther.Short().String(), " " + idPhone.Short().String(), " " + zero.Short().String(), " " + zero.Short().String()}
	if got := names(f.Nearby()); !slices.Equal(got, want) {
		t.Errorf("nearby are %q, want %q", got, want)
	}
	select {
	case <-changed:
	default:
		t.Error("nobody was told")
	}
	if at := book.sighted[idKnown]; len(at) != 2 || at[0] != "quic://10.0.0.5:22000" {
		t.Errorf("the book was told %q", at)
	}
}

func TestWhatIsNotHeardAnyMoreIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, _ := newFinder(Options{})
		f.heard(local.Sighting{ID: idPhone})
		go f.forget(t.Context())
		<-time.After(local.Life)
		if len(f.Nearby()) != 1 {
			t.Error("it is forgotten too early")
		}
		<-time.After(local.Interval + time.Second)
		if len(f.Nearby()) != 0 {
			t.Error("it is not forgotten")
		}
	})
}

// link is an interface in a network.
func link(index int, id string) network.Link {
	return network.Link{Index: index, ID: id, Prefixes: []netip.Prefix{netip.MustParsePrefix("10.0.0.1/24")}}
}

func TestTheIDIsToldOnlyInTrustedNetworks(t *testing.T) {
	f, _ := newFinder(Options{Trusted: func(id string) bool { return id == "home" || id == "" }})
	f.moved([]network.Link{link(1, "home"), link(2, "cafe"), link(3, "")})
	told := func(index int, addresses ...netip.Prefix) bool {
		return f.trusts(local.Interface{Index: index, Prefixes: addresses})
	}
	own := link(1, "").Prefixes[0]
	for index, want := range map[int]bool{1: true, 2: false, 3: false, 4: false} {
		if told(index, own) != want {
			t.Errorf("interface %d: trusted is %v, want %v", index, !want, want)
		}
	}
	if told(1, netip.MustParsePrefix("10.1.0.1/24")) || told(1) || told(1, own, own) {
		t.Error("an interface with other addresses counts as in the network that it was in")
	}
	f.moving()
	if told(1, own) {
		t.Error("the ID is told while the network changes")
	}
	f.moved([]network.Link{link(1, "home")})
	if !told(1, own) {
		t.Error("the ID is not told any more")
	}
}

func TestAnotherNetworkIsToldFromNewAddresses(t *testing.T) {
	var moves []Move
	f, book := newFinder(Options{
		Trusted: func(id string) bool { return id == "home" },
		Moved:   func(m Move) { moves = append(moves, m) },
	})
	f.heard(local.Sighting{ID: idPhone})
	waiting := link(1, "")
	waiting.Waiting = true
	for _, links := range [][]network.Link{
		{link(1, "home")},                   // at the start: nothing is told
		{link(1, "home"), link(2, "other")}, // another interface
		{},                                  // no network for a moment
		{waiting},                           // its router is asked for
		{link(1, "home")},                   // the same again
		{waiting},
		{link(1, "cafe")}, // another one
		{link(1, "")},     // one that cannot be recognised
	} {
		f.moved(links)
	}
	want := []Move{{false, true}, {}, {}, {false, true}, {}, {true, false}, {true, false}}
	if !slices.Equal(moves, want) {
		t.Errorf("told %+v, want %+v", moves, want)
	}
	if want := []string{"home", "home", "home", "cafe", ""}; !slices.Equal(book.networks, want) {
		t.Errorf("the book was told %q, want %q", book.networks, want)
	}
	if len(f.Nearby()) != 0 {
		t.Error("what was heard in the old network is shown in the new one")
	}
}

func TestASyncthingBesideIsLookedForOnceInEachNetwork(t *testing.T) {
	port := 22001
	ours := []device.ID{idKnown}
	f, book := newFinder(Options{Port: func() int { return port }, Devices: func() []device.ID { return ours }})
	told := func(want ...device.ID) {
		t.Helper()
		for _, id := range want {
			if at := book.sighted[id]; !slices.Equal(at, []string{"quic://127.0.0.1:22000"}) {
				t.Errorf("%v was looked for at %q", id.Short(), at)
			}
		}
		if len(book.sighted) != len(want) {
			t.Errorf("looked for are %v, want %d devices", book.sighted, len(want))
		}
		clear(book.sighted)
	}
	f.moved([]network.Link{link(1, "home")})
	f.taken(false)
	told()
	f.taken(true)
	told(idKnown)
	ours = append(ours, idPhone)
	f.taken(true)
	told(idPhone)
	f.taken(true)
	told()
	f.moved([]network.Link{link(1, "cafe")})
	f.taken(true)
	told(idKnown, idPhone)
	port = 22000
	f.moved([]network.Link{link(1, "home")})
	f.taken(true)
	told()
}

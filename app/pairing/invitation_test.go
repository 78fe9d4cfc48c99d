package pairing

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"lanyard/sync/fault"
)

func TestAnInvitationSurvivesTheWay(t *testing.T) {
	want := Invitation{
		ID: idA, Secret: secret, Expires: time.Unix(1_800_000_000, 0),
		Hints: []netip.AddrPort{
			netip.MustParseAddrPort("192.168.1.2:22000"), netip.MustParseAddrPort("[fd00::1]:1"),
			netip.MustParseAddrPort("169.254.3.4:65535"),
		},
	}
	for _, text := range []string{
		want.Code(), want.Link(), strings.ToLower(want.Code()), strings.ToUpper(want.Link()), " " + want.Link() + "\n",
	} {
		got, err := ParseInvitation(text)
		if err != nil || got.ID != want.ID || [16]byte(got.Secret) != [16]byte(want.Secret) || !got.Expires.Equal(want.Expires) || len(got.Hints) != 3 || got.Hints[1] != want.Hints[1] {
			t.Errorf("%q gives %+v, %v", text, got, err)
		}
	}
	if strings.Trim(want.Code(), "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567:") != "" {
		t.Errorf("the code %q has letters that need more room in a QR code", want.Code())
	}
}

func TestOnlyAddressesNearbyAreDialled(t *testing.T) {
	for addr, want := range map[string]bool{
		"192.168.1.2:22000": true, "10.0.0.1:1": true, "172.31.0.1:1": true, "100.64.1.1:22000": true,
		"[fe80::1]:22000": true, "[fd12::3]:22000": true, "169.254.1.1:22000": true,
		"127.0.0.1:22000": false, "[::1]:22000": false, "0.0.0.0:1": false, "[::]:1": false, "224.0.0.251:5353": false,
		"[ff02::fb]:5353": false, "255.255.255.255:1": false, "169.254.169.254:80": false, "8.8.8.8:53": false,
		"[2001:db8::1]:22000": false, "192.168.1.2:0": false,
	} {
		inv := Invitation{ID: idA, Hints: []netip.AddrPort{netip.MustParseAddrPort(addr)}}
		got, err := ParseInvitation(inv.Link())
		if err != nil || (len(got.Hints) == 1) != want {
			t.Errorf("%s: kept %v (error %v), want %v", addr, got.Hints, err, want)
		}
	}
}

func TestTextThatIsNoInvitation(t *testing.T) {
	good := Invitation{ID: idA, Secret: secret, Hints: []netip.AddrPort{netip.MustParseAddrPort("10.0.0.1:1")}}
	newer := "LANYARD:" + base32Text.EncodeToString([]byte{2, 1, 1, 1})
	tests := map[string]fault.Code{
		"": "picture-without-code", "hello": "picture-without-code", "https://example.org": "picture-without-code",
		"LANYARD:": "picture-without-code", "LANYARD:!!!": "picture-without-code",
		"LANYARD:" + strings.Repeat("A", 4000):               "picture-without-code",
		good.Link() + "AAAA":                                 "picture-without-code",
		strings.Replace(good.Link(), "://", ":/", 1):         "picture-without-code",
		Invitation{Secret: secret}.Link():                    "picture-without-code", // no device
		newer:                                                "code-newer",
		"LANYARD:" + base32Text.EncodeToString([]byte{1, 2}): "picture-without-code",
	}
	for n := range len(good.text()) {
		tests[linkPrefix+good.text()[:n]] = "picture-without-code"
	}
	for text, want := range tests {
		if got, err := ParseInvitation(text); fault.CodeOf(err) != want {
			t.Errorf("%q gives %+v, %v, want %s", text, got, err, want)
		}
	}
}

func FuzzInvitation(f *testing.F) {
	f.Add(Invitation{ID: idA, Secret: secret, Hints: []netip.AddrPort{netip.MustParseAddrPort("10.0.0.1:1")}}.Link())
	f.Add("LANYARD:AEAQ")
	f.Fuzz(func(t *testing.T, text string) {
		inv, err := ParseInvitation(text)
		if err != nil {
			return
		}
		again, err := ParseInvitation(inv.Code())
		if err != nil || again.ID != inv.ID || [16]byte(again.Secret) != [16]byte(inv.Secret) || len(again.Hints) != len(inv.Hints) {
			t.Errorf("%q: %+v, and once more %+v, %v", text, inv, again, err)
		}
		for _, h := range inv.Hints {
			if !AllowedHint(h) {
				t.Errorf("%q: hint %v", text, h)
			}
		}
	})
}

func FuzzMessages(f *testing.F) {
	chA, chB := ends()
	_, taker := methods()[0].make(&testing.T{}, chA, chB)
	_, initiator := methods()[1].make(&testing.T{}, chA, chB)
	for _, m := range []Machine{taker, initiator} {
		f.Add(m.Start()[0].(Send).Bytes)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, m := range methods() {
			first, second := m.make(t, chA, chB)
			for _, machine := range []Machine{first, second} {
				machine.Start()
				r, left := bytes.NewReader(b), maxStream
				for r.Len() > 0 {
					msg, err := read(r, &left)
					if err != nil {
						break
					}
					for _, e := range machine.Step(received{msg}) {
						switch e.(type) {
						case Save, Ask:
							t.Errorf("made-up messages come as far as %T", e)
						}
					}
				}
			}
		}
	})
}

func TestAnInvitationIsUsedOnce(t *testing.T) {
	wall, mono := time.Unix(1_700_000_000, 0), time.Hour
	var i Invitations
	if _, open := i.Current(); open {
		t.Error("one is open before any was made")
	}
	inv := i.Open(idA, wall, mono)
	must(t, i.Spend(inv.Secret, wall, mono))
	if err := i.Spend(inv.Secret, wall, mono); fault.CodeOf(err) != "code-used-twice" {
		t.Errorf("the second use gives %v", err)
	}
	next := i.Open(idA, wall, mono)
	if [16]byte(next.Secret) == [16]byte(inv.Secret) {
		t.Error("two invitations have one secret")
	}
	if err := i.Spend(inv.Secret, wall, mono); fault.CodeOf(err) != "code-expired" {
		t.Errorf("one that was replaced gives %v", err)
	}
	i.Close()
	if err := i.Spend(next.Secret, wall, mono); fault.CodeOf(err) != "code-expired" {
		t.Errorf("one that was closed gives %v", err)
	}
}

func TestAnInvitationExpiresByBothClocks(t *testing.T) {
	wall, mono := time.Unix(1_700_000_000, 0), time.Hour
	for name, c := range map[string]struct {
		wall, mono time.Duration // later
		ok         bool
	}{
		"in time":                    {Lifetime - 1, Lifetime - 1, true},
		"too late":                   {Lifetime, Lifetime, false},
		"the machine slept":          {time.Hour, time.Second, false},
		"the clock was set back":     {-time.Hour, Lifetime, false},
		"far back, at once":          {-24 * time.Hour, time.Second, false},
		"the clock was set forward":  {time.Hour, time.Second, false},
		"a little back, and in time": {-time.Second, time.Second, true},
		"back after it had expired":  {-time.Second, Lifetime + time.Second, false},
	} {
		var i Invitations
		inv := i.Open(idA, wall, mono)
		err := i.Spend(inv.Secret, wall.Add(c.wall), mono+c.mono)
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTwoScannersOfOneCode(t *testing.T) {
	var i Invitations
	inv := i.Open(idA, time.Unix(1_700_000_000, 0), 0)
	spend := func() error { return i.Spend(inv.Secret, time.Unix(1_700_000_000, 0), 0) }
	paired := 0
	for range 2 {
		chA, chB := ends()
		shower, err := NewShower(chA, inv.Secret, "a")
		must(t, err)
		taker, err := NewTaker(chB, inv, "b")
		must(t, err)
		a, b := &side{spend: spend}, &side{}
		errA, errB := meet(t, shower, taker, a, b)
		if errA == nil && errB == nil {
			paired++
		} else if fault.CodeOf(errA) != "code-used-twice" || fault.CodeOf(errB) != "code-used-twice" {
			t.Errorf("the second one ended with %v and %v", errA, errB)
		}
	}
	if paired != 1 {
		t.Errorf("%d devices were paired with one code", paired)
	}
}

// vectors are the values of both methods for given randomness.
type vectors struct {
	Link, Beacon                         string
	Hello, Answer, Done, InvitationCode  string
	Commit, Nonce, Reveal, Agree, AgreeR string
	NumberCode, NumberDone               string
}

func TestVectors(t *testing.T) {
	var got vectors
	chA, chB := ends()
	inv := Invitation{ID: idA, Secret: secret, Expires: time.Unix(1_800_000_000, 0), Hints: []netip.AddrPort{netip.MustParseAddrPort("192.168.1.2:22000")}}
	beacon := secret.Beacon()
	got.Link, got.Beacon = inv.Link(), hex.EncodeToString(beacon[:])

	shower, err := NewShower(chA, secret, "Anna")
	must(t, err)
	taker, err := NewTaker(chB, inv, "Bert")
	must(t, err)
	shower.nonce, taker.nonce = []byte(strings.Repeat("A", 32)), []byte(strings.Repeat("B", 32))
	hello := taker.Start()[0].(Send).Bytes
	shower.Step(received{decode(t, hello)})
	got.InvitationCode = shower.Step(Spent{})[0].(Ask).Code
	shower.Step(Answered{Yes: true})
	answer := shower.Step(Saved{})[0].(Send).Bytes
	taker.Step(received{decode(t, answer)})
	done := taker.Step(Saved{})[0].(Send).Bytes
	got.Hello, got.Answer, got.Done = hex.EncodeToString(hello), hex.EncodeToString(answer), hex.EncodeToString(done)

	responder, err := NewResponder(chA, "Anna")
	must(t, err)
	initiator, err := NewInitiator(chB, "Bert")
	must(t, err)
	responder.ours, initiator.ours = shower.nonce, taker.nonce
	commit := initiator.Start()[0].(Send).Bytes
	responder.Step(received{decode(t, commit)})
	nonce := responder.Step(Counted{})[0].(Send).Bytes
	initiator.Step(received{decode(t, nonce)})
	revealed := initiator.Step(Counted{})
	reveal := revealed[0].(Send).Bytes
	got.NumberCode = responder.Step(received{decode(t, reveal)})[0].(Ask).Code
	if other := revealed[1].(Ask).Code; other != got.NumberCode {
		t.Errorf("codes %s and %s", other, got.NumberCode)
	}
	agree := initiator.Step(Answered{Yes: true})[0].(Send).Bytes
	responder.Step(received{decode(t, agree)})
	responder.Step(Answered{Yes: true})
	agreeR := responder.Step(Saved{})[0].(Send).Bytes
	initiator.Step(received{decode(t, agreeR)})
	last := initiator.Step(Saved{})[0].(Send).Bytes
	got.Commit, got.Nonce, got.Reveal = hex.EncodeToString(commit), hex.EncodeToString(nonce), hex.EncodeToString(reveal)
	got.Agree, got.AgreeR, got.NumberDone = hex.EncodeToString(agree), hex.EncodeToString(agreeR), hex.EncodeToString(last)

	text, err := os.ReadFile("testdata/vectors.json")
	must(t, err)
	var want vectors
	must(t, json.Unmarshal(text, &want))
	if got != want {
		now, err := json.MarshalIndent(got, "", "  ")
		must(t, err)
		t.Errorf("the values are now\n%s", now)
	}
}

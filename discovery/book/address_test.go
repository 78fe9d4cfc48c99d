package book_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"lanyard/discovery/book"
)

func TestAddressesHaveOneCanonicalForm(t *testing.T) {
	tests := []struct{ in, want string }{
		{"quic://192.0.2.1:1", "quic://192.0.2.1:1"},
		{"quic://192.0.2.1", "quic://192.0.2.1:22000"},
		{"quic://192.0.2.1:", "quic://192.0.2.1:22000"},
		{"quic4://192.0.2.1:65535", "quic4://192.0.2.1:65535"},
		{"quic6://[2001:DB8:0::1]", "quic6://[2001:db8::1]:22000"},
		{"quic://[::ffff:192.0.2.1]:5", "quic://192.0.2.1:5"},
		{"quic://[fe80::1%eth0]:5", "quic://[fe80::1%25eth0]:5"},
		{"quic://[fe80::1%25eth0]:5", "quic://[fe80::1%25eth0]:5"},
		{"quic://NAS.Example:22000", "quic://nas.example:22000"},
		{"quic://my_nas", "quic://my_nas:22000"},
		{"quic://:22000", "quic://:22000"},
		{"quic://0.0.0.0:22000", "quic://0.0.0.0:22000"},
		{"tcp://192.0.2.1", "tcp://192.0.2.1:22000"},
		{"tcp6://[2001:db8::1]:1", "tcp6://[2001:db8::1]:1"},
	}
	for _, test := range tests {
		a, err := book.ParseAddress(test.in)
		if err != nil {
			t.Errorf("%q: %v", test.in, err)
		} else if a.String() != test.want {
			t.Errorf("%q: got %q, want %q", test.in, a, test.want)
		}
	}
}

func TestWhatIsNoAddressIsRefused(t *testing.T) {
	for _, in := range []string{
		"", "dynamic", "192.0.2.1:22000", "udp://192.0.2.1:22000", "tcp6://192.0.2.1:22000", "tcp4://[::1]:1", "relay://192.0.2.1:22000", "QUIC://192.0.2.1",
		"quic:192.0.2.1", "quic://192.0.2.1:0", "quic://192.0.2.1:65536", "quic://192.0.2.1:-1", "quic://192.0.2.1:+1",
		"quic://192.0.2.1:022", "quic://192.0.2.1:http", "quic://2001:db8::1:22000", "quic://[2001:db8::1", "quic://[::1]x",
		"quic://a\x00b:1", "quic://a b:1", "quic://a/b:1", "quic://u@a:1", "quic://a..b:1", "quic://bücher.example:1",
		"quic://1.2.3:1", "quic://999.0.2.1:1", "quic4://[::1]:1", "quic6://192.0.2.1:1", "quic://[fe80::1%a/b]:1",
		"quic://" + strings.Repeat("a.", 130) + "a:1", "quic://" + strings.Repeat("a", 64),
	} {
		if a, err := book.ParseAddress(in); !errors.Is(err, book.ErrAddress) {
			t.Errorf("%q: got %q, %v, want ErrAddress", in, a, err)
		}
	}
}

func TestParsingTheCanonicalFormGivesTheSameAddress(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { sameAfterString(t, rapid.String().Draw(t, "text")) })
	rapid.Check(t, func(t *rapid.T) {
		host := rapid.StringMatching(`[a-z0-9.%:\[\]_-]{0,12}`).Draw(t, "host")
		port := rapid.StringMatching(`(:[0-9]{0,5})?`).Draw(t, "port")
		sameAfterString(t, "quic://"+host+port)
	})
}

func FuzzParseAddress(f *testing.F) {
	for _, seed := range []string{"quic://192.0.2.1:1", "quic6://[fe80::1%25eth0]", "quic://nas.example:22000", "quic://:1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) { sameAfterString(t, text) })
}

func sameAfterString(t interface{ Errorf(string, ...any) }, text string) {
	a, err := book.ParseAddress(text)
	if err != nil {
		return
	}
	again, err := book.ParseAddress(a.String())
	if err != nil || again != a {
		t.Errorf("%q gives %q, which gives %q, %v", text, a, again, err)
	}
}

func TestAnUnspecifiedHostIsReplacedByTheSender(t *testing.T) {
	for _, in := range []string{"quic://:22000", "quic://0.0.0.0:22000", "quic://[::]:22000"} {
		a, err := book.ParseAddress(in)
		if err != nil || !a.Unspecified() {
			t.Errorf("%q: got %v, %v, want an unspecified host", in, a, err)
		}
		if got, want := a.WithHost(netip.MustParseAddr("192.0.2.7")).String(), "quic://192.0.2.7:22000"; got != want {
			t.Errorf("%q sent by 192.0.2.7: got %q, want %q", in, got, want)
		}
	}
}

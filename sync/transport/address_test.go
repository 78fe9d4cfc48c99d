package transport

import (
	"strings"
	"testing"
)

func TestEndpointsHaveOneCanonicalForm(t *testing.T) {
	tests := []struct{ in, want string }{
		{"quic://192.0.2.1:22000", "quic://192.0.2.1:22000"},
		{"quic://192.0.2.1", "quic://192.0.2.1:22000"},
		{"quic://192.0.2.1:", "quic://192.0.2.1:22000"},
		{"quic4://nas.example:1", "quic4://nas.example:1"},
		{"quic6://[2001:db8::1]", "quic6://[2001:db8::1]:22000"},
		{"quic://[fe80::1%eth0]:5", "quic://[fe80::1%25eth0]:5"},
		{"quic://[fe80::1%25eth0]:5", "quic://[fe80::1%25eth0]:5"},
		{"quic://:0", "quic://:0"},
	}
	for _, test := range tests {
		e, err := parseEndpoint(test.in)
		if err != nil {
			t.Errorf("%q: %v", test.in, err)
			continue
		}
		if got := e.url(e.host, e.port); got != test.want {
			t.Errorf("%q: got %q, want %q", test.in, got, test.want)
		}
	}
}

func TestEndpointsThatCannotBeAreRefused(t *testing.T) {
	for _, in := range []string{
		"", "192.0.2.1:22000", "udp://192.0.2.1:22000", "quic:192.0.2.1", "quic://192.0.2.1:65536",
		"quic://192.0.2.1:-1", "quic://192.0.2.1:http", "quic://2001:db8::1:22000", "quic://a/b", "quic://a\x00b:1",
		"quic://u@a:1", "quic://a?x:1", "quic://[::1:1",
	} {
		if e, err := parseEndpoint(in); err == nil {
			t.Errorf("%q: got %+v, want an error", in, e)
		} else if !strings.Contains(err.Error(), "address") {
			t.Errorf("%q: the error does not name the address: %v", in, err)
		}
	}
}

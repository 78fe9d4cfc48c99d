package transport

import (
	"errors"
	"net"
	"net/netip"
	"testing"

	"lanyard/sync/device"
)

func TestWhatIsOnOneNetwork(t *testing.T) {
	interfaces := func() ([]net.Addr, error) {
		var list []net.Addr
		for _, s := range []string{"127.0.0.1/8", "192.0.2.17/24", "10.1.2.3/32", "2001:db8:1::5/64", "fe80::1/64"} {
			ip, n, err := net.ParseCIDR(s)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, &net.IPNet{IP: ip, Mask: n.Mask})
		}
		return list, nil
	}
	tests := map[string]bool{
		"127.0.0.1": true, "127.9.9.9": true, "::1": true,
		"192.0.2.1": true, "192.0.2.17": true, "192.0.3.1": false,
		"10.1.2.3": true, "10.1.2.4": false,
		"169.254.7.7": true, "fe80::7%eth0": true, "fe80::7": true,
		"2001:db8:1::9": true, "2001:db8:2::9": false, "203.0.113.1": false,
	}
	for text, want := range tests {
		if got := onLink(netip.MustParseAddr(text), interfaces); got != want {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
	failing := func() ([]net.Addr, error) { return nil, errors.New("no interfaces") }
	if onLink(netip.MustParseAddr("192.0.2.1"), failing) || !onLink(netip.MustParseAddr("::1"), failing) {
		t.Error("without a list of interfaces, loopback alone is on one network with us")
	}
}

func TestTheErrorThatTellsMoreIsGiven(t *testing.T) {
	other := &OtherDeviceError{Met: device.ID{1}}
	otherToo := &OtherDeviceError{Met: device.ID{2}}
	refused, silent := errors.New("refused"), errors.New("no answer")
	tests := []struct {
		quic, tcp, want error
	}{
		{silent, refused, silent},
		{silent, other, other},
		{other, refused, other},
		{other, otherToo, otherToo},
		{nil, other, nil},
	}
	for _, test := range tests {
		if got := telling(test.quic, test.tcp); got != test.want {
			t.Errorf("QUIC %v, TCP %v: got %v, want %v", test.quic, test.tcp, got, test.want)
		}
	}
}

// closable is a connection that notes the code of its close.
type closable struct {
	Conn
	code Code
}

func (c *closable) CloseWith(code Code, _ string) error { c.code = code; return nil }

func TestOfTwoConnectionsTheFirstIsKept(t *testing.T) {
	failed := dialed{err: errors.New("refused")}
	first, second := &closable{}, &closable{}
	got, err := choose(dialed{conn: first}, dialed{conn: second}, nil)
	if got != first || err != nil || first.code != 0 || second.code != CodeLostRace {
		t.Errorf("of two: got %v, %v, closed with %d and %d", got, err, first.code, second.code)
	}
	for _, outcomes := range [][2]dialed{{{conn: first}, failed}, {failed, {conn: first}}} {
		if got, err := choose(outcomes[0], outcomes[1], failed.err); got != first || err != nil || first.code != 0 {
			t.Errorf("of one: got %v, %v, closed with %d", got, err, first.code)
		}
	}
	if got, err := choose(failed, failed, failed.err); got != nil || err != failed.err {
		t.Errorf("of none: got %v, %v", got, err)
	}
}

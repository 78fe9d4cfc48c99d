//go:build unix

package e2e_test

import (
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lanyard/sync/device"
)

func TestInterop01And07AnUnknownDeviceIsOfferedUnderItsIDAndName(t *testing.T) {
	if !needSyncthing(t) {
		return
	}
	ours, theirs := newLanyard(t, "ours"), newSyncthing(t, "theirs")
	theirs.Start(t)
	ours.Know(t, theirs, true)
	ours.Start(t)
	s, err := ours.status()
	must(t, err)
	eventually(t, patience, "pending at Syncthing", func() error {
		pending, err := theirs.pending()
		if err != nil {
			return err
		}
		p, ok := pending[ours.ID()]
		if !ok {
			return fmt.Errorf("pending are %v, want %s", pending, ours.ID())
		}
		if p.Name != s.Name {
			return fmt.Errorf("its name is %q, want %q", p.Name, s.Name)
		}
		return nil
	})
}

func TestInterop02DeviceIDsAreReadAsPeopleWriteThem(t *testing.T) {
	_, id := identity(t, "syncthing")
	text := id.String()
	plain := strings.ReplaceAll(text, "-", "")
	last := "A"
	if strings.HasSuffix(text, last) {
		last = "B"
	}
	tests := []struct {
		name, text string
		good       bool
	}{
		{"as printed", text, true},
		{"in lower case", strings.ToLower(text), true},
		{"with spaces", strings.ReplaceAll(text, "-", " "), true},
		{"without separators", plain, true},
		{"with digits that look alike", strings.NewReplacer("O", "0", "I", "1", "B", "8").Replace(text), true},
		{"without check characters", plain[:13] + plain[14:27] + plain[28:41] + plain[42:55], true},
		{"with a wrong check character", text[:len(text)-1] + last, false},
		{"one character short", plain[:55], false},
		{"one character long", plain + "A", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := newLanyard(t, "ours")
			_, err := l.try("device", "add", test.text)
			if (err == nil) != test.good {
				t.Fatalf("device add %q: %v, want accepted: %v", test.text, err, test.good)
			}
			if list := l.run(t, "device", "list", "--json"); test.good && !strings.Contains(list, text) {
				t.Errorf("device list: %s, want %s in it", list, text)
			}
		})
	}
}

func TestInterop03And04EitherSideDials(t *testing.T) {
	if !needSyncthing(t) {
		return
	}
	t.Parallel()
	for _, d := range directions {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			ours, theirs := newLanyard(t, "ours"), newSyncthing(t, "theirs")
			connect(t, ours, theirs, d)
			all, err := theirs.connections()
			must(t, err)
			s, err := ours.status()
			must(t, err)
			got := all[ours.ID()]
			want := map[bool]string{true: "quic-server", false: "quic-client"}[d.oursDials]
			if got.Type != want {
				t.Errorf("Syncthing calls the connection %q, want %q", got.Type, want)
			}
			if !strings.Contains(got.Version, strings.TrimPrefix(s.Version, "v")) {
				t.Errorf("Syncthing shows our version as %q, want %q", got.Version, s.Version)
			}
			if client := s.Devices[0].Client; !strings.Contains(client, "syncthing") {
				t.Errorf("we show the client as %q, want syncthing", client)
			}
		})
	}
}

// TestInterop04EitherProtocolReachesUs has a Syncthing that speaks TCP alone, as
// some do, and one of the usual settings, which prefers TCP. The connection ends
// as one of TCP, whoever dials and if both do.
func TestInterop04EitherProtocolReachesUs(t *testing.T) {
	t.Parallel()
	if !needSyncthing(t) {
		return
	}
	for _, schemes := range [][]string{{"tcp"}, {"quic", "tcp"}} {
		for _, d := range append(directions, direction{"both dial", true, true}) {
			t.Run(strings.Join(schemes, " and ")+", "+d.name, func(t *testing.T) {
				t.Parallel()
				ours, theirs := newLanyard(t, "ours"), newSyncthing(t, "theirs")
				theirs.schemes = schemes
				must(t, os.WriteFile(filepath.Join(ours.dir, "a"), []byte("of ours"), 0o644))
				connect(t, ours, theirs, d)
				converge(t, patience, ours, theirs)
				// A Syncthing that starts may have QUIC before TCP, and be dialed
				// so. If it dials as well, it moves to TCP.
				anyWay := d.oursDials && !d.theirs && len(schemes) > 1
				eventually(t, patience, "one connection over TCP", func() error {
					all, err := theirs.connections()
					if got := all[ours.ID()].Type; err == nil && !strings.HasPrefix(got, "tcp-") && !anyWay {
						err = fmt.Errorf("Syncthing calls the connection %q", got)
					}
					return err
				})
				must(t, os.WriteFile(filepath.Join(theirs.dir, "b"), []byte("of theirs"), 0o644))
				converge(t, patience, ours, theirs)
			})
		}
	}
}

func TestInterop06OddCertificatesAreTurnedAway(t *testing.T) {
	known, id := identity(t, "syncthing")
	odd, oddID := identity(t, "lanyard")
	second, _ := identity(t, "syncthing")
	both := tls.Certificate{Certificate: [][]byte{known.Certificate[0], second.Certificate[0]}, PrivateKey: known.PrivateKey}
	ours := newLanyard(t, "ours")
	for _, peer := range []device.ID{id, oddID} {
		ours.run(t, "device", "add", peer.String())
	}
	ours.Start(t)
	own, err := tls.LoadX509KeyPair(filepath.Join(ours.home, "cert.pem"), filepath.Join(ours.home, "key.pem"))
	must(t, err)

	tests := []struct {
		name     string
		settings *tls.Config
		good     bool
	}{
		{"a known device", tlsFor("bep/1.0", known), true},
		{"no certificate", tlsFor("bep/1.0"), false},
		{"two certificates", tlsFor("bep/1.0", both), false},
		{"another common name", tlsFor("bep/1.0", odd), false},
		{"another protocol", tlsFor("h3", known), false},
		{"our own identity", tlsFor("bep/1.0", own), false},
		{"a device that is not known", tlsFor("bep/1.0", second), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, err := dialRaw(t, ours, test.settings)
			if err == nil && test.good {
				must(t, c.greet())
				c.send(t, kindClusterConfig, nil, false)
				c.expect(t, kindClusterConfig)
				return
			}
			if err == nil {
				_, _ = c.stream.Write(hello("odd")) // it may be closed already
				err = c.dropped()
				if err == nil {
					return
				}
				t.Error(err)
			}
			if test.good {
				t.Error(err)
			}
		})
	}
}

func TestInterop08AMalformedHelloEndsTheConnection(t *testing.T) {
	cert, id := identity(t, "syncthing")
	ours := newLanyard(t, "ours")
	ours.run(t, "device", "add", id.String())
	ours.Start(t)
	sized := func(n int) []byte {
		name := strings.Repeat("n", n)
		for {
			h := hello(name)
			if over := len(h) - 6 - n; over > 0 {
				name = name[over:]
				continue
			}
			return h
		}
	}
	long := binary.BigEndian.AppendUint16([]byte{0x2e, 0xa7, 0xd9, 0x0b}, 32768)
	tests := []struct {
		name string
		raw  []byte
		good bool
	}{
		{"bad magic", append([]byte("GET "), hello("x")[4:]...), false},
		{"32,767 bytes", sized(32767), true},
		{"32,768 bytes", append(long, make([]byte, 32768)...), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, err := dialRaw(t, ours, tlsFor("bep/1.0", cert))
			must(t, err)
			if !test.good {
				_, _ = c.stream.Write(test.raw) // it may be dropped before all is sent
				must(t, c.dropped())
				return
			}
			c.write(t, test.raw)
			eventually(t, patience, "connected", ours.Connected)
		})
	}
	if _, err := os.Stat(ours.home); err != nil {
		t.Fatal(err)
	}
	if _, err := ours.status(); err != nil {
		t.Errorf("the engine no longer answers: %v", err)
	}
}

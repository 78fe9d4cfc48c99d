package e2e_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// avahi is the mDNS responder of most Linux systems, on a host of a test, with
// a message bus of its own.
type avahi struct {
	host netHost
	env  []string
	dir  string
}

// busConfig lets everybody who reaches the bus do everything.
const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=%s</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
  </policy>
</busconfig>
`

const avahiConfig = `[server]
host-name=host-of-avahi
[publish]
publish-hinfo=no
publish-workstation=no
`

// startAvahi runs it until the test ends. There can be one in a test.
func startAvahi(t *testing.T, host netHost) *avahi {
	t.Helper()
	a := &avahi{host: host, dir: t.TempDir()}
	bus := filepath.Join(a.dir, "bus")
	a.env = []string{"DBUS_SYSTEM_BUS_ADDRESS=unix:path=" + bus}
	write(t, a.dir, "bus.conf", fmt.Appendf(nil, busConfig, bus))
	write(t, a.dir, "avahi.conf", []byte(avahiConfig))
	const state = "/run/avahi-daemon" // of a running one; the file system is ours alone
	must(t, os.MkdirAll(state, 0o755))
	tool(t, "mount", "-t", "tmpfs", "avahi", state)
	a.start(t, "bus", "dbus-daemon", "--config-file="+filepath.Join(a.dir, "bus.conf"), "--nofork", "--nopidfile", "--nosyslog")
	await(t, patience, "the bus", func() error { _, err := os.Stat(bus); return err })
	a.start(t, "avahi", "avahi-daemon", "--file="+filepath.Join(a.dir, "avahi.conf"),
		"--no-drop-root", "--no-chroot", "--no-rlimits", "--no-proc-title", "--debug")
	await(t, patience, "avahi", func() error { _, err := a.browse(); return err })
	return a
}

// start runs a program on its host.
func (a *avahi) start(t *testing.T, log string, argv ...string) *process {
	t.Helper()
	return start(t, filepath.Join(a.dir, log+".log"), a.env, append([]string{"ip", "netns", "exec", a.host.name}, argv...)...)
}

// browse gives what avahi knows of Lanyards, a line for each address.
func (a *avahi) browse() (string, error) {
	cmd := exec.Command("ip", "netns", "exec", a.host.name, "avahi-browse", "--resolve", "--parsable", "--terminate", "_lanyard._udp")
	cmd.Env = append(os.Environ(), a.env...)
	out, err := cmd.Output()
	return string(out), err
}

// knows gives nil once avahi knows of a Lanyard at an address.
func (a *avahi) knows(four string) error {
	list, err := a.browse()
	if err != nil {
		return err
	}
	if !strings.Contains(list, ";"+four+";22000;") {
		return fmt.Errorf("it knows of:\n%s", list)
	}
	return nil
}

// publish has avahi announce a Lanyard, whose page for connecting devices is
// open, until the test ends.
func (a *avahi) publish(t *testing.T, instance, name string) {
	t.Helper()
	nonce := base64.RawURLEncoding.EncodeToString([]byte(instance + "---"))
	a.start(t, instance, "avahi-publish", "-s", instance, "_lanyard._udp", "22099", "v=1", "n="+nonce, "m="+name)
}

// The time between two newcomers in the test below, and how many there are: in
// all 90 seconds, and 20 minutes in a long test, in which the program is the one
// that people run.
const (
	shortRound    = 6 * time.Second
	shortPause    = 17 * time.Second
	shortNewcomer = 5
	longPause     = 2 * time.Minute
	longNewcomers = 10
)

// TestBesideAvahi has a device on a host with avahi, both on one port. It and one
// on another host see each other, and what avahi announces; avahi sees both. Then
// newcomers come again and again, none of whose announcements arrive, so that
// they are found only by whoever asks: each is found within a round of asking.
func TestBesideAvahi(t *testing.T) {
	t.Parallel()
	needBrisk(t)
	if !inOwnNetwork(t, "nft", "avahi-daemon", "avahi-browse", "avahi-publish", "dbus-daemon") {
		return
	}
	newSwitch(t)
	a, b := named(t, "a", 1), named(t, "b", 2)
	av := startAvahi(t, a.host)
	round, pause, newcomers := shortRound, shortPause, shortNewcomer
	if long() {
		round, pause, newcomers = time.Minute, longPause, longNewcomers
	}
	for _, l := range []*netLanyard{a, b} {
		l.brisk(t, briskRound+"="+round.String())
		l.Start(t)
		must(t, l.api(http.MethodPut, "/pairing/pane", nil))
	}
	eventually(t, patience, "both see each other beside avahi", func() error { return errors.Join(a.sees("device-b"), b.sees("device-a")) })
	eventually(t, patience, "avahi knows both", func() error { return errors.Join(av.knows(a.host.four), av.knows(b.host.four)) })
	av.publish(t, "abcdefghijklm", "announced by avahi")
	eventually(t, patience, "both see what avahi announces", func() error {
		return errors.Join(a.sees("announced by avahi"), b.sees("announced by avahi"))
	})

	place := newNetHost(t, "c", 3)
	nft(t, place, "add table inet mute")
	nft(t, place, "add chain inet mute out { type filter hook output priority 0 ; }")
	worst := time.Duration(0)
	for i := range newcomers {
		next := time.After(pause)
		name := fmt.Sprintf("newcomer-%d", i)
		c := &netLanyard{lanyard: newLanyard(t, name), host: place, name: name}
		nft(t, place, "add rule inet mute out udp dport 5353 drop")
		c.Start(t)
		must(t, c.api(http.MethodPut, "/pairing/pane", nil))
		<-time.After(4 * time.Second) // it announces itself for two
		for _, l := range []*netLanyard{a, b} {
			if l.sees(name) == nil {
				t.Fatalf("%s sees the newcomer, whose announcements do not arrive", l.host.name)
			}
		}
		nft(t, place, "flush chain inet mute out")
		took := await(t, round+5*time.Second, name+" is found", func() error { return errors.Join(a.sees(name), b.sees(name)) })
		t.Logf("%s is found after %v", name, took.Round(time.Millisecond))
		worst = max(worst, took)
		await(t, patience, "avahi knows it", func() error { return av.knows(place.four) })
		<-next
		c.Stop(t)
	}
	t.Logf("%d newcomers, each found within %v of being there to be asked", newcomers, worst.Round(time.Millisecond))
}

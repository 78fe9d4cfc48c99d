package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// inOwnNetwork is inside for tests with a network of their own: the other process
// is the switch that hosts are plugged into.
func inOwnNetwork(t *testing.T, programs ...string) bool {
	t.Helper()
	return inside(t, func() error { return noNamespaces(programs) }, nil, "--net", "--uts")
}

// noNamespaces says why no network can be made here, nil if one can.
func noNamespaces(programs []string) error {
	if os.Geteuid() != 0 {
		return errors.New("a network of its own needs root")
	}
	for _, program := range append([]string{"unshare", "ip"}, programs...) {
		if _, err := exec.LookPath(program); err != nil {
			return err
		}
	}
	return nil
}

// hostName is the name of the computer that a test runs on.
const hostName = "name-of-this-computer"

// newSwitch makes the switch. It has the address 10.77.0.254 itself, so that the
// test can talk to its hosts.
func newSwitch(t *testing.T) {
	t.Helper()
	must(t, os.MkdirAll("/run/netns", 0o755))
	tool(t, "mount", "-t", "tmpfs", "netns", "/run/netns")
	ip(t, "link set lo up")
	must(t, unix.Sethostname([]byte(hostName)))
	for _, bridge := range []string{"br0", "br1", "br2"} {
		ip(t, "link add "+bridge+" type bridge stp_state 0 mcast_snooping 0")
		ip(t, "link set "+bridge+" up")
	}
	ip(t, "addr add 10.77.0.254/24 dev br0")
}

// ip runs one command of ip(8).
func ip(t *testing.T, command string) {
	t.Helper()
	tool(t, append([]string{"ip"}, strings.Fields(command)...)...)
}

// tryIP is ip where a failure means nothing.
func tryIP(command string) { _ = exec.Command("ip", strings.Fields(command)...).Run() }

// newNetHost plugs a host in, with the addresses 10.77.0.N and fd77::N.
func newNetHost(t *testing.T, name string, n int) netHost {
	t.Helper()
	h := netHost{name, fmt.Sprintf("10.77.0.%d", n)}
	ip(t, "netns add "+name)
	ip(t, "-n "+name+" link set lo up")
	ip(t, "link add eth0 netns "+name+" type veth peer name p-"+name)
	ip(t, "link set p-"+name+" master br0 up")
	ip(t, "-n "+name+" link set eth0 up")
	h.addresses(t, fmt.Sprintf("10.77.0.%d/24", n), fmt.Sprintf("fd77::%d/64", n))
	return h
}

// addresses gives the host addresses in place of those that it has.
func (h netHost) addresses(t *testing.T, four, six string) {
	t.Helper()
	ip(t, "-n "+h.name+" addr add "+four+" dev eth0")
	ip(t, "-n "+h.name+" addr add "+six+" dev eth0 nodad")
	tryIP("-n " + h.name + " route add 224.0.0.0/4 dev eth0")
}

// unplug and plug cut the host off and join it again, without its noticing.
func (h netHost) unplug(t *testing.T) { t.Helper(); ip(t, "link set p-"+h.name+" nomaster") }

func (h netHost) plug(t *testing.T) { t.Helper(); ip(t, "link set p-"+h.name+" master br0") }

// netLanyard is a Lanyard on a host, that looks for devices.
type netLanyard struct {
	*lanyard
	host netHost
	name string   // that it calls itself; empty: that of the computer
	env  []string // more of its environment
	card string   // what the kernel says that eth0 is: "wifi" or "cable"; empty: one end of a pair
}

// asCard runs a program in a mount namespace of its own, where the kernel describes
// eth0 as a card for Wi-Fi or a cable. It is called with the kind, the program and
// its arguments.
const asCard = `set -e
card=$1 index=$(cat /sys/class/net/eth0/ifindex)
shift
mount -t tmpfs net /sys/class/net
mkdir -p /sys/class/net/eth0/device
cd /sys/class/net/eth0
echo $index >ifindex
echo 1 >type
if [ $card = wifi ]; then mkdir phy80211; fi
cd /
exec "$@"`

func newNetLanyard(t *testing.T, name string, n int) *netLanyard {
	t.Helper()
	h := newNetHost(t, name, n)
	return &netLanyard{lanyard: newLanyard(t, name), host: h}
}

func (l *netLanyard) Address() string { return "quic://0.0.0.0:22000" }

func (l *netLanyard) Start(t *testing.T) {
	t.Helper()
	if l.name != "" { // until a person says otherwise, it is that of the computer
		must(t, unix.Sethostname([]byte(l.name)))
		defer func() { must(t, unix.Sethostname([]byte(hostName))) }()
	}
	argv := []string{"ip", "netns", "exec", l.host.name}
	if l.card != "" {
		argv = append(argv, "sh", "-c", asCard, "sh", l.card)
	}
	l.proc = start(t, l.log, l.env, append(argv, l.bin, "--home", l.home, "serve")...)
	eventually(t, patience, "engine answers", func() error {
		if l.proc.ended() {
			t.Fatalf("the engine ended at once:\n%s", tail(l.log, 10))
		}
		_, err := l.status()
		return err
	})
}

// api makes one call to the running engine; send and answer may be nil.
func (l *netLanyard) api(method, path string, answer any) error {
	client := &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(l.home, "control.sock"))
		},
		DisableKeepAlives: true,
	}}
	req, err := http.NewRequest(method, "http://lanyard/api/v1"+path, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, text)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(text, answer)
}

// near is the part of a status that says who is nearby.
type near struct {
	Pairing struct {
		Nearby []struct {
			Key  string `json:"key"`
			Name string `json:"name"`
			ID   string `json:"id"`
		} `json:"nearby"`
	} `json:"pairing"`
	Problems []struct {
		Code string `json:"code"`
	} `json:"problems"`
	Devices []netDevice `json:"devices"`
}

// netDevice is the part of it that says how a device is connected.
type netDevice struct {
	ID        string    `json:"id"`
	Connected bool      `json:"connected"`
	Address   string    `json:"address"`
	Since     time.Time `json:"since"`
	Reach     struct {
		Over   string `json:"over"`
		Direct bool   `json:"direct"`
	} `json:"reach"`
}

// device gives how another device is connected.
func (l *netLanyard) device(t *testing.T, other *netLanyard) netDevice {
	t.Helper()
	var s near
	must(t, l.api(http.MethodGet, "/status", &s))
	for _, d := range s.Devices {
		if d.ID == other.id {
			return d
		}
	}
	t.Fatalf("%s does not know %s", l.host.name, other.host.name)
	return netDevice{}
}

// sees gives nil once a device of the name is nearby.
func (l *netLanyard) sees(name string) error {
	var s near
	if err := l.api(http.MethodGet, "/status", &s); err != nil {
		return err
	}
	for _, n := range s.Pairing.Nearby {
		if n.Name == name {
			return nil
		}
	}
	return fmt.Errorf("nearby are %+v", s.Pairing.Nearby)
}

// told gives nil once a file that the other side wrote is here.
func (l *netLanyard) told(name string) error {
	_, err := os.Stat(filepath.Join(l.dir, name))
	return err
}

// writes puts a file into the folder.
func (l *netLanyard) writes(t *testing.T, name string) {
	t.Helper()
	must(t, os.WriteFile(filepath.Join(l.dir, name), []byte(name), 0o644))
}

// trustingPair makes the switch, and two devices on it that know each other and
// have connected in a network that both trust.
func trustingPair(t *testing.T) (a, b *netLanyard) {
	t.Helper()
	newSwitch(t)
	a, b = newNetLanyard(t, "a", 1), newNetLanyard(t, "b", 2)
	knowEachOther(t, a, b)
	startTrusting(t, a, b)
	eventually(t, patience, "connected by their IDs", func() error { return allConnected(a, b) })
	return a, b
}

// knowEachOther makes two devices share the folder, without addresses.
func knowEachOther(t *testing.T, a, b *netLanyard) {
	t.Helper()
	a.Know(t, b, false)
	b.Know(t, a, false)
}

// startTrusting starts devices and has them trust their network, so that they
// find each other by their IDs.
func startTrusting(t *testing.T, all ...*netLanyard) {
	t.Helper()
	for _, l := range all {
		l.Start(t)
		eventually(t, patience, "network trusted", func() error {
			_, err := l.try("network", "trust")
			return err
		})
	}
}

// allConnected gives nil once all are connected.
func allConnected(all ...*netLanyard) error {
	for _, l := range all {
		if err := l.Connected(); err != nil {
			return fmt.Errorf("%s: %w", l.host.name, err)
		}
	}
	return nil
}

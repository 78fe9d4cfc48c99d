//go:build unix

package e2e_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// apiKey opens the REST interface of a Syncthing under test.
const apiKey = "testkey"

// syncthing is a Syncthing device in temporary directories, cut off from
// everything but loopback, driven by its REST interface.
type syncthing struct {
	home, dir, log string
	port, gui      int
	schemes        []string // of the addresses that it listens on, all on one port
	id             string
	peers          []stPeer
	settings       stFolder
	proc           *process
	client         *http.Client
	host           *netHost // where it runs, with discovery on; nil: on loopback, without
}

// stPeer, stFolder and stOptions are the parts of Syncthing's configuration file
// that the tests choose. What is missing in a folder is zero, not Syncthing's
// default, so those defaults that matter stand here too.
type stPeer struct {
	XMLName     xml.Name `xml:"device"`
	ID          string   `xml:"id,attr"`
	Name        string   `xml:"name,attr,omitempty"`
	Compression string   `xml:"compression,attr,omitempty"`
	Addresses   []string `xml:"address,omitempty"`
}

type stFolder struct {
	XMLName  xml.Name `xml:"folder"`
	ID       string   `xml:"id,attr"`
	Path     string   `xml:"path,attr"`
	Watch    bool     `xml:"fsWatcherEnabled,attr"`
	Rescan   int      `xml:"rescanIntervalS,attr"`
	Members  []stPeer
	Delay    string `xml:"pullerDelayS"`
	Retry    int    `xml:"pullerPauseS"`
	Copies   int    `xml:"maxConflicts"`
	WeakHash int    `xml:"weakHashThresholdPct"`
	NFC      bool   `xml:"autoNormalize,attr"`
}

type stOptions struct {
	Listen       []string `xml:"listenAddress"`
	Global       bool     `xml:"globalAnnounceEnabled"`
	Local        bool     `xml:"localAnnounceEnabled"`
	Relays       bool     `xml:"relaysEnabled"`
	NAT          bool     `xml:"natEnabled"`
	Stun         int      `xml:"stunKeepaliveStartS"`
	Usage        int      `xml:"urAccepted"`
	Crash        bool     `xml:"crashReportingEnabled"`
	Upgrade      int      `xml:"autoUpgradeIntervalH"`
	Browser      bool     `xml:"startBrowser"`
	Reconnection int      `xml:"reconnectionIntervalS"`
}

type stConfig struct {
	XMLName xml.Name `xml:"configuration"`
	Version int      `xml:"version,attr"`
	Folders []stFolder
	Devices []stPeer
	GUI     struct {
		Enabled bool   `xml:"enabled,attr"`
		TLS     bool   `xml:"tls,attr"`
		Address string `xml:"address"`
		Key     string `xml:"apikey"`
	} `xml:"gui"`
	Options stOptions `xml:"options"`
}

// needSyncthing reports whether Syncthing is there. In continuous integration
// its absence fails the test; elsewhere the end of the run names it.
func needSyncthing(t *testing.T) bool {
	t.Helper()
	_, err := exec.LookPath("syncthing")
	if err != nil && os.Getenv("CI") != "" {
		t.Fatal("syncthing is not installed")
	}
	return err == nil
}

// newSyncthing makes a device with an identity and an empty folder.
func newSyncthing(t *testing.T, name string) *syncthing {
	t.Helper()
	root := t.TempDir()
	s := &syncthing{
		home: filepath.Join(root, "home"), dir: filepath.Join(root, name), log: filepath.Join(root, name+".log"),
		port: freePort(t), gui: freePort(t), schemes: []string{"quic"}, client: &http.Client{Timeout: 5 * time.Minute},
		settings: stFolder{ID: folderID, Delay: "0.1", Retry: 2, Copies: 10, WeakHash: 25, NFC: true},
	}
	must(t, os.MkdirAll(s.dir, 0o755))
	out, err := exec.Command("syncthing", "generate", "--home="+s.home, "--skip-port-probing", "--no-default-folder").CombinedOutput()
	if err != nil {
		t.Fatalf("syncthing generate: %v\n%s", err, out)
	}
	id := regexp.MustCompile(`[A-Z2-7]{7}(-[A-Z2-7]{7}){7}`).Find(out)
	if id == nil {
		t.Fatalf("syncthing generate named no device ID:\n%s", out)
	}
	s.id = string(id)
	return s
}

func (s *syncthing) ID() string      { return s.id }
func (s *syncthing) Dir() string     { return s.dir }
func (s *syncthing) Address() string { return s.addresses()[0] }

// at gives another address than loopback where it runs on a host.
func (s *syncthing) at(there string) string {
	if s.host == nil {
		return "127.0.0.1"
	}
	return there
}

// restHost is where its REST interface is.
func (s *syncthing) restHost() string {
	if s.host == nil {
		return "127.0.0.1"
	}
	return s.host.four
}

func (s *syncthing) addresses() []string {
	var list []string
	for _, scheme := range s.schemes {
		list = append(list, fmt.Sprintf("%s://%s:%d", scheme, s.at("0.0.0.0"), s.port))
	}
	return list
}

// Know adds a peer. One that is not to be dialed has the address "dynamic",
// which leads nowhere while discovery is off. Others are dialed in the protocols
// that it listens with.
func (s *syncthing) Know(_ *testing.T, peer node, dial bool) {
	addresses := []string{"dynamic"}
	if dial {
		addresses = nil
		_, at, _ := strings.Cut(peer.Address(), "://")
		for _, scheme := range s.schemes {
			addresses = append(addresses, scheme+"://"+at)
		}
	}
	s.peers = append(s.peers, stPeer{ID: peer.ID(), Name: filepath.Base(peer.Dir()), Compression: "metadata", Addresses: addresses})
}

// config gives the configuration file.
func (s *syncthing) config() ([]byte, error) {
	folder := s.settings
	folder.Path = s.dir
	folder.Members = []stPeer{{ID: s.id}}
	for _, p := range s.peers {
		folder.Members = append(folder.Members, stPeer{ID: p.ID})
	}
	c := stConfig{
		Version: 36,
		Folders: []stFolder{folder},
		Devices: append([]stPeer{{ID: s.id, Name: "syncthing"}}, s.peers...),
		Options: stOptions{Listen: s.addresses(), Local: s.host != nil, Usage: -1, Reconnection: 5},
	}
	c.GUI.Enabled, c.GUI.Key = true, apiKey
	c.GUI.Address = fmt.Sprintf("%s:%d", s.restHost(), s.gui)
	return xml.MarshalIndent(c, "", "  ")
}

func (s *syncthing) Start(t *testing.T) {
	t.Helper()
	text, err := s.config()
	must(t, err)
	must(t, os.WriteFile(filepath.Join(s.home, "config.xml"), text, 0o600))
	// STMONITORED keeps it from running under a monitor of its own: its child
	// would leave our process group and outlive a kill.
	argv := []string{
		"syncthing", "serve", "--home=" + s.home, "--no-browser",
		"--no-restart", "--no-upgrade", "--skip-port-probing", "--no-default-folder",
	}
	if s.host != nil {
		argv = append([]string{"ip", "netns", "exec", s.host.name}, argv...)
	}
	s.proc = start(t, s.log, []string{"STNOUPGRADE=1", "STMONITORED=yes"}, argv...)
	eventually(t, patience, "syncthing answers", func() error {
		if s.proc.ended() {
			t.Fatalf("syncthing ended at once:\n%s", tail(s.log, 10))
		}
		_, err := s.folderStatus()
		return err
	})
}

func (s *syncthing) Stop(*testing.T) { s.proc.stop() }
func (s *syncthing) Kill()           { s.proc.kill() }

func (s *syncthing) Scan(t *testing.T) {
	t.Helper()
	must(t, s.call(http.MethodPost, "db/scan?folder="+folderID, nil, nil))
}

// call makes one REST call; send and answer may be nil.
func (s *syncthing) call(method, path string, send, answer any) error {
	var body io.Reader
	if send != nil {
		raw, err := json.Marshal(send)
		if err != nil {
			return err
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequest(method, fmt.Sprintf("http://%s:%d/rest/%s", s.restHost(), s.gui, path), body)
	if err != nil {
		return err
	}
	req.Header.Set("X-API-Key", apiKey)
	resp, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, strings.TrimSpace(string(raw)))
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(raw, answer)
}

// stStatus is the part of db/status that the tests look at.
type stStatus struct {
	State string `json:"state"`
	Need  int64  `json:"needTotalItems"`
	Bytes int64  `json:"needBytes"`
	Pull  int64  `json:"pullErrors"`
	Files int64  `json:"localFiles"`
}

func (s *syncthing) folderStatus() (stStatus, error) {
	var st stStatus
	err := s.call(http.MethodGet, "db/status?folder="+folderID, nil, &st)
	return st, err
}

func (s *syncthing) Settled() error {
	st, err := s.folderStatus()
	if err != nil {
		return err
	}
	if st.State != "idle" || st.Need != 0 {
		return fmt.Errorf("syncthing is %s, needs %d items of %d bytes, %d errors", st.State, st.Need, st.Bytes, st.Pull)
	}
	for _, p := range s.peers {
		var c struct {
			Items   int64 `json:"needItems"`
			Deletes int64 `json:"needDeletes"`
		}
		if err := s.call(http.MethodGet, "db/completion?folder="+folderID+"&device="+p.ID, nil, &c); err != nil {
			return err
		}
		if c.Items+c.Deletes != 0 {
			return fmt.Errorf("syncthing says that %.7s needs %d items and %d deletes", p.ID, c.Items, c.Deletes)
		}
	}
	return nil
}

// stConnection is one entry of system/connections.
type stConnection struct {
	Connected bool   `json:"connected"`
	Type      string `json:"type"`
	Version   string `json:"clientVersion"`
	In        int64  `json:"inBytesTotal"`
	Out       int64  `json:"outBytesTotal"`
}

// connections gives the connection with each device.
func (s *syncthing) connections() (map[string]stConnection, error) {
	var c struct {
		Connections map[string]stConnection `json:"connections"`
	}
	err := s.call(http.MethodGet, "system/connections", nil, &c)
	return c.Connections, err
}

func (s *syncthing) Connected() error {
	all, err := s.connections()
	if err != nil {
		return err
	}
	for _, c := range all {
		if c.Connected {
			return nil
		}
	}
	return errors.New("syncthing has no connected device")
}

func (s *syncthing) Traffic(t *testing.T) (in, out int64) {
	t.Helper()
	all, err := s.connections()
	must(t, err)
	for _, c := range all {
		in, out = in+c.In, out+c.Out
	}
	return in, out
}

// pendingDevice is a device that knocked and is not known.
type pendingDevice struct {
	Name    string `json:"name"`
	Address string `json:"address"`
}

func (s *syncthing) pending() (map[string]pendingDevice, error) {
	var p map[string]pendingDevice
	err := s.call(http.MethodGet, "cluster/pending/devices", nil, &p)
	return p, err
}

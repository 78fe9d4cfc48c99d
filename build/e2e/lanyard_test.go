//go:build unix

package e2e_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// lanyard is a Lanyard device with a home and a folder in temporary
// directories, driven by its command line alone.
type lanyard struct {
	bin, home, dir, log string
	port                int
	id                  string
	shared              bool // the folder was added
	proc                *process
}

// snapshot is the part of "lanyard status --json" that the tests look at.
type snapshot struct {
	DeviceID string `json:"device_id"`
	Name     string `json:"name"`
	Version  string `json:"version"`
	Folders  []struct {
		ID      string `json:"id"`
		State   string `json:"state"`
		Problem *struct {
			Code string `json:"code"`
			Text string `json:"text"`
		} `json:"problem"`
		Local struct {
			Files int64 `json:"files"`
			Bytes int64 `json:"bytes"`
		} `json:"local"`
		Need struct {
			Items int64 `json:"items"`
			Bytes int64 `json:"bytes"`
		} `json:"need"`
	} `json:"folders"`
	Devices []struct {
		ID        string `json:"id"`
		Connected bool   `json:"connected"`
		Client    string `json:"client"`
		InBytes   int64  `json:"in_bytes"`
		OutBytes  int64  `json:"out_bytes"`
		Folders   map[string]struct {
			NeedItems int64 `json:"need_items"`
		} `json:"folders"`
	} `json:"devices"`
}

// newLanyard makes a device with an identity and an empty folder.
func newLanyard(t *testing.T, name string) *lanyard {
	t.Helper()
	return newLanyardIn(t, name, t.TempDir())
}

// newLanyardIn is newLanyard with home and folder in a directory; its log lies
// elsewhere.
func newLanyardIn(t *testing.T, name, root string) *lanyard {
	t.Helper()
	bin := os.Getenv("LANYARD_BIN")
	if bin == "" {
		t.Fatal("LANYARD_BIN does not name the lanyard program")
	}
	l := &lanyard{
		bin: bin, home: filepath.Join(root, "home"), dir: filepath.Join(root, name),
		log: filepath.Join(t.TempDir(), name+".log"), port: freePort(t),
	}
	must(t, os.MkdirAll(l.dir, 0o755))
	l.id = strings.TrimSpace(l.run(t, "id"))
	return l
}

func (l *lanyard) ID() string      { return l.id }
func (l *lanyard) Dir() string     { return l.dir }
func (l *lanyard) Address() string { return fmt.Sprintf("quic://127.0.0.1:%d", l.port) }

// run runs one command to its end, fails the test if it fails, and gives its
// standard output.
func (l *lanyard) run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := l.try(args...)
	must(t, err)
	return out
}

// try is run that gives the error, with what the command said.
func (l *lanyard) try(args ...string) (string, error) {
	cmd := exec.Command(l.bin, append([]string{"--home", l.home}, args...)...)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return "", fmt.Errorf("lanyard %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(exit.Stderr)))
	}
	return string(out), err
}

func (l *lanyard) Know(t *testing.T, peer node, dial bool) {
	t.Helper()
	add := []string{"device", "add", peer.ID(), "--name", filepath.Base(peer.Dir())}
	if dial {
		add = append(add, "--address", peer.Address())
	}
	l.run(t, add...)
	if l.shared {
		l.run(t, "folder", "share", folderID, peer.ID())
		return
	}
	l.run(t, "folder", "add", l.dir, "--id", folderID, "--share", peer.ID(), "--no-brake")
	l.shared = true
}

func (l *lanyard) Start(t *testing.T) {
	t.Helper()
	l.proc = start(t, l.log, nil, l.bin, "--home", l.home, "serve", "--listen", l.Address(), "--no-discovery")
	eventually(t, patience, "engine answers", func() error {
		if l.proc.ended() {
			t.Fatalf("the engine ended at once:\n%s", tail(l.log, 10))
		}
		_, err := l.status()
		return err
	})
}

func (l *lanyard) Stop(t *testing.T) {
	t.Helper()
	l.run(t, "stop")
	l.proc.stop()
}

func (l *lanyard) Kill() { l.proc.kill() }

func (l *lanyard) Scan(t *testing.T) {
	t.Helper()
	l.run(t, "scan", folderID)
}

// wait returns once the folder is in sync with every connected device.
func (l *lanyard) wait(t *testing.T, timeout string) {
	t.Helper()
	l.run(t, "wait", "--folder", folderID, "--timeout", timeout)
}

func (l *lanyard) status() (snapshot, error) {
	var s snapshot
	out, err := l.try("status", "--json")
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal([]byte(out), &s)
}

func (l *lanyard) Settled() error {
	s, err := l.status()
	if err != nil {
		return err
	}
	for _, f := range s.Folders {
		if f.State != "idle" || f.Need.Items != 0 {
			return fmt.Errorf("%s, needs %d items of %d bytes, problem %+v", f.State, f.Need.Items, f.Need.Bytes, f.Problem)
		}
	}
	for _, d := range s.Devices {
		if n := d.Folders[folderID].NeedItems; d.Connected && n != 0 {
			return fmt.Errorf("device %.7s needs %d items", d.ID, n)
		}
	}
	return nil
}

func (l *lanyard) Connected() error {
	s, err := l.status()
	if err != nil {
		return err
	}
	for _, d := range s.Devices {
		if d.Connected {
			return nil
		}
	}
	return errors.New("lanyard has no connected device")
}

func (l *lanyard) Traffic(t *testing.T) (in, out int64) {
	t.Helper()
	s, err := l.status()
	must(t, err)
	for _, d := range s.Devices {
		in, out = in+d.InBytes, out+d.OutBytes
	}
	return in, out
}

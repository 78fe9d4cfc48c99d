package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// patience bounds every wait of the demo.
const patience = 45 * time.Second

// folderID names the folder that both devices share.
const folderID = "demo"

// device is one computer of the story: a home, a folder and an engine.
type device struct {
	name, bin, home, dir string
	id, address          string
	engine               *exec.Cmd
	ended                chan struct{} // closed when the engine's process has ended
}

// newDevice makes a device with an identity and an empty folder. It starts
// nothing.
func newDevice(ctx context.Context, bin, root, name string) (*device, error) {
	d := &device{name: name, bin: bin, home: filepath.Join(root, name, "home"), dir: filepath.Join(root, name, "Documents")}
	if err := os.MkdirAll(d.dir, 0o755); err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	d.address = fmt.Sprintf("quic://127.0.0.1:%d", port)
	out, err := d.run(ctx, "id")
	d.id = strings.TrimSpace(out)
	return d, err
}

// freePort gives a UDP port on loopback that nobody uses now.
func freePort() (int, error) {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).Port, nil
}

// run runs one command of the device and gives its output.
func (d *device) run(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, d.bin, append([]string{"--home", d.home}, args...)...)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return "", fmt.Errorf("%s: lanyard %s: %s", d.name, strings.Join(args, " "), strings.TrimSpace(string(exit.Stderr)))
	}
	return string(out), err
}

// pair makes two devices peers of each other: one shows an invitation, the other
// uses it. Its link travels as it does between two people: outside of Lanyard.
func pair(ctx context.Context, shows, takes *device) error {
	out, err := shows.run(ctx, "pair", "show", "--json", "--no-wait", "--yes")
	if err != nil {
		return err
	}
	var invitation struct{ Link string }
	if err := json.Unmarshal([]byte(out), &invitation); err != nil {
		return err
	}
	// On loopback an invitation cannot say where its device is.
	_, err = takes.run(ctx, "pair", "accept", invitation.Link, "--address", shows.address, "--yes")
	return err
}

// share makes the device share its folder with another.
func (d *device) share(ctx context.Context, other *device) error {
	_, err := d.run(ctx, "folder", "add", d.dir, "--id", folderID, "--label", "Documents", "--share", other.id)
	return err
}

// connected reports whether the device is connected with another.
func (d *device) connected(ctx context.Context, other *device) bool {
	out, err := d.run(ctx, "status", "--json")
	var state struct {
		Devices []struct {
			ID        string
			Connected bool
		}
	}
	if err != nil || json.Unmarshal([]byte(out), &state) != nil {
		return false
	}
	for _, s := range state.Devices {
		if s.ID == other.id {
			return s.Connected
		}
	}
	return false
}

// start starts the engine and returns once it answers.
func (d *device) start(ctx context.Context) error {
	log, err := os.OpenFile(d.home+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	d.engine = exec.Command(d.bin, "--home", d.home, "serve", "--listen", d.address, "--no-discovery")
	d.engine.Stdout, d.engine.Stderr = log, log
	if err := d.engine.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	d.ended = ended
	go func(engine *exec.Cmd) {
		defer close(ended)
		_ = engine.Wait() // its log tells how it ended
	}(d.engine)
	answers := false
	err = until(ctx, d.name+" answers", func() bool {
		_, err := d.run(ctx, "status", "--json")
		answers = err == nil
		return answers || d.hasEnded()
	})
	if err == nil && !answers {
		text, _ := os.ReadFile(d.home + ".log") // without it the message is only shorter
		err = fmt.Errorf("the engine of %s ended at once: %s", d.name, bytes.TrimSpace(text))
	}
	return err
}

// hasEnded reports whether the engine's process is over.
func (d *device) hasEnded() bool {
	select {
	case <-d.ended:
		return true
	default:
		return false
	}
}

// stop ends the engine as a person does, and insists if need be.
func (d *device) stop() {
	if d.ended == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if _, err := d.run(ctx, "stop"); err != nil {
		_ = d.engine.Process.Kill() // it may have ended already
	}
	select {
	case <-d.ended:
	case <-ctx.Done():
		_ = d.engine.Process.Kill()
		<-d.ended
	}
	d.ended = nil
}

// wait returns once the folder is in sync with the other device.
func (d *device) wait(ctx context.Context) error {
	_, err := d.run(ctx, "wait", "--folder", folderID, "--timeout", patience.String())
	return err
}

// until waits for a condition.
func until(ctx context.Context, what string, cond func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited for %q: %w", what, context.Cause(ctx))
		case <-tick.C:
		}
	}
	return nil
}

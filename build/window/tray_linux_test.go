package window_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// engine runs a device's engine on a bus until the test ends. The programs lie
// in a directory of their own, where the window is a script that notes with what
// it was started.
type engine struct {
	of     *device
	cmd    *exec.Cmd
	ended  chan struct{}
	opened string // file with a line for each start of the window
}

func (d *device) runOn(t *testing.T, b *bus) *engine {
	t.Helper()
	dir := t.TempDir()
	e := &engine{of: d, ended: make(chan struct{}), opened: filepath.Join(dir, "opened")}
	data, err := os.ReadFile(program("lanyard"))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "lanyard"), data, 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "lanyard-desktop"), []byte("#!/bin/sh\necho \"$*\" >>'"+e.opened+"'\n"), 0o755))
	d.run(t, "id")
	e.cmd = exec.Command(filepath.Join(dir, "lanyard"), "--home", d.home.Dir(), "serve", "--listen", "quic://127.0.0.1:0", "--no-discovery")
	e.cmd.Env = b.env()
	must(t, e.cmd.Start())
	go func() {
		_ = e.cmd.Wait() // its exit code is looked at
		close(e.ended)
	}()
	t.Cleanup(func() { _ = e.cmd.Process.Kill(); <-e.ended }) // it may have ended
	eventually(t, "the engine answers", func() error { _, err := d.state(); return err })
	return e
}

// log gives what the engine has logged.
func (e *engine) log(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(e.of.home.LogFile())
	must(t, err)
	return string(data)
}

func (e *engine) await(t *testing.T) int {
	t.Helper()
	eventually(t, "the engine ends", func() error {
		select {
		case <-e.ended:
			return nil
		default:
			return errors.New("it runs")
		}
	})
	return e.cmd.ProcessState.ExitCode()
}

// connects makes two devices know each other.
func connects(t *testing.T, a, b *device) {
	t.Helper()
	there, err := b.state()
	must(t, err)
	here, err := a.state()
	must(t, err)
	a.run(t, "device", "add", there.ID, "--name", "Ben's laptop", "--address", reachable(there))
	b.run(t, "device", "add", here.ID, "--name", "Anna's laptop")
}

// TestTheTray follows an icon through the life of an engine, as a desktop's
// panel sees it.
func TestTheTray(t *testing.T) {
	b := newBus(t)
	anna, ben := newDevice(t, "Anna's laptop"), newDevice(t, "Ben's laptop")
	serve(t, ben)
	e := anna.runOn(t, b)
	// There is nobody yet who shows icons, and nothing is wrong with that.
	if log := e.log(t); strings.Contains(log, "level=ERROR") || strings.Contains(log, "level=WARN") || strings.Contains(log, "systray") {
		t.Errorf("without a tray it logs:\n%s", log)
	}
	i := b.watch(t).item(t)
	says := func(state, safe string) {
		t.Helper()
		i.shows(t, state)
		eventually(t, "it stands over the icon", func() error {
			got, err := i.tip()
			if want := "Lanyard: " + state + ". " + safe; err == nil && got != want {
				err = fmt.Errorf("it says %q, want %q", got, want)
			}
			return err
		})
	}
	says("Not connected to any device yet", "Not connected to any device yet")
	away, err := i.picture()
	must(t, err)

	connects(t, anna, ben)
	must(t, os.WriteFile(filepath.Join(anna.dir, "letter.txt"), []byte("hello"), 0o600))
	anna.run(t, "folder", "add", anna.dir, "--id", "photos", "--label", "My_photos")
	i.shows(t, "My__photos: Only here") // an underscore would mark a key
	ben.run(t, "folder", "add", ben.dir, "--id", "photos", "--share", "Anna's laptop")
	anna.run(t, "folder", "share", "photos", "Ben's laptop")
	says("In sync", "Safe to close")
	i.shows(t, "My__photos: In sync")
	plain, err := i.picture()
	must(t, err)

	paused := func(want string) func() error {
		return func() error {
			out, err := anna.try("folder", "list", "--json")
			if err == nil && !strings.Contains(out, `"paused":`+want) && !strings.Contains(out, `"paused": `+want) {
				err = errors.New(out)
			}
			return err
		}
	}
	i.chooses(t, "Pause all folders", paused("true"))
	says("Paused", "Some changes may be only here")
	bar, err := i.picture()
	must(t, err)
	if away == plain || plain == bar || bar == away {
		t.Error("two states have the same icon")
	}
	i.chooses(t, "Resume all folders", paused("false"))
	says("In sync", "Safe to close")

	i.chooses(t, "Pause for an hour", paused("true"))
	eventually(t, "it says until when", func() error {
		tip, err := i.tip()
		if err == nil && !strings.HasPrefix(tip, "Lanyard: Paused until ") {
			err = errors.New(tip)
		}
		return err
	})
	i.chooses(t, "Resume all folders", paused("false"))
	says("In sync", "Safe to close")

	opened := func(want string) func() error {
		return func() error {
			got, err := os.ReadFile(e.opened)
			if err == nil && string(got) != want {
				err = fmt.Errorf("the window was started with %q", got)
			}
			return err
		}
	}
	home := "--home " + anna.home.Dir()
	i.chooses(t, "Open Lanyard", opened(home+"\n"))
	anna.run(t, "device", "pause", "Ben's laptop")
	says("No device is connected", "Safe to close")
	anna.run(t, "device", "resume", "Ben's laptop")
	says("In sync", "Safe to close")
	// The folder's disk is taken away.
	must(t, os.Rename(anna.dir, anna.dir+".away"))
	_, _ = anna.try("scan", "photos") // says so as well
	i.shows(t, "The folder "+strings.ReplaceAll(anna.dir, "_", "__")+" is not there")
	i.chooses(t, "One thing needs you", opened(home+"\n"+home+" --page #/needs\n"))

	i.chooses(t, "Stop syncing and quit", func() error {
		if held, err := anna.home.Held(); err != nil || held {
			return fmt.Errorf("the home is held: %w", err)
		}
		return nil
	})
	if code := e.await(t); code != 0 {
		t.Errorf("the engine exits %d", code)
	}
	if _, ok := anna.home.Holder(); ok {
		t.Error("the engine did not end in order")
	}
	if _, err := i.menu(); err == nil {
		t.Error("the icon stays")
	}
}

// TestWithoutABusThereIsNoTray starts the engine where nothing of a desktop is,
// and ends it by a signal.
func TestWithoutABusThereIsNoTray(t *testing.T) {
	d := newDevice(t, "server")
	e := d.runOn(t, &bus{address: "unix:path=" + filepath.Join(t.TempDir(), "nobody")})
	if log := e.log(t); strings.Contains(log, "level=ERROR") || strings.Contains(log, "level=WARN") {
		t.Errorf("it logs:\n%s", log)
	}
	must(t, e.cmd.Process.Signal(syscall.SIGTERM))
	if code := e.await(t); code != 0 {
		t.Errorf("it exits %d", code)
	}
}
